//! Which lanes differ, in what, and by how much: every pair of a group, round by round.
//!
//! ```text
//!   group   lanes × rounds ─► Paired ─┬─► pairs of lanes ─► Holm, over the table ─► verdicts, ranks
//!                                     ├─► a lane and itself again ─► the run's noise floor
//!                                     └─► a lane and itself with a plant ─► was it found?
//! ```

use std::collections::BTreeMap;

use harness::plan::Cell;
use harness::record::Recorded;
use harness::sample::Sample;
use serde::Serialize;

use crate::stats::holm::holm;
use crate::stats::paired::{self, Paired};
use crate::stats::rank::{Verdict, ranks};
use crate::stats::{Interval, quantile};
use crate::summary::{Group, Row, WorkloadSummary};

/// What lanes are compared by. Less is better in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Metric {
    /// The job's wall time.
    Wall,
    /// Its CPU time, user and system.
    Cpu,
    /// The process' peak resident memory.
    Rss,
}

impl Metric {
    /// All of them.
    pub const ALL: [Metric; 3] = [Metric::Wall, Metric::Cpu, Metric::Rss];

    /// As tables call it.
    pub fn name(self) -> &'static str {
        match self {
            Metric::Wall => "wall",
            Metric::Cpu => "CPU",
            Metric::Rss => "RSS",
        }
    }

    /// The sample's value: nanoseconds, microseconds, bytes.
    pub(crate) fn of(self, sample: &Sample) -> Option<f64> {
        let job = sample.job.as_ref()?;
        match self {
            Metric::Wall => Some(job.wall_ns as f64),
            Metric::Cpu => Some(job.usage?.cpu_us() as f64),
            Metric::Rss => Some(job.rss_bytes_peak? as f64),
        }
    }
}

/// How sure a difference must be.
pub const ALPHA: f64 = 0.05;

/// How sure an interval must be in which a cost that is known is to lie: there may be many.
pub const SURE: f64 = 0.999;

/// Two lanes of a group, by one metric.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// One lane.
    pub first: String,
    /// The other.
    pub second: String,
    /// By what.
    pub metric: Metric,
    /// The first to the second: below 1 where the first is less.
    pub ratio: Option<f64>,
    /// Where the true ratio lies, at 95 % for this pair alone.
    pub interval: Option<Interval>,
    /// The chance of such a difference where there is none, for this pair alone.
    pub p: f64,
    /// The same for any pair of the table, after Holm.
    pub p_adjusted: f64,
    /// What can be said of the first.
    pub verdict: Verdict,
}

/// What one lane under two names differs by: nothing below it is a difference.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Noise {
    /// By what.
    pub metric: Metric,
    /// The log-ratio that 95 % of the pairs stay within.
    pub floor: f64,
    /// How many pairs of names it rests on: one for each point, client and placement with enough
    /// rounds to tell.
    pub pairs: u64,
    /// In how many of them the two names came out different, at 5 %, without any correction.
    pub different: u64,
}

/// Samples that count, by cell.
pub(crate) type Counted<'a> = BTreeMap<&'a Cell, Vec<&'a Sample>>;

/// The samples of a record that count.
pub(crate) fn counted(recorded: &Recorded) -> Counted<'_> {
    let mut cells = Counted::new();
    for sample in recorded.samples.iter().filter(|s| !s.warmup && s.void.is_none()) {
        cells.entry(&sample.cell).or_default().push(sample);
    }
    cells
}

/// A group's comparisons by one metric, before any correction.
#[derive(Debug)]
pub(crate) struct Raw {
    lanes: Vec<String>,
    metric: Metric,
    pairs: Vec<paired::Comparison>,
    /// The same at [`SURE`].
    surely: Vec<paired::Comparison>,
}

impl Raw {
    /// Every pair of the group's rows, by `metric`.
    fn of(
        counted: &Counted<'_>,
        workload: &WorkloadSummary,
        group: &Group,
        metric: Metric,
    ) -> Self {
        let lanes: Vec<_> = contestants(group, metric).map(|row| row.lane.clone()).collect();
        let table: Vec<_> = lanes
            .iter()
            .map(|lane| {
                let samples = counted.get(&group.cell(&workload.name, lane));
                by_round(samples.map_or(&[], Vec::as_slice), metric)
            })
            .collect();
        let paired = Paired::in_family(&table, family(workload, metric));
        let (pairs, surely) = (paired.comparisons(1.0 - ALPHA), paired.comparisons(SURE));
        Raw { lanes, metric, pairs, surely }
    }

    fn ids(&self, pair: &paired::Comparison) -> (&str, &str) {
        (&self.lanes[pair.first], &self.lanes[pair.second])
    }

