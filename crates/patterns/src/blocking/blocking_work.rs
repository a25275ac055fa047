//! CPU work mixed in: documents are fetched, and something is computed from each.
//!
//! Nobody takes a green thread off its OS thread while it computes, so others that are due wait for
//! it. The first function hands the work to where it keeps nobody waiting; the second is the trap.

use std::sync::Arc;

use blocking_style::{Client, Runtime, Semaphore, Tasks, offload};
use job::{Fetched, LaneError};

/// Fetches every document and computes something from each, beside the runtime. At most `at_once` are
/// computed at once: more than there are processors would only take turns.
///
/// # Errors
///
/// The first request that failed, or a task that could not be started or ended without a result.
pub fn fetch_and_compute<T: Send + 'static>(
    runtime: &Arc<dyn Runtime>,
    client: &Client,
    urls: impl IntoIterator<Item = String>,
    at_once: usize,
    compute: impl Fn(Fetched) -> T + Clone + Send + 'static,
) -> Result<Vec<T>, LaneError> {
    let permits = Arc::new(Semaphore::new(runtime, at_once));
    let mut tasks = Tasks::new(runtime);
    for url in urls {
        let (client, permits, compute) = (client.clone(), Arc::clone(&permits), compute.clone());
        let runtime = Arc::clone(runtime);
        tasks.spawn(move || {
            let fetched = client.fetch(&url)?;
            let _permit = permits.acquire();
            offload(&runtime, move || compute(fetched))
        })?;
    }
    let mut results = Vec::new();
    while let Some(result) = tasks.join_next() {
        results.push(result??);
    }
    Ok(results)
}

/// The same, computed where it is fetched: every other task of the same OS thread stands still
/// meanwhile. On `blocking/threads` there is none, and this is right.
///
/// # Errors
///
/// As [`fetch_and_compute`].
pub fn fetch_and_compute_in_place<T: Send + 'static>(
    runtime: &Arc<dyn Runtime>,
    client: &Client,
    urls: impl IntoIterator<Item = String>,
    compute: impl Fn(Fetched) -> T + Clone + Send + 'static,
) -> Result<Vec<T>, LaneError> {
    let mut tasks = Tasks::new(runtime);
    for url in urls {
        let (client, compute) = (client.clone(), compute.clone());
        tasks.spawn(move || client.fetch(&url).map(compute))?;
    }
    let mut results = Vec::new();
    while let Some(result) = tasks.join_next() {
        results.push(result??);
    }
    Ok(results)
}
