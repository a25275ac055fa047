//! Green threads: one for each connection, on one hub or on one a core.
//!
//! ```text
//!   stackful/hub:            epoll ──► hub: accept, connection 1, connection 2, … each on its stack
//!
//!   stackful/hub-per-core:   SO_REUSEPORT ─┬► epoll ──► hub-0: accept, connections
//!                                          └► epoll ──► hub-1: …
//! ```
//!
//! Each connection runs the function that `blocking/threads` runs. With a hub per core the kernel
//! deals connections out by a hash, and hubs know nothing of each other: with few connections, it is
//! a matter of luck whether all have something to do.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc;
use std::sync::{Arc, atomic::AtomicBool, atomic::Ordering::Relaxed};
use std::thread;

use lane_hub::STACK_BYTES;
use lane_hub::hub::{self, Config};
use lane_hub::runtime::Hub;
use lane_hub::socket::Stream;

use crate::connection::{Terms, serve};
use crate::delay::without_slack;
use crate::listen;
use crate::options::Options;
use crate::site::Site;
use crate::{OriginError, tell};

/// What `GET /` says of this server.
pub const LIMITS: &str = "\
: as many connections as vm.max_map_count allows stacks, two mappings each.
A request that blocks or burns CPU holds up its hub.
";

/// Stacks that are kept for the next connections.
const STACKS_KEPT: usize = 1024;

/// Listens and serves `site` from `hubs` hubs; returns where.
///
/// # Errors
///
/// The address is taken, or the system has no thread, stack or descriptor left.
pub fn start(options: &Options, hubs: usize, site: &Arc<Site>) -> Result<SocketAddr, OriginError> {
    let failed = |source| OriginError::listen(options.listen, source);
    let (address, listeners) = listen::listen_each(options.listen, hubs).map_err(failed)?;
    let runtime = Arc::new(Hub);
    let (site, patience) = (Arc::clone(site), options.patience());
    let terms = Terms { site, runtime, keeps_alive: true, patience };
    for (index, listener) in listeners.into_iter().enumerate() {
        start_hub(index, listener, &terms).map_err(OriginError::system("start a hub"))?;
    }
    Ok(address)
}

/// Starts a hub on a thread of its own, which listens when this returns.
fn start_hub(index: usize, listener: TcpListener, terms: &Terms) -> io::Result<()> {
    let (tell, told) = mpsc::channel();
    let (terms, failed) = (terms.clone(), tell.clone());
    let main = move || {
        let listener = hub::TcpListener::from_std(listener);
        let told = tell.send(listener.as_ref().map(drop).map_err(|error| error.kind().into()));
        if let (Ok(listener), Ok(())) = (listener, told) {
            accept(index, &listener, &terms);
        }
    };
    let run = move || {
        without_slack();
        let config = Config { stack_bytes: STACK_BYTES, stacks_kept: STACKS_KEPT };
        if let Err(error) = hub::run(config, main) {
            // Whoever started it waits for this; later, nobody does.
            let _ = failed.send(Err(error));
        }
    };
    thread::Builder::new().name(format!("hub-{index}")).spawn(run)?;
    told.recv().map_err(io::Error::other)?
}

/// Takes connections in for ever.
fn accept(index: usize, listener: &hub::TcpListener, terms: &Terms) {
    loop {
        let started = listener.accept().and_then(|stream| {
            let terms = terms.clone();
            hub::spawn(move || serve(&terms, index, Box::new(Stream::from(stream))))
        });
        match started {
            // Others first: a flood of connections is no reason to keep those waiting that are served.
            Ok(_) => hub::yield_now(),
            Err(error) => {
                // A connection that could not be accepted stays where it is; trying again at once
                // would spin.
                terms.site.counters.count_exhausted();
                tell_once(&error);
                hub::sleep(listen::EXHAUSTED_PAUSE);
            }
        }
    }
}

fn tell_once(error: &io::Error) {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if listen::is_exhaustion(error) {
        listen::tell_exhausted();
    } else if !TOLD.swap(true, Relaxed) {
        tell(&format!("connections are closed for want of a stack: {error}"));
    }
}
