//! How bytes move on tokio: a read that finds nothing returns `Pending`, and epoll's answer wakes
//! the task. The stream is tokio's own; what is added looks on in a job that is looked at.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use hyper::Uri;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use job::{Timeline, timeline};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tower_service::Service;

/// A TCP stream whose calls suspend the task.
#[derive(Debug)]
pub struct Stream {
    stream: TcpStream,
    seen: Option<timeline::Connection>,
}

impl Stream {
    /// Opens a connection.
    ///
    /// # Errors
    ///
    /// As [`TcpStream::connect`].
    pub async fn connect(address: SocketAddr, timeline: Option<&Timeline>) -> io::Result<Self> {
        let connecting = timeline.map(|timeline| (timeline, Instant::now()));
        let stream = TcpStream::connect(address).await?;
        let seen = connecting.map(|(timeline, connecting)| timeline.connected(connecting));
        Ok(Stream { stream, seen })
    }

    /// Sends small segments at once.
    ///
    /// # Errors
    ///
    /// As [`TcpStream::set_nodelay`].
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.stream.set_nodelay(nodelay)
    }

    fn wrote(&mut self, bytes: &[u8], sending: Option<Instant>, polled: &Poll<io::Result<usize>>) {
        if let (Some(seen), Some(sending), Poll::Ready(Ok(_))) = (&mut self.seen, sending, polled) {
            seen.wrote(bytes, sending);
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if let Some(seen) = &mut self.seen {
            seen.read(buffer.filled().len() - before);
        }
        polled
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let sending = self.seen.as_ref().map(|_| Instant::now());
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(bytes, sending, &polled);
        polled
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let sending = self.seen.as_ref().map(|_| Instant::now());
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, buffers);
        if let Some(head) = buffers.first() {
            self.wrote(head, sending, &polled);
        }
        polled
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        self.stream.connected()
    }
}

/// hyper-util's connector, whose streams are [`Stream`]s.
#[derive(Debug, Clone)]
pub struct Connector {
    http: HttpConnector,
    timeline: Option<Timeline>,
}

impl Connector {
    /// Opens connections as `http` does.
    pub fn new(http: HttpConnector, timeline: Option<&Timeline>) -> Self {
        Connector { http, timeline: timeline.cloned() }
    }
}

type Error = <HttpConnector as Service<Uri>>::Error;

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.http.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.timeline.clone().map(|timeline| (timeline, Instant::now()));
        let opening = self.http.call(uri);
        Box::pin(async move {
            let stream = opening.await?.into_inner();
            let seen = connecting.map(|(timeline, connecting)| timeline.connected(connecting));
            Ok(TokioIo::new(Stream { stream, seen }))
        })
    }
}
