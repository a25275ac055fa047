//! A runtime whose stalls are told: a watchdog knows which thread is in which task.
//!
//! Every call below is one in which the runtime may let another task run, and after which this one may
//! be on another thread. So the thread's pulse beats before it, and that of whichever thread comes back
//! from it. Nothing in the runtime has to know.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use watchdog::Handle;

use crate::runtime::Payload;
use crate::{Runtime, Socket, Task};

/// A runtime whose workers are watched from the first task that comes to them.
pub struct Watched {
    runtime: Arc<dyn Runtime>,
    handle: Handle,
}

impl Watched {
    /// Watches `runtime`'s workers.
    pub fn new(runtime: &Arc<dyn Runtime>, handle: Handle) -> Self {
        Watched { runtime: Arc::clone(runtime), handle }
    }
}

impl Runtime for Watched {
    fn connect(
        &self,
        address: SocketAddr,
        timeout: Option<Duration>,
    ) -> io::Result<Box<dyn Socket>> {
        let socket = self.handle.outside(|| self.runtime.connect(address, timeout))?;
        Ok(Box::new(WatchedSocket { socket, handle: self.handle.clone() }))
    }

    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        self.handle.outside(|| self.runtime.resolve(host, port))
    }

    fn spawn(&self, task: Arc<dyn Task>) -> io::Result<()> {
        self.runtime.spawn(Arc::new(WatchedTask { task, handle: self.handle.clone() }))
    }

    // Work that is handed over is to keep nobody waiting, so it is no stall where it is done in place.
    fn offload(&self, task: Arc<dyn Task>) -> io::Result<()> {
        self.handle.outside(|| self.runtime.offload(task))
    }

    fn sleep(&self, duration: Duration) {
        self.handle.outside(|| self.runtime.sleep(duration));
    }

    fn park(&self) {
        self.handle.outside(|| self.runtime.park());
    }

    fn park_timeout(&self, timeout: Duration) {
        self.handle.outside(|| self.runtime.park_timeout(timeout));
    }

    fn waker(&self) -> Waker {
        self.runtime.waker()
    }
}

struct WatchedTask {
    task: Arc<dyn Task>,
    handle: Handle,
}

impl Task for WatchedTask {
    fn run(&self) {
        self.handle.during(self.task.name(), || self.task.run());
    }

    fn lost(&self, why: Payload) {
        self.handle.lost(self.task.name());
        self.task.lost(why);
    }

    fn name(&self) -> &'static str {
        self.task.name()
    }
}

#[derive(Debug)]
struct WatchedSocket {
    socket: Box<dyn Socket>,
    handle: Handle,
}

impl Socket for WatchedSocket {
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

impl Read for WatchedSocket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.handle.outside(|| self.socket.read(buffer))
    }
}

impl Write for WatchedSocket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.handle.outside(|| self.socket.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.handle.outside(|| self.socket.flush())
    }
}
