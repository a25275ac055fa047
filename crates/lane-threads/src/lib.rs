//! Lanes on OS threads: one request after the other, a fixed pool, a thread a request.
//!
//! ```text
//!   task ──► read(2) ──► the kernel takes the thread off its CPU ─ ─ ─► bytes arrive ──► task
//!            └─ 8 KiB and more of kernel and user stack wait with it ─┘
//! ```
//!
//! Each waiting request holds an OS thread, and the kernel's scheduler is the only scheduler. The
//! three lanes differ in what [`spawn`](blocking_style::Runtime::spawn) means:
//!
//! * `blocking/sequential` runs the task there and then, so only one is ever in flight;
//! * `blocking/pool` queues it for one of as many threads as the job allows requests in flight;
//! * `blocking/threads` starts a thread for it.
//!
//! In an open loop, where each document has a moment at which it is due, the thread that spawns
//! sleeps in the kernel until then, and wakes late by the kernel's timer slack: 50 µs unless told
//! otherwise. What becomes of a document then differs as much as the lanes do:
//!
//! * `blocking/sequential` fetches it inline, so while a fetch takes longer than the gap to the
//!   next document, every later one leaves later than it was due: the lane falls behind, its
//!   latencies grow to the end of the job, and its service times show nothing of it;
//! * `blocking/pool` has started all of its threads before the schedule begins, as many as are
//!   allowed in flight however few will be. A task is spawned only while fewer than that are
//!   unjoined, so one thread is always free, and waking it is the price;
//! * `blocking/threads` pays for a thread at each arrival.
//!
//! ```
//! use std::sync::Arc;
//! use blocking_style::{Runtime, Tasks};
//!
//! let runtime: Arc<dyn Runtime> = Arc::new(lane_threads::runtime::Threads::PerTask);
//! let mut tasks = Tasks::new(&runtime);
//! for number in 1..=3 {
//!     tasks.spawn(move || number * number)?;
//! }
//! let mut sum = 0;
//! while let Some(square) = tasks.join_next() {
//!     sum += square?;
//! }
//! assert_eq!(sum, 14);
//! # Ok::<(), job::LaneError>(())
//! ```
//!
//! Like every lane: [`runtime`] says how tasks start and wait, [`socket`] how bytes move.

use std::sync::Arc;

use blocking_style::{Client, Runtime, do_job};
use job::{Job, Lane, LaneError, Needs, Tally};

use crate::runtime::{Pool, Threads};

pub mod runtime;
pub mod socket;

/// What a task's stack is given. Only the pages that it touches cost memory; a fetch with TLS
/// touches 34 KiB in a release build and 119 KiB in a debug build.
pub const STACK_BYTES: usize = 256 * 1024;

/// One request after the other, on the thread that calls.
pub const SEQUENTIAL: Lane = Lane {
    id: "blocking/sequential",
    waits: "the only thread waits in the kernel",
    mirrors: "requests in a loop",
    clients: job::Client::BOTH,
    needs: |_job| needs(1, 0),
    run: |job| run(Threads::Inline, job),
};

/// As many threads as requests in flight, started once.
pub const POOL: Lane = Lane {
    id: "blocking/pool",
    waits: "a pooled thread waits in the kernel",
    mirrors: "concurrent.futures; gunicorn's sync workers",
    clients: job::Client::BOTH,
    needs: |job| needs(job.in_flight_most(), job.concurrency),
    run: |job| run(Threads::Pool(Pool::start(job.concurrency)?), job),
};

/// A fresh thread for each request.
pub const THREADS: Lane = Lane {
    id: "blocking/threads",
    waits: "the request's own thread waits in the kernel",
    mirrors: "threading.Thread for each call",
    clients: job::Client::BOTH,
    needs: |job| needs(job.in_flight_most(), job.in_flight_most()),
    run: |job| run(Threads::PerTask, job),
};

fn needs(in_flight: u64, threads: u64) -> Needs {
    Needs {
        in_flight,
        threads: threads.saturating_add(1),
        stack_bytes: STACK_BYTES as u64,
        connections: in_flight,
        other_descriptors: 3,
        // A stack and its guard, and the same again for the stack that signals are handled on.
        mappings: threads.saturating_mul(4),
    }
}

fn run(threads: Threads, job: &Job) -> Result<Tally, LaneError> {
    let runtime: Arc<dyn Runtime> = Arc::new(threads);
    let client = Client::new(&runtime, job);
    do_job(&runtime, &client, job)
}
