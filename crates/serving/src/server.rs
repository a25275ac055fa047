//! A server that is measured: started, awaited, looked at, ended.

use std::io::{self, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use harness::Interrupt;
use harness::memory::{Memory, last_words};
use harness::process::{CHILD, Process, Wake, wait_for};
use rustix::thread::CpuSet;

use crate::tree::Tree;

/// What there is to know of a server, and how it is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its name in tables.
    pub id: String,
    /// How a handler waits, in a few words.
    pub waits: String,
    /// What it stands for.
    pub mirrors: String,
    /// The most requests that it serves at once, where there is such a number.
    pub at_once: Option<u64>,
    /// Whether it serves files, and neither waits nor burns.
    pub is_static: bool,
    /// Which documents it has.
    pub documents: Documents,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Where it is run, unless here.
    pub folder: Option<PathBuf>,
    /// Why it cannot be run here.
    pub missing: Option<String>,
}

/// Which documents a server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Documents {
    /// Those that the origin makes.
    Generated,
    /// Those of `documents.jsonl`.
    Listed,
}

/// A server that serves, until it is dropped.
#[derive(Debug)]
pub struct Running {
    /// Scheme, host and port.
    pub url: String,
    /// From its start to when it could answer.
    pub ready: Duration,
    process: Process,
    stderr: Memory,
}

/// How long a server may take until it listens: a hundred workers of an interpreter take a while.
const START_LIMIT: Duration = Duration::from_secs(90);

/// What is before the address, where a program says more than that.
const LISTENING: &str = "listening on ";

impl Server {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).env(CHILD, "1");
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command
    }

    /// Starts it, on these processors if any are named, and waits until it listens; `None` when
    /// somebody interrupted that.
    ///
    /// # Errors
    ///
    /// It cannot be started, or ends at once; what it said is in the error.
    pub fn start(
        &self,
        processors: Option<CpuSet>,
        interrupt: &Interrupt,
    ) -> io::Result<Option<Running>> {
        let began = Instant::now();
        let stderr = Memory::holding("")?;
        let mut command = self.command();
        // Some end when their input does: it stays open as long as the child is held.
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(stderr.stdio()?);
        let mut process = Process::start_on(&mut command, processors)?;
        let line = first_line(&mut process, began + START_LIMIT, interrupt)?;
        match line {
            Wait::Interrupted => Ok(None),
            Wait::Line(line) => {
                let url = line.strip_prefix(LISTENING).unwrap_or(&line).to_owned();
                Ok(Some(Running { url, ready: began.elapsed(), process, stderr }))
            }
            Wait::Nothing(why) => {
                process.kill();
                let words = last_words(&stderr.text()?);
                let words = if words.is_empty() { String::new() } else { format!(": {words}") };
                Err(io::Error::other(format!("{why}{words}")))
            }
        }
    }
}

impl Running {
    /// All of its processes.
    ///
    /// # Errors
    ///
    /// It has ended.
    pub fn tree(&self) -> io::Result<Tree> {
        Tree::of(self.process.pid())
    }

    /// What it last said on standard error.
    pub fn last_words(&self) -> String {
        last_words(&self.stderr.text().unwrap_or_default())
    }
}

enum Wait {
    Line(String),
    Nothing(&'static str),
    Interrupted,
}

fn first_line(process: &mut Process, deadline: Instant, interrupt: &Interrupt) -> io::Result<Wait> {
    let stdout = process.child().stdout.as_mut().expect("standard output is a pipe");
    let mut line = Vec::new();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match wait_for(stdout, left, interrupt)? {
            Wake::Ended => {}
            Wake::OutOfTime => return Ok(Wait::Nothing("it did not say that it listens")),
            Wake::Interrupted => return Ok(Wait::Interrupted),
        }
        let mut bytes = [0; 256];
        match stdout.read(&mut bytes)? {
            0 => return Ok(Wait::Nothing("it ended before it listened")),
            count => line.extend(&bytes[..count]),
        }
        if let Some(end) = line.iter().position(|byte| *byte == b'\n') {
            return Ok(Wait::Line(String::from_utf8_lossy(&line[..end]).trim().to_owned()));
        }
    }
}
