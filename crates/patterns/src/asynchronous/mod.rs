//! The patterns with async/await, on tokio.
//!
//! Each file has its blocking twin of the same name in [`blocking`](crate::blocking).

use job::LaneError;
use tokio::task::JoinError;

pub mod as_they_arrive;
pub mod blocking_work;
pub mod periodic;
pub mod queue;
pub mod semaphore;

fn lost(error: JoinError) -> LaneError {
    LaneError::Task(error.to_string())
}
