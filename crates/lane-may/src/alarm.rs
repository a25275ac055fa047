//! Time-outs of parked green threads, kept by one OS thread.
//!
//! may has its own, which cannot be relied on: `park_timeout` sets its timer before it has put the
//! coroutine where the timer looks for it (may 0.3.51, `park.rs`, `subscribe`), so a time-out that
//! passes in between wakes nobody, ever; and a coroutine that ends right after it has slept may be
//! freed while the worker that put it to sleep is still writing to it (`sleep.rs`).

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, Once, PoisonError};
use std::task::Waker;
use std::thread;
use std::time::Instant;

use crate::STACK_BYTES;

/// Wakes a task at a deadline, unless it is dropped before.
pub(crate) struct Alarm(Key);

/// The number tells alarms of the same instant apart.
type Key = (Instant, u64);

static ALARMS: Mutex<Alarms> = Mutex::new(Alarms { set: BTreeMap::new(), last_number: 0 });
/// There is one that is due before all others.
static SOONER: Condvar = Condvar::new();

struct Alarms {
    set: BTreeMap<Key, Waker>,
    last_number: u64,
}

impl Alarm {
    /// Wakes `waker`'s task at `deadline`. The lock is held for a moment and never across a
    /// suspension.
    ///
    /// # Panics
    ///
    /// At the first call, if the system has no thread left.
    pub(crate) fn set(deadline: Instant, waker: Waker) -> Self {
        static STARTED: Once = Once::new();
        STARTED.call_once(|| {
            let thread = thread::Builder::new().name("alarms".into()).stack_size(STACK_BYTES);
            thread.spawn(keep).expect("the system has a thread left for time-outs");
        });
        let mut alarms = lock();
        alarms.last_number += 1;
        let key = (deadline, alarms.last_number);
        alarms.set.insert(key, waker);
        if alarms.set.first_key_value().is_some_and(|(first, _)| *first == key) {
            SOONER.notify_one();
        }
        Alarm(key)
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        lock().set.remove(&self.0);
    }
}

/// Wakes whoever is due, for as long as the process lives.
fn keep() {
    let mut alarms = lock();
    loop {
        let next = alarms.set.first_key_value().map(|((deadline, _), _)| *deadline);
        let left = next.map(|next| next.saturating_duration_since(Instant::now()));
        alarms = match left {
            None => SOONER.wait(alarms).unwrap_or_else(PoisonError::into_inner),
            Some(left) if left.is_zero() => {
                let due = alarms.set.pop_first();
                // Waking may run other code, which may set an alarm.
                drop(alarms);
                if let Some((_, waker)) = due {
                    waker.wake();
                }
                lock()
            }
            Some(left) => {
                SOONER.wait_timeout(alarms, left).unwrap_or_else(PoisonError::into_inner).0
            }
        };
    }
}

fn lock() -> MutexGuard<'static, Alarms> {
    ALARMS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::{Sender, channel};
    use std::task::Wake;
    use std::time::Duration;

    use super::*;

    struct Tell(Sender<u32>, u32);

    impl Wake for Tell {
        fn wake(self: Arc<Self>) {
            let _ = self.0.send(self.1);
        }
    }

    #[test]
    fn whoever_is_due_is_woken_in_order_and_whoever_left_is_forgotten() {
        let (sender, woken) = channel();
        let start = Instant::now();
        let set = |ms, number| {
            let waker = Waker::from(Arc::new(Tell(sender.clone(), number)));
            Alarm::set(start + Duration::from_millis(ms), waker)
        };
        let hour = 3_600_000;
        let left = set(hour, 1);
        // Each later than the one before it, but for the first, which all others have to pass.
        let _alarms = [set(hour, 2), set(20, 3), set(20, 4), set(30, 5)];
        assert_eq!(woken.iter().take(3).collect::<Vec<_>>(), [3, 4, 5]);
        drop(left);
        assert_eq!(lock().set.len(), 1);
    }
}
