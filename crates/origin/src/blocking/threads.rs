//! A thread for each connection.
//!
//! ```text
//!   accept ──► thread of connection 1: read, wait, burn, write, read, …
//!         └──► thread of connection 2: …
//! ```
//!
//! The kernel is the scheduler: a thread that waits costs its stack, and one that computes is taken
//! off its processor for the next.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use lane_threads::STACK_BYTES;
use lane_threads::runtime::Threads;
use lane_threads::socket::Stream;

use crate::connection::{Terms, serve};
use crate::delay::without_slack;
use crate::listen::{self, Accepted};
use crate::options::Options;
use crate::site::Site;
use crate::{OriginError, tell};

/// What `GET /` says of this server.
pub const LIMITS: &str = ": as many connections as the system grants threads.\n";

/// Listens and serves `site` from a thread for each connection; returns where.
///
/// # Errors
///
/// The address is taken, or the system has no thread left.
pub fn start(options: &Options, site: &Arc<Site>) -> Result<SocketAddr, OriginError> {
    let failed = |source| OriginError::listen(options.listen, source);
    let listener = listen::listen(options.listen).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let runtime = Arc::new(Threads::PerTask);
    let (site, patience) = (Arc::clone(site), options.patience());
    let terms = Terms { site, runtime, keeps_alive: true, patience };
    thread::Builder::new()
        .name("accept".to_owned())
        .spawn(move || accept(&listener, &terms))
        .map_err(OriginError::system("start the thread that accepts"))?;
    Ok(address)
}

fn accept(listener: &TcpListener, terms: &Terms) {
    let (mut indices, mut shortage_told) = (0.., false);
    let hand_over = |stream| {
        let index = indices.next().expect("a range without an end");
        if let Err(error) = start_thread(terms, index, stream) {
            // This connection is closed. The next waits until threads may have ended.
            terms.site.counters.count_exhausted();
            if !std::mem::replace(&mut shortage_told, true) {
                tell(&format!("connections are closed for want of a thread: {error}"));
            }
            thread::sleep(listen::EXHAUSTED_PAUSE);
        }
    };
    let exhausted = || terms.site.counters.count_exhausted();
    listen::accept_each(listener, Accepted::Blocking, hand_over, exhausted);
}

fn start_thread(terms: &Terms, index: usize, stream: TcpStream) -> std::io::Result<()> {
    let terms = terms.clone();
    let work = move || {
        without_slack();
        serve(&terms, index, Box::new(Stream::from(stream)));
    };
    thread::Builder::new().stack_size(STACK_BYTES).spawn(work).map(drop)
}
