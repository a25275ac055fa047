//! Samples as rows, and what stands in a row that has none.

use std::collections::BTreeMap;

use harness::ceiling::CEILING;
use harness::child::FLOOR;
use harness::placement::Placement;
use harness::plan::{Cell, NotRun, Plan, PlannedCell, PlannedLane, PlannedWorkload};
use harness::record::{Ending, How, Recorded};
use harness::sample::Sample;
use harness::workload::Point;
use job::Client;
use serde::Serialize;

use crate::cells::group_head;
use crate::comparison::{Comparison, Metric, Noise, Rank, Raws, counted};
use crate::figures::{Figures, figures, rss_bytes};
use crate::inspected::{Inspected, inspected};
use crate::machine::{machine, warnings};
use crate::planted::{Found, planted};
use crate::stats::slope::Slope;
use crate::stats::{Interval, median};

/// A whole record, summed up.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The machine and the program, in one line.
    pub machine: String,
    /// What a reader has to know before believing any number.
    pub warnings: Vec<String>,
    /// What measuring adds: the floor's wall, microseconds, over documents.
    pub measuring_us: Option<Slope>,
    /// What one lane under two names differs by.
    pub noise: Vec<Noise>,
    /// What was found of costs that were planted.
    pub planted: Vec<Found>,
    /// The workloads in the plan's order.
    pub workloads: Vec<WorkloadSummary>,
}

/// One workload: one table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WorkloadSummary {
    /// Its name.
    pub name: String,
    /// Its paragraph.
    pub shows: String,
    /// Why none of it was run.
    pub not_run: Option<String>,
    /// A group of rows for each point and client.
    pub groups: Vec<Group>,
    /// What is the same for all rows.
    pub common: Common,
    /// What was found in cells that were taken apart, and what a task costs.
    pub inspected: Option<Inspected>,
}

/// Rows that are ranked together: the same point, the same client.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// Documents and concurrency.
    #[serde(flatten)]
    pub point: Point,
    /// What speaks HTTP.
    pub client: Client,
    /// On which processors origin and lanes ran.
    #[serde(skip_serializing_if = "Placement::is_unpinned")]
    pub placement: Placement,
    /// Documents per second of the client without a model.
    pub ceiling_throughput: Option<f64>,
    /// The lanes in the plan's order.
    pub rows: Vec<Row>,
    /// Every pair of lanes, by every metric.
    pub comparisons: Vec<Comparison>,
}

/// One cell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The lane's id.
    pub lane: String,
    /// Samples that count.
    pub samples: usize,
    /// What was measured; `None` when no sample counts, or too few of those that were taken.
    pub figures: Option<Figures>,
    /// How it compares with the group's best.
    pub against_best: Option<Against>,
    /// Its rank by each metric, where ranks are known.
    pub ranks: BTreeMap<Metric, Rank>,
    /// Whether it got more than half of what the ceiling allows.
    pub is_limited_by_origin: bool,
    /// Why there are no figures, or fewer samples than were taken.
    pub note: Option<String>,
    /// Whether something is wrong with the lane, or with the system for it.
    pub failed: bool,
}

/// A row against the best of its group, by wall time, or in an open loop by CPU time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Against {
    /// 1 for the best, 2 for twice as much.
    pub ratio: f64,
    /// Where the true ratio lies, at 95 % for this pair alone.
    pub interval: Option<Interval>,
}

/// What is the same for all rows of a workload: medians over all of its samples.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Common {
    /// `VmHWM` of a process without a lane, bytes.
    pub floor_rss_bytes: Option<f64>,
    /// From before the start of such a process to after its end, milliseconds.
    pub floor_process_ms: Option<f64>,
    /// The origin's CPU time for a document, microseconds.
    pub origin_cpu_us_per_document: Option<f64>,
    /// How late the origin's delays were at the 99th percentile, milliseconds.
    pub delay_late_ms_p99: Option<f64>,
}

impl Group {
    /// The cell of one of its lanes.
    pub(crate) fn cell(&self, workload: &str, lane: &str) -> Cell {
        let Group { point, client, placement, .. } = *self;
        Cell { workload: workload.to_owned(), point, client, lane: lane.to_owned(), placement }
    }

