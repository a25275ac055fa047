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
//! * [`hub::foreign`]: waiting for a descriptor that somebody else opened;
//! * [`hub::offload`]: work that would stop the whole hub, done on another thread;
//! * [`hub::slab`]: a million stacks in one mapping, for whoever wants them.
//!
//! # Three lanes
//!
//! `stackful/hub` has a mapping and a guard page for each stack, from [`generator`]; there the
//! kernel's `vm.max_map_count` ends it at about 32,000 tasks. `stackful/hub-slab` carves its stacks
//! from one mapping, and switches them with [`corosensei`]:
//!
//! ```text
//!   a stack each                            one slab
//!
//!   ┌──────────┐                            ┌─┬────────┬─┬────────┬─┬────────┬─┬────────┬───
//!   │ task 1   │ mapping 1                  │▒│ task 1 │▒│ task 2 │▒│ task 3 │▒│ task 4 │ …
//!   ├──────────┤                            └─┴────────┴─┴────────┴─┴────────┴─┴────────┴───
//!   │▒▒ guard ▒│ mapping 2                   ▲                                  mapping 1
//!   └──────────┘                             └ guard pages: marks in the page table
//!   ┌──────────┐                               (MADV_GUARD_INSTALL, Linux 6.13)
//!   │ task 2   │ mapping 3
//!   ├──────────┤
//!   │▒▒ guard ▒│ mapping 4
//!   └──────────┘
//! ```
//!
//! ```sh
//! cargo run --release -p lane-hub --example million -- 1000000
//! ```
//!
//! has a million of them sleep at once within a system's default limits, at 4.3 KiB of RSS each, of
//! which 4 are the one page of stack that a sleeping task has touched. One more then overflows its
//! stack, which ends that task alone.
//!
//! Both lanes are one crate and one hub, compiled once, because that is what makes them comparable: a
//! difference between their rows is one of stacks and of switching, and of nothing else.
//! [`hub::run`] and [`hub::run_on`] differ by the [`hub::Stacks`] that they are given, and the two
//! libraries stand side by side in `hub/coroutine/`.
//!
//! `stackful/hub-per-core` is `stackful/hub` once on each core, with the documents dealt out beforehand:
//! see [`per_core`].
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
//! A task that blocks without asking the hub stops all others. `watchdog.watch(|| hub::run(…))` tells which
//! one does, and where it stands: see the crate [`watchdog`].
//!
//! Like every lane: [`runtime`] says how tasks start and wait, [`socket`] how bytes move.

use std::sync::Arc;

use blocking_style::tasks::describe;
use blocking_style::{Client, Runtime, do_job};
use job::{Job, Lane, LaneError, Needs, Tally};

use crate::hub::slab::Slab;
use crate::runtime::Hub;

pub mod hub;
pub mod per_core;
pub mod runtime;
pub mod socket;

pub use per_core::HUB_PER_CORE;

/// What a task's stack is given. Only the pages that it touches cost memory; a fetch with TLS
/// touches 34 KiB in a release build and 119 KiB in a debug build.
pub const STACK_BYTES: usize = 256 * 1024;

/// Green threads on one thread with one epoll.
pub const HUB: Lane = Lane {
    id: "stackful/hub",
    waits: "a green thread suspends, the hub runs another",
    mirrors: "greenlet with gevent's or eventlet's hub",
    clients: job::Client::BOTH,
    needs,
    run,
};

/// The same hub on stacks carved from one mapping.
pub const HUB_SLAB: Lane = Lane {
    id: "stackful/hub-slab",
    waits: "a green thread suspends, the hub runs another",
    mirrors: "no system of theirs: a million guarded stacks within default limits",
    clients: job::Client::BOTH,
    needs: needs_of_slab,
    run: run_on_slab,
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

fn needs_of_slab(job: &Job) -> Needs {
    let stacks = job.in_flight_most().saturating_add(1);
    // Where not even one page can be mapped, the run itself says so.
    let mappings = Slab::mappings(stacks).unwrap_or(1);
    Needs { mappings, ..needs(job) }
}

fn run(job: &Job) -> Result<Tally, LaneError> {
    run_on(hub::Stacks::Mapped, job)
}

fn run_on_slab(job: &Job) -> Result<Tally, LaneError> {
    // One for each request in flight, one for the task that spawns them, and as many again because
    // a stack that overflowed is never used again. What is not used costs address space alone.
    let most = in_flight(job).saturating_add(1).saturating_mul(2);
    run_on(hub::Stacks::Slab { most }, job)
}

fn in_flight(job: &Job) -> usize {
    usize::try_from(job.in_flight_most()).unwrap_or(usize::MAX)
}

fn run_on(stacks: hub::Stacks, job: &Job) -> Result<Tally, LaneError> {
    let config = hub::Config { stack_bytes: STACK_BYTES, stacks_kept: in_flight(job) };
    let job = job.clone();
    let done = hub::run_on(stacks, config, move || {
        let runtime: Arc<dyn Runtime> = Arc::new(Hub);
        let client = Client::new(&runtime, &job);
        do_job(&runtime, &client, &job)
    })
    .map_err(|source| LaneError::Runtime { doing: "start the hub", source })?;
    done.unwrap_or_else(|payload| Err(LaneError::Task(describe(payload.as_ref()))))
}
