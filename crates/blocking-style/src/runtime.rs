//! What a runtime must offer for blocking code to run on it.

use std::any::Any;
use std::fmt::Debug;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use rustix::net::{RecvFlags, recv};

/// Where blocking calls end up: an OS thread that waits in the kernel, or a green thread that
/// parks.
///
/// It is used as a trait object, so that the code above it is compiled once for all runtimes.
pub trait Runtime: Send + Sync + 'static {
    /// Opens a TCP connection, waiting for it at most `timeout`.
    ///
    /// # Errors
    ///
    /// As [`std::net::TcpStream::connect_timeout`]; [`io::ErrorKind::TimedOut`] after `timeout`.
    fn connect(
        &self,
        address: SocketAddr,
        timeout: Option<Duration>,
    ) -> io::Result<Box<dyn Socket>>;

    /// Looks a host name up, without keeping other tasks from running.
    ///
    /// # Errors
    ///
    /// As [`std::net::ToSocketAddrs`].
    fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>>;

    /// Starts a task beside the current one.
    ///
    /// # Errors
    ///
    /// The system has no thread or stack left for it.
    fn spawn(&self, task: Arc<dyn Task>) -> io::Result<()>;

    /// Suspends the current task for `duration`.
    fn sleep(&self, duration: Duration);

    /// Suspends the current task until its [`waker`](Runtime::waker) is woken. A wake-up before
    /// the call makes it return at once; it may also return for no reason.
    fn park(&self);

    /// What ends the current task's [`park`](Runtime::park), from any task or thread.
    fn waker(&self) -> Waker;
}

/// A connected TCP stream whose calls wait the way its runtime waits.
pub trait Socket: Read + Write + Debug + Send + Sync {
    /// Limits each read; `None` waits for ever. A read past the limit fails with
    /// [`io::ErrorKind::TimedOut`] or [`io::ErrorKind::WouldBlock`].
    ///
    /// # Errors
    ///
    /// As [`std::net::TcpStream::set_read_timeout`].
    fn set_read_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()>;

    /// Limits each write, as [`set_read_timeout`](Socket::set_read_timeout) limits reads.
    ///
    /// # Errors
    ///
    /// As [`std::net::TcpStream::set_write_timeout`].
    fn set_write_timeout(&mut self, timeout: Option<Duration>) -> io::Result<()>;

    /// Sends small segments at once.
    ///
    /// # Errors
    ///
    /// As [`std::net::TcpStream::set_nodelay`].
    fn set_nodelay(&mut self, nodelay: bool) -> io::Result<()>;

    /// The descriptor, for calls that never wait.
    fn descriptor(&self) -> BorrowedFd<'_>;
}

/// Whether an idle connection may carry another request: neither closed nor holding bytes that
/// nobody asked for.
///
/// ureq asks while it holds its pool's lock, so this must never suspend: a green thread that
/// parked here would leave the lock held on a worker that then needs it. One `recv` that peeks and
/// does not wait is all it does, whatever the runtime.
pub fn is_idle(socket: &dyn Socket) -> bool {
    let mut byte = [0];
    let peeked = recv(socket.descriptor(), &mut byte, RecvFlags::PEEK | RecvFlags::DONTWAIT);
    matches!(peeked, Err(rustix::io::Errno::AGAIN))
}

/// What a panic leaves behind, or the reason for which a task was lost.
pub type Payload = Box<dyn Any + Send>;

/// A task, as its runtime sees it.
pub trait Task: Send + Sync {
    /// Runs the task to its end. It never unwinds: a panic becomes the task's result.
    fn run(&self);

    /// Called instead of a return from [`run`](Task::run) when the task's stack is gone, as after
    /// an overflow: it makes `why` the task's result.
    fn lost(&self, why: Payload);
}
