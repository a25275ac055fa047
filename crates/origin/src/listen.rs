//! Listening, and taking connections in.

use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Once;
use std::thread;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{SocketFlags, accept_with};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Protocol, Socket, Type};

use crate::tell;

/// Asked for at least: 4,000 connects against 1,024 overflowed thousands of times, each a SYN
/// sent again a second later.
const BACKLOG_MIN: i32 = 4_096;

/// How long to leave connections in the backlog when there is no descriptor for the next one.
pub const EXHAUSTED_PAUSE: Duration = Duration::from_millis(20);

/// Listens on `address` with the longest backlog that the system grants.
///
/// # Errors
///
/// The address is taken or is not of this machine.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    Ok(listen_each(address, 1)?.1.remove(0))
}

/// Listens on `address` with `count` listeners, among which the kernel deals connections out by a hash
/// of where they come from; returns where, too.
///
/// # Errors
///
/// As [`listen`].
pub fn listen_each(
    address: SocketAddr,
    count: usize,
) -> io::Result<(SocketAddr, Vec<TcpListener>)> {
    // Whoever shares a port does not hear that another has it, so only who has to does.
    let first = listen_with(address, count > 1)?;
    let address = first.local_addr()?;
    let mut listeners = vec![first];
    for _ in 1..count {
        listeners.push(listen_with(address, true)?);
    }
    Ok((address, listeners))
}

fn listen_with(address: SocketAddr, shares: bool) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if shares {
        // Before that, it must be free: the first to bind alone tells.
        socket.set_reuse_port(true)?;
    }
    // A port whose last connections are in TIME_WAIT is free to use.
    socket.set_reuse_address(true)?;
    // Accepted connections inherit it (tcp(7)): one system call here instead of one for each.
    socket.set_tcp_nodelay(true)?;
    // Inherited, too. What a machine prefers may pace what is sent by timers of its own, as BBR
    // does: a delay that nobody asked for, and at 250 KB 34 µs of CPU a response where Reno, which
    // every Linux has, takes 25. Where it cannot be chosen, the machine's preference has to do.
    let _ = socket.set_tcp_congestion(b"reno");
    socket.bind(&address.into())?;
    socket.listen(backlog())?;
    Ok(socket.into())
}

/// What the system grants at most, which is all that can usefully be asked for.
fn backlog() -> i32 {
    let granted = fs::read_to_string("/proc/sys/net/core/somaxconn")
        .ok()
        .and_then(|text| text.trim().parse::<i32>().ok());
    if let Some(granted) = granted.filter(|granted| *granted < BACKLOG_MIN) {
        tell(&format!(
            "bursts above {granted} connections will stall: \
             raise it with sysctl net.core.somaxconn={BACKLOG_MIN}"
        ));
    }
    granted.unwrap_or(BACKLOG_MIN).max(BACKLOG_MIN)
}

/// How calls on an accepted connection wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Accepted {
    /// In the kernel.
    Blocking,
    /// Not at all: for a loop.
    NonBlocking,
}

/// Takes connections in for ever; `exhausted` is called whenever one has to wait for a descriptor.
pub fn accept_each(
    listener: &TcpListener,
    accepted: Accepted,
    mut hand_over: impl FnMut(TcpStream),
    exhausted: impl Fn(),
) {
    let flags = match accepted {
        Accepted::Blocking => SocketFlags::CLOEXEC,
        Accepted::NonBlocking => SocketFlags::NONBLOCK | SocketFlags::CLOEXEC,
    };
    loop {
        match accept_with(listener, flags).map_err(io::Error::from) {
            Ok(descriptor) => hand_over(descriptor.into()),
            Err(error) if is_exhaustion(&error) => {
                // The connection stays in the backlog, so that trying again at once would spin.
                exhausted();
                tell_exhausted();
                thread::sleep(EXHAUSTED_PAUSE);
            }
            // The client gave up before we came to it, or a signal came: the next one counts.
            Err(_) => {}
        }
    }
}

/// Whether the system has nothing left to accept a connection with.
pub fn is_exhaustion(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    matches!(errno, Some(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM))
}

/// Tells, once, that connections have to wait.
pub fn tell_exhausted() {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| tell("out of descriptors; new connections wait: raise ulimit -n"));
}

/// Lets this process open as many files as it may without asking anybody.
pub fn raise_descriptor_limit() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tell(&format!("the limit on open files stays at {:?}: {error}", limit.current));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepted_connections_inherit_what_the_listener_has() {
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let descriptor = accept_with(&listener, SocketFlags::empty()).unwrap();
        assert!(TcpStream::from(descriptor).nodelay().unwrap());
    }

    #[test]
    fn several_can_listen_in_one_place_and_no_other_may() {
        let (address, listeners) = listen_each("127.0.0.1:0".parse().unwrap(), 3).unwrap();
        assert!(listeners.iter().all(|listener| listener.local_addr().unwrap() == address));
        assert_eq!(listen(address).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    }

    #[test]
    fn the_limit_on_files_is_raised() {
        raise_descriptor_limit();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
    }
}
