//! Two records: what has changed beyond both of their noise floors.
//!
//! ```text
//!   before  cells ─┐
//!                  ├─► common cells × metrics ─► unpaired change ─► Holm ─► Less · More · Alike
//!   after   cells ─┘                                        max of both noise floors ──┘
//! ```
//!
//! The runs share no round, so a machine that was slower throughout one of them looks like a slower
//! program: compare records of one machine, made one after the other.

use std::collections::{BTreeMap, BTreeSet};

use harness::Recorded;
use harness::plan::{Cell, PlannedWorkload};
use harness::sample::Sample;
use serde::Serialize;

use crate::cells::group_head;
use crate::comparison::{ALPHA, Metric, counted, ratio_interval};
use crate::stats::holm::holm;
use crate::stats::rank::Verdict;
use crate::stats::unpaired::Change;
use crate::stats::{Interval, median};
use crate::summary::{Summary, summarise};

mod sheets;
#[cfg(test)]
mod tests;

/// What differs between two records.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diff {
    /// Cells that both have, each with its changes by every metric, in the order of the plan.
    pub cells: Vec<Changed>,
    /// Cells that only the first has.
    pub only_before: Vec<Cell>,
    /// Cells that only the second has.
    pub only_after: Vec<Cell>,
    /// Cells that only the first has because something is wrong with them in the second.
    pub failed: Vec<Failed>,
    /// The greater of both noise floors, by metric, as a log-ratio: nothing below it is a change.
    pub floors: BTreeMap<Metric, f64>,
    /// What may make the two hard to compare: another machine, another compiler.
    pub cautions: Vec<String>,
}

/// A cell that was measured before, and has failed after.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Failed {
    /// The cell.
    #[serde(flatten)]
    pub cell: Cell,
    /// What is wrong.
    pub why: String,
}

/// One cell by one metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Changed {
    /// The cell.
    #[serde(flatten)]
    pub cell: Cell,
    /// Its group, as tables call it.
    #[serde(skip)]
    pub group: String,
    /// By what.
    pub metric: Metric,
    /// The median before: nanoseconds, microseconds, bytes.
    pub before: f64,
    /// The median after.
    pub after: f64,
    /// After to before: above 1 where it has become more.
    pub ratio: Option<f64>,
    /// Where the true ratio lies, at 95 % for this cell alone.
    pub interval: Option<Interval>,
    /// The chance of such a difference in any cell where there is none, after Holm.
    pub p_adjusted: f64,
    /// What can be said of after.
    pub verdict: Verdict,
}

impl Diff {
    /// Cells that have become distinguishably more, by more than `threshold`: 0.05 for 5 %.
    pub fn regressions(&self, threshold: f64) -> impl Iterator<Item = &Changed> {
        self.cells.iter().filter(move |cell| cell.is_regression(threshold))
    }

    /// Cells that have changed distinguishably, in either direction.
    pub fn changes(&self) -> impl Iterator<Item = &Changed> {
        self.cells.iter().filter(|cell| cell.verdict != Verdict::Alike)
    }

    /// Whether nothing has regressed by more than `threshold`, and nothing fails that did not.
    pub fn is_fine(&self, threshold: f64) -> bool {
        self.failed.is_empty() && self.regressions(threshold).next().is_none()
    }
}

impl Changed {
    /// Whether it has become distinguishably more, by more than `threshold`.
    pub fn is_regression(&self, threshold: f64) -> bool {
        self.verdict == Verdict::More && self.ratio.is_some_and(|ratio| ratio > 1.0 + threshold)
    }
}

/// Compares two records, cell by cell.
pub fn diff(before: &Recorded, after: &Recorded) -> Diff {
    let (old, new) = (summarise(before), summarise(after));
    let (in_old, in_new) = (measured(&old), measured(&new));
    let common = || old.cells().filter(|(cell, ..)| in_old.contains(cell) && in_new.contains(cell));
    let floors = floors(&old, &new);
    let (of_old, of_new) = (counted(before), counted(after));
    let mut cells = Vec::new();
    for metric in Metric::ALL {
        let values = |samples: &[&Sample]| -> Vec<f64> {
            samples.iter().filter_map(|sample| metric.of(sample)).collect()
        };
        // A schedule gives the wall: there is nothing to win or lose in it.
        let is_given = |cell: &Cell| cell.point.rate.is_some() && metric == Metric::Wall;
        let pairs = common().filter(|(cell, ..)| !is_given(cell)).filter_map(|(cell, group, _)| {
            let (before, after) = (values(of_old.get(&cell)?), values(of_new.get(&cell)?));
            let (change, group) = (Change::of(&after, &before, 1.0 - ALPHA), group_head(group));
            let middles = (median(&before)?, median(&after)?);
            Some(Pair { cell, group, middles, change })
        });
        let floor = floors.get(&metric).copied().unwrap_or(0.0);
        cells.extend(judged(metric, pairs.collect(), floor));
    }
    let places: BTreeMap<_, _> =
        old.cells().enumerate().map(|(place, (cell, ..))| (cell, place)).collect();
    cells.sort_by_key(|changed| places[&changed.cell]);
    Diff {
        cells,
        only_before: in_old.difference(&in_new).cloned().collect(),
        only_after: in_new.difference(&in_old).cloned().collect(),
        failed: failed(&in_old, &new),
        floors,
        cautions: cautions(before, after),
    }
}

