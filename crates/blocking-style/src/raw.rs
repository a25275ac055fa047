//! The raw client: one HTTP/1.1 exchange over the runtime's socket and nothing above it.
//! `lane-tokio/src/raw.rs` is its async twin.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use exchange::{Response, Url};
use job::{FetchError, Fetched};

use crate::runtime::{Runtime, Socket, addresses};

/// Connections to a job's one origin that are between two requests, and the way to open more.
pub struct Connections {
    runtime: Arc<dyn Runtime>,
    idle: Mutex<Vec<Connection>>,
    idle_most: usize,
}

struct Connection {
    socket: Box<dyn Socket>,
    request: Vec<u8>,
    response: Response,
}

/// Fetches one document.
///
/// # Errors
///
/// The exchange failed, or what it brought is no document.
pub fn fetch(connections: &Connections, url: &str) -> Result<Fetched, FetchError> {
    let started = Instant::now();
    let parsed = Url::parse(url).map_err(|error| FetchError::new(url, error))?;
    let mut connection =
        connections.take_or_open(&parsed).map_err(|error| FetchError::new(url, error))?;
    connection.exchange(&parsed).map_err(|error| FetchError::new(url, error))?;
    let fetched = Fetched::parse(url, connection.response.body(), started.elapsed());
    connections.give_back(connection);
    fetched
}

type Error = Box<dyn std::error::Error + Send + Sync>;

impl Connections {
    /// None yet; at most `idle_most` are kept between requests.
    pub fn new(runtime: &Arc<dyn Runtime>, idle_most: usize) -> Self {
        Connections { runtime: Arc::clone(runtime), idle: Mutex::default(), idle_most }
    }

    fn take_or_open(&self, url: &Url<'_>) -> Result<Connection, Error> {
        // The one that was used last: its buffers are the warmest.
        let idle = self.lock().pop();
        if let Some(connection) = idle {
            return Ok(connection);
        }
        let mut socket = self.runtime.connect(address(self.runtime.as_ref(), url)?, None)?;
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

fn address(runtime: &dyn Runtime, url: &Url<'_>) -> Result<SocketAddr, Error> {
    let (host, port) = url.host_and_port();
    let mut found = addresses(runtime, host, port)?.into_iter();
    found.next().ok_or_else(|| format!("{host} has no address").into())
}

impl Connection {
    fn exchange(&mut self, url: &Url<'_>) -> Result<(), Error> {
        self.request.clear();
        self.response.clear();
        url.write_request(&mut self.request);
        self.socket.write_all(&self.request)?;
        loop {
            let count = self.socket.read(self.response.spare())?;
            if self.response.filled(count)? {
                return Ok(());
            }
        }
    }
}
