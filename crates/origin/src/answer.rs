//! What the sync-looking server answers. `stackless/answer.rs` is its async twin.

use std::borrow::Cow;
use std::io::Write;
use std::time::{Duration, Instant, SystemTime};

use exchange::server::{Manner, Refused};
use httpdate::HttpDate;

use crate::block::block;
use crate::burn::burn;
use crate::connection::Connection;
use crate::request::{Refusal, Route, Status, Wanted};

/// Bodies up to here are copied behind the head, to leave in one call.
const COPIED_BYTES_MAX: usize = 16 * 1024;

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

/// A response.
pub struct Answer {
    status: u16,
    kind: &'static str,
    /// A field of its own, with its line end.
    field: Cow<'static, str>,
    body: Cow<'static, str>,
    /// Whether the connection is to be closed after it.
    pub close: bool,
}

/// Answers one request.
pub fn answer(connection: &mut Connection, routed: Result<Route, Refusal>) -> Answer {
    let site = &connection.terms.site;
    match routed {
        Ok(Route::Document(wanted)) => match site.corpora.find(&wanted) {
            Ok(body) => document(connection, &wanted, body),
            Err(refusal) => refuse(refusal),
        },
        Ok(Route::Stats) => Answer::new(200, JSON, site.stats()),
        Ok(Route::StatsReset) => {
            site.counters.reset();
            Answer::new(200, TEXT, "counting from zero\n")
        }
        Ok(Route::Help) => Answer::new(200, TEXT, site.help()),
        Err(refusal) => refuse(refusal),
    }
}

/// Serves a document, as late as is wanted. The delay is over before anything is blocked or
/// burnt, so what is told and counted of it is the wait alone.
fn document(connection: &mut Connection, wanted: &Wanted, body: &'static str) -> Answer {
    let Connection { terms, index, is_counted, .. } = connection;
    let counters = &terms.site.counters;
    let share = counters.share(*index);
    if !std::mem::replace(is_counted, true) {
        share.count_connection();
    }
    let flight = counters.take_off();
    let mut delay = Duration::ZERO;
    let mut field = Cow::Borrowed("x-delay-us: 0\r\n");
    if !wanted.delay.is_zero() {
        let start = Instant::now();
        terms.runtime.sleep(wanted.delay);
        delay = start.elapsed();
        field = format!("x-delay-us: {}\r\n", delay.as_micros()).into();
    }
    block(wanted.block);
    burn(wanted.burn);
    share.count_served(&flight, body.len(), wanted.delay, delay);
    drop(flight);
    Answer { field, close: wanted.close, ..Answer::new(200, JSON, body) }
}

fn refuse(refusal: Refusal) -> Answer {
    let (status, allow) = match refusal.status {
        Status::BadRequest => (400, None),
        Status::NotFound => (404, None),
        Status::MethodNotAllowed { allow } => (405, Some(allow)),
    };
    let field = allow.map_or(Cow::Borrowed(""), |allow| format!("allow: {allow}\r\n").into());
    Answer { field, ..Answer::new(status, TEXT, format!("{}\n", refusal.why)) }
}

impl Answer {
    fn new(status: u16, kind: &'static str, body: impl Into<Cow<'static, str>>) -> Self {
        Answer { status, kind, field: Cow::Borrowed(""), body: body.into(), close: false }
    }

    /// To what is no request that can be read.
    pub fn refused(refused: Refused) -> Self {
        Answer::new(refused.status(), TEXT, format!("{refused}\n"))
    }

    /// To half a request whose other half does not come.
    pub fn late() -> Self {
        Answer::new(408, TEXT, "the request did not come in time\n")
    }

    /// What is sent after the head.
    pub fn body(&self) -> &[u8] {
        self.body.as_bytes()
    }

    /// Whether [`write`](Answer::write) has written the body, too.
    pub fn is_copied(&self) -> bool {
        self.body.len() <= COPIED_BYTES_MAX
    }

    /// Writes the head, and a small body unless only the head was asked for.
    pub fn write(&self, manner: Manner, goes_on: bool, out: &mut Vec<u8>) {
        let Answer { status, kind, field, body, .. } = self;
        let (reason, date) = (reason(*status), HttpDate::from(SystemTime::now()));
        let connection = match (goes_on, manner.is_old) {
            (false, _) => "connection: close\r\n",
            (true, true) => "connection: keep-alive\r\n",
            (true, false) => "",
        };
        let length = body.len();
        let head = write!(
            out,
            "HTTP/1.1 {status} {reason}\r\ncontent-type: {kind}\r\n{field}{connection}\
            content-length: {length}\r\ndate: {date}\r\n\r\n"
        );
        head.expect("a vector takes everything");
        if self.is_copied() && !manner.head_only {
            out.extend_from_slice(body.as_bytes());
        }
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        414 => "URI Too Long",
        431 => "Request Header Fields Too Large",
        501 => "Not Implemented",
        505 => "HTTP Version Not Supported",
        // It may be left out (RFC 9112, section 4).
        _ => "",
    }
}
