//! The lane on smol: the same functions with async/await, on another runtime of readiness.
//!
//! ```text
//!   worker (OS thread)
//!   ┌──────────────────────────────────────────────────────┐
//!   │ poll(task) ─► fetch().await ─► read().await ─► Pending│
//!   │    ▲                                            │     │
//!   │    └── run queue ◄── waker ◄── epoll ◄──────────┘     │
//!   └──────────────────────────────▲───────────────────────┘
//!                                  └ one for all: whichever worker has nothing to run waits in it,
//!                                    or a thread of async-io's own while all of them have
//! ```
//!
//! What waits is the same state machine as in `lane-tokio`. What runs it is smaller and in separate
//! parts: an executor (async-executor), a reactor that is one for the process (async-io), sockets
//! over it (async-net). The crate smol is these parts under one name; here each is pinned by itself.
//!
//! `other/smol` runs one worker a core on an executor of its own. smol's global executor has one
//! thread unless the environment says otherwise (`SMOL_THREADS`), and it never ends; a lane states
//! how many threads it has, and ends them. That executor has to be handed to whoever starts tasks,
//! which is an argument more than on tokio.
//!
//! ```
//! use futures_lite::StreamExt;
//! use futures_util::stream::FuturesUnordered;
//!
//! let runtime = lane_smol::runtime::multi_thread()?;
//! let executor = runtime.executor();
//! let sum = runtime.block_on(async {
//!     let mut tasks = FuturesUnordered::new();
//!     for number in 1..=3 {
//!         tasks.push(executor.spawn(async move { number * number }));
//!     }
//!     let mut sum = 0;
//!     while let Some(square) = tasks.next().await {
//!         sum += square;
//!     }
//!     sum
//! });
//! assert_eq!(sum, 14);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! In reading order: [`mod@fetch`] (the exhibit), [`open_loop`] (the same on a schedule), [`runtime`]
//! (how tasks start and wait), [`socket`] (how bytes move), [`raw`] (the same exchange without an HTTP
//! library), [`client`] (one or the other).

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_lite::FutureExt;
use job::{Job, Lane, LaneError, Needs, Schedule, Tally};

use crate::fetch::lost;
use crate::runtime::{Executor, Runtime};

pub mod client;
pub mod fetch;
pub mod open_loop;
pub mod raw;
pub mod runtime;
pub mod socket;

pub use client::Client;
pub use fetch::{fetch, fetch_and_aggregate};
pub use open_loop::fetch_on_schedule;

/// Does the job: in a closed loop, or on the schedule that it has.
///
/// # Errors
///
/// The first request that failed.
///
/// # Panics
///
/// A task panicked.
pub async fn do_job(executor: &Executor, client: &Client, job: &Job) -> Result<Tally, LaneError> {
    let mut tally = match &Schedule::of(job) {
        None => fetch_and_aggregate(executor, client, job).await,
        Some(schedule) => fetch_on_schedule(executor, client, job, schedule).await,
    }?;
    tally.requests = client.requests();
    Ok(tally)
}

/// Tasks on as many workers as there are cores.
pub const SMOL: Lane = Lane {
    id: "other/smol",
    waits: "a state machine returns Pending, its worker polls another",
    mirrors: "none of theirs: async/await on many cores without tokio",
    clients: job::Client::BOTH,
    // The thread that waits for the job, and async-io's.
    needs: |job| needs(job, runtime::workers() + 2),
    run: |job| run(runtime::multi_thread(), job),
};

fn needs(job: &Job, threads: u64) -> Needs {
    Needs {
        in_flight: job.in_flight_most(),
        threads,
        stack_bytes: 0,
        connections: job.in_flight_most(),
        // An epoll, an eventfd, and a timerfd.
        other_descriptors: 3 + 3,
        mappings: 0,
    }
}

fn run(runtime: std::io::Result<Runtime>, job: &Job) -> Result<Tally, LaneError> {
    let runtime = runtime.map_err(|source| LaneError::Runtime { doing: "start", source })?;
    let (executor, job) = (Arc::clone(runtime.executor()), job.clone());
    // As a task: what `block_on` itself polls runs on no worker.
    let main = runtime.executor().spawn(async move {
        let client = Client::new(&executor, &job);
        do_job(&executor, &client, &job).await
    });
    // A task's panic comes out where its result is awaited: here in the end.
    let done = runtime.block_on(AssertUnwindSafe(main).catch_unwind());
    done.unwrap_or_else(|panic| Err(lost(panic.as_ref())))
}
