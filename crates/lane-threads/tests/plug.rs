//! What the plug must not do, whatever the runtime.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use blocking_style::runtime::is_idle;
use blocking_style::{Runtime, Socket, Task, fetch, plug};
use lane_cases::OddServer;
use lane_threads::runtime::Threads;

/// Threads without name look-up.
struct NoNames;

impl Runtime for NoNames {
    fn connect(&self, to: SocketAddr, timeout: Option<Duration>) -> io::Result<Box<dyn Socket>> {
        Threads::PerTask.connect(to, timeout)
    }

    fn resolve(&self, host: &str, _port: u16) -> io::Result<Vec<SocketAddr>> {
        panic!("{host} needs no looking up")
    }

    fn spawn(&self, task: Arc<dyn Task>) -> io::Result<()> {
        Threads::PerTask.spawn(task)
    }

    fn sleep(&self, duration: Duration) {
        Threads::PerTask.sleep(duration);
    }

    fn park(&self) {
        Threads::PerTask.park();
    }

    fn park_timeout(&self, timeout: Duration) {
        Threads::PerTask.park_timeout(timeout);
    }

    fn waker(&self) -> Waker {
        Threads::PerTask.waker()
    }
}

/// ureq's own resolver starts an OS thread for every request that has a time-out over its look-up.
#[test]
fn an_address_is_never_looked_up() {
    let server = OddServer::start();
    let runtime: Arc<dyn Runtime> = Arc::new(NoNames);
    let timed = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(60)));
    let agent = plug::agent(&runtime, timed.build());
    for host in [server.plain.to_string(), format!("localhost:{}", server.plain.port())] {
        fetch(&agent, &format!("http://{host}/plain")).unwrap();
    }
}

/// ureq's default is 256 KiB a connection.
#[test]
fn the_buffers_are_small_and_the_pool_is_as_told() {
    let config = plug::config(17);
    assert_eq!(config.input_buffer_size() + config.output_buffer_size(), 10 * 1024);
    assert_eq!(config.max_idle_connections(), 17);
    assert_eq!(config.max_idle_connections_per_host(), 17);
}

/// ureq asks this under its pool's lock, so it must answer and never wait.
#[test]
fn an_idle_connection_is_told_from_one_with_news() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut socket = Threads::PerTask.connect(listener.local_addr().unwrap(), None).unwrap();
    let (mut peer, _) = listener.accept().unwrap();
    assert!(is_idle(socket.as_ref()));
    peer.write_all(b"ab").unwrap();
    // Once the first byte has come, so has the second.
    socket.read_exact(&mut [0]).unwrap();
    assert!(!is_idle(socket.as_ref()));
    socket.read_exact(&mut [0]).unwrap();
    assert!(is_idle(socket.as_ref()));
    drop(peer);
    assert_eq!(socket.read(&mut [0]).unwrap(), 0);
    assert!(!is_idle(socket.as_ref()));
}
