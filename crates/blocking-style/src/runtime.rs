//! What a runtime must offer for blocking code to run on it.

use std::any::Any;
use std::fmt::Debug;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::task::Waker;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};

/// What `std` gives a thread. Only the pages that it touches cost memory.
const OFFLOAD_STACK_BYTES: usize = 2 * 1024 * 1024;

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

    /// Runs a task that computes for long, or blocks in a way that the runtime does not see, where
    /// it keeps no other from running. The caller has nothing else to do meanwhile, so it may run
    /// there and then; by default it has an OS thread of its own.
    ///
    /// # Errors
    ///
    /// The system has no thread left.
    fn offload(&self, task: Arc<dyn Task>) -> io::Result<()> {
        let thread = thread::Builder::new().name("offload".into());
        thread.stack_size(OFFLOAD_STACK_BYTES).spawn(move || task.run()).map(drop)
    }

    /// Suspends the current task for `duration`.
    fn sleep(&self, duration: Duration);

    /// Suspends the current task until its [`waker`](Runtime::waker) is woken. A wake-up before
    /// the call makes it return at once; it may also return for no reason.
    fn park(&self);

    /// As [`park`](Runtime::park), but for `timeout` at most.
    fn park_timeout(&self, timeout: Duration);

    /// What ends the current task's [`park`](Runtime::park), from any task or thread.
    fn waker(&self) -> Waker;
}

/// A connected TCP stream whose calls wait the way its runtime waits, through signals too: no call
/// fails with [`io::ErrorKind::Interrupted`].
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
    matches!(peeked, Err(Errno::AGAIN))
}

/// The moment that is `timeout` from now; none when there is no limit, or none that a clock reaches.
pub fn deadline(timeout: Option<Duration>) -> Option<Instant> {
    timeout.and_then(|timeout| Instant::now().checked_add(timeout))
}

/// A time-out of zero is an error, as it is for `std`'s sockets.
///
/// # Errors
///
/// It is zero.
pub fn not_zero(timeout: Option<Duration>) -> io::Result<Option<Duration>> {
    match timeout {
        Some(Duration::ZERO) => {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "a time-out of zero"))
        }
        timeout => Ok(timeout),
    }
}

/// Blocks the OS thread, whatever the runtime, until `socket` is ready or `deadline` has passed.
///
/// Green threads come here only in the middle of an unwind, where they must not suspend: `std`
/// counts panics by OS thread, and a task that let another run, or went on on another thread, would
/// leave the count behind.
///
/// # Errors
///
/// [`io::ErrorKind::TimedOut`] after `deadline`; or what `poll(2)` says.
pub fn block_until(
    socket: impl AsFd,
    ready: PollFlags,
    deadline: Option<Instant>,
) -> io::Result<()> {
    let mut polled = [PollFd::new(&socket, ready)];
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let left = left.map(Timespec::try_from).transpose().map_err(io::Error::other)?;
        match poll(&mut polled, left.as_ref()) {
            Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
            Ok(_) => return Ok(()),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// The addresses of `host`. An address needs no looking up, and neither does `localhost` (RFC 6761,
/// section 6.3); the rest is the runtime's to look up.
///
/// # Errors
///
/// As [`Runtime::resolve`].
pub fn addresses(runtime: &dyn Runtime, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
    let host = host.trim_matches(['[', ']']);
    if host == "localhost" {
        return Ok(vec![SocketAddr::from((Ipv4Addr::LOCALHOST, port))]);
    }
    match host.parse::<IpAddr>() {
        Ok(ip) => Ok(vec![SocketAddr::from((ip, port))]),
        Err(_) => runtime.resolve(host, port),
    }
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

    /// What a person calls it. Unless somebody has named it, the type of its code, which says in
    /// which function that is written.
    fn name(&self) -> &'static str {
        std::any::type_name::<Self>()
    }
}
