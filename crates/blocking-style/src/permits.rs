//! Permits that tasks take and put back, in the order in which they came: the one place where the
//! semaphore and the queue wait.
//!
//! A permit that is put back goes to whoever has waited longest, and not into a heap for whoever
//! comes first: so nobody starves, and a wake-up is for one task and never in vain. The lock is held
//! for a few moves and never across a suspension, so a `std` mutex is right on green threads too.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use crate::Runtime;

pub(crate) struct Permits {
    runtime: Arc<dyn Runtime>,
    state: Mutex<State>,
}

struct State {
    /// None while somebody waits.
    free: usize,
    is_closed: bool,
    waiting: VecDeque<Arc<Waiter>>,
}

struct Waiter {
    waker: Waker,
    end: OnceLock<Taken>,
}

impl Waiter {
    /// Called under the lock, by whoever takes the waiter out of the line: so by one alone.
    fn end_with(&self, taken: Taken) {
        let is_first = self.end.set(taken).is_ok();
        debug_assert!(is_first, "a waiter is taken out of the line once");
    }
}

/// What came of taking a permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    One,
    /// There is none, and there will be none.
    Closed,
    TimedOut,
}

impl Permits {
    pub(crate) fn new(runtime: &Arc<dyn Runtime>, free: usize) -> Self {
        let state = State { free, is_closed: false, waiting: VecDeque::new() };
        Permits { runtime: Arc::clone(runtime), state: Mutex::new(state) }
    }

    /// Takes a permit, and suspends the current task until there is one, or `deadline` has passed.
    pub(crate) fn take(&self, deadline: Option<Instant>) -> Taken {
        let waiter = match self.take_or_wait() {
            Ok(taken) => return taken,
            Err(waiter) => waiter,
        };
        let mut place = Place { permits: self, waiter: &waiter, is_left: false };
        loop {
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            let end = waiter.end.get().copied();
            if let Some(end) = end.or_else(|| (left == Some(Duration::ZERO)).then(|| place.leave()))
            {
                place.is_left = true;
                return end;
            }
            match left {
                Some(left) => self.runtime.park_timeout(left),
                None => self.runtime.park(),
            }
        }
    }

    /// A permit, or the end of them, or a place in the line for the current task.
    fn take_or_wait(&self) -> Result<Taken, Arc<Waiter>> {
        let mut state = self.lock();
        if state.free > 0 {
            state.free -= 1;
            return Ok(Taken::One);
        }
        if state.is_closed {
            return Ok(Taken::Closed);
        }
        let waiter = Arc::new(Waiter { waker: self.runtime.waker(), end: OnceLock::new() });
        state.waiting.push_back(Arc::clone(&waiter));
        Err(waiter)
    }

    /// Puts a permit back, or adds one.
    pub(crate) fn put(&self) {
        let first = {
            let mut state = self.lock();
            let first = state.waiting.pop_front();
            match &first {
                Some(first) => first.end_with(Taken::One),
                None => state.free += 1,
            }
            first
        };
        if let Some(first) = first {
            first.waker.wake_by_ref();
        }
    }

    /// Ends the waiting of all, and of all that come when the last permit is gone.
    pub(crate) fn close(&self) {
        let waiting = {
            let mut state = self.lock();
            state.is_closed = true;
            let waiting = std::mem::take(&mut state.waiting);
            waiting.iter().for_each(|waiter| waiter.end_with(Taken::Closed));
            waiting
        };
        waiting.iter().for_each(|waiter| waiter.waker.wake_by_ref());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place in the line, left by a task that unwinds as well: a permit that was meant for it goes to
/// the next.
struct Place<'a> {
    permits: &'a Permits,
    waiter: &'a Arc<Waiter>,
    is_left: bool,
}

impl Place<'_> {
    /// Leaves the line, unless a permit came first.
    fn leave(&self) -> Taken {
        let mut state = self.permits.lock();
        state.waiting.retain(|waiter| !Arc::ptr_eq(waiter, self.waiter));
        self.waiter.end.get().copied().unwrap_or(Taken::TimedOut)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if !self.is_left && self.leave() == Taken::One {
            self.permits.put();
        }
    }
}
