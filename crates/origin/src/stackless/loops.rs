//! The origin itself: hyper on single-threaded tokio loops.
//!
//! One thread accepts and deals connections out to the loops in turn. The other way, a listener
//! for each loop with `SO_REUSEPORT` (`local.rs`), was measured on 2 cores with 2 loops: as many requests a
//! second on connections that are kept alive (108,900 to 105,400 under `wrk -t1 -c64`, the
//! difference is noise), and 3 % more when each request opens its own (21,200 to 20,500). But
//! there the kernel deals by a hash, so that the load of a loop is a matter of luck where there
//! are few connections: 4 of them all meet on one of 2 loops in one run of 8. An even load is
//! worth more to a measurement than 1 µs a connection. The accepting thread being nobody's loop,
//! connections are also taken in while requests block or burn CPU.
//!
//! A loop is a `LocalRuntime`: nothing in it is `Send`, and there is no `LocalSet`, which would be
//! a second scheduler inside the first.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, mpsc as std_mpsc};
use std::thread;

use tokio::runtime::{Builder, LocalOptions, LocalRuntime};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::spawn_local;

use super::connection::{Terms, serve};
use crate::OriginError;
use crate::listen::{self, Accepted};
use crate::options::Options;
use crate::site::Site;

/// What `GET /` says of this server.
pub const LIMITS: &str = ", without limits worth telling.\n";

/// Listens and serves `site` from `threads` loops; returns where.
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
    let loops = (0..threads)
        .map(|index| start_loop(index, site))
        .collect::<io::Result<Vec<_>>>()
        .map_err(OriginError::system("start a loop"))?;
    let (mut turns, site) = ((0..threads).cycle(), Arc::clone(site));
    let accept = move || {
        let hand_over = |stream| {
            let turn = turns.next().expect("a cycle has no end");
            // A loop ends with the process, and never before.
            let _ = loops[turn].send(stream);
        };
        listen::accept_each(&listener, Accepted::NonBlocking, hand_over, || {
            site.counters.count_exhausted()
        });
    };
    thread::Builder::new()
        .name("accept".to_owned())
        .spawn(accept)
        .map_err(OriginError::system("start the thread that accepts"))?;
    Ok(address)
}

/// Starts a loop on a thread of its own, and returns where to send it connections.
fn start_loop(index: usize, site: &Arc<Site>) -> io::Result<UnboundedSender<TcpStream>> {
    let (sender, connections) = unbounded_channel();
    let (tell, told) = std_mpsc::channel();
    let site = Arc::clone(site);
    let run = move || match runtime(&site) {
        Ok((runtime, terms)) => {
            let _ = tell.send(Ok(()));
            runtime.block_on(serve_each(index, terms, connections));
        }
        Err(error) => drop(tell.send(Err(error))),
    };
    thread::Builder::new().name(format!("loop-{index}")).spawn(run)?;
    told.recv().map_err(io::Error::other)??;
    Ok(sender)
}

/// A loop, and what its connections have in common. Its delays are driven once it runs.
///
/// # Errors
///
/// The system has no descriptor left.
pub fn runtime(site: &Arc<Site>) -> io::Result<(LocalRuntime, Arc<Terms>)> {
    let runtime = Builder::new_current_thread().enable_io().build_local(LocalOptions::default())?;
    let terms = runtime.block_on(async { Terms::new(site) })?;
    let driven = Arc::clone(&terms);
    runtime.spawn_local(async move { driven.timer.drive().await });
    Ok((runtime, terms))
}

/// Serves the connections that come.
async fn serve_each(
    index: usize,
    terms: Arc<Terms>,
    mut connections: UnboundedReceiver<TcpStream>,
) {
    while let Some(stream) = connections.recv().await {
        // A connection that the loop cannot watch is closed.
        if let Ok(stream) = tokio::net::TcpStream::from_std(stream) {
            spawn_local(serve(Arc::clone(&terms), index, stream));
        }
    }
}
