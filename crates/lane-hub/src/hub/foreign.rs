//! Waiting for a descriptor that somebody else opened.
//!
//! A [`TcpStream`](super::net::TcpStream) is registered when it is opened and its readiness is
//! remembered until it is closed. Of a descriptor that the hub did not open it knows neither: it
//! may have been closed since, and its number may be another's. So nothing is remembered of it.
//! Each wait arms epoll once (`EPOLLONESHOT`), which tells what is ready *now*, at the price of one
//! `epoll_ctl` a wait.

use std::cell::Cell;
use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, RawFd};
use std::rc::Rc;
use std::time::Instant;

use rustix::event::epoll::{self, EventFlags};
use rustix::io::Errno;

use super::{Direction, Place, TaskId, place};

/// Suspends the current green thread until `fd` is ready in `direction`.
///
/// The program must leave the descriptor to this function alone: one that a
/// [`TcpStream`](super::net::TcpStream) of the hub owns is told its readiness in another way.
///
/// # Errors
///
/// [`io::ErrorKind::TimedOut`] after `deadline`; `EBADF` when another task of this hub
/// [closes](closing) it; `EPERM` where it cannot be polled, as a file on a disk.
///
/// # Panics
///
/// Outside a green thread.
pub fn wait(fd: RawFd, direction: Direction, deadline: Option<Instant>) -> io::Result<()> {
    let Place::Task(hub) = place() else { panic!("only a green thread can wait on the hub") };
    let came = Rc::new(Cell::new(None));
    let waiter = Waiter { task: hub.current_task(), direction, came: Rc::clone(&came) };
    hub.reactor.borrow_mut().watch_foreign(fd, waiter)?;
    loop {
        let timed_out = hub.suspend_until(deadline);
        match came.get() {
            Some(Came::Ready) => return Ok(()),
            Some(Came::Closed) => return Err(Errno::BADF.into()),
            None if timed_out => {
                hub.reactor.borrow_mut().forget_waiter(fd, &came);
                return Err(io::ErrorKind::TimedOut.into());
            }
            // A wake-up for no reason.
            None => {}
        }
    }
}

/// Tells those who wait for `fd` on this thread's hub that it is about to be closed. Without it
/// they would wait for ever: epoll forgets a closed descriptor and says nothing.
pub fn closing(fd: RawFd) {
    if let Place::Task(hub) = place() {
        let waiters = hub.reactor.borrow_mut().take_foreign(fd);
        for waiter in waiters {
            waiter.came.set(Some(Came::Closed));
            hub.wake(waiter.task);
        }
    }
}

/// Why a wait ended.
#[derive(Debug, Clone, Copy)]
enum Came {
    Ready,
    Closed,
}

/// A task that waits.
pub(super) struct Waiter {
    task: TaskId,
    direction: Direction,
    came: Rc<Cell<Option<Came>>>,
}

/// Who waits for which foreign descriptor.
#[derive(Default)]
pub(super) struct Foreign(HashMap<RawFd, Vec<Waiter>>);

/// Marks an event as a foreign descriptor's, beside its number.
pub(super) const TAG: u64 = 1 << 32;

impl Foreign {
    /// Adds a waiter, and arms epoll for it and those that wait already.
    pub(super) fn watch(&mut self, epoll: impl AsFd, fd: RawFd, waiter: Waiter) -> io::Result<()> {
        let is_known = self.0.contains_key(&fd);
        let waiters = self.0.entry(fd).or_default();
        waiters.push(waiter);
        let interest = waiters.iter().fold(EventFlags::ONESHOT, |interest, waiter| {
            interest
                | match waiter.direction {
                    Direction::Read => EventFlags::IN,
                    Direction::Write => EventFlags::OUT,
                }
        });
        let armed = arm(epoll, fd, interest, is_known);
        if armed.is_err() {
            waiters.pop();
        }
        armed
    }

    /// Takes note of an event and wakes all who wait, whatever for: each looks again.
    pub(super) fn heard(&mut self, fd: RawFd, wake: &mut impl FnMut(TaskId)) {
        for waiter in self.0.get_mut(&fd).into_iter().flat_map(|waiters| waiters.drain(..)) {
            waiter.came.set(Some(Came::Ready));
            wake(waiter.task);
        }
    }

    fn forget(&mut self, fd: RawFd, came: &Rc<Cell<Option<Came>>>) {
        if let Some(waiters) = self.0.get_mut(&fd) {
            waiters.retain(|waiter| !Rc::ptr_eq(&waiter.came, came));
        }
    }
}

impl super::reactor::Reactor {
    fn forget_waiter(&mut self, fd: RawFd, came: &Rc<Cell<Option<Came>>>) {
        self.foreign.forget(fd, came);
    }

    fn take_foreign(&mut self, fd: RawFd) -> Vec<Waiter> {
        self.foreign.0.remove(&fd).unwrap_or_default()
    }
}

/// Whether epoll knows the descriptor is only a guess, because closing it takes it out unseen.
fn arm(epoll: impl AsFd, fd: RawFd, interest: EventFlags, is_known: bool) -> io::Result<()> {
    // SAFETY: the number goes to the kernel and nowhere else, and the kernel refuses a closed one.
    let source = unsafe { BorrowedFd::borrow_raw(fd) };
    let data = || epoll::EventData::new_u64(TAG | fd as u64);
    let modified =
        if is_known { epoll::modify(&epoll, source, data(), interest) } else { Err(Errno::NOENT) };
    match modified {
        Err(Errno::NOENT) => match epoll::add(&epoll, source, data(), interest) {
            Err(Errno::EXIST) => Ok(epoll::modify(&epoll, source, data(), interest)?),
            added => Ok(added?),
        },
        modified => Ok(modified?),
    }
}
