//! A TCP listener whose `accept` suspends the green thread.

use std::io;
use std::os::fd::AsRawFd;

use blocking_style::runtime::block_until;
use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{SocketFlags, accept_with};

use super::net::TcpStream;
use super::{Direction, HubId, Place, place};

/// A listener. On the hub that it was made on, `accept` suspends the green thread; anywhere else it
/// blocks.
#[derive(Debug)]
pub struct TcpListener {
    listener: std::net::TcpListener,
    hub: Option<HubId>,
}

impl TcpListener {
    /// Has connections of `listener` accepted on the current hub.
    ///
    /// # Errors
    ///
    /// The hub cannot watch it.
    pub fn from_std(listener: std::net::TcpListener) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let hub = match place() {
            Place::Task(hub) => {
                hub.register(&listener)?;
                Some(hub.id)
            }
            Place::Elsewhere => None,
        };
        Ok(TcpListener { listener, hub })
    }

    /// The next connection, on the current hub.
    ///
    /// # Errors
    ///
    /// As [`std::net::TcpListener::accept`]. Whoever is out of descriptors should
    /// [sleep](super::sleep) before trying again: the connection stays where it is, so that the next
    /// call fails at once, too.
    pub fn accept(&self) -> io::Result<TcpStream> {
        loop {
            self.wait()?;
            match accept_with(&self.listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) {
                Ok(descriptor) => return TcpStream::of_non_blocking(descriptor.into()),
                Err(Errno::AGAIN) => self.would_block(),
                // A signal came, or the client gave up before we came to it.
                Err(Errno::INTR | Errno::CONNABORTED) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn wait(&self) -> io::Result<()> {
        match place() {
            Place::Task(hub) if self.hub == Some(hub.id) => {
                hub.wait_for(self.listener.as_raw_fd(), Direction::Read, None)
            }
            _ => block_until(&self.listener, PollFlags::IN, None),
        }
    }

    fn would_block(&self) {
        if let Place::Task(hub) = place()
            && self.hub == Some(hub.id)
        {
            hub.would_block(self.listener.as_raw_fd(), Direction::Read);
        }
    }
}
