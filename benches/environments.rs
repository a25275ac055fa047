//! What programs that are not this one are run with: one environment a folder of `others/`.
//!
//! ```text
//!   others/FOLDER/install ══► target/others/FOLDER, stamped with what it was set up from
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{fs, io};

use serde::Deserialize;

use crate::choice::target_folder;

/// What the programs of one folder are run with.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// Its folder among `others/`, where its script `install` is.
    pub folder: String,
    /// What that script cannot install by itself, for a person.
    pub needs: String,
    /// What says its version.
    pub version: Vec<String>,
    /// Files of others that it is set up from or that its programs run, and folders of them, as
    /// seen from its own.
    #[serde(default)]
    also: Vec<String>,
}

/// A program, to be started in its folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandLine {
    /// What is started.
    pub program: PathBuf,
    /// What it is told.
    pub arguments: Vec<String>,
    /// Where it runs.
    pub folder: PathBuf,
}

impl CommandLine {
    /// `words` as they are registered, with `{home}` for where the environment of `folder` is set
    /// up. A command without a word is one that cannot be started.
    pub fn registered(folder: &str, words: &[String]) -> Self {
        let home = home_of(folder);
        let mut words = words.iter().map(|word| with_home(word, &home));
        CommandLine {
            program: words.next().unwrap_or_default().into(),
            arguments: words.collect(),
            folder: folder_of(folder),
        }
    }
}

impl From<&CommandLine> for Command {
    fn from(line: &CommandLine) -> Self {
        let mut command = Command::new(&line.program);
        command.args(&line.arguments).current_dir(&line.folder);
        command
    }
}

impl Environment {
    /// Where it is set up.
    pub fn home(&self) -> PathBuf {
        home_of(&self.folder)
    }

    /// Where its programs are.
    pub fn source(&self) -> PathBuf {
        folder_of(&self.folder)
    }

    /// Why its programs cannot be run, if they cannot.
    pub fn missing(&self) -> Option<String> {
        let install = format!("`compare others install {}`", self.folder);
        let stamp = fs::read_to_string(self.home().join(STAMP)).ok();
        match (stamp, self.fingerprint()) {
            (Some(stamp), Ok(now)) if stamp == now => None,
            (Some(_), _) => Some(format!("its files have changed since it was set up; {install}")),
            (None, _) => Some(format!("not set up here; {install} does it")),
        }
    }

    /// Notes that it is set up from its files as they are.
    ///
    /// # Errors
    ///
    /// The note cannot be written.
    pub fn note_set_up(&self) -> io::Result<()> {
        fs::write(self.home().join(STAMP), self.fingerprint()?)
    }

    /// What it says of its version, where it is set up.
    pub fn version(&self) -> Option<String> {
        let home = self.home();
        let words: Vec<_> = self.version.iter().map(|word| with_home(word, &home)).collect();
        let (program, arguments) = words.split_first()?;
        let output = Command::new(program).args(arguments).output().ok()?;
        let told = [output.stdout, output.stderr].concat();
        let line = String::from_utf8_lossy(&told).lines().next()?.trim().to_owned();
        output.status.success().then_some(line)
    }

    /// The names and lengths of its files and their contents' hash: what was built from others is
    /// not what is measured.
    fn fingerprint(&self) -> io::Result<String> {
        let source = self.source();
        let mut files = files_of(&source, Path::new(""))?;
        for also in &self.also {
            if source.join(also).is_dir() {
                files.extend(files_of(&source, Path::new(also))?);
            } else {
                files.push((also.into(), fs::read(source.join(also))?));
            }
        }
        files.sort();
        let bytes = files.iter().flat_map(|(name, bytes)| {
            [name.as_encoded_bytes(), &bytes.len().to_le_bytes(), bytes].concat()
        });
        // FNV-1a: nobody is to be kept from making two that are alike.
        let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Ok(format!("{hash:016x}\n"))
    }
}

