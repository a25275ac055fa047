//! A fixed number of threads, each with one connection at a time.
//!
//! ```text
//!   backlog: connections that wait ──► accept ──► worker-0: read, wait, burn, write, close
//!                                           └───► worker-1: …
//! ```
//!
//! The queue is the kernel's own: workers take from it when they are free, and nobody else does. A
//! connection is closed after one answer, as gunicorn's sync workers do it: a worker that kept one
//! would be one client's alone, for as long as that client likes.

use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use lane_threads::STACK_BYTES;
use lane_threads::runtime::Threads;
use lane_threads::socket::Stream;

use crate::OriginError;
use crate::connection::{Terms, serve};
use crate::delay::without_slack;
use crate::listen::{self, Accepted};
use crate::options::Options;
use crate::site::Site;

/// What `GET /` says of this server.
pub const LIMITS: &str = "\
: so many requests at once as it has threads, others wait to be accepted. It
closes each connection after one answer, and a slow client holds a thread for --patience seconds.
";

/// Listens and serves `site` from `threads` workers; returns where.
///
/// # Errors
///
/// The address is taken, or the system has no thread left.
pub fn start(
    options: &Options,
    threads: usize,
    site: &Arc<Site>,
) -> Result<SocketAddr, OriginError> {
    let failed = |source| OriginError::listen(options.listen, source);
    let listener = Arc::new(listen::listen(options.listen).map_err(failed)?);
    let address = listener.local_addr().map_err(failed)?;
    let runtime = Arc::new(Threads::PerTask);
    let (site, patience) = (Arc::clone(site), options.patience());
    let terms = Terms { site, runtime, keeps_alive: false, patience };
    for index in 0..threads {
        let (listener, terms) = (Arc::clone(&listener), terms.clone());
        let work = move || {
            without_slack();
            let serve_one = |stream| {
                let serve = || serve(&terms, index, Box::new(Stream::from(stream)));
                // A panic ends one connection, not the worker; the hook has told it.
                let _ = catch_unwind(AssertUnwindSafe(serve));
            };
            let exhausted = || terms.site.counters.count_exhausted();
            listen::accept_each(&listener, Accepted::Blocking, serve_one, exhausted);
        };
        spawn(index, work).map_err(OriginError::system("start a worker"))?;
    }
    Ok(address)
}

fn spawn(index: usize, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let worker = thread::Builder::new().name(format!("worker-{index}")).stack_size(STACK_BYTES);
    worker.spawn(work).map(drop)
}
