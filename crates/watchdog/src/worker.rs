//! How a thread becomes a worker, and says what it is in.

use std::cell::{Cell, RefCell};
use std::fmt::{self, Debug, Formatter};
use std::ptr;
use std::sync::Arc;

use crate::pulse::Pulse;
use crate::watch::Watch;

/// Does `work` as the task of that name, on a thread that is [watched](crate::Watchdog::watch); on any
/// other it just does it.
///
/// The name is `'static` because it is read from another thread, at any time, without a lock.
pub fn during<T>(task: &'static str, work: impl FnOnce() -> T) -> T {
    let _left = LeaveOnDrop;
    enter(task);
    work()
}

/// Whether this thread is watched: what a runtime asks at each switch, to do without all else where it
/// is not.
#[inline]
pub fn is_watched() -> bool {
    !CURRENT.get().is_null()
}

/// Leaves the task however it ends, on whatever thread that is.
struct LeaveOnDrop;

impl Drop for LeaveOnDrop {
    fn drop(&mut self) {
        leave();
    }
}

/// Registers threads as workers when a task comes to them.
#[derive(Clone)]
pub struct Handle(Arc<Watch>);

impl Debug for Handle {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("Handle")
    }
}

impl Handle {
    pub(crate) fn new(watch: &Arc<Watch>) -> Self {
        Handle(Arc::clone(watch))
    }

    /// Does `work` as `task`, which may go on on another thread wherever it says that it waits.
    pub fn during<T>(&self, task: &'static str, work: impl FnOnce() -> T) -> T {
        self.register_for_good();
        during(task, work)
    }

    /// Does `wait` as something that the runtime knows of: meanwhile the worker is not in this task,
    /// and when it is over, perhaps another worker is.
    pub fn outside<T>(&self, wait: impl FnOnce() -> T) -> T {
        let _returns = ReturnOnDrop { handle: self, task: leave() };
        wait()
    }

    /// Tells that `task` will not leave by itself, because its stack is gone.
    pub fn lost(&self, task: &'static str) {
        with_pulse(|pulse| {
            if pulse.is_in(task) {
                pulse.leave();
            }
        });
    }

    /// Until the thread ends. In a function of its own, as all that looks at a thread-local here: a
    /// task that moved must not find one whose address was taken before.
    #[inline(never)]
    fn register_for_good(&self) {
        if with_pulse(|pulse| pulse.is_watched_by(&self.0)) == Some(true) {
            return;
        }
        // A thread that is ending has no thread-locals any more, and takes up no task.
        let _ = OWN.try_with(|own| {
            let before = own.take();
            // Whom somebody else `watch`es is left to them.
            if before.is_some() || !is_watched() {
                // Which takes itself out.
                drop(before);
                own.replace(Some(Own::new(&self.0)));
            }
        });
    }
}

/// Goes on in the task that was left, however the wait ended.
struct ReturnOnDrop<'handle> {
    handle: &'handle Handle,
    task: Option<&'static str>,
}

impl Drop for ReturnOnDrop<'_> {
    fn drop(&mut self) {
        if let Some(task) = self.task {
            self.handle.register_for_good();
            enter(task);
        }
    }
}

thread_local! {
    /// This thread's pulse; null where it has none. Neither its start nor its end runs code, so that
    /// a signal handler may look at it.
    static CURRENT: Cell<*const Pulse> = const { Cell::new(ptr::null()) };
    /// What keeps it alive.
    static OWN: RefCell<Option<Own>> = const { RefCell::new(None) };
}

/// Calls `look` with this thread's pulse, where it has one.
pub fn with_pulse<T>(look: impl FnOnce(&Pulse) -> T) -> Option<T> {
    // SAFETY: not null, it is this thread's own, which `Own` takes out before it lets it go; and what
    // is called here with it does neither suspend nor register.
    unsafe { CURRENT.get().as_ref() }.map(look)
}

#[inline(never)]
fn enter(task: &'static str) {
    with_pulse(|pulse| pulse.enter(task));
}

#[inline(never)]
fn leave() -> Option<&'static str> {
    with_pulse(Pulse::leave).flatten()
}

/// Watches this thread until what it returns is dropped.
///
/// # Panics
///
/// On a thread that is watched already.
pub fn register(watch: &Arc<Watch>) -> impl Drop + use<> {
    assert!(!is_watched(), "this thread is watched already");
    Own::new(watch)
}

/// A thread's hold on its pulse.
struct Own(Arc<Pulse>);

impl Own {
    fn new(watch: &Arc<Watch>) -> Self {
        let own = Own(Arc::new(Pulse::new(watch)));
        CURRENT.set(Arc::as_ptr(&own.0));
        watch.register(&own.0);
        own
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        if CURRENT.get() == Arc::as_ptr(&self.0) {
            CURRENT.set(ptr::null());
        } else {
            // A green thread has carried it to another thread. The first still points to it, so it must
            // stay for ever.
            std::mem::forget(Arc::clone(&self.0));
        }
        self.0.end();
    }
}
