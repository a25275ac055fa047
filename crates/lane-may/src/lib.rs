//! The lane on may: stackful green threads on every core.
//!
//! ```text
//!   worker 0 (OS thread)                    worker 1 (OS thread)
//!   ┌──────────────────────────┐            ┌──────────────────────────┐
//!   │ task ─ read ─ EAGAIN ─┐  │            │ task ─ read ─ EAGAIN ─┐  │
//!   │   ▲   own stack       ▼  │   steal    │   ▲   own stack       ▼  │
//!   │   └── run queue ◄── epoll│ ◄────────► │   └── run queue ◄── epoll│
//!   └──────────────────────────┘            └──────────────────────────┘
//! ```
//!
//! A call that would block saves the green thread's registers on its own stack and lets the worker
//! run another. It is what Go does with goroutines. A task may continue on another OS thread than
//! the one on which it was suspended, which is what stackful code on many cores costs in safety:
//! thread-locals may change under it, and a lock guard held across a suspension may deadlock.
//!
//! A call that blocks without asking may stops a worker, and with it the sockets that are registered there;
//! in a task that has slept, it stops the timer of all. [`blocking_style::watched`] around the runtime tells
//! which task does, and where it stands (`tests/stalls.rs`).
//!
//! A stack that overflows meets its guard page, and may ends the task; or, where the overflow has
//! written to the stack's lowest words as well, the whole process.
//!
//! In an open loop the task that sends documents sleeps in may's timer list, and goes on on the
//! timer's own thread when the next one is due: up to a thirty-second of the sleep is added
//! (see [`runtime`] for why), and the kernel's timer slack, 50 µs unless told otherwise.
//!
//! may's own defaults would not do here and are spelled out in [`runtime::configure`]: a stack of
//! 32 KiB, which TLS overflows; workers pinned to cores; and 1,000 stacks allocated before the
//! first task.
//!
//! ```
//! use std::sync::Arc;
//! use blocking_style::{Runtime, Tasks};
//!
//! lane_may::runtime::configure(2, 4);
//! let sum = lane_may::runtime::block_on(|| {
//!     let runtime: Arc<dyn Runtime> = Arc::new(lane_may::runtime::May);
//!     let mut tasks = Tasks::new(&runtime);
//!     for number in 1..=3 {
//!         tasks.spawn(move || number * number)?;
//!     }
//!     let mut sum = 0;
//!     while let Some(square) = tasks.join_next() {
//!         sum += square?;
//!     }
//!     Ok::<_, job::LaneError>(sum)
//! });
//! assert_eq!(sum??, 14);
//! # Ok::<(), job::LaneError>(())
//! ```
//!
//! Like every lane: [`runtime`] says how tasks start and wait, [`socket`] how bytes move.

use std::sync::Arc;

use blocking_style::{Client, Runtime, do_job};
use job::{Job, Lane, LaneError, Needs, Tally};

use crate::runtime::May;

mod alarm;
pub mod runtime;
pub mod socket;

/// What a task's stack is given. Only the pages that it touches cost memory; a fetch with TLS
/// touches 34 KiB in a release build and 119 KiB in a debug build.
pub const STACK_BYTES: usize = 256 * 1024;

/// Green threads on as many workers as there are cores.
pub const MAY: Lane = Lane {
    id: "stackful/may",
    waits: "a green thread parks, its worker runs another",
    mirrors: "goroutines; gevent on every core",
    clients: job::Client::BOTH,
    needs,
    run,
};

fn needs(job: &Job) -> Needs {
    let workers = workers();
    Needs {
        in_flight: job.in_flight_most(),
        // The workers, the timer thread, and the one that waits for the answer.
        threads: workers + 2,
        stack_bytes: STACK_BYTES as u64,
        connections: job.in_flight_most(),
        // Per worker an epoll and an eventfd.
        other_descriptors: 3 + 2 * workers,
        // A stack and its guard for each task.
        mappings: job.in_flight_most().saturating_mul(2).saturating_add(2),
    }
}

fn run(job: &Job) -> Result<Tally, LaneError> {
    runtime::configure(workers(), job.in_flight_most());
    let job = job.clone();
    runtime::block_on(move || {
        let runtime: Arc<dyn Runtime> = Arc::new(May);
        let client = Client::new(&runtime, &job);
        do_job(&runtime, &client, &job)
    })?
}

/// One worker a core, as tokio's multi-thread runtime has by default.
fn workers() -> u64 {
    std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64)
}
