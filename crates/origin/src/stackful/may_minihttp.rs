//! may_minihttp on may's coroutines: a peer to compare with, not the origin.
//!
//! It reads a request, calls [`HttpService::call`] on the connection's coroutine, which may sleep,
//! and writes the response. Its limits, all of version 0.1.11, each with where it bites:
//!
//! * It never closes a connection, whether the request or the response says `Connection: close`:
//!   `close=1` sends the header, and the client has to act on it.
//! * A body is sent with whatever it answers, so that HEAD is refused with 405.
//! * What is not HTTP, or has more than 16 headers, is closed without an answer. A chunked body is
//!   taken for the next request; one with a length is read here.
//! * The backlog is 1,024, whatever the system grants: larger bursts of connections stall.
//! * Out of descriptors it spins in `accept`, on a worker that then serves nobody.
//! * It never says `100 Continue`, and waits for the body that a client holds back until then.
//! * A length that is no number, and two that differ, are no reason to refuse.
//! * A client that half-closes may go without its answer.
//! * It does not tell which port the system chose: one is found first and then asked for, and
//!   found again if somebody else was faster.
//! * `TCP_NODELAY` stays off.
//! * Headers are `&'static str`, so that the values of `x-delay-us` are leaked. After
//!   [`LINES_MAX`] different ones the header is left out, because rounding would tell a delay
//!   that was not.
//! * A coroutine that sleeps is resumed by may's one timer thread, on which the rest of the
//!   exchange then runs; the median delay is late by 0.08 ms where hyper's is by 0.03. What a request
//!   blocks and burns after its delay, it blocks and burns there: one request after the other on
//!   however many cores, and all other delays wait for it.
//! * It does not notice a client that leaves during a delay: the request stays in flight until
//!   the delay is over.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, LazyLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use may_minihttp::{HttpService, HttpServiceFactory, Request, Response};

use crate::OriginError;
use crate::block::block;
use crate::burn::burn;
use crate::options::Options;
use crate::request::{Refusal, Route, Status, Wanted, route};
use crate::site::Site;
use crate::tell;

/// What `GET /` says of this server.
pub const LIMITS: &str = "\
, with its limits: it never closes a connection (close=1 only sends the
header), refuses HEAD, closes on malformed requests without an answer, cannot read chunked bodies,
has a backlog of 1024 and no TCP_NODELAY, spins when out of descriptors, tells at most 65536
different x-delay-us, keeps a request in flight when its client leaves during a delay, and blocks
and burns CPU after a delay on the one thread that ends all delays.
";

/// The same for whoever starts it, in one line.
const WARNING: &str = "may_minihttp never closes connections, refuses HEAD, has a backlog \
    of 1024 and spins when out of descriptors; GET / lists all its limits";

/// A request takes 20 KiB of stack in a debug build; may's default of 32 leaves too little for a
/// panic beside it. Only what is touched costs memory.
const STACK_BYTES: usize = 64 * 1024;

/// may's default of 1,000 stacks costs 8 MiB and 8 ms at the start.
const STACKS_POOLED: usize = 16;

/// How often to find a free port before giving up.
const PORT_ATTEMPTS: usize = 8;

/// The most values of `x-delay-us` to keep: 5 MB of them.
const LINES_MAX: usize = 65_536;

const JSON: &str = "Content-Type: application/json";
const TEXT: &str = "Content-Type: text/plain; charset=utf-8";

/// Listens and serves `site` from `threads` workers; returns where.
///
/// # Errors
///
/// The address is taken.
pub fn start(
    options: &Options,
    threads: usize,
    site: &Arc<Site>,
) -> Result<SocketAddr, OriginError> {
    let address = options.listen;
    tell(WARNING);
    may::config()
        .set_workers(threads)
        // It takes words.
        .set_stack_size(STACK_BYTES / size_of::<usize>())
        .set_pool_capacity(STACKS_POOLED)
        .set_worker_pin(false);
    let failed = |source| OriginError::listen(address, source);
    let mut attempts_left = PORT_ATTEMPTS;
    loop {
        attempts_left -= 1;
        let found = free_port(address).map_err(failed)?;
        let connections = Connections { site: Arc::clone(site), next: AtomicUsize::new(0) };
        match connections.start(found) {
            Ok(_accepting) => return Ok(found),
            Err(error) if is_worth_another(&error, address) && attempts_left > 0 => {}
            Err(error) => return Err(failed(error)),
        }
    }
}

/// A port that is free now, or the one that was asked for.
fn free_port(address: SocketAddr) -> io::Result<SocketAddr> {
    match address.port() {
        0 => TcpListener::bind(address)?.local_addr(),
        _ => Ok(address),
    }
}

