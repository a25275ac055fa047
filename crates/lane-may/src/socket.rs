//! How bytes move on may: its own stream, which tries first and parks on `EAGAIN`.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use blocking_style::Socket;
use blocking_style::runtime::{block_until, deadline, not_zero};
use may::net::TcpStream;
use rustix::event::PollFlags;

/// A TCP stream whose calls park the green thread.
#[derive(Debug)]
pub struct Stream(TcpStream);

impl Stream {
    /// Opens a connection, waiting for it at most `timeout`.
    ///
    /// # Errors
    ///
    /// As [`std::net::TcpStream::connect_timeout`].
    pub fn connect(address: SocketAddr, timeout: Option<Duration>) -> io::Result<Self> {
        if std::thread::panicking() {
            return Err(io::Error::other("a green thread cannot connect while it unwinds"));
        }
        let stream = match timeout {
            Some(timeout) => TcpStream::connect_timeout(&address, whole_milliseconds(timeout))?,
            None => TcpStream::connect(address)?,
        };
        Ok(Stream(stream))
    }
}

/// may counts time-outs in whole milliseconds and takes 0 for ever, so less than one must become
/// one and never none.
fn whole_milliseconds(timeout: Duration) -> Duration {
    let milliseconds = timeout.as_nanos().div_ceil(1_000_000).max(1);
    Duration::from_millis(u64::try_from(milliseconds).unwrap_or(u64::MAX))
}

impl Socket for Stream {
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.set_read_timeout(not_zero(timeout)?.map(whole_milliseconds))
    }

    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.set_write_timeout(not_zero(timeout)?.map(whole_milliseconds))
    }

    fn set_nodelay(&mut self, nodelay: bool) -> io::Result<()> {
        self.0.set_nodelay(nodelay)
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        self.0.inner().as_fd()
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if std::thread::panicking() {
            let deadline = deadline(self.0.read_timeout()?);
            return blocking(&self.0, PollFlags::IN, deadline, |mut socket| socket.read(buffer));
        }
        self.0.read(buffer)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if std::thread::panicking() {
            let deadline = deadline(self.0.write_timeout()?);
            return blocking(&self.0, PollFlags::OUT, deadline, |mut socket| socket.write(bytes));
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Blocks the worker instead of parking the green thread: `std` counts panics by OS thread, and a
/// task that moved to another one in the middle of its unwind would leave the count behind.
fn blocking(
    stream: &TcpStream,
    until: PollFlags,
    deadline: Option<Instant>,
    mut call: impl FnMut(&std::net::TcpStream) -> io::Result<usize>,
) -> io::Result<usize> {
    loop {
        match call(stream.inner()) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            result => return result,
        }
        block_until(stream.inner(), until, deadline)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_timeout_never_becomes_none() {
        let rounded = |timeout| whole_milliseconds(timeout).as_millis();
        assert_eq!(rounded(Duration::ZERO), 1);
        assert_eq!(rounded(Duration::from_nanos(1)), 1);
        assert_eq!(rounded(Duration::from_micros(1_001)), 2);
        assert_eq!(rounded(Duration::from_millis(300)), 300);
    }
}
