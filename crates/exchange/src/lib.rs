//! One HTTP/1.1 GET exchange without I/O: what to send, and when the response is whole.
//!
//! The client `raw` of every lane is this exchange over the runtime's own stream. Because it does
//! no I/O, blocking and async code share it to the letter, and what differs between two raw lanes
//! is the model alone.
//!
//! ```text
//!            write_request                      Response
//!   url ──► "GET … HTTP/1.1" ──► stream ──► spare() ► filled(n) ► … ► true ──► body()
//! ```
//!
//! It speaks the part of HTTP that the origin speaks, status 200 with a `Content-Length`, and
//! refuses the rest by name: it is a yardstick, not a client for the open Internet.
//!
//! [`server`] is the other side, for servers of sync-looking code.
//!
//! ```
//! use exchange::{Response, Url};
//!
//! let url = Url::parse("http://127.0.0.1:8080/a?b=1").unwrap();
//! let mut request = Vec::new();
//! url.write_request(&mut request);
//! assert!(request.starts_with(b"GET /a?b=1 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n"));
//!
//! let mut response = Response::default();
//! let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
//! response.spare()[..bytes.len()].copy_from_slice(bytes);
//! assert!(response.filled(bytes.len()).unwrap());
//! assert_eq!(response.body(), b"{}");
//! ```

use thiserror::Error;

pub mod server;

/// Room for the head and a small body; a larger body makes the buffer grow once, to its size.
const FIRST_BUFFER_BYTES: usize = 2 * 1024;

/// A head larger than this is not from a server that this client is meant for.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// A body larger than this is taken for a mistake rather than for memory to reserve, by every
/// client of this workspace.
pub const BODY_BYTES_MAX: usize = 1024 * 1024 * 1024;

/// More header fields than this are refused.
const HEADER_FIELDS_MAX: usize = 32;

/// Why an exchange came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ExchangeError {
    /// Not `http://host[:port]/path`.
    #[error("not an http:// URL with a host")]
    Url,
    /// Bytes that are not an HTTP/1.x response.
    #[error("the response is not HTTP: {0}")]
    NotHttp(httparse::Error),
    /// Another status than 200.
    #[error("status {0}")]
    Status(u16),
    /// A body that is chunked or compressed.
    #[error("the body is chunked or compressed, which the raw client does not read")]
    Coded,
    /// A `Content-Length` that is no number, or two that differ.
    #[error("the response's Content-Length is no length")]
    BadLength,
    /// A response without `Content-Length`.
    #[error("the response has no Content-Length, which the raw client needs")]
    NoLength,
    /// A head of more than 16 KiB.
    #[error("the response's head has more than {HEAD_BYTES_MAX} bytes")]
    HeadTooLarge,
    /// A body of more than 1 GiB.
    #[error("the response's body has {0} bytes, and {BODY_BYTES_MAX} is the most")]
    BodyTooLarge(usize),
    /// The peer closed before the response was whole.
    #[error("the connection closed after {got} bytes of an unfinished response")]
    Closed {
        /// Bytes that had arrived.
        got: usize,
    },
}

/// An `http://` URL, split into what a connection and a request need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Url<'a> {
    /// `host:port` or `host`, as the `Host` header repeats it.
    pub authority: &'a str,
    /// Path and query.
    pub path: &'a str,
}

impl<'a> Url<'a> {
    /// Splits `url`.
    ///
    /// # Errors
    ///
    /// Another scheme than `http`, no host, or a query without a path.
    pub fn parse(url: &'a str) -> Result<Self, ExchangeError> {
        let rest = url.strip_prefix("http://").ok_or(ExchangeError::Url)?;
        // A fragment is the client's own and is never sent (RFC 9110, section 4.2.5).
        let rest = rest.split_once('#').map_or(rest, |(rest, _fragment)| rest);
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        if authority.is_empty() || path.starts_with('?') {
            return Err(ExchangeError::Url);
        }
        Ok(Url { authority, path: if path.is_empty() { "/" } else { path } })
    }

    /// Host and port; the port is 80 unless the URL names one.
    pub fn host_and_port(&self) -> (&'a str, u16) {
        let named = self.authority.rsplit_once(':');
        match named.and_then(|(host, port)| Some((host, port.parse().ok()?))) {
            Some(host_and_port) => host_and_port,
            None => (self.authority, 80),
        }
    }

    /// Appends the request that asks for this URL and keeps the connection.
    pub fn write_request(&self, out: &mut Vec<u8>) {
        for part in ["GET ", self.path, " HTTP/1.1\r\nHost: ", self.authority, "\r\n\r\n"] {
            out.extend_from_slice(part.as_bytes());
        }
    }
}

/// A response as it arrives. It is kept with its connection, so that its buffer is used again.
#[derive(Debug, Default)]
pub struct Response {
    buffer: Vec<u8>,
    filled: usize,
    head: Option<Head>,
}

#[derive(Debug, Clone, Copy)]
struct Head {
    bytes: usize,
    body_bytes: usize,
    keep_alive: bool,
}

