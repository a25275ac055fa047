//! How bytes move on compio: a read is handed to the kernel with its buffer and returns `Pending`, and
//! its completion wakes the task. The stream is compio's own; what is added looks on in a job that is
//! looked at, and tells hyper-util what it asks of a connection.

use std::cell::RefCell;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;

use compio::BufResult;
use compio::buf::{IoBuf, IoBufMut};
use compio::io::util::Splittable;
use compio::io::{AsyncRead, AsyncWrite};
use compio::net::{TcpStream, ToSocketAddrsAsync};
use cyper_core::HyperStream;
use hyper::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use job::{Timeline, timeline};
use send_wrapper::SendWrapper;
use tower_service::Service;

/// A TCP stream whose calls suspend the task. A clone is the same stream.
#[derive(Debug, Clone)]
pub struct Stream {
    stream: TcpStream,
    seen: Option<Rc<RefCell<timeline::Connection>>>,
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
        Ok(Stream { stream, seen: seen.map(|seen| Rc::new(RefCell::new(seen))) })
    }

    /// Sends small segments at once.
    ///
    /// # Errors
    ///
    /// As [`TcpStream::set_nodelay`].
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.stream.set_nodelay(nodelay)
    }
}

/// The first address of a host.
///
/// # Errors
///
/// It has none, or nobody can tell.
pub async fn lookup(host: &str, port: u16) -> io::Result<SocketAddr> {
    let mut found = (host, port).to_socket_addrs_async().await?;
    let none = || io::Error::new(io::ErrorKind::NotFound, format!("{host} has no address"));
    found.next().ok_or_else(none)
}

impl AsyncRead for Stream {
    async fn read<B: IoBufMut>(&mut self, buffer: B) -> BufResult<usize, B> {
        let done = self.stream.read(buffer).await;
        if let (Some(seen), Ok(count)) = (&self.seen, &done.0) {
            seen.borrow_mut().read(*count);
        }
        done
    }
}

impl AsyncWrite for Stream {
    async fn write<B: IoBuf>(&mut self, buffer: B) -> BufResult<usize, B> {
        // Told before: the first bytes of an answer may be there no later than that this is done.
        if let Some(seen) = &self.seen {
            seen.borrow_mut().wrote(buffer.as_init(), Instant::now());
        }
        self.stream.write(buffer).await
    }

    async fn flush(&mut self) -> io::Result<()> {
        self.stream.flush().await
    }

    async fn shutdown(&mut self) -> io::Result<()> {
        self.stream.shutdown().await
    }
}

/// As [`TcpStream`]'s own: one half reads while the other one writes.
impl Splittable for Stream {
    type ReadHalf = Self;
    type WriteHalf = Self;

    fn split(self) -> (Self, Self) {
        (self.clone(), self)
    }
}

/// A stream as hyper asks for one: it lends its buffers, so that bytes are copied between those and
/// others that the kernel is given.
#[derive(Debug)]
pub struct Copied(HyperStream<Stream>);

impl Read for Copied {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl Write for Copied {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffers: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(context, buffers)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

impl Connection for Copied {
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
    type Response = Copied;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Copied>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let timeline = self.timeline.clone();
        // hyper-util's futures may change threads, and compio's may not. None does here.
        Box::pin(SendWrapper::new(async move {
            let address = address(&uri).await?;
            let stream = Stream::connect(address, timeline.as_ref()).await?;
            stream.set_nodelay(true)?;
            Ok(Copied(HyperStream::new_plain(stream)))
        }))
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
