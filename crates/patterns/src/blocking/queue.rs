//! A queue with producers and consumers: some tasks find what is to be fetched, others fetch it.
//!
//! The queue has room for so many URLs and no more, so producers that are faster than the consumers
//! wait, and memory does not grow with what is yet to be done.

use std::sync::Arc;

use blocking_style::{Client, Runtime, Tasks, queue};
use job::{FetchError, Fetched, LaneError};

/// Fetches what the producers come up with, each a task, in `consumers` tasks with a queue of
/// `capacity` in between.
///
/// # Errors
///
/// The first request that failed, or a task that could not be started or ended without a result.
pub fn fetch_queued<P: Iterator<Item = String> + Send + 'static>(
    runtime: &Arc<dyn Runtime>,
    client: &Client,
    producers: impl IntoIterator<Item = P>,
    consumers: usize,
    capacity: usize,
) -> Result<Vec<Fetched>, LaneError> {
    let (sender, receiver) = queue(runtime, capacity);
    let mut producing = Tasks::new(runtime);
    for urls in producers {
        let sender = sender.clone();
        producing.spawn(move || {
            for url in urls {
                // It fails when all consumers have, and then they say why.
                if sender.send(url).is_err() {
                    break;
                }
            }
        })?;
    }
    // The queue ends with its last sender, and those that are left are the producers'.
    drop(sender);
    let mut consuming = Tasks::new(runtime);
    for _ in 0..consumers {
        let (client, receiver) = (client.clone(), receiver.clone());
        consuming.spawn(move || {
            let mut documents = Vec::new();
            while let Some(url) = receiver.recv() {
                documents.push(client.fetch(&url)?);
            }
            Ok::<_, FetchError>(documents)
        })?;
    }
    drop(receiver);
    let mut documents = Vec::new();
    while let Some(share) = consuming.join_next() {
        documents.extend(share??);
    }
    while let Some(ended) = producing.join_next() {
        ended?;
    }
    Ok(documents)
}
