//! What the hub's own parts cost, on this machine:
//!
//! ```sh
//! cargo run --release -p lane-hub --example costs
//! ```
//!
//! On both kinds of stack: `generator` maps each by itself, `corosensei` has them from a slab. Each
//! line is the median of 15 repeats in this one process ± the median absolute deviation. A repeat
//! reads a clock, does its subject many times, reads the clock again and divides. The clock is the
//! thread's own CPU time, the kernel's part included, so that what else the machine does counts only
//! through shared caches; for wake-ups, which wait, it is the time of day. What a line includes
//! beside its subject is told with it.

use std::io;
use std::sync::mpsc;
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

use corosensei::{Coroutine, Yielder};
use generator::Gn;
use lane_hub::hub::slab::Slab;
use lane_hub::hub::timers::Timers;
use lane_hub::hub::{self, Config, Stacks};
use watchdog::Watchdog;

const REPEATS: usize = 15;
const SWITCHES: u32 = 1_000_000;
/// Tasks of a batch, whose stacks the hub keeps.
const BATCH: u32 = 1000;
const BATCHES: u32 = 200;

fn main() -> io::Result<()> {
    tell("timer set + unset", "ns", "beside 10,000 others; no clock", &repeated(timers_unset));
    println!("\ngenerator, each stack mapped by itself");
    tell("bare switch", "ns", "the library alone, there and back: the floor", &repeated(generator));
    hub_costs(Stacks::Mapped)?;
    println!("\ncorosensei, stacks from one slab");
    tell(
        "bare switch",
        "ns",
        "the library alone, there and back: the floor",
        &repeated(corosensei),
    );
    hub_costs(Stacks::Slab { most: 100_000 })
}

fn hub_costs(stacks: Stacks) -> io::Result<()> {
    let on_hub = |measure: fn() -> f64| on_hub(stacks, move || repeated(measure));
    tell("yield", "ns", "two tasks in turn; a look at epoll for each 64", &on_hub(yields)?);
    let watchdog = Watchdog::start(Duration::from_secs(1), |report| println!("{report}"))?;
    let watched = watchdog.watch(|| on_hub(yields))?;
    tell("yield, watched", "ns", "the same with a watchdog, which wants its beats", &watched);
    tell("spawn + join", "ns", "1,000 at once, which do nothing", &on_hub(spawn_and_join)?);
    tell(
        "spawn + yield + join",
        "ns",
        "1,000 at once, on as many stacks",
        &on_hub(spawn_and_yield)?,
    );
    tell("sleep(0)", "ns", "1,000 at once: timer, clock and yield", &on_hub(timers_that_fire)?);
    tell("wake-up", "ns", "1,000 tasks by another thread, until all ran", &on_hub(wake_many)?);
    tell(
        "wake-up, alone",
        "ns",
        "by another thread that waits, too: there and back",
        &on_hub(wake_one)?,
    );
    tell("idle task", "B", "RSS of 2,000 more that sleep, by their number", &on_hub(idle_bytes)?);
    Ok(())
}

/// Prints a line: a median with its spread.
fn tell(what: &str, unit: &str, how: &str, repeats: &[f64]) {
    let middle = median(repeats.iter().copied());
    let spread = median(repeats.iter().map(|value| (value - middle).abs()));
    println!("{what:<20} {middle:>9.1} ± {spread:>6.1} {unit:<3} {how}");
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// One repeat more than is kept, because the first pays for pages and caches.
fn repeated(measure: fn() -> f64) -> Vec<f64> {
    measure();
    (0..REPEATS).map(|_| measure()).collect()
}

fn on_hub<T: Send + 'static>(
    stacks: Stacks,
    main: impl FnOnce() -> T + Send + 'static,
) -> io::Result<T> {
    let done = hub::run_on(stacks, Config::default(), main)?;
    Ok(done.unwrap_or_else(|payload| std::panic::resume_unwind(payload)))
}

fn cpu_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

fn per_operation(started: Duration, operations: u32) -> f64 {
    nanoseconds(cpu_time() - started, operations)
}

fn nanoseconds(all: Duration, operations: u32) -> f64 {
    all.as_secs_f64() * 1e9 / f64::from(operations)
}

fn generator() -> f64 {
    let mut generator = Gn::<()>::new_scoped_opt_local(0x2000, |mut scope| {
        loop {
            scope.yield_with(());
        }
    });
    let started = cpu_time();
    for _ in 0..SWITCHES {
        generator.resume();
    }
    per_operation(started, SWITCHES)
}

