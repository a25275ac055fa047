//! The raw client: one HTTP/1.1 exchange over compio's socket and nothing above it.
//! The async twin of `blocking-style/src/raw.rs`.

use std::cell::RefCell;
use std::mem;
use std::net::SocketAddr;
use std::time::Instant;

use compio::BufResult;
use compio::buf::{IntoInner, IoBuf};
use compio::io::{AsyncRead, AsyncWriteExt};
use exchange::{Response, Url};
use job::{FetchError, Fetched, Timeline};

use crate::socket::{Stream, lookup};

/// Connections to a job's one origin that are between two requests, and the way to open more. All
/// tasks are on one thread, so that there is nothing to lock.
pub struct Connections {
    timeline: Option<Timeline>,
    idle: RefCell<Vec<Connection>>,
    idle_most: usize,
}

struct Connection {
    socket: Stream,
    request: Vec<u8>,
    response: Response,
}

/// Fetches one document.
///
/// # Errors
///
/// The exchange failed, or what it brought is no document.
pub async fn fetch(connections: &Connections, url: &str) -> Result<Fetched, FetchError> {
    let started = Instant::now();
    let parsed = Url::parse(url).map_err(|error| FetchError::new(url, error))?;
    let mut connection =
        connections.take_or_open(&parsed).await.map_err(|error| FetchError::new(url, error))?;
    connection.exchange(&parsed).await.map_err(|error| FetchError::new(url, error))?;
    let fetched = Fetched::parse(url, connection.response.body(), started.elapsed());
    connections.give_back(connection);
    fetched
}

type Error = Box<dyn std::error::Error + Send + Sync>;

impl Connections {
    /// None yet; at most `idle_most` are kept between requests.
    pub fn new(idle_most: usize, timeline: Option<&Timeline>) -> Self {
        Connections { timeline: timeline.cloned(), idle: RefCell::default(), idle_most }
    }

    async fn take_or_open(&self, url: &Url<'_>) -> Result<Connection, Error> {
        // The one that was used last: its buffers are the warmest.
        let idle = self.idle.borrow_mut().pop();
        if let Some(connection) = idle {
            return Ok(connection);
        }
        let socket = Stream::connect(address(url).await?, self.timeline.as_ref()).await?;
        socket.set_nodelay(true)?;
        Ok(Connection { socket, request: Vec::new(), response: Response::default() })
    }

    fn give_back(&self, connection: Connection) {
        let mut idle = self.idle.borrow_mut();
        if connection.response.keep_alive() && idle.len() < self.idle_most {
            idle.push(connection);
        }
    }
}

async fn address(url: &Url<'_>) -> Result<SocketAddr, Error> {
    if let Ok(address) = url.authority.parse() {
        return Ok(address);
    }
    let (host, port) = url.host_and_port();
    Ok(lookup(host, port).await?)
}

impl Connection {
    async fn exchange(&mut self, url: &Url<'_>) -> Result<(), Error> {
        self.request.clear();
        self.response.clear();
        url.write_request(&mut self.request);
        // The kernel works on buffers after the call has returned, so it is given them, and gives
        // them back.
        let request = mem::take(&mut self.request);
        let BufResult(written, request) = self.socket.write_all(request).await;
        self.request = request;
        written?;
        loop {
            let (buffer, begin) = self.response.lend();
            let end = buffer.len();
            let BufResult(count, spare) = self.socket.read(buffer.slice(begin..end)).await;
            self.response.give_back(spare.into_inner());
            if self.response.filled(count?)? {
                return Ok(());
            }
        }
    }
}