    /// Two lanes, neither of which is a variant.
    fn is_of_lanes(&self, pair: &paired::Comparison) -> bool {
        let (first, second) = self.ids(pair);
        !first.contains('+') && !second.contains('+')
    }

    /// A lane and one of its variants, and the same with an interval at [`SURE`].
    pub(crate) fn against_variant(
        &self,
        lane: &str,
        variant: &str,
    ) -> Option<(&paired::Comparison, &paired::Comparison)> {
        let place = self.pairs.iter().position(|pair| self.ids(pair) == (lane, variant))?;
        Some((&self.pairs[place], &self.surely[place]))
    }

    /// The pairs of a lane and the same lane again.
    fn again(&self) -> impl Iterator<Item = &paired::Comparison> {
        self.pairs.iter().filter(|pair| {
            let (first, second) = self.ids(pair);
            second.strip_suffix("+again") == Some(first)
        })
    }
}

/// The rows that did the job, variants included: a cell that is void took nothing that means
/// anything, nor did a lane that has not kept up with its schedule.
fn contestants(group: &Group, metric: Metric) -> impl Iterator<Item = &Row> {
    // A schedule gives the wall: there is nothing to win in it.
    let is_given = group.point.rate.is_some() && metric == Metric::Wall;
    group.rows.iter().filter(move |row| !is_given && row.did_the_job())
}

/// How many comparisons of lanes a table has by `metric`.
fn family(workload: &WorkloadSummary, metric: Metric) -> usize {
    let lanes = |group: &Group| contestants(group, metric).filter(|row| !row.is_variant()).count();
    let pairs = |lanes: usize| lanes * lanes.saturating_sub(1) / 2;
    workload.groups.iter().map(|group| pairs(lanes(group))).sum()
}

fn by_round(samples: &[&Sample], metric: Metric) -> Vec<Option<f64>> {
    let rounds = samples.iter().map(|sample| sample.round as usize + 1).max().unwrap_or(0);
    let mut values = vec![None; rounds];
    for sample in samples {
        values[sample.round as usize] = metric.of(sample);
    }
    values
}

/// Every group of every workload, by every metric.
pub(crate) struct Raws(Vec<Vec<[Raw; 3]>>);

impl Raws {
    /// Of the workloads' groups, in their order.
    pub(crate) fn of(counted: &Counted<'_>, workloads: &[WorkloadSummary]) -> Self {
        let of_group = |workload: &WorkloadSummary, group: &Group| {
            Metric::ALL.map(|metric| Raw::of(counted, workload, group, metric))
        };
        let of_workload = |workload: &WorkloadSummary| {
            workload.groups.iter().map(|group| of_group(workload, group)).collect()
        };
        Raws(workloads.iter().map(of_workload).collect())
    }

    fn all(&self, metric: Metric) -> impl Iterator<Item = &Raw> {
        self.0.iter().flatten().flatten().filter(move |raw| raw.metric == metric)
    }

    /// A group's comparisons by `metric`.
    pub(crate) fn get(&self, workload: usize, group: usize, metric: Metric) -> Option<&Raw> {
        self.0.get(workload)?.get(group)?.iter().find(|raw| raw.metric == metric)
    }

    /// What a run takes for a difference where there is none.
    pub(crate) fn noise(&self) -> Vec<Noise> {
        Metric::ALL.into_iter().filter_map(|metric| self.noise_by(metric)).collect()
    }

    fn noise_by(&self, metric: Metric) -> Option<Noise> {
        // Of what too few rounds bound, nothing could come out different.
        let can_differ = |pair: &&paired::Comparison| pair.interval.is_some();
        let again: Vec<_> = self.all(metric).flat_map(Raw::again).filter(can_differ).collect();
        // In billionths, which is far below what can be told apart.
        let billionths = |log: f64| (log.abs() * 1e9) as u64;
        let sizes: Vec<_> =
            again.iter().filter_map(|pair| Some((billionths(pair.estimate?), 1))).collect();
        let floor = quantile(&sizes, FLOOR_PART)? as f64 / 1e9;
        let different = again.iter().filter(|pair| pair.p < ALPHA).count() as u64;
        Some(Noise { metric, floor, pairs: sizes.len() as u64, different })
    }

    /// Puts verdicts and ranks into the groups that these comparisons are of.
    pub(crate) fn judge(&self, workloads: &mut [WorkloadSummary], noise: &[Noise]) {
        for (workload, raws) in workloads.iter_mut().zip(&self.0) {
            for metric in Metric::ALL {
                let floor = noise.iter().find(|noise| noise.metric == metric);
                let floor = floor.map_or(0.0, |noise| noise.floor);
                let of_metric: Vec<_> =
                    raws.iter().flatten().filter(|r| r.metric == metric).collect();
                let lists = verdicts(&of_metric, floor);
                for (group, comparisons) in workload.groups.iter_mut().zip(lists) {
                    rank(group, metric, &comparisons);
                    group.comparisons.extend(comparisons);
                }
            }
        }
    }
}

