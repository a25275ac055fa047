//! The server that documents are fetched from: an HTTP/1.1 origin in a process of its own, whose
//! documents come as large, as late and as costly as each request asks for.
//!
//! ```text
//!                    ┌► loop-0:  epoll ──► sockets ──► hyper ──► answer ──► document
//!   accept, in turn ─┤             └─────► timerfd ──► delays that are over ──┘
//!                    └► loop-1:  …
//! ```
//!
//! A loop is one thread that waits in one place, `epoll_wait`, for sockets and for its timer.
//! Between loops there is nothing to wait for: they share the documents, which never change, and
//! one counter of requests in flight.
//!
//! In reading order:
//!
//! * `options`: what it can be told;
//! * `corpora`: the documents, prepared once;
//! * `request`: what a request asks for;
//! * `hyper_server`: the loops and how they answer;
//! * `delay` and `burn`: time and CPU, as asked for;
//! * `stats`: what is counted;
//! * `minihttp_server`: the same answers from another server, to compare, with its limits;
//! * `listen`, `end` and `site`: listening, when to end, and what both servers have in common.

mod burn;
mod corpora;
mod delay;
mod end;
mod hyper_server;
mod listen;
mod minihttp_server;
mod options;
mod request;
mod site;
mod stats;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;

use thiserror::Error;

pub use corpora::{CorporaError, GENERATED_DOCUMENTS, read_folder};
pub use options::{Options, Server};
pub use stats::{DelayError, Stats};

use corpora::Corpora;
use end::End;
use site::Site;
use stats::Counters;

/// Why the origin cannot serve.
#[derive(Debug, Error)]
pub enum OriginError {
    /// There is nothing to serve.
    #[error(transparent)]
    Corpora(#[from] CorporaError),
    /// Somebody else listens there.
    #[error("{address} is in use; choose another port with --listen, or 0 for any that is free")]
    AddressInUse {
        /// Where it was to listen.
        address: SocketAddr,
    },
    /// It cannot listen there for another reason.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Where it was to listen.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The system refused something else.
    #[error("cannot {doing}: {source}")]
    System {
        /// What was tried.
        doing: &'static str,
        /// What the system said.
        source: io::Error,
    },
}

impl OriginError {
    fn listen(address: SocketAddr, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::AddrInUse => OriginError::AddressInUse { address },
            _ => OriginError::Listen { address, source },
        }
    }

    fn system(doing: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| OriginError::System { doing, source }
    }
}

/// Serves until Ctrl-C or SIGTERM, or until standard input ends if the options say so.
///
/// Prints one line on standard output when it is ready: its URL. What serves is not taken down
/// afterwards, because the process is expected to end.
///
/// # Errors
///
/// There is nothing to serve, the address is taken, or the system is out of something.
pub fn run(options: &Options) -> Result<(), OriginError> {
    listen::raise_descriptor_limit();
    let end = End::listen(options.end_with_parent)
        .map_err(OriginError::system("listen for reasons to end"))?;
    let threads = options.thread_count().get();
    let site = Arc::new(Site {
        corpora: Corpora::prepare(options)?,
        counters: Counters::new(options.server.name(), threads),
        limits: match options.server {
            Server::Hyper => hyper_server::LIMITS,
            Server::MayMinihttp => minihttp_server::LIMITS,
        },
    });
    let address = match options.server {
        Server::Hyper => hyper_server::start(options.listen, threads, &site)?,
        Server::MayMinihttp => minihttp_server::start(options.listen, threads, &site)?,
    };
    tell_ready(address).map_err(OriginError::system("write to standard output"))?;
    end.wait();
    Ok(())
}

/// One line on standard error, which nobody has to read: a closed pipe is no reason to stop serving.
pub fn tell(line: &str) {
    // In one write: other processes may write to the same place.
    let _ = io::stderr().write_all(format!("origin: {line}\n").as_bytes());
}

fn tell_ready(address: SocketAddr) -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "http://{address}")?;
    out.flush()
}
