//! The same job in an open loop: each document is sent when it is due, whatever became of the
//! earlier ones. The async twin of `blocking-style/src/open_loop.rs`.
//!
//! How exactly "when it is due" is met is the runtime's timer, and part of its model: async-io keeps
//! moments as they are, and hands the next one to the kernel's timerfd, which is one of what its epoll
//! waits for. Whoever waits there then wakes the task, for a worker to run.

use async_io::Timer;
use futures_lite::StreamExt;
use futures_lite::future::poll_once;
use futures_util::stream::FuturesUnordered;
use job::{Job, LaneError, OnSchedule, Schedule, Tally};

use crate::Client;
use crate::runtime::Executor;

/// Fetches every document of the job when it is due, and folds them. When `job.concurrency`
/// requests are in flight, the next one waits; its latency counts from when it was due.
///
/// # Errors
///
/// The first request that failed.
///
/// # Panics
///
/// A task panicked.
pub async fn fetch_on_schedule(
    executor: &Executor,
    client: &Client,
    job: &Job,
    schedule: &Schedule,
) -> Result<Tally, LaneError> {
    let mut tally = Tally::on_schedule(job, schedule);
    let mut tasks = FuturesUnordered::new();
    let start = schedule.start();
    for (url, due) in job.urls().zip(schedule.due()) {
        // Folding is done while nothing is due, and so is waiting.
        while let Some(Some(fetched)) = poll_once(tasks.next()).await {
            tally.add_on_schedule(&fetched?);
        }
        if let Some(early) = due.checked_sub(start.elapsed()) {
            Timer::after(early).await;
        }
        if tasks.len() as u64 == job.concurrency {
            let fetched = tasks.next().await.expect("a task is in flight");
            tally.add_on_schedule(&fetched?);
        }
        let client = client.clone();
        tasks.push(executor.spawn(async move {
            let sent = start.elapsed();
            client.fetch(&url).await.map(|fetched| OnSchedule { due, sent, fetched })
        }));
    }
    while let Some(fetched) = tasks.next().await {
        tally.add_on_schedule(&fetched?);
    }
    Ok(tally)
}
