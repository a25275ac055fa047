//! Fan-out and fan-in on any runtime: what tokio's `JoinSet` is to async code.

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::thread;

use job::LaneError;

use crate::runtime::{Payload, Runtime, Task};

/// Tasks in flight whose results are taken in the order in which they end.
pub struct Tasks<T> {
    runtime: Arc<dyn Runtime>,
    finished: Arc<Finished<T>>,
    in_flight: u64,
}

impl<T: Send + 'static> Tasks<T> {
    /// No tasks yet.
    pub fn new(runtime: &Arc<dyn Runtime>) -> Self {
        Tasks {
            runtime: Arc::clone(runtime),
            finished: Arc::new(Finished { state: Mutex::new(State::default()) }),
            in_flight: 0,
        }
    }

    /// Tasks spawned and not yet joined.
    pub fn len(&self) -> u64 {
        self.in_flight
    }

    /// Whether there is none to join.
    pub fn is_empty(&self) -> bool {
        self.in_flight == 0
    }

    /// Starts a task that does `work`.
    ///
    /// # Errors
    ///
    /// The system has no thread or stack left for it.
    pub fn spawn(&mut self, work: impl FnOnce() -> T + Send + 'static) -> Result<(), LaneError> {
        let task = self.task(work);
        let started = self.runtime.spawn(task);
        self.started(started, "start a task")
    }

    /// Starts a task where it keeps no other from running; it may have ended on return.
    pub(crate) fn offload(
        &mut self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<(), LaneError> {
        let task = self.task(work);
        let started = self.runtime.offload(task);
        self.started(started, "start a thread for a task")
    }

    fn task(&self, work: impl FnOnce() -> T + Send + 'static) -> Arc<dyn Task> {
        let finished = Arc::clone(&self.finished);
        Arc::new(Spawned { work: Mutex::new(Some(work)), finished })
    }

    fn started(&mut self, started: io::Result<()>, doing: &'static str) -> Result<(), LaneError> {
        started.map_err(|source| LaneError::Runtime { doing, source })?;
        self.in_flight += 1;
        Ok(())
    }

    /// Waits for the next task to end; `None` when there is none in flight.
    ///
    /// # Errors
    ///
    /// The task panicked, or its stack overflowed: [`LaneError::Task`] says what is known.
    pub fn join_next(&mut self) -> Option<Result<T, LaneError>> {
        if self.in_flight == 0 {
            return None;
        }
        let result = loop {
            match self.finished.take_or_wait(self.runtime.as_ref()) {
                Some(result) => break result,
                None => self.runtime.park(),
            }
        };
        Some(self.joined(result))
    }

    /// The next task that has ended already; `None` when none has. It never suspends.
    ///
    /// # Errors
    ///
    /// As [`join_next`](Tasks::join_next).
    pub fn try_join_next(&mut self) -> Option<Result<T, LaneError>> {
        let result = self.finished.take()?;
        Some(self.joined(result))
    }

    fn joined(&mut self, result: thread::Result<T>) -> Result<T, LaneError> {
        self.in_flight -= 1;
        result.map_err(|payload| LaneError::Task(describe(payload.as_ref())))
    }
}

/// What a payload says, where it says anything.
pub fn describe(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a payload that is not text".to_owned())
}

/// Where tasks leave their results. The lock is held for a push or a pop and never across a
/// suspension, so a `std` mutex is right on green threads too.
struct Finished<T> {
    state: Mutex<State<T>>,
}

struct State<T> {
    results: VecDeque<thread::Result<T>>,
    /// Set while the joiner waits, so that a task that ends beside a busy joiner wakes nobody.
    joiner: Option<Waker>,
}

impl<T> Default for State<T> {
    fn default() -> Self {
        State { results: VecDeque::new(), joiner: None }
    }
}

impl<T> Finished<T> {
    fn push(&self, result: thread::Result<T>) {
        let joiner = {
            let mut state = self.lock();
            state.results.push_back(result);
            state.joiner.take()
        };
        if let Some(joiner) = joiner {
            joiner.wake();
        }
    }

    /// The next result, if there is one.
    fn take(&self) -> Option<thread::Result<T>> {
        self.lock().results.pop_front()
    }

    /// The next result, or nothing and a wake-up for the current task once there is one.
    fn take_or_wait(&self, runtime: &dyn Runtime) -> Option<thread::Result<T>> {
        let mut state = self.lock();
        let result = state.results.pop_front();
        state.joiner = result.is_none().then(|| runtime.waker());
        result
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A task and where its result goes.
struct Spawned<F, T> {
    work: Mutex<Option<F>>,
    finished: Arc<Finished<T>>,
}

impl<F: FnOnce() -> T + Send, T: Send> Task for Spawned<F, T> {
    fn run(&self) {
        // Bound first, so that the guard is gone before the work, which may suspend, begins.
        let work = self.work.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(work) = work {
            self.finished.push(catch_unwind(AssertUnwindSafe(work)));
        }
    }

    fn lost(&self, why: Payload) {
        self.finished.push(Err(why));
    }

    fn name(&self) -> &'static str {
        std::any::type_name::<F>()
    }
}
