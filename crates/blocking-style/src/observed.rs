//! A runtime that is looked at: it waits as its own does, and its sockets tell what passes.
//!
//! The code above the sockets cannot tell the difference either, and stays as it is.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::task::Waker;
use std::time::{Duration, Instant};

use job::Timeline;
use job::timeline::Connection;

use crate::{Runtime, Socket, Task};

/// A runtime whose sockets are looked at.
pub struct Observed {
    runtime: Arc<dyn Runtime>,
    timeline: Timeline,
}

impl Observed {
    /// Looks at `runtime`'s sockets.
    pub fn new(runtime: &Arc<dyn Runtime>, timeline: &Timeline) -> Self {
        Observed { runtime: Arc::clone(runtime), timeline: timeline.clone() }
    }
}

impl Runtime for Observed {
    fn connect(
        &self,
        address: SocketAddr,
        timeout: Option<Duration>,
    ) -> io::Result<Box<dyn Socket>> {
        let connecting = Instant::now();
        let socket = self.runtime.connect(address, timeout)?;
        let connection = self.timeline.connected(connecting);
        Ok(Box::new(ObservedSocket { socket, connection }))
    }

    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        self.runtime.resolve(host, port)
    }

    fn spawn(&self, task: Arc<dyn Task>) -> io::Result<()> {
        self.runtime.spawn(task)
    }

    fn offload(&self, task: Arc<dyn Task>) -> io::Result<()> {
        self.runtime.offload(task)
    }

    fn sleep(&self, duration: Duration) {
        self.runtime.sleep(duration);
    }

    fn park(&self) {
        self.runtime.park();
    }

    fn park_timeout(&self, timeout: Duration) {
        self.runtime.park_timeout(timeout);
    }

    fn waker(&self) -> Waker {
        self.runtime.waker()
    }
}

#[derive(Debug)]
struct ObservedSocket {
    socket: Box<dyn Socket>,
    connection: Connection,
}

impl Socket for ObservedSocket {
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.socket.set_read_timeout(timeout)
    }

    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        self.socket.set_write_timeout(timeout)
    }

    fn set_nodelay(&mut self, nodelay: bool) -> io::Result<()> {
        self.socket.set_nodelay(nodelay)
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket.descriptor()
    }
}

impl Read for ObservedSocket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.socket.read(buffer)?;
        self.connection.read(count);
        Ok(count)
    }
}

impl Write for ObservedSocket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sending = Instant::now();
        let count = self.socket.write(bytes)?;
        self.connection.wrote(bytes, sending);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}
