//! Each request of a cell on a line of its own: a pass in which no time is compared.
//!
//! A workload may name a point at which its lanes are looked at request by request, once with each
//! client. The lane's process is told to say when each request connected, waited, was read and
//! parsed, which takes a lock for every read, so such a process is no sample. Its answer is verified
//! as everywhere.

use std::time::Duration;

use job::{Client, Outcome, OutcomeResult, Request};
use serde::{Deserialize, Serialize};

use crate::gate::{Expected, Seen, judge, unix_ms};
use crate::lane_process::{self, Ended};
use crate::machine::MachineMeasured;
use crate::measure::{Bench, MeasureError, expected_answer};
use crate::network::Network;
use crate::placement::Placement;
use crate::plan::{Cell, Plan, PlannedCell};
use crate::process::Wake;
use crate::workload::Point;

/// The version of a line in `timelines.jsonl`.
pub const TIMELINE_SCHEMA: u32 = 1;

/// The most documents of a timeline: more lines than that nobody can see.
pub const DOCUMENTS_MOST: u64 = 10_000;

/// One cell, request by request: a line of `timelines.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeline {
    /// [`TIMELINE_SCHEMA`] of the writer.
    pub schema: u32,
    /// When it started, milliseconds since 1970.
    pub started_unix_ms: u64,
    /// What was looked at.
    #[serde(flatten)]
    pub cell: Cell,
    /// What the origin waited before it answered, microseconds.
    pub delay_us: u64,
    /// Why it shows nothing.
    pub void: Option<String>,
    /// The job alone, nanoseconds, looks included.
    pub wall_ns: u64,
    /// Every request, in the order in which they began.
    pub requests: Vec<Request>,
}

