//! The sync-looking code: one blocking function that fetches a document, one that fans out and
//! folds, and neither knows what it runs on.
//!
//! ```text
//!   fetch_and_aggregate ──spawn──► fetch ──► ureq ──► plug ─┐
//!            ▲                                              │ connect, read, write
//!            └────────────join_next─────────────────────────┤
//!                                                           ▼
//!                     dyn Runtime:   std::thread     may     hub     (patched)
//!                     it waits by:   the kernel    a green thread that parks
//! ```
//!
//! [`fetch()`] is compiled once. The lanes on threads, on may and on the hub run that same machine
//! code; what differs is the [`Runtime`] behind the socket, which the functions reach through a
//! trait object. A call that would block blocks an OS thread in one lane and parks a green thread
//! in another, and the code in between cannot tell. gevent gets there by replacing Python's socket
//! module under the program's feet; here the replacement is a parameter, checked by the compiler.
//!
//! `lane-tokio` holds the same two functions with async/await, and [`raw`] almost line for line. The
//! difference between the two files is the price of colouring functions.
//!
//! In reading order: [`mod@fetch`] (the exhibit), [`open_loop`] (the same on a schedule), [`runtime`] (what a runtime must offer),
//! [`tasks`] (fan-out and fan-in on top of it), [`semaphore`] and [`mod@queue`] (at most so many at
//! once, and what goes from task to task), [`mod@offload`] (work that must keep nobody waiting), [`plug`] (ureq on a runtime's sockets), [`raw`]
//! (the same exchange without an HTTP library), [`client`] (one or the other), [`observed`] (a
//! runtime that is looked at), [`watched`] (one whose stalls are told).

use std::sync::Arc;

use job::{Job, LaneError, Schedule, Share, Tally};

pub mod client;
pub mod fetch;
pub mod observed;
pub mod offload;
pub mod open_loop;
mod permits;
pub mod plug;
pub mod queue;
pub mod raw;
pub mod runtime;
pub mod semaphore;
pub mod tasks;
pub mod watched;

pub use client::Client;
pub use fetch::{fetch, fetch_and_aggregate};
pub use offload::offload;
pub use open_loop::fetch_on_schedule;
pub use queue::queue;
pub use runtime::{Runtime, Socket, Task};
pub use semaphore::Semaphore;
pub use tasks::Tasks;

/// Does the job: in a closed loop, or on the schedule that it has.
///
/// # Errors
///
/// The first request that failed, or a task that could not be started or ended without a result.
pub fn do_job(runtime: &Arc<dyn Runtime>, client: &Client, job: &Job) -> Result<Tally, LaneError> {
    fetch_all(runtime, client, job, Schedule::of(job))
}

/// Does a share of a job in the same way.
///
/// # Errors
///
/// As [`do_job`].
pub fn do_share(
    runtime: &Arc<dyn Runtime>,
    client: &Client,
    share: &Share,
) -> Result<Tally, LaneError> {
    fetch_all(runtime, client, &share.job, share.schedule)
}

fn fetch_all(
    runtime: &Arc<dyn Runtime>,
    client: &Client,
    job: &Job,
    schedule: Option<Schedule>,
) -> Result<Tally, LaneError> {
    let mut tally = match &schedule {
        None => fetch_and_aggregate(runtime, client, job),
        Some(schedule) => fetch_on_schedule(runtime, client, job, schedule),
    }?;
    tally.requests = client.requests();
    Ok(tally)
}
