//! The other side of an exchange: the requests of one connection, without I/O.
//!
//! ```text
//!   stream ──► spare() ► filled(n) ──► head() ──► method, target, manner
//!                 ▲                                   │
//!                 └─── skip_body() until it is gone ◄─┘      then head() again
//! ```
//!
//! Bodies are for nobody here. One that is short is read past, so that the next request begins where
//! it should; behind a longer one the connection has to close.
//!
//! ```
//! use exchange::server::Requests;
//!
//! let mut requests = Requests::default();
//! let bytes = b"GET /a?b=1 HTTP/1.1\r\nHost: origin\r\n\r\n";
//! requests.spare()[..bytes.len()].copy_from_slice(bytes);
//! requests.filled(bytes.len());
//! let head = requests.head().unwrap().unwrap();
//! assert_eq!((head.method, head.target), ("GET", "/a?b=1"));
//! assert!(head.manner.keep_alive);
//! ```

use httparse::Status;
use thiserror::Error;

/// Room for most requests; what an idle connection keeps.
const FIRST_BUFFER_BYTES: usize = 1024;

/// The most bytes of a head.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;

/// The most fields of a head, which is hyper's limit, too.
pub const FIELDS_MAX: usize = 100;

/// The longest body that is read past. To read on costs less than a new connection up to about here.
pub const SKIPPED_BYTES_MAX: u64 = 256 * 1024;

/// Why a request cannot be read. The connection has to close: where the next one begins is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refused {
    /// Bytes that are not an HTTP/1.x request.
    #[error("the request is not HTTP: {0}")]
    NotHttp(httparse::Error),
    /// Another version than 1.0 and 1.1.
    #[error("only HTTP/1.0 and HTTP/1.1 are spoken here")]
    Version,
    /// A request line of more than 16 KiB.
    #[error("the request's target has more than {HEAD_BYTES_MAX} bytes")]
    TargetTooLong,
    /// A head of more than 16 KiB or 100 fields.
    #[error("the request's head has more than {HEAD_BYTES_MAX} bytes or {FIELDS_MAX} fields")]
    HeadTooLarge,
    /// No `Host`, or two (RFC 9112, section 3.2).
    #[error("an HTTP/1.1 request names its host once")]
    Host,
    /// Two lengths, one that is no number, or one beside a coding: the ways to smuggle a request
    /// (RFC 9112, section 6.3).
    #[error("the length of the request's body is not clear")]
    BodyLength,
    /// A transfer coding other than `chunked`.
    #[error("of the transfer codings, only chunked is known here")]
    Coding,
}

impl Refused {
    /// The status to answer with.
    pub fn status(self) -> u16 {
        match self {
            Refused::NotHttp(_) | Refused::Host | Refused::BodyLength => 400,
            Refused::TargetTooLong => 414,
            Refused::HeadTooLarge => 431,
            Refused::Coding => 501,
            Refused::Version => 505,
        }
    }
}

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head<'a> {
    /// The method.
    pub method: &'a str,
    /// Path and query, without the scheme and host that a target may begin with.
    pub target: &'a str,
    /// How to answer.
    pub manner: Manner,
}

/// How a request wants to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Manner {
    /// With a head alone.
    pub head_only: bool,
    /// On a connection that goes on afterwards.
    pub keep_alive: bool,
    /// In HTTP/1.0, where a connection that goes on has to be told.
    pub is_old: bool,
    /// With `100 Continue` before the body is sent.
    pub expects_continue: bool,
}

/// What is left of a request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    /// Nothing.
    Gone,
    /// So many bytes.
    Bytes(u64),
    /// A chunk's size is next.
    ChunkSize,
    /// So many bytes of a chunk, and the line end behind them.
    Chunk(u64),
    /// Lines up to an empty one.
    Trailer,
    /// More than is worth reading, or what cannot be read.
    Unread,
}

/// The requests of a connection as they arrive.
#[derive(Debug)]
pub struct Requests {
    buffer: Vec<u8>,
    /// What has come and was not taken yet: `buffer[begin..end]`.
    begin: usize,
    end: usize,
    /// Up to here, no line has ended since a head was last looked for: a head that comes byte by
    /// byte is parsed once a line, and not once a byte.
    searched: usize,
    body: Body,
    /// Bytes of the body that were read past.
    skipped: u64,
}

impl Default for Requests {
    fn default() -> Self {
        Requests { buffer: Vec::new(), begin: 0, end: 0, searched: 0, body: Body::Gone, skipped: 0 }
    }
}

