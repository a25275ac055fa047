#![doc = include_str!("../PROTOCOL.md")]

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::tally::{LaneError, Tally};
use crate::{Answer, Arrivals, Corpus, Request};

/// The version of the protocol that this crate speaks.
pub const PROTOCOL_VERSION: u32 = 1;

/// Where a document is found on an origin, `{id}` standing for its id.
pub const DOCUMENT_PATH: &str = "/api/v2/pokemon/{id}";

/// Fetch `documents` documents from `origin` and fold them into one [`Answer`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// [`PROTOCOL_VERSION`] of the writer.
    pub protocol: u32,
    /// Scheme, host and port: `http://127.0.0.1:41234`.
    pub origin: String,
    /// Path and query of a document, with `{id}` in it.
    pub path: String,
    /// The corpus' ids; documents are asked for in this order, over and over.
    pub ids: Vec<u32>,
    /// How many documents to fetch.
    pub documents: u64,
    /// The most requests in flight at any moment.
    pub concurrency: u64,
    /// Which client to fetch with.
    pub client: Client,
    /// How many of the heaviest documents to keep.
    pub top: usize,
    /// When documents are due, in an open loop; none in a closed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrivals: Option<Arrivals>,
    /// Whether to tell when each request did what, in a job that is not timed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub timeline: bool,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

/// What speaks HTTP in a lane. The two are never ranked together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Client {
    /// What the runtime's users write: ureq, or hyper-util.
    Library,
    /// One small HTTP/1.1 exchange, the same in every lane.
    Raw,
}

impl Client {
    /// Both, in the order of the tables.
    pub const BOTH: &'static [Client] = &[Client::Library, Client::Raw];

    /// The name as it stands in JSON, tables and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Client::Library => "library",
            Client::Raw => "raw",
        }
    }
}

impl std::fmt::Display for Client {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.pad(self.name())
    }
}

/// Text that is not a job or an outcome of this protocol.
#[derive(Debug, Error)]
pub enum JobError {
    /// Not JSON, or not of the right form.
    #[error("not {what} of the lane protocol: {source}")]
    Malformed {
        /// A job, or an outcome.
        what: &'static str,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// Another version of the protocol.
    #[error("protocol {found}, but this program speaks protocol {PROTOCOL_VERSION}")]
    Version {
        /// The version that the text claims.
        found: u32,
    },
    /// A job that cannot be done.
    #[error("a job needs {0}")]
    Incomplete(&'static str),
}

impl Job {
    /// A job on every document of `corpus` at its plain path, with the ten heaviest kept.
    pub fn new(
        origin: &str,
        corpus: &Corpus,
        documents: u64,
        concurrency: u64,
        client: Client,
    ) -> Self {
        Job {
            protocol: PROTOCOL_VERSION,
            origin: origin.to_owned(),
            path: DOCUMENT_PATH.to_owned(),
            ids: corpus.ids(),
            documents,
            concurrency,
            client,
            top: 10,
            arrivals: None,
            timeline: false,
        }
    }

    /// Reads a job.
    ///
    /// # Errors
    ///
    /// Not a job, another protocol, or one that cannot be done.
    pub fn from_json(text: &str) -> Result<Self, JobError> {
        check_version(text, "a job")?;
        let job: Job = serde_json::from_str(text)
            .map_err(|source| JobError::Malformed { what: "a job", source })?;
        if job.ids.is_empty() {
            return Err(JobError::Incomplete("at least one id"));
        }
        if job.concurrency == 0 {
            return Err(JobError::Incomplete("a concurrency of 1 or more"));
        }
        if job.arrivals.is_some_and(|arrivals| arrivals.rate == 0) {
            return Err(JobError::Incomplete("a rate of 1 or more"));
        }
        if !job.path.contains("{id}") {
            return Err(JobError::Incomplete("{id} in its path"));
        }
        Ok(job)
    }

    /// The job as one line of JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a job has no map with keys other than strings")
    }

    /// The URL of document number `index`, counted from 0.
    pub fn url(&self, index: u64) -> String {
        let path = self.path.replace("{id}", &self.id(index).to_string());
        format!("{}{path}", self.origin)
    }

    /// The URL of every document of the job, in order.
    pub fn urls(&self) -> impl Iterator<Item = String> + '_ {
        (0..self.documents).map(|index| self.url(index))
    }