    /// What its lanes are compared by before all else.
    pub fn primary(&self) -> Metric {
        if self.point.rate.is_some() { Metric::Cpu } else { Metric::Wall }
    }

    /// Compares every row with the one that takes least, which is no variant.
    fn compare_with_best(&mut self) {
        let primary = self.primary();
        let value = |row: &Row| row.figures.as_ref()?.primary();
        let contestants = self.rows.iter().filter(|row| !row.is_variant());
        let values = contestants.filter_map(|row| Some((value(row)?, row.lane.clone())));
        let Some((least, best)) = values.min_by(|a, b| a.0.total_cmp(&b.0)) else { return };
        for row in &mut self.rows {
            let Some(own) = value(row) else { continue };
            let is_pair = |pair: &&Comparison| {
                let ids = (pair.first.as_str(), pair.second.as_str());
                let (one, other) = (row.lane.as_str(), best.as_str());
                pair.metric == primary && (ids == (one, other) || ids == (other, one))
            };
            let pair = self.comparisons.iter().find(is_pair);
            row.against_best = Some(match pair.and_then(|pair| Some((pair, pair.ratio?))) {
                Some((pair, ratio)) if pair.first == row.lane => {
                    Against { ratio, interval: pair.interval }
                }
                Some((pair, ratio)) => {
                    let inverse =
                        |it: Interval| Interval { low: 1.0 / it.high, high: 1.0 / it.low };
                    Against { ratio: 1.0 / ratio, interval: pair.interval.map(inverse) }
                }
                None => Against { ratio: own / least, interval: None },
            });
        }
    }
}

impl Row {
    /// Whether it is a lane under another name, which is no contestant.
    pub fn is_variant(&self) -> bool {
        self.lane.contains('+')
    }

    /// Whether it has figures that can be compared: in an open loop only if it kept up.
    pub(crate) fn did_the_job(&self) -> bool {
        self.figures.as_ref().and_then(Figures::primary).is_some()
    }

    /// Whether no lane of its group is distinguishably less by `metric`, as far as is known.
    pub fn is_first(&self, metric: Metric) -> bool {
        self.ranks.get(&metric).is_some_and(|rank| rank.rank == 1)
    }
}

impl WorkloadSummary {
    /// Whether its documents arrive at a rate.
    pub fn is_open_loop(&self) -> bool {
        self.groups.iter().any(|group| group.point.rate.is_some())
    }
}

impl Summary {
    /// Whether every cell that was to run has figures, and no lane failed.
    pub fn is_sound(&self) -> bool {
        self.failures().is_empty()
    }

    /// Every lane's cell, with the group and the row that it stands in; variants are left out.
    pub(crate) fn cells(&self) -> impl Iterator<Item = (Cell, &Group, &Row)> {
        let groups = self.workloads.iter().flat_map(|w| w.groups.iter().map(move |g| (w, g)));
        groups.flat_map(|(workload, group)| {
            let rows = group.rows.iter().filter(|row| !row.is_variant());
            rows.map(move |row| (group.cell(&workload.name, &row.lane), group, row))
        })
    }

    /// One line for every cell in which something is wrong.
    pub fn failures(&self) -> Vec<String> {
        let groups = self.workloads.iter().flat_map(|w| w.groups.iter().map(move |g| (w, g)));
        let rows = groups.flat_map(|(w, group)| group.rows.iter().map(move |row| (w, group, row)));
        rows.filter(|(_, _, row)| row.failed)
            .map(|(workload, group, row)| {
                let note = row.note.as_deref().unwrap_or("failed");
                format!("{}, {}, {}: {note}", workload.name, group_head(group), row.lane)
            })
            .collect()
    }
}

/// A cell of whose samples more than one in so many are void is void itself.
const VOID_PART: usize = 3;

/// Whether too many of the samples that were `taken` are void, where so many are `valid`.
pub(crate) fn is_void(taken: usize, valid: usize) -> bool {
    (taken - valid) * VOID_PART > taken
}

