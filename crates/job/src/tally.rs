//! What a lane folds its fetched documents into.

use std::io;
use std::time::Duration;

use hdrhistogram::Histogram;
use thiserror::Error;

use crate::{Answer, Document, Job, Request, Schedule};

/// One document, fetched and parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// What the body parsed to.
    pub document: Document,
    /// Bytes of the body.
    pub bytes: u64,
    /// From the call that sends the request, a fresh connection's handshake included, to the last
    /// byte of the body. Parsing is not part of it.
    pub service_time: Duration,
}

impl Fetched {
    /// Parses the body that came from `url`.
    ///
    /// # Errors
    ///
    /// The body is not a document.
    pub fn parse(url: &str, body: &[u8], service_time: Duration) -> Result<Self, FetchError> {
        let document = Document::parse(body).map_err(|error| {
            FetchError::new(url, format_args!("the body is not a document: {error}"))
        })?;
        Ok(Fetched { document, bytes: body.len() as u64, service_time })
    }
}

/// One document of an open-loop job: when it was due, and when it was really asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnSchedule {
    /// When it was due, counted from the start of the job.
    pub due: Duration,
    /// When the call that sends its request began, counted the same way.
    pub sent: Duration,
    /// What came.
    pub fetched: Fetched,
}

impl OnSchedule {
    /// From when it was due to the last byte of the body.
    pub fn latency(&self) -> Duration {
        self.sent.saturating_sub(self.due) + self.fetched.service_time
    }
}

/// A request that failed: which, and why. It fails the whole sample.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("GET {url}: {why}")]
pub struct FetchError {
    /// The URL that was asked for.
    pub url: String,
    /// What went wrong, for a person.
    pub why: String,
}

impl FetchError {
    /// Says that `url` could not be fetched because of `why`.
    pub fn new(url: &str, why: impl std::fmt::Display) -> Self {
        FetchError { url: url.to_owned(), why: why.to_string() }
    }
}

