//! When each request of a job did what: connecting, waiting, reading, parsing.
//!
//! ```text
//!   task    begun ──────────────────────────────────────────────────► last byte ──► parsed
//!   socket        connecting ─► connected ─► sent ─► first byte ─ ─ ─►
//! ```
//!
//! A lane is looked at from two places, and neither is in the code that fetches. The task's side is
//! seen around the call that fetches ([`Call`]), the socket's by what passes through it
//! ([`Connection`]); [`Timeline::requests`] puts the two together by what the request asked for.
//! Looking takes a lock for each read, so a job that is looked at is never timed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::{Fetched, Job};

/// One request: moments in nanoseconds from the start of the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The call that fetches the document began.
    pub begun_ns: u64,
    /// It began to open a connection; absent where an open one was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connecting_ns: Option<u64>,
    /// The connection was open; absent where an open one was used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connected_ns: Option<u64>,
    /// The call that sent the request began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_ns: Option<u64>,
    /// The first byte of the response was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_byte_ns: Option<u64>,
    /// The call had the last byte of the body.
    pub last_byte_ns: u64,
    /// The body was parsed, and the call was over.
    pub parsed_ns: u64,
    /// The OS thread that parsed it, numbered as they come.
    pub thread: u32,
}

/// What is seen of one job, from all of its tasks and sockets.
#[derive(Debug, Clone)]
pub struct Timeline(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    start: Instant,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    calls: Vec<Called>,
    exchanges: Vec<Exchange>,
    threads: Vec<ThreadId>,
}

/// The task's side of a request.
#[derive(Debug)]
struct Called {
    target: String,
    begun_ns: u64,
    last_byte_ns: u64,
    parsed_ns: u64,
    thread: u32,
}

/// The socket's side of a request.
#[derive(Debug)]
struct Exchange {
    target: Vec<u8>,
    opened: Option<(u64, u64)>,
    sent_ns: u64,
    first_byte_ns: Option<u64>,
}

impl Timeline {
    /// Nothing seen yet of a job that began at `start`; none where `job` is not to be looked at.
    pub fn of(job: &Job, start: Instant) -> Option<Self> {
        let shared = || Shared { start, seen: Mutex::default() };
        job.timeline.then(|| Timeline(Arc::new(shared())))
    }

    /// The call that fetches `url` begins.
    pub fn call(&self, url: &str) -> Call<'_> {
        Call { timeline: self, target: target_of(url).to_owned(), begun: Instant::now() }
    }

    /// A connection that began to open at `connecting`, and is open now.
    pub fn connected(&self, connecting: Instant) -> Connection {
        let opened = (self.ns(connecting), self.ns(Instant::now()));
        Connection { timeline: self.clone(), opened: Some(opened), exchange: None }
    }

    /// Every request that was answered, in the order in which they began.
    pub fn requests(&self) -> Vec<Request> {
        let mut seen = self.lock();
        let Seen { calls, exchanges, .. } = &mut *seen;
        calls.sort_by_key(|call| call.begun_ns);
        exchanges.sort_by_key(|exchange| exchange.sent_ns);
        let mut is_taken = vec![false; exchanges.len()];
        let mut requests = Vec::with_capacity(calls.len());
        for call in calls {
            // Of several that asked for the same, whoever began first was sent first.
            let is_its = |(place, exchange): &(usize, &Exchange)| {
                let during = call.begun_ns..=call.parsed_ns;
                !is_taken[*place]
                    && exchange.target == call.target.as_bytes()
                    && during.contains(&exchange.sent_ns)
            };
            let found = exchanges.iter().enumerate().find(is_its);
            requests.push(call.with(found.map(|(_, exchange)| exchange)));
            if let Some((place, _)) = found {
                is_taken[place] = true;
            }
        }
        requests
    }

    fn ns(&self, moment: Instant) -> u64 {
        let since = moment.saturating_duration_since(self.0.start);
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.0.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Called {
    fn with(&self, exchange: Option<&Exchange>) -> Request {
        // A pool may have opened the connection for another call.
        let opened = exchange.and_then(|exchange| exchange.opened);
        let opened = opened.filter(|(connecting, _)| *connecting >= self.begun_ns);
        let first_byte_ns = exchange.and_then(|exchange| exchange.first_byte_ns);
        Request {
            begun_ns: self.begun_ns,
            connecting_ns: opened.map(|(connecting, _)| connecting),
            connected_ns: opened.map(|(_, connected)| connected),
            sent_ns: exchange.map(|exchange| exchange.sent_ns),
            first_byte_ns,
            // Its service time began after the call did: a little, or as long as somebody else had
            // the processor.
            last_byte_ns: self.last_byte_ns.max(first_byte_ns.unwrap_or(0)),
            parsed_ns: self.parsed_ns,
            thread: self.thread,
        }
    }
}

/// A call that fetches, while it lasts.
#[derive(Debug)]
pub struct Call<'a> {
    timeline: &'a Timeline,
    target: String,
    begun: Instant,
}

