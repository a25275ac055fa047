//! The part of a summary that a page has room for.

use job::Client;

use crate::summary::{Group, Summary};

/// What to keep of a summary. An empty list keeps all.
///
/// Ranks, ratios and verdicts stay those of the whole table: nothing is judged anew because less
/// of it is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Names of workloads.
    pub workloads: Vec<String>,
    /// Clients.
    pub clients: Vec<Client>,
    /// Numbers of documents.
    pub documents: Vec<u64>,
    /// Numbers of requests in flight.
    pub concurrency: Vec<u64>,
}

impl Selection {
    /// What is kept of `summary`, without what was found in cells that were taken apart, which
    /// belongs to all points together. `None` when a workload that is named has nothing left.
    pub fn of(&self, summary: &Summary) -> Option<Summary> {
        let mut kept = summary.clone();
        kept.workloads.retain(|workload| is_in(&self.workloads, &workload.name));
        for workload in &mut kept.workloads {
            workload.groups.retain(|group| self.has(group));
            workload.inspected = None;
        }
        kept.workloads.retain(|workload| !workload.groups.is_empty());
        let is_left = |name: &String| kept.workloads.iter().any(|left| left.name == *name);
        let all = self.workloads.iter().all(is_left) && !kept.workloads.is_empty();
        all.then_some(kept)
    }

    fn has(&self, group: &Group) -> bool {
        is_in(&self.clients, &group.client)
            && is_in(&self.documents, &group.point.documents)
            && is_in(&self.concurrency, &group.point.concurrency)
    }
}

fn is_in<T: PartialEq>(list: &[T], value: &T) -> bool {
    list.is_empty() || list.contains(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fixture, summarise};

    #[test]
    fn what_is_named_is_kept_as_it_was() {
        let summary = summarise(&fixture::recorded());
        let all = Selection::default().of(&summary).unwrap();
        assert_eq!(all.workloads[0].groups, summary.workloads[0].groups);
        let raw = Selection { clients: vec![Client::Raw], ..Selection::default() };
        let raw = raw.of(&summary).unwrap();
        assert_eq!(raw.workloads[0].groups, summary.workloads[0].groups[1..]);
    }

    #[test]
    fn what_is_named_and_not_there_is_nothing() {
        let summary = summarise(&fixture::recorded());
        let of = |selection: Selection| selection.of(&summary);
        let workloads = vec!["all-at-once".to_owned(), "other".to_owned()];
        assert_eq!(of(Selection { workloads, ..Selection::default() }), None);
        assert_eq!(of(Selection { documents: vec![7], ..Selection::default() }), None);
    }
}
