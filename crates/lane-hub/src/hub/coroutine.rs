//! A stack that can be left and entered again: the narrow face behind which the hub keeps
//! [`generator`].
//!
//! ```text
//!   hub's stack        coroutine's stack (fixed size, mapped, touched pages only)
//!   ┌─────────┐        ┌──────────────────┐ high
//!   │ turn    │ resume │ task.run()       │
//!   │  resume ├───────►│  …  read()       │
//!   │         │◄───────┤     suspend()    │  registers saved here
//!   └─────────┘        │        ▼         │
//!                      ├──────────────────┤
//!                      │ guard page       │  an overflow faults here
//!                      └──────────────────┘ low
//! ```

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use blocking_style::Task;
use blocking_style::runtime::Payload;
use blocking_style::tasks::describe;
use generator::{Generator, Gn};

/// A stack, and the task that runs on it.
pub struct Coroutine(Generator<'static, (), ()>);

/// What came of a [`Coroutine::resume`].
pub enum Resumed {
    /// It called [`suspend`] and can be resumed.
    Suspended,
    /// Its task returned; the stack can serve another.
    Ended,
    /// Its stack overflowed. Nothing on it was unwound, and it must not be entered again.
    ///
    /// What it held at that instant stays held. In its own code that is its own affair; if the
    /// last page was reached inside the allocator or inside the hub, their locks and cells stay
    /// taken, and the process cannot go on. No guard page can do better.
    Lost(Payload),
}

impl Coroutine {
    /// A new stack of `stack_bytes`, whose task is yet to [`begin`](Coroutine::begin).
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

    /// Puts `task` on a stack that is new, or whose task has ended.
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

    /// Gives up a stack that overflowed. Its destructor would panic to say so once more, and
    /// would unmap memory that values without an owner may point into, so the stack is leaked.
    pub fn abandon(self) {
        std::mem::forget(self.0);
    }
}

/// Leaves the current coroutine's stack for the one that resumed it.
///
/// # Panics
///
/// Outside a coroutine.
pub fn suspend() {
    #[expect(deprecated, reason = "the scoped form would need a raw pointer kept for each task")]
    generator::yield_with(());
}

fn explain(payload: Payload) -> Payload {
    match payload.downcast_ref::<generator::Error>() {
        Some(generator::Error::StackErr) => Box::new("its stack overflowed"),
        _ => payload,
    }
}
