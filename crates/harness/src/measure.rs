//! All rounds, within a time: each sample with the origin reset and where it is to run.

use std::collections::{HashMap, HashSet};
use std::io;
use std::time::{Duration, Instant};

use job::{Answer, Client};
use rustix::thread::CpuSet;
use thiserror::Error;

use crate::child::FLOOR;
use crate::corpora::Corpora;
use crate::environment::load_1m;
use crate::gate::{Expected, Gate, Seen, judge};
use crate::interrupt::Interrupt;
use crate::lane_process;
use crate::machine::Ticks;
use crate::network::Network;
use crate::number::grouped;
use crate::origin_process::{OriginError, OriginProcess};
use crate::placement::{Placement, Processors};
use crate::plan::{Cell, Plan};
use crate::process::{Program, Wake};
use crate::record::{Ending, How, LeftOut, Record, RecordError};
use crate::sample::Sample;

/// All that is needed to measure.
#[derive(Debug)]
pub struct Bench<'a> {
    /// The program that is started for each sample, which is told `lane ID`.
    pub program: &'a Program,
    /// What is to be measured.
    pub plan: &'a Plan,
    /// The documents.
    pub corpora: &'a Corpora,
    /// Who serves them.
    pub origin: &'a mut OriginProcess,
    /// Where samples are kept.
    pub record: &'a mut Record,
    /// Where both run, when the plan has cells that are pinned.
    pub processors: Option<&'a Processors>,
    /// Whether somebody wants it to end.
    pub interrupt: &'a Interrupt,
    /// How long it may take.
    pub pace: Pace,
    /// Whether every cell is taken apart afterwards, which this module leaves to
    /// [`inspect`](mod@crate::inspect).
    pub inspect: bool,
}

/// How long a run may take.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// When the run began.
    pub began: Instant,
    /// No sample is begun after that long, and none again that would not be through by then. One
    /// that is under way is given up a few seconds later.
    pub budget: Option<Duration>,
    /// How long one sample may take before its process is killed.
    pub limit: Duration,
    /// Whether every lane runs once before anything counts.
    pub warm_up: bool,
}

/// How long after the budget a sample that is under way is given up.
const GRACE: Duration = Duration::from_secs(5);

impl Pace {
    /// Whether something that takes `more` would not be through in time.
    pub fn is_over_in(&self, more: Duration) -> bool {
        self.budget.is_some_and(|budget| self.began.elapsed() + more >= budget)
    }

    /// How long a sample that begins now may take, and whether the budget is why.
    fn limit_now(&self) -> (Duration, bool) {
        let left =
            |budget: Duration| budget.saturating_add(GRACE).saturating_sub(self.began.elapsed());
        match self.budget.map(left) {
            Some(left) if left < self.limit => (left, true),
            _ => (self.limit, false),
        }
    }
}

