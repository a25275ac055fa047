//! An origin, and lane processes over it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use harness::child::FLOOR;
use harness::corpora;
use harness::gate::{Expected, Seen, judge};
use harness::lane_process::{Ended, Running};
use harness::machine::MachineMeasured;
use harness::memory::Memory;
use harness::network::Network;
use harness::origin_process::{OriginError, Service, origin_threads};
use harness::plan::{Cell, PlannedCell};
use harness::process::{THIS_IMAGE, Wake, child_of};
use harness::workload::{Point, Source};
use harness::{Interrupt, OriginProcess, Placement};
use job::{Answer, Client, Corpus, Job};

use super::DemoOptions;
use super::strip::{Flight, Progress};

/// How often the origin is asked meanwhile: often enough for the eye, and several times while a
/// request waits.
const LOOK_MOST: Duration = Duration::from_millis(30);
const LOOK_LEAST: Duration = Duration::from_millis(1);

/// How long a process may take before it counts as hung.
const LIMIT: Duration = Duration::from_secs(20);

/// Bytes of a document, and the seed that documents are made of.
const DOCUMENT_BYTES: u64 = 1_500;
const SEED: u64 = 42;

/// An origin of our own, and what is fetched from it.
pub struct Site<'a> {
    origin: OriginProcess,
    corpus: Corpus,
    documents: u64,
    delay: Duration,
    interrupt: &'a Interrupt,
}

/// A lane that ran, and answered right.
#[derive(Debug)]
pub struct Ran {
    /// Its id.
    pub lane: &'static str,
    /// The job alone.
    pub wall: Duration,
    /// The peak of its process' resident memory, where it could be read.
    pub memory_bytes: Option<u64>,
    /// The most requests that the origin had in flight at once.
    pub at_once: u64,
    /// The most OS threads that were seen in its process while requests were in flight, if anybody
    /// looked then.
    pub threads: Option<u64>,
    /// What was in flight whenever somebody looked.
    pub flights: Vec<Flight>,
}

impl<'a> Site<'a> {
    /// Starts the origin.
    ///
    /// # Errors
    ///
    /// It does not start.
    pub fn open(options: &DemoOptions, interrupt: &'a Interrupt) -> anyhow::Result<Self> {
        let bytes = usize::try_from(DOCUMENT_BYTES)?;
        let corpus = Corpus::generated(SEED, bytes, origin::GENERATED_DOCUMENTS)?;
        let service = Service {
            program: THIS_IMAGE.into(),
            server: origin::Server::Hyper.name().to_owned(),
            threads: origin_threads(),
            seed: SEED,
            sizes: vec![DOCUMENT_BYTES],
            corpus: None,
        };
        let origin = OriginProcess::start(&service, interrupt)?;
        let DemoOptions { documents, delay } = *options;
        Ok(Site { origin, corpus, documents, delay, interrupt })
    }

    /// How many documents a lane fetches.
    pub fn documents(&self) -> u64 {
        self.documents
    }

    /// The job of every lane: all documents, all of them at once if the lane can.
    fn job(&self) -> Job {
        self.job_of(self.documents, self.documents, self.delay)
    }

    /// A job on documents that are `delay` away.
    pub fn job_of(&self, documents: u64, concurrency: u64, delay: Duration) -> Job {
        let Site { origin, corpus, .. } = self;
        let delay_us = u64::try_from(delay.as_micros()).unwrap_or(u64::MAX);
        let path = corpora::path(Source::Generated, DOCUMENT_BYTES, &[delay_us], false);
        let job = Job::new(&origin.url, corpus, documents, concurrency, Client::Library);
        Job { path, ..job }
    }

    /// What the process of a lane peaks at before its lane begins.
    ///
    /// # Errors
    ///
    /// As [`run`](Site::run).
    pub fn floor_bytes(&self) -> anyhow::Result<Option<u64>> {
        Ok(self.run(FLOOR.id, &mut |_| Ok(()))?.memory_bytes)
    }

