//! The async server: one connection, from its first request to its end, by hyper.
//!
//! `hyper` and all of `stackless/` run this same function; `connection.rs` above is its sync-looking
//! twin, with the part of HTTP that hyper takes off its hands here.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use super::answer::answer;
use crate::delay::Timer;
use crate::listen;
use crate::site::Site;

/// Bodies up to here are copied behind the head and written as one buffer: at 1.5 KB that takes
/// 0.2 µs less than a vectored write of the two. At 250 KB it takes 10 µs more.
const COPIED_BYTES_MAX: usize = 16 * 1024;

/// What the connections of a loop have in common.
pub struct Terms {
    /// What is served.
    pub site: Arc<Site>,
    /// How a connection waits.
    pub timer: Timer,
    has_large_bodies: bool,
}

impl Terms {
    /// Those of the loop that this runs in.
    ///
    /// # Errors
    ///
    /// The system has no descriptor left.
    pub fn new(site: &Arc<Site>) -> io::Result<Arc<Self>> {
        let has_large_bodies = site.corpora.bytes_max() > COPIED_BYTES_MAX;
        Ok(Arc::new(Terms { site: Arc::clone(site), timer: Timer::new()?, has_large_bodies }))
    }
}

/// One connection.
pub struct Connection {
    pub(super) terms: Arc<Terms>,
    /// Whose share of the counters it counts in.
    pub(super) index: usize,
    pub(super) is_counted: AtomicBool,
}

/// Serves a connection until it ends. How it ends is the client's business: garbage, a reset
/// and a plain close are all the same here.
///
/// # Errors
///
/// Any end but a plain one.
pub async fn serve(terms: Arc<Terms>, index: usize, stream: TcpStream) -> io::Result<()> {
    let mut http = http1::Builder::new();
    http.writev(terms.has_large_bodies);
    let connection = Arc::new(Connection { terms, index, is_counted: AtomicBool::new(false) });
    let service = service_fn(|request| answer(Arc::clone(&connection), request));
    http.serve_connection(TokioIo::new(stream), service).await.map_err(io::Error::other)
}

/// Takes connections in for ever, on the loop itself.
pub async fn accept(terms: &Terms, listener: &TcpListener, mut hand_over: impl FnMut(TcpStream)) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => hand_over(stream),
            Err(error) if listen::is_exhaustion(&error) => {
                // The connection stays in the backlog, so that trying again at once would spin.
                terms.site.counters.count_exhausted();
                listen::tell_exhausted();
                terms.timer.sleep(listen::EXHAUSTED_PAUSE).await;
            }
            // The client gave up before we came to it: the next one counts.
            Err(_) => {}
        }
    }
}