impl Response {
    /// Forgets the last response and keeps the buffer.
    pub fn clear(&mut self) {
        self.filled = 0;
        self.head = None;
    }

    /// Where the next bytes from the stream go; never empty while the response is unfinished.
    pub fn spare(&mut self) -> &mut [u8] {
        let wanted = match self.head {
            Some(head) => head.bytes + head.body_bytes,
            None if self.filled < self.buffer.len() => self.buffer.len(),
            None => (2 * self.buffer.len()).max(FIRST_BUFFER_BYTES),
        };
        if self.buffer.len() < wanted {
            self.buffer.resize(wanted, 0);
        }
        &mut self.buffer[self.filled..]
    }

    /// What [`spare`](Response::spare) is part of, and the place in it where that begins, for a
    /// stream that must own what it reads into. Nothing else may be asked of the response until
    /// [`give_back`](Response::give_back).
    pub fn lend(&mut self) -> (Vec<u8>, usize) {
        self.spare();
        (std::mem::take(&mut self.buffer), self.filled)
    }

    /// Has the buffer again that was lent.
    pub fn give_back(&mut self, buffer: Vec<u8>) {
        self.buffer = buffer;
    }

    /// Takes note of `count` more bytes in [`spare`](Response::spare); true when the response is
    /// whole.
    ///
    /// # Errors
    ///
    /// The response is not one that this client reads, or `count` is 0, which is how a stream
    /// says that its peer has closed.
    pub fn filled(&mut self, count: usize) -> Result<bool, ExchangeError> {
        if count == 0 {
            return Err(ExchangeError::Closed { got: self.filled });
        }
        self.filled += count;
        if self.head.is_none() {
            self.head = parse_head(&self.buffer[..self.filled])?;
        }
        Ok(self.head.is_some_and(|head| self.filled >= head.bytes + head.body_bytes))
    }

    /// The body of a whole response.
    pub fn body(&self) -> &[u8] {
        let head = self.head.expect("body() is for a whole response");
        &self.buffer[head.bytes..head.bytes + head.body_bytes]
    }

    /// Whether the connection may carry another request.
    pub fn keep_alive(&self) -> bool {
        let Some(head) = self.head else { return false };
        // Bytes beyond the response belong to no request that was sent.
        head.keep_alive && self.filled == head.bytes + head.body_bytes
    }
}

/// The head, once all of it is in `bytes`.
fn parse_head(bytes: &[u8]) -> Result<Option<Head>, ExchangeError> {
    let mut fields = [httparse::EMPTY_HEADER; HEADER_FIELDS_MAX];
    let mut response = httparse::Response::new(&mut fields);
    let head_bytes = match response.parse(bytes).map_err(ExchangeError::NotHttp)? {
        httparse::Status::Complete(head_bytes) => head_bytes,
        httparse::Status::Partial if bytes.len() > HEAD_BYTES_MAX => {
            return Err(ExchangeError::HeadTooLarge);
        }
        httparse::Status::Partial => return Ok(None),
    };
    match response.code {
        Some(200) => {}
        code => return Err(ExchangeError::Status(code.unwrap_or(0))),
    }
    let values = |name: &'static str| {
        let named = response.headers.iter().filter(|f| f.name.eq_ignore_ascii_case(name));
        named.map(|field| field.value)
    };
    if values("transfer-encoding").chain(values("content-encoding")).next().is_some() {
        return Err(ExchangeError::Coded);
    }
    let body_bytes = body_length(values("content-length"))?;
    // HTTP/1.0 closes unless told otherwise, HTTP/1.1 does not (RFC 9112, section 9.3).
    let keep_alive = response.version == Some(1) && !values("connection").any(says_close);
    Ok(Some(Head { bytes: head_bytes, body_bytes, keep_alive }))
}

/// One length, however often it is told (RFC 9110, section 8.6).
fn body_length<'a>(mut lengths: impl Iterator<Item = &'a [u8]>) -> Result<usize, ExchangeError> {
    let first = lengths.next().ok_or(ExchangeError::NoLength)?;
    if lengths.any(|other| other != first) || !first.iter().all(u8::is_ascii_digit) {
        return Err(ExchangeError::BadLength);
    }
    let length = std::str::from_utf8(first).ok().and_then(|digits| digits.parse().ok());
    match length.ok_or(ExchangeError::BadLength)? {
        length if length > BODY_BYTES_MAX => Err(ExchangeError::BodyTooLarge(length)),
        length => Ok(length),
    }
}

fn says_close(value: &[u8]) -> bool {
    lists(value, "close")
}

