//! Results as they arrive: all are asked for at once, and each is dealt with when it is there, not
//! when it was asked for.

use job::{Fetched, LaneError};
use lane_tokio::Client;
use tokio::task::JoinSet;

use super::lost;

/// Fetches all documents at once and has `take` deal with each, in the order in which they come.
///
/// # Errors
///
/// The first request that failed, or a task that ended without a result.
pub async fn fetch_as_they_arrive(
    client: &Client,
    urls: impl IntoIterator<Item = String>,
    mut take: impl FnMut(Fetched),
) -> Result<(), LaneError> {
    let mut tasks = JoinSet::new();
    for url in urls {
        let client = client.clone();
        tasks.spawn(async move { client.fetch(&url).await });
    }
    while let Some(fetched) = tasks.join_next().await {
        take(fetched.map_err(lost)??);
    }
    Ok(())
}