/// Why a cell has no samples, by how its run ended.
pub(crate) fn not_reached(ending: Option<&Ending>) -> &'static str {
    match ending.map(|ending| &ending.how) {
        Some(How::Interrupted) => "not reached: the run was interrupted",
        Some(How::Broken(_)) => "not reached: the run broke off",
        Some(How::OutOfTime) => "not reached: time was up",
        Some(How::Complete) => "not reached",
        None => "not reached: the run was killed",
    }
}

/// Sums a record up.
pub fn summarise(recorded: &Recorded) -> Summary {
    let mut samples: BTreeMap<&Cell, Vec<&Sample>> = BTreeMap::new();
    for sample in &recorded.samples {
        samples.entry(&sample.cell).or_default().push(sample);
    }
    let context =
        Context { recorded, plan: &recorded.plan, ending: recorded.ending.as_ref(), samples };
    let mut workloads: Vec<_> =
        recorded.plan.workloads.iter().map(|workload| context.workload(workload)).collect();
    let counted = counted(recorded);
    let raws = Raws::of(&counted, &workloads);
    let noise = raws.noise();
    raws.judge(&mut workloads, &noise);
    workloads.iter_mut().flat_map(|w| &mut w.groups).for_each(Group::compare_with_best);
    Summary {
        machine: machine(&recorded.environment),
        warnings: warnings(&recorded.environment, recorded.ending.as_ref()),
        measuring_us: measuring_us(recorded),
        noise,
        planted: planted(recorded, &counted, &workloads, &raws),
        workloads,
    }
}

/// The floor measures as a lane does, and does nothing else; the first version's did neither. Over
/// the medians of each N: no interval is wanted, and there may be thousands of samples.
fn measuring_us(recorded: &Recorded) -> Option<Slope> {
    let counts = |sample: &&Sample| !sample.warmup && sample.void.is_none() && sample.schema > 1;
    let floors = recorded.samples.iter().filter(counts).filter(|s| s.cell.lane == FLOOR.id);
    let mut walls_us: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for (sample, job) in floors.filter_map(|sample| Some((sample, sample.job.as_ref()?))) {
        walls_us.entry(sample.cell.point.documents).or_default().push(job.wall_ns as f64 / 1e3);
    }
    let middle = |(documents, walls): (u64, Vec<f64>)| Some((documents as f64, median(&walls)?));
    Slope::of(&walls_us.into_iter().filter_map(middle).collect::<Vec<_>>(), 0.95)
}

struct Context<'a> {
    recorded: &'a Recorded,
    plan: &'a Plan,
    ending: Option<&'a Ending>,
    samples: BTreeMap<&'a Cell, Vec<&'a Sample>>,
}

