//! An origin, jobs, and what the harness measures of a lane process.

use std::path::PathBuf;
use std::process::Command;
use std::sync::LazyLock;
use std::time::Duration;

use harness::lane_process::{self, Ended};
use harness::origin_process::{Service, origin_threads};
use harness::process::{Status, child_of};
use harness::sample::ProcessMeasured;
use harness::workload::Source;
use harness::{Interrupt, OriginProcess, corpora};
use job::{Client, Completed, Corpus, Job, Outcome, OutcomeResult};

/// The size of each document.
pub const DOCUMENT_BYTES: u64 = 1_500;

/// Of the origin's documents.
pub const SEED: u64 = 42;

/// Longer than anything here takes; what needs it has failed.
pub const LIMIT: Duration = Duration::from_secs(60);

/// This program, which is `compare` to its children.
pub fn program() -> PathBuf {
    std::env::current_exe().unwrap()
}

/// Ctrl-C, for all that anybody waits for: once it has come, no wait begins any more.
pub fn interrupt() -> &'static Interrupt {
    static INTERRUPT: LazyLock<Interrupt> = LazyLock::new(|| Interrupt::listen().unwrap());
    &INTERRUPT
}

pub fn origin(server: origin::Server) -> OriginProcess {
    let service = Service {
        program: program(),
        server: server.name().to_owned(),
        threads: origin_threads(),
        seed: SEED,
        sizes: vec![DOCUMENT_BYTES],
        corpus: None,
    };
    OriginProcess::start(&service, interrupt()).unwrap()
}

/// Where a document is found that takes `delay`.
pub fn path(delay: Duration) -> String {
    let delay_us = u64::try_from(delay.as_micros()).unwrap();
    corpora::path(Source::Generated, DOCUMENT_BYTES, &[delay_us], false)
}

/// A job on documents that take `delay` each, with at most eight in flight.
pub fn job(origin_url: &str, documents: u64, delay: Duration) -> Job {
    let size = usize::try_from(DOCUMENT_BYTES).unwrap();
    let corpus = Corpus::generated(SEED, size, origin::GENERATED_DOCUMENTS).unwrap();
    Job { path: path(delay), ..Job::new(origin_url, &corpus, documents, 8, Client::Raw) }
}

/// A job for lanes that ask for nothing.
pub fn no_job() -> Job {
    job("http://127.0.0.1:9", 1, Duration::ZERO)
}

/// What the harness has of one lane process.
#[derive(Debug)]
pub struct Ours {
    /// What the lane process saw of its job.
    pub job: Completed,
    /// What the kernel saw of the process that was started.
    pub process: ProcessMeasured,
}

impl Ours {
    pub fn job_cpu(&self) -> Duration {
        Duration::from_micros(self.job.usage.unwrap().cpu_us())
    }

    pub fn rss_bytes_peak(&self) -> u64 {
        self.job.rss_bytes_peak.unwrap()
    }

    pub fn process_wall(&self) -> Duration {
        Duration::from_nanos(self.process.wall_ns)
    }
}

/// The lane on `job`, as the harness does it.
pub fn lane(id: &str, job: &Job) -> Ours {
    started(child_of(&program()).args(["lane", id]), job)
}

/// The same, with `through` between the harness and the lane: a program that starts another one,
/// and whose own arguments are all there.
pub fn lane_through(mut through: Command, id: &str, job: &Job) -> Ours {
    started(through.arg(program()).args(["lane", id]).env(harness::process::CHILD, "1"), job)
}

fn started(command: &mut Command, job: &Job) -> Ours {
    let ended = lane_process::run(command, job, None, LIMIT, interrupt()).unwrap();
    let Ended { status, measured, stdout, stderr, .. } = ended;
    assert_eq!(status, Status::Exited(0), "{command:?}: {stderr}");
    match Outcome::from_json(&stdout).unwrap().result {
        OutcomeResult::Completed(job) => Ours { job: *job, process: measured },
        OutcomeResult::Failed(failed) => panic!("{command:?}: {failed}"),
    }
}
