//! How tasks start and wait on tokio.

use std::io;

use tokio::runtime::{Builder, Runtime};

/// A worker a core, spelled out rather than left to the default.
///
/// # Errors
///
/// The system has no thread or descriptor left.
pub fn multi_thread() -> io::Result<Runtime> {
    let workers = usize::try_from(workers()).unwrap_or(1);
    Builder::new_multi_thread().worker_threads(workers).enable_io().enable_time().build()
}

/// Everything on the thread that calls `block_on`.
///
/// # Errors
///
/// The system has no descriptor left.
pub fn local() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_io().enable_time().build()
}

/// One worker a core.
pub fn workers() -> u64 {
    std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64)
}
