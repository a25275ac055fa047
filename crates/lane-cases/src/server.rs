//! A server that does to its clients what servers do, each on a path of its own.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;
use job::Corpus;
use ureq::tls::TlsConfig;

use crate::tls::Identity;

/// Serves until the process ends; each connection has a thread.
pub struct OddServer {
    /// Where it serves plain HTTP.
    pub plain: SocketAddr,
    /// Where it serves HTTP over TLS.
    pub tls: SocketAddr,
    identity: Identity,
    connections: Arc<AtomicU64>,
}

/// Both kinds of connection, to the paths below.
trait Stream: Read + Write {}

impl<T: Read + Write> Stream for T {}

impl OddServer {
    /// Starts on two free ports of the loopback interface.
    pub fn start() -> Self {
        let identity = Identity::new();
        let connections = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&connections);
        let plain = listen(move |stream| {
            count.fetch_add(1, Ordering::SeqCst);
            let reset = stream.try_clone()?;
            serve(stream, &reset)
        });
        let config = Arc::clone(&identity.server);
        let tls = listen(move |stream| {
            let connection =
                rustls::ServerConnection::new(Arc::clone(&config)).map_err(io::Error::other)?;
            let reset = stream.try_clone()?;
            serve(rustls::StreamOwned::new(connection, stream), &reset)
        });
        OddServer { plain, tls, identity, connections }
    }

    /// How many plain connections were accepted.
    pub fn connections(&self) -> u64 {
        self.connections.load(Ordering::SeqCst)
    }

    /// TLS settings for a client that trusts this server.
    pub fn trusted(&self) -> TlsConfig {
        self.identity.trusted()
    }
}

fn listen(serve: impl Fn(TcpStream) -> io::Result<()> + Send + Sync + 'static) -> SocketAddr {
    let listener =
        TcpListener::bind("127.0.0.1:0").expect("the loopback interface has a free port");
    let address = listener.local_addr().expect("a bound socket has an address");
    let serve = Arc::new(serve);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let serve = Arc::clone(&serve);
            // A client that gives up, as many cases make it do, is no failure here.
            thread::spawn(move || drop(serve(stream)));
        }
    });
    address
}

/// Answers requests until the connection is over. `socket` is the same connection, for the one
/// case that needs more than bytes.
fn serve(stream: impl Stream, socket: &TcpStream) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    while let Some(path) = read_request(&mut stream)? {
        if !answer(&path, stream.get_mut(), socket)? {
            break;
        }
    }
    Ok(())
}

/// The path of the next request, or nothing when the client has closed.
fn read_request(stream: &mut impl BufRead) -> io::Result<Option<String>> {
    let mut first = String::new();
    let mut line = String::new();
    stream.read_line(&mut first)?;
    while stream.read_line(&mut line)? > 0 && !line.trim_end().is_empty() {
        line.clear();
    }
    Ok(first.split(' ').nth(1).map(str::to_owned))
}

/// Answers one request; true when the connection goes on.
fn answer(path: &str, stream: &mut impl Stream, socket: &TcpStream) -> io::Result<bool> {
    let body = document(1_500);
    match path {
        "/plain" => whole(stream, "", &body)?,
        "/big" => whole(stream, "", &document(250_000))?,
        "/deep" => whole(stream, "", &deep_document())?,
        "/many-headers" => whole(stream, &"x-filler: 0123456789\r\n".repeat(60), &body)?,
        "/gzip" => whole(stream, "Content-Encoding: gzip\r\n", &gzip(&body)?)?,
        "/chunked" => chunked(stream, &body)?,
        "/drip" => drip(stream, &body)?,
        "/redirect" => {
            stream.write_all(
                b"HTTP/1.1 302 Found\r\nLocation: /plain\r\nContent-Length: 0\r\n\r\n",
            )?;
        }
        "/close" => {
            // No length: the end of the connection is the end of the body.
            stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
            stream.write_all(&body)?;
            return Ok(false);
        }
        "/cut" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1500\r\n\r\n{\"id\":")?;
            return Ok(false);
        }
        "/reset" => {
            // With a linger of 0 the close below is a RST.
            rustix::net::sockopt::set_socket_linger(socket, Some(std::time::Duration::ZERO))?;
            return Ok(false);
        }
        "/garbage" => {
            stream.write_all(b"\x16\x03\x01 this is not HTTP\r\n\r\n")?;
            return Ok(false);
        }
        "/not-json" => whole(stream, "", b"<html>It works!</html>")?,
        "/silent" => wait_for_close(stream)?,
        "/silent-body" => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1500\r\n\r\n{")?;
            stream.flush()?;
            wait_for_close(stream)?;
        }
        _ => stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")?,
    }
    stream.flush()?;
    Ok(true)
}

fn document(bytes: usize) -> Vec<u8> {
    let corpus = Corpus::generated(7, bytes, 1).expect("the size holds a document");
    corpus.iter().next().expect("one was asked for").1.to_vec()
}

/// A document with a field nested as deep as serde_json reads, for the stack's sake.
fn deep_document() -> Vec<u8> {
    let mut text = String::from_utf8(document(1_500)).expect("JSON is UTF-8");
    let nested = "[".repeat(120) + &"]".repeat(120);
    text.insert_str(1, &format!("\"past_types\":{nested},"));
    text.into_bytes()
}

fn whole(stream: &mut impl Stream, headers: &str, body: &[u8]) -> io::Result<()> {
    write!(stream, "HTTP/1.1 200 OK\r\n{headers}Content-Length: {}\r\n\r\n", body.len())?;
    stream.write_all(body)
}

fn gzip(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}

fn chunked(stream: &mut impl Stream, body: &[u8]) -> io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
    for chunk in body.chunks(100) {
        write!(stream, "{:x}\r\n", chunk.len())?;
        stream.write_all(chunk)?;
        stream.write_all(b"\r\n")?;
    }
    stream.write_all(b"0\r\n\r\n")
}

/// Small pieces with a flush after each, so that the client waits in the middle of everything.
fn drip(stream: &mut impl Stream, body: &[u8]) -> io::Result<()> {
    let mut all = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    all.extend(body);
    for piece in all.chunks(16) {
        stream.write_all(piece)?;
        stream.flush()?;
        thread::yield_now();
    }
    Ok(())
}

/// Says nothing until the client has had enough.
fn wait_for_close(stream: &mut impl Stream) -> io::Result<()> {
    while stream.read(&mut [0; 64])? > 0 {}
    Ok(())
}
