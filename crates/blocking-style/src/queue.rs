//! A queue between tasks that holds so many items and no more, on any runtime: what tokio's `mpsc`
//! is to async code, with as many receivers as senders.
//!
//! It is two heaps of permits and a list: who sends takes a free place, puts its item in the list,
//! and puts down that one more is there; who receives does the reverse. All waiting is for permits.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SendError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::Runtime;
use crate::permits::{Permits, Taken};

/// A queue with room for `capacity` items.
///
/// # Panics
///
/// `capacity` is 0: somebody has to hold an item between two tasks.
pub fn queue<T>(runtime: &Arc<dyn Runtime>, capacity: usize) -> (Sender<T>, Receiver<T>) {
    assert!(capacity > 0, "a queue needs room for one item or more");
    let shared = Arc::new(Shared {
        free: Permits::new(runtime, capacity),
        filled: Permits::new(runtime, 0),
        items: Mutex::default(),
        senders: AtomicUsize::new(1),
        receivers: AtomicUsize::new(1),
    });
    (Sender(Arc::clone(&shared)), Receiver(shared))
}

struct Shared<T> {
    free: Permits,
    filled: Permits,
    items: Mutex<VecDeque<T>>,
    senders: AtomicUsize,
    receivers: AtomicUsize,
}

impl<T> Shared<T> {
    fn items(&self) -> MutexGuard<'_, VecDeque<T>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts items into a queue. When the last one is dropped, receivers take what is left and are then
/// told that there is no more.
pub struct Sender<T>(Arc<Shared<T>>);

impl<T> Sender<T> {
    /// Puts an item into the queue, and suspends the current task until there is room.
    ///
    /// # Errors
    ///
    /// Every receiver is gone; the item comes back.
    pub fn send(&self, item: T) -> Result<(), SendError<T>> {
        let taken = self.0.free.take(None);
        if taken != Taken::One || self.0.receivers.load(Ordering::Acquire) == 0 {
            return Err(SendError(item));
        }
        self.0.items().push_back(item);
        self.0.filled.put();
        Ok(())
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.senders.fetch_add(1, Ordering::Relaxed);
        Sender(Arc::clone(&self.0))
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if self.0.senders.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.filled.close();
        }
    }
}

/// Takes items out of a queue, each of them once.
pub struct Receiver<T>(Arc<Shared<T>>);

impl<T> Receiver<T> {
    /// Takes the next item, and suspends the current task until there is one; `None` when there
    /// will be none because every sender is gone.
    pub fn recv(&self) -> Option<T> {
        (self.0.filled.take(None) == Taken::One).then(|| self.next())
    }

    /// As [`recv`](Receiver::recv), but waits for `timeout` at most.
    ///
    /// # Errors
    ///
    /// Nothing came in time, or every sender is gone.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, RecvTimeoutError> {
        // A sum that overflows is for ever.
        match self.0.filled.take(Instant::now().checked_add(timeout)) {
            Taken::One => Ok(self.next()),
            Taken::Closed => Err(RecvTimeoutError::Disconnected),
            Taken::TimedOut => Err(RecvTimeoutError::Timeout),
        }
    }

    fn next(&self) -> T {
        let item = self.0.items().pop_front().expect("as many items as permits to take one");
        self.0.free.put();
        item
    }
}

impl<T> Clone for Receiver<T> {
    fn clone(&self) -> Self {
        self.0.receivers.fetch_add(1, Ordering::Relaxed);
        Receiver(Arc::clone(&self.0))
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if self.0.receivers.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.free.close();
        }
    }
}
