//! `recv`, `send` and their kin.
//!
//! A socket can be asked not to wait in one call (`MSG_DONTWAIT`), whatever its mode. So it stays
//! as blocking as the program made it, for its duplicates and for other processes as well, and
//! there is nothing to put back.

use std::time::Instant;

use lane_hub::hub::Direction;
use libc::{
    MSG_DONTWAIT, MSG_PEEK, MSG_WAITALL, c_int, c_void, iovec, msghdr, size_t, sockaddr, socklen_t,
    ssize_t, syscall,
};

use crate::waits::{deadline, errno, fail, in_green, is_nonblocking, returned, wait};

/// One transfer that waits where the kernel would: tries, parks on `EAGAIN`, tries again.
///
/// `call` is given the flags. `EAGAIN` on a socket that is non-blocking, or in a call that is, is
/// the program's to have.
pub fn transfer(
    fd: c_int,
    flags: c_int,
    direction: Direction,
    until: &mut Until,
    call: impl Fn(c_int) -> ssize_t,
) -> ssize_t {
    if flags & MSG_DONTWAIT != 0 || !in_green() {
        return call(flags);
    }
    loop {
        let count = call(flags | MSG_DONTWAIT);
        if count >= 0 {
            return count;
        }
        match errno() {
            libc::EINTR => continue,
            libc::EAGAIN if !is_nonblocking(fd) => {}
            other => return fail(other) as ssize_t,
        }
        if let Err(errno) = wait(fd, direction, until.get(fd, direction)) {
            return fail(errno) as ssize_t;
        }
    }
}

/// The end of all waits of one call, asked for at the first: most calls have none.
pub enum Until {
    /// Nothing has waited yet.
    Unknown,
    /// As the socket's time-out had it at the first wait.
    Known(Option<Instant>),
}

impl Until {
    fn get(&mut self, fd: c_int, direction: Direction) -> Option<Instant> {
        if let Until::Known(deadline) = *self {
            return deadline;
        }
        let deadline = deadline(fd, direction);
        *self = Until::Known(deadline);
        deadline
    }
}

/// Transfers until `wanted` bytes are through, as a blocking `send` and a `recv` with `MSG_WAITALL`
/// do. What was moved before an error counts; the error comes with the next call.
fn whole(wanted: size_t, mut transfer: impl FnMut(size_t) -> ssize_t) -> ssize_t {
    let mut moved = 0;
    loop {
        match transfer(moved) {
            count @ ..=0 if moved == 0 => return count,
            ..=0 => return moved as ssize_t,
            count => moved += count as size_t,
        }
        if moved >= wanted {
            return moved as ssize_t;
        }
    }
}

/// `recv(2)`, by which `std` reads from sockets.
#[unsafe(no_mangle)]
unsafe extern "C" fn recv(fd: c_int, buffer: *mut c_void, length: size_t, flags: c_int) -> ssize_t {
    // SAFETY: the caller's promise; no address is wanted.
    unsafe { recvfrom(fd, buffer, length, flags, std::ptr::null_mut(), std::ptr::null_mut()) }
}

/// `recvfrom(2)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn recvfrom(
    fd: c_int,
    buffer: *mut c_void,
    length: size_t,
    flags: c_int,
    address: *mut sockaddr,
    address_length: *mut socklen_t,
) -> ssize_t {
    let mut until = Until::Unknown;
    let mut from = |moved: size_t| {
        transfer(fd, flags, Direction::Read, &mut until, |flags| {
            let rest = buffer.wrapping_byte_add(moved);
            // SAFETY: the caller's promise: `length` bytes, of which `moved` are filled.
            returned(unsafe {
                let left = length - moved;
                syscall(libc::SYS_recvfrom, fd, rest, left, flags, address, address_length)
            })
        })
    };
    if in_green() && flags & (MSG_WAITALL | MSG_PEEK) == MSG_WAITALL {
        whole(length, from)
    } else {
        from(0)
    }
}

/// `recvmsg(2)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn recvmsg(fd: c_int, message: *mut msghdr, flags: c_int) -> ssize_t {
    transfer(fd, flags, Direction::Read, &mut Until::Unknown, |flags| {
        // SAFETY: the caller's promise. The kernel changes the message only if it succeeds.
        returned(unsafe { syscall(libc::SYS_recvmsg, fd, message, flags) })
    })
}

/// `send(2)`, by which `std` writes to sockets.
#[unsafe(no_mangle)]
unsafe extern "C" fn send(
    fd: c_int,
    bytes: *const c_void,
    length: size_t,
    flags: c_int,
) -> ssize_t {
    // SAFETY: the caller's promise; no address is given.
    unsafe { sendto(fd, bytes, length, flags, std::ptr::null(), 0) }
}

/// `sendto(2)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn sendto(
    fd: c_int,
    bytes: *const c_void,
    length: size_t,
    flags: c_int,
    address: *const sockaddr,
    address_length: socklen_t,
) -> ssize_t {
    let mut until = Until::Unknown;
    let mut to = |moved: size_t| {
        transfer(fd, flags, Direction::Write, &mut until, |flags| {
            let rest = bytes.wrapping_byte_add(moved);
            // SAFETY: the caller's promise: `length` bytes, of which `moved` are gone.
            returned(unsafe {
                let left = length - moved;
                syscall(libc::SYS_sendto, fd, rest, left, flags, address, address_length)
            })
        })
    };
    // On a non-blocking socket the rest is tried once, and what went counts.
    if in_green() { whole(length, to) } else { to(0) }
}

/// `sendmsg(2)`. A blocking one sends all there is, and this one at least a byte: whoever sends a
/// vector has to cope with that anyway, since a signal does the same.
#[unsafe(no_mangle)]
unsafe extern "C" fn sendmsg(fd: c_int, message: *const msghdr, flags: c_int) -> ssize_t {
    transfer(fd, flags, Direction::Write, &mut Until::Unknown, |flags| {
        // SAFETY: the caller's promise.
        returned(unsafe { syscall(libc::SYS_sendmsg, fd, message, flags) })
    })
}

/// A message that is nothing but a vector of buffers.
pub fn vector(buffers: *const iovec, count: c_int) -> msghdr {
    // SAFETY: zeroes are a message without address, buffers and control data.
    let mut message: msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = buffers.cast_mut();
    message.msg_iovlen = count as _;
    message
}
