//! A queue with producers and consumers: some tasks find what is to be fetched, others fetch it.
//!
//! The queue has room for so many URLs and no more, so producers that are faster than the consumers
//! wait, and memory does not grow with what is yet to be done.

use std::sync::Arc;

use job::{FetchError, Fetched, LaneError};
use lane_tokio::Client;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinSet;

use super::lost;

/// Fetches what the producers come up with, each a task, in `consumers` tasks with a queue of
/// `capacity` in between.
///
/// # Errors
///
/// The first request that failed, or a task that ended without a result.
pub async fn fetch_queued<P: Iterator<Item = String> + Send + 'static>(
    client: &Client,
    producers: impl IntoIterator<Item = P>,
    consumers: usize,
    capacity: usize,
) -> Result<Vec<Fetched>, LaneError> {
    let (sender, receiver) = mpsc::channel(capacity);
    let mut producing = JoinSet::new();
    for urls in producers {
        let sender = sender.clone();
        producing.spawn(async move {
            for url in urls {
                // It fails when all consumers have, and then they say why.
                if sender.send(url).await.is_err() {
                    break;
                }
            }
        });
    }
    // The queue ends with its last sender, and those that are left are the producers'.
    drop(sender);
    // tokio's has one receiver, so the consumers take turns at it.
    let receiver = Arc::new(Mutex::new(receiver));
    let mut consuming = JoinSet::new();
    for _ in 0..consumers {
        let (client, receiver) = (client.clone(), Arc::clone(&receiver));
        consuming.spawn(async move {
            let mut documents = Vec::new();
            while let Some(url) = next(&receiver).await {
                documents.push(client.fetch(&url).await?);
            }
            Ok::<_, FetchError>(documents)
        });
    }
    drop(receiver);
    let mut documents = Vec::new();
    while let Some(share) = consuming.join_next().await {
        documents.extend(share.map_err(lost)??);
    }
    while let Some(ended) = producing.join_next().await {
        ended.map_err(lost)?;
    }
    Ok(documents)
}

/// The next URL. The lock is tokio's and not `std`'s, because it is held across an `.await`; as a
/// function of its own, so that it is not held while its holder fetches.
async fn next(receiver: &Mutex<mpsc::Receiver<String>>) -> Option<String> {
    receiver.lock().await.recv().await
}
