//! The origin's delays, throughput and counters against wrk's.
//!
//! Eight connections, each of which asks again when it has its answer. What must hold on any
//! machine is asserted of each attempt: counters agree to within the requests that wrk leaves in
//! flight, one a connection at most; no answer is early; and no more requests are served than
//! connections × time ÷ delay. That delays are hardly late must hold of one attempt in five: an
//! origin that is late by itself is late in all of them, and one on a busy machine is not.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use harness::OriginProcess;
use harness::number::grouped;
use libtest_mimic::Trial;
use origin::{Server, Stats};
use serde::Deserialize;

use crate::setting::{self, DOCUMENT_BYTES};
use crate::support::Scratch;
use crate::tools::{installed, output_of, tell, trial_with};

const CONNECTIONS: u64 = 8;
/// Long beside what a busy machine adds: with a busy loop on each core, medians up to 8 ms.
const DELAY: Duration = Duration::from_millis(500);
const DELAY_US: f64 = 500_000.0;
const ATTEMPTS: usize = 5;
/// More than the head of an answer.
const HEAD_BYTES_MOST: u64 = 1_024;
/// wrk reads the time of day, which may be slewed by 0.05 % and ends in microseconds.
const CLOCK_SLACK: f64 = 0.001;
/// The least of all latencies is hardly disturbed, so it is held to more than the median.
const LEAST_LATE_MOST: f64 = 0.01;
const LATE_MOST: f64 = 0.05;

/// One of each way to wait.
const DELAYED: [Server; 5] = [
    Server::Hyper,
    Server::MayMinihttp,
    Server::BlockingThreads,
    Server::StackfulHub,
    Server::StacklessHyper,
];

pub fn trials() -> Vec<Trial> {
    let wrk = || installed("wrk");
    let delayed = DELAYED.map(|server| {
        let name = format!("delays_are_what_wrk_sees_of_{}", server.name());
        trial_with(&name, wrk, move |wrk| delays(&wrk, server))
    });
    // The pool has a connection a request, which wrk does not count.
    let kept = Server::value_variants().iter().filter(|server| **server != Server::BlockingPool);
    let counted = kept.map(|server| {
        let (server, name) = (*server, format!("counters_are_what_wrk_sees_of_{}", server.name()));
        trial_with(&name, wrk, move |wrk| counters(&wrk, server))
    });
    delayed.into_iter().chain(counted).collect()
}

/// What `wrk_summary.lua` writes.
#[derive(Debug, Deserialize)]
struct Theirs {
    requests: u64,
    duration_us: u64,
    bytes: u64,
    errors: u64,
    latency_us_min: u64,
    latency_us_p50: u64,
    /// wrk from its start to its end, by our clock, which is the origin's, too.
    #[serde(skip)]
    elapsed: Duration,
}

impl Theirs {
    /// Whether delays and throughput are within 5 % of what they should be. The requests under way
    /// at the end, one a connection, are not in wrk's count.
    fn is_on_time(&self) -> bool {
        let requests = (self.requests + CONNECTIONS) as f64;
        let due = CONNECTIONS as f64 * self.duration_us as f64 / DELAY_US;
        self.latency_us_min as f64 <= DELAY_US * (1.0 + LEAST_LATE_MOST)
            && self.latency_us_p50 as f64 <= DELAY_US * (1.0 + LATE_MOST)
            && requests >= due * (1.0 - LATE_MOST)
    }
}

fn delays(wrk: &PathBuf, server: Server) {
    let on_time = (0..ATTEMPTS).any(|_| {
        let (ours, theirs) = both(wrk, server, DELAY, "-d5s");
        assert_agree(&ours, &theirs);
        assert_eq!((ours.delays, ours.delays_early), (ours.requests, 0));
        assert_eq!(ours.in_flight_peak, CONNECTIONS);
        let least = DELAY_US * (1.0 - CLOCK_SLACK);
        assert!(theirs.latency_us_min as f64 >= least, "{theirs:?}");
        let most = CONNECTIONS as f64 * theirs.elapsed.as_secs_f64() / DELAY.as_secs_f64();
        assert!(theirs.requests as f64 <= most, "{theirs:?}");
        theirs.is_on_time()
    });
    assert!(on_time, "late in each of {ATTEMPTS} attempts");
}

fn counters(wrk: &PathBuf, server: Server) {
    let (ours, theirs) = both(wrk, server, Duration::ZERO, "-d1s");
    assert_agree(&ours, &theirs);
    assert!(ours.in_flight_peak <= CONNECTIONS, "{ours:?}");
}

/// wrk for a `time`, as an origin of its own and as wrk counted it.
fn both(wrk: &PathBuf, server: Server, delay: Duration, time: &str) -> (Stats, Theirs) {
    let scratch = Scratch::new();
    let script = scratch.path("summary.lua");
    fs::write(&script, include_str!("wrk_summary.lua")).unwrap();
    let path = setting::path(delay).replace("{id}", "1");
    let origin = setting::origin(server);
    let mut command = Command::new(wrk);
    command.args(["--latency", "-t1", &format!("-c{CONNECTIONS}"), time, "--timeout=60s", "-s"]);
    let start = Instant::now();
    let said = output_of(command.arg(script).arg(format!("{}{path}", origin.url)));
    let elapsed = start.elapsed();
    let line = said.lines().find(|line| line.starts_with('{')).expect(&said);
    let theirs = Theirs { elapsed, ..serde_json::from_str(line).unwrap() };
    let ours = at_rest(&origin);
    tell_both(delay, &ours, &theirs);
    (ours, theirs)
}

fn tell_both(delay: Duration, ours: &Stats, theirs: &Theirs) {
    let (server, delay_ms) = (&ours.server, delay.as_millis());
    let (requests, requests_theirs) = (grouped(ours.requests), grouped(theirs.requests));
    let [least, median] = [theirs.latency_us_min, theirs.latency_us_p50].map(|us| us as f64 / 1e3);
    tell(&format!(
        "{server}, delay {delay_ms} ms: {requests} requests, wrk has {requests_theirs}; its least \
         latency is {least:.2} ms, the median {median:.2} ms"
    ));
}

/// The counters, once what wrk left in flight is through.
fn at_rest(origin: &OriginProcess) -> Stats {
    let deadline = Instant::now() + setting::LIMIT;
    while origin.stats().unwrap().in_flight > 0 {
        assert!(Instant::now() < deadline, "requests that wrk has left do not end");
        std::thread::yield_now();
    }
    // Counters are read one after another: those before `in_flight` may have missed the last ones.
    origin.stats().unwrap()
}

fn assert_agree(ours: &Stats, theirs: &Theirs) {
    assert_eq!(theirs.errors, 0);
    assert_eq!(ours.connections, CONNECTIONS);
    assert!(theirs.requests > 0);
    let in_flight_too = theirs.requests..=theirs.requests + CONNECTIONS;
    assert!(in_flight_too.contains(&ours.requests), "{ours:?}, wrk has {theirs:?}");
    assert_eq!(ours.bytes_sent, ours.requests * DOCUMENT_BYTES);
    // wrk counts heads, too, and what it has read of answers that it did not wait for.
    let bytes =
        theirs.requests * DOCUMENT_BYTES..=ours.requests * (DOCUMENT_BYTES + HEAD_BYTES_MOST);
    assert!(bytes.contains(&theirs.bytes), "{ours:?}, wrk has {theirs:?}");
}
