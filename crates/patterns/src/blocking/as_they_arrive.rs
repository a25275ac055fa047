//! Results as they arrive: all are asked for at once, and each is dealt with when it is there, not
//! when it was asked for.

use std::sync::Arc;

use blocking_style::{Client, Runtime, Tasks};
use job::{Fetched, LaneError};

/// Fetches all documents at once and has `take` deal with each, in the order in which they come.
///
/// # Errors
///
/// The first request that failed, or a task that could not be started or ended without a result.
pub fn fetch_as_they_arrive(
    runtime: &Arc<dyn Runtime>,
    client: &Client,
    urls: impl IntoIterator<Item = String>,
    mut take: impl FnMut(Fetched),
) -> Result<(), LaneError> {
    let mut tasks = Tasks::new(runtime);
    for url in urls {
        let client = client.clone();
        tasks.spawn(move || client.fetch(&url))?;
    }
    while let Some(fetched) = tasks.join_next() {
        take(fetched??);
    }
    Ok(())
}
