//! Readiness of sockets, from one epoll.
//!
//! Every socket is registered once, for both directions, edge-triggered: epoll tells when it
//! *becomes* ready, and the reactor remembers that until a call finds it not ready any more. A
//! request whose answer takes time so costs one `write`, one `read` and its share of one
//! `epoll_wait`, and no `read` that only learns to wait (tokio keeps readiness the same way).
//!
//! epoll is called through `rustix` and not through the `polling` crate, whose `wait` takes five
//! system calls a turn on Linux: it arms a timerfd, re-registers that and its notifier, and reads
//! the notifier, to serve several threads and one-shot interest that the hub does not have.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::time::Duration;

use rustix::event::{Timespec, epoll};

use super::TaskId;
use super::foreign::{self, Foreign, Waiter};

/// Events taken from the kernel at once.
const EVENTS_AT_ONCE: usize = 1024;

/// Which half of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Bytes that arrive, or the end of them.
    Read,
    /// Room for bytes to leave, or a connection that comes about.
    Write,
}

/// What is known of one half of one socket.
#[derive(Debug, Clone, Copy, Default)]
struct Half {
    ready: bool,
    /// It has come to its end and never blocks again, so `ready` stays.
    ended: bool,
    waiter: Option<TaskId>,
}

/// The epoll and what it has told.
pub struct Reactor {
    epoll: OwnedFd,
    /// Indexed by descriptor; the kernel hands out the lowest free one, so this stays dense.
    sockets: Vec<[Half; 2]>,
    pub(super) foreign: Foreign,
    events: Vec<epoll::Event>,
}

impl Reactor {
    /// Makes an epoll.
    ///
    /// # Errors
    ///
    /// The process has no descriptor left.
    pub fn new() -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let events = Vec::with_capacity(EVENTS_AT_ONCE);
        Ok(Reactor { epoll, sockets: Vec::new(), foreign: Foreign::default(), events })
    }

    /// Registers a socket. There is no counterpart: closing it takes it out of the epoll, and
    /// registering the next one of the same number starts anew. Where somebody has duplicated the
    /// descriptor, its events go on to arrive and are taken for those of the next one; that is a
    /// wake-up for no reason, which every waiter allows for.
    ///
    /// # Errors
    ///
    /// The descriptor cannot be watched, or the limit of watches is reached.
    pub fn register(&mut self, socket: impl AsFd) -> io::Result<()> {
        let fd = socket.as_fd().as_raw_fd();
        let interest = epoll::EventFlags::IN
            | epoll::EventFlags::OUT
            | epoll::EventFlags::RDHUP
            | epoll::EventFlags::ET;
        epoll::add(&self.epoll, socket, epoll::EventData::new_u64(fd as u64), interest)?;
        let index = fd as usize;
        if self.sockets.len() <= index {
            self.sockets.resize(index + 1, Default::default());
        }
        self.sockets[index] = Default::default();
        Ok(())
    }

    /// Whether a call in this direction is worth trying.
    pub fn is_ready(&self, fd: RawFd, direction: Direction) -> bool {
        self.sockets[fd as usize][direction as usize].ready
    }

    /// Takes note that a call has taken all that there was.
    pub fn clear_ready(&mut self, fd: RawFd, direction: Direction) {
        let half = &mut self.sockets[fd as usize][direction as usize];
        half.ready = half.ended;
    }

    /// Takes note that a call would have blocked: the socket is neither ready nor at its end,
    /// whatever was heard before.
    pub fn would_block(&mut self, fd: RawFd, direction: Direction) {
        let half = &mut self.sockets[fd as usize][direction as usize];
        (half.ready, half.ended) = (false, false);
    }

    /// Wakes `task` when the socket becomes ready; `None` takes that back.
    pub fn set_waiter(&mut self, fd: RawFd, direction: Direction, task: Option<TaskId>) {
        self.sockets[fd as usize][direction as usize].waiter = task;
    }

    /// Wakes a task once when a descriptor that was not [registered](Reactor::register) is ready.
    pub(super) fn watch_foreign(&mut self, fd: RawFd, waiter: Waiter) -> io::Result<()> {
        self.foreign.watch(&self.epoll, fd, waiter)
    }

    /// Waits for events, at most `timeout` (for ever if `None`), and wakes the tasks that waited
    /// for them.
    ///
    /// # Errors
    ///
    /// None that a program could mend: the epoll itself is broken.
    pub fn wait(
        &mut self,
        timeout: Option<Duration>,
        mut wake: impl FnMut(TaskId),
    ) -> io::Result<()> {
        let timeout = timeout.map(|timeout| Timespec {
            tv_sec: timeout.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: timeout.subsec_nanos().into(),
        });
        self.events.clear();
        let spare = rustix::buffer::spare_capacity(&mut self.events);
        match epoll::wait(&self.epoll, spare, timeout.as_ref()) {
            Ok(_) => {}
            // A signal is a reason to look around, like any other.
            Err(rustix::io::Errno::INTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        for event in &self.events {
            // Both are copied out: the event is packed as the kernel packs it.
            let (data, flags) = (event.data.u64(), event.flags);
            if data & foreign::TAG != 0 {
                self.foreign.heard((data & !foreign::TAG) as RawFd, &mut wake);
                continue;
            }
            let fd = data as usize;
            let [read, write] = &mut self.sockets[fd];
            if let Some(task) = read.heard(flags, epoll::EventFlags::IN, epoll::EventFlags::RDHUP) {
                wake(task);
            }
            if let Some(task) = write.heard(flags, epoll::EventFlags::OUT, epoll::EventFlags::ERR) {
                wake(task);
            }
        }
        Ok(())
    }
}

impl Half {
    /// Takes note of an event; returns the task to wake.
    fn heard(
        &mut self,
        flags: epoll::EventFlags,
        ready: epoll::EventFlags,
        ended: epoll::EventFlags,
    ) -> Option<TaskId> {
        let over = epoll::EventFlags::HUP | epoll::EventFlags::ERR;
        self.ended |= flags.intersects(over | ended);
        if !(flags.intersects(ready) || self.ended) {
            return None;
        }
        self.ready = true;
        self.waiter.take()
    }
}
