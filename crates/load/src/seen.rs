//! What is kept of requests.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use job::Request;

use crate::order::Outcome;

/// Filled by all clients, who are tasks of one thread and never wait for each other here.
#[derive(Debug)]
pub struct Seen {
    start: Instant,
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    last: Instant,
    answered: u64,
    failed: u64,
    why: Option<String>,
    connections: u64,
    service_times: Histogram<u64>,
    latencies: Histogram<u64>,
    late: Histogram<u64>,
    blocker: Option<Duration>,
    requests: Vec<Request>,
}

impl Seen {
    /// Nothing yet of a load that begins at `start`.
    pub fn since(start: Instant) -> Self {
        let inner = Inner {
            last: start,
            answered: 0,
            failed: 0,
            why: None,
            connections: 0,
            service_times: histogram(),
            latencies: histogram(),
            late: histogram(),
            blocker: None,
            requests: Vec::new(),
        };
        Seen { start, inner: Mutex::new(inner) }
    }

    /// A request that began at `begun` has its document, or not.
    pub fn came(&self, begun: Instant, came: &Result<Instant, String>) {
        let mut inner = self.lock();
        match came {
            Ok(last_byte) => {
                inner.answered += 1;
                inner.last = inner.last.max(*last_byte);
                inner.service_times.saturating_record(ns(*last_byte - begun));
            }
            Err(why) => {
                inner.failed += 1;
                inner.last = inner.last.max(Instant::now());
                inner.why.get_or_insert_with(|| why.clone());
            }
        }
    }

    /// The same of a request that was due at a moment.
    pub fn came_when_due(&self, due: Instant, begun: Instant, came: &Result<Instant, String>) {
        self.came(begun, came);
        let mut inner = self.lock();
        inner.late.saturating_record(ns(begun.saturating_duration_since(due)));
        if let Ok(last_byte) = came {
            inner.latencies.saturating_record(ns(last_byte.saturating_duration_since(due)));
        }
    }

    pub fn opened(&self) {
        self.lock().connections += 1;
    }

    pub fn blocked(&self, took: Duration) {
        self.lock().blocker = Some(took);
    }

    pub fn request(&self, request: Request) {
        self.lock().requests.push(request);
    }

    /// Nanoseconds from the start.
    pub fn ns(&self, moment: Instant) -> u64 {
        ns(moment.saturating_duration_since(self.start))
    }

    /// All of it, of so many requests.
    pub fn outcome(&self, asked: u64) -> Outcome {
        let mut inner = self.lock();
        inner.requests.sort_by_key(|request| request.begun_ns);
        Outcome {
            wall_ns: ns(inner.last - self.start),
            answered: inner.answered,
            failed: inner.failed,
            unanswered: asked.saturating_sub(inner.answered + inner.failed),
            why: inner.why.clone(),
            service_times_ns: pairs(&inner.service_times),
            latencies_ns: pairs(&inner.latencies),
            late_ns: pairs(&inner.late),
            blocker_ns: inner.blocker.map(ns),
            connections: inner.connections,
            cpu_us: 0,
            requests: std::mem::take(&mut inner.requests),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// As fine as a lane's: three digits, and at best 64 ns.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(64, 3_600_000_000_000, 3).expect("constant bounds are in order")
}

fn pairs(histogram: &Histogram<u64>) -> Vec<(u64, u64)> {
    let recorded = histogram.iter_recorded();
    recorded.map(|it| (it.value_iterated_to(), it.count_at_value())).collect()
}
