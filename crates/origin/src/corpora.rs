//! The documents that can be served, prepared once.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use job::{Corpus, CorpusError};
use thiserror::Error;

use crate::Options;
use crate::request::{Refusal, Source, Wanted};

/// How many documents are generated of each size: as many as the articles' readers fetch.
pub const GENERATED_DOCUMENTS: u32 = 151;

/// Why there is nothing to serve.
#[derive(Debug, Error)]
pub enum CorporaError {
    /// No documents of such a size, or none at all.
    #[error("--bytes: {0}")]
    Generated(CorpusError),
    /// The same, from a folder.
    #[error("{}: {source}{}", folder.display(), needs(source))]
    Documents {
        /// The folder.
        folder: PathBuf,
        /// What is wrong with its documents; names the file.
        source: CorpusError,
    },
    /// The folder, or a file in it, cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// The folder or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder has no documents.
    #[error("{} holds no *.json file; put one document in each", folder.display())]
    EmptyFolder {
        /// The folder.
        folder: PathBuf,
    },
    /// JSON travels as UTF-8 (RFC 8259, section 8.1).
    #[error("{label} is not UTF-8")]
    NotUtf8 {
        /// Which document.
        label: String,
    },
}

/// What a document needs, for whoever has one that is none.
fn needs(error: &CorpusError) -> &'static str {
    match error {
        CorpusError::NotADocument { .. } => {
            "; a document is an object with id, name, weight, height, types, stats and moves"
        }
        _ => "",
    }
}

/// Reads every `*.json` file of `folder`; ids are those in the documents, whatever a file is
/// called.
///
/// # Errors
///
/// There is no such folder, it has no such file, or one of them is not a document.
pub fn read_folder(folder: &Path) -> Result<Corpus, CorporaError> {
    let unreadable = |path: &Path| {
        let path = path.to_owned();
        move |source| CorporaError::Unreadable { path, source }
    };
    let mut paths = fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>())
        .map_err(unreadable(folder))?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    // The system lists a folder in any order; which file an error names must not depend on it.
    paths.sort();
    if paths.is_empty() {
        return Err(CorporaError::EmptyFolder { folder: folder.to_owned() });
    }
    let bodies = paths
        .into_iter()
        .map(|path| Ok((file_name(&path), fs::read(&path).map_err(unreadable(&path))?)))
        .collect::<Result<Vec<_>, CorporaError>>()?;
    // The parser skips what the job does not need, bytes that are no text included.
    if let Some((name, _)) = bodies.iter().find(|(_, body)| std::str::from_utf8(body).is_err()) {
        return Err(CorporaError::NotUtf8 { label: folder.join(name).display().to_string() });
    }
    Corpus::from_bodies(bodies)
        .map_err(|source| CorporaError::Documents { folder: folder.to_owned(), source })
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Every document that the origin serves.
#[derive(Debug)]
pub struct Corpora {
    /// By size, in the order in which they were asked for.
    generated: Vec<(usize, Documents)>,
    folder: Option<Documents>,
}

impl Corpora {
    /// Prepares what `options` ask for.
    ///
    /// # Errors
    ///
    /// A size is too small, or the folder does not do.
    pub fn prepare(options: &Options) -> Result<Self, CorporaError> {
        let generated = options.bytes.iter().map(|bytes| {
            let corpus = Corpus::generated(options.seed, *bytes, GENERATED_DOCUMENTS)
                .map_err(CorporaError::Generated)?;
            Ok((*bytes, Documents::new(&corpus)?))
        });
        let folder = options.corpus.as_deref().map(|folder| Documents::new(&read_folder(folder)?));
        Ok(Corpora {
            generated: generated.collect::<Result<_, CorporaError>>()?,
            folder: folder.transpose()?,
        })
    }

    /// The body of the document that `wanted` names.
    ///
    /// # Errors
    ///
    /// It was not prepared.
    pub fn find(&self, wanted: &Wanted) -> Result<&'static str, Refusal> {
        let documents = match wanted.source {
            Source::Generated { bytes: None } => self.generated.first().map(|(_, first)| first),
            Source::Generated { bytes: Some(bytes) } => {
                let prepared = self.generated.iter().find(|(prepared, _)| *prepared == bytes);
                prepared.map(|(_, documents)| documents)
            }
            Source::Folder => self.folder.as_ref(),
        };
        documents.ok_or_else(|| self.unprepared(wanted.source))?.find(wanted.id)
    }

    /// Bytes of the largest body.
    pub fn bytes_max(&self) -> usize {
        let generated = self.generated.iter().map(|(_, documents)| documents);
        generated.chain(&self.folder).map(Documents::bytes_max).max().unwrap_or(0)
    }

    fn unprepared(&self, source: Source) -> Refusal {
        match source {
            Source::Folder => Refusal::not_found("no folder is served; start with --corpus DIR"),
            Source::Generated { .. } => {
                let sizes = self.generated.iter().map(|(bytes, _)| bytes.to_string());
                let sizes = sizes.collect::<Vec<_>>().join(", ");
                Refusal::not_found(format!("no documents of that size, only of {sizes} bytes"))
            }
        }
    }
}

