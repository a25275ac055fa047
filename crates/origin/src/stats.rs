//! What the origin counts, and tells at `/stats`.
//!
//! A request counts once it is served: those that are refused, and those to the counters
//! themselves, leave no trace here, so that asking changes no answer.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// What the origin has seen since its start, or since the last `POST /stats/reset`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stats {
    /// Which server answers, by [its name](crate::Server::name).
    pub server: String,
    /// Documents served.
    pub requests: u64,
    /// Connections that asked for a document; each counts at its first.
    pub connections: u64,
    /// Requests in flight now.
    pub in_flight: u64,
    /// The most requests in flight at once.
    pub in_flight_peak: u64,
    /// How long the served requests were in flight, summed, nanoseconds.
    #[serde(default)]
    pub residence_ns_sum: u64,
    /// How often a connection had to wait because the origin was out of descriptors.
    #[serde(default)]
    pub exhausted: u64,
    /// Bytes of document bodies, heads not included.
    pub bytes_sent: u64,
    /// Requests that asked for a delay.
    pub delays: u64,
    /// Of these, answered before their delay was over: never, or the origin is broken.
    pub delays_early: u64,
    /// By how much delays came out longer than asked for.
    pub delay_error_us: DelayError,
    /// CPU time of the process, user and system, microseconds.
    pub cpu_us: u64,
}

/// How late delays were, microseconds, from when a handler began to wait to when it went on. What it
/// did then is not in it, but where its thread was busy with other requests, it went on late. All
/// zero when nobody asked for a delay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DelayError {
    /// The least.
    pub min: u64,
    /// The median.
    pub p50: u64,
    /// The 99th percentile.
    pub p99: u64,
    /// The most.
    pub max: u64,
}

/// The counters behind [`Stats`]: one share a thread that serves, and what they have in common.
#[derive(Debug)]
pub struct Counters {
    server: &'static str,
    flights: Flights,
    shares: Vec<Share>,
    exhausted: AtomicU64,
    cpu_us_before: AtomicU64,
}

impl Counters {
    /// Counts from zero, for `threads` threads of `server`.
    pub fn new(server: &'static str, threads: usize) -> Self {
        Counters {
            server,
            flights: Flights::default(),
            shares: (0..threads).map(|_| Share::new()).collect(),
            exhausted: AtomicU64::new(0),
            cpu_us_before: AtomicU64::new(cpu_us()),
        }
    }

    /// The share that thread `index` counts in; any index has one.
    pub fn share(&self, index: usize) -> &Share {
        &self.shares[index % self.shares.len()]
    }

    /// Counts a request as in flight until what this returns is dropped.
    pub fn take_off(&self) -> Flight<'_> {
        self.flights.take_off();
        Flight { flights: &self.flights, since: Instant::now() }
    }

    /// Counts that a connection has to wait for a descriptor.
    pub fn count_exhausted(&self) {
        self.exhausted.fetch_add(1, Relaxed);
    }

    /// What has been counted.
    pub fn stats(&self) -> Stats {
        // First of all: a request that is counted as landed here has counted all else before.
        let (in_flight, in_flight_peak) = self.flights.now_and_peak();
        let sum = |counter: fn(&Share) -> &AtomicU64| {
            self.shares.iter().map(|share| counter(share).load(Relaxed)).sum()
        };
        let mut errors_ns = error_histogram();
        let mut delays_early = 0;
        for share in &self.shares {
            let delays = share.delays();
            errors_ns.add(&delays.errors_ns).expect("all shares have the same bounds");
            delays_early += delays.early;
        }
        Stats {
            server: self.server.to_owned(),
            requests: sum(|share| &share.requests),
            connections: sum(|share| &share.connections),
            in_flight,
            in_flight_peak,
            residence_ns_sum: sum(|share| &share.residence_ns_sum),
            exhausted: self.exhausted.load(Relaxed),
            bytes_sent: sum(|share| &share.bytes_sent),
            delays: errors_ns.len(),
            delays_early,
            delay_error_us: DelayError::of(&errors_ns),
            cpu_us: cpu_us().saturating_sub(self.cpu_us_before.load(Relaxed)),
        }
    }

    /// Counts from zero again. Requests in flight stay so, and are the new peak; what they add
    /// when they are served counts as after the reset.
    pub fn reset(&self) {
        for share in &self.shares {
            // A swap loses nothing that another thread adds meanwhile, and cannot go below zero.
            let Share { requests, connections, bytes_sent, residence_ns_sum, .. } = share;
            for counter in [requests, connections, bytes_sent, residence_ns_sum] {
                counter.swap(0, Relaxed);
            }
            let mut delays = share.delays();
            delays.errors_ns.reset();
            delays.early = 0;
        }
        self.exhausted.swap(0, Relaxed);
        self.flights.reset_peak();
        self.cpu_us_before.store(cpu_us(), Relaxed);
    }
}