impl Requests {
    /// Where the next bytes from the stream go; never empty.
    pub fn spare(&mut self) -> &mut [u8] {
        if self.begin > 0 {
            self.buffer.copy_within(self.begin..self.end, 0);
            self.searched = self.searched.saturating_sub(self.begin);
            (self.begin, self.end) = (0, self.end - self.begin);
        }
        if self.end == self.buffer.len() {
            self.buffer.resize((2 * self.buffer.len()).max(FIRST_BUFFER_BYTES), 0);
        }
        &mut self.buffer[self.end..]
    }

    /// Takes note of `count` more bytes in [`spare`](Requests::spare).
    pub fn filled(&mut self, count: usize) {
        self.end += count;
    }

    /// Whether nothing has come that was not taken.
    pub fn is_empty(&self) -> bool {
        self.begin == self.end
    }

    /// Whether the next request begins where the last one's body ended. Where it does not, or
    /// something is left in the buffer, closing at once could cost the client its answer.
    pub fn is_in_step(&self) -> bool {
        self.body == Body::Gone
    }

    /// The next request's head, once all of it has come.
    ///
    /// # Errors
    ///
    /// It is none that can be answered.
    pub fn head(&mut self) -> Result<Option<Head<'_>>, Refused> {
        let Requests { buffer, begin, end, searched, body, skipped } = self;
        let fresh = (*searched).max(*begin);
        *searched = *end;
        let bytes = &buffer[*begin..*end];
        if !buffer[fresh..*end].contains(&b'\n') {
            return too_large(bytes).map_or(Ok(None), Err);
        }
        let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
        let mut request = httparse::Request::new(&mut fields);
        match request.parse(bytes).map_err(|error| refused(error, bytes))? {
            Status::Complete(head_bytes) => {
                let (head, next) = read_head(&request)?;
                *begin += head_bytes;
                // What follows may be a whole request that has come with this one.
                *searched = *begin;
                (*body, *skipped) = (next, 0);
                Ok(Some(head))
            }
            Status::Partial => too_large(bytes).map_or(Ok(None), Err),
        }
    }

    /// Reads past the last head's body as far as it has come; true when nothing more is to be read of
    /// it. It is then gone, or the connection is not [in step](Requests::is_in_step) and has to close.
    pub fn skip_body(&mut self) -> bool {
        loop {
            let rest = &self.buffer[self.begin..self.end];
            let (taken, next) = match self.body {
                Body::Gone | Body::Unread => return true,
                _ if self.skipped > SKIPPED_BYTES_MAX => (0, Body::Unread),
                Body::Bytes(left) => bytes(rest, left),
                Body::ChunkSize => chunk_size(rest),
                Body::Chunk(0) => line(rest, |line| match line {
                    b"\r\n" => Body::ChunkSize,
                    _ => Body::Unread,
                }),
                Body::Chunk(left) => {
                    let taken = left.min(rest.len() as u64);
                    (taken as usize, Body::Chunk(left - taken))
                }
                Body::Trailer => line(rest, |line| match line {
                    b"\r\n" => Body::Gone,
                    _ => Body::Trailer,
                }),
            };
            self.begin += taken;
            self.skipped += taken as u64;
            if taken == 0 && self.body == next {
                // A line that does not end is no longer read than a head.
                let endless = self.end - self.begin > HEAD_BYTES_MAX;
                self.body = if endless { Body::Unread } else { next };
                return endless;
            }
            (self.body, self.searched) = (next, self.begin);
        }
    }
}

fn bytes(rest: &[u8], left: u64) -> (usize, Body) {
    let taken = left.min(rest.len() as u64);
    let next = if taken == left { Body::Gone } else { Body::Bytes(left - taken) };
    (taken as usize, next)
}

fn chunk_size(rest: &[u8]) -> (usize, Body) {
    match httparse::parse_chunk_size(rest) {
        Ok(Status::Complete((taken, 0))) => (taken, Body::Trailer),
        Ok(Status::Complete((taken, size))) => (taken, Body::Chunk(size)),
        Ok(Status::Partial) => (0, Body::ChunkSize),
        Err(_) => (0, Body::Unread),
    }
}

/// Takes a line, if one has come whole; `next` says what follows.
fn line(rest: &[u8], next: impl Fn(&[u8]) -> Body) -> (usize, Body) {
    match rest.iter().position(|byte| *byte == b'\n') {
        Some(end) => (end + 1, next(&rest[..=end])),
        // Nothing is taken, and the state stays: an empty chunk, or the trailer.
        None if next(b"\r\n") == Body::Gone => (0, Body::Trailer),
        None => (0, Body::Chunk(0)),
    }
}

