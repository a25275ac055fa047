//! A cap by semaphore: a task for each document, and so many of them fetch at once.
//!
//! The tasks all exist from the start, so memory grows with their number, and the cap is on what they
//! do between two lines. Where it is to be on the tasks themselves, do as
//! [`fetch_and_aggregate`](lane_tokio::fetch_and_aggregate): join one before spawning the next.

use std::sync::Arc;

use job::{Fetched, LaneError};
use lane_tokio::Client;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::lost;

/// Fetches every document with at most `cap` requests in flight.
///
/// # Errors
///
/// The first request that failed, or a task that ended without a result.
pub async fn fetch_capped(
    client: &Client,
    urls: impl IntoIterator<Item = String>,
    cap: usize,
) -> Result<Vec<Fetched>, LaneError> {
    let permits = Arc::new(Semaphore::new(cap));
    let mut tasks = JoinSet::new();
    for url in urls {
        let (client, permits) = (client.clone(), Arc::clone(&permits));
        tasks.spawn(async move {
            let _permit = permits.acquire().await.expect("nobody closes it");
            client.fetch(&url).await
        });
    }
    let mut documents = Vec::new();
    while let Some(fetched) = tasks.join_next().await {
        documents.push(fetched.map_err(lost)??);
    }
    Ok(documents)
}
