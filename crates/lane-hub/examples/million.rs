//! A million green threads that sleep at once, each on a guarded stack, without raising a limit:
//!
//! ```sh
//! cargo run --release -p lane-hub --example million -- 1000000
//! ```
//!
//! RSS and page tables are those of `/proc/self/status`, before the first is spawned and when all of
//! them sleep, divided by their number: what one costs includes its timer, its place in the hub's
//! table and the handle that joins it. Times are by the clock, with the CPU time of the process
//! beside them, which is nearly what they would be on a machine that does nothing else. Then one more overflows its stack, between two that sleep.

use std::hint::black_box;
use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use lane_hub::hub::{self, Config, JoinHandle, Stacks};

/// Enough for a fetch with TLS in a release build, were these to fetch.
const STACK_BYTES: usize = 64 * 1024;
/// Until when they all sleep, counted from the start.
const ASLEEP_UNTIL: Duration = Duration::from_millis(3500);

fn main() -> ExitCode {
    let number = std::env::args().nth(1).map_or(Ok(1_000_000), |text| text.parse());
    let Ok(number @ 1..) = number else {
        eprintln!("error: the number of green threads, from 1 on, and nothing else");
        return ExitCode::from(2);
    };
    let config = Config { stack_bytes: STACK_BYTES, stacks_kept: 1024 };
    // One each, one for `main`, and one to overflow.
    let slab = Stacks::Slab { most: usize::saturating_add(number, 2) };
    let told = hub::run_on(slab, config, move || sleepers(number));
    match told.map(|result| result.unwrap_or_else(|payload| std::panic::resume_unwind(payload))) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(error)) | Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn sleepers(number: usize) -> io::Result<()> {
    let before = ["VmRSS:", "VmPTE:"].map(status_kib);
    let started = Instant::now();
    let asleep = Arc::new(AtomicUsize::new(0));
    let spawn = || {
        let asleep = Arc::clone(&asleep);
        hub::spawn(move || {
            asleep.fetch_add(1, Ordering::Relaxed);
            hub::sleep(ASLEEP_UNTIL.saturating_sub(started.elapsed()));
            asleep.fetch_sub(1, Ordering::Relaxed);
        })
    };
    let tasks = (0..number).map(|_| spawn()).collect::<io::Result<Vec<_>>>()?;
    // Every one of them has begun when this task's turn comes again.
    hub::yield_now();
    let now = asleep.load(Ordering::Relaxed);
    println!("{now} asleep at once after {:.2?}, CPU {:.2?}", started.elapsed(), cpu_time());
    for ((what, field), before) in [("RSS", "VmRSS:"), ("page tables", "VmPTE:")].iter().zip(before)
    {
        let more = status_kib(field) - before;
        println!("{what}: {:.0} MiB, {:.2} KiB each", more / 1024.0, more / number as f64);
    }
    let mappings = std::fs::read_to_string("/proc/self/maps")?.lines().count();
    let most = std::fs::read_to_string("/proc/sys/vm/max_map_count")?;
    println!("mappings: {mappings}; the limit: {}", most.trim());
    println!("one more, which recurses for ever: {}", overflow()?);
    tasks.into_iter().for_each(|task| task.join().unwrap());
    println!("all joined after {:.2?}, CPU {:.2?}", started.elapsed(), cpu_time());
    println!("RSS: {:.0} MiB more than before", (status_kib("VmRSS:") - before[0]) / 1024.0);
    Ok(())
}

fn overflow() -> io::Result<&'static str> {
    #[expect(unconditional_recursion, reason = "it is there to overflow")]
    fn recurse(depth: u64) -> u64 {
        let frame = black_box([depth; 64]);
        recurse(depth + 1) + frame[depth as usize % 64]
    }
    let task: JoinHandle<u64> = hub::spawn(|| recurse(0))?;
    let payload = task.join().expect_err("it never returns");
    Ok(payload.downcast_ref::<&str>().copied().unwrap_or("it ended otherwise"))
}

fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// A field of `/proc/self/status`.
fn status_kib(field: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse().unwrap()
}
