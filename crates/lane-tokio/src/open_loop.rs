//! The same job in an open loop: each document is sent when it is due, whatever became of the
//! earlier ones. The async twin of `blocking-style/src/open_loop.rs`.
//!
//! How exactly "when it is due" is met is the runtime's timer, and part of its model: tokio's
//! counts in milliseconds and rounds up, so that documents leave up to a millisecond late and
//! several at once. A document that is due already is sent without any timer.

use job::{Job, LaneError, OnSchedule, Schedule, Tally};
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::Client;
use crate::fetch::lost;

/// Fetches every document of the job when it is due, and folds them. When `job.concurrency`
/// requests are in flight, the next one waits; its latency counts from when it was due.
///
/// # Errors
///
/// The first request that failed, or a task that ended without a result.
pub async fn fetch_on_schedule(
    client: &Client,
    job: &Job,
    schedule: &Schedule,
) -> Result<Tally, LaneError> {
    let mut tally = Tally::on_schedule(job, schedule);
    let mut tasks = JoinSet::new();
    let start = schedule.start();
    for (url, due) in job.urls().zip(schedule.due()) {
        // Folding is done while nothing is due, and so is waiting.
        while let Some(fetched) = tasks.try_join_next() {
            tally.add_on_schedule(&fetched.map_err(lost)??);
        }
        if let Some(early) = due.checked_sub(start.elapsed()) {
            sleep(early).await;
        }
        if tasks.len() as u64 == job.concurrency {
            let fetched = tasks.join_next().await.expect("a task is in flight");
            tally.add_on_schedule(&fetched.map_err(lost)??);
        }
        let client = client.clone();
        tasks.spawn(async move {
            let sent = start.elapsed();
            client.fetch(&url).await.map(|fetched| OnSchedule { due, sent, fetched })
        });
    }
    while let Some(fetched) = tasks.join_next().await {
        tally.add_on_schedule(&fetched.map_err(lost)??);
    }
    Ok(tally)
}
