//! What a worker counts, and what the watchdog reads of it.

use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU64, AtomicUsize, Ordering, fence};
use std::thread;

use crate::walk::Walk;
use crate::watch::Watch;

/// A worker's pulse.
pub struct Pulse {
    /// Changes with every entry and exit; odd while the worker is in a task.
    beats: AtomicU64,
    name: Name,
    /// The beat of which the stack was asked, and so of the stall that is reported; 0 for none.
    asked: AtomicU64,
    /// When that task went on, on the watchdog's clock; 0 when it has not.
    went_on_ns: AtomicU64,
    /// Whether the thread beats no more.
    is_over: AtomicBool,
    pub walk: Walk,
    /// The thread, as its name and the kernel's number say.
    pub worker: String,
    pub thread: rustix::thread::Pid,
    watch: Arc<Watch>,
}

impl Pulse {
    pub fn new(watch: &Arc<Watch>) -> Self {
        let thread = rustix::thread::gettid();
        let worker = match thread::current().name() {
            Some(name) => format!("{name} ({thread})"),
            None => format!("thread {thread}"),
        };
        Pulse {
            beats: AtomicU64::new(0),
            name: Name::default(),
            asked: AtomicU64::new(0),
            went_on_ns: AtomicU64::new(0),
            is_over: AtomicBool::new(false),
            walk: Walk::default(),
            worker,
            thread,
            watch: Arc::clone(watch),
        }
    }

    /// On its own thread, as all that writes.
    pub fn enter(&self, task: &'static str) {
        // Out of what was lost, or is below on the same thread, so that the name never changes while
        // the count says that somebody is in.
        self.leave();
        // What is stored from here on is not seen with the old count: a seqlock's writer.
        fence(Ordering::Release);
        self.name.set(task);
        self.beats.store(self.beats() + 1, Ordering::Release);
    }

    /// The task that was left; does nothing where the worker is in none.
    pub fn leave(&self) -> Option<&'static str> {
        let beats = self.beats();
        if beats.is_multiple_of(2) {
            return None;
        }
        let task = self.name.get();
        let was_reported = self.asked.load(Ordering::Relaxed) == beats;
        if was_reported {
            self.went_on_ns.store(self.watch.now_ns(), Ordering::Relaxed);
        }
        self.beats.store(beats + 1, Ordering::Release);
        if was_reported {
            self.watch.bell.ring();
        }
        Some(task)
    }

    pub fn is_in(&self, task: &str) -> bool {
        !self.beats().is_multiple_of(2) && self.name.get() == task
    }

    /// The thread beats no more.
    pub fn end(&self) {
        self.leave();
        self.is_over.store(true, Ordering::Release);
    }

    pub fn beats(&self) -> u64 {
        self.beats.load(Ordering::Acquire)
    }

    /// The task that a beat belongs to; nothing when it is over.
    pub fn task_at(&self, beats: u64) -> Option<&'static str> {
        // A seqlock's reader.
        let parts = self.name.parts();
        fence(Ordering::Acquire);
        let is_whole = !beats.is_multiple_of(2) && self.beats.load(Ordering::Relaxed) == beats;
        // SAFETY: the count is odd and did not change, so both are of one name.
        is_whole.then(|| unsafe { Name::of(parts) })
    }

    /// Takes note that the stall of this beat is about to be reported.
    pub fn ask(&self, beats: u64) {
        self.went_on_ns.store(0, Ordering::Relaxed);
        self.asked.store(beats, Ordering::Release);
    }

    /// The beat that was asked for.
    pub fn asked(&self) -> u64 {
        self.asked.load(Ordering::Acquire)
    }

    /// When the task went on that was asked for, where it noticed.
    pub fn went_on_ns(&self) -> Option<u64> {
        Some(self.went_on_ns.load(Ordering::Relaxed)).filter(|ns| *ns != 0)
    }

    pub fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    pub fn ring(&self) {
        self.watch.bell.ring();
    }

    pub fn is_watched_by(&self, watch: &Arc<Watch>) -> bool {
        Arc::ptr_eq(&self.watch, watch)
    }
}

/// A name that another thread may read, in two words.
struct Name {
    start: AtomicPtr<u8>,
    bytes: AtomicUsize,
}

impl Default for Name {
    fn default() -> Self {
        let name = Name { start: AtomicPtr::new(ptr::null_mut()), bytes: AtomicUsize::new(0) };
        name.set("");
        name
    }
}

impl Name {
    fn set(&self, name: &'static str) {
        self.start.store(name.as_ptr().cast_mut(), Ordering::Relaxed);
        self.bytes.store(name.len(), Ordering::Relaxed);
    }

    /// On the thread that sets it.
    fn get(&self) -> &'static str {
        // SAFETY: only this thread sets it, so both are of one name.
        unsafe { Name::of(self.parts()) }
    }

    fn parts(&self) -> (*const u8, usize) {
        (self.start.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }

    /// # Safety
    ///
    /// Both parts are of one name.
    unsafe fn of((start, bytes): (*const u8, usize)) -> &'static str {
        // SAFETY: they came from a `&'static str`, and together as the caller says.
        unsafe { str::from_utf8_unchecked(std::slice::from_raw_parts(start, bytes)) }
    }
}