/// What happens, for somebody who watches.
#[derive(Debug)]
pub enum Event<'a> {
    /// A sample is about to be taken.
    Starting(&'a Cell),
    /// A sample was taken.
    Taken(&'a Sample),
    /// A cell is skipped for a reason told before.
    Skipped(&'a Cell),
}

/// Why measuring ended early; what was measured is in the record.
#[derive(Debug, Error)]
pub enum MeasureError {
    /// The origin is gone.
    #[error(transparent)]
    Origin(#[from] OriginError),
    /// The record cannot be written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A lane process cannot be started.
    #[error("cannot start {cell}: {source}")]
    Start {
        /// The cell that was to be measured.
        cell: Box<Cell>,
        /// What the system said.
        source: io::Error,
    },
}

/// Measures everything that the plan holds and the pace allows, and ends the record.
///
/// A cell that failed is not run again; a lane that hung is not run again with the same client where
/// it would again, and after the second time not at all, since each time costs the whole limit.
///
/// # Errors
///
/// The origin died, or the record could not be written; a lane that fails is no error.
pub fn measure(
    bench: &mut Bench<'_>,
    watch: &mut dyn FnMut(Event<'_>),
) -> Result<Ending, MeasureError> {
    let (began, ticks) = (Instant::now(), Ticks::now());
    let mut state = State::default();
    let how = all_rounds(bench, &mut state, watch);
    // Whoever comes next finds the origin where it was at the start.
    let _ = place(bench, &mut state.origin_placement, Placement::Unpinned);
    let ending = Ending {
        how: how.as_ref().map_or_else(|error| How::Broken(error.to_string()), How::clone),
        left_out: state.left_out(bench.plan),
        origin_warnings: bench.origin.warnings(),
        load_1m: load_1m(),
        steal: Ticks::now().steal_since(ticks),
        seconds: began.elapsed().as_secs_f64(),
    };
    let ended = bench.record.end(&ending);
    // What broke the run tells more than that its end could not be written either.
    how?;
    ended?;
    Ok(ending)
}

/// What is known by now.
#[derive(Debug, Default)]
struct State {
    /// Answers by workload and number of documents: they cost as much as a job's folding.
    answers: HashMap<(String, u64), Answer>,
    /// How long each block took the last time, by its first cell.
    block_times: HashMap<usize, Duration>,
    /// Cells that failed.
    failed: HashSet<usize>,
    /// Lanes that hung, and in which cells.
    hung: HashMap<(String, Client, Placement), Vec<Cell>>,
    /// Cells with a sample.
    measured: HashSet<usize>,
    /// Where the origin runs.
    origin_placement: Placement,
}

impl State {
    fn skips(&self, index: usize, cell: &Cell) -> bool {
        self.failed.contains(&index) || self.hung_before(cell).is_some()
    }

    fn learn(&mut self, index: usize, sample: &Sample) {
        self.measured.insert(index);
        if let Some(void) = sample.void.as_ref().filter(|void| void.gate.is_failure()) {
            self.failed.insert(index);
            if void.gate == Gate::InTime {
                self.hung.entry(key(&sample.cell)).or_default().push(sample.cell.clone());
            }
        }
    }

    /// Where a lane has hung, if it would do so in `cell`: once it has, in whatever of the workload is
    /// no less; twice, everywhere, since each time costs the whole limit.
    fn hung_before(&self, cell: &Cell) -> Option<&Cell> {
        let hung = self.hung.get(&key(cell))?;
        let is_no_less = |once: &&Cell| {
            let (point, hung) = (cell.point, once.point);
            once.workload == cell.workload
                && point.documents >= hung.documents
                && point.concurrency >= hung.concurrency
        };
        if hung.len() > 1 { hung.last() } else { hung.iter().find(is_no_less) }
    }

    /// The cells without any sample for which there is more to say than that time was up.
    fn left_out(&self, plan: &Plan) -> Vec<LeftOut> {
        let without_sample = plan.running().filter(|index| !self.measured.contains(index));
        without_sample
            .filter_map(|index| {
                let cell = &plan.cells[index].cell;
                let hung = self.hung_before(cell)?;
                let (workload, n) = (&hung.workload, grouped(hung.point.documents));
                let why = format!("left out after it hung in {workload} at N = {n}");
                Some(LeftOut { cell: cell.clone(), why })
            })
            .collect()
    }
}

/// What hangs: the lane, with this client, on these processors.
fn key(cell: &Cell) -> (String, Client, Placement) {
    (cell.lane.clone(), cell.client, cell.placement)
}

fn all_rounds(
    bench: &mut Bench<'_>,
    state: &mut State,
    watch: &mut dyn FnMut(Event<'_>),
) -> Result<How, MeasureError> {
    let warm_up = if bench.pace.warm_up { bench.plan.warm_up() } else { Vec::new() };
    let mut previous = warm_up.last().copied();
    for index in warm_up {
        if let Some(how) = take(bench, state, index, Turn { round: 0, warmup: true }, watch)? {
            return Ok(how);
        }
    }
    for round in 0..bench.plan.rounds {
        let blocks = bench.plan.round(round, previous);
        previous = blocks.iter().flatten().next_back().copied();
        for block in blocks {
            let key = block.iter().copied().min().expect("no block is empty");
            // What was never measured has no time yet, and begins as long as there is any left.
            let expected = state.block_times.get(&key).copied().unwrap_or_default();
            if bench.pace.is_over_in(expected) {
                return Ok(How::OutOfTime);
            }
            let start = Instant::now();
            for index in block {
                if let Some(how) = take(bench, state, index, Turn { round, warmup: false }, watch)?
                {
                    return Ok(how);
                }
            }
            state.block_times.insert(key, start.elapsed());
        }
    }
    Ok(How::Complete)
}

/// Which turn a sample is taken in.
#[derive(Debug, Clone, Copy)]
struct Turn {
    round: u32,
    warmup: bool,
}

/// Takes one sample and records it; says how the run ends once it has to.
fn take(
    bench: &mut Bench<'_>,
    state: &mut State,
    index: usize,
    turn: Turn,
    watch: &mut dyn FnMut(Event<'_>),
) -> Result<Option<How>, MeasureError> {
    let cell = &bench.plan.cells[index].cell;
    if bench.interrupt.has_come() {
        return Ok(Some(How::Interrupted));
    }
    if bench.pace.is_over_in(Duration::ZERO) {
        return Ok(Some(How::OutOfTime));
    }
    if state.skips(index, cell) {
        watch(Event::Skipped(cell));
        return Ok(None);
    }
    watch(Event::Starting(cell));
    let mut sample = match sample(bench, state, index)? {
        Ok(sample) => sample,
        Err(how) => return Ok(Some(how)),
    };
    sample.round = turn.round;
    sample.warmup = turn.warmup;
    bench.record.append(&mut sample)?;
    state.learn(index, &sample);
    watch(Event::Taken(&sample));
    Ok(None)
}

/// How the run ends when it was interrupted or cut short by the budget, which is no sample.
fn sample(
    bench: &mut Bench<'_>,
    state: &mut State,
    index: usize,
) -> Result<Result<Sample, How>, MeasureError> {
    let planned = &bench.plan.cells[index];
    let cell = &planned.cell;
    let job = bench.plan.job(cell, &bench.origin.url, bench.corpora);
    let answer = state.answers.entry((cell.workload.clone(), answered(cell)));
    let answer = answer.or_insert_with(|| expected_answer(bench, cell, &job));
    let processors = place(bench, &mut state.origin_placement, cell.placement)?;

    let mut command = bench.program.lane(&cell.lane);
    bench.origin.reset()?;
    let (limit, is_cut) = bench.pace.limit_now();
    let (before, ticks) = (Network::now(), Ticks::now());
    let ended = lane_process::run(&mut command, &job, processors, limit, bench.interrupt)
        .map_err(|source| MeasureError::Start { cell: Box::new(cell.clone()), source })?;
    match ended.wake {
        Wake::Interrupted => return Ok(Err(How::Interrupted)),
        Wake::OutOfTime if is_cut => return Ok(Err(How::OutOfTime)),
        Wake::OutOfTime | Wake::Ended => {}
    }
    let (network, ticks_after) = (Network::now().since(before), Ticks::now());
    let origin = bench.origin.stats()?;
    let ours_us = ended.measured.usage.cpu_us() + origin.cpu_us;
    let seen = Seen { network, machine: ticks_after.since(ticks, ours_us), origin };
    let expected = Expected {
        cell: planned,
        answer,
        requests: requested(cell),
        arrivals: job.arrivals,
        delay_us: bench.plan.workload(&cell.workload).delay_us,
        load_limit: bench.plan.load_limit,
        limit,
    };
    Ok(Ok(judge(&expected, ended, seen)))
}

/// Where the lane is to run, once the origin is where it is to run.
fn place(
    bench: &Bench<'_>,
    origin_now: &mut Placement,
    wanted: Placement,
) -> Result<Option<CpuSet>, MeasureError> {
    let Some(processors) = bench.processors else { return Ok(None) };
    if *origin_now != wanted {
        bench.origin.place(processors, wanted)?;
        *origin_now = wanted;
    }
    Ok(Some(processors.of_lane(wanted)))
}

/// How many documents a cell's answer is about. The floor and the ceiling parse none.
pub(crate) fn answered(cell: &Cell) -> u64 {
    if cell.is_bound() { 0 } else { cell.point.documents }
}

/// How many documents a cell asks for. The floor asks for none, whatever it is told.
pub(crate) fn requested(cell: &Cell) -> u64 {
    if cell.lane == FLOOR.id { 0 } else { cell.point.documents }
}

pub(crate) fn expected_answer(bench: &Bench<'_>, cell: &Cell, job: &job::Job) -> Answer {
    let workload = bench.plan.workload(&cell.workload);
    let corpus = bench.corpora.of(workload.source, workload.document_bytes);
    let corpus = corpus.expect("a workload that runs has documents");
    let job = job::Job { documents: answered(cell), ..job.clone() };
    Answer::expected(&job, corpus).expect("a job is made of its corpus' ids")
}
