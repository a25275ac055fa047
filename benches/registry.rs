//! Lanes that are programs of their own: which there are, and how each is started.
//!
//! ```text
//!   others/lanes.toml ─► Registry ─► job::Lane, as far as planning needs it
//!   --lane NAME=COMMAND ──┘    └──► this process, told `lane other/NAME` ══ exec ══► the program
//! ```
//!
//! The harness starts every lane in the same way, and knows nothing of what becomes of the process:
//! its id, its standard input and output, its processors and its limits stay. So whatever can read a
//! job and write an outcome is a lane.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::{env, io};

use anyhow::{Context, anyhow, bail};
use harness::Limits;
use harness::workload::OTHER;
use job::{Client, Job, Lane, LaneError, Needs};
use serde::Deserialize;

use crate::enter::Misuse;
use crate::environments::{self, CommandLine, Environment};
use crate::lanes::PEERS;

const REGISTERED: &str = include_str!("others/lanes.toml");

/// Where a child finds the commands of `--lane`: a JSON object of ids and commands.
const TOLD: &str = "COMPARE_LANES";

/// Every lane that is a program of its own.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registry {
    /// What programs are run with, one a folder.
    #[serde(rename = "environment")]
    pub environments: Vec<Environment>,
    /// The lanes, in the order of the tables.
    #[serde(rename = "lane")]
    pub programs: Vec<Program>,
    /// The commands of lanes that were told on the command line, by id.
    #[serde(skip)]
    told: BTreeMap<String, String>,
}

/// A lane that is a program.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// `other/name`.
    pub id: String,
    /// Its environment's folder.
    folder: String,
    /// Started there, with `{home}` for where the environment is set up.
    command: Vec<String>,
    waits: String,
    mirrors: String,
    clients: Vec<Client>,
    #[serde(default)]
    in_flight: InFlight,
    #[serde(default)]
    threads: Threads,
    /// Whether its failures are findings, and not faults of a run.
    #[serde(default)]
    may_fail: bool,
}

/// The most requests that a program keeps in flight.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::Value")]
enum InFlight {
    /// The job's concurrency.
    #[default]
    Concurrency,
    /// One after the other.
    One,
    /// Eight.
    Eight,
    /// A hundred.
    Hundred,
    /// As many as Python's executor has workers unless it is told: four more than there are
    /// processors, and 32 at most.
    Executor,
}

/// How many OS threads a program has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Threads {
    /// Those of its runtime, whatever the job.
    #[default]
    Few,
    /// One for every request in flight.
    Concurrency,
}

impl TryFrom<toml::Value> for InFlight {
    type Error = &'static str;

    fn try_from(value: toml::Value) -> Result<Self, Self::Error> {
        match (value.as_integer(), value.as_str()) {
            (Some(1), _) => Ok(InFlight::One),
            (Some(8), _) => Ok(InFlight::Eight),
            (Some(100), _) => Ok(InFlight::Hundred),
            (_, Some("concurrency")) => Ok(InFlight::Concurrency),
            (_, Some("executor")) => Ok(InFlight::Executor),
            _ => Err("1, 8, 100, \"concurrency\" or \"executor\""),
        }
    }
}

impl InFlight {
    fn of(self, job: &Job) -> u64 {
        let processors =
            std::thread::available_parallelism().map_or(1, |processors| processors.get() as u64);
        let own = match self {
            InFlight::Concurrency => job.concurrency,
            InFlight::One => 1,
            InFlight::Eight => 8,
            InFlight::Hundred => 100,
            InFlight::Executor => (processors + 4).min(32),
        };
        own.min(job.in_flight_most())
    }
}

/// Enough for the threads and the files of any runtime here.
const THREADS_FEW: u64 = 32;
const DESCRIPTORS_FEW: u64 = 64;

/// The stack that glibc gives a thread unless it is told.
const THREAD_STACK_BYTES: u64 = 8 << 20;

fn needs(job: &Job, in_flight: InFlight, threads: Threads) -> Needs {
    let in_flight = in_flight.of(job);
    let (threads, stack_bytes) = match threads {
        Threads::Few => (THREADS_FEW, 0),
        Threads::Concurrency => (in_flight + THREADS_FEW, THREAD_STACK_BYTES),
    };
    Needs {
        in_flight,
        threads,
        stack_bytes,
        connections: in_flight,
        other_descriptors: DESCRIPTORS_FEW,
        mappings: if stack_bytes > 0 { 2 * threads } else { 0 },
    }
}

