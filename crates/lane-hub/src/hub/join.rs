//! The end of a green thread, and how another waits for it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread;

use blocking_style::Task;
use blocking_style::runtime::Payload;

use super::{in_task, park, waker};

/// `work` as a task, and the handle of its result: two views of one allocation.
pub(super) fn task_and_handle<T: Send + 'static>(
    name: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> (Arc<dyn Task>, JoinHandle<T>) {
    let spawned = Arc::new(Spawned { name, work: Mutex::new(Some(work)), end: Mutex::default() });
    (Arc::clone(&spawned) as Arc<dyn Task>, JoinHandle(spawned))
}

/// A green thread's end, to be waited for.
pub struct JoinHandle<T>(Arc<dyn Ends<T>>);

impl<T> JoinHandle<T> {
    /// The result, if the green thread has ended.
    pub(super) fn take(&self) -> Option<thread::Result<T>> {
        self.0.end().result.take()
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
            if let Some(result) = self.take_or_wait() {
                return result;
            }
            if !in_task() {
                return Err(Box::new("joined where nothing can be waited for"));
            }
            park();
        }
    }

    /// The result, or nothing and a wake-up for the current green thread once there is one.
    pub(crate) fn take_or_wait(&self) -> Option<thread::Result<T>> {
        let mut end = self.0.end();
        let result = end.result.take();
        if result.is_none() && in_task() {
            end.joiner = Some(waker());
        }
        result
    }
}

/// Where a green thread leaves its result for the one that joins it.
struct End<T> {
    result: Option<thread::Result<T>>,
    joiner: Option<Waker>,
}

impl<T> Default for End<T> {
    fn default() -> Self {
        End { result: None, joiner: None }
    }
}

/// A task of whatever work that ends with a `T`.
trait Ends<T>: Send + Sync {
    /// Never held across a suspension.
    fn end(&self) -> MutexGuard<'_, End<T>>;
}

struct Spawned<F, T> {
    name: &'static str,
    work: Mutex<Option<F>>,
    end: Mutex<End<T>>,
}

impl<F: Send, T: Send> Ends<T> for Spawned<F, T> {
    fn end(&self) -> MutexGuard<'_, End<T>> {
        self.end.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<F: Send, T: Send> Spawned<F, T> {
    fn ended(&self, result: thread::Result<T>) {
        let joiner = {
            let mut end = self.end();
            end.result = Some(result);
            end.joiner.take()
        };
        if let Some(joiner) = joiner {
            joiner.wake();
        }
    }
}

impl<F: FnOnce() -> T + Send, T: Send> Task for Spawned<F, T> {
    fn run(&self) {
        let work = self.work.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(work) = work {
            self.ended(catch_unwind(AssertUnwindSafe(work)));
        }
    }

    fn lost(&self, why: Payload) {
        self.ended(Err(why));
    }

    fn name(&self) -> &'static str {
        self.name
    }
}
