//! Work that would stop the whole hub, done on another thread.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use super::{in_task, park, waker};

/// Does `work` on an OS thread of its own and suspends only the current green thread meanwhile:
/// for look-ups of names, files, and whatever else the kernel cannot be polled for. Outside a hub
/// it just does it.
///
/// # Errors
///
/// The system has no thread left.
///
/// # Panics
///
/// As `work` does, with its payload.
pub fn offload<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    if !in_task() {
        return Ok(work());
    }
    let slot = Arc::new(Mutex::new(None));
    let (theirs, waker) = (Arc::clone(&slot), waker());
    let thread = thread::Builder::new().name("offload".into()).stack_size(crate::STACK_BYTES);
    thread.spawn(move || {
        let result = catch_unwind(AssertUnwindSafe(work));
        *theirs.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        waker.wake();
    })?;
    loop {
        park();
        // Bound first: the guard must be gone before the next suspension.
        let result = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(result) = result {
            return Ok(result.unwrap_or_else(|payload| resume_unwind(payload)));
        }
    }
}