    /// Every id of the job, and how many of its documents are that one's.
    pub fn ids_with_times(&self) -> impl Iterator<Item = (u32, u64)> + '_ {
        let (each, left) =
            (self.documents / self.ids.len() as u64, self.documents % self.ids.len() as u64);
        let ids = self.ids.iter().zip(0..);
        ids.map(move |(id, place)| (*id, each + u64::from(place < left)))
    }

    /// The most requests that can be in flight: as many as allowed, but no more than there are.
    pub fn in_flight_most(&self) -> u64 {
        self.concurrency.min(self.documents)
    }

    /// How many idle connections are worth keeping: only a document that is yet to be asked for
    /// can use one again, so a job with as many documents as requests in flight keeps none. In an
    /// open loop the concurrency is seldom reached, and any but the last may be used again.
    pub fn idle_connections(&self) -> usize {
        let reusable = match self.arrivals {
            None => self.documents.saturating_sub(self.concurrency),
            Some(_) => self.documents.saturating_sub(1),
        };
        usize::try_from(reusable.min(self.concurrency)).unwrap_or(usize::MAX)
    }

    /// The id of document number `index`.
    pub(crate) fn id(&self, index: u64) -> u32 {
        self.ids[(index % self.ids.len() as u64) as usize]
    }
}

/// What a lane process says at its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// [`PROTOCOL_VERSION`] of the writer.
    pub protocol: u32,
    /// What came of the job.
    #[serde(flatten)]
    pub result: OutcomeResult,
}

/// Done, or failed as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OutcomeResult {
    /// Every document was fetched.
    Completed(Box<Completed>),
    /// A request failed, and the job with it.
    Failed(Failed),
}

/// A job that was done, with what the lane process saw of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completed {
    /// The summary, to be verified by the reader.
    pub answer: Answer,
    /// The job alone, nanoseconds: from before the first connection to after the last fold.
    pub wall_ns: u64,
    /// When the program had read its job and was ready to begin, microseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_unix_us: Option<u64>,
    /// `[nanoseconds, count]` of service times.
    pub service_times_ns: Vec<(u64, u64)>,
    /// `[nanoseconds, count]` of latencies, in an open loop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latencies_ns: Option<Vec<(u64, u64)>>,
    /// How many documents were asked for before the schedule's end, in an open loop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_in_time: Option<u64>,
    /// What the kernel charged the process for the job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// `VmHWM` at the end, bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rss_bytes_peak: Option<u64>,
    /// `VmPeak` at the end, bytes: the most address space that was reserved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address_space_bytes_peak: Option<u64>,
    /// What the job asked of the allocator, where it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocations: Option<Allocations>,
    /// When each request did what, where the job asked for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests: Option<Vec<Request>>,
}

/// What a job asked of the allocator, counted between its start and its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocations {
    /// How often it asked for memory; for more or less of what it had counts, too.
    pub count: u64,
    /// How many bytes it asked for, of which most were given back and asked for again; of what
    /// grew, the growth.
    pub bytes: u64,
    /// The most bytes that were in use at once, above those at the start.
    pub live_bytes_peak: u64,
}

/// What the kernel charged a process over an interval (`getrusage(2)`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// CPU time in user mode, microseconds.
    pub user_us: u64,
    /// CPU time in the kernel, microseconds.
    pub system_us: u64,
    /// Times a thread gave up the CPU to wait.
    pub voluntary_switches: u64,
    /// Times a thread was preempted.
    pub involuntary_switches: u64,
    /// Page faults served without I/O.
    pub minor_faults: u64,
    /// Page faults that needed I/O.
    pub major_faults: u64,
}

impl Usage {
    /// User and system time together, microseconds.
    pub fn cpu_us(&self) -> u64 {
        self.user_us + self.system_us
    }
}

/// The request that failed the job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failed {
    /// The URL, where one request is to blame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What went wrong, for a person.
    pub why: String,
}

impl std::fmt::Display for Failed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.url {
            Some(url) => write!(formatter, "GET {url}: {}", self.why),
            None => formatter.write_str(&self.why),
        }
    }
}

impl Outcome {
    /// A job that was done in `wall_ns` nanoseconds.
    pub fn completed(tally: &Tally, wall_ns: u64) -> Self {
        let open_loop = tally.open_loop.as_ref();
        let completed = Completed {
            answer: tally.answer.clone(),
            wall_ns,
            ready_unix_us: None,
            service_times_ns: pairs(&tally.service_times_ns),
            latencies_ns: open_loop.map(|open_loop| pairs(&open_loop.latencies_ns)),
            sent_in_time: open_loop.map(|open_loop| open_loop.sent_in_time),
            usage: None,
            rss_bytes_peak: None,
            address_space_bytes_peak: None,
            allocations: None,
            requests: tally.requests.clone(),
        };
        Self::of(OutcomeResult::Completed(Box::new(completed)))
    }