impl Registry {
    /// What is registered, and what was told as `NAME=COMMAND`.
    ///
    /// # Errors
    ///
    /// A name that is taken, or none.
    ///
    /// # Panics
    ///
    /// If the file that is part of the program is not one of these; a test reads it.
    pub fn with(told: &[String]) -> anyhow::Result<Self> {
        let mut registry: Registry = toml::from_str(REGISTERED).expect("it is part of the program");
        for lane in told {
            let (name, command) = lane
                .split_once('=')
                .filter(|(name, command)| is_name(name) && !command.trim().is_empty())
                .with_context(|| format!("`{lane}` is no NAME=COMMAND"))
                .map_err(Misuse::of)?;
            let id = id_of(name);
            let taken = registry.programs.iter().any(|program| program.id == id);
            if taken || registry.told.insert(id, command.to_owned()).is_some() {
                return Err(Misuse::of(anyhow!("the name `{name}` is taken by another lane")));
            }
        }
        Ok(registry)
    }

    /// `own` lanes, then the peers, then these as far as planning needs them.
    ///
    /// # Errors
    ///
    /// One that was told has the name of another.
    pub fn after(&self, own: &[Lane]) -> anyhow::Result<Vec<Lane>> {
        let mut lanes = [own, PEERS].concat();
        if let Some(id) = self.told.keys().find(|id| lanes.iter().any(|lane| lane.id == **id)) {
            return Err(Misuse::of(anyhow!("the name `{id}` is taken by another lane")));
        }
        lanes.extend(self.programs.iter().map(Program::lane));
        lanes.extend(self.told.iter().map(|(id, command)| told_lane(id, command)));
        Ok(lanes)
    }

    /// Which lanes of those `asked` for cannot be run here, and why: programs that are not set up, and
    /// the one of this program that asks for more of the kernel than others.
    pub fn missing(&self, asked: impl Fn(&str) -> bool) -> BTreeMap<String, String> {
        let own = self.programs.iter().filter(|program| asked(&program.id));
        let own: Vec<_> = own.map(|one| (one.folder.as_str(), one.id.as_str())).collect();
        let mut missing = environments::missing(&self.environments, &own);
        let compio = lane_compio::COMPIO.id;
        let ring = asked(compio).then(lane_compio::runtime::local).and_then(Result::err);
        missing.extend(ring.map(|error| (compio.to_owned(), error.to_string())));
        missing
    }

    /// What the programs of these lanes are run with, and its versions.
    pub fn versions(&self, lanes: &BTreeSet<&str>) -> BTreeMap<String, String> {
        let used = self.programs.iter().filter(|program| lanes.contains(program.id.as_str()));
        let folders = used.map(|program| program.folder.as_str()).collect();
        environments::versions(&self.environments, &folders)
    }

    /// The lanes whose failures are findings.
    pub fn may_fail(&self) -> BTreeSet<&str> {
        let may_fail = self.programs.iter().filter(|program| program.may_fail);
        may_fail.map(|program| program.id.as_str()).collect()
    }

    /// Whether it was told on the command line.
    pub fn is_told(&self, id: &str) -> bool {
        self.told.contains_key(id)
    }

    /// What children must find in their environment to run what was told.
    pub fn variables(&self) -> Vec<(String, String)> {
        let told = serde_json::to_string(&self.told).expect("its keys are strings");
        if self.told.is_empty() { Vec::new() } else { vec![(TOLD.to_owned(), told)] }
    }
}

fn id_of(name: &str) -> String {
    if name.contains('/') { name.to_owned() } else { format!("{OTHER}/{name}") }
}

/// One or two words of an id: what a table, a file and the command line can take.
pub(crate) fn is_name(name: &str) -> bool {
    let is_word = |word: &str| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        !word.is_empty() && word.chars().all(is_plain)
    };
    name.split('/').count() <= 2 && name.split('/').all(is_word)
}

impl Program {
    /// Whether it is run with this.
    pub fn is_of(&self, environment: &Environment) -> bool {
        self.folder == environment.folder
    }

    /// What planning needs of it. It lives as long as the program, as registered lanes do.
    fn lane(&self) -> Lane {
        // A function that knows nothing but the job, for each of what there is.
        let needs: fn(&Job) -> Needs = match (self.in_flight, self.threads) {
            (InFlight::One, _) => |job| needs(job, InFlight::One, Threads::Few),
            (InFlight::Executor, _) => |job| needs(job, InFlight::Executor, Threads::Few),
            (InFlight::Eight, _) => |job| needs(job, InFlight::Eight, Threads::Few),
            (InFlight::Hundred, _) => |job| needs(job, InFlight::Hundred, Threads::Concurrency),
            (InFlight::Concurrency, Threads::Few) => all_in_flight,
            (InFlight::Concurrency, Threads::Concurrency) => {
                |job| needs(job, InFlight::Concurrency, Threads::Concurrency)
            }
        };
        Lane {
            id: leaked(&self.id),
            waits: leaked(&self.waits),
            mirrors: leaked(&self.mirrors),
            clients: self.clients.clone().leak(),
            needs,
            run: not_here,
        }
    }

    /// The program's command, to be run in its folder.
    fn command(&self) -> Command {
        (&CommandLine::registered(&self.folder, &self.command)).into()
    }
}

