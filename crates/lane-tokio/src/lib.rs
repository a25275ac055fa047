//! The lanes on tokio: the same functions with async/await, stackless.
//!
//! ```text
//!   worker (OS thread)
//!   ┌──────────────────────────────────────────────────────┐
//!   │ poll(task) ─► fetch().await ─► read().await ─► Pending│  the whole task is one struct:
//!   │    ▲                                            │     │  no stack of its own stays behind
//!   │    └── run queue ◄── waker ◄── epoll ◄──────────┘     │
//!   └──────────────────────────────────────────────────────┘
//! ```
//!
//! The compiler turns each `async fn` into a state machine, which keeps what lives across an
//! `.await` and nothing else. That makes a waiting task small, and it colours every function on
//! the way from the task to the socket: compare [`mod@fetch`] and [`raw`] with `blocking-style`'s
//! files of the same names.
//!
//! * `stackless/tokio` runs one worker a core, and tasks may move between them;
//! * `stackless/tokio-local` runs everything on the calling thread, as asyncio does.
//!
//! ```
//! let runtime = lane_tokio::runtime::local()?;
//! let sum = runtime.block_on(async {
//!     let mut tasks = tokio::task::JoinSet::new();
//!     for number in 1..=3 {
//!         tasks.spawn(async move { number * number });
//!     }
//!     let mut sum = 0;
//!     while let Some(square) = tasks.join_next().await {
//!         sum += square?;
//!     }
//!     Ok::<_, tokio::task::JoinError>(sum)
//! });
//! assert_eq!(sum?, 14);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! In reading order: [`mod@fetch`] (the exhibit), [`open_loop`] (the same on a schedule), [`runtime`]
//! (how tasks start and wait), [`socket`] (how bytes move), [`raw`] (the same exchange without an HTTP
//! library), [`client`] (one or the other).

use job::{Job, Lane, LaneError, Needs, Schedule, Tally};
use tokio::runtime::Runtime;

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
/// The first request that failed, or a task that ended without a result.
pub async fn do_job(client: &Client, job: &Job) -> Result<Tally, LaneError> {
    let mut tally = match &Schedule::of(job) {
        None => fetch_and_aggregate(client, job).await,
        Some(schedule) => fetch_on_schedule(client, job, schedule).await,
    }?;
    tally.requests = client.requests();
    Ok(tally)
}

/// Tasks on as many workers as there are cores.
pub const TOKIO: Lane = Lane {
    id: "stackless/tokio",
    waits: "a state machine returns Pending, its worker polls another",
    mirrors: "Go's and asyncio's cousin on many cores",
    clients: job::Client::BOTH,
    needs: |job| needs(job, runtime::workers() + 1),
    run: |job| run(runtime::multi_thread(), job),
};

/// Tasks on the one calling thread.
pub const TOKIO_LOCAL: Lane = Lane {
    id: "stackless/tokio-local",
    waits: "a state machine returns Pending, the loop polls another",
    mirrors: "asyncio and uvloop: one loop, one thread",
    clients: job::Client::BOTH,
    needs: |job| needs(job, 1),
    run: |job| run(runtime::local(), job),
};

fn needs(job: &Job, threads: u64) -> Needs {
    Needs {
        in_flight: job.in_flight_most(),
        threads,
        stack_bytes: 0,
        connections: job.in_flight_most(),
        // An epoll, its duplicate, and an eventfd.
        other_descriptors: 3 + 3,
        mappings: 0,
    }
}

fn run(runtime: std::io::Result<Runtime>, job: &Job) -> Result<Tally, LaneError> {
    let runtime = runtime.map_err(|source| LaneError::Runtime { doing: "start", source })?;
    let job = job.clone();
    // As a task: what `block_on` itself polls runs on no worker, and each task that it spawns would
    // have to be handed over to one.
    let main = runtime.spawn(async move { do_job(&Client::new(&job), &job).await });
    runtime.block_on(main).unwrap_or_else(|error| Err(LaneError::Task(error.to_string())))
}
