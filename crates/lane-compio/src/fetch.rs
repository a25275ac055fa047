//! The async twin of `blocking-style/src/fetch.rs`, on compio: as in `lane-tokio`, but for who gathers
//! the tasks.

use std::time::Instant;

use bytes::Bytes;
use compio::runtime::{JoinError, JoinHandle, spawn};
use exchange::BODY_BYTES_MAX;
use futures_lite::StreamExt;
use futures_util::stream::FuturesUnordered;
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::client::legacy;
use job::{FetchError, Fetched, Job, LaneError, Tally};

use crate::Client;
use crate::socket::Connector;

/// hyper-util's pooled client, as on tokio: it takes any executor and any socket.
pub type Agent = legacy::Client<Connector, Empty<Bytes>>;

/// Fetches one document.
///
/// # Errors
///
/// The request failed, was answered with another status than success, or brought no document.
pub async fn fetch(agent: &Agent, url: &str) -> Result<Fetched, FetchError> {
    let started = Instant::now();
    let uri = url.parse().map_err(|error| FetchError::new(url, error))?;
    let response = agent.get(uri).await.map_err(|error| FetchError::new(url, whole(&error)))?;
    if !response.status().is_success() {
        return Err(FetchError::new(url, format_args!("status {}", response.status())));
    }
    let body = Limited::new(response.into_body(), BODY_BYTES_MAX).collect().await;
    let body = body.map_err(|error| FetchError::new(url, whole(error.as_ref())))?.to_bytes();
    Fetched::parse(url, &body, started.elapsed())
}

/// Fetches every document of the job with at most `job.concurrency` in flight, and folds them.
///
/// # Errors
///
/// The first request that failed, or a task that ended without a result.
pub async fn fetch_and_aggregate(client: &Client, job: &Job) -> Result<Tally, LaneError> {
    let mut tally = Tally::new(job);
    // Each task runs by itself; this only gathers their results, as tokio's `JoinSet` does.
    let mut tasks = FuturesUnordered::<JoinHandle<Result<_, FetchError>>>::new();
    for url in job.urls() {
        if tasks.len() as u64 == job.concurrency {
            let fetched = tasks.next().await.expect("a task is in flight");
            tally.add(&fetched.map_err(lost)??);
        }
        let client = client.clone();
        tasks.push(spawn(async move { client.fetch(&url).await }));
    }
    while let Some(fetched) = tasks.next().await {
        tally.add(&fetched.map_err(lost)??);
    }
    Ok(tally)
}

pub(crate) fn lost(error: JoinError) -> LaneError {
    LaneError::Task(error.to_string())
}

/// hyper's errors name their layer and leave the cause to `source`.
fn whole(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
