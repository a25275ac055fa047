//! The raw client: one HTTP/1.1 exchange over smol's socket and nothing above it.
//! The async twin of `blocking-style/src/raw.rs`.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use exchange::{Response, Url};
use futures_lite::io::{AsyncReadExt, AsyncWriteExt};
use job::{FetchError, Fetched, Timeline};

use crate::socket::{Stream, lookup};

/// Connections to a job's one origin that are between two requests, and the way to open more.
pub struct Connections {
    timeline: Option<Timeline>,
    idle: Mutex<Vec<Connection>>,
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
        Connections { timeline: timeline.cloned(), idle: Mutex::default(), idle_most }
    }

    async fn take_or_open(&self, url: &Url<'_>) -> Result<Connection, Error> {
        // The one that was used last: its buffers are the warmest.
        let idle = self.lock().pop();
        if let Some(connection) = idle {
            return Ok(connection);
        }
        let socket = Stream::connect(address(url).await?, self.timeline.as_ref()).await?;
        socket.set_nodelay(true)?;
        Ok(Connection { socket, request: Vec::new(), response: Response::default() })
    }

    fn give_back(&self, connection: Connection) {
        let mut idle = self.lock();
        if connection.response.keep_alive() && idle.len() < self.idle_most {
            idle.push(connection);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
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
        self.socket.write_all(&self.request).await?;
        loop {
            let count = self.socket.read(self.response.spare()).await?;
            if self.response.filled(count)? {
                return Ok(());
            }
        }
    }
}