/// The files of a folder, with their names as seen from `source`.
fn files_of(source: &Path, folder: &Path) -> io::Result<Vec<(OsString, Vec<u8>)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(source.join(folder))? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            let name = folder.join(entry.file_name()).into_os_string();
            files.push((name, fs::read(entry.path())?));
        }
    }
    Ok(files)
}

/// Why `programs`, each the name of its folder and its id, cannot be run here: those that cannot.
pub fn missing(
    environments: &[Environment],
    programs: &[(&str, &str)],
) -> BTreeMap<String, String> {
    let mut missing = BTreeMap::new();
    for environment in environments {
        let own = programs.iter().filter(|(folder, _)| *folder == environment.folder);
        let ids: Vec<_> = own.map(|(_, id)| (*id).to_owned()).collect();
        // To tell, all files of its folder are read.
        let why = if ids.is_empty() { None } else { environment.missing() };
        if let Some(why) = why {
            missing.extend(ids.into_iter().map(|id| (id, why.clone())));
        }
    }
    missing
}

/// What the environments of these folders say of their versions.
pub fn versions(
    environments: &[Environment],
    folders: &BTreeSet<&str>,
) -> BTreeMap<String, String> {
    let used = environments.iter().filter(|one| folders.contains(one.folder.as_str()));
    used.filter_map(|one| Some((one.folder.clone(), one.version()?))).collect()
}

/// Written last when an environment is set up.
const STAMP: &str = "set-up-from";

fn with_home(word: &str, home: &Path) -> String {
    word.replace("{home}", &home.display().to_string())
}

fn home_of(folder: &str) -> PathBuf {
    target_folder().join("others").join(folder)
}

/// Programs lie beside the source that this command was built from.
fn folder_of(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("others").join(folder)
}

/// What every registered environment must have, wherever it is registered.
#[cfg(test)]
pub fn assert_consistent(environments: &[Environment]) {
    for environment in environments {
        let folder = &environment.folder;
        assert!(environment.source().join("install").exists(), "{folder}");
        assert!(environment.fingerprint().is_ok(), "{folder}: a file of {:?}", environment.also);
        assert!(!environment.version.is_empty() && !environment.needs.is_empty(), "{folder}");
        let of = |other: &&Environment| other.folder == *folder;
        assert_eq!(environments.iter().filter(of).count(), 1, "{folder}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_told_where_its_environment_is() {
        let words = ["{home}/bin/python", "serve.py", "{home}"].map(str::to_owned);
        let line = CommandLine::registered("any", &words);
        let home = target_folder().join("others/any");
        assert_eq!(line.program, home.join("bin/python"));
        assert_eq!(line.arguments, ["serve.py", &home.display().to_string()]);
        assert!(line.folder.ends_with("benches/others/any"), "{}", line.folder.display());
    }

    #[test]
    fn a_fingerprint_is_of_own_files_and_of_those_named_besides() {
        let root = std::env::temp_dir().join(format!("compare-others-{}", std::process::id()));
        for folder in ["own", "beside"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        let write = |file: &str, text: &str| fs::write(root.join(file), text).unwrap();
        for file in ["own/install", "beside/run", "beside/another", "documents"] {
            write(file, "as it was");
        }
        let fingerprints = || {
            [&[][..], &["../beside"], &["../beside/run"], &["../documents"]].map(|also| {
                let environment = Environment {
                    folder: root.join("own").display().to_string(),
                    needs: String::new(),
                    version: Vec::new(),
                    also: also.iter().map(|file| (*file).to_owned()).collect(),
                };
                environment.fingerprint().unwrap()
            })
        };
        for (file, changed) in [
            ("own/install", [true, true, true, true]),
            ("beside/run", [false, true, true, false]),
            ("beside/another", [false, true, false, false]),
            ("documents", [false, false, false, true]),
        ] {
            let before = fingerprints();
            write(file, "as it is");
            let after = fingerprints();
            let differ: Vec<_> = before.iter().zip(&after).map(|(one, two)| one != two).collect();
            assert_eq!(differ, changed, "{file}");
        }
        fs::remove_dir_all(root).unwrap();
    }
}
