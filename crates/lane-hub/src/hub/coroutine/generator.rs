//! Coroutines of the library `generator`, which maps each stack by itself.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use blocking_style::Task;
use blocking_style::runtime::Payload;
use blocking_style::tasks::describe;
use generator::{Generator, Gn};

use super::{OVERFLOWED, Resumed};

/// A stack, and the task that runs on it.
pub struct Coroutine(Generator<'static, (), ()>);

impl Coroutine {
    /// Maps a stack of `stack_bytes`, and a guard page.
    ///
    /// # Errors
    ///
    /// The system maps no more memory: most often `vm.max_map_count`, at two mappings a stack.
    pub fn new(stack_bytes: usize) -> io::Result<Self> {
        // In words. An even number, because an odd one makes `generator` paint the whole stack
        // to measure its use, which would touch every page.
        let words = (stack_bytes / size_of::<usize>()) & !1;
        // It panics when it cannot map; here that is an error like any other.
        catch_unwind(AssertUnwindSafe(|| Gn::<()>::new_opt(words, || ())))
            .map(Coroutine)
            .map_err(|payload| io::Error::other(describe(payload.as_ref())))
    }

    /// Puts `task` on the stack, whose last one has ended.
    pub fn begin(&mut self, task: Arc<dyn Task>) {
        self.0.init_code(move || task.run());
    }

    /// Enters the task's stack until it suspends or ends.
    pub fn resume(&mut self) -> Resumed {
        let resumed = catch_unwind(AssertUnwindSafe(|| self.0.resume()));
        match resumed {
            Ok(_) if self.0.is_done() => Resumed::Ended,
            Ok(_) => Resumed::Suspended,
            // A task never unwinds out of `run`, so this is `generator`'s own: `StackErr`.
            Err(payload) => Resumed::Lost(explain(payload)),
        }
    }
}

/// Leaves the current coroutine's stack for the one that resumed it.
pub fn suspend() {
    #[expect(deprecated, reason = "the scoped form would need a raw pointer kept for each task")]
    generator::yield_with(());
}

fn explain(payload: Payload) -> Payload {
    match payload.downcast_ref::<generator::Error>() {
        Some(generator::Error::StackErr) => Box::new(OVERFLOWED),
        _ => payload,
    }
}
