//! hyper on single-threaded loops that accept for themselves: on one, or on one a core.
//!
//! ```text
//!   stackless/hyper-local:      epoll ──► loop: accept, connections
//!
//!   stackless/hyper-per-core:   SO_REUSEPORT ─┬► epoll ──► loop-0: accept, connections
//!                                             └► epoll ──► loop-1: …
//! ```
//!
//! A loop is a `LocalRuntime`: what it runs need not be `Send`. With a loop per core the kernel deals
//! connections out by a hash, as it does with `stackful/hub-per-core`.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, mpsc};
use std::thread;

use tokio::task::spawn_local;

use super::connection::{Terms, accept, serve};
use super::loops::runtime;
use crate::OriginError;
use crate::listen;
use crate::options::Options;
use crate::site::Site;

/// What `GET /` says of this server.
pub const LIMITS: &str = ": a request that blocks or burns CPU holds up its loop.\n";

/// Listens and serves `site` from `loops` loops; returns where.
///
/// # Errors
///
/// The address is taken, or the system has no thread or descriptor left.
pub fn start(options: &Options, loops: usize, site: &Arc<Site>) -> Result<SocketAddr, OriginError> {
    let failed = |source| OriginError::listen(options.listen, source);
    let (address, listeners) = listen::listen_each(options.listen, loops).map_err(failed)?;
    for (index, listener) in listeners.into_iter().enumerate() {
        start_loop(index, listener, site).map_err(OriginError::system("start a loop"))?;
    }
    Ok(address)
}

/// Starts a loop on a thread of its own, which listens when this returns.
fn start_loop(index: usize, listener: TcpListener, site: &Arc<Site>) -> io::Result<()> {
    let (tell, told) = mpsc::channel();
    let site = Arc::clone(site);
    let run = move || match runtime(&site) {
        Ok((runtime, terms)) => {
            let _ = tell.send(Ok(()));
            runtime.block_on(serve_each(index, listener, terms))
        }
        Err(error) => {
            let _ = tell.send(Err(error));
            Ok(())
        }
    };
    thread::Builder::new().name(format!("loop-{index}")).spawn(run)?;
    told.recv().map_err(io::Error::other)?
}

/// Serves the connections that come.
async fn serve_each(index: usize, listener: TcpListener, terms: Arc<Terms>) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let hand_over = |stream| drop(spawn_local(serve(Arc::clone(&terms), index, stream)));
    accept(&terms, &listener, hand_over).await;
    Ok(())
}
