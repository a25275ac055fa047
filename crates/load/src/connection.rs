//! One request and its answer, over tokio's socket.

use std::io;
use std::time::Instant;

use exchange::Response;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::site::{Exchange, Site};

/// A connection between two requests.
#[derive(Debug)]
pub struct Connection {
    socket: TcpStream,
    response: Response,
}

/// When one request did what.
#[derive(Debug, Clone, Copy)]
pub struct Moments {
    pub sent: Instant,
    pub first_byte: Instant,
    pub last_byte: Instant,
}

impl Connection {
    pub async fn open(site: &Site) -> Result<Self, String> {
        let socket = TcpStream::connect(site.address).await.map_err(|e| format!("connect: {e}"))?;
        socket.set_nodelay(true).map_err(|error| format!("connect: {error}"))?;
        Ok(Connection { socket, response: Response::default() })
    }

    /// Asks, and compares what comes with what should.
    pub async fn exchange(&mut self, exchange: &Exchange) -> Result<Moments, String> {
        let moments = self.ask(&exchange.request).await?;
        if self.response.body() != exchange.body {
            return Err("the body is not the document that was asked for".into());
        }
        Ok(moments)
    }

    /// Asks, and takes whatever document comes.
    pub async fn ask(&mut self, request: &[u8]) -> Result<Moments, String> {
        self.send(request).await?;
        self.response.clear();
        let sent = Instant::now();
        let mut first_byte = None;
        loop {
            let read = self.socket.read(self.response.spare()).await;
            let count = read.map_err(|error| format!("read: {error}"))?;
            let first_byte = *first_byte.get_or_insert_with(Instant::now);
            if self.response.filled(count).map_err(|error| error.to_string())? {
                return Ok(Moments { sent, first_byte, last_byte: Instant::now() });
            }
        }
    }

    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.socket.write_all(bytes).await.map_err(|error| format!("write: {error}"))
    }

    /// Whether it can carry another request.
    pub fn is_kept(&self) -> bool {
        self.response.keep_alive()
    }

    /// Whether the server has not closed it; bytes that nobody asked for are no sign of that.
    pub fn is_open(&self) -> bool {
        match self.socket.try_read(&mut [0]) {
            Ok(0) => false,
            Ok(_) => true,
            Err(error) => error.kind() == io::ErrorKind::WouldBlock,
        }
    }
}
