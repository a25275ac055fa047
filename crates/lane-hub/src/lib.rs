//! A gevent in Rust: stackful green threads over [`generator`] and one epoll loop, on one thread.
//!
//! ```text
//!        ┌────────────────────────── the hub, one OS thread ──────────────────────────┐
//!        │                                                                            │
//!        │   ready ─► resume ─► ┌ task, on its own stack ┐                            │
//!        │     ▲                │ read() ─ not ready ─┐  │                            │
//!        │     │                └─────────────────────┼──┘                            │
//!        │     │                     suspend ◄────────┘  "wake me for fd 7"           │
//!        │     │                                                                      │
//!        │     ├──── epoll_wait ◄── fd 7 is readable                                  │
//!        │     ├──── timers     ◄── a deadline has passed                             │
//!        │     └──── mailbox    ◄── another thread says that it is done               │
//!        └────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Every call that would block registers what it waits for and suspends the green thread, which
//! leaves the OS thread to the others. Nothing above the socket knows.
//!
//! The hub itself is to be read in one sitting, from the bottom up:
//!
//! * [`hub::coroutine`]: a stack that can be left and entered again;
//! * [`hub::timers`], [`hub::reactor`], [`hub::mailbox`]: the three things that wake a task;
//! * [`hub`]: the loop, and `run`, `spawn`, `sleep`, `park`;
//! * [`hub::net`]: a TCP stream whose blocking calls suspend;
//! * [`hub::offload`]: work that would stop the whole hub, done on another thread.
//!
//! ```
//! use std::time::Duration;
//! use lane_hub::hub;
//!
//! let sum = hub::run(hub::Config::default(), || {
//!     let tasks: Vec<_> = (1..=3)
//!         .map(|number| {
//!             hub::spawn(move || {
//!                 hub::sleep(Duration::from_millis(number));
//!                 number * number
//!             })
//!         })
//!         .collect::<Result<_, _>>()?;
//!     // All three slept at once, on one thread, in code that says `sleep`.
//!     Ok::<_, std::io::Error>(tasks.into_iter().map(|task| task.join().unwrap()).sum::<u64>())
//! });
//! assert_eq!(sum?.unwrap()?, 14);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What its parts cost, beside a bare switch of the same library:
//! `cargo run --release -p lane-hub --example costs`.
//!
//! It needs Linux 5.11 or later, whose `epoll_pwait2` counts time-outs in nanoseconds. In an open
//! loop a document leaves when the hub comes round after it was due: the kernel's timer slack is
//! 50 µs unless told otherwise, and whatever task runs on the one thread meanwhile runs first.
//!
//! Like every lane: [`runtime`] says how tasks start and wait, [`socket`] how bytes move.

use std::sync::Arc;

use blocking_style::tasks::describe;
use blocking_style::{Client, Runtime, do_job};
use job::{Job, Lane, LaneError, Needs, Tally};

use crate::runtime::Hub;

pub mod hub;
pub mod runtime;
pub mod socket;

/// What a task's stack is given. Only the pages that it touches cost memory; a fetch with TLS
/// touches 34 KiB in a release build and 119 KiB in a debug build.
pub const STACK_BYTES: usize = 256 * 1024;

/// Green threads on one thread with one epoll.
pub const HUB: Lane = Lane {
    id: "stackful/hub",
    waits: "a green thread suspends, the hub runs another",
    mirrors: "greenlet with gevent's or eventlet's hub",
    needs,
    run,
};

fn needs(job: &Job) -> Needs {
    Needs {
        in_flight: job.in_flight_most(),
        threads: 1,
        stack_bytes: STACK_BYTES as u64,
        connections: job.in_flight_most(),
        // An epoll and an eventfd.
        other_descriptors: 3 + 2,
        // A stack and its guard for each task.
        mappings: job.in_flight_most().saturating_mul(2).saturating_add(2),
    }
}

fn run(job: &Job) -> Result<Tally, LaneError> {
    let config = hub::Config {
        stack_bytes: STACK_BYTES,
        stacks_kept: usize::try_from(job.in_flight_most()).unwrap_or(usize::MAX),
    };
    let job = job.clone();
    let done = hub::run(config, move || {
        let runtime: Arc<dyn Runtime> = Arc::new(Hub);
        let client = Client::new(&runtime, &job);
        do_job(&runtime, &client, &job)
    })
    .map_err(|source| LaneError::Runtime { doing: "start the hub", source })?;
    done.unwrap_or_else(|payload| Err(LaneError::Task(describe(payload.as_ref()))))
}
