//! THE sync-looking code. `lane-tokio/src/fetch.rs` is its async twin.

use std::sync::Arc;
use std::time::Instant;

use exchange::BODY_BYTES_MAX;
use job::{FetchError, Fetched, Job, LaneError, Tally};
use ureq::Agent;

use crate::{Client, Runtime, Tasks};

/// Fetches one document. It looks like it blocks, and whether a thread waits or a green thread
/// parks is the runtime's affair.
///
/// # Errors
///
/// The request failed, was answered with another status than success, or brought no document.
pub fn fetch(agent: &Agent, url: &str) -> Result<Fetched, FetchError> {
    let started = Instant::now();
    let mut response = agent.get(url).call().map_err(|error| FetchError::new(url, error))?;
    let body = response.body_mut().with_config().limit(BODY_BYTES_MAX as u64).read_to_vec();
    let body = body.map_err(|error| FetchError::new(url, error))?;
    Fetched::parse(url, &body, started.elapsed())
}

/// Fetches every document of the job with at most `job.concurrency` in flight, and folds them.
///
/// # Errors
///
/// The first request that failed, or a task that could not be started or ended without a result.
pub fn fetch_and_aggregate(
    runtime: &Arc<dyn Runtime>,
    client: &Client,
    job: &Job,
) -> Result<Tally, LaneError> {
    let mut tally = Tally::new(job);
    let mut tasks = Tasks::new(runtime);
    for url in job.urls() {
        if tasks.len() == job.concurrency {
            let fetched = tasks.join_next().expect("a task is in flight")?;
            tally.add(&fetched?);
        }
        let client = client.clone();
        tasks.spawn(move || client.fetch(&url))?;
    }
    while let Some(fetched) = tasks.join_next() {
        tally.add(&fetched??);
    }
    Ok(tally)
}
