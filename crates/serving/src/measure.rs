//! All rounds, within a time: each cell with its server running, and all clients in one process.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use harness::environment::load_1m;
use harness::machine::Ticks;
use harness::measure::Pace;
use harness::placement::Processors;
use harness::process::Program;
use harness::record::{Ending, How, RecordError};
use harness::{Interrupt, Placement};
use load::order::Expected;
use load::{Blocker, Load, Order, Outcome};
use rustix::thread::CpuSet;
use thiserror::Error;

use crate::clients::{self, Done};
use crate::plan::{Cell, Plan, Point};
use crate::record::Record;
use crate::sample::{SAMPLE_SCHEMA, Sample, ServerMeasured, Step, Void};
use crate::scene::{Kind, Scene};
use crate::server::{Documents, Running, Server};
use crate::tree::Held;

/// All that is needed to measure.
#[derive(Debug)]
pub struct Bench<'a> {
    /// The program that is started for the clients, which is told `load`.
    pub program: &'a Program,
    /// What is to be measured.
    pub plan: &'a Plan,
    /// The plan's servers, in its order.
    pub servers: &'a [Server],
    /// The documents that they have.
    pub documents: &'a [(Documents, Vec<Expected>)],
    /// Where samples are kept.
    pub record: &'a mut Record,
    /// Where servers and clients run, when the plan pins them.
    pub processors: Option<&'a Processors>,
    /// Whether somebody wants it to end.
    pub interrupt: &'a Interrupt,
    /// How long it may take.
    pub pace: Pace,
}

