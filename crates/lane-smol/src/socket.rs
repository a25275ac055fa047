//! How bytes move on smol: a read that finds nothing returns `Pending`, and epoll's answer wakes the
//! task. The stream is async-net's; what is added looks on in a job that is looked at, and speaks
//! hyper's own traits. The crate smol-hyper does the latter, too, but has had no release since 2023.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use async_net::TcpStream;
use futures_lite::io::{AsyncRead, AsyncWrite};
use hyper::Uri;
use hyper::rt::ReadBufCursor;
use hyper_util::client::legacy::connect::{Connected, Connection};
use job::{Timeline, timeline};
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

/// The first address of a host.
///
/// # Errors
///
/// It has none, or nobody can tell.
pub async fn lookup(host: &str, port: u16) -> io::Result<SocketAddr> {
    let found = async_net::resolve((host, port)).await?;
    let none = || io::Error::new(io::ErrorKind::NotFound, format!("{host} has no address"));
    found.first().copied().ok_or_else(none)
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if let (Some(seen), Poll::Ready(Ok(count))) = (&mut self.seen, &polled) {
            seen.read(*count);
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

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(context)
    }
}

impl hyper::rt::Read for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let unfilled = buffer.initialize_unfilled();
        let (count, most) =
            (ready!(AsyncRead::poll_read(self, context, unfilled))?, unfilled.len());
        assert!(count <= most, "a read gives no more than it was asked for");
        // SAFETY: all of `unfilled` is initialised, and `count` is within it.
        unsafe { buffer.advance(count) };
        Poll::Ready(Ok(()))
    }
}

impl hyper::rt::Write for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        AsyncWrite::poll_write(self, context, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        AsyncWrite::poll_write_vectored(self, context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_flush(self, context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        AsyncWrite::poll_close(self, context)
    }
}

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

/// Opens connections for hyper-util, as its own connector does on tokio.
#[derive(Debug, Clone)]
pub struct Connector {
    timeline: Option<Timeline>,
}

impl Connector {
    /// Opens connections that are looked at, where there is a timeline.
    pub fn new(timeline: Option<&Timeline>) -> Self {
        Connector { timeline: timeline.cloned() }
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Stream>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let timeline = self.timeline.clone();
        Box::pin(async move {
            let address = address(&uri).await?;
            let stream = Stream::connect(address, timeline.as_ref()).await?;
            stream.set_nodelay(true)?;
            Ok(stream)
        })
    }
}

async fn address(uri: &Uri) -> io::Result<SocketAddr> {
    let refused = |why| io::Error::new(io::ErrorKind::InvalidInput, why);
    if uri.scheme_str() != Some("http") {
        return Err(refused("only http:// is spoken here"));
    }
    let host = uri.host().ok_or_else(|| refused("the URL has no host"))?;
    // An IPv6 address is in brackets in a URL, and nowhere else.
    lookup(host.trim_matches(['[', ']']), uri.port_u16().unwrap_or(80)).await
}
