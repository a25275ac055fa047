//! What verdicts and ranks say of a group, in the answer's terms.

use harness::plan::Plan;

use super::THREADS;
use crate::comparison::{Comparison, Metric};
use crate::stats::Verdict;
use crate::summary::{Group, Row, WorkloadSummary};

/// Whether requests wait in it: a closed loop with a delay.
pub(super) fn waits(plan: &Plan, workload: &WorkloadSummary, group: &Group) -> bool {
    group.point.rate.is_none() && plan.workload(&workload.name).delay_us > 0
}

/// The first by wall with every client; where wall times tell nothing, by CPU time, unless that tells
/// nothing either. Empty when the clients have none in common.
pub(super) fn taken<'a>(groups: &[&'a Group]) -> Vec<&'a str> {
    let metrics = [Metric::Wall, Metric::Cpu];
    let tells = |metric: &Metric| !groups.iter().all(|group| tells_nothing(group, *metric));
    let Some(metric) = metrics.into_iter().find(tells) else { return Vec::new() };
    let all: Vec<_> = groups.iter().map(|group| firsts(group, metric)).collect();
    let in_all = |lane: &&str| all.iter().all(|firsts| firsts.contains(lane));
    all[0].iter().copied().filter(in_all).collect()
}

fn ranks(group: &Group, metric: Metric) -> impl Iterator<Item = (&Row, usize)> {
    let rows = group.rows.iter().filter(|row| !row.is_variant());
    rows.filter_map(move |row| Some((row, row.ranks.get(&metric)?.rank)))
}

pub(super) fn ranked(group: &Group, metric: Metric) -> Vec<&str> {
    ranks(group, metric).map(|(row, _)| row.lane.as_str()).collect()
}

pub(super) fn firsts(group: &Group, metric: Metric) -> Vec<&str> {
    ranks(group, metric).filter(|(_, rank)| *rank == 1).map(|(row, _)| row.lane.as_str()).collect()
}

/// Whether all lanes share the first rank.
pub(super) fn tells_nothing(group: &Group, metric: Metric) -> bool {
    ranks(group, metric).all(|(_, rank)| rank == 1)
}

/// The comparison of two lanes, and what it says of `lane`.
pub(super) fn against<'a>(
    group: &'a Group,
    lane: &str,
    other: &str,
    metric: Metric,
) -> Option<(&'a Comparison, Verdict)> {
    group.comparisons.iter().filter(|pair| pair.metric == metric).find_map(|pair| {
        match (
            pair.first == lane && pair.second == other,
            pair.second == lane && pair.first == other,
        ) {
            (true, _) => Some((pair, pair.verdict)),
            (_, true) => Some((pair, pair.verdict.reversed())),
            _ => None,
        }
    })
}

/// The first of the loads from which on, at it and at all greater ones, one of `lanes` is
/// distinguishably less than threads.
pub(super) fn pays_from(groups: &[&Group], lanes: &[&str], metric: Metric) -> Option<usize> {
    let pays = |group: &&&Group| {
        let verdicts = lanes.iter().filter_map(|lane| against(group, lane, THREADS, metric));
        verdicts.into_iter().any(|(_, verdict)| verdict == Verdict::Less)
    };
    let paying = groups.iter().rev().take_while(pays).count();
    groups.len().checked_sub(paying).filter(|first| *first < groups.len())
}
