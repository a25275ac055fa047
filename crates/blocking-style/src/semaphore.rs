//! At most so many at once, on any runtime: what tokio's `Semaphore` is to async code.

use std::sync::Arc;

use crate::Runtime;
use crate::permits::Permits;

/// Permits for so many tasks at once; the others wait in line.
pub struct Semaphore(Permits);

impl Semaphore {
    /// As many permits as tasks may hold one at once.
    pub fn new(runtime: &Arc<dyn Runtime>, permits: usize) -> Self {
        Semaphore(Permits::new(runtime, permits))
    }

    /// Takes a permit, and suspends the current task until there is one.
    pub fn acquire(&self) -> Permit<'_> {
        // It is never closed, so what came is a permit.
        self.0.take(None);
        Permit(&self.0)
    }
}

/// Leave to go on, given back when it is dropped.
#[must_use = "it is given back when it is dropped"]
pub struct Permit<'a>(&'a Permits);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.put();
    }
}