/// The part of all pairs of names that lies within the noise floor.
const FLOOR_PART: f64 = 0.95;

/// Verdicts on all pairs of lanes of one table by one metric: one list a group.
fn verdicts(raws: &[&Raw], floor: f64) -> Vec<Vec<Comparison>> {
    let all = raws.iter().flat_map(|raw| raw.pairs.iter().filter(|pair| raw.is_of_lanes(pair)));
    let mut adjusted = holm(&all.map(|pair| pair.p).collect::<Vec<_>>()).into_iter();
    let of_group = |raw: &&Raw| {
        let pairs = raw.pairs.iter().filter(|pair| raw.is_of_lanes(pair));
        let adjusted = pairs.map(|pair| {
            let p = adjusted.next().expect("there are as many as pairs");
            comparison(raw, pair, p, floor)
        });
        adjusted.collect()
    };
    raws.iter().map(of_group).collect()
}

fn comparison(raw: &Raw, pair: &paired::Comparison, p: f64, floor: f64) -> Comparison {
    let (first, second) = raw.ids(pair);
    Comparison {
        first: first.to_owned(),
        second: second.to_owned(),
        metric: raw.metric,
        ratio: pair.estimate.map(f64::exp),
        interval: pair.interval.map(ratio_interval),
        p: pair.p,
        p_adjusted: p,
        verdict: Verdict::of(pair.estimate, p, ALPHA, floor),
    }
}

/// The interval of a ratio, from that of its logarithm.
pub(crate) fn ratio_interval(log: Interval) -> Interval {
    Interval { low: log.low.exp(), high: log.high.exp() }
}

/// One more than the number of lanes that are distinguishably less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Rank {
    /// 1 where no lane is distinguishably less.
    pub rank: usize,
    /// Whether other lanes have the same rank.
    pub is_shared: bool,
}

