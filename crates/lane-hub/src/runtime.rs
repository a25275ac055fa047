//! How tasks start and wait on the hub.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use blocking_style::{Runtime, Socket, Task};

use crate::hub;
use crate::socket::Stream;

/// Green threads on the hub of the current OS thread.
pub struct Hub;

impl Runtime for Hub {
    fn connect(
        &self,
        address: SocketAddr,
        timeout: Option<Duration>,
    ) -> io::Result<Box<dyn Socket>> {
        Ok(Box::new(Stream::connect(address, timeout)?))
    }

    /// On an OS thread of its own: the C library's look-up would stop the whole hub.
    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let host = host.to_owned();
        hub::offload(move || (host.as_str(), port).to_socket_addrs().map(Iterator::collect))?
    }

    fn spawn(&self, task: Arc<dyn Task>) -> io::Result<()> {
        hub::spawn_task(task)
    }

    fn sleep(&self, duration: Duration) {
        hub::sleep(duration);
    }

    fn park(&self) {
        hub::park();
    }

    fn park_timeout(&self, timeout: Duration) {
        hub::park_timeout(timeout);
    }

    fn waker(&self) -> Waker {
        hub::waker()
    }
}