fn refused(error: httparse::Error, bytes: &[u8]) -> Refused {
    // The parser calls whatever stands where the version should a version.
    let names_version = || bytes.windows(6).any(|window| window == b" HTTP/");
    match error {
        httparse::Error::TooManyHeaders => Refused::HeadTooLarge,
        httparse::Error::Version if names_version() => Refused::Version,
        error => Refused::NotHttp(error),
    }
}

fn too_large(bytes: &[u8]) -> Option<Refused> {
    (bytes.len() > HEAD_BYTES_MAX).then(|| {
        let in_target = !bytes.trim_ascii_start().contains(&b'\n');
        if in_target { Refused::TargetTooLong } else { Refused::HeadTooLarge }
    })
}

/// A whole head, and what its body is.
fn read_head<'a>(request: &httparse::Request<'_, 'a>) -> Result<(Head<'a>, Body), Refused> {
    let values = |name: &'static str| {
        let named = request.headers.iter().filter(move |f| f.name.eq_ignore_ascii_case(name));
        named.map(|field| field.value)
    };
    let method = request.method.unwrap_or("");
    let is_old = request.version == Some(0);
    if values("host").count() != 1 && !is_old {
        return Err(Refused::Host);
    }
    let body = body(values("content-length"), values("transfer-encoding"), is_old)?;
    let says = |option| values("connection").any(|value| crate::lists(value, option));
    // HTTP/1.0 closes unless told otherwise, HTTP/1.1 does not (RFC 9112, section 9.3).
    let keep_alive = !says("close") && (!is_old || says("keep-alive"));
    let expects_continue =
        !is_old && values("expect").any(|value| value.eq_ignore_ascii_case(b"100-continue"));
    let manner = Manner {
        head_only: method == "HEAD",
        keep_alive: keep_alive && body != Body::Unread,
        is_old,
        expects_continue: expects_continue && !matches!(body, Body::Gone | Body::Unread),
    };
    Ok((Head { method, target: path_of(request.path.unwrap_or("")), manner }, body))
}

/// A target may be a whole URL, whoever it is sent to (RFC 9112, section 3.2.2).
fn path_of(target: &str) -> &str {
    match target.split_once("://") {
        Some((scheme, rest)) if !scheme.contains(['/', '?']) => {
            rest.find(['/', '?']).map_or("/", |at| &rest[at..])
        }
        _ => target,
    }
}

