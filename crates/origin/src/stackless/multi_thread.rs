//! hyper on tokio's multi-thread runtime, as most programs have it.
//!
//! ```text
//!   epoll ──► whichever worker waits ──► queues ─┬► worker-0: accept, connections
//!                                          ▲     └► worker-1: …
//!                                          └─ who has nothing to do takes from the others
//! ```
//!
//! Tasks go to whoever is idle, so that a request which blocks or burns CPU holds up its worker and
//! nobody's queue. Delays have one timer, for which the workers share a lock.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, mpsc};
use std::thread;

use tokio::runtime::{Builder, Runtime};

use super::connection::{Terms, accept, serve};
use crate::OriginError;
use crate::listen;
use crate::options::Options;
use crate::site::Site;

/// What `GET /` says of this server.
pub const LIMITS: &str = ", without limits worth telling.\n";

/// Listens and serves `site` from `threads` workers; returns where.
///
/// # Errors
///
/// The address is taken, or the system has no thread or descriptor left.
pub fn start(
    options: &Options,
    threads: usize,
    site: &Arc<Site>,
) -> Result<SocketAddr, OriginError> {
    let failed = |source| OriginError::listen(options.listen, source);
    let listener = listen::listen(options.listen).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let start = start_runtime(threads, listener, site);
    start.map_err(OriginError::system("start the runtime"))?;
    Ok(address)
}

fn start_runtime(threads: usize, listener: TcpListener, site: &Arc<Site>) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let runtime = Builder::new_multi_thread().worker_threads(threads).enable_io().build()?;
    let (tell, told) = mpsc::channel();
    let site = Arc::clone(site);
    let serve = async move |runtime: &Runtime| {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let terms = Terms::new(&site)?;
        let driven = Arc::clone(&terms);
        runtime.spawn(async move { driven.timer.drive().await });
        runtime.spawn(serve_each(listener, terms));
        io::Result::Ok(())
    };
    // A runtime ends with who owns it, which is a thread that has nothing else to do.
    let keep = move || {
        let _ = tell.send(runtime.block_on(serve(&runtime)));
        runtime.block_on(std::future::pending::<()>());
    };
    thread::Builder::new().name("runtime".to_owned()).spawn(keep)?;
    told.recv().map_err(io::Error::other)?
}

/// Serves the connections that come.
async fn serve_each(listener: tokio::net::TcpListener, terms: Arc<Terms>) {
    let mut index = 0;
    let hand_over = |stream| {
        index += 1;
        drop(tokio::spawn(serve(Arc::clone(&terms), index, stream)));
    };
    accept(&terms, &listener, hand_over).await;
}