fn is_worth_another(error: &io::Error, address: SocketAddr) -> bool {
    error.kind() == io::ErrorKind::AddrInUse && address.port() == 0
}

/// Makes a [`Connection`] of each connection.
struct Connections {
    site: Arc<Site>,
    next: AtomicUsize,
}

impl HttpServiceFactory for Connections {
    type Service = Connection;

    fn new_service(&self, _descriptor: usize) -> Connection {
        let index = self.next.fetch_add(1, Relaxed);
        Connection { index, site: Arc::clone(&self.site), is_counted: false }
    }
}

/// One connection.
struct Connection {
    index: usize,
    site: Arc<Site>,
    is_counted: bool,
}

impl HttpService for Connection {
    fn call(&mut self, request: Request, response: &mut Response) -> io::Result<()> {
        answer(self, request, response);
        Ok(())
    }
}

/// Answers one request.
fn answer(connection: &mut Connection, request: Request, response: &mut Response) {
    let routed = match request.method() {
        "HEAD" => Err(Refusal::head()),
        method => route(method, request.path()),
    };
    if has_length(&request) {
        // Dropping the reader reads the body, which would else be the next request.
        drop(request.body());
    }
    let site = &connection.site;
    match routed {
        Ok(Route::Document(wanted)) => match site.corpora.find(&wanted) {
            Ok(body) => document(connection, &wanted, body, response),
            Err(refusal) => refuse(&refusal, response),
        },
        Ok(Route::Stats) => respond(response, JSON, site.stats()),
        Ok(Route::StatsReset) => {
            site.counters.reset();
            respond(response, TEXT, "counting from zero\n".to_owned());
        }
        Ok(Route::Help) => respond(response, TEXT, site.help()),
        Err(refusal) => refuse(&refusal, response),
    }
}

/// The library would panic on a length that is not a number.
fn has_length(request: &Request) -> bool {
    let length = request
        .headers()
        .iter()
        .find(|header| header.name.eq_ignore_ascii_case("content-length"))
        .and_then(|header| std::str::from_utf8(header.value).ok());
    length.is_some_and(|length| length.parse::<usize>().is_ok())
}

/// Serves a document, as late as is wanted. The delay is over before anything is blocked or
/// burnt, so what is told and counted of it is the wait alone.
fn document(
    connection: &mut Connection,
    wanted: &Wanted,
    body: &'static str,
    response: &mut Response,
) {
    let Connection { index, site, is_counted } = connection;
    let share = site.counters.share(*index);
    if !std::mem::replace(is_counted, true) {
        share.count_connection();
    }
    let flight = site.counters.take_off();
    let delay = if wanted.delay.is_zero() { Duration::ZERO } else { sleep(wanted.delay) };
    block(wanted.block);
    burn(wanted.burn);
    share.count_served(&flight, body.len(), wanted.delay, delay);
    drop(flight);
    response.header(JSON);
    if let Some(line) = x_delay_us(delay) {
        response.header(line);
    }
    if wanted.close {
        response.header("Connection: close");
    }
    response.body(body);
}

/// Waits for `delay` from now and returns how long that really took.
fn sleep(delay: Duration) -> Duration {
    let start = Instant::now();
    may::coroutine::sleep(delay);
    start.elapsed()
}

/// The header that tells a delay, while there is room for it.
fn x_delay_us(delay: Duration) -> Option<&'static str> {
    static LINES: LazyLock<RwLock<HashMap<u128, &'static str>>> = LazyLock::new(RwLock::default);
    // No lock is held across a suspension here: that would block the worker of whoever waits.
    let microseconds = delay.as_micros();
    if microseconds == 0 {
        return Some("x-delay-us: 0");
    }
    let known = LINES.read().unwrap_or_else(PoisonError::into_inner).get(&microseconds).copied();
    if known.is_some() {
        return known;
    }
    let mut lines = LINES.write().unwrap_or_else(PoisonError::into_inner);
    let has_room = lines.len() < LINES_MAX;
    has_room.then(|| {
        *lines.entry(microseconds).or_insert_with(|| format!("x-delay-us: {microseconds}").leak())
    })
}

fn refuse(refusal: &Refusal, response: &mut Response) {
    match refusal.status {
        Status::BadRequest => response.status_code(400, "Bad Request"),
        Status::NotFound => response.status_code(404, "Not Found"),
        Status::MethodNotAllowed { allow } => {
            let allow = if allow == "POST" { "Allow: POST" } else { "Allow: GET" };
            response.status_code(405, "Method Not Allowed").header(allow)
        }
    };
    respond(response, TEXT, format!("{}\n", refusal.why));
}

fn respond(response: &mut Response, kind: &'static str, body: String) {
    response.header(kind).body_vec(body.into_bytes());
}
