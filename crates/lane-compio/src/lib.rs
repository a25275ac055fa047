//! The lane on compio: the same functions with async/await, on io_uring's completions.
//!
//! ```text
//!   the calling thread                                 the kernel
//!   ┌──────────────────────────────────────────────┐
//!   │ poll(task) ─► fetch().await ─► read(buffer) ─┼─► submissions: receive, into this buffer
//!   │    ▲                                │        │         ┆
//!   │    │                             Pending     │         ┆ bytes arrive
//!   │    │                                         │         ▼
//!   │    └── run queue ◄── waker ◄─────────────────┼── completions: done, so many bytes
//!   └──────────────────────────────────────────────┘
//! ```
//!
//! On epoll a task asks when it may read, and then reads; here it asks for the bytes, and is woken when
//! it has them. One system call submits whatever tasks have asked for and waits for what is done. The
//! price is in the signatures: the kernel writes while nobody looks, so a buffer cannot be borrowed for
//! a read but is handed over and comes back with its result. [`raw`] shows it; the HTTP library,
//! which lends buffers, has its bytes copied from one that was handed over.
//!
//! `other/compio` runs everything on the calling thread, as `#[compio::main]` does; compio's tasks never
//! move between threads. Its `Dispatcher`, which has more of them, hands out connections that a server
//! has accepted. So its nearest relative is `stackless/tokio-local`.
//!
//! compio can do without io_uring, by epoll. This crate leaves that out, and where the kernel refuses a
//! ring, the lane refuses the job and says what to do: see [`runtime::local`]. What the kernel cannot do
//! without waiting, it gives to a thread of its own, which shows as one of the process (`iou-wrk`).
//! Before Linux 5.19 no ring makes sockets, and a thread of compio's does.
//!
//! ```
//! use futures_lite::StreamExt;
//! use futures_util::stream::FuturesUnordered;
//!
//! # if let Err(why) = lane_compio::runtime::local() {
//! #     eprintln!("skipped: {why}");
//! #     return Ok(());
//! # }
//! let runtime = lane_compio::runtime::local()?;
//! let sum = runtime.block_on(async {
//!     let mut tasks = FuturesUnordered::new();
//!     for number in 1..=3 {
//!         tasks.push(compio::runtime::spawn(async move { number * number }));
//!     }
//!     let mut sum = 0;
//!     while let Some(square) = tasks.next().await {
//!         sum += square?;
//!     }
//!     Ok::<_, compio::runtime::JoinError>(sum)
//! });
//! assert_eq!(sum?, 14);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! In reading order: [`mod@fetch`] (the exhibit), [`open_loop`] (the same on a schedule), [`runtime`]
//! (how tasks start and wait), [`socket`] (how bytes move), [`raw`] (the same exchange without an HTTP
//! library), [`client`] (one or the other).

use compio::runtime::Runtime;
use job::{Job, Lane, LaneError, Needs, Schedule, Tally};

use crate::fetch::lost;

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

/// Tasks on the one calling thread.
pub const COMPIO: Lane = Lane {
    id: "other/compio",
    waits: "a state machine returns Pending, the kernel completes its read",
    mirrors: "none of theirs: one loop, one thread, on io_uring",
    clients: job::Client::BOTH,
    // The kernel's, too.
    needs: |job| needs(job, 1 + 1),
    run: |job| run(runtime::local(), job),
};

fn needs(job: &Job, threads: u64) -> Needs {
    Needs {
        in_flight: job.in_flight_most(),
        threads,
        stack_bytes: 0,
        connections: job.in_flight_most(),
        // A ring, and an eventfd.
        other_descriptors: 2 + 3,
        mappings: 0,
    }
}

fn run(runtime: std::io::Result<Runtime>, job: &Job) -> Result<Tally, LaneError> {
    let runtime = runtime.map_err(|source| LaneError::Runtime { doing: "start", source })?;
    let job = job.clone();
    // As a task, as in the other lanes.
    let main = runtime.spawn(async move { do_job(&Client::new(&job), &job).await });
    runtime.block_on(main).unwrap_or_else(|error| Err(lost(error)))
}
