//! A small record for tests: one workload, one point, three lanes with both clients.

use std::collections::BTreeMap;

use harness::ceiling::CEILING;
use harness::child::FLOOR;
use harness::environment::{Build, Environment};
use harness::gate::{Gate, Void};
use harness::inspect::{Calls, INSPECTION_SCHEMA, Inspection, MachineGrowth, MemoryPeaks, Pass};
use harness::limits::Limits;
use harness::machine::MachineMeasured;
use harness::network::Network;
use harness::placement::Placement;
use harness::plan::{Cell, NotRun, PLAN_SCHEMA, Plan, PlannedCell, PlannedWorkload};
use harness::record::{Ending, How, Recorded};
use harness::sample::{JobMeasured, ProcessMeasured, SAMPLE_SCHEMA, Sample};
use harness::timelines::{TIMELINE_SCHEMA, Timeline};
use harness::workload::{Point, Profile, Source};
use job::{Client, Process, Request, Usage};

pub const LANES: [&str; 3] = ["blocking/sequential", "stackful/hub", "stackless/tokio-local"];

/// `blocking/sequential` is too slow to run; `stackful/hub` crashes with `library`, and with `raw`
/// one of its three samples does not count; `stackless/tokio-local` is twice as fast.
pub fn recorded() -> Recorded {
    let mut samples = Vec::new();
    for client in [Client::Library, Client::Raw] {
        samples.push(Sample { warmup: true, ..sample(LANES[1], client, 900.0) });
        samples.extend([(); 3].map(|()| sample(LANES[2], client, 20.0)));
    }
    samples.extend([(); 3].map(|()| sample(LANES[1], Client::Raw, 40.0)));
    void(samples.last_mut().unwrap(), Gate::InFlightMost, "had 9 requests in flight, allowed 8");
    samples.push(Sample { job: None, ..sample(LANES[1], Client::Library, 0.0) });
    void(samples.last_mut().unwrap(), Gate::Ended, "crashed with signal 6");
    let mut floor = sample(FLOOR.id, Client::Raw, 0.0);
    floor.job.as_mut().unwrap().rss_bytes_peak = Some(3 << 19);
    let mut warm_up = Sample { warmup: true, ..floor.clone() };
    warm_up.job.as_mut().unwrap().rss_bytes_peak = Some(9 << 19);
    samples.extend([warm_up.clone(), warm_up, floor]);
    Recorded {
        plan: plan(),
        environment: environment(),
        samples,
        timelines: Vec::new(),
        inspections: Vec::new(),
        ending: None,
    }
}

/// Twelve rounds of three lanes with the raw client, one of them again, and the ceiling.
/// `stackless/tokio-local` takes 20 ms, `stackful/hub` as much, `blocking/sequential` half as much
/// again; all with a noise of less than 1 %.
pub fn compared() -> Recorded {
    let mut recorded = recorded();
    let again = format!("{}+again", LANES[2]);
    let lanes = [(LANES[0], 30.0), (LANES[1], 20.0), (LANES[2], 20.0), (again.as_str(), 20.0)];
    recorded.plan.cells.clear();
    recorded.samples.clear();
    for (index, (lane, wall_ms)) in lanes.into_iter().enumerate() {
        let planned =
            PlannedCell { cell: cell(lane, Client::Raw), in_flight_least: 0, not_run: None };
        recorded.plan.cells.push(planned);
        for round in 0..12 {
            // As if at random, and the same every time.
            let noise = f64::from((round * 7 + index as u32 * 5) % 11) / 11.0 - 0.5;
            let sample = sample(lane, Client::Raw, wall_ms * (1.0 + 0.01 * noise));
            recorded.samples.push(Sample { round, ..sample });
        }
    }
    recorded.samples.push(sample(CEILING.id, Client::Raw, 14.0));
    recorded
}

/// `stackful/hub` alone, with the raw client and as many requests in flight as documents: 8 KiB a
/// task above 4 MiB, nine threads, and two calls a document of which one is an error.
pub fn inspected() -> Recorded {
    let mut recorded = recorded();
    recorded.samples.clear();
    recorded.plan.cells.clear();
    for tasks in [100, 200, 300] {
        let point = Point { documents: tasks, concurrency: tasks, rate: None };
        for lane in [LANES[1], FLOOR.id] {
            let cell = Cell { point, ..cell(lane, Client::Raw) };
            let bytes = if lane == FLOOR.id { 4 << 20 } else { (4 << 20) + tasks * 8_192 };
            let mut sample = Sample { cell: cell.clone(), ..sample(lane, Client::Raw, 20.0) };
            sample.job.as_mut().unwrap().rss_bytes_peak = Some(bytes);
            // Three of each: of three points alone no interval is known.
            recorded.samples.extend(std::iter::repeat_n(sample, 3));
            recorded.inspections.extend([(); 3].iter().flat_map(|()| looks(&cell, bytes)));
            recorded.plan.cells.push(PlannedCell { cell, in_flight_least: 0, not_run: None });
        }
    }
    recorded
}

/// A look at memory and one at system calls.
fn looks(cell: &Cell, bytes: u64) -> [Inspection; 2] {
    let is_floor = cell.lane == FLOOR.id;
    let threads = if is_floor { 1 } else { 9 };
    let tcp_sockets = if is_floor { 0 } else { cell.point.documents * 2 };
    let memory = MemoryPeaks {
        polls: 7,
        rss_bytes: bytes,
        anonymous_bytes: bytes,
        private_bytes: bytes,
        threads,
        kernel_stacks_bytes: threads * 16_384,
        machine: MachineGrowth { tcp_sockets, ..MachineGrowth::default() },
        ..MemoryPeaks::default()
    };
    let mut system_calls = BTreeMap::from([("mmap".to_owned(), Calls { calls: 5, errors: 0 })]);
    if !is_floor {
        let errors = cell.point.documents;
        system_calls.insert("recvfrom".into(), Calls { calls: 2 * errors, errors });
    }
    let look = Inspection {
        schema: INSPECTION_SCHEMA,
        started_unix_ms: 0,
        cell: cell.clone(),
        pass: Pass::Memory,
        documents_fetched: cell.point.documents,
        void: None,
        memory: Some(memory),
        system_calls: None,
        allocations: None,
    };
    let system_calls = Some(system_calls);
    [look.clone(), Inspection { pass: Pass::SystemCalls, memory: None, system_calls, ..look }]
}

