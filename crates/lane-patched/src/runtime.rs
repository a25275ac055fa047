//! How tasks start and wait in the lane: as on OS threads, but for what a task is.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::task::Waker;
use std::thread;
use std::time::Duration;

use blocking_style::{Runtime, Socket, Task};
use lane_hub::hub;
use lane_threads::socket::Stream;

/// Green threads under the blocking lanes' own socket, whose calls the patch answers. Only what
/// waits by `futex` on OS threads, which is parking, has to be the hub's.
pub struct Patched;

impl Runtime for Patched {
    fn connect(
        &self,
        address: SocketAddr,
        timeout: Option<Duration>,
    ) -> io::Result<Box<dyn Socket>> {
        Ok(Box::new(Stream::connect(address, timeout)?))
    }

    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok((host, port).to_socket_addrs()?.collect())
    }

    fn spawn(&self, task: Arc<dyn Task>) -> io::Result<()> {
        hub::spawn_task(task)
    }

    fn sleep(&self, duration: Duration) {
        thread::sleep(duration);
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
