//! The documents that the answers are derived from, and how they are asked for.

use std::collections::BTreeMap;

use job::{Corpus, CorpusError, DOCUMENT_PATH};

use crate::workload::{Source, Workload};

/// Every corpus that a run needs, the same bodies that the origin serves.
#[derive(Debug)]
pub struct Corpora {
    generated: BTreeMap<u64, Corpus>,
    files: Option<Corpus>,
}

impl Corpora {
    /// Makes what `workloads` need, with `files` for those that read files.
    ///
    /// # Errors
    ///
    /// A workload's documents are too small to be documents.
    pub fn new(
        workloads: &[Workload],
        files: Option<Corpus>,
        seed: u64,
    ) -> Result<Self, CorpusError> {
        let mut generated = BTreeMap::new();
        for workload in workloads.iter().filter(|w| w.source == Source::Generated) {
            let bytes = workload.document_bytes;
            if let std::collections::btree_map::Entry::Vacant(vacant) = generated.entry(bytes) {
                let size = usize::try_from(bytes).unwrap_or(usize::MAX);
                vacant.insert(Corpus::generated(seed, size, origin::GENERATED_DOCUMENTS)?);
            }
        }
        Ok(Corpora { generated, files })
    }

    /// The documents of `workload`; `None` for files when no folder was named.
    pub fn of(&self, source: Source, document_bytes: u64) -> Option<&Corpus> {
        match source {
            Source::Generated => self.generated.get(&document_bytes),
            Source::Files => self.files.as_ref(),
        }
    }

    /// The sizes of generated documents that the origin has to hold.
    pub fn sizes(&self) -> Vec<u64> {
        self.generated.keys().copied().collect()
    }
}

/// Path and query of a document on the origin, with `{id}` in it.
pub fn path(source: Source, document_bytes: u64, delays_us: &[u64], close: bool) -> String {
    let delay_us = delays_us.iter().map(u64::to_string).collect::<Vec<_>>().join(",");
    let close = if close { "&close=1" } else { "" };
    match source {
        Source::Generated => {
            format!("{DOCUMENT_PATH}?bytes={document_bytes}&delay_us={delay_us}{close}")
        }
        Source::Files => format!("/files{DOCUMENT_PATH}?delay_us={delay_us}{close}"),
    }
}
