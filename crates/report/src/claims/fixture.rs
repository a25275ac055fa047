//! A small ledger for tests, and a record for it.

use harness::plan::PlannedCell;
use harness::record::Recorded;
use harness::workload::Point;

use crate::fixture;

/// Of three claims: with two experiments, over a constant, and not yet.
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
needs = "servers"
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