/// Whether `option` is one of those that `value` lists.
fn lists(value: &[u8], option: &str) -> bool {
    value
        .split(|byte| *byte == b',')
        .any(|listed| listed.trim_ascii().eq_ignore_ascii_case(option.as_bytes()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Feeds `bytes` in pieces of `piece`, as a stream would.
    fn read(bytes: &[u8], piece: usize) -> Result<Response, ExchangeError> {
        let mut response = Response::default();
        let mut rest = bytes;
        loop {
            let spare = response.spare();
            assert!(!spare.is_empty());
            let count = spare.len().min(piece).min(rest.len());
            spare[..count].copy_from_slice(&rest[..count]);
            rest = &rest[count..];
            if response.filled(count)? {
                return Ok(response);
            }
        }
    }

    /// The same by way of buffers that are lent.
    fn read_lent(bytes: &[u8], piece: usize) -> Result<Response, ExchangeError> {
        let mut response = Response::default();
        let mut rest = bytes;
        loop {
            let (mut buffer, begin) = response.lend();
            let spare = &mut buffer[begin..];
            assert!(!spare.is_empty());
            let count = spare.len().min(piece).min(rest.len());
            spare[..count].copy_from_slice(&rest[..count]);
            rest = &rest[count..];
            response.give_back(buffer);
            if response.filled(count)? {
                return Ok(response);
            }
        }
    }

    fn error(bytes: &[u8]) -> ExchangeError {
        read(bytes, 1_000_000).map(|_| ()).unwrap_err()
    }

    proptest! {
        #[test]
        fn pieces_of_any_size_make_the_same_response(
            body in proptest::collection::vec(any::<u8>(), 0..9_000),
            piece in 1usize..5_000,
        ) {
            let mut bytes = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len())
                .into_bytes();
            bytes.extend(&body);
            let response = read(&bytes, piece).unwrap();
            prop_assert_eq!(response.body(), &body[..]);
            prop_assert!(response.keep_alive());
            let lent = read_lent(&bytes, piece).unwrap();
            prop_assert_eq!(lent.body(), &body[..]);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 1..400)) {
            drop(read(&bytes, 7));
        }
    }

    #[test]
    fn what_it_does_not_read_is_named() {
        assert_eq!(error(b"HTTP/1.1 404 Not Found\r\n\r\n"), ExchangeError::Status(404));
        assert_eq!(error(b"HTTP/1.1 200 OK\r\n\r\n"), ExchangeError::NoLength);
        assert!(matches!(error(b"220 smtp ready\r\n"), ExchangeError::NotHttp(_)));
        assert_eq!(error(b"HTTP/1.1 200 OK\r\n"), ExchangeError::Closed { got: 17 });
        assert_eq!(
            error(b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551615\r\n\r\n"),
            ExchangeError::BodyTooLarge(usize::MAX)
        );
        let endless = [b"HTTP/1.1 200 OK\r\nx: ".as_slice(), &[b'a'; 40_000]].concat();
        assert_eq!(error(&endless), ExchangeError::HeadTooLarge);
    }

    #[test]
    fn a_length_is_told_once_or_the_same() {
        let with = |fields: &str| read(format!("HTTP/1.1 200 OK\r\n{fields}\r\nab").as_bytes(), 99);
        let twice = "Content-Length: 2\r\nContent-Length: 2\r\n";
        assert_eq!(with(twice).unwrap().body(), b"ab");
        for bad in [
            "Content-Length: 2\r\nContent-Length: 1\r\n",
            "Content-Length: +2\r\n",
            "Content-Length: 2, 2\r\n",
            "Content-Length: -2\r\n",
            "Content-Length:\r\n",
        ] {
            assert_eq!(with(bad).map(|_| ()).unwrap_err(), ExchangeError::BadLength, "{bad}");
        }
        for coded in ["Transfer-Encoding: chunked\r\n", "Content-Encoding: gzip\r\n"] {
            let fields = format!("{coded}Content-Length: 2\r\n");
            assert_eq!(with(&fields).map(|_| ()).unwrap_err(), ExchangeError::Coded);
        }
    }

    #[test]
    fn a_connection_is_kept_unless_told_otherwise() {
        let old = b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n";
        assert!(!read(old, 10).unwrap().keep_alive());
        let listed = b"HTTP/1.1 200 OK\r\nConnection: x, close\r\nContent-Length: 0\r\n\r\n";
        assert!(!read(listed, 10).unwrap().keep_alive());
        let bytes = b"HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n";
        assert!(!read(bytes, 10).unwrap().keep_alive());
        let trailing = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxyz";
        assert!(!read(trailing, 1_000).unwrap().keep_alive());
    }

    #[test]
    fn a_buffer_serves_the_next_response() {
        let mut response = read(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", 9).unwrap();
        response.clear();
        let next = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nyz";
        response.spare()[..next.len()].copy_from_slice(next);
        assert!(response.filled(next.len()).unwrap());
        assert_eq!(response.body(), b"yz");
    }

    #[test]
    fn urls_split() {
        let url = Url::parse("http://localhost/x").unwrap();
        assert_eq!(url.host_and_port(), ("localhost", 80));
        assert_eq!(Url::parse("http://a:81").unwrap().host_and_port(), ("a", 81));
        assert_eq!(Url::parse("http://a:81").unwrap().path, "/");
        assert_eq!(Url::parse("http://a/b?c#d").unwrap().path, "/b?c");
        assert_eq!(Url::parse("http://a?b"), Err(ExchangeError::Url));
        assert_eq!(Url::parse("https://a/"), Err(ExchangeError::Url));
        assert_eq!(Url::parse("http:///x"), Err(ExchangeError::Url));
    }
}
