//! A request's head: what it asks for, and why it may be refused.

use thiserror::Error;

use super::body::{Body, body};
use super::{FIELDS_MAX, HEAD_BYTES_MAX};

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

pub(super) fn refused(error: httparse::Error, bytes: &[u8]) -> Refused {
    // The parser calls whatever stands where the version should a version.
    let names_version = || bytes.windows(6).any(|window| window == b" HTTP/");
    match error {
        httparse::Error::TooManyHeaders => Refused::HeadTooLarge,
        httparse::Error::Version if names_version() => Refused::Version,
        error => Refused::NotHttp(error),
    }
}

pub(super) fn too_large(bytes: &[u8]) -> Option<Refused> {
    (bytes.len() > HEAD_BYTES_MAX).then(|| {
        let in_target = !bytes.trim_ascii_start().contains(&b'\n');
        if in_target { Refused::TargetTooLong } else { Refused::HeadTooLarge }
    })
}

/// A whole head, and what its body is.
pub(super) fn read_head<'a>(
    request: &httparse::Request<'_, 'a>,
) -> Result<(Head<'a>, Body), Refused> {
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
