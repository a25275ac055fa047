//! The end of a green thread, and how another waits for it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;
use std::thread;

use blocking_style::Task;
use blocking_style::runtime::Payload;

use super::{in_task, park, waker};

/// `work` as a task, and the handle of its result.
pub(super) fn task_and_handle<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> (Arc<dyn Task>, JoinHandle<T>) {
    let outcome = Arc::new(Outcome::default());
    let task = Spawned { work: Mutex::new(Some(work)), outcome: Arc::clone(&outcome) };
    (Arc::new(task), JoinHandle(outcome))
}

/// A green thread's end, to be waited for.
pub struct JoinHandle<T>(Arc<Outcome<T>>);

impl<T> JoinHandle<T> {
    /// The result, if the green thread has ended.
    pub(super) fn take(&self) -> Option<thread::Result<T>> {
        self.0.take()
    }

    /// Suspends the current green thread until the other has ended.
    ///
    /// # Errors
    ///
    /// The payload of its panic, or why there is none: its stack overflowed, or it has not ended
    /// and the caller is no green thread that could wait for it, as in a destructor that a panic
    /// runs.
    pub fn join(self) -> thread::Result<T> {
        loop {
            if let Some(result) = self.0.take_or_wait() {
                return result;
            }
            if !in_task() {
                return Err(Box::new("joined where nothing can be waited for"));
            }
            park();
        }
    }
}

/// Where a green thread leaves its result for the one that joins it.
struct Outcome<T> {
    result: Mutex<Option<thread::Result<T>>>,
    joiner: Mutex<Option<Waker>>,
}

impl<T> Default for Outcome<T> {
    fn default() -> Self {
        Outcome { result: Mutex::new(None), joiner: Mutex::new(None) }
    }
}

impl<T> Outcome<T> {
    fn set(&self, result: thread::Result<T>) {
        *self.result.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        let joiner = self.joiner.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(joiner) = joiner {
            joiner.wake();
        }
    }

    fn take(&self) -> Option<thread::Result<T>> {
        self.result.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn take_or_wait(&self) -> Option<thread::Result<T>> {
        if !in_task() {
            return self.take();
        }
        self.take().or_else(|| {
            *self.joiner.lock().unwrap_or_else(PoisonError::into_inner) = Some(waker());
            // Once more: it may have ended on the way here.
            self.take()
        })
    }
}

struct Spawned<F, T> {
    work: Mutex<Option<F>>,
    outcome: Arc<Outcome<T>>,
}

impl<F: FnOnce() -> T + Send, T: Send> Task for Spawned<F, T> {
    fn run(&self) {
        let work = self.work.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(work) = work {
            self.outcome.set(catch_unwind(AssertUnwindSafe(work)));
        }
    }

    fn lost(&self, why: Payload) {
        self.outcome.set(Err(why));
    }
}
