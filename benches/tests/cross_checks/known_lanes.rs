//! Lanes that do nothing of the job, and use what is known beforehand.

use std::hint::black_box;
use std::time::Duration;

use harness::child::FLOOR;
use job::{Job, Lane, LaneError, Tally};
use rustix::time::{ClockId, clock_gettime};

/// Uses [`BURNT`] of CPU.
pub const CPU: &str = "known/cpu";
/// Holds [`HELD_BYTES`] of memory.
pub const MEMORY: &str = "known/memory";

/// The CPU time that [`CPU`] uses at least, by the clock of its own process.
pub const BURNT: Duration = Duration::from_millis(200);
/// What [`MEMORY`] holds, every byte written.
pub const HELD_BYTES: u64 = 256 << 20;

pub const KNOWN: &[Lane] =
    &[Lane { id: CPU, run: burn, ..FLOOR }, Lane { id: MEMORY, run: hold, ..FLOOR }];

/// Partly in the kernel: to read this clock is a system call.
fn burn(job: &Job) -> Result<Tally, LaneError> {
    let end = cpu_time() + BURNT;
    while cpu_time() < end {}
    Ok(Tally::new(job))
}

fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::try_from(time).expect("CPU time does not go below zero")
}

fn hold(job: &Job) -> Result<Tally, LaneError> {
    let bytes = usize::try_from(HELD_BYTES).expect("256 MiB fit any machine");
    let held = vec![1u8; bytes];
    black_box(&held);
    Ok(Tally::new(job))
}