impl Call<'_> {
    /// The call is over, and has brought this.
    pub fn brought(self, fetched: &Fetched) {
        let Call { timeline, target, begun } = self;
        let parsed_ns = timeline.ns(Instant::now());
        let begun_ns = timeline.ns(begun);
        let last_byte_ns = timeline.ns(begun + fetched.service_time).min(parsed_ns);
        let own = thread::current().id();
        let mut seen = timeline.lock();
        let known = seen.threads.iter().position(|thread| *thread == own);
        let thread = known.unwrap_or_else(|| {
            seen.threads.push(own);
            seen.threads.len() - 1
        });
        let thread = u32::try_from(thread).unwrap_or(u32::MAX);
        seen.calls.push(Called { target, begun_ns, last_byte_ns, parsed_ns, thread });
    }
}

/// A connection, looked at by whoever moves its bytes.
#[derive(Debug)]
pub struct Connection {
    timeline: Timeline,
    /// When it was opened, until a request was sent on it.
    opened: Option<(u64, u64)>,
    /// The place of the exchange that is under way.
    exchange: Option<usize>,
}

impl Connection {
    /// These bytes were written by a call that began at `sending`: with the head of a request an
    /// exchange begins.
    pub fn wrote(&mut self, bytes: &[u8], sending: Instant) {
        let Some(target) = target_of_head(bytes) else { return };
        let sent_ns = self.timeline.ns(sending);
        let opened = self.opened.take();
        let exchange = Exchange { target: target.to_owned(), opened, sent_ns, first_byte_ns: None };
        let mut seen = self.timeline.lock();
        self.exchange = Some(seen.exchanges.len());
        seen.exchanges.push(exchange);
    }

    /// So many bytes were read.
    pub fn read(&mut self, count: usize) {
        let (Some(place), true) = (self.exchange, count > 0) else { return };
        let now_ns = self.timeline.ns(Instant::now());
        self.timeline.lock().exchanges[place].first_byte_ns.get_or_insert(now_ns);
    }
}

/// Path and query of a URL.
fn target_of(url: &str) -> &str {
    let after_scheme = url.find("://").map_or(0, |place| place + 3);
    url[after_scheme..].find('/').map_or("/", |place| &url[after_scheme + place..])
}

