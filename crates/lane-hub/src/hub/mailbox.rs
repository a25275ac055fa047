//! Wake-ups from other threads.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

use rustix::event::{EventfdFlags, eventfd};

use super::TaskId;

/// Tasks that other threads have woken, and the bell that makes the hub look.
pub struct Mailbox {
    woken: Mutex<Vec<TaskId>>,
    bell: OwnedFd,
}

impl Mailbox {
    /// Empty.
    ///
    /// # Errors
    ///
    /// The process has no descriptor left.
    pub fn new() -> io::Result<Self> {
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Mailbox { woken: Mutex::default(), bell })
    }

    /// Asks the hub to wake `task`, from any thread.
    pub fn post(&self, task: TaskId) {
        let first = {
            let mut woken = self.woken.lock().unwrap_or_else(PoisonError::into_inner);
            woken.push(task);
            woken.len() == 1
        };
        if first {
            // The only error is a counter that is full, and then the bell is ringing already.
            let _ = rustix::io::write(&self.bell, &1u64.to_ne_bytes());
        }
    }

    /// Moves what was posted into `woken`, which is empty, and takes its memory for what comes: two
    /// lists in turn, so that a thread that posts allocates nothing. The bell is edge-triggered and
    /// need not be silenced: each ring adds to its counter, which is an edge.
    pub fn take(&self, woken: &mut Vec<TaskId>) {
        std::mem::swap(&mut *self.woken.lock().unwrap_or_else(PoisonError::into_inner), woken);
    }
}

impl AsFd for Mailbox {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}