/// The cells that have figures.
fn measured(summary: &Summary) -> BTreeSet<Cell> {
    let measured = summary.cells().filter(|(_, _, row)| row.figures.is_some());
    measured.map(|(cell, ..)| cell).collect()
}

fn failed(before: &BTreeSet<Cell>, after: &Summary) -> Vec<Failed> {
    let failed = after.cells().filter(|(cell, _, row)| row.failed && before.contains(cell));
    let why = |note: &Option<String>| note.clone().unwrap_or_else(|| "failed".to_owned());
    failed.map(|(cell, _, row)| Failed { cell, why: why(&row.note) }).collect()
}

struct Pair {
    cell: Cell,
    group: String,
    middles: (f64, f64),
    change: Change,
}

fn judged(metric: Metric, pairs: Vec<Pair>, floor: f64) -> Vec<Changed> {
    let adjusted = holm(&pairs.iter().map(|pair| pair.change.p).collect::<Vec<_>>());
    let changed = |(pair, p_adjusted): (Pair, f64)| {
        let Pair { cell, group, middles: (before, after), change } = pair;
        let Change { estimate, interval, .. } = change;
        Changed {
            cell,
            group,
            metric,
            before,
            after,
            ratio: estimate.map(f64::exp),
            interval: interval.map(ratio_interval),
            p_adjusted,
            verdict: Verdict::of(estimate, p_adjusted, ALPHA, floor),
        }
    };
    pairs.into_iter().zip(adjusted).map(changed).collect()
}

fn floors(before: &Summary, after: &Summary) -> BTreeMap<Metric, f64> {
    let mut floors = BTreeMap::new();
    for noise in before.noise.iter().chain(&after.noise) {
        let floor = floors.entry(noise.metric).or_insert(noise.floor);
        *floor = noise.floor.max(*floor);
    }
    floors
}

fn cautions(before: &Recorded, after: &Recorded) -> Vec<String> {
    let (old, new) = (&before.environment, &after.environment);
    let mut cautions = Vec::new();
    let mut caution = |what: &str, old: &dyn std::fmt::Display, new: &dyn std::fmt::Display| {
        let (old, new) = (old.to_string(), new.to_string());
        if old != new {
            cautions.push(format!("{what}: {old} before, {new} after"));
        }
    };
    caution("processor", &old.cpu_model, &new.cpu_model);
    caution("processors", &old.processors, &new.processors);
    caution("kernel", &old.kernel, &new.kernel);
    caution("compiler", &old.build.rustc, &new.build.rustc);
    caution("origin", &old.origin_server, &new.origin_server);
    caution("optimised", &old.build.optimised, &new.build.optimised);
    caution("features", &old.build.features.join(" "), &new.build.features.join(" "));
    caution("load limit", &before.plan.load_limit, &after.plan.load_limit);
    cautions.extend(other_workloads(before, after));
    cautions
}

/// Workloads of one name that are not one workload. What is said of them does not matter, nor
/// what was looked at without timing it.
fn other_workloads(before: &Recorded, after: &Recorded) -> Vec<String> {
    let silent = |workload: &PlannedWorkload| PlannedWorkload {
        shows: String::new(),
        timelines: Vec::new(),
        not_run: None,
        ..workload.clone()
    };
    let is_other = |old: &&PlannedWorkload| {
        let new = after.plan.workloads.iter().find(|new| new.name == old.name);
        new.is_some_and(|new| silent(old) != silent(new))
    };
    let others = before.plan.workloads.iter().filter(is_other);
    others.map(|other| format!("{} is another workload in each", other.name)).collect()
}
