//! The same job in an open loop: each document is sent when it is due, whatever became of the
//! earlier ones. `lane-tokio/src/open_loop.rs` is its async twin.
//!
//! How exactly "when it is due" is met is the runtime's timer, and part of its model: each lane
//! says what its own is like. A document that is due already is sent without any timer.

use job::{Job, LaneError, OnSchedule, Schedule, Tally};
use std::sync::Arc;

use crate::{Client, Runtime, Tasks};

/// Fetches every document of the job when it is due, and folds them. When `job.concurrency`
/// requests are in flight, the next one waits; its latency counts from when it was due.
///
/// # Errors
///
/// The first request that failed, or a task that could not be started or ended without a result.
pub fn fetch_on_schedule(
    runtime: &Arc<dyn Runtime>,
    client: &Client,
    job: &Job,
    schedule: &Schedule,
) -> Result<Tally, LaneError> {
    let mut tally = Tally::on_schedule(job, schedule);
    let mut tasks = Tasks::new(runtime);
    let start = schedule.start();
    for (url, due) in job.urls().zip(schedule.due()) {
        // Folding is done while nothing is due, and so is waiting.
        while let Some(fetched) = tasks.try_join_next() {
            tally.add_on_schedule(&fetched??);
        }
        if let Some(early) = due.checked_sub(start.elapsed()) {
            runtime.sleep(early);
        }
        if tasks.len() == job.concurrency {
            let fetched = tasks.join_next().expect("a task is in flight")?;
            tally.add_on_schedule(&fetched?);
        }
        let client = client.clone();
        tasks.spawn(move || {
            let sent = start.elapsed();
            client.fetch(&url).map(|fetched| OnSchedule { due, sent, fetched })
        })?;
    }
    while let Some(fetched) = tasks.join_next() {
        tally.add_on_schedule(&fetched??);
    }
    Ok(tally)
}
