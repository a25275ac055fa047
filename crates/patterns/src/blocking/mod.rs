//! The patterns in blocking code: compiled once, run on OS threads, on may and on the hub.
//!
//! Each file has its async twin of the same name in [`asynchronous`](crate::asynchronous).

pub mod as_they_arrive;
pub mod blocking_work;
pub mod periodic;
pub mod queue;
pub mod semaphore;
