//! `connect`, `accept` and `poll`.

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

use lane_hub::hub::{self, Direction};
use libc::{c_int, c_void, nfds_t, pollfd, sockaddr, socklen_t, syscall};

use crate::waits::{
    deadline, errno, events, fail, flags, in_green, is_nonblocking, parked, ppoll_now, until_ready,
    wait,
};

/// `connect(2)`.
///
/// There is no `MSG_DONTWAIT` for it, so the socket is non-blocking for the length of one system
/// call that does not wait, and blocking again before the green thread parks. (A time-out of the
/// socket would be waited for by the kernel's clock tick, and nothing else makes `connect` return.)
#[unsafe(no_mangle)]
unsafe extern "C" fn connect(fd: c_int, address: *const sockaddr, length: socklen_t) -> c_int {
    // SAFETY: the caller's promise.
    let call = || unsafe { syscall(libc::SYS_connect, fd, address, length) as c_int };
    // What is no descriptor has all flags, and is the kernel's to refuse.
    let flags = if in_green() { flags(fd) } else { libc::O_NONBLOCK };
    if flags & libc::O_NONBLOCK != 0 {
        return call();
    }
    match without_waiting(fd, flags, call) {
        Err(libc::EINPROGRESS) => match established(fd) {
            Ok(()) => 0,
            Err(errno) => fail(errno),
        },
        // A local socket whose peer has a full queue: nothing tells when there is room.
        Err(libc::EAGAIN) => {
            // SAFETY: the caller's promise; the bytes are copied because an OS thread reads them.
            let address = unsafe {
                std::slice::from_raw_parts(address.cast::<u8>(), length as usize).to_vec()
            };
            offloaded(move || {
                // SAFETY: a copy of what the caller gave.
                let result = unsafe { syscall(libc::SYS_connect, fd, address.as_ptr(), length) };
                if result < 0 { Err(errno()) } else { Ok(0) }
            })
        }
        Err(errno) => fail(errno),
        Ok(()) => 0,
    }
}

fn without_waiting(fd: c_int, flags: c_int, call: impl FnOnce() -> c_int) -> Result<(), c_int> {
    // SAFETY: the command takes no pointer.
    let set = |flags: c_int| unsafe { libc::fcntl(fd, libc::F_SETFL, flags) };
    set(flags | libc::O_NONBLOCK);
    let result = if call() < 0 { Err(errno()) } else { Ok(()) };
    set(flags);
    result
}

/// Waits for a connection that is under way. `SO_SNDTIMEO` ends it with `EINPROGRESS`, as the
/// kernel has it.
fn established(fd: c_int) -> Result<(), c_int> {
    until_ready(fd, Direction::Write, deadline(fd, Direction::Write)).map_err(
        |errno| match errno {
            libc::EAGAIN => libc::EINPROGRESS,
            errno => errno,
        },
    )?;
    let (mut error, mut length) = (0, size_of::<c_int>() as socklen_t);
    let value = (&raw mut error).cast::<c_void>();
    // SAFETY: room for the int that SO_ERROR is.
    match unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, libc::SO_ERROR, value, &raw mut length) }
    {
        0 if error == 0 => Ok(()),
        0 => Err(error),
        _ => Err(errno()),
    }
}

fn offloaded(work: impl FnOnce() -> Result<c_int, c_int> + Send + 'static) -> c_int {
    match parked(|| hub::offload(work)) {
        Ok(Ok(Ok(result))) => result,
        Ok(Ok(Err(errno))) | Err(errno) => fail(errno),
        Ok(Err(no_thread)) => fail(no_thread.raw_os_error().unwrap_or(libc::EAGAIN)),
    }
}

