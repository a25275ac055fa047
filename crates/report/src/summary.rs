//! Samples as rows, and what stands in a row that has none.

use std::collections::BTreeMap;

use harness::plan::{Cell, NotRun, Plan, PlannedCell, PlannedWorkload};
use harness::record::{Ending, How, Recorded};
use harness::sample::Sample;
use harness::workload::Point;
use job::Client;
use serde::Serialize;

use crate::cells::group_head;
use crate::figures::{Figures, figures, rank, rss_bytes};
use crate::inspected::{Inspected, inspected};
use crate::machine::{machine, warnings};
use crate::stats::median;

/// A whole record, summed up.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The machine and the program, in one line.
    pub machine: String,
    /// What a reader has to know before believing any number.
    pub warnings: Vec<String>,
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
    /// The lanes in the plan's order.
    pub rows: Vec<Row>,
}

/// One cell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The lane's id.
    pub lane: String,
    /// Samples that count.
    pub samples: usize,
    /// What was measured; `None` when no sample counts.
    pub figures: Option<Figures>,
    /// Why there are no figures, or fewer samples than were taken.
    pub note: Option<String>,
    /// Whether something is wrong with the lane, or with the system for it.
    pub failed: bool,
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

/// Sums a record up.
pub fn summarise(recorded: &Recorded) -> Summary {
    let mut samples: BTreeMap<&Cell, Vec<&Sample>> = BTreeMap::new();
    for sample in &recorded.samples {
        samples.entry(&sample.cell).or_default().push(sample);
    }
    let context =
        Context { recorded, plan: &recorded.plan, ending: recorded.ending.as_ref(), samples };
    Summary {
        machine: machine(&recorded.environment),
        warnings: warnings(&recorded.environment, recorded.ending.as_ref()),
        workloads: recorded.plan.workloads.iter().map(|w| context.workload(w)).collect(),
    }
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
            let Cell { point, client, .. } = &planned.cell;
            if planned.cell.is_bound() {
                continue;
            }
            let row = self.row(planned);
            match groups.last_mut() {
                Some(group) if (group.point, group.client) == (*point, *client) => {
                    group.rows.push(row);
                }
                _ => groups.push(Group { point: *point, client: *client, rows: vec![row] }),
            }
        }
        groups.iter_mut().for_each(rank);
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

    fn row(&self, planned: &PlannedCell) -> Row {
        let samples = self.samples(&planned.cell);
        let counted: Vec<_> = samples.iter().copied().filter(|s| !s.warmup).collect();
        let valid: Vec<_> = counted.iter().copied().filter(|s| s.void.is_none()).collect();
        let floor = self.floor_rss_bytes(&planned.cell);
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
                Some(format!("{voided} of {} samples do not count: {why}", counted.len()))
            }
        };
        let refused = matches!(planned.not_run, Some(NotRun::Refused(_)));
        Row {
            lane: planned.cell.lane.clone(),
            samples: valid.len(),
            figures: figures(&valid, floor),
            failed: refused || failed || (valid.is_empty() && !counted.is_empty()),
            note,
        }
    }

    fn why_not_reached(&self, cell: &Cell) -> String {
        let left_out =
            |ending: &&Ending| ending.left_out.iter().find(|out| out.cell == *cell).cloned();
        match self.ending {
            Some(ending) => match (left_out(&ending), &ending.how) {
                (Some(left_out), _) => left_out.why,
                (None, How::Interrupted) => "not reached: the run was interrupted".to_owned(),
                (None, How::Broken(_)) => "not reached: the run broke off".to_owned(),
                (None, How::OutOfTime) => "not reached: time was up".to_owned(),
                (None, How::Complete) => "not reached".to_owned(),
            },
            None => "not reached: the run was killed".to_owned(),
        }
    }

    /// What a process without a lane took at the same point of the same workload.
    fn floor_rss_bytes(&self, cell: &Cell) -> Option<f64> {
        let lane = harness::child::FLOOR.id.to_owned();
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
        let is_floor = |sample: &&&Sample| sample.cell.lane == harness::child::FLOOR.id;
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
            let best = row(&summary, client, "stackless/tokio-local").figures.unwrap();
            assert!((best.ratio - 1.0).abs() < 1e-9);
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
