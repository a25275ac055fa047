//! The documents that an origin serves: made from a seed, or read from somebody's files.

use std::collections::BTreeMap;
use std::fmt::Write;

use thiserror::Error;

use crate::Document;

/// A set of documents by id, each with its body as it travels.
///
/// The origin serves the bodies; the harness derives the expected [`Answer`](crate::Answer) from
/// the same bodies. Neither asks a lane.
#[derive(Debug, Clone)]
pub struct Corpus {
    entries: BTreeMap<u32, Entry>,
}

#[derive(Debug, Clone)]
struct Entry {
    body: Vec<u8>,
    document: Document,
}

/// Why a corpus could not be made or asked.
#[derive(Debug, Error)]
pub enum CorpusError {
    /// A body is not a document.
    #[error("{label} is not a document of the job: {source}")]
    NotADocument {
        /// Where the body came from: a file's name, usually.
        label: String,
        /// What the parser said, with line and column.
        source: serde_json::Error,
    },
    /// Two bodies carry the same id.
    #[error("{first} and {second} both hold document {id}; keep one of them")]
    Repeated {
        /// The id that both carry.
        id: u32,
        /// The one read first.
        first: String,
        /// The one read second.
        second: String,
    },
    /// Nothing to serve.
    #[error("there is no document")]
    Empty,
    /// A generated document cannot be that small.
    #[error("a generated document has at least {least} bytes, not {asked}")]
    TooSmall {
        /// What was asked for.
        asked: usize,
        /// The least that every id's document fits in.
        least: usize,
    },
    /// A job names a document that the corpus does not hold.
    #[error("document {id} is not in the corpus")]
    Absent {
        /// The id in question.
        id: u32,
    },
}

impl Corpus {
    /// Generates `count` documents with ids from 1, each of exactly `bytes` bytes: the same for
    /// the same `seed` on every machine and in every version of this crate.
    ///
    /// # Errors
    ///
    /// `count` is 0, or `bytes` is too small to hold a document.
    pub fn generated(seed: u64, bytes: usize, count: u32) -> Result<Self, CorpusError> {
        let bodies = (1..=count)
            .map(|id| Ok((format!("generated document {id}"), generate(seed, bytes, id)?)))
            .collect::<Result<Vec<_>, CorpusError>>()?;
        Self::from_bodies(bodies)
    }

    /// Makes a corpus of bodies that come from elsewhere, each with a label for error messages.
    ///
    /// # Errors
    ///
    /// A body is not a document, two have the same id, or there is none.
    pub fn from_bodies(
        bodies: impl IntoIterator<Item = (String, Vec<u8>)>,
    ) -> Result<Self, CorpusError> {
        let mut entries = BTreeMap::new();
        let mut labels = BTreeMap::new();
        for (label, body) in bodies {
            let document = Document::parse(&body)
                .map_err(|source| CorpusError::NotADocument { label: label.clone(), source })?;
            let id = document.id;
            if let Some(first) = labels.insert(id, label.clone()) {
                return Err(CorpusError::Repeated { id, first, second: label });
            }
            entries.insert(id, Entry { body, document });
        }
        if entries.is_empty() { Err(CorpusError::Empty) } else { Ok(Corpus { entries }) }
    }

    /// The ids in ascending order.
    pub fn ids(&self) -> Vec<u32> {
        self.entries.keys().copied().collect()
    }

    /// Every id with its body, in ascending order of ids.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &[u8])> {
        self.entries.iter().map(|(id, entry)| (*id, entry.body.as_slice()))
    }

    /// The length of a body and what it parses to.
    pub fn document(&self, id: u32) -> Option<(u64, &Document)> {
        let entry = self.entries.get(&id)?;
        Some((entry.body.len() as u64, &entry.document))
    }

    /// Bytes of all bodies together.
    pub fn bytes(&self) -> u64 {
        self.entries.values().map(|entry| entry.body.len() as u64).sum()
    }
}

const TYPES: [&str; 18] = [
    "normal", "fighting", "flying", "poison", "ground", "rock", "bug", "ghost", "steel", "fire",
    "water", "grass", "electric", "psychic", "ice", "dragon", "dark", "fairy",
];
const STATS: [&str; 6] = ["hp", "attack", "defense", "special-attack", "special-defense", "speed"];
const SYLLABLES: [&str; 16] = [
    "bul", "char", "squir", "pi", "ka", "chu", "mew", "dra", "go", "nite", "sna", "lax", "ee",
    "vee", "ra", "ttle",
];

/// One document in the shape of a real one: a few hundred bytes that every document has, then
/// moves, in which a real document spends nearly all of its bytes.
fn generate(seed: u64, bytes: usize, id: u32) -> Result<Vec<u8>, CorpusError> {
    let mut random = SplitMix64::new(seed ^ (u64::from(id) << 32));
    let mut body = String::with_capacity(bytes);
    write_head(&mut body, &mut random, id).expect("writing to a String cannot fail");
    let least = body.len() + "]}".len();
    if least > bytes {
        // The longest names and numbers take less than 64 bytes more than this document's.
        return Err(CorpusError::TooSmall { asked: bytes, least: least.next_multiple_of(64) + 64 });
    }
    for number in 0.. {
        let next = one_move(&mut random, number);
        if body.len() + next.len() + "]}".len() > bytes {
            break;
        }
        body.push_str(&next);
    }
    // What no whole move fits into is white space, which JSON allows anywhere between tokens.
    body.extend(std::iter::repeat_n(' ', bytes - body.len() - "]}".len()));
    body.push_str("]}");
    Ok(body.into_bytes())
}

