//! A cap by semaphore: a task for each document, and so many of them fetch at once.
//!
//! The tasks all exist from the start, so memory grows with their number, and the cap is on what they
//! do between two lines. Where it is to be on the tasks themselves, do as
//! [`fetch_and_aggregate`](blocking_style::fetch_and_aggregate): join one before spawning the next.

use std::sync::Arc;

use blocking_style::{Client, Runtime, Semaphore, Tasks};
use job::{Fetched, LaneError};

/// Fetches every document with at most `cap` requests in flight.
///
/// # Errors
///
/// The first request that failed, or a task that could not be started or ended without a result.
pub fn fetch_capped(
    runtime: &Arc<dyn Runtime>,
    client: &Client,
    urls: impl IntoIterator<Item = String>,
    cap: usize,
) -> Result<Vec<Fetched>, LaneError> {
    let permits = Arc::new(Semaphore::new(runtime, cap));
    let mut tasks = Tasks::new(runtime);
    for url in urls {
        let (client, permits) = (client.clone(), Arc::clone(&permits));
        tasks.spawn(move || {
            let _permit = permits.acquire();
            client.fetch(&url)
        })?;
    }
    let mut documents = Vec::new();
    while let Some(fetched) = tasks.join_next() {
        documents.push(fetched??);
    }
    Ok(documents)
}
