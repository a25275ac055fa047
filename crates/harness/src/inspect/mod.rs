//! A cell taken apart: a pass of its own, in which no time means anything.
//!
//! In timed samples nothing polls and nothing traces. Here both do, each in a fresh process:
//!
//! * [`memory`]: what a lane's process holds of each kind at its peak;
//! * [`system_calls`]: what it asks of the kernel, by name.
//!
//! A build that counts allocations tells them in the first of the two. Answers are verified as
//! everywhere: what was found in a process whose answer is wrong does not count.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use job::Allocations;
use serde::{Deserialize, Serialize};

use self::held_job::HeldJob;
use crate::gate::{Expected, Gate, Seen, judge, unix_ms};
use crate::lane_process::{self, Ended, Running};
use crate::machine::MachineMeasured;
use crate::measure::{Bench, MeasureError, expected_answer, requested};
use crate::network::Network;
use crate::placement::Placement;
use crate::plan::{Cell, Plan, PlannedCell};
use crate::process::Wake;
use crate::sample::Sample;
use crate::workload::Point;

mod held_job;
pub mod memory;
pub mod system_calls;

pub use memory::{MachineGrowth, MemoryPeaks};
pub use system_calls::Calls;

/// The version of a line in `inspections.jsonl`.
pub const INSPECTION_SCHEMA: u32 = 1;

/// How often memory is looked at where the report regresses over points: one look has no spread.
const MEMORY_REPEATS: u32 = 3;

/// The most documents under strace, which makes a system call about ten microseconds longer.
/// What a document takes is the same in the next thousand.
const TRACED_DOCUMENTS_MOST: u64 = 2_000;

/// How long a lane may take under strace.
const TRACED_LIMIT: Duration = Duration::from_secs(15);

/// One look into a cell: a line of `inspections.jsonl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspection {
    /// [`INSPECTION_SCHEMA`] of the writer.
    pub schema: u32,
    /// When it started, milliseconds since 1970.
    pub started_unix_ms: u64,
    /// What it looks into.
    #[serde(flatten)]
    pub cell: Cell,
    /// What it looks for.
    pub pass: Pass,
    /// How many documents this job had: those of the cell, or fewer under strace.
    pub documents_fetched: u64,
    /// Why it does not count.
    pub void: Option<String>,
    /// What was held, by kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<MemoryPeaks>,
    /// What was asked of the kernel, by name, from the start of the process to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_calls: Option<BTreeMap<String, Calls>>,
    /// What was asked of the allocator, in a build that counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocations: Option<Allocations>,
}

/// What a look is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pass {
    /// Memory by kind, and allocations.
    Memory,
    /// System calls by name.
    SystemCalls,
}