/// What happens, for somebody who watches.
#[derive(Debug)]
pub enum Event<'a> {
    /// A server is about to be started.
    Starting(&'a Server),
    /// A sample is about to be taken.
    Measuring(&'a Cell),
    /// A sample was taken.
    Taken(&'a Sample),
    /// A cell is skipped for a reason told before.
    Skipped(&'a Cell),
}

/// Why measuring ended early; what was measured is in the record.
#[derive(Debug, Error)]
pub enum MeasureError {
    /// The record cannot be written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The clients' process cannot be started.
    #[error("cannot run clients for {cell}: {source}")]
    Clients {
        /// The cell that was to be measured.
        cell: Box<Cell>,
        /// What the system said.
        source: io::Error,
    },
}

/// After so many failures a cell is not tried again.
const FAILURES_MOST: usize = 2;

/// How long answers are awaited when no more are asked for.
const PATIENCE: Duration = Duration::from_secs(10);

/// The same beside slow clients, who may keep a server from all others for as long as they stay.
const PATIENCE_BESIDE_SLOW: Duration = Duration::from_secs(2);

/// The most connections of an open loop, beyond what a ceiling's clients are: what a server that
/// stalls for a second can have pile up.
const CONNECTIONS_MOST: u64 = 4_000;

/// Measures everything that the plan holds and the pace allows, and ends the record.
///
/// A server is started when it is first needed, and stays until the end, so that all of them are
/// measured close together; where memory is what counts, it begins afresh.
///
/// # Errors
///
/// The record could not be written, or clients not be started; a server that fails is no error.
pub fn measure(
    bench: &mut Bench<'_>,
    watch: &mut dyn FnMut(Event<'_>),
) -> Result<Ending, MeasureError> {
    let (began, ticks) = (Instant::now(), Ticks::now());
    let mut fleet = Fleet::default();
    let how = all_rounds(bench, &mut fleet, watch);
    let ending = Ending {
        how: how.as_ref().map_or_else(|error| How::Broken(error.to_string()), How::clone),
        left_out: Vec::new(),
        origin_warnings: Vec::new(),
        load_1m: load_1m(),
        steal: Ticks::now().steal_since(ticks),
        seconds: began.elapsed().as_secs_f64(),
    };
    let ended = bench.record.end(&ending);
    how?;
    ended?;
    Ok(ending)
}

/// The servers that run, and what is known of all of them.
#[derive(Debug, Default)]
struct Fleet {
    running: HashMap<String, Running>,
    /// Requests a second, by server, scene and handler, the latest last.
    ceilings: BTreeMap<(String, String, String), Vec<f64>>,
    failures: HashMap<usize, usize>,
    /// Servers that did not start.
    lost: HashSet<String>,
    block_times: HashMap<usize, Duration>,
}

#[derive(Debug, Clone, Copy)]
struct Turn {
    round: u32,
    warmup: bool,
}

fn all_rounds(
    bench: &mut Bench<'_>,
    fleet: &mut Fleet,
    watch: &mut dyn FnMut(Event<'_>),
) -> Result<How, MeasureError> {
    for index in bench.plan.warm_up() {
        let turn = Turn { round: 0, warmup: true };
        if let Some(how) = take(bench, fleet, index, turn, watch)? {
            return Ok(how);
        }
    }
    for round in 0..bench.plan.rounds {
        for block in bench.plan.round(round) {
            let key = block.iter().copied().min().expect("no block is empty");
            let expected = fleet.block_times.get(&key).copied().unwrap_or_default();
            if bench.pace.is_over_in(expected) {
                return Ok(How::OutOfTime);
            }
            let start = Instant::now();
            for index in block {
                let turn = Turn { round, warmup: false };
                if let Some(how) = take(bench, fleet, index, turn, watch)? {
                    return Ok(how);
                }
            }
            fleet.block_times.insert(key, start.elapsed());
        }
    }
    Ok(How::Complete)
}

/// Takes one sample and records it; says how the run ends once it has to.
fn take(
    bench: &mut Bench<'_>,
    fleet: &mut Fleet,
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
    let failures = fleet.failures.get(&index).copied().unwrap_or(0);
    if failures >= FAILURES_MOST || fleet.lost.contains(&cell.server) {
        watch(Event::Skipped(cell));
        return Ok(None);
    }
    let Some(mut sample) = sample(bench, fleet, cell, watch)? else {
        return Ok(Some(How::Interrupted));
    };
    (sample.round, sample.warmup) = (turn.round, turn.warmup);
    if sample.void.as_ref().is_some_and(|void| void.failed) {
        *fleet.failures.entry(index).or_default() += 1;
    }
    fleet.learn(&sample, bench.plan.script.scene(&cell.scene));
    bench.record.append(&mut sample)?;
    watch(Event::Taken(&sample));
    Ok(None)
}

/// One sample; `None` when somebody interrupted it.
fn sample(
    bench: &Bench<'_>,
    fleet: &mut Fleet,
    cell: &Cell,
    watch: &mut dyn FnMut(Event<'_>),
) -> Result<Option<Sample>, MeasureError> {
    let scene = bench.plan.script.scene(&cell.scene);
    let server = bench.servers.iter().find(|server| server.id == cell.server);
    let server = server.expect("a plan is made of its servers");
    if scene.load.holds() {
        fleet.running.remove(&server.id);
    }
    match fleet.start(bench, server, watch) {
        Ok(true) => {}
        Ok(false) => return Ok(None),
        Err(error) => {
            fleet.lost.insert(server.id.clone());
            let why = format!("it cannot be started: {error}");
            return Ok(Some(empty(cell, Some(Void { failed: true, why }))));
        }
    }
    if scene.load == Kind::Open && !cell.point.is_ceiling() && fleet.rate(cell, scene).is_none() {
        let why = "its ceiling, of which its rate is a part, was not found".to_owned();
        return Ok(Some(empty(cell, Some(Void { failed: true, why }))));
    }
    watch(Event::Measuring(cell));
    let measured = measured(bench, fleet, cell, scene, server);
    if scene.load.holds() || measured.as_ref().is_ok_and(|it| is_left_busy(it.as_ref())) {
        fleet.running.remove(&server.id);
    }
    measured.map_err(|source| MeasureError::Clients { cell: Box::new(cell.clone()), source })
}

/// Whether the server has ended, or may go on with requests that nobody waits for any more: the next
/// sample would pay for them.
fn is_left_busy(sample: Option<&Sample>) -> bool {
    let Some(sample) = sample else { return true };
    let is_through = |outcome: &Outcome| outcome.failed + outcome.unanswered == 0;
    sample.server.is_none() || !sample.clients.as_ref().is_some_and(is_through)
}

fn measured(
    bench: &Bench<'_>,
    fleet: &Fleet,
    cell: &Cell,
    scene: &Scene,
    server: &Server,
) -> io::Result<Option<Sample>> {
    let running = &fleet.running[&server.id];
    let mut sample = empty(cell, None);
    let rate = fleet.rate(cell, scene);
    let order = order(bench, cell, scene, server, running, rate);
    let before = running.tree().map(|tree| tree.cpu_us());
    let ticks = Ticks::now();
    let mut steps = Vec::new();
    let mut step = |held: load::Held| {
        let load::Held { connections, open } = held;
        steps.push(Step { connections, open, held: settled(running) });
    };
    let processors = clients_processors(bench);
    let limit = bench.pace.limit;
    let done = clients::run(bench.program, &order, processors, limit, bench.interrupt, &mut step)?;
    sample.machine = Ticks::now().since(ticks, 0);
    sample.steps = steps;
    sample.rate = rate;
    let outcome = match done {
        Done::Interrupted => return Ok(None),
        Done::Failed(why) => Err(why),
        Done::Outcome(outcome) => Ok(*outcome),
    };
    let (before, tree) = match (before, running.tree()) {
        (Ok(before), Ok(tree)) => (before, tree),
        (Err(error), _) | (_, Err(error)) => {
            let why = format!("the server: {error}: {}", running.last_words());
            sample.void = Some(Void { failed: true, why });
            return Ok(Some(sample));
        }
    };
    let cpu_us = tree.cpu_us().saturating_sub(before);
    let ours_us = cpu_us + outcome.as_ref().map_or(0, |outcome| outcome.cpu_us);
    sample.machine = Ticks::now().since(ticks, ours_us);
    sample.server = Some(ServerMeasured {
        cpu_us,
        processes: tree.processes(),
        held: tree.held(),
        ready_ms: u64::try_from(running.ready.as_millis()).unwrap_or(u64::MAX),
    });
    sample.void = void(&sample, scene, &outcome, bench.plan.load_limit);
    sample.clients = outcome.ok().map(|outcome| kept(outcome, scene, cell.point));
    Ok(Some(sample))
}

/// Why it does not count. Who is slow or blocks may keep a server from its others: that is what is
/// measured then.
fn void(
    sample: &Sample,
    scene: &Scene,
    outcome: &Result<Outcome, String>,
    load_limit: f64,
) -> Option<Void> {
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(why) => return Some(Void { failed: true, why: why.clone() }),
    };
    let Outcome { answered, failed, unanswered, why, .. } = outcome;
    let all = answered + failed + unanswered;
    let may_starve = sample.cell.point.slow > 0 || scene.blocker.is_some();
    let told = match (failed, unanswered) {
        (1.., _) => {
            let why = why.as_deref().unwrap_or("no reason was given");
            Some(format!("{failed} of {all} requests failed: {why}"))
        }
        (0, 1..) if !may_starve => {
            let patience = PATIENCE.as_secs();
            Some(format!("{unanswered} of {all} requests had no answer {patience} s later"))
        }
        _ => None,
    };
    let told = told.map(|why| Void { failed: true, why });
    told.or_else(|| Some(Void { failed: false, why: sample.machine.above(load_limit)? }))
}

/// Requests one by one are kept where they are drawn.
fn kept(outcome: Outcome, scene: &Scene, point: Point) -> Outcome {
    let is_drawn = scene.picture.contains(&point.clients);
    Outcome { requests: if is_drawn { outcome.requests } else { Vec::new() }, ..outcome }
}

fn order(
    bench: &Bench<'_>,
    cell: &Cell,
    scene: &Scene,
    server: &Server,
    running: &Running,
    rate: Option<u64>,
) -> Order {
    let script = &bench.plan.script;
    let documents = bench.documents.iter().find(|(whose, _)| *whose == server.documents);
    let patience = if cell.point.slow > 0 { PATIENCE_BESIDE_SLOW } else { PATIENCE };
    let clients = cell.point.clients;
    let closed = Load::Closed { clients, for_ms: scene.for_ms };
    let load = match scene.load {
        Kind::AtOnce => Load::AtOnce { clients },
        Kind::Closed => closed,
        Kind::Open if cell.point.is_ceiling() => closed,
        Kind::Open => Load::Open {
            process: scene.arrivals,
            rate: rate.unwrap_or(1),
            seed: bench.plan.seed,
            for_ms: scene.for_ms,
            connections_most: CONNECTIONS_MOST,
            blocker: scene.blocker.as_ref().map(|name| Blocker {
                path: script.handler(name).path().replace("{id}", "1"),
                after_ms: scene.for_ms / 4,
            }),
        },
        Kind::Idle | Kind::Waiting => {
            Load::Held { steps: scene.clients.clone(), waiting: scene.load == Kind::Waiting }
        }
    };
    Order {
        url: running.url.clone(),
        path: script.handler(&cell.handler).path(),
        documents: documents.map(|(_, documents)| documents.clone()).unwrap_or_default(),
        load,
        slow: cell.point.slow,
        patience_ms: u64::try_from(patience.as_millis()).unwrap_or(u64::MAX),
    }
}

/// Memory once it does not change any more: nothing tells when a server has taken in all that it was
/// given, so it is looked at until two looks agree.
fn settled(running: &Running) -> Held {
    const PAUSE: Duration = Duration::from_millis(60);
    const LOOKS_MOST: usize = 12;
    let look = || running.tree().map(|tree| tree.held()).unwrap_or_default();
    let mut last = look();
    for _ in 0..LOOKS_MOST {
        thread::sleep(PAUSE);
        let now = look();
        let difference = now.private_bytes.abs_diff(last.private_bytes);
        last = now;
        if difference * 500 < now.private_bytes {
            break;
        }
    }
    last
}

fn clients_processors(bench: &Bench<'_>) -> Option<CpuSet> {
    let pinned = bench.plan.placement == Placement::Pinned;
    bench.processors.filter(|_| pinned).map(|all| all.of_lane(Placement::Pinned))
}

fn server_processors(bench: &Bench<'_>) -> Option<CpuSet> {
    let pinned = bench.plan.placement == Placement::Pinned;
    bench.processors.filter(|_| pinned).map(Processors::of_origin)
}

fn empty(cell: &Cell, void: Option<Void>) -> Sample {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Sample {
        schema: SAMPLE_SCHEMA,
        number: 0,
        round: 0,
        warmup: false,
        started_unix_ms: u64::try_from(now.as_millis()).unwrap_or(u64::MAX),
        cell: cell.clone(),
        void,
        clients: None,
        server: None,
        rate: None,
        steps: Vec::new(),
        machine: harness::machine::MachineMeasured::default(),
    }
}

impl Fleet {
    /// Has the server running; false when somebody interrupted its start.
    fn start(
        &mut self,
        bench: &Bench<'_>,
        server: &Server,
        watch: &mut dyn FnMut(Event<'_>),
    ) -> io::Result<bool> {
        if self.running.contains_key(&server.id) {
            return Ok(true);
        }
        watch(Event::Starting(server));
        let started = server.start(server_processors(bench), bench.interrupt)?;
        let is_running = started.is_some();
        self.running.extend(started.map(|running| (server.id.clone(), running)));
        Ok(is_running)
    }

    /// Requests a second of an open loop: those that the scene names, or a part of the ceiling.
    fn rate(&self, cell: &Cell, scene: &Scene) -> Option<u64> {
        if scene.load != Kind::Open || cell.point.is_ceiling() {
            return None;
        }
        if scene.rate.is_some() {
            return scene.rate;
        }
        let part = f64::from(cell.point.percent?) / 100.0;
        let ceiling = middle(self.ceilings.get(&ceiling_of(cell))?)?;
        Some(((ceiling * part).round() as u64).max(1))
    }

    fn learn(&mut self, sample: &Sample, scene: &Scene) {
        let outcome = sample.clients.as_ref().filter(|_| sample.void.is_none());
        if let Some(outcome) = outcome.filter(|_| sample.cell.point.is_ceiling()) {
            let seconds = (outcome.wall_ns as f64 / 1e9).max(scene.for_ms as f64 / 1e3);
            let ceilings = self.ceilings.entry(ceiling_of(&sample.cell)).or_default();
            ceilings.push(outcome.answered as f64 / seconds);
        }
    }
}

fn ceiling_of(cell: &Cell) -> (String, String, String) {
    (cell.server.clone(), cell.scene.clone(), cell.handler.clone())
}

/// Of what was found so far: one that was disturbed sets no rate.
fn middle(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}
