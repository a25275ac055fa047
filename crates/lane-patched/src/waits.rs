//! When a patched call waits, on what, and for how long.

use std::cell::Cell;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use lane_hub::hub::{self, Direction, foreign};
use libc::{c_int, c_long, c_short, socklen_t, ssize_t, timespec, timeval};

thread_local! {
    /// Whether this OS thread runs a hub whose tasks are patched. It has no destructor and nothing
    /// to be made at first use, so every call of every thread may look at it: in a signal handler,
    /// in a forked child, in a thread that is ending.
    pub(crate) static PATCHED: Cell<bool> = const { Cell::new(false) };
}

/// Whether the caller is a green thread that may suspend. One that unwinds may not, and blocks.
pub fn in_green() -> bool {
    PATCHED.get() && hub::in_task()
}

pub fn errno() -> c_int {
    // SAFETY: the C library's own pointer to this thread's errno.
    unsafe { *libc::__errno_location() }
}

/// What a C function returns when it fails.
pub fn fail(errno: c_int) -> c_int {
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
    -1
}

/// What `libc::syscall` returned, as the C function returns it. Both have set errno.
pub fn returned(result: c_long) -> ssize_t {
    result as ssize_t
}

/// Whether the program itself has made the descriptor non-blocking. The kernel is asked each time
/// and nothing is remembered: a descriptor's flags are shared with its duplicates, perhaps in
/// another process, and its number is soon another's. It costs one system call a wait.
pub fn is_nonblocking(fd: c_int) -> bool {
    let flags = flags(fd);
    flags >= 0 && flags & libc::O_NONBLOCK != 0
}

/// A descriptor's flags, or -1.
pub fn flags(fd: c_int) -> c_int {
    // SAFETY: F_GETFL takes no pointer.
    unsafe { libc::fcntl(fd, libc::F_GETFL) }
}

/// When the wait for a socket is over, by the time-out that the program has set on it (`std`'s
/// `set_read_timeout`). It, too, is asked of the kernel each time.
pub fn deadline(fd: c_int, direction: Direction) -> Option<Instant> {
    let option = match direction {
        Direction::Read => libc::SO_RCVTIMEO,
        Direction::Write => libc::SO_SNDTIMEO,
    };
    let mut limit = MaybeUninit::<timeval>::zeroed();
    let mut length = size_of::<timeval>() as socklen_t;
    // SAFETY: the kernel writes at most `length` bytes, and zeroes are a timeval.
    let limit = unsafe {
        let value = limit.as_mut_ptr().cast();
        libc::getsockopt(fd, libc::SOL_SOCKET, option, value, &raw mut length);
        limit.assume_init()
    };
    let limit = Duration::new(limit.tv_sec as u64, limit.tv_usec as u32 * 1_000);
    // Zero is none, and what is no socket has none.
    if limit.is_zero() { None } else { Instant::now().checked_add(limit) }
}

/// Parks the green thread until `fd` is ready.
///
/// # Errors
///
/// The errno of the call that waits: `EAGAIN` when its time is up, as the kernel says it.
pub fn wait(fd: c_int, direction: Direction, deadline: Option<Instant>) -> Result<(), c_int> {
    parked(|| foreign::wait(fd, direction, deadline))?.map_err(|error| match error.raw_os_error() {
        Some(errno) => errno,
        None => libc::EAGAIN,
    })
}

/// Does what suspends the green thread. When its hub ends meanwhile, the suspension unwinds, which
/// must not pass through `std`, for whom C functions never unwind. The program is told `ECANCELED`
/// in this call and in every later one, and so comes to its end by its own handling of errors.
///
/// # Errors
///
/// `ECANCELED`.
pub fn parked<T>(suspends: impl FnOnce() -> T) -> Result<T, c_int> {
    catch_unwind(AssertUnwindSafe(suspends)).map_err(|_| libc::ECANCELED)
}

/// Whether `fd` is ready now: `poll` with no time to wait.
pub fn is_ready(fd: c_int, direction: Direction) -> bool {
    let mut polled = libc::pollfd { fd, events: events(direction), revents: 0 };
    // SAFETY: one pollfd, as it says.
    unsafe { ppoll_now(&raw mut polled, 1) != 0 }
}

pub fn events(direction: Direction) -> c_short {
    match direction {
        Direction::Read => libc::POLLIN,
        Direction::Write => libc::POLLOUT,
    }
}

/// `poll` without waiting, straight to the kernel. aarch64 has no `poll`, so it is `ppoll`.
///
/// # Safety
///
/// As `poll`.
pub unsafe fn ppoll_now(polled: *mut libc::pollfd, count: libc::nfds_t) -> c_int {
    let mut zero = timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the caller's promise, and no signal mask.
    unsafe { libc::syscall(libc::SYS_ppoll, polled, count, &raw mut zero, 0usize, 0usize) as c_int }
}

/// Parks until `fd` is ready, which is looked at first.
///
/// # Errors
///
/// As [`wait`].
pub fn until_ready(
    fd: c_int,
    direction: Direction,
    deadline: Option<Instant>,
) -> Result<(), c_int> {
    while !is_ready(fd, direction) {
        wait(fd, direction, deadline)?;
    }
    Ok(())
}
