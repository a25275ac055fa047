//! A small record for tests: every kind of scene, four servers, five rounds.

use harness::machine::MachineMeasured;
use harness::placement::Placement;
use job::Request;
use load::Outcome;
use serving::plan::{Plan, Wishes};
use serving::sample::{SAMPLE_SCHEMA, ServerMeasured, Step, Void};
use serving::scene::{Kind, Script};
use serving::tree::Held;
use serving::{Cell, Documents, Point, Recorded, Sample, Server};

pub const POOL: &str = "blocking/pool";
pub const HUB: &str = "stackful/hub";
pub const GO: &str = "other/go-server";
pub const NGINX: &str = "other/nginx";

const SCRIPT: &str = r#"
handler = [
    { name = "nothing", says = "answers at once" },
    { name = "waits", says = "waits 100 ms", wait_us = 100_000 },
    { name = "long", says = "waits a minute", wait_us = 60_000_000 },
    { name = "blocks", says = "blocks its thread for a second", block_us = 1_000_000 },
]
scene = [
    { name = "servers-at-once", load = "at-once", shows = "All at once.", handlers = ["waits"], clients = [1, 5, 16, 1_000], picture = [5] },
    { name = "servers-keep-alive", load = "closed", shows = "What a request costs.", handlers = ["nothing"], clients = [64], for_ms = 500 },
    { name = "servers-rising-load", load = "open", shows = "As strangers do.", handlers = ["nothing"], clients = [64], for_ms = 500, percent = [10, 50, 75, 90, 100] },
    { name = "servers-slow-clients", load = "closed", shows = "Ten are slow.", handlers = ["nothing"], clients = [90], for_ms = 500, slow = [0, 10] },
    { name = "servers-idle", load = "idle", shows = "They stay.", handlers = ["nothing"], clients = [100, 200, 300] },
    { name = "servers-waiting", load = "waiting", shows = "They wait.", handlers = ["long"], clients = [100, 200, 300], at_once_least = 300 },
    { name = "servers-blocked", load = "open", shows = "One blocks.", handlers = ["nothing"], blocker = "blocks", clients = [64], rate = 200, for_ms = 500 },
]
"#;

/// Milliseconds that a round is slower by.
const NOISE_MS: [f64; 7] = [2.0, 0.0, 4.0, 1.0, 3.0, 2.0, 1.0];

/// Five rounds. `blocking/pool` serves four at once, loses nine of ten documents to slow clients and
/// closes each connection; `stackful/hub` takes twice the CPU time of `other/go-server` and a quarter of
/// its memory; `other/nginx` is static. One sample of the hub's with five clients is void.
pub fn recorded() -> Recorded {
    of_rounds(5)
}

/// The same of so many rounds.
pub fn of_rounds(rounds: u32) -> Recorded {
    let plan = plan(rounds);
    let cells: Vec<_> = plan.running().map(|index| plan.cells[index].cell.clone()).collect();
    let mut samples: Vec<_> =
        (0..rounds).flat_map(|round| cells.iter().map(move |cell| sample(cell, round))).collect();
    let is_voided = |sample: &&mut Sample| {
        sample.round == 4 && sample.cell.server == HUB && sample.cell.point.clients == 5
    };
    for sample in samples.iter_mut().filter(is_voided) {
        sample.clients.as_mut().unwrap().wall_ns = 700_000_000;
        disturb(sample);
    }
    let mut warm_up = samples.iter().find(|sample| sample.cell.server == HUB).unwrap().clone();
    warm_up.cell.point.clients = 5;
    warm_up.clients.as_mut().unwrap().wall_ns = 900_000_000;
    samples.insert(0, Sample { warmup: true, ..warm_up });
    let environment = crate::fixture::recorded().environment;
    let ending = Some(crate::fixture::ending(harness::record::How::Complete));
    Recorded { plan, environment, samples, ending }
}

/// Makes every figure of it as long as it may get.
pub fn with_long_numbers(recorded: &mut Recorded) {
    let longer = |counts: &mut Vec<(u64, u64)>| {
        counts.iter_mut().for_each(|(ns, _)| *ns = 98_765_432_100 + 1_234_567 * *ns / 1_000_000);
    };
    for sample in &mut recorded.samples {
        for outcome in sample.clients.iter_mut() {
            outcome.wall_ns = 98_765_432_100 + 7 * outcome.wall_ns;
            outcome.answered *= 12_345;
            longer(&mut outcome.service_times_ns);
            longer(&mut outcome.latencies_ns);
            longer(&mut outcome.late_ns);
        }
        for server in sample.server.iter_mut() {
            server.cpu_us *= 98_765;
        }
        for step in &mut sample.steps {
            step.held.proportional_bytes *= 1_234;
            step.held.private_bytes *= 1_234;
        }
    }
}

fn plan(rounds: u32) -> Plan {
    let script = Script::read("fixture.toml", SCRIPT).unwrap();
    let server = |id: &str, at_once: Option<u64>| Server {
        id: id.to_owned(),
        waits: String::new(),
        mirrors: format!("what {id} stands for"),
        at_once,
        is_static: id == NGINX,
        documents: Documents::Generated,
        program: id.into(),
        arguments: Vec::new(),
        folder: None,
        missing: None,
    };
    let servers = [server(POOL, Some(4)), server(HUB, None), server(GO, None), server(NGINX, None)];
    Plan::new(&Wishes {
        script: &script,
        servers: &servers,
        rounds,
        seed: 1,
        load_limit: 0.2,
        placement: Placement::Unpinned,
    })
}

