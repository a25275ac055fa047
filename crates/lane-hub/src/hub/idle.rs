//! Stacks that no task is on.

use std::io;
use std::sync::Arc;

use blocking_style::Task;

use super::coroutine::{Coroutine, Source};

/// One stack for each task that has been spawned and has not begun, and some of tasks that have
/// ended.
///
/// Promised at first and taken later, so that a lack of memory is told to whoever spawns, and yet a
/// thousand short tasks that are spawned at once all run on the stack that is still in the caches.
pub(super) struct IdleStacks {
    source: Source,
    /// How many are kept that were promised to nobody.
    kept: usize,
    idle: Vec<Coroutine>,
    promised: usize,
}

impl IdleStacks {
    pub(super) fn new(source: Source, kept: usize) -> Self {
        IdleStacks { source, kept, idle: Vec::new(), promised: 0 }
    }

    /// Sees to it that there is a stack for one task more.
    pub(super) fn promise(&mut self) -> io::Result<()> {
        if self.idle.len() == self.promised {
            self.idle.push(self.source.coroutine()?);
        }
        self.promised += 1;
        Ok(())
    }

    /// The stack that was used last, for a task to which one was promised.
    pub(super) fn take(&mut self, task: Arc<dyn Task>) -> Coroutine {
        self.promised -= 1;
        let mut coroutine = self.idle.pop().expect("as many stacks as promises");
        coroutine.begin(task);
        coroutine
    }

    /// The stack of a task that has ended, to be kept or returned to the system.
    pub(super) fn give_back(&mut self, coroutine: Coroutine) {
        if self.idle.len() < self.kept.max(self.promised) {
            self.idle.push(coroutine);
        }
    }
}
