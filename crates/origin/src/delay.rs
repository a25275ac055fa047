//! Waiting for so long and no longer.
//!
//! ```text
//!   request ──► Sleep ──► deadlines, earliest first ──► timerfd set to the earliest
//!                 ▲                                         │ ready, as sockets get ready
//!                 └──────── woken ◄──── everybody due ◄─────┘
//! ```
//!
//! Each loop has one `timerfd` in its own `epoll`: no other thread is involved, and the kernel's
//! high-resolution timer behind it knows no slack (timerfd_create(2)). tokio's timer counts whole
//! milliseconds. Median and 99th percentile of lateness, microseconds, of 20 tasks that sleep over
//! and over on one loop beside 500 that sleep for a minute, on 2 shared cores (Linux 6.18):
//!
//! | delay, ms | this | `async_io::Timer` 2.6 | `tokio::time::sleep` 1.54 |
//! |---|---|---|---|
//! | 0.5 | 28, 53 | 67, 158 | 651, 1925 |
//! | 1 | 30, 71 | 41, 139 | 1126, 1521 |
//! | 2 | 49, 87 | 44, 140 | 1151, 1345 |
//! | 20 | 31, 307 | 69, 280 | 1363, 1542 |
//! | 100 | 34, 753 | 42, 174 | 1453, 1641 |
//!
//! `async_io::Timer` is a fair second: it waits in a thread of its own, from which every wake-up
//! crosses to the loop, and it would bring a second reactor into the process.
//!
//! In whole, with HTTP around it, delays are late by 0.02 to 0.04 ms at the median while 500 wait.
//!
//! What no timer cures is a queue. When 500 delays end within a millisecond or two, their answers
//! take more CPU than their questions did, and the last are late by the difference. To resume
//! whoever is due ahead of reading new requests, polling the connection straight from the timer,
//! was tried: bursts came out no better. The example `delay_accuracy` shows both cases.

use std::collections::BTreeMap;
use std::io;
use std::num::NonZero;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use rustix::thread::set_current_timer_slack;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Has sleeps of this thread end when they should. By default the kernel may let them be 50 µs late, to
/// wake several threads at once (`PR_SET_TIMERSLACK`, prctl(2)).
pub fn without_slack() {
    // Where it is not granted, delays are as late as they are anywhere.
    let _ = set_current_timer_slack(NonZero::new(1));
}

/// The delays of one loop.
#[derive(Debug)]
pub struct Timer {
    descriptor: AsyncFd<OwnedFd>,
    /// Who waits, by deadline; the number tells those of one deadline apart.
    ///
    /// A lock, so that a loop of several threads can have the same timer. On a loop of one, nobody
    /// else ever holds it.
    waiting: Mutex<BTreeMap<(Instant, u64), Waker>>,
    number_next: AtomicU64,
}

impl Timer {
    /// Makes the timer of the loop that this runs in.
    ///
    /// # Errors
    ///
    /// The system has no descriptor left.
    pub fn new() -> io::Result<Self> {
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let descriptor = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        // SAFETY: an `OwnedFd` is open and stays the same descriptor until it is dropped, and only
        // shared references to it are ever taken out of the `AsyncFd` that owns it from here on.
        let descriptor =
            unsafe { AsyncFd::register_with_interest(descriptor, Interest::READABLE)? };
        Ok(Timer { descriptor, waiting: Mutex::default(), number_next: AtomicU64::new(0) })
    }

    /// Waits for `delay` from now and returns how long that really took.
    pub async fn sleep(&self, delay: Duration) -> Duration {
        let start = Instant::now();
        let number = self.number_next.fetch_add(1, Relaxed);
        Sleep { timer: self, key: (start + delay, number), registered: false }.await;
        start.elapsed()
    }

