//! A small ledger for tests, and a record for it.

use harness::machine::MachineMeasured;
use harness::placement::Placement;
use harness::plan::PlannedCell;
use harness::record::Recorded;
use harness::workload::Point;
use load::Outcome;
use serving::plan::Wishes;
use serving::sample::{SAMPLE_SCHEMA, Sample, ServerMeasured, Step};
use serving::tree::Held;
use serving::{Documents, Plan, Script, Server};

use crate::fixture;

/// Of three claims: with two experiments, over a constant, and about a server.
pub const LEDGER: &str = r#"
[[claim]]
number = 1
source = "an article"
says = "Green threads are faster."
predicts = "The hub takes at most eight tenths."
why = "The loop waits."

[[claim.experiment]]
what = "the hub for the loop"
as = "written"
condition = "it suspends"
measure = "wall"
workload = "all-at-once"
documents = 100
client = "raw"
of = { lane = "stackful/hub" }
over = { lane = "other/slow" }
at_most = 0.8

[[claim.experiment]]
what = "the same"
as = "fair"
condition = "it is async"
measure = "wall"
workload = "all-at-once"
documents = 100
client = "raw"
of = { lane = "stackless/tokio-local" }
over = { lane = "stackful/hub" }
at_most = 0.8

[[claim]]
number = 2
source = "another"
says = "It takes as long as it waits."
predicts = "At most a tenth more than the wait."
why = "It waits."

[[claim.experiment]]
what = "one lane"
as = "written"
condition = "nothing else is done"
measure = "wall"
workload = "all-at-once"
documents = 100
client = "raw"
of = { lane = "stackful/hub" }
over = { ms = 20 }
at_most = 1.1

[[claim]]
number = 3
source = "a third"
says = "Servers take them all."
predicts = "They do."
why = "They wait."

[[claim.experiment]]
what = "a server"
as = "written"
condition = "its clients only wait"
measure = "wall"
scene = "at-once"
handler = "waits"
of = { server = "stackless/hyper", clients = 100 }
over = { server = "stackless/hyper", clients = 1 }
at_most = 1.5
"#;

/// [`fixture::compared`], in which `blocking/sequential` is called `other/slow`: 30 ms against 20 of
/// the others.
pub fn compared() -> Recorded {
    let mut recorded = fixture::compared();
    let planned = recorded.plan.cells.iter_mut().map(|planned| &mut planned.cell);
    let taken = recorded.samples.iter_mut().map(|sample| &mut sample.cell);
    let slow = planned.chain(taken).filter(|cell| cell.lane == fixture::LANES[0]);
    slow.for_each(|cell| cell.lane = "other/slow".to_owned());
    recorded
}

/// The same at three points, N = C = 100, 200 and 300, 20 ms away: each document takes `other/slow`
/// 40 µs of CPU and of wall, and `stackful/hub` 10 µs of either.
pub fn growing() -> Recorded {
    let one = compared();
    let mut recorded = one.clone();
    recorded.plan.cells.clear();
    recorded.samples.clear();
    for documents in [100, 200, 300] {
        let point = Point { documents, concurrency: documents, rate: None };
        for planned in &one.plan.cells {
            let mut cell = planned.cell.clone();
            cell.point = point;
            recorded.plan.cells.push(PlannedCell { cell, ..planned.clone() });
        }
        for sample in &one.samples {
            let mut sample = sample.clone();
            sample.cell.point = point;
            let each_us = if sample.cell.lane == "other/slow" { 40 } else { 10 };
            let job = sample.job.as_mut().unwrap();
            let noise_us = u64::from(sample.round * 7 % 11);
            job.wall_ns = (20_000 + each_us * documents + noise_us) * 1_000;
            let usage = job.usage.as_mut().unwrap();
            (usage.user_us, usage.system_us) = (each_us * documents + noise_us, 0);
            recorded.samples.push(sample);
        }
    }
    recorded
}

/// What is done in [`served`].
const SCENES: &str = r#"
[[handler]]
name = "waits"
says = "waits 100 ms"
wait_us = 100_000

[[scene]]
name = "at-once"
shows = "Who waits."
load = "at-once"
handlers = ["waits"]
clients = [1, 4, 5, 100]

[[scene]]
name = "idle"
shows = "What a connection holds."
load = "idle"
handlers = ["waits"]
clients = [100, 200, 300]

[[scene]]
name = "waiting"
shows = "The same while it waits."
load = "waiting"
handlers = ["waits"]
clients = [100, 200, 300]
"#;

/// Eight rounds of two servers, after a warm-up of each cell: `blocking/pool` takes 100 ms for every
/// four clients, `stackless/hyper` for all of them. A request is 4 ms of CPU, and one more connection
/// 8 KiB, of which half are closed where they are idle. `other/nginx` is not there.
pub fn served() -> serving::Recorded {
    let script = Script::read("s.toml", SCENES).unwrap();
    let server = |id: &str, missing: Option<&str>| Server {
        id: id.to_owned(),
        waits: "it waits".to_owned(),
        mirrors: "another".to_owned(),
        at_once: None,
        is_static: false,
        documents: Documents::Generated,
        program: "nowhere".into(),
        arguments: Vec::new(),
        folder: None,
        missing: missing.map(str::to_owned),
    };
    let servers = [
        server("blocking/pool", None),
        server("stackless/hyper", None),
        server("other/nginx", Some("nginx is not set up")),
    ];
    let plan = Plan::new(&Wishes {
        script: &script,
        servers: &servers,
        rounds: 8,
        seed: 1,
        load_limit: 0.1,
        placement: Placement::Unpinned,
    });
    let rounds = |index: usize| {
        let cell = plan.cells[index].cell.clone();
        let warm_up = Sample { warmup: true, ..answered(&cell, 0) };
        let rounds = (0..8).map(move |round| answered(&cell, round));
        std::iter::once(warm_up).chain(rounds)
    };
    let samples = plan.running().flat_map(rounds).collect();
    serving::Recorded { samples, environment: fixture::recorded().environment, plan, ending: None }
}

fn answered(cell: &serving::Cell, round: u32) -> Sample {
    let clients = cell.point.clients;
    let turns = if cell.server == "blocking/pool" { clients.div_ceil(4) } else { 1 };
    let held = |connections: u64| Held {
        proportional_bytes: (4 << 20) + connections * 8_192,
        private_bytes: (3 << 20) + connections * 8_192,
    };
    let step = |connections: u64| Step {
        connections,
        open: if cell.scene == "idle" { connections / 2 } else { connections },
        held: held(connections),
    };
    let is_held = cell.scene != "at-once";
    let steps = [100, 200, 300].map(step).into_iter().filter(|_| is_held).collect();
    let outcome = Outcome {
        wall_ns: turns * 100_000_000,
        answered: clients,
        service_times_ns: vec![(100_000_000, clients - 1), (turns * 100_000_000, 1)],
        connections: clients,
        ..Outcome::default()
    };
    let (cpu_us, held) = (clients * 4_000, held(0));
    Sample {
        schema: SAMPLE_SCHEMA,
        number: 0,
        round,
        warmup: false,
        started_unix_ms: 0,
        cell: cell.clone(),
        void: None,
        clients: Some(outcome),
        server: Some(ServerMeasured { cpu_us, processes: 1, held, ready_ms: 10 }),
        rate: None,
        steps,
        machine: MachineMeasured::default(),
    }
}