/// What one thread counts, on cache lines of its own: two, because processors fetch in pairs.
#[derive(Debug)]
#[repr(align(128))]
pub struct Share {
    requests: AtomicU64,
    connections: AtomicU64,
    bytes_sent: AtomicU64,
    residence_ns_sum: AtomicU64,
    delays: Mutex<Delays>,
}

#[derive(Debug)]
struct Delays {
    errors_ns: Histogram<u32>,
    early: u64,
}

impl Share {
    fn new() -> Self {
        let delays = Delays { errors_ns: error_histogram(), early: 0 };
        Share {
            requests: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            bytes_sent: AtomicU64::new(0),
            residence_ns_sum: AtomicU64::new(0),
            delays: Mutex::new(delays),
        }
    }

    /// Counts a connection.
    pub fn count_connection(&self) {
        self.connections.fetch_add(1, Relaxed);
    }

    /// Counts the document of `bytes` bytes that `flight` was for as served, after a delay of `got`
    /// where `asked` was asked for.
    pub fn count_served(&self, flight: &Flight<'_>, bytes: usize, asked: Duration, got: Duration) {
        let residence_ns = u64::try_from(flight.since.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.residence_ns_sum.fetch_add(residence_ns, Relaxed);
        self.requests.fetch_add(1, Relaxed);
        self.bytes_sent.fetch_add(bytes as u64, Relaxed);
        if !asked.is_zero() {
            let late_ns = u64::try_from(got.saturating_sub(asked).as_nanos()).unwrap_or(u64::MAX);
            let mut delays = self.delays();
            delays.errors_ns.saturating_record(late_ns);
            delays.early += u64::from(got < asked);
        }
    }

    fn delays(&self) -> MutexGuard<'_, Delays> {
        // Counts are whole after every statement above, so a panic elsewhere spoils none.
        self.delays.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl DelayError {
    fn of(errors_ns: &Histogram<u32>) -> Self {
        if errors_ns.is_empty() {
            return DelayError::default();
        }
        let microseconds = |nanoseconds: u64| (nanoseconds + 500) / 1_000;
        DelayError {
            min: microseconds(errors_ns.min()),
            p50: microseconds(errors_ns.value_at_quantile(0.5)),
            p99: microseconds(errors_ns.value_at_quantile(0.99)),
            max: microseconds(errors_ns.max()),
        }
    }
}

/// Two minutes is twice the longest delay that can be asked for.
fn error_histogram() -> Histogram<u32> {
    Histogram::new_with_bounds(64, 120_000_000_000, 3).expect("constant bounds are in order")
}

/// How many requests are in flight (low half) and were at most (high half): one word, so that a
/// reset between the two cannot part them.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Flights(AtomicU64);

impl Flights {
    fn take_off(&self) {
        self.update(|now, peak| (now + 1, peak.max(now + 1)));
    }

    fn land(&self) {
        // Every landing follows a take-off, so that the low half cannot borrow from the high one.
        self.0.fetch_sub(1, Relaxed);
    }

    fn reset_peak(&self) {
        self.update(|now, _| (now, now));
    }

    fn now_and_peak(&self) -> (u64, u64) {
        Self::halves(self.0.load(Relaxed))
    }

    fn update(&self, next: impl Fn(u64, u64) -> (u64, u64)) {
        self.0.update(Relaxed, Relaxed, |word| {
            let (now, peak) = Self::halves(word);
            let (now, peak) = next(now, peak);
            peak << 32 | now
        });
    }

    fn halves(word: u64) -> (u64, u64) {
        (word & u64::from(u32::MAX), word >> 32)
    }
}

/// A request in flight.
///
/// A server drops it before it hands the response on, so before a first byte can leave: a client
/// that sends its next request on reading the response finds the last one landed, and the peak
/// here never exceeds what clients have in flight. It also lands when a client gives up and its
/// request is dropped half-way.
#[derive(Debug)]
pub struct Flight<'a> {
    flights: &'a Flights,
    since: Instant,
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.flights.land();
    }
}