    /// Wakes whoever is due, for ever: a task beside those that sleep.
    ///
    /// # Errors
    ///
    /// The loop is ending.
    pub async fn drive(&self) -> io::Result<()> {
        loop {
            // The expiry is not read: readiness comes by edges, each expiry is one, and setting
            // the timer again clears it. That saves a system call each time.
            self.descriptor.readable().await?.clear_ready();
            self.wake_due();
        }
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<(Instant, u64), Waker>> {
        // The map is whole after every statement.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake_due(&self) {
        let mut waiting = self.waiting();
        let now = Instant::now();
        while let Some(earliest) = waiting.first_entry() {
            let deadline = earliest.key().0;
            if deadline > now {
                self.arm(deadline);
                return;
            }
            earliest.remove().wake();
        }
    }

    /// Has the descriptor become ready at `deadline`, or at once if that has passed.
    fn arm(&self, deadline: Instant) {
        // A time of zero would disarm it.
        let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1));
        let it_value = Timespec::try_from(left).expect("a delay fits the system's time");
        let it_interval = Timespec { tv_sec: 0, tv_nsec: 0 };
        let once = Itimerspec { it_interval, it_value };
        timerfd_settime(self.descriptor.get_ref(), TimerfdTimerFlags::empty(), &once)
            .expect("the descriptor is a timer and the time is in range");
    }
}

/// One wait; dropped half-way, it leaves nothing behind.
struct Sleep<'a> {
    timer: &'a Timer,
    key: (Instant, u64),
    registered: bool,
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if Instant::now() >= self.key.0 {
            return Poll::Ready(());
        }
        self.registered = true;
        let mut waiting = self.timer.waiting();
        waiting.insert(self.key, context.waker().clone());
        let is_earliest = waiting.first_key_value().is_some_and(|(first, _)| *first == self.key);
        if is_earliest {
            self.timer.arm(self.key.0);
        }
        Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        if self.registered {
            self.timer.waiting().remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use tokio::runtime::{Builder, LocalRuntime};
    use tokio::task::spawn_local;

    use super::*;

    /// Runs `test` on a loop of its own, with its timer driven.
    fn with_timer<F: Future>(test: impl FnOnce(Rc<Timer>) -> F) -> F::Output {
        let runtime: LocalRuntime =
            Builder::new_current_thread().enable_io().build_local(Default::default()).unwrap();
        runtime.block_on(async {
            let timer = Rc::new(Timer::new().unwrap());
            let driven = Rc::clone(&timer);
            spawn_local(async move { driven.drive().await });
            test(timer).await
        })
    }

    #[test]
    fn nobody_wakes_early() {
        with_timer(|timer| async move {
            for microseconds in [1, 10, 100, 500, 1_000, 2_500] {
                let delay = Duration::from_micros(microseconds);
                assert!(timer.sleep(delay).await >= delay);
            }
        });
    }

    #[test]
    fn many_can_wait_at_once() {
        with_timer(|timer| async move {
            let ended = Rc::new(RefCell::new(Vec::new()));
            let sleeping = (0..500_u64).rev().map(|number| {
                let (timer, ended) = (Rc::clone(&timer), Rc::clone(&ended));
                spawn_local(async move {
                    let delay = Duration::from_micros(5_000 + 200 * number);
                    assert!(timer.sleep(delay).await >= delay);
                    ended.borrow_mut().push(number);
                })
            });
            for task in sleeping.collect::<Vec<_>>() {
                task.await.unwrap();
            }
            assert_eq!(ended.borrow().len(), 500);
            assert!(timer.waiting().is_empty());
        });
    }

    #[test]
    fn a_sleep_that_is_given_up_leaves_nothing_behind() {
        with_timer(|timer| async move {
            let sleeper = Rc::clone(&timer);
            let long = spawn_local(async move { sleeper.sleep(Duration::from_secs(60)).await });
            timer.sleep(Duration::from_micros(100)).await;
            assert_eq!(timer.waiting().len(), 1);
            long.abort();
            assert!(long.await.unwrap_err().is_cancelled());
            assert!(timer.waiting().is_empty());
            // What is set for it still fires, to nobody's harm, and others are served.
            timer.sleep(Duration::from_micros(100)).await;
        });
    }
}