/// `accept4(2)`, by which `std` accepts.
///
/// The listener is polled first and then asked, blocking: between the two no other green thread
/// runs. Where other OS threads or processes accept from the same listener, one of them may be
/// quicker, and the hub waits for the next connection.
#[unsafe(no_mangle)]
unsafe extern "C" fn accept4(
    fd: c_int,
    address: *mut sockaddr,
    length: *mut socklen_t,
    flags: c_int,
) -> c_int {
    if in_green()
        && !is_nonblocking(fd)
        && let Err(errno) = until_ready(fd, Direction::Read, deadline(fd, Direction::Read))
    {
        return fail(errno);
    }
    // SAFETY: the caller's promise.
    unsafe { syscall(libc::SYS_accept4, fd, address, length, flags) as c_int }
}

/// `accept(2)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn accept(fd: c_int, address: *mut sockaddr, length: *mut socklen_t) -> c_int {
    // SAFETY: the caller's promise.
    unsafe { accept4(fd, address, length, 0) }
}

/// `poll(2)`, by which `std` waits in `connect_timeout` and in `Command::output`.
#[unsafe(no_mangle)]
unsafe extern "C" fn poll(polled: *mut pollfd, count: nfds_t, timeout_ms: c_int) -> c_int {
    if !in_green() || timeout_ms == 0 {
        // SAFETY: the caller's promise.
        return unsafe { poll_in_kernel(polled, count, timeout_ms) };
    }
    let end = u64::try_from(timeout_ms).ok();
    let end = end.map(|timeout_ms| Instant::now() + Duration::from_millis(timeout_ms));
    loop {
        // SAFETY: the caller's promise.
        let ready = unsafe { ppoll_now(polled, count) };
        if ready != 0 {
            return ready;
        }
        let all = match count {
            // A null pointer may come with none.
            0 => &[],
            // SAFETY: the caller's promise: `count` of them.
            _ => unsafe { std::slice::from_raw_parts(polled, count as usize) },
        };
        match wait_for_any(all, end) {
            Ok(()) => {}
            Err(libc::EAGAIN) => return 0,
            Err(errno) => return fail(errno),
        }
    }
}

/// # Safety
///
/// As `poll`.
unsafe fn poll_in_kernel(polled: *mut pollfd, count: nfds_t, timeout_ms: c_int) -> c_int {
    let mut timeout = libc::timespec {
        tv_sec: (timeout_ms / 1_000).into(),
        tv_nsec: (timeout_ms % 1_000 * 1_000_000).into(),
    };
    let timeout = if timeout_ms < 0 { std::ptr::null_mut() } else { &raw mut timeout };
    // SAFETY: the caller's promise, and no signal mask.
    unsafe { syscall(libc::SYS_ppoll, polled, count, timeout, 0usize, 0usize) as c_int }
}

/// Parks until one of them is ready. A single one that is waited for in one direction is the
/// reactor's like any other; anything else gets an epoll of its own, which is a descriptor that the
/// reactor can wait for.
fn wait_for_any(polled: &[pollfd], end: Option<Instant>) -> Result<(), c_int> {
    if let [one] = polled {
        for direction in [Direction::Read, Direction::Write] {
            if one.events == events(direction) && one.fd >= 0 {
                return wait(one.fd, direction, end);
            }
        }
    }
    // SAFETY: a new descriptor, owned here.
    let epoll = unsafe {
        match libc::epoll_create1(libc::EPOLL_CLOEXEC) {
            ..0 => return Err(errno()),
            fd => OwnedFd::from_raw_fd(fd),
        }
    };
    for one in polled.iter().filter(|one| one.fd >= 0) {
        // poll's flags are epoll's.
        let mut event = libc::epoll_event { events: one.events as u16 as u32, u64: 0 };
        let (epoll, add) = (epoll.as_raw_fd(), libc::EPOLL_CTL_ADD);
        // SAFETY: the kernel copies the event. One that is there already waits for the first's.
        unsafe { libc::epoll_ctl(epoll, add, one.fd, &raw mut event) };
    }
    wait(epoll.as_raw_fd(), Direction::Read, end)
}
