//! The summary that a job ends in: exact, mergeable, independent of order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Corpus, CorpusError, Document, Job};

/// What a set of documents adds up to.
///
/// Answers form a commutative monoid under [`merge`](Answer::merge) with [`Answer::new`] as the
/// identity, so that any lane may fold in any order and in any grouping, and must arrive at the
/// same value. That is why sums are integers: floating-point addition is not associative.
///
/// In JSON, sums are strings of decimal digits, because a JSON number above 2⁵³ does not survive
/// a language that reads numbers as doubles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// How many documents were folded in.
    pub documents: u64,
    /// Bytes of all bodies.
    pub bytes: u64,
    /// Sum of weights, hectograms.
    #[serde(with = "decimal")]
    pub weight_sum: i128,
    /// Sum of heights, decimetres.
    #[serde(with = "decimal")]
    pub height_sum: i128,
    /// Sum of base experience where a document has one.
    #[serde(with = "decimal")]
    pub base_experience_sum: i128,
    /// Sum of all base statistics.
    #[serde(with = "decimal")]
    pub stat_sum: i128,
    /// How many moves all documents list.
    pub moves: u64,
    /// Documents by type; a document of two types counts under both.
    pub types: BTreeMap<String, u64>,
    /// How many of the heaviest are kept.
    pub top: usize,
    /// The heaviest distinct documents, heaviest first, ties by lower id.
    pub heaviest: Vec<Heavy>,
    /// Sum modulo 2⁶⁴ of the FNV-1a hash of every name, as 16 hexadecimal digits.
    #[serde(with = "hexadecimal")]
    pub names_checksum: u64,
}

/// One entry of [`Answer::heaviest`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Heavy {
    /// Weight in hectograms.
    pub weight: i64,
    /// The document's id.
    pub id: u32,
    /// The document's name.
    pub name: String,
}

impl Heavy {
    /// Heaviest first, then the lower id; the name makes the order total.
    fn rank(&self) -> (std::cmp::Reverse<i64>, u32, &str) {
        (std::cmp::Reverse(self.weight), self.id, &self.name)
    }
}

impl Answer {
    /// The answer for no documents, keeping the `top` heaviest of those to come.
    pub fn new(top: usize) -> Self {
        Answer {
            documents: 0,
            bytes: 0,
            weight_sum: 0,
            height_sum: 0,
            base_experience_sum: 0,
            stat_sum: 0,
            moves: 0,
            types: BTreeMap::new(),
            top,
            heaviest: Vec::new(),
            names_checksum: 0,
        }
    }

    /// What `job` must answer, from the documents themselves and never from a lane.
    ///
    /// # Errors
    ///
    /// The job names a document that `corpus` does not hold.
    pub fn expected(job: &Job, corpus: &Corpus) -> Result<Self, CorpusError> {
        let mut answer = Answer::new(job.top);
        for (id, times) in job.ids_with_times() {
            let (bytes, document) = corpus.document(id).ok_or(CorpusError::Absent { id })?;
            answer.add_times(bytes, document, times);
        }
        Ok(answer)
    }

    /// Folds one document in, whose body had `bytes` bytes.
    pub fn add(&mut self, bytes: u64, document: &Document) {
        self.add_times(bytes, document, 1);
    }

    /// Folds the same document in `times` times, in the time of one.
    pub fn add_times(&mut self, bytes: u64, document: &Document, times: u64) {
        if times == 0 {
            return;
        }
        let by_times = |value: i64| i128::from(value) * i128::from(times);
        self.documents += times;
        self.bytes += bytes * times;
        self.weight_sum += by_times(document.weight);
        self.height_sum += by_times(document.height);
        self.base_experience_sum += by_times(document.base_experience.unwrap_or(0));
        self.stat_sum += document.stats.iter().copied().map(by_times).sum::<i128>();
        self.moves += document.moves.len() as u64 * times;
        for name in &document.types {
            // `entry` would need an owned key for every document, seen before or not.
            match self.types.get_mut(name) {
                Some(count) => *count += times,
                None => drop(self.types.insert(name.clone(), times)),
            }
        }
        self.keep_heavy(document.weight, document.id, &document.name);
        let hashes = fnv1a(document.name.as_bytes()).wrapping_mul(times);
        self.names_checksum = self.names_checksum.wrapping_add(hashes);
    }

    /// Folds another answer in.
    ///
    /// # Panics
    ///
    /// If the two keep different numbers of heaviest: their tops could not be merged exactly.
    pub fn merge(&mut self, other: &Answer) {
        assert_eq!(self.top, other.top, "answers of different jobs cannot be merged");
        self.documents += other.documents;
        self.bytes += other.bytes;
        self.weight_sum += other.weight_sum;
        self.height_sum += other.height_sum;
        self.base_experience_sum += other.base_experience_sum;
        self.stat_sum += other.stat_sum;
        self.moves += other.moves;
        for (name, count) in &other.types {
            *self.types.entry(name.clone()).or_default() += count;
        }
        for heavy in &other.heaviest {
            self.keep_heavy(heavy.weight, heavy.id, &heavy.name);
        }
        self.names_checksum = self.names_checksum.wrapping_add(other.names_checksum);
    }

    /// Keeps the document if it belongs to the top, once however often it was fetched.
    fn keep_heavy(&mut self, weight: i64, id: u32, name: &str) {
        let rank = (std::cmp::Reverse(weight), id, name);
        if let Err(place) = self.heaviest.binary_search_by(|kept| kept.rank().cmp(&rank))
            && place < self.top
        {
            let name = name.to_owned();
            self.heaviest.truncate(self.top - 1);
            self.heaviest.insert(place, Heavy { weight, id, name });
        }
    }

