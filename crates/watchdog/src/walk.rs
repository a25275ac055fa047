//! Where a thread stands: the signal that asks for it, and the handler that answers.

use std::ffi::{c_int, c_void};
use std::io;
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::pulse::Pulse;
use crate::worker::with_pulse;

/// Frames that are kept, from the innermost on.
const FRAMES_MAX: usize = 128;

/// See the crate's first page.
const SIGNAL: c_int = libc::SIGURG;

/// Addresses of a stack's frames, as a signal handler leaves them.
pub struct Walk {
    /// The beat whose stack this is.
    answered: AtomicU64,
    depth: AtomicUsize,
    frames: [AtomicUsize; FRAMES_MAX],
}

impl Default for Walk {
    fn default() -> Self {
        Walk {
            answered: AtomicU64::new(0),
            depth: AtomicUsize::new(0),
            frames: [const { AtomicUsize::new(0) }; FRAMES_MAX],
        }
    }
}

impl Walk {
    /// The stack at that beat, if it was walked.
    pub fn at(&self, beats: u64) -> Option<Vec<usize>> {
        let is_answered = self.answered.load(Ordering::Acquire) == beats;
        is_answered.then(|| {
            let depth = self.depth.load(Ordering::Relaxed);
            self.frames[..depth].iter().map(|frame| frame.load(Ordering::Relaxed)).collect()
        })
    }

    /// Keeps the stack that the caller is on, from the frame at `from` outwards.
    fn keep(&self, beats: u64, from: usize) {
        let mut depth = 0;
        let keep = |frame: &backtrace::Frame| {
            let address = frame.ip().addr();
            // The handler's own frames come first.
            if depth > 0 || address == from {
                self.frames[depth].store(address, Ordering::Relaxed);
                depth += 1;
            }
            depth < FRAMES_MAX
        };
        // SAFETY: what it is not synchronised with is the look-up of symbols, which is not done here.
        // What else may be said of it in a signal handler stands on the crate's first page.
        unsafe { backtrace::trace_unsynchronized(keep) };
        if depth == 0 {
            // The unwinder could not get past the handler.
            self.frames[0].store(from, Ordering::Relaxed);
            depth = 1;
        }
        self.depth.store(depth, Ordering::Relaxed);
        self.answered.store(beats, Ordering::Release);
    }
}

/// Asks a thread where it stands; the answer comes into its pulse, with the bell.
pub fn ask(pulse: &Pulse) {
    let process = rustix::process::getpid().as_raw_nonzero().get();
    // The thread may have ended, and then there is nothing to ask; nor does another that has its
    // number by now answer, because the count is not its own.
    // SAFETY: it sends a signal for which there is a handler.
    unsafe { libc::tgkill(process, pulse.thread.as_raw_nonzero().get(), SIGNAL) };
}

/// Sees to it that threads answer.
///
/// # Errors
///
/// Somebody else handles the signal.
pub fn handle_signal() -> io::Result<()> {
    // SAFETY: all zeroes is an action with an empty mask.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
    action.sa_sigaction = on_signal as *const () as libc::sighandler_t;
    let mut before = MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: `on_signal` is a handler for `SA_SIGINFO`; what it calls is argued about where it does.
    if unsafe { libc::sigaction(SIGNAL, &action, before.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call above has written it.
    let before = unsafe { before.assume_init() };
    let ours = [libc::SIG_DFL, libc::SIG_IGN, action.sa_sigaction];
    if ours.contains(&before.sa_sigaction) {
        return Ok(());
    }
    // SAFETY: an action that the system gave.
    unsafe { libc::sigaction(SIGNAL, &before, ptr::null_mut()) };
    Err(io::Error::other("the program handles SIGURG itself, which the watchdog needs"))
}

extern "C" fn on_signal(_signal: c_int, _info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel passes it to a handler with `SA_SIGINFO`.
    let interrupted = unsafe { &*context.cast::<libc::ucontext_t>() };
    with_pulse(|pulse| {
        let beats = pulse.asked();
        // Whoever has gone on meanwhile, or was never asked, stands nowhere of interest.
        if beats != 0 && beats == pulse.beats() {
            pulse.walk.keep(beats, program_counter(interrupted));
            pulse.ring();
        }
    });
}

#[cfg(target_arch = "x86_64")]
fn program_counter(context: &libc::ucontext_t) -> usize {
    context.uc_mcontext.gregs[libc::REG_RIP as usize] as usize
}

#[cfg(target_arch = "aarch64")]
fn program_counter(context: &libc::ucontext_t) -> usize {
    context.uc_mcontext.pc as usize
}