/// Why a lane has no answer.
#[derive(Debug, Error)]
pub enum LaneError {
    /// A request failed.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// A task ended without a result: it panicked, or its stack overflowed.
    #[error("a task ended without a result: {0}")]
    Task(String),
    /// The runtime itself could not be started or could not start a task.
    #[error("the runtime could not {doing}: {source}")]
    Runtime {
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

/// The answer so far, with the service time of every document in it.
#[derive(Debug, Clone)]
pub struct Tally {
    /// The documents' summary.
    pub answer: Answer,
    /// Service times, nanoseconds, to three significant digits and at best 64 ns.
    pub service_times_ns: Histogram<u32>,
    /// What an open loop adds to that; none in a closed one.
    pub open_loop: Option<OpenLoop>,
    /// When each request did what, where the job asked for it.
    pub requests: Option<Vec<Request>>,
}

/// What is known of documents because they were due at a moment.
#[derive(Debug, Clone)]
pub struct OpenLoop {
    /// Latencies, nanoseconds, as fine as service times.
    pub latencies_ns: Histogram<u32>,
    /// How many documents were asked for before the schedule's end.
    pub sent_in_time: u64,
    end: Duration,
}

impl Tally {
    /// Nothing fetched yet.
    pub fn new(job: &Job) -> Self {
        Tally::until(job, job.arrivals.map(|arrivals| arrivals.end(job.documents)))
    }

    /// Nothing fetched yet of a job, or of a share of one, whose documents are due on `schedule`.
    pub fn on_schedule(job: &Job, schedule: &Schedule) -> Self {
        Tally::until(job, Some(schedule.end()))
    }

    fn until(job: &Job, end: Option<Duration>) -> Self {
        Tally {
            answer: Answer::new(job.top),
            service_times_ns: histogram(),
            open_loop: end.map(OpenLoop::new),
            requests: None,
        }
    }

    /// Folds one fetched document in.
    pub fn add(&mut self, fetched: &Fetched) {
        self.answer.add(fetched.bytes, &fetched.document);
        self.add_time(fetched.service_time);
    }

    /// Records a service time without a document: what measuring alone takes.
    pub fn add_time(&mut self, service_time: Duration) {
        self.service_times_ns.saturating_record(nanoseconds(service_time));
    }

    /// Folds one document of an open-loop job in.
    pub fn add_on_schedule(&mut self, document: &OnSchedule) {
        self.add(&document.fetched);
        if let Some(open_loop) = &mut self.open_loop {
            open_loop.latencies_ns.saturating_record(nanoseconds(document.latency()));
            open_loop.sent_in_time += u64::from(document.sent < open_loop.end);
        }
    }

    /// Folds in what came of another share of the same job, on OS threads of its own.
    ///
    /// # Panics
    ///
    /// If the two keep different numbers of heaviest.
    pub fn merge(&mut self, other: Tally) {
        self.answer.merge(&other.answer);
        add(&mut self.service_times_ns, &other.service_times_ns);
        if let (Some(open_loop), Some(other)) = (&mut self.open_loop, other.open_loop) {
            add(&mut open_loop.latencies_ns, &other.latencies_ns);
            open_loop.sent_in_time += other.sent_in_time;
        }
        if let Some(theirs) = other.requests {
            let requests = self.requests.get_or_insert_default();
            let threads = requests.iter().map(|request| request.thread + 1).max().unwrap_or(0);
            let numbered = |it: Request| Request { thread: threads + it.thread, ..it };
            requests.extend(theirs.into_iter().map(numbered));
            requests.sort_by_key(|request| request.begun_ns);
        }
    }
}

impl OpenLoop {
    fn new(end: Duration) -> Self {
        OpenLoop { latencies_ns: histogram(), sent_in_time: 0, end }
    }
}

fn add(times: &mut Histogram<u32>, others: &Histogram<u32>) {
    times.add(others).expect("all have the same bounds");
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// A request that takes longer than an hour counts as an hour.
fn histogram() -> Histogram<u32> {
    Histogram::new_with_bounds(64, 3_600_000_000_000, 3).expect("constant bounds are in order")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Arrivals, Client, Corpus, Process, Share};

    #[test]
    fn a_tally_is_the_answer_and_its_times() {
        let corpus = Corpus::generated(3, 1_500, 4).unwrap();
        let job = Job::new("http://127.0.0.1:1", &corpus, 4, 2, Client::Raw);
        let mut tally = Tally::new(&job);
        for (_, body) in corpus.iter() {
            tally.add(&Fetched::parse("/", body, Duration::from_micros(250)).unwrap());
        }
        assert_eq!(tally.answer, Answer::expected(&job, &corpus).unwrap());
        assert_eq!(tally.service_times_ns.len(), 4);
        let median = tally.service_times_ns.value_at_quantile(0.5);
        assert!((249_000..=251_000).contains(&median), "{median}");
    }

    #[test]
    fn a_latency_counts_from_when_a_document_was_due() {
        let corpus = Corpus::generated(3, 1_500, 2).unwrap();
        let (millis, arrivals) =
            (Duration::from_millis, Arrivals { process: Process::Uniform, rate: 100, seed: 0 });
        let job = Job::new("http://127.0.0.1:1", &corpus, 2, 2, Client::Raw);
        let mut tally = Tally::new(&Job { arrivals: Some(arrivals), ..job.clone() });
        assert!(Tally::new(&job).open_loop.is_none(), "a closed loop has no latency");
        // The schedule ends after 20 ms: the first was sent at once, the second 15 ms late.
        for (due, sent) in [(0, 0), (10, 25)] {
            let body = corpus.iter().next().unwrap().1;
            let fetched = Fetched::parse("/", body, millis(4)).unwrap();
            let document = OnSchedule { due: millis(due), sent: millis(sent), fetched };
            assert_eq!(document.latency(), millis(sent - due + 4));
            tally.add_on_schedule(&document);
        }
        let open_loop = tally.open_loop.unwrap();
        assert_eq!((open_loop.latencies_ns.len(), open_loop.sent_in_time), (2, 1));
        assert!(open_loop.latencies_ns.max().abs_diff(19_000_000) < 20_000);
        assert!(tally.service_times_ns.max().abs_diff(4_000_000) < 4_000);
    }

    #[test]
    fn tallies_of_shares_merge_into_the_job_s() {
        let corpus = Corpus::generated(3, 1_500, 5).unwrap();
        let arrivals = Arrivals { process: Process::Uniform, rate: 1_000, seed: 0 };
        let job = Job::new("http://127.0.0.1:1", &corpus, 7, 4, Client::Raw);
        let job = Job { top: 2, arrivals: Some(arrivals), ..job };
        let body_of = |id: u32| corpus.iter().find(|(other, _)| *other == id).unwrap().1;
        let fold = |tally: &mut Tally, due: Duration, id: u32| {
            let service_time = Duration::from_millis(due.as_millis() as u64 + 1);
            let fetched = Fetched::parse("/", body_of(id), service_time).unwrap();
            // The schedule ends after 7 ms, and the last two are sent later.
            let sent = due + Duration::from_millis(2);
            tally.add_on_schedule(&OnSchedule { due, sent, fetched });
        };
        let request = |begun_ns: u64, thread: u32| Request {
            begun_ns,
            connecting_ns: None,
            connected_ns: None,
            sent_ns: None,
            first_byte_ns: None,
            last_byte_ns: begun_ns,
            parsed_ns: begun_ns,
            thread,
        };
        let mut whole = Tally::new(&job);
        for (due, index) in arrivals.schedule(7).zip(0..) {
            fold(&mut whole, due, job.id(index));
        }
        let mut merged = Tally::new(&job);
        for (number, share) in Share::deal(&job, 3).into_iter().enumerate() {
            let schedule = share.schedule.unwrap();
            let mut tally = Tally::on_schedule(&share.job, &schedule);
            for (due, index) in schedule.due().zip(0..) {
                fold(&mut tally, due, share.job.id(index));
            }
            let number = number as u64;
            tally.requests = Some(vec![request(9 - number, 0), request(number, 1)]);
            merged.merge(tally);
        }
        assert_eq!(merged.answer, whole.answer);
        assert_eq!(merged.service_times_ns, whole.service_times_ns);
        let (merged_loop, whole_loop) = (merged.open_loop.unwrap(), whole.open_loop.unwrap());
        assert_eq!(merged_loop.latencies_ns, whole_loop.latencies_ns);
        assert_eq!((merged_loop.sent_in_time, whole_loop.sent_in_time), (5, 5));
        let seen = merged.requests.unwrap().into_iter().map(|it| (it.begun_ns, it.thread));
        let expected = [(0, 1), (1, 3), (2, 5), (7, 4), (8, 2), (9, 0)];
        assert_eq!(seen.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_body_that_is_no_document_names_its_url() {
        let error = Fetched::parse("http://x/1", b"oops", Duration::ZERO).unwrap_err();
        assert!(
            error.to_string().starts_with("GET http://x/1: the body is not a document: "),
            "{error}"
        );
    }
}
