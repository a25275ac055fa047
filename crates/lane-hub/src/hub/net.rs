//! A TCP stream whose blocking calls suspend the green thread.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use blocking_style::runtime::{block_until, deadline};
use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto, socket_with};

use super::turn::Hub;
use super::{Direction, HubId, Place, place};

/// A connected TCP stream.
///
/// On the hub that opened it, calls suspend the green thread. Anywhere else, on another thread or
/// while a panic unwinds, they block as `std`'s do: suspending in the middle of an unwind would
/// leave `std`'s count of panics, which is kept by OS thread, to whichever task runs next.
#[derive(Debug)]
pub struct TcpStream {
    stream: std::net::TcpStream,
    hub: Option<HubId>,
    read_timeout: Option<Duration>,
    write_timeout: Option<Duration>,
}

impl TcpStream {
    /// Opens a connection, waiting for it at most `timeout`.
    ///
    /// # Errors
    ///
    /// As [`std::net::TcpStream::connect_timeout`].
    pub fn connect(address: SocketAddr, timeout: Option<Duration>) -> io::Result<Self> {
        let deadline = deadline(timeout);
        let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = socket_with(family, SocketType::STREAM, flags, Some(ipproto::TCP))?;
        let started = rustix::net::connect(&socket, &address);
        let stream = TcpStream::of_non_blocking(socket.into())?;
        match started {
            Ok(()) => return Ok(stream),
            Err(Errno::INPROGRESS) => {}
            Err(error) => return Err(error.into()),
        }
        stream.wait(Direction::Write, deadline)?;
        match stream.stream.take_error()? {
            Some(error) => Err(error),
            None => Ok(stream),
        }
    }

    /// A stream that does not block, on the current hub.
    pub(super) fn of_non_blocking(stream: std::net::TcpStream) -> io::Result<Self> {
        let hub = match place() {
            Place::Task(hub) => {
                hub.register(&stream)?;
                Some(hub.id)
            }
            Place::Elsewhere => None,
        };
        Ok(TcpStream { stream, hub, read_timeout: None, write_timeout: None })
    }

    /// Limits each read; `None` waits for ever.
    pub fn set_read_timeout(&mut self, timeout: Option<Duration>) {
        self.read_timeout = timeout;
    }

    /// Limits each write; `None` waits for ever.
    pub fn set_write_timeout(&mut self, timeout: Option<Duration>) {
        self.write_timeout = timeout;
    }

    /// Sends small segments at once.
    ///
    /// # Errors
    ///
    /// As [`std::net::TcpStream::set_nodelay`].
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.stream.set_nodelay(nodelay)
    }

    /// Waits until a call in `direction` is worth trying.
    fn wait(&self, direction: Direction, deadline: Option<Instant>) -> io::Result<()> {
        match self.own_hub() {
            Some(hub) => hub.wait_for(self.stream.as_raw_fd(), direction, deadline),
            None => block_until(&self.stream, poll_flags(direction), deadline),
        }
    }

    /// Takes note that a call has taken all that there was.
    fn clear_ready(&self, direction: Direction) {
        if let Some(hub) = self.own_hub() {
            hub.clear_ready(self.stream.as_raw_fd(), direction);
        }
    }

    /// Takes note that a call would have blocked.
    fn would_block(&self, direction: Direction) {
        if let Some(hub) = self.own_hub() {
            hub.would_block(self.stream.as_raw_fd(), direction);
        }
    }

    /// The hub that opened it, where the caller may suspend on it.
    fn own_hub(&self) -> Option<Rc<Hub>> {
        match place() {
            Place::Task(hub) if self.hub == Some(hub.id) => Some(hub),
            _ => None,
        }
    }

    /// Waits, tries, and waits again for as long as the kernel says `EAGAIN`.
    fn when_ready(
        &self,
        direction: Direction,
        timeout: Option<Duration>,
        wanted: usize,
        mut call: impl FnMut(&std::net::TcpStream) -> io::Result<usize>,
    ) -> io::Result<usize> {
        let deadline = deadline(timeout);
        loop {
            self.wait(direction, deadline)?;
            match call(&self.stream) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.would_block(direction);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(count) => {
                    // Less than asked for is all there was, and what comes next is a new edge. At
                    // the end of the stream, which is 0, there is no next.
                    if 0 < count && count < wanted {
                        self.clear_ready(direction);
                    }
                    return Ok(count);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

fn poll_flags(direction: Direction) -> PollFlags {
    match direction {
        Direction::Read => PollFlags::IN,
        Direction::Write => PollFlags::OUT,
    }
}

impl Read for TcpStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = buffer.len();
        self.when_ready(Direction::Read, self.read_timeout, wanted, |mut s| s.read(buffer))
    }
}

impl Write for TcpStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.when_ready(Direction::Write, self.write_timeout, bytes.len(), |mut s| s.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsFd for TcpStream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
