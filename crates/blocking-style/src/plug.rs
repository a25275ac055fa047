//! The plug: ureq on a runtime's sockets.
//!
//! ureq lets its transport be replaced through three traits. [`Plug`] opens connections through
//! the [`Runtime`], [`PluggedSocket`] moves bytes through the runtime's [`Socket`], and
//! [`PluggedResolver`] looks names up where it keeps nobody waiting. TLS, chunked bodies,
//! compression, redirects and the connection pool stay ureq's own.
//!
//! The three traits are outside ureq's semantic versioning, which is why ureq is pinned with `=`.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::http::uri::Scheme;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
};
use ureq::{Agent, Error, Timeout};

use crate::runtime::{Runtime, Socket, addresses, is_idle};

/// ureq's default is 128 KiB each, which at 10,000 connections is 2.5 GB; a head and a small body
/// fit in these.
const INPUT_BUFFER_BYTES: usize = 8 * 1024;
const OUTPUT_BUFFER_BYTES: usize = 2 * 1024;

/// The settings that every ureq lane shares.
///
/// The pool is told how many idle connections are worth keeping, because each request costs it
/// time in proportion to those that it keeps. There are no time-outs: the harness ends a lane that
/// hangs, and a time-out a request would measure timers.
pub fn config(idle_connections: usize) -> Config {
    Agent::config_builder()
        .input_buffer_size(INPUT_BUFFER_BYTES)
        .output_buffer_size(OUTPUT_BUFFER_BYTES)
        .max_idle_connections(idle_connections)
        .max_idle_connections_per_host(idle_connections)
        .max_idle_age(Duration::from_secs(3600))
        .proxy(None)
        .build()
}

/// A ureq agent whose connections are `runtime`'s.
pub fn agent(runtime: &Arc<dyn Runtime>, config: Config) -> Agent {
    let plug = ().chain(Plug(Arc::clone(runtime)));
    let resolver = PluggedResolver(Arc::clone(runtime));
    #[cfg(feature = "rustls")]
    let plug = plug.chain(ureq::unversioned::transport::RustlsConnector::default());
    Agent::with_parts(config, plug, resolver)
}

/// Opens connections through a runtime.
pub struct Plug(Arc<dyn Runtime>);

impl<In: Transport> Connector<In> for Plug {
    type Out = Either<In, PluggedSocket>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        if let Some(earlier) = chained {
            return Ok(Some(Either::A(earlier)));
        }
        let timeout = details.timeout.not_zero().map(|timeout| *timeout);
        let mut socket = self.connect_any(&details.addrs, timeout)?;
        if details.config.no_delay() {
            socket.set_nodelay(true)?;
        }
        let sizes = (details.config.input_buffer_size(), details.config.output_buffer_size());
        let buffers = LazyBuffers::new(sizes.0, sizes.1);
        let timeouts = Timeouts::default();
        Ok(Some(Either::B(PluggedSocket { socket, buffers, timeouts })))
    }
}

impl Plug {
    /// The first address that answers. When time is up, it is up for all of them.
    fn connect_any(
        &self,
        addresses: &[SocketAddr],
        timeout: Option<Duration>,
    ) -> Result<Box<dyn Socket>, Error> {
        let mut last = Error::ConnectionFailed;
        for address in addresses {
            match self.0.connect(*address, timeout) {
                Ok(socket) => return Ok(socket),
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                    return Err(Error::Timeout(Timeout::Connect));
                }
                Err(error) => last = Error::Io(error),
            }
        }
        Err(last)
    }
}

/// A runtime's socket with ureq's buffers.
pub struct PluggedSocket {
    socket: Box<dyn Socket>,
    buffers: LazyBuffers,
    timeouts: Timeouts,
}

/// What the socket was last told, so that it is told only what is new.
#[derive(Default)]
struct Timeouts {
    read: Option<Duration>,
    write: Option<Duration>,
}

impl Transport for PluggedSocket {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = not_past(timeout.for_write())?;
        let limit = timeout.not_zero().map(|limit| *limit);
        if limit != self.timeouts.write {
            self.socket.set_write_timeout(limit)?;
            self.timeouts.write = limit;
        }
        let output = &self.buffers.output()[..amount];
        in_time(self.socket.write_all(output), timeout.reason)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = not_past(timeout.for_read())?;
        let limit = timeout.not_zero().map(|limit| *limit);
        if limit != self.timeouts.read {
            self.socket.set_read_timeout(limit)?;
            self.timeouts.read = limit;
        }
        let input = self.buffers.input_append_buf();
        let amount = in_time(self.socket.read(input), timeout.reason)?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        is_idle(self.socket.as_ref())
    }
}

fn not_past(timeout: NextTimeout) -> Result<NextTimeout, Error> {
    if timeout.after.is_zero() { Err(Error::Timeout(timeout.reason)) } else { Ok(timeout) }
}

/// A runtime says that time is up as `TimedOut` or, as the kernel does, as `WouldBlock`.
fn in_time<T>(result: io::Result<T>, reason: Timeout) -> Result<T, Error> {
    result.map_err(|error| match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Error::Timeout(reason),
        _ => Error::Io(error),
    })
}

/// Looks names up through the runtime.
pub struct PluggedResolver(Arc<dyn Runtime>);

impl Resolver for PluggedResolver {
    fn resolve(
        &self,
        uri: &Uri,
        _config: &Config,
        _timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let host = uri.host().ok_or(Error::HostNotFound)?;
        let default_port = if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(default_port);
        let found = addresses(self.0.as_ref(), host, port).map_err(|_| Error::HostNotFound)?;
        let mut kept = self.empty();
        // ureq keeps 16.
        found.into_iter().take(16).for_each(|address| kept.push(address));
        if kept.is_empty() { Err(Error::HostNotFound) } else { Ok(kept) }
    }
}

impl fmt::Debug for Plug {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Plug")
    }
}

impl fmt::Debug for PluggedSocket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket.fmt(formatter)
    }
}

impl fmt::Debug for PluggedResolver {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("PluggedResolver")
    }
}