/// Ranks the rows that did the job, but for variants: they are no contestants. Who could be compared
/// with nobody, or failed once, has no place among the others.
fn rank(group: &mut Group, metric: Metric, comparisons: &[Comparison]) {
    let can_be_told = |lane: &str| {
        let is_of = |pair: &&Comparison| pair.first == lane || pair.second == lane;
        comparisons.iter().filter(is_of).any(|pair| pair.interval.is_some())
    };
    let contestants = || contestants(group, metric).filter(|row| !row.is_variant());
    let is_alone = contestants().count() == 1;
    let is_ranked = |row: &&Row| !row.failed && (is_alone || can_be_told(&row.lane));
    let lanes: Vec<_> = contestants().filter(is_ranked).map(|row| row.lane.clone()).collect();
    let place = |id: &str| lanes.iter().position(|lane| lane == id);
    let known: Vec<_> = comparisons
        .iter()
        .filter_map(|pair| Some((place(&pair.first)?, place(&pair.second)?, pair.verdict)))
        .collect();
    let ranks = ranks(lanes.len(), &known);
    for row in &mut group.rows {
        if let Some(index) = place(&row.lane) {
            let rank = ranks[index];
            let is_shared = ranks.iter().filter(|other| **other == rank).count() > 1;
            row.ranks.insert(metric, Rank { rank, is_shared });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fixture, summarise};

    fn group(recorded: &Recorded) -> Group {
        summarise(recorded).workloads[0].groups[0].clone()
    }

    fn rank_of(group: &Group, lane: &str, metric: Metric) -> Option<(usize, bool)> {
        let row = group.rows.iter().find(|row| row.lane == lane).unwrap();
        row.ranks.get(&metric).map(|rank| (rank.rank, rank.is_shared))
    }

    #[test]
    fn lanes_that_cannot_be_told_apart_share_a_rank() {
        let group = group(&fixture::compared());
        let [slow, hub, local] = fixture::LANES;
        assert_eq!(rank_of(&group, hub, Metric::Wall), Some((1, true)));
        assert_eq!(rank_of(&group, local, Metric::Wall), Some((1, true)));
        assert_eq!(rank_of(&group, slow, Metric::Wall), Some((3, false)));
        assert_eq!(rank_of(&group, slow, Metric::Rss), Some((1, true)), "they are all the same");
        let again = format!("{local}+again");
        assert_eq!(rank_of(&group, &again, Metric::Wall), None, "it is no contestant");
        let pairs = group.comparisons.iter().filter(|pair| pair.metric == Metric::Wall);
        assert_eq!(pairs.count(), 3, "every two of three lanes");
    }

    #[test]
    fn a_ratio_has_an_interval_around_it() {
        let group = group(&fixture::compared());
        let slow = group.rows[0].against_best.unwrap();
        assert!((slow.ratio - 1.5).abs() < 0.02, "{slow:?}");
        let interval = slow.interval.unwrap();
        assert!(interval.contains(1.5) && !interval.contains(1.4), "{slow:?}");
    }

    #[test]
    fn one_lane_under_two_names_is_the_noise_floor() {
        let mut recorded = fixture::compared();
        let floor = |recorded: &Recorded| {
            let noise = summarise(recorded).noise;
            let wall = noise.into_iter().find(|noise| noise.metric == Metric::Wall).unwrap();
            (wall.floor, wall.pairs, wall.different)
        };
        let (quiet, pairs, different) = floor(&recorded);
        assert!(quiet < 0.01 && (pairs, different) == (1, 0), "{quiet}");
        for sample in recorded.samples.iter_mut().filter(|s| s.cell.lane.ends_with("+again")) {
            let job = sample.job.as_mut().unwrap();
            job.wall_ns = job.wall_ns * 7 / 5;
        }
        let (loud, _, different) = floor(&recorded);
        assert!((loud - 1.4f64.ln()).abs() < 0.01 && different == 1, "{loud}");
        // Half as much again is more than that, and a quarter would be less.
        let [slow, ..] = fixture::LANES;
        assert_eq!(rank_of(&group(&recorded), slow, Metric::Wall), Some((3, false)));
        for sample in recorded.samples.iter_mut().filter(|s| s.cell.lane == slow) {
            let job = sample.job.as_mut().unwrap();
            job.wall_ns = job.wall_ns * 5 / 6;
        }
        assert_eq!(rank_of(&group(&recorded), slow, Metric::Wall), Some((1, true)));
    }

    #[test]
    fn two_rounds_rank_nothing() {
        let mut recorded = fixture::compared();
        recorded.samples.retain(|sample| sample.round < 2);
        let group = group(&recorded);
        assert!(group.rows.iter().all(|row| row.ranks.is_empty()));
        assert!(group.rows[0].against_best.unwrap().interval.is_none());
    }

    #[test]
    fn a_lane_that_could_be_compared_with_nobody_has_no_rank() {
        let mut recorded = fixture::compared();
        let hub = fixture::LANES[1];
        recorded.samples.retain(|sample| sample.cell.lane != hub || sample.round < 2);
        for sample in recorded.samples.iter_mut().filter(|sample| sample.cell.lane == hub) {
            sample.job.as_mut().unwrap().wall_ns *= 3;
        }
        let group = group(&recorded);
        assert_eq!(rank_of(&group, hub, Metric::Wall), None);
        let [slow, _, local] = fixture::LANES;
        assert_eq!(rank_of(&group, local, Metric::Wall), Some((1, false)));
        assert_eq!(rank_of(&group, slow, Metric::Wall), Some((2, false)));
    }

    #[test]
    fn a_void_cell_sets_no_noise_floor() {
        let mut recorded = fixture::compared();
        let again = recorded.samples.iter_mut().filter(|s| s.cell.lane.ends_with("+again"));
        for (index, sample) in again.enumerate() {
            sample.job.as_mut().unwrap().wall_ns *= 9;
            if index < 5 {
                fixture::disturb(sample);
            }
        }
        let summary = summarise(&recorded);
        assert!(summary.noise.is_empty(), "{:?}", summary.noise);
        let told = crate::cells::preamble(&summary).join(" ");
        assert!(told.contains("There is no noise floor"), "{told}");
    }

    #[test]
    fn more_than_half_of_the_ceiling_is_the_origins_measure() {
        // It took 14 ms for as many documents, and half as fast is 28.
        let group = group(&fixture::compared());
        let limited: Vec<_> = group.rows.iter().map(|row| row.is_limited_by_origin).collect();
        assert_eq!(limited, [false, true, true, true]);
    }

    #[test]
    fn too_many_voids_void_the_cell() {
        let mut recorded = fixture::compared();
        let hub = fixture::LANES[1];
        let void = |recorded: &mut Recorded, count: usize| {
            let of_hub = recorded.samples.iter_mut().filter(|sample| sample.cell.lane == hub);
            of_hub.take(count).for_each(fixture::disturb);
        };
        void(&mut recorded, 4);
        assert!(group(&recorded).rows[1].figures.is_some(), "a third is not too many");
        void(&mut recorded, 5);
        let row = group(&recorded).rows[1].clone();
        let note = row.note.unwrap();
        assert!(row.figures.is_none());
        assert!(!row.failed, "nothing is wrong with the lane");
        assert!(note.starts_with("5 of 12 samples do not count, which is too many: "), "{note}");
    }
}
