//! What blocks an OS thread whatever the runtime, and what a watchdog must tell of it.

use std::fs::File;
use std::hint::spin_loop;
use std::io::{self, PipeReader};
use std::mem::MaybeUninit;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio, id};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustix::fs::{CWD, FileType, Mode, mknodat, unlink};
use watchdog::{Doing, Report, Stall, Watchdog};

/// Something that a task does of which its runtime learns nothing, until it is ended from outside.
pub struct Stalling {
    /// What a person calls it.
    pub what: &'static str,
    /// The function that stands in the backtrace.
    pub function: &'static str,
    /// What the thread does meanwhile.
    pub doing: Doing,
    /// Does it.
    pub begin: Box<dyn FnOnce() + Send>,
    /// Ends it, on another thread.
    pub end: Box<dyn FnOnce() + Send>,
}

/// All of them. Each call makes one; its error is that the system has no descriptor or process left.
pub const STALLINGS: [fn() -> io::Result<Stalling>; 6] =
    [lock, file, child, signal, raw_call, computing];

fn lock() -> io::Result<Stalling> {
    let mutex = Arc::new(Mutex::new(()));
    let theirs = Arc::clone(&mutex);
    let (locked, is_locked) = mpsc::channel();
    let (end, ends) = mpsc::channel::<()>();
    thread::spawn(move || {
        let _guard = theirs.lock();
        let _ = locked.send(());
        let _ = ends.recv();
    });
    let _ = is_locked.recv();
    let begin = Box::new(move || wait_for_a_lock(&mutex));
    let end = Box::new(move || drop(end));
    Ok(Stalling { what: "a lock", function: "wait_for_a_lock", doing: Doing::Waits, begin, end })
}

/// A named pipe, which opens when somebody opens its other end.
fn file() -> io::Result<Stalling> {
    let fifo = Fifo::new()?;
    let path = fifo.0.clone();
    let begin = Box::new(move || wait_for_a_file(path));
    let end = Box::new(move || drop(File::options().write(true).open(&fifo.0)));
    Ok(Stalling { what: "a file", function: "wait_for_a_file", doing: Doing::Waits, begin, end })
}

struct Fifo(PathBuf);

impl Fifo {
    fn new() -> io::Result<Self> {
        static MADE: Mutex<u32> = Mutex::new(0);
        let mut made = MADE.lock().expect("nobody panics with it");
        *made += 1;
        let path = std::env::temp_dir().join(format!("stalling-{}-{made}", id()));
        mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0)?;
        Ok(Fifo(path))
    }
}

impl Drop for Fifo {
    fn drop(&mut self) {
        let _ = unlink(&self.0);
    }
}

/// `cat` ends when its input does, and so with this process at the latest.
fn child() -> io::Result<Stalling> {
    let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn()?;
    let input = child.stdin.take();
    let begin = Box::new(move || wait_for_a_child(child));
    let end = Box::new(move || drop(input));
    Ok(Stalling { what: "a child", function: "wait_for_a_child", doing: Doing::Waits, begin, end })
}

/// For the thread alone, and blocked there before anybody may send it.
fn signal() -> io::Result<Stalling> {
    let (ready, is_ready) = mpsc::channel();
    let begin = Box::new(move || wait_for_a_signal(&ready));
    let end = Box::new(move || {
        let thread = is_ready.recv().expect("it says so before it waits");
        let process = rustix::process::getpid().as_raw_nonzero().get();
        // SAFETY: it sends a signal that the thread has blocked until it has taken this one.
        unsafe { libc::tgkill(process, thread, SIGNAL) };
    });
    let function = "wait_for_a_signal";
    Ok(Stalling { what: "a signal", function, doing: Doing::Waits, begin, end })
}

const SIGNAL: libc::c_int = libc::SIGUSR1;

/// A system call past the C library, which no patch of that sees.
fn raw_call() -> io::Result<Stalling> {
    let (reader, writer) = io::pipe()?;
    let begin = Box::new(move || wait_past_the_c_library(reader));
    let end = Box::new(move || drop(writer));
    let function = "wait_past_the_c_library";
    Ok(Stalling { what: "a raw system call", function, doing: Doing::Waits, begin, end })
}

fn computing() -> io::Result<Stalling> {
    let enough = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&enough);
    let begin = Box::new(move || compute(&theirs));
    let end = Box::new(move || enough.store(true, Ordering::Relaxed));
    Ok(Stalling { what: "computing", function: "compute", doing: Doing::Runs, begin, end })
}

