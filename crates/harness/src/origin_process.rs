//! The child that serves the documents.

use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use origin::Stats;
use thiserror::Error;

use crate::interrupt::Interrupt;
use crate::memory::{Memory, last_words};
use crate::placement::{Placement, Processors};
use crate::process::{Process, Wake, child_of, wait_for};

/// How the origin is to serve.
#[derive(Debug, Clone)]
pub struct Service {
    /// The program, which is told `origin` and the options below.
    pub program: PathBuf,
    /// Which HTTP server answers, by [its name](origin::Server::name).
    pub server: String,
    /// Threads that serve.
    pub threads: usize,
    /// Seed of the generated documents.
    pub seed: u64,
    /// Sizes of generated documents.
    pub sizes: Vec<u64>,
    /// The reader's own documents.
    pub corpus: Option<PathBuf>,
}

/// The origin, as a child that ends with this process.
#[derive(Debug)]
pub struct OriginProcess {
    /// Scheme, host and port.
    pub url: String,
    process: Process,
    stderr: Memory,
    agent: ureq::Agent,
}

/// Why there is no origin, or none any more.
#[derive(Debug, Error)]
pub enum OriginError {
    /// The program cannot be started.
    #[error("cannot start {program}: {source}")]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It ended before it served.
    #[error("the origin ended before it served: {0}")]
    Ended(String),
    /// It does not tell its counters.
    #[error("the origin does not answer {path}: {why}")]
    Silent {
        /// What was asked for.
        path: &'static str,
        /// What came instead.
        why: String,
    },
    /// It cannot be moved to the processors where it is to run.
    #[error("cannot move the origin to its processors: {0}")]
    Place(#[source] io::Error),
    /// Somebody wants the run to end.
    #[error("interrupted")]
    Interrupted,
}

/// How long the origin may take to make its documents and listen, and to tell its counters.
const START_LIMIT: Duration = Duration::from_secs(60);
const STATS_LIMIT: Duration = Duration::from_secs(10);

impl Service {
    fn command(&self, stderr: Stdio) -> Command {
        let sizes: Vec<_> = self.sizes.iter().map(u64::to_string).collect();
        let mut command = child_of(&self.program);
        command.args(["origin", "--end-with-parent", "--server", &self.server]);
        command.args(["--threads", &self.threads.to_string(), "--seed", &self.seed.to_string()]);
        if !sizes.is_empty() {
            command.args(["--bytes", &sizes.join(",")]);
        }
        if let Some(folder) = &self.corpus {
            command.arg("--corpus").arg(folder);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(stderr);
        command
    }
}

impl OriginProcess {
    /// Starts the origin and waits until it listens.
    ///
    /// # Errors
    ///
    /// It cannot be started, or ends at once; what it said is in the error.
    pub fn start(service: &Service, interrupt: &Interrupt) -> Result<Self, OriginError> {
        let fail = |source| OriginError::Start { program: service.program.clone(), source };
        let stderr = Memory::holding("").map_err(fail)?;
        let mut command = service.command(stderr.stdio().map_err(fail)?);
        let mut process = Process::start(&mut command).map_err(fail)?;
        let deadline = Instant::now() + START_LIMIT;
        let url = first_line(&mut process, deadline, interrupt).map_err(fail)?;
        // The origin is on this machine: a proxy that the environment names has no part in it.
        let config = ureq::Agent::config_builder().timeout_global(Some(STATS_LIMIT)).proxy(None);
        let config = config.build();
        match url {
            _ if interrupt.has_come() => Err(OriginError::Interrupted),
            Some(url) => Ok(OriginProcess { url, process, stderr, agent: config.new_agent() }),
            None => {
                process.kill();
                Err(OriginError::Ended(last_words(&stderr.text().map_err(fail)?)))
            }
        }
    }

    /// What the origin counted since the last [`reset`](OriginProcess::reset).
    ///
    /// # Errors
    ///
    /// It does not answer.
    pub fn stats(&self) -> Result<Stats, OriginError> {
        let path = "/stats";
        let answer = self.agent.get(format!("{}{path}", self.url)).call();
        let text = answer.and_then(|mut answer| answer.body_mut().read_to_string());
        let stats = text
            .map_err(|error| error.to_string())
            .and_then(|text| serde_json::from_str(&text).map_err(|error| error.to_string()));
        stats.map_err(|why| self.silent(path, &why))
    }

    /// Counts from zero, once what an ended lane left in flight is through.
    ///
    /// # Errors
    ///
    /// It does not answer, or its requests do not end.
    pub fn reset(&self) -> Result<(), OriginError> {
        let path = "/stats/reset";
        let deadline = Instant::now() + STATS_LIMIT;
        while self.stats()?.in_flight > 0 {
            if Instant::now() > deadline {
                return Err(self.silent(path, "requests of a lane that has ended are in flight"));
            }
            // Only after a lane that was killed; nothing tells when the last request is through.
            std::thread::sleep(Duration::from_millis(2));
        }
        let answer = self.agent.post(format!("{}{path}", self.url)).send_empty();
        answer.map(drop).map_err(|error| self.silent(path, &error.to_string()))
    }

    /// Moves the origin to the processors where it is to run.
    ///
    /// # Errors
    ///
    /// The origin is gone.
    pub fn place(&self, processors: &Processors, placement: Placement) -> Result<(), OriginError> {
        let placed = processors.place_origin(self.process.pid(), placement);
        placed.map_err(OriginError::Place)
    }

    /// What the origin has to say of itself, each line once: limits of the server that was asked
    /// for, and what it has run out of.
    pub fn warnings(&self) -> Vec<String> {
        let text = self.stderr.text().unwrap_or_default();
        let mut warnings: Vec<String> = Vec::new();
        for warning in text.lines().filter_map(|line| line.strip_prefix("origin: ")) {
            if !warnings.iter().any(|known| known == warning) {
                warnings.push(warning.to_owned());
            }
        }
        warnings
    }

    /// An origin that died says why on standard error, which tells more than a refused connection.
    fn silent(&self, path: &'static str, why: &str) -> OriginError {
        let words = last_words(&self.stderr.text().unwrap_or_default());
        let why = if words.is_empty() { why.to_owned() } else { format!("{why} ({words})") };
        OriginError::Silent { path, why }
    }

    /// Kills the origin, for those who test what comes of it.
    #[doc(hidden)]
    pub fn kill(&mut self) {
        self.process.kill();
    }
}

/// The one line with its address; `None` when there was none before its end.
fn first_line(
    process: &mut Process,
    deadline: Instant,
    interrupt: &Interrupt,
) -> io::Result<Option<String>> {
    let stdout = process.child().stdout.as_mut().expect("standard output is a pipe");
    let mut line = Vec::new();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if wait_for(stdout, left, interrupt)? != Wake::Ended {
            return Ok(None);
        }
        let mut bytes = [0; 256];
        match stdout.read(&mut bytes)? {
            0 => return Ok(None),
            count => line.extend(&bytes[..count]),
        }
        if let Some(end) = line.iter().position(|byte| *byte == b'\n') {
            return Ok(Some(String::from_utf8_lossy(&line[..end]).trim().to_owned()));
        }
    }
}

/// Threads for the origin: one a processor.
///
/// With half of them it would be the narrowest place: without delay, one thread of two held every
/// raw lane to the same throughput, whatever its model.
pub fn origin_threads() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
