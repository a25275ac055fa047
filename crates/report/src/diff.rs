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

use std::collections::BTreeMap;

use harness::Recorded;
use harness::plan::Cell;
use harness::sample::Sample;
use serde::Serialize;

use crate::comparison::{ALPHA, Metric, ratio_interval};
use crate::stats::holm::holm;
use crate::stats::rank::Verdict;
use crate::stats::unpaired::Change;
use crate::stats::{Interval, median};
use crate::summary::noise_floors;

/// What differs between two records.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Diff {
    /// Cells that both have, each with its changes by every metric.
    pub cells: Vec<Changed>,
    /// Cells that only the first has.
    pub only_before: usize,
    /// Cells that only the second has.
    pub only_after: usize,
    /// The greater of both noise floors, by metric: nothing below it is a change.
    pub floors: BTreeMap<Metric, f64>,
    /// What may make the two hard to compare: another machine, another compiler.
    pub cautions: Vec<String>,
}

/// One cell by one metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Changed {
    /// The cell.
    #[serde(flatten)]
    pub cell: Cell,
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
        let beyond = move |ratio: f64| ratio > 1.0 + threshold;
        self.cells
            .iter()
            .filter(move |cell| cell.verdict == Verdict::More && cell.ratio.is_some_and(beyond))
    }

    /// Cells that have changed distinguishably, in either direction.
    pub fn changes(&self) -> impl Iterator<Item = &Changed> {
        self.cells.iter().filter(|cell| cell.verdict != Verdict::Alike)
    }
}

/// Compares two records, cell by cell.
pub fn diff(before: &Recorded, after: &Recorded) -> Diff {
    let (old, new) = (counted(before), counted(after));
    let common: Vec<_> = old.keys().filter(|cell| new.contains_key(*cell)).copied().collect();
    let floors = floors(before, after);
    let mut cells = Vec::new();
    for metric in Metric::ALL {
        let floor = floors.get(&metric).copied().unwrap_or(0.0);
        let pairs = common.iter().filter_map(|cell| {
            let values = |samples: &[&Sample]| -> Vec<f64> {
                samples.iter().filter_map(|sample| metric.of(sample)).collect()
            };
            let (before, after) = (values(&old[cell]), values(&new[cell]));
            let middles = (median(&before)?, median(&after)?);
            Some((*cell, middles, Change::of(&after, &before, 1.0 - ALPHA)))
        });
        cells.extend(judged(metric, pairs.collect(), floor));
    }
    Diff {
        cells,
        only_before: old.len() - common.len(),
        only_after: new.len() - common.len(),
        floors,
        cautions: cautions(before, after),
    }
}

fn judged(metric: Metric, pairs: Vec<(&Cell, (f64, f64), Change)>, floor: f64) -> Vec<Changed> {
    let adjusted = holm(&pairs.iter().map(|(_, _, change)| change.p).collect::<Vec<_>>());
    let changed = |((cell, (before, after), change), p_adjusted): ((&Cell, _, Change), f64)| {
        let Change { estimate, interval, .. } = change;
        Changed {
            cell: cell.clone(),
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

/// The samples that count, of every lane's cell.
fn counted(recorded: &Recorded) -> BTreeMap<&Cell, Vec<&Sample>> {
    let mut cells: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for sample in &recorded.samples {
        if !sample.warmup && sample.void.is_none() && !sample.cell.is_bound() {
            cells.entry(&sample.cell).or_default().push(sample);
        }
    }
    cells
}

fn floors(before: &Recorded, after: &Recorded) -> BTreeMap<Metric, f64> {
    let mut floors = BTreeMap::new();
    for noise in noise_floors(before).into_iter().chain(noise_floors(after)) {
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
    cautions
}