/// What a request's head asks for, if these bytes begin with one.
fn target_of_head(bytes: &[u8]) -> Option<&[u8]> {
    let rest = bytes.strip_prefix(b"GET ")?;
    rest.split(|byte| *byte == b' ').next()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{Client, Corpus};

    fn timeline() -> Timeline {
        let corpus = Corpus::generated(1, 1_500, 2).unwrap();
        let job = Job::new("http://127.0.0.1:80", &corpus, 2, 2, Client::Raw);
        assert!(Timeline::of(&job, Instant::now()).is_none(), "nobody looks unless told to");
        Timeline::of(&Job { timeline: true, ..job }, Instant::now()).unwrap()
    }

    /// What a call brings that began just now.
    fn fetched() -> Fetched {
        let corpus = Corpus::generated(1, 1_500, 1).unwrap();
        Fetched::parse("/", corpus.iter().next().unwrap().1, Duration::from_nanos(1)).unwrap()
    }

    /// A call that had its last byte just now.
    fn end(call: Call<'_>) {
        let service_time = call.begun.elapsed();
        call.brought(&Fetched { service_time, ..fetched() });
    }

    #[test]
    fn a_request_is_seen_from_both_sides() {
        let timeline = timeline();
        let call = timeline.call("http://127.0.0.1:80/a?b=c");
        let mut connection = timeline.connected(Instant::now());
        connection.wrote(b"GET /a?b=c HTTP/1.1\r\n", Instant::now());
        connection.wrote(b"host: x\r\n\r\n", Instant::now());
        connection.read(0);
        connection.read(7);
        connection.read(7);
        end(call);
        let [request] = timeline.requests()[..] else { panic!("one request") };
        let moments = [
            Some(request.begun_ns),
            request.connecting_ns,
            request.connected_ns,
            request.sent_ns,
            request.first_byte_ns,
            Some(request.last_byte_ns),
            Some(request.parsed_ns),
        ];
        assert!(moments.iter().all(Option::is_some), "{request:?}");
        assert!(moments.is_sorted(), "{request:?}");
        assert_eq!(request.thread, 0);
    }

    #[test]
    fn an_open_connection_is_not_opened_again() {
        let timeline = timeline();
        let mut connection = timeline.connected(Instant::now());
        for _ in 0..2 {
            let call = timeline.call("http://x/a");
            connection.wrote(b"GET /a HTTP/1.1\r\n\r\n", Instant::now());
            connection.read(1);
            end(call);
        }
        let requests = timeline.requests();
        assert_eq!(requests.len(), 2);
        assert!(requests.iter().all(|request| request.connecting_ns.is_none()), "{requests:?}");
        assert!(requests[0].sent_ns < requests[1].sent_ns, "each has an exchange of its own");
        assert!(requests.iter().all(|request| request.sent_ns >= Some(request.begun_ns)));
    }

    #[test]
    fn a_call_that_was_held_up_before_it_began_keeps_its_exchange() {
        let timeline = timeline();
        let call = timeline.call("http://x/a");
        let mut connection = timeline.connected(Instant::now());
        connection.wrote(b"GET /a HTTP/1.1\r\n\r\n", Instant::now());
        connection.read(1);
        // By its own clock it took no time, which ends before anything was sent.
        call.brought(&Fetched { service_time: Duration::ZERO, ..fetched() });
        let [request] = timeline.requests()[..] else { panic!("one request") };
        assert!(request.sent_ns.is_some());
        assert!(Some(request.last_byte_ns) >= request.first_byte_ns, "{request:?}");
    }

    #[test]
    fn a_lane_whose_sockets_nobody_sees_tells_its_calls() {
        let timeline = timeline();
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| end(timeline.call("http://x")));
            }
        });
        let requests = timeline.requests();
        let mut threads: Vec<_> = requests.iter().map(|request| request.thread).collect();
        threads.sort_unstable();
        assert_eq!(threads, [0, 1]);
        assert!(requests.iter().all(|request| request.sent_ns.is_none()));
    }

    #[test]
    fn targets() {
        assert_eq!(target_of("http://127.0.0.1:80/a/b?c"), "/a/b?c");
        assert_eq!(target_of("http://x"), "/");
        assert_eq!(target_of_head(b"GET /a HTTP/1.1\r\n"), Some(&b"/a"[..]));
        assert_eq!(target_of_head(b"\r\nGET /a"), None);
    }
}
