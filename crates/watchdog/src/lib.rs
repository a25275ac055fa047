//! A watchdog for workers: it sees the green thread that blocks, names it, and prints where it stands.
//!
//! A green thread that waits without asking its runtime stops every other on its OS thread, and
//! nothing says so: no error, no CPU time, no line in a log. This makes it visible.
//!
//! ```text
//!   worker (an OS thread)                          watchdog (an OS thread of its own)
//!
//!   enter task "a"   beats = 41   a task is in     every quarter of the limit:
//!     …                           (odd)              beats = 41      new: remember since when
//!   leave            beats = 42   none is in         beats = 42      even: nobody is in, all is well
//!   enter task "b"   beats = 43                      beats = 43      new
//!     Mutex::lock ─┐                                 beats = 43      the same, not yet for long
//!                  │ futex                           beats = 43      for longer than the limit
//!        ┌─────────┼────── SIGURG ◄──────────────────┘
//!        ▼         │
//!     handler: walks the stack, keeps addresses ───► looks their names up, reports the stall
//!        └────────►│
//!     goes on ◄────┘
//!   leave            beats = 44, the clock ────────► reports for how long it lasted
//! ```
//!
//! What a worker does for it is to count, at every entry into a task and every exit. **It reads no
//! clock**: one that is read at each switch would cost about as much as the switch. Time is the
//! watchdog's affair, and only a task that was reported reads the clock, once, when it goes on.
//!
//! ```
//! use std::sync::mpsc;
//! use std::time::Duration;
//! use watchdog::{Report, Watchdog};
//!
//! let (sender, reports) = mpsc::channel();
//! let watchdog = Watchdog::start(Duration::from_millis(1), move |report| {
//!     let _ = sender.send(report);
//! })?;
//! watchdog.watch(|| {
//!     watchdog::during("a task that waits for its own report", || {
//!         let Ok(Report::Stalled(stall)) = reports.recv() else { panic!("a stall is first") };
//!         assert_eq!(stall.task, "a task that waits for its own report");
//!         assert!(stall.stack.iter().any(|frame| frame.function.contains("recv")), "{stall}");
//!     });
//! });
//! // Whatever is left to say is said before this returns.
//! drop(watchdog);
//! assert!(matches!(reports.recv(), Ok(Report::WentOn(_))));
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! * A runtime that stays on one thread calls [`during`] around each task that it resumes, as
//!   `lane-hub` does; whoever runs it calls [`Watchdog::watch`] around all of it.
//! * A runtime whose tasks migrate has a [`Handle`], which registers threads as it meets them, and
//!   says when a task waits as it ought to: `blocking_style::watched` does that around any runtime.
//!
//! # What it costs to be looked at
//!
//! A thread is interrupted only when it has stalled, and then once. The signal is `SIGURG`, for the
//! reasons for which Go preempts with it (proposal 24543): it is ignored unless handled, debuggers let
//! it pass, no library wants it, and one more does no harm. It is handled on the signal stack that
//! `std` gives each of its threads (`SA_ONSTACK`), because the last page of a green thread's stack may
//! be all that is left, and calls are restarted (`SA_RESTART`). Not all can be: `poll`, `select`,
//! `epoll_wait`, `nanosleep`, `sigtimedwait`, `pause`, and a `recv` with a time-out on its socket fail
//! with `EINTR` after any handler (`man 7 signal`). `std` and the runtimes here try again.
//!
//! # How safe the walk is
//!
//! The handler takes no lock, allocates nothing, resolves no symbol: it asks `_Unwind_Backtrace` for
//! addresses, keeps them in memory that was there before, and writes to an eventfd. The unwinder is
//! `libgcc`'s and no standard promises anything of it. What speaks for it: since GCC 12 and glibc 2.35 it
//! finds its tables by `_dl_find_object`, which is made to be async-signal-safe. Before, it took the
//! loader's lock: a thread that was interrupted in the very instruction that takes that lock, while it
//! unwinds or loads a library for longer than the limit, would hang. And the walk is as good as the
//! unwind tables: assembly that tells lies ends it early, or worse. So it is a tool to find stalls
//! with, which is off unless asked for, and no part of a lane that is measured.
//!
//! A thread that the kernel does not let handle signals, as one that waits for a disk, is reported
//! without a stack.
//!
//! In reading order: `worker` (how a thread says what it is in), `pulse` (what it counts), `watch` (when a
//! count is a stall), `walk` (the signal, and the handler), `report` (what is told).

use std::io;
use std::num::NonZero;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

mod bell;
mod pulse;
mod report;
mod walk;
mod watch;
mod worker;

pub use report::{Doing, Frame, Report, Stall, WentOn};
pub use worker::{Handle, during, is_watched};

use watch::Watch;

/// A thread that watches workers, until it is dropped.
pub struct Watchdog {
    watch: Arc<Watch>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Watchdog {
    /// Calls `report` when a worker is in one task for longer than `limit`, and when it has gone on.
    /// It is called on the watchdog's own thread, where it stops nobody but the watchdog.
    ///
    /// # Errors
    ///
    /// `limit` is zero; the program handles `SIGURG` itself; or there is no descriptor or thread left.
    pub fn start(limit: Duration, report: impl FnMut(Report) + Send + 'static) -> io::Result<Self> {
        let Some(_) = NonZero::new(limit.as_nanos()) else {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "a limit of zero"));
        };
        walk::handle_signal()?;
        let watch = Arc::new(Watch::new(limit)?);
        let theirs = Arc::clone(&watch);
        let thread = thread::Builder::new().name("watchdog".into());
        let thread = thread.spawn(move || watch::run(&theirs, report))?;
        Ok(Watchdog { watch, thread: Some(thread) })
    }

    /// Does `work` with this thread watched: it is a worker, and whatever it does [`during`] a task
    /// must not last.
    pub fn watch<T>(&self, work: impl FnOnce() -> T) -> T {
        let _registered = worker::register(&self.watch);
        work()
    }

    /// For workers that are somebody else's threads.
    pub fn handle(&self) -> Handle {
        Handle::new(&self.watch)
    }
}

impl Drop for Watchdog {
    /// Returns when everything has been reported that is over by now.
    fn drop(&mut self) {
        self.watch.end();
        if let Some(thread) = self.thread.take() {
            // A `report` that panicked has said so already.
            let _ = thread.join();
        }
    }
}