    /// A job that failed.
    pub fn failed(error: &LaneError) -> Self {
        let failed = match error {
            LaneError::Fetch(fetch) => {
                Failed { url: Some(fetch.url.clone()), why: fetch.why.clone() }
            }
            other => Failed { url: None, why: other.to_string() },
        };
        Self::of(OutcomeResult::Failed(failed))
    }

    fn of(result: OutcomeResult) -> Self {
        Outcome { protocol: PROTOCOL_VERSION, result }
    }

    /// Reads an outcome.
    ///
    /// # Errors
    ///
    /// Not an outcome, or another protocol.
    pub fn from_json(text: &str) -> Result<Self, JobError> {
        check_version(text, "an outcome")?;
        serde_json::from_str(text)
            .map_err(|source| JobError::Malformed { what: "an outcome", source })
    }

    /// The outcome as one line of JSON.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("an outcome has no map with keys other than strings")
    }
}

/// What a histogram has recorded, as it travels.
fn pairs(histogram: &Histogram<u32>) -> Vec<(u64, u64)> {
    let steps = histogram.iter_recorded();
    steps.map(|step| (step.value_iterated_to(), u64::from(step.count_at_value()))).collect()
}

/// A wrong version is told as such, even when the rest of the text would not parse either.
fn check_version(text: &str, what: &'static str) -> Result<(), JobError> {
    #[derive(Deserialize)]
    struct Version {
        protocol: u32,
    }
    let version: Version =
        serde_json::from_str(text).map_err(|source| JobError::Malformed { what, source })?;
    match version.protocol {
        PROTOCOL_VERSION => Ok(()),
        found => Err(JobError::Version { found }),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{FetchError, Fetched, OnSchedule, Process};

    fn job() -> Job {
        let corpus = Corpus::generated(1, 1_500, 3).unwrap();
        Job::new("http://127.0.0.1:80", &corpus, 5, 2, Client::Library)
    }

    fn arrivals() -> Option<Arrivals> {
        Some(Arrivals { process: Process::Poisson, rate: 2_000, seed: 42 })
    }

    #[test]
    fn documents_are_asked_for_in_turn() {
        let mut job = job();
        job.path += "?delay_us=7";
        let ids: Vec<_> = (0..job.documents).map(|index| job.id(index)).collect();
        assert_eq!(ids, [1, 2, 3, 1, 2]);
        assert_eq!(job.url(4), "http://127.0.0.1:80/api/v2/pokemon/2?delay_us=7");
        assert_eq!(job.urls().count(), 5);
        assert_eq!(job.ids_with_times().collect::<Vec<_>>(), [(1, 2), (2, 2), (3, 1)]);
    }

    #[test]
    fn only_documents_to_come_can_use_a_connection_again() {
        let with = |documents, concurrency| Job { documents, concurrency, ..job() };
        assert_eq!(with(1_600, 1_600).idle_connections(), 0);
        assert_eq!(with(1, 64).idle_connections(), 0);
        assert_eq!(with(100, 64).idle_connections(), 36);
        assert_eq!(with(10_000, 64).idle_connections(), 64);
        let open =
            |documents, concurrency| Job { arrivals: arrivals(), ..with(documents, concurrency) };
        assert_eq!(open(1, 64).idle_connections(), 0);
        assert_eq!(open(60, 64).idle_connections(), 59);
        assert_eq!(open(100, 64).idle_connections(), 64);
    }

    /// Every example of the page, in its order.
    fn examples() -> Vec<&'static str> {
        let page = include_str!("../PROTOCOL.md");
        page.split("```json\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
    }

    #[test]
    fn the_page_shows_what_is_spoken() {
        let [job, document, completed, failed, open, latencies, _] = examples()[..] else {
            panic!("seven examples")
        };
        assert_eq!(Job::from_json(job).unwrap().concurrency, 64);
        let mut answer = Answer::new(10);
        answer.add(1_500, &crate::Document::parse(document.as_bytes()).unwrap());
        match Outcome::from_json(completed).unwrap().result {
            OutcomeResult::Completed(completed) => {
                assert_eq!(completed.answer, answer);
                assert_eq!(completed.allocations.map(|counted| counted.count), Some(41));
            }
            OutcomeResult::Failed(failed) => panic!("{failed}"),
        }
        assert!(matches!(
            Outcome::from_json(failed).unwrap().result,
            OutcomeResult::Failed(Failed { url: Some(_), .. })
        ));
        // What an open loop adds, put where it belongs.
        let open = with_fields(job, "", open);
        assert_eq!(Job::from_json(&open).unwrap().arrivals, arrivals());
        match Outcome::from_json(&with_fields(completed, "/completed", latencies)).unwrap().result {
            OutcomeResult::Completed(completed) => {
                assert_eq!(completed.latencies_ns, Some(vec![(21_007_000, 1)]));
                assert_eq!(completed.sent_in_time, Some(1));
            }
            OutcomeResult::Failed(failed) => panic!("{failed}"),
        }
    }

    #[test]
    fn the_page_shows_a_timeline() {
        let [_, _, completed, .., requests] = examples()[..] else { panic!("seven examples") };
        match Outcome::from_json(&with_fields(completed, "/completed", requests)).unwrap().result {
            OutcomeResult::Completed(completed) => {
                let [request] = completed.requests.unwrap()[..] else { panic!("one request") };
                assert_eq!(request.connected_ns, Some(60_200));
            }
            OutcomeResult::Failed(failed) => panic!("{failed}"),
        }
    }

    /// The example with the fields of another one, at `place` in it.
    fn with_fields(example: &str, place: &str, fields: &str) -> String {
        let mut example: serde_json::Value = serde_json::from_str(example).unwrap();
        let fields: serde_json::Map<_, _> = serde_json::from_str(fields).unwrap();
        let whole = example.pointer_mut(place).unwrap().as_object_mut().unwrap();
        whole.extend(fields);
        example.to_string()
    }

    #[test]
    fn a_job_survives_its_json() {
        assert_eq!(Job::from_json(&job().to_json()).unwrap(), job());
        assert!(!job().to_json().contains("arrivals"), "a closed loop has none");
        assert!(!job().to_json().contains("timeline"), "nobody looks unless told to");
        let open = Job { arrivals: arrivals(), ..job() };
        assert_eq!(Job::from_json(&open.to_json()).unwrap(), open);
    }

    #[test]
    fn what_is_no_job_is_refused_in_one_line() {
        let refusal = |text: &str| Job::from_json(text).unwrap_err().to_string();
        assert_eq!(
            refusal(&job().to_json().replace("\"protocol\":1", "\"protocol\":9")),
            "protocol 9, but this program speaks protocol 1"
        );
        assert_eq!(
            refusal(&job().to_json().replace("\"concurrency\":2", "\"concurrency\":0")),
            "a job needs a concurrency of 1 or more"
        );
        let never = arrivals().map(|arrivals| Arrivals { rate: 0, ..arrivals });
        let never = Job { arrivals: never, ..job() }.to_json();
        assert_eq!(refusal(&never), "a job needs a rate of 1 or more");
        assert!(refusal("").starts_with("not a job of the lane protocol"));
    }

    #[test]
    fn an_outcome_survives_its_json() {
        let corpus = Corpus::generated(1, 1_500, 3).unwrap();
        let mut tally = Tally::new(&job());
        for (_, body) in corpus.iter() {
            tally.add(&Fetched::parse("/", body, Duration::from_micros(20_100)).unwrap());
        }
        let done = Outcome::completed(&tally, 123_456);
        assert_eq!(Outcome::from_json(&done.to_json()).unwrap(), done);
        assert!(!done.to_json().contains("latencies_ns"), "a closed loop has none");
        let mut tally = Tally::new(&Job { arrivals: arrivals(), ..job() });
        let fetched = Fetched::parse("/", corpus.iter().next().unwrap().1, Duration::ZERO);
        let (due, sent) = (Duration::ZERO, Duration::from_millis(1));
        tally.add_on_schedule(&OnSchedule { due, sent, fetched: fetched.unwrap() });
        let open = Outcome::completed(&tally, 123_456);
        assert!(open.to_json().contains("\"sent_in_time\":1"), "{}", open.to_json());
        assert_eq!(Outcome::from_json(&open.to_json()).unwrap(), open);
        let failed = Outcome::failed(&LaneError::Fetch(FetchError::new("http://x/1", "reset")));
        assert_eq!(
            failed.to_json(),
            r#"{"protocol":1,"failed":{"url":"http://x/1","why":"reset"}}"#
        );
        assert_eq!(Outcome::from_json(&failed.to_json()).unwrap(), failed);
    }
}
