//! CPU work mixed in: documents are fetched, and something is computed from each.
//!
//! Nobody takes a future off its worker while it computes, so others that are due wait for it. The
//! first function hands the work to where it keeps nobody waiting; the second is the trap.

use std::sync::Arc;

use job::{Fetched, LaneError};
use lane_tokio::Client;
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, spawn_blocking};

use super::lost;

/// Fetches every document and computes something from each, beside the runtime. At most `at_once` are
/// computed at once: more than there are processors would only take turns.
///
/// # Errors
///
/// The first request that failed, or a task that ended without a result.
pub async fn fetch_and_compute<T: Send + 'static>(
    client: &Client,
    urls: impl IntoIterator<Item = String>,
    at_once: usize,
    compute: impl Fn(Fetched) -> T + Clone + Send + 'static,
) -> Result<Vec<T>, LaneError> {
    let permits = Arc::new(Semaphore::new(at_once));
    let mut tasks = JoinSet::new();
    for url in urls {
        let (client, permits, compute) = (client.clone(), Arc::clone(&permits), compute.clone());
        tasks.spawn(async move {
            let fetched = client.fetch(&url).await?;
            let _permit = permits.acquire().await.expect("nobody closes it");
            spawn_blocking(move || compute(fetched)).await.map_err(lost)
        });
    }
    let mut results = Vec::new();
    while let Some(result) = tasks.join_next().await {
        results.push(result.map_err(lost)??);
    }
    Ok(results)
}

/// The same, computed where it is fetched: every other task of the same worker stands still
/// meanwhile.
///
/// # Errors
///
/// As [`fetch_and_compute`].
pub async fn fetch_and_compute_in_place<T: Send + 'static>(
    client: &Client,
    urls: impl IntoIterator<Item = String>,
    compute: impl Fn(Fetched) -> T + Clone + Send + 'static,
) -> Result<Vec<T>, LaneError> {
    let mut tasks = JoinSet::new();
    for url in urls {
        let (client, compute) = (client.clone(), compute.clone());
        tasks.spawn(async move { client.fetch(&url).await.map(compute) });
    }
    let mut results = Vec::new();
    while let Some(result) = tasks.join_next().await {
        results.push(result.map_err(lost)??);
    }
    Ok(results)
}
