//! How bytes move on the hub: try first, suspend when the socket is not ready.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use blocking_style::Socket;
use blocking_style::runtime::not_zero;

use crate::hub::net::TcpStream;

/// A TCP stream whose calls suspend the green thread.
#[derive(Debug)]
pub struct Stream(TcpStream);

impl Stream {
    /// Opens a connection, waiting for it at most `timeout`.
    ///
    /// # Errors
    ///
    /// As [`std::net::TcpStream::connect_timeout`].
    pub fn connect(address: SocketAddr, timeout: Option<Duration>) -> io::Result<Self> {
        Ok(Stream(TcpStream::connect(address, timeout)?))
    }
}

/// One that a [listener](crate::hub::TcpListener) has accepted.
impl From<TcpStream> for Stream {
    fn from(stream: TcpStream) -> Self {
        Stream(stream)
    }
}

impl Socket for Stream {
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.set_read_timeout(not_zero(timeout)?);
        Ok(())
    }

    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.set_write_timeout(not_zero(timeout)?);
        Ok(())
    }

    fn set_nodelay(&mut self, nodelay: bool) -> io::Result<()> {
        self.0.set_nodelay(nodelay)
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