fn write_head(body: &mut String, random: &mut SplitMix64, id: u32) -> std::fmt::Result {
    let name = (0..2 + random.below(2))
        .map(|_| SYLLABLES[random.below(SYLLABLES.len())])
        .collect::<String>();
    write!(body, r#"{{"id":{id},"name":"{name}-{id}","#)?;
    write!(body, r#""height":{},"weight":{},"#, 1 + random.below(200), 1 + random.below(9_999))?;
    // Real documents have this field as a number, as null, or not at all.
    match random.below(16) {
        0 => body.push_str(r#""base_experience":null,"#),
        1 => {}
        _ => write!(body, r#""base_experience":{},"#, 36 + random.below(360))?,
    }
    body.push_str(r#""types":["#);
    let first = random.below(TYPES.len());
    let kinds = 1 + random.below(2);
    for slot in 1..=kinds {
        let comma = if slot == 1 { "" } else { "," };
        let kind = TYPES[(first + 7 * (slot - 1)) % TYPES.len()];
        write!(body, r#"{comma}{{"slot":{slot},"type":{{"name":"{kind}"}}}}"#)?;
    }
    body.push_str(r#"],"stats":["#);
    for (index, stat) in STATS.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let base = 1 + random.below(255);
        write!(
            body,
            r#"{comma}{{"base_stat":{base},"effort":{},"stat":{{"name":"{stat}"}}}}"#,
            random.below(4)
        )?;
    }
    body.push_str(r#"],"moves":["#);
    Ok(())
}

/// One entry of `moves`, with a comma in front unless it is the first.
fn one_move(random: &mut SplitMix64, number: usize) -> String {
    let comma = if number == 0 { "" } else { "," };
    let level = random.below(100);
    format!(r#"{comma}{{"move":{{"name":"move-{number}","url":"/api/v2/move/{number}/"}},"#)
        + &format!(
            r#""version_group_details":[{{"level_learned_at":{level},"move_learn_method":{{"name":"level-up"}}}}]}}"#
        )
}

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014, <https://doi.org/10.1145/2660193.2660195>).
///
/// Our own because neither the corpus nor the arrivals may ever change under a published record,
/// and a library's generator may change with its version.
pub(crate) struct SplitMix64 {
    state: u64,
}

impl SplitMix64 {
    pub(crate) fn new(seed: u64) -> Self {
        SplitMix64 { state: seed }
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; the bias of the remainder is below 2⁻⁵⁰ here.
    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::fnv1a;

    #[test]
    fn sizes_are_exact() {
        for bytes in [700, 1_500, 1_501, 250_000] {
            let corpus = Corpus::generated(1, bytes, 5).unwrap();
            assert!(corpus.iter().all(|(_, body)| body.len() == bytes));
            assert_eq!(corpus.bytes(), 5 * bytes as u64);
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_documents_for_ever() {
        let corpus = Corpus::generated(42, 1_500, 151).unwrap();
        let all: Vec<u8> = corpus.iter().flat_map(|(_, body)| body.to_vec()).collect();
        // A change of this number changes what every published record measured.
        assert_eq!(fnv1a(&all), 0x0754_6054_d186_fb6d, "got {:#x}", fnv1a(&all));
        let other = Corpus::generated(43, 1_500, 151).unwrap();
        assert_ne!(corpus.document(1), other.document(1));
    }

    #[test]
    fn every_form_of_base_experience_occurs() {
        let corpus = Corpus::generated(42, 1_500, 151).unwrap();
        let bodies: Vec<_> = corpus.iter().map(|(_, b)| String::from_utf8_lossy(b)).collect();
        assert!(bodies.iter().any(|body| body.contains("\"base_experience\":null")));
        assert!(bodies.iter().any(|body| !body.contains("base_experience")));
        assert!(
            corpus.ids().iter().any(|id| {
                corpus.document(*id).is_some_and(|(_, d)| d.base_experience.is_some())
            })
        );
    }

    #[test]
    fn too_small_a_document_says_what_would_do() {
        let Err(CorpusError::TooSmall { least, .. }) = Corpus::generated(1, 10, 200) else {
            panic!("10 bytes cannot hold a document");
        };
        assert!(Corpus::generated(1, least, 200).is_ok());
    }

    #[test]
    fn bad_bodies_are_named() {
        let good = Corpus::generated(1, 1_500, 1).unwrap().iter().next().unwrap().1.to_vec();
        let error = Corpus::from_bodies([("a.json".into(), b"<html>".to_vec())]).unwrap_err();
        assert!(error.to_string().starts_with("a.json is not a document"));
        let twice = [("a.json".into(), good.clone()), ("b.json".into(), good)];
        let error = Corpus::from_bodies(twice).unwrap_err();
        assert!(error.to_string().starts_with("a.json and b.json both hold document 1"));
        assert!(matches!(Corpus::from_bodies([]), Err(CorpusError::Empty)));
    }

    #[test]
    fn splitmix64_has_its_published_values() {
        let mut random = SplitMix64::new(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }
}
