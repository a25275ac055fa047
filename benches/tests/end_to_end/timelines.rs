//! Lanes looked at request by request.

use std::fs;

use libtest_mimic::Trial;

use crate::misuse::refused;
use crate::support::{Scratch, WORKLOADS, said, trial};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("a_workload_names_the_point_at_which_its_requests_are_looked_at", named),
        trial("a_trace_has_every_request_of_every_cell", trace),
        trial("a_trace_that_cannot_be_written_is_told_before_anything_is_measured", no_folder),
        trial("a_timeline_that_nobody_could_see_is_refused", refusals),
    ]
}

/// The small workloads, with a point at which the first is looked at, and without its promise of how
/// much is in flight: these runs are not about that.
fn with_timeline(point: &str) -> Scratch {
    let scratch = Scratch::new();
    let timeline = format!("timeline = {point}\n");
    let text = WORKLOADS.replace("in_flight_least = 1.0\n", &timeline);
    fs::write(scratch.path("w.toml"), text).unwrap();
    scratch
}

fn named() {
    let scratch = with_timeline("{ documents = 9, concurrency = 3 }");
    let run = said(&mut scratch.run("--lanes real/pool,blocking/many --samples 1"));
    assert_eq!(run.code, Some(0), "a lane that tells nothing is as good: {run:?}");
    let recorded = scratch.recorded();
    assert_eq!(recorded.timelines.len(), 2 * 2, "each lane with each client, and once");
    for timeline in &recorded.timelines {
        assert_eq!((timeline.cell.point.documents, timeline.cell.point.concurrency), (9, 3));
        assert_eq!((timeline.cell.workload.as_str(), timeline.delay_us), ("waits", 20_000));
        if timeline.cell.lane == "real/pool" {
            assert_eq!((timeline.void.as_deref(), timeline.requests.len()), (None, 9));
            let waited = |request: &job::Request| {
                request.first_byte_ns.unwrap() - request.sent_ns.unwrap() >= 20_000_000
            };
            assert!(timeline.requests.iter().all(waited), "{timeline:?}");
        } else {
            assert_eq!(timeline.void.as_deref(), Some("the lane does not tell its requests"));
        }
    }
    let told = "timeline of waits, N = 9, C = 3, blocking/many, raw: the lane does not tell";
    assert!(run.stderr.contains(told), "{}", run.stderr);
    assert!(recorded.samples.iter().all(|sample| sample.cell.point.documents != 9), "untimed");
}

fn trace() {
    let scratch = Scratch::new();
    let file = scratch.path("trace.json");
    let mut command = scratch.run("--lanes real/pool --samples 1 --workloads waits --trace");
    let run = said(command.arg(&file));
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(scratch.recorded().timelines.len(), 2 * 2, "two points with each client");
    let trace: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    let named = |prefix: &str| {
        events.iter().filter(|event| event["name"].as_str().unwrap().starts_with(prefix)).count()
    };
    assert_eq!((named("process_name"), named("request "), named("wait")), (4, 4 * 12, 4 * 12));
}

fn no_folder() {
    let line = refused(&Scratch::new(), "--trace nowhere/trace.json");
    assert!(line.starts_with("compare: nowhere/trace.json: "), "{line}");
}

fn refusals() {
    for (point, why) in [
        ("{ documents = 0, concurrency = 3 }", "`timeline` has documents from 1 to 10,000"),
        ("{ documents = 20_000, concurrency = 3 }", "`timeline` has documents from 1 to 10,000"),
        ("{ documents = 9 }", "missing field `concurrency`"),
    ] {
        let line = refused(&with_timeline(point), "");
        assert!(line.contains(why), "{line}");
    }
}