/// What happens, for somebody who watches.
#[derive(Debug)]
pub enum Event<'a> {
    /// So many cells are to come.
    Planned(usize),
    /// A cell begins.
    Starting(&'a Cell),
    /// A cell is over.
    Taken(&'a Timeline),
}

/// Looks at every lane at every point that the plan names for it. Says whether all were, or somebody
/// interrupted it; what was seen by then is in the record.
///
/// # Errors
///
/// The origin died, or the record could not be written; a lane that fails is no error.
pub fn timelines(
    bench: &mut Bench<'_>,
    watch: &mut dyn FnMut(Event<'_>),
) -> Result<bool, MeasureError> {
    let cells = cells(bench.plan);
    watch(Event::Planned(cells.len()));
    for cell in cells {
        watch(Event::Starting(&cell));
        let Some(timeline) = look(bench, &cell)? else { return Ok(false) };
        bench.record.append_timeline(&timeline)?;
        watch(Event::Taken(&timeline));
    }
    Ok(true)
}

/// Lanes, each with both clients: not their variants, which wait alike.
fn cells(plan: &Plan) -> Vec<Cell> {
    let mut cells = Vec::new();
    for workload in plan.workloads.iter().filter(|workload| workload.not_run.is_none()) {
        for point in &workload.timelines {
            for client in [Client::Library, Client::Raw] {
                for lane in plan.lanes.iter().filter(|lane| lane.variant.is_none()) {
                    let cell = Cell {
                        workload: workload.name.clone(),
                        point: *point,
                        client,
                        lane: lane.id.clone(),
                        placement: Placement::Unpinned,
                    };
                    let not_run = |planned: &&PlannedCell| planned.not_run.is_some();
                    let planned = plan.cells.iter().find(|planned| planned.cell == cell);
                    if planned.filter(not_run).is_none() {
                        cells.push(cell);
                    }
                }
            }
        }
    }
    cells
}

/// One look; `None` when somebody interrupted it.
fn look(bench: &mut Bench<'_>, cell: &Cell) -> Result<Option<Timeline>, MeasureError> {
    if bench.interrupt.has_come() {
        return Ok(None);
    }
    let mut job = bench.plan.job(cell, &bench.origin.url, bench.corpora);
    job.timeline = true;
    let answer = expected_answer(bench, cell, &job);
    bench.origin.reset()?;
    let started_unix_ms = unix_ms();
    let mut command = bench.program.lane(&cell.lane);
    let limit = bench.pace.limit;
    let ended = lane_process::run(&mut command, &job, None, limit, bench.interrupt);
    let ended =
        ended.map_err(|source| MeasureError::Start { cell: Box::new(cell.clone()), source })?;
    if ended.wake == Wake::Interrupted {
        return Ok(None);
    }
    let requests = requests(&ended);
    // Whoever is looked at promises nothing about when, or about how much it has in flight.
    let planned = PlannedCell { cell: cell.clone(), in_flight_least: 0, not_run: None };
    let expected = Expected {
        cell: &planned,
        answer: &answer,
        requests: job.documents,
        arrivals: None,
        delay_us: 0,
        load_limit: 1.0,
        limit,
    };
    let origin = bench.origin.stats()?;
    let (network, machine) = (Network::default(), MachineMeasured::default());
    let sample = judge(&expected, ended, Seen { origin, network, machine });
    let told = requests.len() as u64;
    let void = match sample.void {
        Some(void) => Some(void.why),
        None if told == job.documents => None,
        None if told == 0 => Some("the lane does not tell its requests".to_owned()),
        None => Some(format!("the lane told {told} requests of {}", job.documents)),
    };
    Ok(Some(Timeline {
        schema: TIMELINE_SCHEMA,
        started_unix_ms,
        cell: cell.clone(),
        delay_us: bench.plan.workload(&cell.workload).delay_us,
        void,
        wall_ns: sample.job.map_or(0, |job| job.wall_ns),
        requests,
    }))
}

fn requests(ended: &Ended) -> Vec<Request> {
    match Outcome::from_json(&ended.stdout).map(|outcome| outcome.result) {
        Ok(OutcomeResult::Completed(completed)) => completed.requests.unwrap_or_default(),
        Ok(OutcomeResult::Failed(_)) | Err(_) => Vec::new(),
    }
}

/// The points at which a workload's lanes are looked at: the one that it names, and all of its own
/// when somebody asks for that.
pub(crate) fn points(named: Option<Point>, own: &[Point]) -> Vec<Point> {
    let own = own.iter().copied().filter(|point| point.documents <= DOCUMENTS_MOST);
    let mut points: Vec<_> = named.into_iter().chain(own).collect();
    points.sort_unstable();
    points.dedup();
    points
}

impl Timeline {
    /// From the job's start to the end of its last request.
    pub fn length(&self) -> Duration {
        let last = self.requests.iter().map(|request| request.parsed_ns).max();
        Duration::from_nanos(last.unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::{limits, plan_with};

    fn point(documents: u64) -> Point {
        Point { documents, concurrency: 8, rate: None }
    }

    #[test]
    fn points_are_those_that_can_be_seen_each_once() {
        let own = [point(8), point(24), point(DOCUMENTS_MOST + 1)];
        assert_eq!(points(Some(point(24)), &[]), [point(24)]);
        assert_eq!(points(Some(point(24)), &own), [point(8), point(24)]);
        assert_eq!(points(None, &[]), []);
    }

    #[test]
    fn lanes_are_looked_at_and_variants_are_not() {
        let mut plan = plan_with(&limits(), 1);
        assert_eq!(cells(&plan), []);
        plan.workloads[0].timelines = vec![point(24)];
        let cells = cells(&plan);
        assert_eq!(cells.len(), 2 * plan.lanes.len(), "with each client");
        assert!(cells.iter().all(|cell| cell.point == point(24)));
    }

    #[test]
    fn a_timeline_survives_its_json() {
        let cell = cells(&{
            let mut plan = plan_with(&limits(), 1);
            plan.workloads[0].timelines = vec![point(1)];
            plan
        })
        .remove(0);
        let request = Request {
            begun_ns: 1,
            connecting_ns: None,
            connected_ns: None,
            sent_ns: Some(2),
            first_byte_ns: Some(3),
            last_byte_ns: 4,
            parsed_ns: 5,
            thread: 0,
        };
        let timeline = Timeline {
            schema: TIMELINE_SCHEMA,
            started_unix_ms: 7,
            cell,
            delay_us: 20_000,
            void: None,
            wall_ns: 6,
            requests: vec![request],
        };
        let text = serde_json::to_string(&timeline).unwrap();
        assert_eq!(serde_json::from_str::<Timeline>(&text).unwrap(), timeline);
        assert_eq!(timeline.length(), Duration::from_nanos(5));
    }
}