/// Makes every job of a lane take `wall_ms` or a multiple of it.
pub fn scale_walls(recorded: &mut Recorded, wall_ms: f64) {
    for job in recorded.samples.iter_mut().filter_map(|sample| sample.job.as_mut()) {
        job.wall_ns = (job.wall_ns as f64 * wall_ms / 20.0) as u64;
    }
}

/// The same in an open loop, where every document is sent in time and one in fifty comes late.
pub fn at_rate(rate: u64) -> Recorded {
    let mut recorded = recorded();
    recorded.plan.workloads[0].arrivals = Some(Process::Poisson);
    let planned = recorded.plan.cells.iter_mut().map(|planned| &mut planned.cell);
    let taken = recorded.samples.iter_mut().map(|sample| &mut sample.cell);
    planned.chain(taken).for_each(|cell| cell.point.rate = Some(rate));
    for job in recorded.samples.iter_mut().filter_map(|sample| sample.job.as_mut()) {
        job.latencies_ns = Some(vec![(40_000_000, 2), (3_000_000, 98)]);
        job.sent_in_time = Some(100);
    }
    recorded
}

pub fn ending(how: How) -> Ending {
    let (left_out, origin_warnings) = (Vec::new(), Vec::new());
    Ending { how, left_out, origin_warnings, load_1m: 0.0, steal: 0.0, seconds: 1.0 }
}

fn cell(lane: &str, client: Client) -> Cell {
    let point = Point { documents: 100, concurrency: 8, rate: None };
    let placement = Placement::Unpinned;
    Cell { workload: "all-at-once".into(), point, client, lane: lane.into(), placement }
}

/// What was seen of a lane's requests.
pub fn timeline(lane: &str, requests: Vec<Request>) -> Timeline {
    Timeline {
        schema: TIMELINE_SCHEMA,
        started_unix_ms: 0,
        cell: cell(lane, Client::Library),
        delay_us: 20_000,
        void: None,
        wall_ns: 1_000_000,
        requests,
    }
}

fn plan() -> Plan {
    let planned = |lane: &str, client| {
        let slow = NotRun::Slow("waits 100 × 20 ms = 20 s".into());
        let not_run = (lane == LANES[0]).then_some(slow);
        PlannedCell { cell: cell(lane, client), in_flight_least: 0, not_run }
    };
    let clients = [Client::Library, Client::Raw];
    let mut cells: Vec<_> =
        clients.iter().flat_map(|client| LANES.map(|lane| planned(lane, *client))).collect();
    cells.push(planned(FLOOR.id, Client::Raw));
    let workload = PlannedWorkload {
        name: "all-at-once".into(),
        shows: "What a wait costs.".into(),
        source: Source::Generated,
        arrivals: None,
        delay_us: 20_000,
        delays_us: Vec::new(),
        patience_s: None,
        close: false,
        document_bytes: 1_500,
        timelines: Vec::new(),
        not_run: None,
    };
    let (workloads, lanes) = (vec![workload], Vec::new());
    let (schema, profile, load_limit) = (PLAN_SCHEMA, Profile::Standard, 0.1);
    Plan { schema, profile, rounds: 3, seed: 1, load_limit, workloads, lanes, cells }
}

fn environment() -> Environment {
    let build = Build {
        rustc: "rustc 1.95.0".into(),
        commit: Some("0123abc".into()),
        modified: Some(true),
        optimised: false,
        features: Vec::new(),
        others: BTreeMap::new(),
        crates: BTreeMap::new(),
    };
    Environment::observe(build, Limits::read(), "hyper", 1)
}

fn sample(lane: &str, client: Client, wall_ms: f64) -> Sample {
    let usage = Usage { user_us: 100, system_us: 50, ..Usage::default() };
    let job = JobMeasured {
        wall_ns: (wall_ms * 1e6) as u64,
        ready_ns: None,
        usage: Some(usage),
        rss_bytes_peak: Some(4 << 19),
        address_space_bytes_peak: Some(1 << 27),
        service_times_ns: vec![(2_000_000, 2), (1_000_000, 98)],
        latencies_ns: None,
        sent_in_time: None,
        allocations: None,
    };
    let process = ProcessMeasured { wall_ns: 9_000_000, usage, exit_code: Some(0), signal: None };
    Sample {
        schema: SAMPLE_SCHEMA,
        number: 0,
        round: 0,
        warmup: false,
        started_unix_ms: 0,
        cell: cell(lane, client),
        void: None,
        job: Some(job),
        process,
        origin: None,
        network: Network::default(),
        machine: MachineMeasured::default(),
    }
}

/// Makes a sample one that does not count, for no fault of its lane.
pub fn disturb(sample: &mut Sample) {
    void(sample, Gate::Load, "other processes took 50 % of the CPU time, and 10 % is the most");
}

/// Makes a sample one that does not count, for its lane's fault.
pub fn fail(sample: &mut Sample) {
    void(sample, Gate::Answer, "answered wrong: moves is 7, not 6");
}

fn void(sample: &mut Sample, gate: Gate, why: &str) {
    sample.void = Some(Void { gate, why: why.into() });
}
