//! The process of the clients: told its order, awaited, and answered at each step.

use std::io::{self, Read, Write};
use std::process::Stdio;
use std::time::{Duration, Instant};

use harness::Interrupt;
use harness::memory::{Memory, last_words};
use harness::process::{Process, Program, Wake, child_of, wait_for};
use load::{Held, Order, Outcome, Report};
use rustix::thread::CpuSet;

/// What became of an order.
#[derive(Debug)]
pub enum Done {
    /// It was done.
    Outcome(Box<Outcome>),
    /// It could not be, for a reason that a person understands.
    Failed(String),
    /// Somebody interrupted it.
    Interrupted,
}

/// Has clients do `order`, for `limit` at most, on `processors` if any are named. `step` looks at the
/// server after each step of connections that are held.
///
/// # Errors
///
/// The process cannot be started, or the system is broken.
pub fn run(
    program: &Program,
    order: &Order,
    processors: Option<CpuSet>,
    limit: Duration,
    interrupt: &Interrupt,
    step: &mut dyn FnMut(Held),
) -> io::Result<Done> {
    let deadline = Instant::now() + limit;
    let stderr = Memory::holding("")?;
    let mut command = child_of(&program.path);
    command.arg("load").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(stderr.stdio()?);
    let mut process = Process::start_on(&mut command, processors)?;
    let mut input = process.child().stdin.take().expect("standard input is a pipe");
    let mut lines = Lines::new(&mut process);
    input.write_all(order.line().as_bytes())?;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let line = match lines.next(left, interrupt)? {
            Next::Line(line) => line,
            Next::Wake(Wake::Interrupted) => return Ok(Done::Interrupted),
            Next::Wake(Wake::OutOfTime) => {
                let seconds = limit.as_secs_f64();
                return Ok(Done::Failed(format!("the clients were not through after {seconds} s")));
            }
            Next::Wake(Wake::Ended) => {
                let words = last_words(&stderr.text()?);
                return Ok(Done::Failed(format!("the clients ended without a word: {words}")));
            }
        };
        match serde_json::from_str(&line).map_err(io::Error::other)? {
            Report::Outcome(outcome) => return Ok(Done::Outcome(outcome)),
            Report::Failed(why) => return Ok(Done::Failed(why)),
            Report::Held(held) => {
                step(held);
                input.write_all(b"\n")?;
            }
        }
    }
}

/// What a process writes, line by line.
struct Lines<'a> {
    process: &'a mut Process,
    bytes: Vec<u8>,
}

enum Next {
    Line(String),
    Wake(Wake),
}

impl<'a> Lines<'a> {
    fn new(process: &'a mut Process) -> Self {
        Lines { process, bytes: Vec::new() }
    }

    /// The next one, within `limit`.
    fn next(&mut self, limit: Duration, interrupt: &Interrupt) -> io::Result<Next> {
        let deadline = Instant::now() + limit;
        let stdout = self.process.child().stdout.as_mut().expect("standard output is a pipe");
        let mut searched = 0;
        loop {
            let end = self.bytes[searched..].iter().position(|byte| *byte == b'\n');
            if let Some(end) = end.map(|end| searched + end) {
                let rest = self.bytes.split_off(end + 1);
                let line = std::mem::replace(&mut self.bytes, rest);
                return Ok(Next::Line(String::from_utf8_lossy(&line).into_owned()));
            }
            searched = self.bytes.len();
            let left = deadline.saturating_duration_since(Instant::now());
            let wake = wait_for(stdout, left, interrupt)?;
            if wake != Wake::Ended {
                return Ok(Next::Wake(wake));
            }
            let mut more = [0; 65_536];
            match stdout.read(&mut more)? {
                0 => return Ok(Next::Wake(Wake::Ended)),
                count => self.bytes.extend(&more[..count]),
            }
        }
    }
}
