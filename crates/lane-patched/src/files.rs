//! `read`, `write` and their kin, which are for anything: sockets, pipes, terminals, files.
//!
//! A socket goes the way of [`sockets`](crate::sockets). Pipes and terminals have no `MSG_DONTWAIT`,
//! and `O_NONBLOCK` would be seen by everybody who shares them, so they are polled first, and the
//! call that follows finds what it needs. Files on a disk are always ready, in the kernel's opinion,
//! and block while the disk turns: here as everywhere.

use std::mem::MaybeUninit;
use std::slice;

use lane_hub::hub::{Direction, foreign};
use libc::{PIPE_BUF, c_int, c_void, iovec, size_t, ssize_t, syscall};

use crate::sockets::{Until, transfer, vector};
use crate::waits::{PATCHED, fail, in_green, is_nonblocking, returned, until_ready};

/// How a descriptor is waited for.
enum Kind {
    Socket,
    /// A pipe, a terminal, an eventfd.
    Polled,
    /// Not by the hub.
    Blocking,
}

fn kind(fd: c_int) -> Kind {
    // The standard three stay with the kernel: `std` holds a lock of the OS thread while it reads or
    // writes them, which would not keep a second green thread out, or would keep it out for ever.
    if fd <= libc::STDERR_FILENO || !in_green() {
        return Kind::Blocking;
    }
    let mut status = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: room for one stat, which is read only where the kernel has filled it.
    let mode = unsafe {
        match libc::fstat(fd, status.as_mut_ptr()) {
            0 => status.assume_init().st_mode,
            _ => return Kind::Blocking,
        }
    };
    match mode & libc::S_IFMT {
        libc::S_IFSOCK => Kind::Socket,
        libc::S_IFREG | libc::S_IFDIR | libc::S_IFBLK => Kind::Blocking,
        _ if is_nonblocking(fd) => Kind::Blocking,
        _ => Kind::Polled,
    }
}

/// `read(2)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn read(fd: c_int, buffer: *mut c_void, length: size_t) -> ssize_t {
    match kind(fd) {
        // SAFETY: the caller's promise.
        Kind::Blocking => returned(unsafe { syscall(libc::SYS_read, fd, buffer, length) }),
        kind => {
            let buffer = iovec { iov_base: buffer, iov_len: length };
            // SAFETY: the caller's promise, as one buffer.
            unsafe { read_vector(fd, &raw const buffer, 1, &kind) }
        }
    }
}

/// `readv(2)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn readv(fd: c_int, buffers: *const iovec, count: c_int) -> ssize_t {
    // SAFETY: the caller's promise.
    unsafe { read_vector(fd, buffers, count, &kind(fd)) }
}

unsafe fn read_vector(fd: c_int, buffers: *const iovec, count: c_int, kind: &Kind) -> ssize_t {
    match kind {
        Kind::Socket => {
            return transfer(fd, 0, Direction::Read, &mut Until::Unknown, |flags| {
                let mut message = vector(buffers, count);
                // SAFETY: the caller's promise for the buffers.
                returned(unsafe { syscall(libc::SYS_recvmsg, fd, &raw mut message, flags) })
            });
        }
        Kind::Polled => {
            if let Err(errno) = until_ready(fd, Direction::Read, None) {
                return fail(errno) as ssize_t;
            }
        }
        Kind::Blocking => {}
    }
    // SAFETY: the caller's promise.
    returned(unsafe { syscall(libc::SYS_readv, fd, buffers, count) })
}

/// `write(2)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn write(fd: c_int, bytes: *const c_void, length: size_t) -> ssize_t {
    match kind(fd) {
        Kind::Socket => {
            // SAFETY: the caller's promise. A `write` on a socket is a `send` without flags.
            unsafe { libc::send(fd, bytes, length, 0) }
        }
        Kind::Polled => write_polled(fd, bytes, length),
        // SAFETY: the caller's promise.
        Kind::Blocking => returned(unsafe { syscall(libc::SYS_write, fd, bytes, length) }),
    }
}

/// A pipe that polls as writable takes `PIPE_BUF` bytes without waiting, and may not take more.
fn write_polled(fd: c_int, bytes: *const c_void, length: size_t) -> ssize_t {
    let mut written = 0;
    loop {
        let part = (length - written).min(PIPE_BUF);
        let result = match until_ready(fd, Direction::Write, None) {
            Ok(()) => {
                let rest = bytes.wrapping_byte_add(written);
                // SAFETY: the caller of `write` promised `length` bytes, of which `written` are gone.
                returned(unsafe { syscall(libc::SYS_write, fd, rest, part) })
            }
            Err(errno) => fail(errno) as ssize_t,
        };
        match result {
            // What was written before an error counts; the error comes with the next call.
            ..=0 if written == 0 => return result,
            ..=0 => return written as ssize_t,
            count => written += count as size_t,
        }
        if written >= length {
            return written as ssize_t;
        }
    }
}

/// `writev(2)`. Of a pipe's vector the first buffer with anything in it is written: fewer bytes than
/// asked for are an answer.
#[unsafe(no_mangle)]
unsafe extern "C" fn writev(fd: c_int, buffers: *const iovec, count: c_int) -> ssize_t {
    match kind(fd) {
        Kind::Socket => {
            let message = vector(buffers, count);
            // SAFETY: the caller's promise for the buffers.
            unsafe { libc::sendmsg(fd, &raw const message, 0) }
        }
        Kind::Polled if count > 0 => {
            // SAFETY: the caller's promise: `count` buffers.
            let buffers = unsafe { slice::from_raw_parts(buffers, count as usize) };
            let buffer = buffers.iter().find(|buffer| buffer.iov_len > 0).unwrap_or(&buffers[0]);
            write_polled(fd, buffer.iov_base, buffer.iov_len)
        }
        // SAFETY: the caller's promise.
        _ => returned(unsafe { syscall(libc::SYS_writev, fd, buffers, count) }),
    }
}

/// `close(2)`. Green threads that wait for the descriptor are told `EBADF`, where the kernel would
/// let its threads wait on.
#[unsafe(no_mangle)]
unsafe extern "C" fn close(fd: c_int) -> c_int {
    // Closing needs no waiting, and is done while a stack unwinds, too.
    if PATCHED.get() {
        foreign::closing(fd);
    }
    // SAFETY: the caller's promise.
    unsafe { syscall(libc::SYS_close, fd) as c_int }
}