    /// Runs a lane in a process of its own, and tells `watch` meanwhile how far it is.
    ///
    /// # Errors
    ///
    /// The lane failed or answered wrong, the origin is gone, or somebody interrupted it.
    pub fn run(
        &self,
        lane: &'static str,
        watch: &mut dyn FnMut(Progress) -> anyhow::Result<()>,
    ) -> anyhow::Result<Ran> {
        let job = self.job();
        self.origin.reset()?;
        let (mut threads, mut flights) = (None, Vec::new());
        let mut look = |at, task_folder: &Path| {
            let stats = self.origin.stats()?;
            let (done, in_flight) = (stats.requests, stats.in_flight);
            if done + in_flight > 0 {
                flights.push(Flight { at, count: in_flight });
            }
            if in_flight > 0 {
                // A process that has just ended has no such folder any more.
                let tasks = fs::read_dir(task_folder).ok();
                threads = threads.max(tasks.map(|tasks| tasks.count() as u64));
            }
            watch(Progress { done, in_flight, documents: self.documents })
        };
        let ended =
            self.await_end(child_of(Path::new(THIS_IMAGE)).args(["lane", lane]), &job, &mut look)?;
        let seen = self.origin.stats()?;
        let at_once = seen.in_flight_peak;
        let measured = self.judged(lane, &job, ended, seen)?;
        let wall = Duration::from_nanos(measured.wall_ns);
        if flights.iter().all(|flight| flight.count == 0) {
            // It was over before anybody looked.
            flights = vec![Flight { at: Duration::ZERO, count: at_once }];
        }
        for flight in &mut flights {
            // The process took its time to start, which the job's wall does not know.
            flight.at = flight.at.min(wall.mul_f64(0.999));
        }
        let memory_bytes = measured.rss_bytes_peak;
        Ok(Ran { lane, wall, memory_bytes, at_once, threads, flights })
    }

    /// Runs `command` on `job` and returns what it printed.
    ///
    /// # Errors
    ///
    /// It failed, or somebody interrupted it.
    pub fn output_of(&self, command: &mut Command, job: &Job) -> anyhow::Result<String> {
        let ended = self.await_end(command, job, &mut |_, _| Ok(()))?;
        if ended.wake != Wake::Ended || ended.measured.exit_code != Some(0) {
            return Err(anyhow!("{}", harness::memory::last_words(&ended.stderr)));
        }
        Ok(ended.stdout)
    }

    /// Starts `command` with `job` on its standard input and waits for its end, with a look at it
    /// every now and then.
    fn await_end(
        &self,
        command: &mut Command,
        job: &Job,
        look: &mut dyn FnMut(Duration, &Path) -> anyhow::Result<()>,
    ) -> anyhow::Result<Ended> {
        let input = Memory::holding(&job.to_json())?;
        // A backtrace would push the panic's message out of what a person is told.
        command.env("RUST_BACKTRACE", "0").stdin(input.stdio()?);
        let between = (self.delay / 4).clamp(LOOK_LEAST, LOOK_MOST);
        let start = Instant::now();
        let running = Running::start(command, None).context("cannot start a lane process")?;
        let tasks = format!("/proc/{}/task", running.process().pid().as_raw_nonzero());
        let wake = loop {
            match running.process().wait(between, self.interrupt)? {
                Wake::OutOfTime if start.elapsed() < LIMIT => {
                    look(start.elapsed(), Path::new(&tasks))?;
                }
                wake => break wake,
            }
        };
        let ended = running.end(wake)?;
        if wake == Wake::Interrupted {
            return Err(OriginError::Interrupted.into());
        }
        Ok(ended)
    }

    /// What was measured of a lane that passes the gates of every sample, but for those that keep
    /// time: a look at the origin takes some.
    fn judged(
        &self,
        lane: &str,
        job: &Job,
        ended: Ended,
        origin: origin::Stats,
    ) -> anyhow::Result<harness::sample::JobMeasured> {
        let documents = if lane == FLOOR.id { 0 } else { job.documents };
        let answer = Answer::expected(&Job { documents, ..job.clone() }, &self.corpus)?;
        let point = Point { documents, concurrency: job.concurrency, rate: None };
        let (workload, client) = ("demo".to_owned(), job.client);
        let cell =
            Cell { workload, point, client, lane: lane.to_owned(), placement: Placement::Unpinned };
        let expected = Expected {
            cell: &PlannedCell { cell, in_flight_least: 0, not_run: None },
            answer: &answer,
            requests: documents,
            delay_us: 0,
            load_limit: 1.0,
            arrivals: None,
            limit: LIMIT,
        };
        let (network, machine) = (Network::default(), MachineMeasured::default());
        let sample = judge(&expected, ended, Seen { origin, network, machine });
        match sample.void {
            Some(void) => Err(anyhow!("{lane}: {}", void.why)),
            None => sample.job.context("a job that passes the gates was measured"),
        }
    }
}