/// Bodies by id, in ascending order.
#[derive(Debug)]
struct Documents(Vec<(u32, &'static str)>);

impl Documents {
    /// Bodies are leaked: they are served until the process ends, and a body that nobody owns is
    /// handed to a response without counting references, on a cache line that every loop wants.
    fn new(corpus: &Corpus) -> Result<Self, CorporaError> {
        let bodies = corpus.iter().map(|(id, body)| {
            let body = String::from_utf8(body.to_vec())
                .map_err(|_| CorporaError::NotUtf8 { label: format!("document {id}") })?;
            Ok((id, &*body.leak()))
        });
        Ok(Documents(bodies.collect::<Result<_, CorporaError>>()?))
    }

    fn bytes_max(&self) -> usize {
        self.0.iter().map(|(_, body)| body.len()).max().unwrap_or(0)
    }

    fn find(&self, id: u32) -> Result<&'static str, Refusal> {
        match self.0.binary_search_by_key(&id, |(id, _)| *id) {
            Ok(place) => Ok(self.0[place].1),
            Err(_) => Err(Refusal::not_found(format!("there is no document {id}"))),
        }
    }
}

#[cfg(test)]
mod tests {

    use super::*;

    /// A folder of its own for one test, gone with it.
    struct Folder(PathBuf);

    impl Folder {
        fn new(test: &str) -> Self {
            let name = format!("origin-corpora-{test}-{}", std::process::id());
            let path = std::env::temp_dir().join(name);
            fs::create_dir(&path).unwrap();
            Folder(path)
        }

        fn with(self, name: &str, body: &[u8]) -> Self {
            fs::write(self.0.join(name), body).unwrap();
            self
        }

        fn error(&self) -> String {
            read_folder(&self.0).unwrap_err().to_string()
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn body(id: u32) -> Vec<u8> {
        let corpus = Corpus::generated(1, 1_500, id).unwrap();
        corpus.iter().last().unwrap().1.to_vec()
    }

    fn options(bytes: &[usize], corpus: Option<PathBuf>) -> Options {
        Options {
            listen: "127.0.0.1:0".parse().unwrap(),
            server: crate::Server::Hyper,
            threads: None,
            patience: std::num::NonZero::<u32>::MIN,
            seed: 42,
            bytes: bytes.to_vec(),
            corpus,
            end_with_parent: false,
        }
    }

    #[test]
    fn ids_are_those_in_the_documents() {
        let folder = Folder::new("ids").with("a.json", &body(3)).with("b.json", &body(2));
        let folder = folder.with("notes.txt", b"not a document");
        assert_eq!(read_folder(&folder.0).unwrap().ids(), [2, 3]);
    }

    #[test]
    fn what_is_wrong_with_a_folder_is_told_in_one_line() {
        let missing = read_folder(Path::new("/no/such/folder")).unwrap_err().to_string();
        assert!(missing.starts_with("/no/such/folder cannot be read: "), "{missing}");
        let empty = Folder::new("empty").error();
        assert!(empty.ends_with("holds no *.json file; put one document in each"), "{empty}");
        let broken = Folder::new("broken").with("7.json", b"{").error();
        assert!(broken.contains("7.json is not a document"), "{broken}");
        assert!(broken.ends_with("id, name, weight, height, types, stats and moves"), "{broken}");
        let repeated = Folder::new("twice").with("a.json", &body(1)).with("b.json", &body(1));
        assert!(repeated.error().contains("a.json and b.json both hold document 1"));
    }

    #[test]
    fn text_that_is_no_text_is_named() {
        let mut latin1 = body(1);
        let end = latin1.len() - 1;
        latin1.splice(end.., *b",\"genus\":\"Pok\xe9mon\"}");
        let error = Folder::new("latin1").with("1.json", &latin1).error();
        assert!(error.ends_with("/1.json is not UTF-8") && error.starts_with('/'), "{error}");
    }

    #[test]
    fn the_first_size_is_the_default() {
        let corpora = Corpora::prepare(&options(&[2_000, 1_500], None)).unwrap();
        let length =
            |bytes| corpora.find(&Wanted::at_once(Source::Generated { bytes }, 151)).map(str::len);
        assert_eq!(length(None), Ok(2_000));
        assert_eq!(length(Some(1_500)), Ok(1_500));
        assert_eq!(corpora.bytes_max(), 2_000);
        let refused = length(Some(7)).unwrap_err();
        assert_eq!(refused.why, "no documents of that size, only of 2000, 1500 bytes");
        let refused =
            corpora.find(&Wanted::at_once(Source::Generated { bytes: None }, 152)).unwrap_err();
        assert_eq!(refused.why, "there is no document 152");
    }

    #[test]
    fn a_folder_is_served_beside() {
        let folder = Folder::new("beside").with("x.json", &body(9));
        let corpora = Corpora::prepare(&options(&[1_500], Some(folder.0.clone()))).unwrap();
        let served = corpora.find(&Wanted::at_once(Source::Folder, 9)).unwrap();
        assert_eq!(served.as_bytes(), body(9));
        let none = Corpora::prepare(&options(&[1_500], None)).unwrap();
        assert!(
            none.find(&Wanted::at_once(Source::Folder, 9)).unwrap_err().why.contains("--corpus")
        );
    }

    #[test]
    fn too_small_a_size_is_told() {
        let error = Corpora::prepare(&options(&[10], None)).unwrap_err().to_string();
        assert!(error.starts_with("--bytes: a generated document has at least"), "{error}");
    }
}
