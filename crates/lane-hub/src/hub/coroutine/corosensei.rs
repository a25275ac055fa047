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

/// A stack, and the task that runs on it.
pub struct Coroutine {
    /// Where the stack is until its first task.
    unused: Option<Carved>,
    /// Where it is from then on.
    used: Option<corosensei::Coroutine<(), (), End, Carved>>,
    /// The address of its guard page.
    guard: usize,
}

impl Coroutine {
    /// Carves a stack, and its guard page, from `slab`.
    ///
    /// # Errors
    ///
    /// As [`Slab::carve`].
    pub fn new(slab: &Rc<Slab>) -> io::Result<Self> {
        let stack = slab.carve()?;
        Ok(Coroutine { guard: stack.guard(), unused: Some(stack), used: None })
    }

    /// Puts `task` on the stack, whose last one has ended.
    pub fn begin(&mut self, task: Arc<dyn Task>) {
        let stack = self.used.take().map(corosensei::Coroutine::into_stack);
        let stack = stack.or_else(|| self.unused.take()).expect("it is in one or the other");
        self.used = Some(corosensei::Coroutine::with_stack(stack, move |yielder, ()| {
            YIELDER.set(yielder);
            task.run();
            End::Returned
        }));
    }

    /// Enters the task's stack until it suspends or ends.
    pub fn resume(&mut self) -> Resumed {
        let coroutine = self.used.as_mut().expect("a task has begun on it");
        let resumed = overflow::watched(coroutine, self.guard);
        YIELDER.set(ptr::null());
        match resumed {
            CoroutineResult::Yield(()) => Resumed::Suspended,
            CoroutineResult::Return(End::Returned) => Resumed::Ended,
            CoroutineResult::Return(End::Overflowed) => Resumed::Lost(Box::new(OVERFLOWED)),
        }
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
