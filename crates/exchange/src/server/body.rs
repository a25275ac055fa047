//! A request's body, which is for nobody: how long it is, and what to read past.

use httparse::Status;

use super::{Refused, SKIPPED_BYTES_MAX};

/// What is left of a request's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
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

impl Body {
    /// Takes what it can of `rest`, which has come: how much that is, and what is left then.
    pub(super) fn skip(self, rest: &[u8]) -> (usize, Body) {
        match self {
            Body::Gone | Body::Unread => (0, self),
            Body::Bytes(left) => bytes(rest, left),
            Body::ChunkSize => chunk_size(rest),
            Body::Chunk(0) => line(rest, self, |line| match line {
                b"\r\n" => Body::ChunkSize,
                _ => Body::Unread,
            }),
            Body::Chunk(left) => {
                let taken = left.min(rest.len() as u64);
                (taken as usize, Body::Chunk(left - taken))
            }
            Body::Trailer => line(rest, self, |line| match line {
                b"\r\n" => Body::Gone,
                _ => Body::Trailer,
            }),
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

/// Takes a line once it has come whole; `next` says what follows, and before that nothing changes.
fn line(rest: &[u8], now: Body, next: impl Fn(&[u8]) -> Body) -> (usize, Body) {
    match rest.iter().position(|byte| *byte == b'\n') {
        Some(end) => (end + 1, next(&rest[..=end])),
        None => (0, now),
    }
}

/// What the body is (RFC 9112, section 6.3).
pub(super) fn body<'a>(
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
