//! Work that would keep others waiting, done elsewhere: what tokio's `spawn_blocking` is to async
//! code.

use std::sync::Arc;

use job::LaneError;

use crate::{Runtime, Tasks};

/// Does `work`, which computes for long or blocks in a way that the runtime does not see, where it
/// keeps no other task from running, and waits for its result.
///
/// On green threads that is an OS thread of its own for each piece of work, so whoever has many
/// holds them back with a [`Semaphore`](crate::Semaphore). A task that is an OS thread does it
/// itself: the kernel takes it off its processor when others are due.
///
/// # Errors
///
/// The system has no thread left, or `work` panicked.
pub fn offload<T: Send + 'static>(
    runtime: &Arc<dyn Runtime>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, LaneError> {
    let mut tasks = Tasks::new(runtime);
    tasks.offload(work)?;
    tasks.join_next().expect("a task is in flight")
}
