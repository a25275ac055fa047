//! One lane process: started on a job, awaited, and reaped with what the kernel charged it.

use std::io;
use std::process::Command;
use std::time::{Duration, Instant};

use job::Job;
use rustix::thread::CpuSet;

use crate::gate::unix_us;
use crate::interrupt::Interrupt;
use crate::memory::Memory;
use crate::process::{Process, Status, Wake};
use crate::sample::ProcessMeasured;

/// A lane process that has ended, or was ended.
#[derive(Debug)]
pub struct Ended {
    /// Why the wait for it was over.
    pub wake: Wake,
    /// How it ended.
    pub status: Status,
    /// When it was started, microseconds since 1970.
    pub started_unix_us: u64,
    /// What the kernel saw of it.
    pub measured: ProcessMeasured,
    /// All that it wrote on standard output.
    pub stdout: String,
    /// All that it wrote on standard error.
    pub stderr: String,
}

/// A lane process that was started.
#[derive(Debug)]
pub struct Running {
    process: Process,
    start: Instant,
    started_unix_us: u64,
    output: Memory,
    errors: Memory,
}

/// Runs a lane process on `job`, for `limit` at most, on `processors` if any are named.
///
/// # Errors
///
/// The program cannot be started, or the system is broken.
pub fn run(
    command: &mut Command,
    job: &Job,
    processors: Option<CpuSet>,
    limit: Duration,
    interrupt: &Interrupt,
) -> io::Result<Ended> {
    let input = Memory::holding(&job.to_json())?;
    let running = Running::start(command.stdin(input.stdio()?), processors)?;
    let wake = running.process.wait(limit, interrupt)?;
    running.end(wake)
}

impl Running {
    /// Starts a lane process, whose standard input the command has, on `processors` if any are
    /// named.
    ///
    /// # Errors
    ///
    /// The program cannot be started.
    pub fn start(command: &mut Command, processors: Option<CpuSet>) -> io::Result<Self> {
        let (output, errors) = (Memory::holding("")?, Memory::holding("")?);
        command.stdout(output.stdio()?).stderr(errors.stdio()?);
        let (start, started_unix_us) = (Instant::now(), unix_us());
        let process = Process::start_on(command, processors)?;
        Ok(Running { process, start, started_unix_us, output, errors })
    }

    /// The process, to be awaited or looked at.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Ends it, unless it has ended by itself, and reaps it.
    ///
    /// # Errors
    ///
    /// Only those of a broken system.
    pub fn end(mut self, wake: Wake) -> io::Result<Ended> {
        if wake != Wake::Ended {
            self.process.kill();
        }
        let (status, usage) = self.process.reap()?;
        let wall_ns = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let (exit_code, signal) = match status {
            Status::Exited(code) => (Some(code), None),
            Status::Signalled(signal) => (None, Some(signal)),
        };
        let measured = ProcessMeasured { wall_ns, usage, exit_code, signal };
        let (stdout, stderr) = (self.output.text()?, self.errors.text()?);
        let started_unix_us = self.started_unix_us;
        Ok(Ended { wake, status, started_unix_us, measured, stdout, stderr })
    }
}