fn sample(cell: &Cell, round: u32) -> Sample {
    let script = Script::read("fixture.toml", SCRIPT).unwrap();
    let load = script.scene(&cell.scene).load;
    let noise_ms = NOISE_MS[round as usize];
    let outcome = match load {
        Kind::AtOnce => at_once(cell, noise_ms),
        Kind::Closed => closed(cell, round),
        Kind::Open if cell.point.is_ceiling() => closed(cell, round),
        Kind::Open => open(cell, noise_ms),
        Kind::Idle | Kind::Waiting => Outcome { connections: 300, ..Outcome::default() },
    };
    let steps = if load.holds() { steps(cell, load) } else { Vec::new() };
    let cpu_us = outcome.answered * cpu_us(&cell.server) * u64::from(round + 1);
    let held = Held { proportional_bytes: 9 << 20, private_bytes: 8 << 20 };
    Sample {
        rate: (load == Kind::Open && !cell.point.is_ceiling()).then_some(200),
        steps,
        server: Some(ServerMeasured { cpu_us, processes: 3, held, ready_ms: 5 }),
        clients: Some(outcome),
        round,
        ..empty(cell)
    }
}

fn cpu_us(server: &str) -> u64 {
    match server {
        HUB => 20,
        GO => 10,
        NGINX => 5,
        _ => 15,
    }
}

fn at_once(cell: &Cell, noise_ms: f64) -> Outcome {
    let turn = |number: u64| if cell.server == POOL { number / 4 + 1 } else { 1 };
    let last_byte_ns = |number| (turn(number) as f64 * 1e8 + noise_ms * 1e6) as u64;
    let requests: Vec<_> = (0..cell.point.clients)
        .map(|number| Request {
            begun_ns: number * 1_000,
            connecting_ns: None,
            connected_ns: None,
            sent_ns: None,
            first_byte_ns: None,
            last_byte_ns: last_byte_ns(number),
            parsed_ns: last_byte_ns(number),
            thread: 0,
        })
        .collect();
    Outcome {
        wall_ns: last_byte_ns(cell.point.clients - 1),
        answered: cell.point.clients,
        service_times_ns: requests.iter().map(|request| (request.last_byte_ns, 1)).collect(),
        requests: if cell.point.clients == 5 { requests } else { Vec::new() },
        ..Outcome::default()
    }
}

fn closed(cell: &Cell, round: u32) -> Outcome {
    let is_slowed = cell.server == POOL && cell.point.slow > 0;
    Outcome {
        wall_ns: 400_000_000,
        answered: u64::from(if is_slowed { 100 * (round + 1) } else { 1_000 * (round + 1) }),
        service_times_ns: vec![(1_000_000, 98), (4_000_000, 2)],
        cpu_us: 5_000,
        ..Outcome::default()
    }
}

fn open(cell: &Cell, noise_ms: f64) -> Outcome {
    let p99_ms = match (cell.point.percent, cell.server.as_str()) {
        (Some(10), _) => 2.0,
        (Some(50), POOL) => 5.0,
        (Some(90), HUB) => 4.5,
        (Some(_), _) => 3.0,
        (None, HUB) => 900.0,
        (None, _) => 1.5,
    };
    let p99_ns = ((p99_ms + noise_ms / 1e3) * 1e6) as u64;
    Outcome {
        wall_ns: 500_000_000,
        answered: 100,
        latencies_ns: vec![(1_000_000, 90), (p99_ns, 10)],
        late_ns: vec![(60_000, 100)],
        blocker_ns: cell.point.percent.is_none().then_some(1_000_000_000),
        ..Outcome::default()
    }
}

fn steps(cell: &Cell, load: Kind) -> Vec<Step> {
    let kib: u64 = match cell.server.as_str() {
        HUB => 10,
        GO => 40,
        _ => 2,
    };
    let closes = cell.server == POOL && load == Kind::Idle;
    let of = |connections: u64| {
        let open = if closes { 0 } else { connections };
        step(connections, open, (20 << 20) + open * kib * 1_024)
    };
    [100, 200, 300].map(of).to_vec()
}

pub fn step(connections: u64, open: u64, bytes: u64) -> Step {
    let held = Held { proportional_bytes: bytes, private_bytes: bytes / 2 };
    Step { connections, open, held }
}

/// A sample of these steps.
pub fn held<const STEPS: usize>(steps: [Step; STEPS]) -> Sample {
    let cell = Cell {
        scene: "servers-idle".into(),
        handler: "nothing".into(),
        point: Point { clients: 300, percent: None, slow: 0 },
        server: HUB.into(),
    };
    Sample { steps: steps.to_vec(), ..empty(&cell) }
}

/// Makes a sample one that does not count, for no fault of its server.
pub fn disturb(sample: &mut Sample) {
    let why = "other processes took 50 % of the CPU time, and 20 % is the most (--load-limit)";
    sample.void = Some(Void { failed: false, why: why.into() });
}

/// A sample that does not count, for its server's fault.
pub fn failed(cell: &Cell, why: &str) -> Sample {
    Sample { void: Some(Void { failed: true, why: why.into() }), ..empty(cell) }
}

fn empty(cell: &Cell) -> Sample {
    Sample {
        schema: SAMPLE_SCHEMA,
        number: 0,
        round: 0,
        warmup: false,
        started_unix_ms: 0,
        cell: cell.clone(),
        void: None,
        clients: None,
        server: None,
        rate: None,
        steps: Vec::new(),
        machine: MachineMeasured::default(),
    }
}
