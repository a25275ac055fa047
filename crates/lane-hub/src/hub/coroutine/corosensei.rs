//! Coroutines of the library `corosensei`, on stacks carved from one slab.

use std::cell::Cell;
use std::io;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use blocking_style::Task;
use corosensei::{CoroutineResult, Yielder};

use super::super::slab::overflow::{self, End};
use super::super::slab::{Carved, Slab};
use super::{OVERFLOWED, Resumed};

/// A stack that no task is on.
pub struct Stack(Carved);

impl Stack {
    /// Carves a stack, and its guard page, from `slab`.
    ///
    /// # Errors
    ///
    /// As [`Slab::carve`].
    pub fn new(slab: &Rc<Slab>) -> io::Result<Self> {
        slab.carve().map(Stack)
    }

    /// Puts `task` on it.
    pub fn begin(self, task: Arc<dyn Task>) -> Coroutine {
        let guard = self.0.guard();
        let coroutine = corosensei::Coroutine::with_stack(self.0, move |yielder, ()| {
            YIELDER.set(yielder);
            task.run();
            End::Returned
        });
        Coroutine { coroutine, guard }
    }
}

/// A task on its stack.
pub struct Coroutine {
    coroutine: corosensei::Coroutine<(), (), End, Carved>,
    /// The address of its guard page.
    guard: usize,
}

impl Coroutine {
    /// Enters the task's stack until it suspends or ends.
    pub fn resume(&mut self) -> Resumed {
        let resumed = overflow::watched(&mut self.coroutine, self.guard);
        YIELDER.set(ptr::null());
        match resumed {
            CoroutineResult::Yield(()) => Resumed::Suspended,
            CoroutineResult::Return(End::Returned) => Resumed::Ended,
            CoroutineResult::Return(End::Overflowed) => Resumed::Lost(Box::new(OVERFLOWED)),
        }
    }

    /// The stack of a task that has ended.
    pub fn into_stack(self) -> Stack {
        Stack(self.coroutine.into_stack())
    }
}

thread_local! {
    /// How the coroutine that runs on this thread is left; null when none does.
    static YIELDER: Cell<*const Yielder<(), ()>> = const { Cell::new(ptr::null()) };
}

/// Leaves the current coroutine's stack for the one that resumed it; false outside a coroutine.
pub fn suspend() -> bool {
    let yielder = YIELDER.get();
    // SAFETY: not null, it is the running coroutine's own, which lies on the stack that this call is
    // on and lives as long as it.
    let Some(current) = (unsafe { yielder.as_ref() }) else { return false };
    current.suspend(());
    // Others have run meanwhile.
    YIELDER.set(yielder);
    true
}
