//! What a signal handler, a worker and whoever ends the watchdog wake it with.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};

/// An eventfd: a `write` is among the few calls that a signal handler may make.
pub struct Bell(OwnedFd);

impl Bell {
    /// Silent.
    pub fn new() -> io::Result<Self> {
        Ok(Bell(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?))
    }

    /// Wakes who waits, or who waits next.
    pub fn ring(&self) {
        // The only error is a counter that is full, and then it is ringing already. `rustix` makes the
        // system call itself, so not even `errno` changes under the interrupted code.
        let _ = rustix::io::write(&self.0, &1u64.to_ne_bytes());
    }

    /// Waits for it, for `at_most` at most. It may return for no reason.
    pub fn wait(&self, at_most: Duration) {
        // What does not fit is for ever.
        let timeout = Timespec::try_from(at_most).ok();
        let _ = poll(&mut [PollFd::new(&self.0, PollFlags::IN)], timeout.as_ref());
        let _ = rustix::io::read(&self.0, &mut [0; 8]);
    }
}
