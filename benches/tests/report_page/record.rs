//! A small record of all that a page can show, and the page of it.

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;

use harness::Recorded;

use crate::support::{Scratch, exists, said};

/// The lanes of the record, but for the one again.
pub const LANES: [&str; 4] =
    ["blocking/sequential", "blocking/threads", "stackful/hub", "stackless/tokio-local"];

/// Tasks with a slope; loads with a timeline; one load; a rate; and what cannot be run.
const WORKLOADS: &str = r#"
[[workload]]
name = "tasks"
shows = "As many documents as requests."
documents = "concurrency"
concurrency = [4, 8, 16]
delay_us = 4_000
close = true

[[workload]]
name = "loads"
shows = "More documents than requests."
documents = [2, 12]
concurrency = 4
delay_us = 4_000
timeline = { documents = 8, concurrency = 4 }

[[workload]]
name = "one"
shows = "One load, without a wait: <i>text</i> & no markup."
documents = 20
concurrency = 2

[[workload]]
name = "rate"
shows = "Documents that are due."
documents = "100 ms"
concurrency = 64
delay_us = 1_000
arrivals = "uniform"
rate = 500

[[workload]]
name = "files"
shows = "Nobody has named a folder."
source = "files"
documents = 2
concurrency = 1
"#;

static MADE: Mutex<Option<Scratch>> = Mutex::new(None);

/// The page's file, and what it was made of: measured when the first test asks for it.
pub fn page() -> (PathBuf, Recorded) {
    let mut made = MADE.lock().unwrap();
    let scratch = made.get_or_insert_with(measured);
    (scratch.path("record").join("report.html"), scratch.recorded())
}

/// Removes it: nothing that is static is dropped at the end.
pub fn clear() {
    MADE.lock().unwrap().take();
}

fn measured() -> Scratch {
    let scratch = Scratch::new();
    fs::write(scratch.path("w.toml"), WORKLOADS).unwrap();
    let run = said(&mut scratch.run(&format!("--samples 3 --lanes {}", LANES.join(","))));
    let page = scratch.path("record").join("report.html");
    assert!(run.stderr.contains(&format!("the page of it is {}", page.display())), "{run:?}");
    assert!(exists(&page));
    scratch
}