fn corosensei() -> f64 {
    let slab = Slab::new(0x10000, 1).unwrap();
    let suspends = |yielder: &Yielder<(), ()>, ()| {
        loop {
            yielder.suspend(());
        }
    };
    let stack = slab.carve().unwrap();
    let mut coroutine = Coroutine::<(), (), (), _>::with_stack(stack, suspends);
    let started = cpu_time();
    for _ in 0..SWITCHES {
        coroutine.resume(());
    }
    per_operation(started, SWITCHES)
}

fn yields() -> f64 {
    let yields = || (0..SWITCHES / 2).for_each(|_| hub::yield_now());
    let started = cpu_time();
    let tasks = [hub::spawn(yields).unwrap(), hub::spawn(yields).unwrap()];
    tasks.into_iter().for_each(|task| task.join().unwrap());
    per_operation(started, SWITCHES)
}

fn spawn_and_join() -> f64 {
    let started = cpu_time();
    for _ in 0..BATCHES {
        batch(|| ());
    }
    per_operation(started, BATCHES * BATCH)
}

fn spawn_and_yield() -> f64 {
    let started = cpu_time();
    for _ in 0..BATCHES {
        batch(hub::yield_now);
    }
    per_operation(started, BATCHES * BATCH)
}

fn timers_that_fire() -> f64 {
    const SLEEPS: u32 = 100;
    let started = cpu_time();
    batch(|| (0..SLEEPS).for_each(|_| hub::sleep(Duration::ZERO)));
    per_operation(started, BATCH * SLEEPS)
}

fn batch(work: fn()) {
    let tasks: Vec<_> = (0..BATCH).map(|_| hub::spawn(work).unwrap()).collect();
    tasks.into_iter().for_each(|task| task.join().unwrap());
}

/// A deadline that does not pass, as those of most reads and writes.
fn timers_unset() -> f64 {
    let (mut timers, now) = (Timers::default(), Instant::now());
    let after = |number: u32| now + Duration::from_micros(u64::from(number));
    let task = hub::TaskId::default();
    for number in 0..10_000 {
        timers.insert(after(number), task);
    }
    let started = cpu_time();
    for number in 0..SWITCHES {
        let timer = timers.insert(after(10_000 + number), task);
        assert!(timers.remove(timer));
    }
    per_operation(started, SWITCHES)
}

/// The other thread takes the time, from its first wake-up on.
fn wake_many() -> f64 {
    let (sender, receiver) = mpsc::channel::<Waker>();
    let tasks: Vec<_> = (0..BATCH)
        .map(|_| {
            let sender = sender.clone();
            let parks = move || {
                sender.send(hub::waker()).unwrap();
                hub::park();
            };
            hub::spawn(parks).unwrap()
        })
        .collect();
    hub::yield_now();
    let other = thread::spawn(move || {
        let wakers: Vec<_> = receiver.iter().take(BATCH as usize).collect();
        let started = Instant::now();
        wakers.into_iter().for_each(Waker::wake);
        started
    });
    tasks.into_iter().for_each(|task| task.join().unwrap());
    nanoseconds(other.join().unwrap().elapsed(), BATCH)
}

fn wake_one() -> f64 {
    const ROUND_TRIPS: u32 = 2000;
    let (sender, receiver) = mpsc::channel::<Waker>();
    let other = thread::spawn(move || receiver.into_iter().for_each(Waker::wake));
    let started = Instant::now();
    for _ in 0..ROUND_TRIPS {
        sender.send(hub::waker()).unwrap();
        hub::park();
    }
    let measured = nanoseconds(started.elapsed(), ROUND_TRIPS);
    drop(sender);
    other.join().unwrap();
    measured
}

/// Each repeat adds tasks to those of the repeats before, so that no stack is used again, and takes
/// the difference.
fn idle_bytes() -> f64 {
    const MORE: u32 = 2000;
    let before = rss_bytes();
    for _ in 0..MORE {
        hub::spawn(|| hub::sleep(Duration::from_secs(3600))).unwrap();
    }
    // Every one of them has begun when this task's turn comes again.
    hub::yield_now();
    (rss_bytes() - before) / f64::from(MORE)
}

fn rss_bytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kib = line.trim().strip_suffix(" kB").unwrap();
    kib.parse::<f64>().unwrap() * 1024.0
}
