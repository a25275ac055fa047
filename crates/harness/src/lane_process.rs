//! One lane process: started on a job, awaited, and reaped with what the kernel charged it.

use std::io;
use std::process::Command;
use std::time::{Duration, Instant};

use job::Job;
use rustix::thread::CpuSet;

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
    /// What the kernel saw of it.
    pub measured: ProcessMeasured,
    /// All that it wrote on standard output.
    pub stdout: String,
    /// All that it wrote on standard error.
    pub stderr: String,
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
    let (input, output, errors) =
        (Memory::holding(&job.to_json())?, Memory::holding("")?, Memory::holding("")?);
    command.stdin(input.stdio()?).stdout(output.stdio()?).stderr(errors.stdio()?);
    let start = Instant::now();
    let mut process = Process::start_on(command, processors)?;
    let wake = process.wait(limit, interrupt)?;
    if wake != Wake::Ended {
        process.kill();
    }
    let (status, usage) = process.reap()?;
    let wall_ns = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
    let (exit_code, signal) = match status {
        Status::Exited(code) => (Some(code), None),
        Status::Signalled(signal) => (None, Some(signal)),
    };
    let measured = ProcessMeasured { wall_ns, usage, exit_code, signal };
    Ok(Ended { wake, status, measured, stdout: output.text()?, stderr: errors.text()? })
}
