//! A stack that grows into its guard page ends its task, and not the process.
//!
//! The fault arrives as `SIGSEGV`, on the signal stack that `std` gives each of its threads. If the
//! address lies in the guard page of the coroutine that runs on this thread, the handler changes
//! the interrupted registers so that the coroutine returns [`End::Overflowed`] when it goes on;
//! `corosensei` prepares that. Every other fault goes to whoever handled it before.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::OnceLock;

use corosensei::trap::CoroutineTrapHandler;
use corosensei::{Coroutine, CoroutineResult};

use super::Carved;
use super::registers;

/// How a coroutine came to its end.
#[derive(Clone, Copy)]
pub enum End {
    /// Its task returned.
    Returned,
    /// Its stack overflowed.
    Overflowed,
}

/// The coroutine that runs on a thread, as a signal handler must know it.
#[derive(Clone, Copy)]
struct Running {
    /// The address of its guard page, and of the first byte above.
    guard: (usize, usize),
    trap: CoroutineTrapHandler<End>,
}

thread_local! {
    // Neither its start nor its end runs code, so that a signal handler may look at it.
    static RUNNING: Cell<Option<Running>> = const { Cell::new(None) };
}

/// Resumes a coroutine whose guard page is at `guard`, and sees it return if it comes there.
pub fn watched(
    coroutine: &mut Coroutine<(), (), End, Carved>,
    guard: usize,
) -> CoroutineResult<(), End> {
    let guard = (guard, guard + rustix::param::page_size());
    RUNNING.set(Some(Running { guard, trap: coroutine.trap_handler() }));
    let resumed = coroutine.resume(());
    RUNNING.set(None);
    resumed
}

/// Who handled `SIGSEGV` before.
static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();

/// Sees to it that overflows are caught from now on.
pub(super) fn catch() {
    BEFORE.get_or_init(|| {
        // `generator` sets its handler when it first resumes, and takes every fault for its own:
        // after that, so that this one is asked first.
        generator::Gn::<()>::new_opt(0x1000, || ()).resume();
        let mut before = MaybeUninit::uninit();
        // SAFETY: it only reads.
        unsafe { libc::sigaction(libc::SIGSEGV, ptr::null(), before.as_mut_ptr()) };
        // SAFETY: that call fails for no signal that exists.
        unsafe { before.assume_init() }
    });
    // SAFETY: all zeroes is an action with an empty mask.
    let mut action: libc::sigaction = unsafe { MaybeUninit::zeroed().assume_init() };
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
    action.sa_sigaction = on_fault as *const () as libc::sighandler_t;
    // SAFETY: `on_fault` is a handler for `SA_SIGINFO`, and calls nothing that a signal may not.
    unsafe { libc::sigaction(libc::SIGSEGV, &action, ptr::null_mut()) };
}

extern "C" fn on_fault(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel passes both to a handler with `SA_SIGINFO`.
    let (address, interrupted) =
        unsafe { ((*info).si_addr() as usize, &mut *context.cast::<libc::ucontext_t>()) };
    match RUNNING.get() {
        Some(Running { guard, trap })
            if (guard.0..guard.1).contains(&address)
                && trap.stack_ptr_in_bounds(registers::stack_pointer(interrupted)) =>
        {
            // SAFETY: the stack pointer is the coroutine's, and all the registers are set. What was
            // on the stack is discarded without being unwound, which is what `Resumed::Lost` tells.
            let set = unsafe { trap.setup_trap_handler(|| End::Overflowed) };
            registers::set(interrupted, set);
        }
        _ => forward(signal, info, context),
    }
}

/// Does as if there were no handler here.
fn forward(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let Some(before) = BEFORE.get() else { return };
    if before.sa_sigaction == libc::SIG_DFL || before.sa_sigaction == libc::SIG_IGN {
        // The fault comes again when this returns, and then ends the process.
        // SAFETY: an action that the system gave.
        unsafe { libc::sigaction(signal, before, ptr::null_mut()) };
    } else if before.sa_flags & libc::SA_SIGINFO == 0 {
        // SAFETY: without that flag, it is a handler of a signal's number.
        let handler: extern "C" fn(c_int) = unsafe { std::mem::transmute(before.sa_sigaction) };
        handler(signal);
    } else {
        type Handler = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);
        // SAFETY: with that flag, it is a handler of these three.
        let handler: Handler = unsafe { std::mem::transmute(before.sa_sigaction) };
        handler(signal, info, context);
    }
}
