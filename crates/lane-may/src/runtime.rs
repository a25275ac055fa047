//! How tasks start and wait on may.

use std::cell::OnceCell;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Wake, Waker};
use std::time::{Duration, Instant};

use blocking_style::runtime::Payload;
use blocking_style::tasks::describe;
use blocking_style::{Runtime, Socket, Task};
use job::LaneError;
use may::coroutine::{self, Coroutine};

use crate::STACK_BYTES;
use crate::alarm::Alarm;
use crate::socket::Stream;

/// Sets may up, once for the whole process and before its first task: may reads these when its
/// scheduler starts, which no later call can undo.
///
/// `stacks` is how many stacks of ended tasks are kept for new ones. may also allocates that many
/// at its start, so it is as many as the job has tasks in flight and no more.
pub fn configure(workers: u64, stacks: u64) {
    may::config()
        .set_workers(usize::try_from(workers).unwrap_or(1))
        // In words, not bytes.
        .set_stack_size(STACK_BYTES / size_of::<usize>())
        .set_pool_capacity(usize::try_from(stacks).unwrap_or(1))
        .set_worker_pin(false);
}

/// Runs `main` as the first task and waits for it on the calling thread.
///
/// # Errors
///
/// It panicked, or its stack overflowed.
pub fn block_on<T: Send + 'static>(
    main: impl FnOnce() -> T + Send + 'static,
) -> Result<T, LaneError> {
    let task = may::go!(main);
    task.join().map_err(|payload| LaneError::Task(describe(payload.as_ref())))
}

/// Green threads on may's workers.
pub struct May;

impl Runtime for May {
    fn connect(
        &self,
        address: SocketAddr,
        timeout: Option<Duration>,
    ) -> io::Result<Box<dyn Socket>> {
        Ok(Box::new(Stream::connect(address, timeout)?))
    }

    /// On an OS thread of its own: the C library's look-up would block a whole worker.
    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        if std::thread::panicking() {
            return Ok((host, port).to_socket_addrs()?.collect());
        }
        let host = host.to_owned();
        let (sender, found) = may::sync::mpsc::channel();
        std::thread::Builder::new().stack_size(STACK_BYTES).spawn(move || {
            let addresses = (host.as_str(), port).to_socket_addrs();
            // Nobody waits any more when the task was cancelled, which is no error here.
            let _ = sender.send(addresses.map(Iterator::collect));
        })?;
        found.recv().map_err(|_| io::Error::other("the look-up's thread ended without a result"))?
    }

    /// may panics where it cannot map another stack; here that is an error like any other.
    fn spawn(&self, task: Arc<dyn Task>) -> io::Result<()> {
        let spawned = catch_unwind(AssertUnwindSafe(|| {
            may::go!(move || {
                let watch = Watch { task: Arc::clone(&task), returned: AtomicBool::new(false) };
                WATCH.with(|slot| slot.get_or_init(|| watch).run());
            });
        }));
        spawned.map_err(|payload| io::Error::other(describe(payload.as_ref())))
    }

    /// A task that unwinds keeps its worker: see [`socket`](crate::socket).
    ///
    /// The sleep may be a thirty-second longer than asked: may's timer bears no more than 1,024
    /// different lengths. A task should not end right after it has slept, either: the worker that
    /// put it to sleep may still be writing to it (may 0.3.51, `sleep.rs`). The task that sleeps in
    /// an open loop ends after all others.
    fn sleep(&self, duration: Duration) {
        if std::thread::panicking() {
            return std::thread::sleep(duration);
        }
        coroutine::sleep(one_of_few(duration));
    }

    /// # Panics
    ///
    /// In a task that unwinds, as in a destructor that a panic runs.
    fn park(&self) {
        assert!(!std::thread::panicking(), "a green thread cannot park while it unwinds");
        coroutine::park();
    }

    /// With an alarm of our own (`alarm.rs` says why).
    ///
    /// # Panics
    ///
    /// As [`park`](Runtime::park).
    fn park_timeout(&self, timeout: Duration) {
        assert!(!std::thread::panicking(), "a green thread cannot park while it unwinds");
        // A sum that overflows is for ever.
        let deadline = Instant::now().checked_add(timeout);
        let _alarm = deadline.map(|deadline| Alarm::set(deadline, self.waker()));
        coroutine::park();
    }

    fn waker(&self) -> Waker {
        Waker::from(Arc::new(Unpark(coroutine::current())))
    }
}

/// `duration` or up to a thirty-second more, such that there are fewer than a thousand different
/// results.
///
/// may's timer keeps a list for every different duration that anybody has slept. Above 1,024 lists
/// it frees one that it finds empty, and with it the last entry, which the sleeper may have yet to
/// let go (may 0.3.51, `timeout_list.rs`, and may_queue's `mpsc_list_v1.rs`): a process that sleeps
/// arbitrary durations now and then writes to memory that it has freed.
fn one_of_few(duration: Duration) -> Duration {
    let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX / 2).min(u64::MAX / 2);
    // A microsecond at least, and 32 steps between each power of two and the next.
    let least = nanoseconds.max(1_024);
    Duration::from_nanos(least.next_multiple_of((least.next_power_of_two() / 64).max(32)))
}

may::coroutine_local!(static WATCH: OnceCell<Watch> = OnceCell::new());

/// Sees the end of a task even when its stack overflows: may then abandons the stack and unwinds
/// nothing, but drops what is local to the coroutine, and this is.
///
/// may ends the whole process instead if the overflow has also written to the lowest words of the
/// stack, which depends on the sizes of the frames that met the guard page.
struct Watch {
    task: Arc<dyn Task>,
    returned: AtomicBool,
}

impl Watch {
    fn run(&self) {
        self.task.run();
        self.returned.store(true, Ordering::Relaxed);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !self.returned.load(Ordering::Relaxed) {
            let why: Payload = Box::new("its stack overflowed, or may cancelled it");
            self.task.lost(why);
        }
    }
}

/// Wakes a parked coroutine.
struct Unpark(Coroutine);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn sleeps_are_as_long_as_asked_and_little_longer() {
        for nanoseconds in [1_024, 1_025, 99_999, 1_000_000, 123_456_789, 60_000_000_000] {
            let asked = Duration::from_nanos(nanoseconds);
            let slept = one_of_few(asked);
            assert!(slept >= asked && slept <= asked + asked / 32, "{asked:?}: {slept:?}");
        }
        assert_eq!(one_of_few(Duration::ZERO), Duration::from_nanos(1_024));
        assert!(one_of_few(Duration::MAX) > Duration::from_secs(1 << 32));
    }

    #[test]
    fn there_are_fewer_sleeps_than_lists_that_may_keeps() {
        // Up to two minutes, each 1 in 1,000 longer than the one before it.
        let durations = std::iter::successors(Some(1u64), |last| Some(last + last / 1_000 + 1));
        let asked = durations.take_while(|nanoseconds| *nanoseconds < 120_000_000_000);
        let slept: BTreeSet<_> = asked.map(|ns| one_of_few(Duration::from_nanos(ns))).collect();
        assert!(slept.len() < 1_000, "{} durations", slept.len());
    }
}
