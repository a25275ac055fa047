//! The origin itself: hyper on single-threaded tokio loops.
//!
//! One thread accepts and deals connections out to the loops in turn. The other way, a listener
//! for each loop with `SO_REUSEPORT`, was measured on 2 cores with 2 loops: as many requests a
//! second on connections that are kept alive (108,900 to 105,400 under `wrk -t1 -c64`, the
//! difference is noise), and 3 % more when each request opens its own (21,200 to 20,500). But
//! there the kernel deals by a hash, so that the load of a loop is a matter of luck where there
//! are few connections: 4 of them all meet on one of 2 loops in one run of 8. An even load is
//! worth more to a measurement than 1 µs a connection. The accepting thread being nobody's loop,
//! connections are also taken in while requests burn CPU.
//!
//! A loop is a `LocalRuntime`: nothing in it is `Send`, and there is no `LocalSet`, which would be
//! a second scheduler inside the first.

use std::cell::Cell;
use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;
use std::sync::{Arc, mpsc as std_mpsc};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::runtime::{Builder, LocalOptions, LocalRuntime};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::OriginError;
use crate::burn::burn;
use crate::delay::Timer;
use crate::listen;
use crate::request::{Refusal, Route, Status, Wanted, route};
use crate::site::Site;

/// What `GET /` says of this server.
pub const LIMITS: &str = "Served by hyper, without limits worth telling.\n";

/// Bodies up to here are copied behind the head and written as one buffer: at 1.5 KB that takes
/// 0.2 µs less than a vectored write of the two. At 250 KB it takes 10 µs more.
const COPIED_BYTES_MAX: usize = 16 * 1024;

const X_DELAY_US: HeaderName = HeaderName::from_static("x-delay-us");
const CLOSE: HeaderValue = HeaderValue::from_static("close");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");

/// Listens on `address` and serves `site` from `threads` loops; returns where.
///
/// # Errors
///
/// The address is taken, or the system has no thread or descriptor left.
pub fn start(
    address: SocketAddr,
    threads: usize,
    site: &Arc<Site>,
) -> Result<SocketAddr, OriginError> {
    let failed = |source| OriginError::listen(address, source);
    let listener = listen::listen(address).map_err(failed)?;
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
        listen::accept_each(&listener, hand_over, || site.counters.count_exhausted());
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
    let run = move || match Loop::new(index, site) {
        Ok((runtime, on)) => {
            let _ = tell.send(Ok(()));
            runtime.block_on(on.run(connections));
        }
        Err(error) => drop(tell.send(Err(error))),
    };
    thread::Builder::new().name(format!("loop-{index}")).spawn(run)?;
    told.recv().map_err(io::Error::other)??;
    Ok(sender)
}

/// One thread that serves.
struct Loop {
    index: usize,
    site: Arc<Site>,
    timer: Timer,
    has_large_bodies: bool,
}

impl Loop {
    fn new(index: usize, site: Arc<Site>) -> io::Result<(LocalRuntime, Rc<Self>)> {
        let runtime =
            Builder::new_current_thread().enable_io().build_local(LocalOptions::default())?;
        let timer = runtime.block_on(async { Timer::new() })?;
        let has_large_bodies = site.corpora.bytes_max() > COPIED_BYTES_MAX;
        Ok((runtime, Rc::new(Loop { index, site, timer, has_large_bodies })))
    }

    /// Serves the connections that come.
    async fn run(self: Rc<Self>, mut connections: UnboundedReceiver<TcpStream>) {
        let on = Rc::clone(&self);
        tokio::task::spawn_local(async move { on.timer.drive().await });
        while let Some(stream) = connections.recv().await {
            tokio::task::spawn_local(serve(Rc::clone(&self), stream));
        }
    }
}

/// Serves one connection until it ends. How it ends is the client's business: garbage, a reset
/// and a plain close are all the same here.
async fn serve(on: Rc<Loop>, stream: TcpStream) -> io::Result<()> {
    let stream = TokioIo::new(tokio::net::TcpStream::from_std(stream)?);
    let mut http = http1::Builder::new();
    http.writev(on.has_large_bodies);
    let connection = Rc::new(Connection { on, is_counted: Cell::new(false) });
    let service = service_fn(|request| answer(Rc::clone(&connection), request));
    http.serve_connection(stream, service).await.map_err(io::Error::other)
}

/// One connection.
struct Connection {
    on: Rc<Loop>,
    is_counted: Cell<bool>,
}

/// Answers one request.
async fn answer(
    connection: Rc<Connection>,
    mut request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let site = &connection.on.site;
    let target = request.uri().path_and_query().map_or("", |target| target.as_str());
    let routed = route(request.method().as_str(), target);
    // The response takes the request's map over, and hyper the response's for the next request:
    // a connection that is kept alive allocates none.
    let mut headers = std::mem::take(request.headers_mut());
    headers.clear();
    drop(request);
    Ok(match routed {
        Ok(Route::Document(wanted)) => match site.corpora.find(&wanted) {
            Ok(body) => document(&connection, &wanted, body, headers).await,
            Err(refusal) => refuse(refusal),
        },
        Ok(Route::Stats) => response(StatusCode::OK, JSON, site.stats().into()),
        Ok(Route::StatsReset) => {
            site.counters.reset();
            response(StatusCode::OK, TEXT, Bytes::from_static(b"counting from zero\n"))
        }
        Ok(Route::Help) => response(StatusCode::OK, TEXT, site.help().into()),
        Err(refusal) => refuse(refusal),
    })
}

/// Serves a document, as late as is wanted.
async fn document(
    connection: &Connection,
    wanted: &Wanted,
    body: &'static str,
    mut headers: HeaderMap,
) -> Response<Full<Bytes>> {
    let Loop { index, site, timer, .. } = &*connection.on;
    let share = site.counters.share(*index);
    if !connection.is_counted.replace(true) {
        share.count_connection();
    }
    let flight = site.counters.take_off();
    burn(wanted.burn);
    let mut delay = Duration::ZERO;
    let mut x_delay_us = HeaderValue::from_static("0");
    if !wanted.delay.is_zero() {
        delay = timer.sleep(wanted.delay).await;
        x_delay_us = u64::try_from(delay.as_micros()).unwrap_or(u64::MAX).into();
    }
    share.count_served(&flight, body.len(), wanted.delay, delay);
    drop(flight);
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(X_DELAY_US, x_delay_us);
    if wanted.close {
        headers.insert(CONNECTION, CLOSE);
    }
    let mut response = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    *response.headers_mut() = headers;
    response
}

fn refuse(refusal: Refusal) -> Response<Full<Bytes>> {
    let (status, allow) = match refusal.status {
        Status::BadRequest => (StatusCode::BAD_REQUEST, None),
        Status::NotFound => (StatusCode::NOT_FOUND, None),
        Status::MethodNotAllowed { allow } => (StatusCode::METHOD_NOT_ALLOWED, Some(allow)),
    };
    let mut response = response(status, TEXT, format!("{}\n", refusal.why).into());
    if let Some(allow) = allow {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    }
    response
}

fn response(status: StatusCode, kind: HeaderValue, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