impl Context<'_> {
    fn workload(&self, workload: &PlannedWorkload) -> WorkloadSummary {
        let of_workload = |cell: &&PlannedCell| cell.cell.workload == workload.name;
        let mut groups: Vec<Group> = Vec::new();
        for planned in self.plan.cells.iter().filter(of_workload) {
            if planned.cell.is_bound() {
                continue;
            }
            let Cell { point, client, placement, .. } = planned.cell;
            let is_same = |group: &&mut Group| {
                (group.point, group.client, group.placement) == (point, client, placement)
            };
            let group = match groups.iter_mut().find(is_same) {
                Some(group) => group,
                None => {
                    groups.push(Group {
                        point,
                        client,
                        placement,
                        ceiling_throughput: self.ceiling_throughput(&planned.cell),
                        rows: Vec::new(),
                        comparisons: Vec::new(),
                    });
                    groups.last_mut().expect("one was pushed")
                }
            };
            let row = self.row(planned, group.ceiling_throughput);
            group.rows.push(row);
        }
        WorkloadSummary {
            name: workload.name.clone(),
            shows: workload.shows.clone(),
            not_run: workload.not_run.clone(),
            groups,
            common: self.common(workload),
            inspected: inspected(self.recorded, workload),
        }
    }

    fn samples(&self, cell: &Cell) -> &[&Sample] {
        self.samples.get(cell).map_or(&[], Vec::as_slice)
    }

    fn row(&self, planned: &PlannedCell, ceiling_throughput: Option<f64>) -> Row {
        let samples = self.samples(&planned.cell);
        let counted: Vec<_> = samples.iter().copied().filter(|s| !s.warmup).collect();
        let valid: Vec<_> = counted.iter().copied().filter(|s| s.void.is_none()).collect();
        let floor = self.floor_rss_bytes(&planned.cell);
        // What is left of so many was selected by what has disturbed the others.
        let is_void = is_void(counted.len(), valid.len());
        let figures = figures(&valid, floor).filter(|_| !is_void);
        let throughput = figures.as_ref().map(|figures| figures.throughput);
        let failures = samples.iter().filter_map(|sample| sample.void.as_ref());
        let failed = failures.clone().any(|void| void.gate.is_failure());
        let why = failures.clone().next_back().map(|void| void.why.as_str());
        let note = match why {
            _ if planned.not_run.is_some() => planned.not_run.as_ref().map(|n| n.why().to_owned()),
            None if valid.is_empty() => Some(self.why_not_reached(&planned.cell)),
            None => None,
            Some(why) if valid.is_empty() => Some(why.to_owned()),
            // A warm-up that did not pass is no reason to doubt what came after it.
            Some(_) if valid.len() == counted.len() && !failed => None,
            Some(why) => {
                let voided = counted.len() - valid.len();
                let too_many = if is_void { ", which is too many" } else { "" };
                let of = counted.len();
                Some(format!("{voided} of {of} samples do not count{too_many}: {why}"))
            }
        };
        let mut voids = counted.iter().filter_map(|sample| sample.void.as_ref());
        // A busy machine leaves a hole in the table, and nothing that has to be put right.
        let is_disturbed = voids.all(|void| void.gate.is_disturbance());
        let refused = matches!(planned.not_run, Some(NotRun::Refused(_)));
        let own = |lane: &&PlannedLane| lane.id == planned.cell.lane;
        let may_fail = self.recorded.plan.lanes.iter().find(own).is_some_and(|lane| lane.may_fail);
        Row {
            lane: planned.cell.lane.clone(),
            samples: valid.len(),
            failed: !may_fail
                && (refused
                    || failed
                    || (figures.is_none() && !counted.is_empty() && !is_disturbed)),
            figures,
            against_best: None,
            ranks: BTreeMap::new(),
            is_limited_by_origin: throughput
                .zip(ceiling_throughput)
                .is_some_and(|(own, ceiling)| own > ceiling / 2.0),
            note,
        }
    }

    fn why_not_reached(&self, cell: &Cell) -> String {
        let left_out =
            |ending: &&Ending| ending.left_out.iter().find(|out| out.cell == *cell).cloned();
        let left_out = self.ending.as_ref().and_then(left_out);
        left_out.map_or_else(|| not_reached(self.ending).to_owned(), |left_out| left_out.why)
    }

    /// What a client without a model got at the same point of the same workload.
    fn ceiling_throughput(&self, cell: &Cell) -> Option<f64> {
        let ceiling = Cell { lane: CEILING.id.to_owned(), client: Client::Raw, ..cell.clone() };
        let counted = self.samples(&ceiling).iter().filter(|s| !s.warmup && s.void.is_none());
        let documents = cell.point.documents as f64;
        let rate = |sample: &&Sample| Some(documents / (sample.job.as_ref()?.wall_ns as f64 / 1e9));
        median(&counted.filter_map(rate).collect::<Vec<_>>())
    }

    /// What a process without a lane took at the same point of the same workload.
    fn floor_rss_bytes(&self, cell: &Cell) -> Option<f64> {
        let lane = FLOOR.id.to_owned();
        let floor = Cell { lane, client: Client::Raw, ..cell.clone() };
        let counted = self.samples(&floor).iter().filter(|s| !s.warmup && s.void.is_none());
        let rss: Vec<_> = counted.filter_map(|s| rss_bytes(s)).collect();
        median(&rss)
    }

    fn common(&self, workload: &PlannedWorkload) -> Common {
        let all: Vec<_> = self.samples.values().flatten().copied().collect();
        let of = |sample: &&&Sample| {
            sample.cell.workload == workload.name && !sample.warmup && sample.void.is_none()
        };
        let is_floor = |sample: &&&Sample| sample.cell.lane == FLOOR.id;
        let is_bound = |sample: &&&Sample| sample.cell.is_bound();
        let floors = || all.iter().filter(of).filter(is_floor);
        let origins = || {
            let lanes = all.iter().filter(of).filter(|sample| !is_bound(sample));
            lanes.filter_map(|sample| sample.origin.as_ref()).filter(|stats| stats.requests > 0)
        };
        let middle = |values: Vec<f64>| median(&values);
        Common {
            floor_rss_bytes: middle(floors().filter_map(|s| rss_bytes(s)).collect()),
            floor_process_ms: middle(floors().map(|s| s.process.wall_ns as f64 / 1e6).collect()),
            origin_cpu_us_per_document: middle(
                origins().map(|stats| stats.cpu_us as f64 / stats.requests as f64).collect(),
            ),
            delay_late_ms_p99: middle(
                origins()
                    .filter(|stats| stats.delays > 0)
                    .map(|stats| stats.delay_error_us.p99 as f64 / 1e3)
                    .collect(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::stats::Spread;

    fn row(summary: &Summary, client: Client, lane: &str) -> Row {
        let groups = &summary.workloads[0].groups;
        let group = groups.iter().find(|group| group.client == client).unwrap();
        group.rows.iter().find(|row| row.lane == lane).unwrap().clone()
    }

    #[test]
    fn clients_are_ranked_apart() {
        let summary = summarise(&fixture::recorded());
        for client in [Client::Library, Client::Raw] {
            let best = row(&summary, client, "stackless/tokio-local").against_best;
            assert_eq!(best, Some(Against { ratio: 1.0, interval: None }));
        }
    }

    #[test]
    fn figures_are_medians_of_samples_that_count() {
        let summary = summarise(&fixture::recorded());
        let row = row(&summary, Client::Raw, "stackful/hub");
        assert_eq!(row.samples, 2, "the third had too many in flight, the warm-up never counts");
        let figures = row.figures.unwrap();
        assert_eq!(figures.wall_ms, Spread { median: 40.0, deviation: Some(0.0) });
        assert!((figures.throughput - 2_500.0).abs() < 1e-6);
        assert_eq!(figures.rss_bytes_above_floor, Some(f64::from(1 << 19)));
        assert!(!row.failed, "some samples count, and the lane did not fail");
    }

    #[test]
    fn a_lane_that_failed_is_named_with_its_cell() {
        let summary = summarise(&fixture::recorded());
        assert_eq!(
            summary.failures(),
            ["all-at-once, N=100 C=8 library, stackful/hub: crashed with signal 6"]
        );
    }

    #[test]
    fn a_cell_that_was_never_reached_says_why() {
        let mut recorded = fixture::recorded();
        recorded.samples.clear();
        let note = |recorded: &Recorded| {
            let row = row(&summarise(recorded), Client::Raw, "stackful/hub");
            assert_eq!(row.figures, None);
            row.note.unwrap()
        };
        assert_eq!(note(&recorded), "not reached: the run was killed");
        recorded.ending = Some(fixture::ending(How::Interrupted));
        assert_eq!(note(&recorded), "not reached: the run was interrupted");
        recorded.ending = Some(fixture::ending(How::OutOfTime));
        assert_eq!(note(&recorded), "not reached: time was up");
    }

    #[test]
    fn a_reader_is_warned() {
        let mut recorded = fixture::recorded();
        recorded.ending = Some(Ending { steal: 0.1, ..fixture::ending(How::OutOfTime) });
        recorded.environment.load_1m = 64.0;
        recorded.ending.as_mut().unwrap().origin_warnings = vec!["a backlog of 7".into()];
        let warnings = summarise(&recorded).warnings.join("\n");
        for warning in [
            "without optimisation",
            "load 64.0",
            "10 % of the CPU time",
            "--samples",
            "the origin: a backlog of 7",
        ] {
            assert!(warnings.contains(warning), "{warnings}");
        }
    }
}
