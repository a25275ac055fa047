//! The server that documents are fetched from: an HTTP/1.1 origin in a process of its own, whose
//! documents come as large, as late and as costly as each request asks for.
//!
//! It comes as several servers, which answer alike and wait each in its own way. `hyper` is the one
//! that lanes are measured against; the others are there to be measured:
//!
//! ```text
//!   hyper                      accept, in turn ─┬► loop-0: epoll ──► connections, delays
//!                                               └► loop-1: …
//!
//!   blocking/pool              backlog ─┬► worker-0: one connection, one answer, the next
//!                                       └► worker-1: …
//!   blocking/threads           accept ─┬► thread: one connection
//!                                      └► thread: …
//!   stackful/hub               epoll ──► hub: accept, a green thread a connection
//!   stackful/hub-per-core      SO_REUSEPORT ─┬► hub-0
//!                                            └► hub-1
//!   may_minihttp               accept ──► epolls ─┬► worker-0: coroutines
//!                                                 └► worker-1: …
//!   stackless/hyper            epoll ──► workers, who take tasks from each other
//!   stackless/hyper-local      epoll ──► loop: accept, a task a connection
//!   stackless/hyper-per-core   SO_REUSEPORT ─┬► loop-0
//!                                            └► loop-1
//! ```
//!
//! | serves a connection | waits in | in the file |
//! |---|---|---|
//! | `blocking/*`, `stackful/hub*` | `read`, `sleep`: the sync-looking function | `connection.rs` |
//! | `hyper`, `stackless/*` | `.await`: its async twin, by hyper | `stackless/connection.rs` |
//! | `may_minihttp` | a library's own | `stackful/may_minihttp.rs` |
//!
//! Between threads there is nothing to wait for: they share the documents, which never change, and
//! one counter of requests in flight.
//!
//! In reading order:
//!
//! * `options`: what it can be told;
//! * `corpora`: the documents, prepared once;
//! * `request`: what a request asks for;
//! * `connection` and `answer`: the sync-looking server; in `stackless` its async twin;
//! * `blocking`, `stackful` and `stackless`: the servers, one a file;
//! * `delay`, `block` and `burn`: waiting, blocking and computing, for so long as asked for;
//! * `stats`: what is counted;
//! * `listen`, `end` and `site`: listening, when to end, and what all servers have in common.

mod answer;
mod block;
mod blocking;
mod burn;
mod connection;
mod corpora;
mod delay;
mod end;
mod listen;
mod options;
mod request;
mod site;
mod stackful;
mod stackless;
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
    let server = options.server;
    let site = Arc::new(Site {
        corpora: Corpora::prepare(options)?,
        counters: Counters::new(server.name(), threads),
        server,
    });
    let address = match server {
        Server::Hyper => stackless::loops::start(options, threads, &site),
        Server::BlockingPool => blocking::pool::start(options, threads, &site),
        Server::BlockingThreads => blocking::threads::start(options, &site),
        Server::StackfulHub => stackful::hub::start(options, 1, &site),
        Server::StackfulHubPerCore => stackful::hub::start(options, threads, &site),
        Server::MayMinihttp => stackful::may_minihttp::start(options, threads, &site),
        Server::StacklessHyper => stackless::multi_thread::start(options, threads, &site),
        Server::StacklessHyperLocal => stackless::local::start(options, 1, &site),
        Server::StacklessHyperPerCore => stackless::local::start(options, threads, &site),
    }?;
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