/// What the body is (RFC 9112, section 6.3).
fn body<'a>(
    mut lengths: impl Iterator<Item = &'a [u8]>,
    mut codings: impl Iterator<Item = &'a [u8]>,
    is_old: bool,
) -> Result<Body, Refused> {
    let length = lengths.next();
    let Some(coding) = codings.next() else {
        let Some(first) = length else { return Ok(Body::Gone) };
        let is_clear = lengths.all(|other| other == first) && first.iter().all(u8::is_ascii_digit);
        let digits = std::str::from_utf8(first).ok().filter(|_| is_clear);
        let length = digits.and_then(|digits| digits.parse().ok()).ok_or(Refused::BodyLength)?;
        return Ok(match length {
            0 => Body::Gone,
            1..=SKIPPED_BYTES_MAX => Body::Bytes(length),
            _ => Body::Unread,
        });
    };
    if length.is_some() || is_old {
        return Err(Refused::BodyLength);
    }
    if codings.next().is_some() || !coding.eq_ignore_ascii_case(b"chunked") {
        return Err(Refused::Coding);
    }
    Ok(Body::ChunkSize)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a connection that sends `bytes` in pieces of `piece` asks for, and how it ends.
    fn read(bytes: &[u8], piece: usize) -> (Vec<String>, Result<bool, Refused>) {
        let (mut requests, mut asked, mut pieces) =
            (Requests::default(), Vec::new(), bytes.chunks(piece));
        loop {
            let looked = requests.is_in_step();
            let head = match looked.then(|| requests.head()) {
                Some(Err(refused)) => return (asked, Err(refused)),
                Some(Ok(head)) => head.map(|head| format!("{} {}", head.method, head.target)),
                None => None,
            };
            let more = looked && head.is_none();
            asked.extend(head);
            let has_skipped = requests.skip_body();
            if has_skipped && !requests.is_in_step() {
                return (asked, Ok(false));
            }
            if more || !has_skipped {
                let Some(mut piece) = pieces.next() else { return (asked, Ok(has_skipped)) };
                while !piece.is_empty() {
                    let spare = requests.spare();
                    let count = spare.len().min(piece.len());
                    spare[..count].copy_from_slice(&piece[..count]);
                    requests.filled(count);
                    piece = &piece[count..];
                }
            }
        }
    }

    fn manner(fields: &str) -> Manner {
        let mut requests = Requests::default();
        let text = format!("GET / HTTP/1.{fields}\r\n\r\n");
        requests.spare()[..text.len()].copy_from_slice(text.as_bytes());
        requests.filled(text.len());
        requests.head().unwrap().unwrap().manner
    }

    fn refusal(text: &str) -> Refused {
        read(text.as_bytes(), 1_000).1.unwrap_err()
    }

    const MANY: &str = "\r\nPOST /1 HTTP/1.1\r\nHost: o\r\nContent-Length: 5\r\n\r\nGET /\
        GET /2 HTTP/1.1\r\nHost: o\r\n\r\n\
        POST /3 HTTP/1.1\r\nHost: o\r\nTransfer-Encoding: chunked\r\n\r\n\
        4;x=y\r\nGET \r\n00A\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n\
        HEAD http://o/4?x HTTP/1.1\r\nHost: o\r\n\r\n";

    proptest! {
        #[test]
        fn pieces_of_any_size_make_the_same_requests(piece in 1usize..300) {
            let (asked, end) = read(MANY.as_bytes(), piece);
            prop_assert_eq!(asked, ["POST /1", "GET /2", "POST /3", "HEAD /4?x"]);
            prop_assert_eq!(end, Ok(true));
        }

        #[test]
        fn no_bytes_make_it_panic(
            bytes in proptest::collection::vec(any::<u8>(), 1..400),
            cut in 0usize..MANY.len(),
            piece in 1usize..100,
        ) {
            drop(read(&bytes, piece));
            drop(read(&[&MANY.as_bytes()[..cut], &bytes].concat(), piece));
        }
    }

    #[test]
    fn a_connection_goes_on_as_its_version_says() {
        assert!(manner("1\r\nHost: o").keep_alive);
        assert!(!manner("1\r\nHost: o\r\nConnection: x, Close").keep_alive);
        assert!(!manner("0").keep_alive);
        assert!(manner("0\r\nConnection: Keep-Alive").keep_alive);
    }

    #[test]
    fn only_who_sends_a_body_is_told_to_go_on() {
        let expects = "1\r\nHost: o\r\nExpect: 100-continue";
        assert!(!manner(expects).expects_continue);
        assert!(manner(&format!("{expects}\r\nContent-Length: 3")).expects_continue);
        let long = manner(&format!("{expects}\r\nContent-Length: 3000000"));
        assert_eq!((long.expects_continue, long.keep_alive), (false, false));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let with = |fields: &str| refusal(&format!("GET / HTTP/1.1\r\n{fields}\r\n\r\n"));
        assert_eq!(with("X: 1"), Refused::Host);
        assert_eq!(with("Host: a\r\nHost: b"), Refused::Host);
        let with = |fields: &str| with(&format!("Host: o\r\n{fields}"));
        for length in
            ["+1", "many", "", "1\r\nContent-Length: 2", "1\r\nTransfer-Encoding: chunked"]
        {
            assert_eq!(with(&format!("Content-Length: {length}")), Refused::BodyLength, "{length}");
        }
        assert_eq!(with("Transfer-Encoding: gzip, chunked"), Refused::Coding);
        assert_eq!(with(&"X: 1\r\n".repeat(101)), Refused::HeadTooLarge);
        assert_eq!(with(&format!("X: {}", "x".repeat(20_000))), Refused::HeadTooLarge);
        let long = "x".repeat(20_000);
        assert_eq!(refusal(&format!("GET /{long} HTTP/1.1\r\n")), Refused::TargetTooLong);
        assert_eq!(refusal("GET / HTTP/2.0\r\n\r\n"), Refused::Version);
        assert_eq!(refusal("this is no HTTP\r\n\r\n").status(), 400);
    }

    #[test]
    fn behind_a_body_that_is_too_long_or_broken_nothing_is_asked() {
        let chunked = "POST / HTTP/1.1\r\nHost: o\r\nTransfer-Encoding: chunked\r\n\r\n";
        for body in ["x\r\n", "2\r\nabc\r\n", "FFFFFFFFFFFFFFFFF\r\n"] {
            let (asked, end) = read(format!("{chunked}{body}{MANY}").as_bytes(), 10);
            assert_eq!((asked.len(), end), (1, Ok(false)), "{body}");
        }
        let long = format!("{chunked}{}", "4\r\n1234\r\n".repeat(40_000));
        assert_eq!(read(long.as_bytes(), 1_000), (vec!["POST /".to_owned()], Ok(false)));
    }
}