/// What happens, for somebody who watches.
#[derive(Debug)]
pub enum Event<'a> {
    /// So many looks are to come.
    Planned(usize),
    /// One of the passes cannot be made, for this reason.
    Absent(&'a str),
    /// A look begins.
    Starting(&'a Cell),
    /// A look is over.
    Taken(&'a Inspection),
}

/// Takes every cell apart that runs, but for those that have failed before. Says whether all were,
/// or somebody interrupted it; what was found by then is in the record.
///
/// # Errors
///
/// The origin died, or the record could not be written; a lane that fails is no error.
pub fn inspect(
    bench: &mut Bench<'_>,
    watch: &mut dyn FnMut(Event<'_>),
) -> Result<bool, MeasureError> {
    let timed = crate::record::read(bench.record.folder())?.samples;
    let mut sound = sound_cells(bench.plan, &timed);
    let strace = system_calls::is_there();
    if !strace {
        watch(Event::Absent(system_calls::ABSENT));
    }
    let looks = |index: &usize| looks(&bench.plan.cells[*index].cell, strace).len();
    watch(Event::Planned(sound.iter().map(looks).sum()));
    while !sound.is_empty() {
        let planned = &bench.plan.cells[sound.remove(0)];
        for pass in self::looks(&planned.cell, strace) {
            watch(Event::Starting(&planned.cell));
            let Some((inspection, gate)) = look(bench, planned, pass)? else { return Ok(false) };
            bench.record.append_inspection(&inspection)?;
            watch(Event::Taken(&inspection));
            if gate == Some(Gate::InTime) && pass == Pass::Memory {
                // Each time would cost the whole limit.
                let hung = |index: &usize| same_lane(&bench.plan.cells[*index].cell, &planned.cell);
                sound.retain(|index| !hung(index));
                break;
            }
        }
        if !strace {
            bench.record.append_inspection(&absent(&planned.cell))?;
        }
    }
    Ok(true)
}

fn same_lane(a: &Cell, b: &Cell) -> bool {
    (&a.lane, a.client) == (&b.lane, b.client)
}

/// The cells that run and have not failed: what failed would do so again, and what hung would take
/// the whole limit each time.
fn sound_cells(plan: &Plan, timed: &[Sample]) -> Vec<usize> {
    let failed = |cell: &Cell| {
        timed.iter().any(|sample| match &sample.void {
            Some(void) if void.gate == Gate::InTime => same_lane(&sample.cell, cell),
            Some(void) => void.gate.is_failure() && sample.cell == *cell,
            None => false,
        })
    };
    // Nor is there anything new in the same lane again, or in what it holds on other processors.
    let is_old = |cell: &Cell| cell.lane.contains('+') || cell.placement == Placement::Pinned;
    let is_sound = |cell: &Cell| !failed(cell) && !is_old(cell);
    plan.running().filter(|index| is_sound(&plan.cells[*index].cell)).collect()
}

/// The looks into one cell.
fn looks(cell: &Cell, strace: bool) -> Vec<Pass> {
    let is_regressed = cell.point.documents == cell.point.concurrency;
    let repeats = if is_regressed { MEMORY_REPEATS } else { 1 };
    let memory = (0..repeats).map(|_| Pass::Memory);
    memory.chain(strace.then_some(Pass::SystemCalls)).collect()
}

/// That nobody could count system calls, for whoever reads the record.
fn absent(cell: &Cell) -> Inspection {
    let void = Some(system_calls::ABSENT.to_owned());
    Inspection { void, ..nothing_found(cell, Pass::SystemCalls, 0) }
}

fn nothing_found(cell: &Cell, pass: Pass, documents_fetched: u64) -> Inspection {
    Inspection {
        schema: INSPECTION_SCHEMA,
        started_unix_ms: unix_ms(),
        cell: cell.clone(),
        pass,
        documents_fetched,
        void: None,
        memory: None,
        system_calls: None,
        allocations: None,
    }
}

/// One look, and the gate that it did not pass; `None` when somebody interrupted it.
fn look(
    bench: &mut Bench<'_>,
    planned: &PlannedCell,
    pass: Pass,
) -> Result<Option<(Inspection, Option<Gate>)>, MeasureError> {
    if bench.interrupt.has_come() {
        return Ok(None);
    }
    let cell = inspected_cell(&planned.cell, pass);
    let job = bench.plan.job(&cell, &bench.origin.url, bench.corpora);
    let answer = expected_answer(bench, &cell, &job);
    bench.origin.reset()?;
    let fetched = requested(&cell);
    let mut inspection = nothing_found(&planned.cell, pass, fetched);
    let started = match pass {
        Pass::Memory => look_at_memory(bench, &cell, &job, &mut inspection),
        Pass::SystemCalls => look_at_system_calls(bench, &cell, &job, &mut inspection),
    };
    let ended =
        started.map_err(|source| MeasureError::Start { cell: Box::new(cell.clone()), source })?;
    if ended.wake == Wake::Interrupted {
        return Ok(None);
    }
    let stats = bench.origin.stats()?;
    // Whoever is slowed down promises nothing about how much it has in flight.
    let planned = PlannedCell { cell, in_flight_least: 0, not_run: None };
    let limit = limit(bench, pass);
    let expected = Expected {
        cell: &planned,
        answer: &answer,
        requests: fetched,
        // Nor does it keep a schedule, or the machine to itself.
        arrivals: None,
        delay_us: 0,
        load_limit: 1.0,
        limit,
    };
    let (network, machine) = (Network::default(), MachineMeasured::default());
    let sample = judge(&expected, ended, Seen { origin: stats, network, machine });
    let job = sample.job.as_ref();
    inspection.allocations = job.and_then(|job| job.allocations);
    if let Some(memory) = &mut inspection.memory {
        // The kernel's peak at the lane's own end, after which nobody may have looked any more.
        let rss_bytes = job.and_then(|job| job.rss_bytes_peak).unwrap_or(0);
        memory.rss_bytes = memory.rss_bytes.max(rss_bytes);
    }
    inspection.void = sample.void.as_ref().map(|void| void.why.clone());
    if inspection.void.is_none() && inspection.is_empty() {
        inspection.void = Some("ended before anybody could look".to_owned());
    }
    Ok(Some((inspection, sample.void.map(|void| void.gate))))
}

impl Inspection {
    fn is_empty(&self) -> bool {
        let calls = self.system_calls.as_ref().is_some_and(|calls| !calls.is_empty());
        !calls && self.memory.is_none_or(|memory| memory.polls == 0)
    }
}

/// Tracing thousands of threads takes minutes; what a call costs in fewer is the same.
fn limit(bench: &Bench<'_>, pass: Pass) -> Duration {
    match pass {
        Pass::Memory => bench.pace.limit,
        Pass::SystemCalls => bench.pace.limit.min(TRACED_LIMIT),
    }
}

/// Under strace, the same cell with fewer documents.
fn inspected_cell(cell: &Cell, pass: Pass) -> Cell {
    let documents = cell.point.documents;
    let documents = match pass {
        Pass::Memory => documents,
        Pass::SystemCalls => documents.min(TRACED_DOCUMENTS_MOST),
    };
    Cell { point: Point { documents, ..cell.point }, ..cell.clone() }
}

fn look_at_memory(
    bench: &Bench<'_>,
    cell: &Cell,
    job: &job::Job,
    found: &mut Inspection,
) -> io::Result<Ended> {
    let mut command = bench.program.lane(&cell.lane);
    let (stdin, held) = HeldJob::of(job)?;
    let running = Running::start(command.stdin(stdin), None)?;
    let watch = memory::Watch { process: running.process(), interrupt: bench.interrupt };
    let (wake, peaks) = watch.until(held, bench.pace.limit)?;
    found.memory = Some(peaks);
    running.end(wake)
}

fn look_at_system_calls(
    bench: &Bench<'_>,
    cell: &Cell,
    job: &job::Job,
    found: &mut Inspection,
) -> io::Result<Ended> {
    let (mut command, summary) = system_calls::Summary::of(&bench.program.lane(&cell.lane))?;
    let ended = lane_process::run(
        &mut command,
        job,
        None,
        limit(bench, Pass::SystemCalls),
        bench.interrupt,
    )?;
    found.system_calls = Some(summary.read(bench.interrupt)?);
    Ok(ended)
}

#[cfg(test)]
mod tests {
    use job::Client;

    use super::*;
    use crate::gate::Void;
    use crate::plan::tests::{limits, plan_with};

    fn cell(documents: u64, concurrency: u64) -> Cell {
        let point = Point { documents, concurrency, rate: None };
        let placement = Placement::Unpinned;
        Cell { workload: "w".into(), point, client: Client::Raw, lane: "a/b".into(), placement }
    }

    #[test]
    fn memory_is_looked_at_again_only_where_it_is_regressed() {
        let (memory, calls) = (Pass::Memory, Pass::SystemCalls);
        assert_eq!(looks(&cell(8, 8), true), [memory, memory, memory, calls]);
        assert_eq!(looks(&cell(9, 8), true), [memory, calls]);
        assert_eq!(looks(&cell(9, 8), false), [memory]);
    }

    #[test]
    fn only_what_is_traced_has_fewer_documents() {
        let documents = |pass| inspected_cell(&cell(10_000, 512), pass).point.documents;
        assert_eq!((documents(Pass::Memory), documents(Pass::SystemCalls)), (10_000, 2_000));
    }

    #[test]
    fn what_failed_is_left_alone_and_what_hung_everywhere() {
        let plan = plan_with(&limits(), 1);
        let all: Vec<_> = plan.running().collect();
        let sample = |index: usize, gate| {
            crate::sample::tests::sample_of(
                &plan.cells[index].cell,
                Some(Void { gate, why: String::new() }),
            )
        };
        let first = all[0];
        let left = |gate| sound_cells(&plan, &[sample(first, gate)]);
        assert_eq!(left(Gate::InFlightLeast), all, "the machine's fault");
        assert_eq!(left(Gate::Answer), all[1..]);
        let cell = &plan.cells[first].cell;
        assert!(left(Gate::InTime).iter().all(|i| !same_lane(&plan.cells[*i].cell, cell)));
    }

    #[test]
    fn an_inspection_survives_its_json() {
        let calls = [("connect".to_owned(), Calls { calls: 8, errors: 8 })].into();
        let mut inspection = nothing_found(&cell(8, 8), Pass::SystemCalls, 8);
        inspection.system_calls = Some(calls);
        let text = serde_json::to_string(&inspection).unwrap();
        assert_eq!(serde_json::from_str::<Inspection>(&text).unwrap(), inspection);
    }
}