fn told_lane(id: &str, command: &str) -> Lane {
    Lane {
        id: leaked(id),
        waits: leaked(&format!("as it likes: {command}")),
        mirrors: "itself",
        clients: Client::BOTH,
        needs: all_in_flight,
        run: not_here,
    }
}

fn all_in_flight(job: &Job) -> Needs {
    needs(job, InFlight::Concurrency, Threads::Few)
}

fn leaked(text: &str) -> &'static str {
    text.to_owned().leak()
}

fn not_here(_job: &Job) -> Result<job::Tally, LaneError> {
    let source = io::Error::other("it is a program of its own");
    Err(LaneError::Runtime { doing: "run the lane", source })
}

/// Becomes the program of the lane of this id, or returns where there is none: with the limits raised
/// as for every lane.
///
/// # Errors
///
/// The program cannot be started, or it is to run with a cost that only lanes of this program can
/// have planted.
pub fn become_program(name: &str) -> anyhow::Result<()> {
    let (id, plant) = name.split_once('+').unwrap_or((name, ""));
    let told: BTreeMap<String, String> = match env::var(TOLD) {
        Ok(told) => serde_json::from_str(&told).with_context(|| format!("{TOLD} is no JSON"))?,
        Err(_) => BTreeMap::new(),
    };
    let registry = Registry::with(&[])?;
    let program = registry.programs.iter().find(|program| program.id == id);
    let mut command = match (told.get(id), program) {
        (Some(line), _) => in_shell(line),
        (None, Some(program)) => program.command(),
        (None, None) => return Ok(()),
    };
    if !plant.is_empty() {
        bail!("nothing can be planted in {id}, which is a program of its own");
    }
    let _ = Limits::raised();
    // What comes back is an error.
    let error = command.exec();
    Err(error).with_context(|| format!("cannot start {id}"))
}

/// A line as a person would type it. The shell is gone when the program runs, so that the process is
/// the program's.
fn in_shell(line: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("exec {line}")]);
    command
}

#[cfg(test)]
mod tests {
    use job::Corpus;

    use super::*;

    #[test]
    fn what_is_registered_is_consistent() {
        let registry = Registry::with(&[]).unwrap();
        environments::assert_consistent(&registry.environments);
        let mut ids = Vec::new();
        for program in &registry.programs {
            assert!(program.id.starts_with("other/") && is_name(&program.id), "{}", program.id);
            assert!(!ids.contains(&&program.id), "{} twice", program.id);
            ids.push(&program.id);
            let of = |environment: &&Environment| environment.folder == program.folder;
            let environment = registry.environments.iter().find(of);
            assert!(environment.is_some(), "{}'s folder", program.id);
            assert!(!program.clients.is_empty() && !program.command.is_empty(), "{}", program.id);
        }
    }

    #[test]
    fn needs_are_those_of_the_programs_own_limits() {
        let corpus = Corpus::generated(1, 1_500, 3).unwrap();
        let job = Job::new("http://127.0.0.1:9", &corpus, 400, 200, Client::Raw);
        let in_flight = |limit: InFlight| limit.of(&job);
        assert_eq!(in_flight(InFlight::One), 1);
        assert_eq!(in_flight(InFlight::Hundred), 100);
        assert_eq!(in_flight(InFlight::Concurrency), 200);
        assert!((5..=32).contains(&in_flight(InFlight::Executor)));
        let threads = needs(&job, InFlight::Concurrency, Threads::Concurrency);
        assert!(threads.threads > 200 && threads.mappings > 400);
    }

    #[test]
    fn what_is_told_is_a_lane_of_its_own() {
        let told = |lane: &str| Registry::with(&[lane.to_owned()]);
        let registry = told("mine=python3 mine.py -x=1").unwrap();
        let lane = *registry.after(&[]).unwrap().last().unwrap();
        assert_eq!((lane.id, lane.model()), ("other/mine", "other"));
        assert_eq!(
            registry.variables(),
            [("COMPARE_LANES".to_owned(), r#"{"other/mine":"python3 mine.py -x=1"}"#.to_owned())]
        );
        assert_eq!(
            told("stackful/mine=x").unwrap().after(&[]).unwrap().last().unwrap().id,
            "stackful/mine"
        );
        for wrong in ["mine", "=x", "a,b=x", "a/b/c=x", "mine= "] {
            let error = told(wrong).unwrap_err().to_string();
            assert!(error.contains("is no NAME=COMMAND"), "{wrong}: {error}");
        }
        let own = told("stackful/hub=x").unwrap().after(crate::LANES).unwrap_err().to_string();
        assert_eq!(own, "the name `stackful/hub` is taken by another lane");
        let twice = ["mine=x", "other/mine=y"].map(str::to_owned);
        assert!(Registry::with(&twice).unwrap_err().to_string().contains("taken"));
    }
}
