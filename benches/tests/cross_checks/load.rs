//! The clients that servers are measured with, against wrk in a closed loop and oha in an open one.
//!
//! All ask one origin, one after the other, at equal settings. A delay makes up most of each time, so
//! that throughput and medians are alike when all measure the same; the machine's noise is in one
//! attempt and not in another, so that agreement to within 3 % must be there in one of several. What
//! must hold of each attempt: everything that was due was asked for, and answered, and nothing early.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use ::load::order::Expected;
use ::load::{Load, Order, Outcome};
use harness::OriginProcess;
use harness::process::Program;
use job::{Corpus, Process};
use libtest_mimic::Trial;
use serde::Deserialize;
use serving::clients::{self, Done};

use crate::setting::{self, DOCUMENT_BYTES, LIMIT, SEED};
use crate::support::Scratch;
use crate::tools::{installed, installed_by, output_of, tell, trial_with};

/// Two that should be equal may differ by so much.
const DIFFERENCE_MOST: f64 = 0.03;
const ATTEMPTS: usize = 8;

const CLIENTS: u64 = 64;
const SECONDS: u64 = 2;
/// Long beside what two cores add to it for so many clients.
const DELAY: Duration = Duration::from_millis(50);

/// Of an open loop.
const RATE: u64 = 500;

const HOW_OHA: &str = "cargo install --locked oha";

pub fn trials() -> Vec<Trial> {
    vec![
        trial_with("clients_in_a_closed_loop_see_what_wrk_sees", || installed("wrk"), closed),
        trial_with(
            "clients_in_an_open_loop_see_what_oha_sees",
            || installed_by("oha", HOW_OHA),
            open,
        ),
    ]
}

/// What one of two has seen: requests a second, and the median of their times.
#[derive(Debug, Clone, Copy)]
struct Seen {
    requests_per_s: f64,
    median_ms: f64,
}

impl Seen {
    fn is_like(self, other: Seen) -> bool {
        let is_near = |a: f64, b: f64| (a / b - 1.0).abs() <= DIFFERENCE_MOST;
        is_near(self.requests_per_s, other.requests_per_s)
            && is_near(self.median_ms, other.median_ms)
    }
}

fn closed(wrk: PathBuf) {
    let scratch = Scratch::new();
    let script = scratch.path("summary.lua");
    fs::write(&script, include_str!("wrk_summary.lua")).unwrap();
    agree("wrk", |origin| {
        let path = setting::path(DELAY).replace("{id}", "1");
        let ours = ours(origin, Load::Closed { clients: CLIENTS, for_ms: SECONDS * 1_000 });
        let ours = Seen { median_ms: median_ms(&ours.service_times_ns), ..of(&ours) };
        let mut command = Command::new(&wrk);
        command.args(["--latency", "-t1", &format!("-c{CLIENTS}"), &format!("-d{SECONDS}s"), "-s"]);
        let said = output_of(command.arg(&script).arg(format!("{}{path}", origin.url)));
        let line = said.lines().find(|line| line.starts_with('{')).expect(&said);
        (ours, serde_json::from_str::<Wrk>(line).unwrap().seen())
    });
}

fn open(oha: PathBuf) {
    agree("oha", |origin| {
        let path = setting::path(DELAY).replace("{id}", "1");
        let schedule = Load::Open {
            process: Process::Uniform,
            rate: RATE,
            seed: 1,
            for_ms: SECONDS * 1_000,
            connections_most: 1_000,
            blocker: None,
        };
        let ours = ours(origin, schedule);
        assert_eq!(ours.answered, RATE * SECONDS, "{ours:?}");
        let ours = Seen { median_ms: median_ms(&ours.latencies_ns), ..of(&ours) };
        let mut command = Command::new(&oha);
        let (rate, count) = (RATE.to_string(), (RATE * SECONDS).to_string());
        command.args(["-q", &rate, "-n", &count, "-c", "256", "--latency-correction"]);
        command.args(["--no-tui", "--output-format", "json"]);
        let said = output_of(command.arg(format!("{}{path}", origin.url)));
        (ours, serde_json::from_str::<Oha>(&said).expect(&said).seen())
    });
}

/// Both on one origin, until an attempt in which they are alike.
fn agree(who: &str, both: impl Fn(&OriginProcess) -> (Seen, Seen)) {
    let origin = setting::origin(origin::Server::Hyper);
    let delay_ms = DELAY.as_secs_f64() * 1e3;
    let agreed = (0..ATTEMPTS).any(|_| {
        let (ours, theirs) = both(&origin);
        tell(&format!(
            "{:.0} requests/s and {:.2} ms at the median, {who} has {:.0} and {:.2}",
            ours.requests_per_s, ours.median_ms, theirs.requests_per_s, theirs.median_ms
        ));
        assert!(ours.median_ms >= delay_ms, "{ours:?}");
        ours.is_like(theirs)
    });
    assert!(agreed, "more than {} % apart in each of {ATTEMPTS} attempts", DIFFERENCE_MOST * 100.0);
}

/// What our clients see of the origin.
fn ours(origin: &OriginProcess, load: Load) -> Outcome {
    let size = usize::try_from(DOCUMENT_BYTES).unwrap();
    let corpus = Corpus::generated(SEED, size, origin::GENERATED_DOCUMENTS).unwrap();
    let (id, body) = corpus.iter().next().unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let order = Order {
        url: origin.url.clone(),
        path: setting::path(DELAY),
        documents: vec![Expected { id, body }],
        load,
        slow: 0,
        patience_ms: 10_000,
    };
    let program = Program { path: setting::program(), ..Program::this() };
    let done =
        clients::run(&program, &order, None, LIMIT, setting::interrupt(), &mut |_| ()).unwrap();
    let Done::Outcome(outcome) = done else { panic!("{done:?}") };
    assert_eq!((outcome.failed, outcome.unanswered), (0, 0), "{outcome:?}");
    *outcome
}

fn of(outcome: &Outcome) -> Seen {
    let requests_per_s = outcome.answered as f64 / (outcome.wall_ns as f64 / 1e9);
    Seen { requests_per_s, median_ms: f64::NAN }
}

fn median_ms(times: &[(u64, u64)]) -> f64 {
    let all: u64 = times.iter().map(|(_, count)| count).sum();
    let mut before = 0;
    let middle = times.iter().find(|(_, count)| {
        before += count;
        2 * before >= all
    });
    middle.expect("there is a time").0 as f64 / 1e6
}

/// What `wrk_summary.lua` writes, as far as it is of interest here.
#[derive(Debug, Deserialize)]
struct Wrk {
    requests: u64,
    duration_us: u64,
    errors: u64,
    latency_us_p50: u64,
}

impl Wrk {
    fn seen(&self) -> Seen {
        assert_eq!(self.errors, 0);
        Seen {
            // It counts no request that is under way at its end.
            requests_per_s: self.requests as f64 / (self.duration_us as f64 / 1e6),
            median_ms: self.latency_us_p50 as f64 / 1e3,
        }
    }
}

/// oha's summary, as far as it is of interest here.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Oha {
    summary: OhaSummary,
    latency_percentiles: OhaPercentiles,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OhaSummary {
    success_rate: f64,
    requests_per_sec: f64,
}

#[derive(Debug, Deserialize)]
struct OhaPercentiles {
    /// Seconds.
    p50: f64,
}

impl Oha {
    fn seen(&self) -> Seen {
        assert!(self.summary.success_rate >= 1.0, "{self:?}");
        Seen {
            requests_per_s: self.summary.requests_per_sec,
            median_ms: self.latency_percentiles.p50 * 1e3,
        }
    }
}