    /// The first field in which `self` differs from `expected`, told for a person; `None` when
    /// they are equal.
    pub fn difference(&self, expected: &Answer) -> Option<String> {
        if self == expected {
            return None;
        }
        let fields = [
            ("documents", self.documents.to_string(), expected.documents.to_string()),
            ("bytes", self.bytes.to_string(), expected.bytes.to_string()),
            ("weight_sum", self.weight_sum.to_string(), expected.weight_sum.to_string()),
            ("height_sum", self.height_sum.to_string(), expected.height_sum.to_string()),
            (
                "base_experience_sum",
                self.base_experience_sum.to_string(),
                expected.base_experience_sum.to_string(),
            ),
            ("stat_sum", self.stat_sum.to_string(), expected.stat_sum.to_string()),
            ("moves", self.moves.to_string(), expected.moves.to_string()),
            ("types", format!("{:?}", self.types), format!("{:?}", expected.types)),
            ("top", self.top.to_string(), expected.top.to_string()),
            ("heaviest", format!("{:?}", self.heaviest), format!("{:?}", expected.heaviest)),
            (
                "names_checksum",
                format!("{:016x}", self.names_checksum),
                format!("{:016x}", expected.names_checksum),
            ),
        ];
        let (field, got, wanted) = fields.into_iter().find(|(_, got, wanted)| got != wanted)?;
        Some(format!("{field} is {got}, expected {wanted}"))
    }
}

/// FNV-1a, 64 bits (Fowler, Noll, Vo; RFC 9923): four lines in any language, which is what a
/// checksum that programs in many languages must agree on should be.
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// An `i128` as a string of decimal digits.
mod decimal {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(value: &i128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i128, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| D::Error::custom(format!("{text:?} is not a decimal integer")))
    }
}

/// A `u64` as 16 hexadecimal digits.
mod hexadecimal {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{value:016x}"))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16)
            .map_err(|_| D::Error::custom(format!("{text:?} is not a hexadecimal integer")))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn documents() -> impl Strategy<Value = Vec<Document>> {
        // Few ids and weights, so that ties and repeated documents are common.
        let document = (0u32..8, -3i64..4, any::<i32>(), proptest::option::of(0i64..500)).prop_map(
            |(id, weight, height, base_experience)| Document {
                id,
                name: format!("name-{id}"),
                weight,
                height: height.into(),
                base_experience,
                types: vec![format!("type-{}", id % 3)],
                stats: vec![i64::MAX, weight],
                moves: vec!["tackle".into(); id as usize],
            },
        );
        proptest::collection::vec(document, 0..24)
    }

    fn answer_of(documents: &[Document]) -> Answer {
        let mut answer = Answer::new(3);
        documents.iter().for_each(|document| answer.add(100, document));
        answer
    }

    fn merged(a: &Answer, b: &Answer) -> Answer {
        let mut sum = a.clone();
        sum.merge(b);
        sum
    }

    proptest! {
        #[test]
        fn merge_is_associative(a in documents(), b in documents(), c in documents()) {
            let (a, b, c) = (answer_of(&a), answer_of(&b), answer_of(&c));
            prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
        }

        #[test]
        fn merge_is_commutative_with_an_identity(a in documents(), b in documents()) {
            let (a, b) = (answer_of(&a), answer_of(&b));
            prop_assert_eq!(merged(&a, &b), merged(&b, &a));
            prop_assert_eq!(merged(&a, &Answer::new(3)), a);
        }

        #[test]
        fn order_and_grouping_do_not_matter(
            mut documents in documents(),
            cut in any::<prop::sample::Index>(),
        ) {
            let whole = answer_of(&documents);
            let (left, right) = documents.split_at(cut.index(documents.len() + 1));
            prop_assert_eq!(&merged(&answer_of(right), &answer_of(left)), &whole);
            documents.reverse();
            prop_assert_eq!(answer_of(&documents), whole);
        }

        #[test]
        fn many_times_is_as_often_as_once(documents in documents(), times in 0u64..5) {
            let (mut at_once, mut one_by_one) = (Answer::new(3), Answer::new(3));
            for document in &documents {
                at_once.add_times(100, document, times);
                (0..times).for_each(|_| one_by_one.add(100, document));
            }
            prop_assert_eq!(at_once, one_by_one);
        }

        #[test]
        fn the_top_is_exact(documents in documents()) {
            let mut all: Vec<_> = documents.iter().map(|d| (-d.weight, d.id)).collect();
            all.sort_unstable();
            all.dedup();
            all.truncate(3);
            let top = answer_of(&documents).heaviest;
            prop_assert_eq!(top.iter().map(|h| (-h.weight, h.id)).collect::<Vec<_>>(), all);
        }

        #[test]
        fn json_keeps_every_bit(documents in documents()) {
            let answer = answer_of(&documents);
            let text = serde_json::to_string(&answer).unwrap();
            prop_assert_eq!(serde_json::from_str::<Answer>(&text).unwrap(), answer);
        }
    }

    #[test]
    fn a_top_of_none_keeps_none() {
        let mut answer = Answer::new(0);
        answer.keep_heavy(5, 1, "a");
        assert!(answer.heaviest.is_empty());
    }

    #[test]
    fn fnv1a_has_its_published_values() {
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn a_difference_is_named() {
        let mut other = Answer::new(3);
        assert_eq!(other.difference(&Answer::new(3)), None);
        other.weight_sum = 4;
        assert_eq!(
            other.difference(&Answer::new(3)).as_deref(),
            Some("weight_sum is 4, expected 0")
        );
    }
}