/// CPU time of the process so far: what `getrusage` sums up, from the clock that it is made of.
fn cpu_us() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    u64::try_from(time.tv_sec * 1_000_000 + time.tv_nsec / 1_000).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_told() {
        let counters = Counters::new("hyper", 2);
        counters.share(0).count_connection();
        let flight = counters.take_off();
        counters.share(0).count_served(&flight, 1_500, Duration::ZERO, Duration::ZERO);
        let delay = Duration::from_millis(2);
        let late = delay + Duration::from_micros(40);
        counters.share(1).count_served(&flight, 500, delay, late);
        counters.count_exhausted();
        let stats = counters.stats();
        assert_eq!((stats.requests, stats.connections, stats.bytes_sent), (2, 1, 2_000));
        assert_eq!((stats.delays, stats.delays_early), (1, 0));
        let all_40 = DelayError { min: 40, p50: 40, p99: 40, max: 40 };
        assert_eq!(stats.delay_error_us, all_40);
        assert_eq!(stats.exhausted, 1);
        assert!(stats.residence_ns_sum > 0);
    }

    #[test]
    fn an_early_answer_does_not_hide() {
        let counters = Counters::new("hyper", 1);
        let (asked, got) = (Duration::from_micros(10), Duration::from_micros(9));
        counters.share(0).count_served(&counters.take_off(), 1, asked, got);
        assert_eq!(counters.stats().delays_early, 1);
    }

    #[test]
    fn the_peak_is_the_most_at_once() {
        let counters = Counters::new("hyper", 1);
        let first = counters.take_off();
        let second = counters.take_off();
        drop(first);
        let third = counters.take_off();
        let stats = counters.stats();
        assert_eq!((stats.in_flight, stats.in_flight_peak), (2, 2));
        drop((second, third));
        let stats = counters.stats();
        assert_eq!((stats.in_flight, stats.in_flight_peak), (0, 2));
    }

    #[test]
    fn a_reset_keeps_what_is_in_flight() {
        let counters = Counters::new("hyper", 1);
        let (first, second) = (counters.take_off(), counters.take_off());
        drop(first);
        counters.share(0).count_served(&second, 7, Duration::ZERO, Duration::ZERO);
        counters.reset();
        let stats = counters.stats();
        assert_eq!((stats.requests, stats.bytes_sent, stats.delays), (0, 0, 0));
        assert_eq!((stats.residence_ns_sum, stats.exhausted), (0, 0));
        assert_eq!((stats.in_flight, stats.in_flight_peak), (1, 1));
        drop(second);
        assert_eq!(counters.stats().in_flight, 0);
    }

    #[test]
    fn resets_under_load_lose_no_flight() {
        let counters = Counters::new("hyper", 1);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10_000).for_each(|_| drop(counters.take_off())));
            }
            (0..1_000).for_each(|_| counters.reset());
        });
        let stats = counters.stats();
        assert_eq!(stats.in_flight, 0);
        assert!(stats.in_flight_peak <= 4);
    }

    #[test]
    fn stats_survive_their_json() {
        let stats = Counters::new("may_minihttp", 1).stats();
        let json = serde_json::to_string(&stats).unwrap();
        assert_eq!(serde_json::from_str::<Stats>(&json).unwrap(), stats);
    }
}