// Each is a function of its own in release builds, too, to be found in a backtrace. None may be ended
// by the watchdog's signal instead of what it waits for.

#[inline(never)]
fn wait_for_a_lock(mutex: &Mutex<()>) {
    drop(mutex.lock());
}

#[inline(never)]
fn wait_for_a_file(path: PathBuf) {
    File::open(path).expect("it opens");
}

#[inline(never)]
fn wait_for_a_child(mut child: Child) {
    child.wait().expect("it ends");
}

#[inline(never)]
fn wait_for_a_signal(ready: &Sender<libc::pid_t>) {
    let (mut set, mut before) = (MaybeUninit::uninit(), MaybeUninit::uninit());
    let mut taken = 0;
    // SAFETY: the first call makes a set of what is room for one, and all others take it as that. The
    // mask is the thread's own, and is again what it was; no call between suspends the task.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), SIGNAL);
        libc::pthread_sigmask(libc::SIG_BLOCK, set.as_ptr(), before.as_mut_ptr());
        let _ = ready.send(libc::gettid());
        // glibc's own tries again after a handler.
        libc::sigwait(set.as_ptr(), &raw mut taken);
        libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), std::ptr::null_mut());
    }
    assert_eq!(taken, SIGNAL);
}

#[inline(never)]
fn wait_past_the_c_library(pipe: PipeReader) {
    assert_eq!(rustix::io::read(pipe, &mut [0]), Ok(0));
}

#[inline(never)]
fn compute(enough: &AtomicBool) {
    while !enough.load(Ordering::Relaxed) {
        spin_loop();
    }
}

/// Short enough to wait for; long enough that a busy machine is seldom taken for a task that blocks.
const LIMIT: Duration = Duration::from_millis(20);

/// How often it is tried: on a busy machine a task may be told before it has come to where it blocks.
const ATTEMPTS: usize = 5;

/// After which nobody is expected to report any more, so that a test fails and does not hang.
const PATIENCE: Duration = Duration::from_secs(20);

/// Blocks a worker in every way. `run` does something as one task of a watched runtime, whose name
/// holds `named`, and returns when it is over. Returns a line for each way that was not told.
pub fn run_stalls(named: &str, run: impl Fn(&Watchdog, Box<dyn FnOnce() + Send>)) -> Vec<String> {
    let wrong_of = |make: &fn() -> io::Result<Stalling>| {
        let attempt = |_| check(make().expect("there is enough of everything"), named, &run);
        let mut wrong: Vec<_> = (0..ATTEMPTS).map(attempt).take_while(Option::is_some).collect();
        if wrong.len() < ATTEMPTS { None } else { wrong.pop().flatten() }
    };
    STALLINGS.iter().filter_map(wrong_of).collect()
}

/// What is wrong with what is told of it.
fn check(
    stalling: Stalling,
    named: &str,
    run: &impl Fn(&Watchdog, Box<dyn FnOnce() + Send>),
) -> Option<String> {
    let Stalling { what, function, doing, begin, end } = stalling;
    let (sender, reports) = mpsc::channel();
    let watchdog = Watchdog::start(LIMIT, move |report| drop(sender.send(report)));
    let watchdog = watchdog.expect("a watchdog starts");
    let named = named.to_owned();
    // It lasts until it is told.
    let ends = thread::spawn(move || {
        let told = told(&reports, &named);
        end();
        told.map(|stall| (goes_on(&reports, &stall), stall))
    });
    run(&watchdog, begin);
    let Some((went_on, told)) = ends.join().expect("it does not panic") else {
        return Some(format!("{what}: not told"));
    };
    let stands_there = told.stack.iter().any(|frame| frame.function.ends_with(function));
    let is_right = stands_there && told.doing == doing && went_on;
    (!is_right).then(|| format!("{what}: went on: {went_on}; {told}"))
}

/// Waits for the report of a task of that name.
fn told(reports: &Receiver<Report>, named: &str) -> Option<Stall> {
    loop {
        match reports.recv_timeout(PATIENCE).ok()? {
            Report::Stalled(stall) if stall.task.contains(named) => return Some(stall),
            _ => {}
        }
    }
}

/// Waits for the report of its end. A task may have a result and not be over yet.
fn goes_on(reports: &Receiver<Report>, stall: &Stall) -> bool {
    loop {
        match reports.recv_timeout(PATIENCE) {
            Ok(Report::WentOn(it)) if (&it.worker, it.task) == (&stall.worker, stall.task) => {
                return true;
            }
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}
