//! The table: what is sent, and what must come of it.

use super::common::SYNC;

/// One thing that a client does.
pub struct Case {
    pub name: &'static str,
    pub send: String,
    /// What is sent when the server has said `100 Continue`.
    pub then: &'static str,
    /// What comes of it, by who: the first that fits.
    pub expected: &'static [(Who, &'static str)],
}

/// Some of the servers.
#[derive(Clone, Copy)]
pub enum Who {
    /// The one that never keeps a connection.
    Pool,
    /// All others of sync-looking code.
    Sync,
    MayMinihttp,
    /// The rest, or all.
    Any,
}

use Who::{Any, MayMinihttp, Pool, Sync};

impl Who {
    pub fn is(self, server: &str) -> bool {
        match self {
            Pool => server == "blocking/pool",
            Sync => SYNC.contains(&server),
            MayMinihttp => server == "may_minihttp",
            Any => true,
        }
    }
}

/// Where keeping a connection is right, and only the pool does not.
const KEPT: &[(Who, &str)] = &[(Pool, "200 closed"), (Any, "200 kept")];

/// It waits for what the client holds back until it is told to go on: both wait for ever.
pub const SILENCE: &str = "silence";

fn case(
    name: &'static str,
    send: impl Into<String>,
    expected: &'static [(Who, &'static str)],
) -> Case {
    Case { name, send: send.into(), then: "", expected }
}

pub fn get(fields: &str) -> String {
    format!("GET /api/v2/pokemon/1 HTTP/1.1\r\nHost: o\r\n{fields}\r\n")
}

fn fields(count: usize) -> String {
    (0..count).map(|number| format!("X-{number}: 1\r\n")).collect()
}

const RESET: &str = "POST /stats/reset HTTP/1.1\r\nHost: o\r\n";

pub fn cases() -> Vec<Case> {
    let chunked = format!("{RESET}Transfer-Encoding: chunked\r\n\r\n4\r\nGET \r\n0\r\n\r\n");
    let long = format!("{RESET}Content-Length: 2000000\r\n\r\n{}", "x".repeat(2_000_000));
    let old = |fields: &str| format!("GET /api/v2/pokemon/1 HTTP/1.0\r\n{fields}\r\n");
    let waits = Case {
        then: "body",
        ..case(
            "Expect: 100-continue",
            format!("{RESET}Content-Length: 4\r\nExpect: 100-continue\r\n\r\n"),
            &[
                (Pool, "100 200 closed"),
                (Sync, "100 200 kept"),
                (MayMinihttp, SILENCE),
                (Any, "200 closed"),
            ],
        )
    };
    vec![
        case("a plain request", get(""), KEPT),
        case(
            "Connection: close",
            get("Connection: close\r\n"),
            &[(MayMinihttp, "200 kept"), (Any, "200 closed")],
        ),
        case(
            "close=1",
            "GET /api/v2/pokemon/1?close=1 HTTP/1.1\r\nHost: o\r\n\r\n",
            &[(MayMinihttp, "200 kept"), (Any, "200 closed")],
        ),
        case("HTTP/1.0", old(""), &[(MayMinihttp, "200 kept"), (Any, "200 closed")]),
        case("HTTP/1.0, kept", old("Connection: keep-alive\r\n"), KEPT),
        case(
            "HEAD",
            "HEAD /api/v2/pokemon/1 HTTP/1.1\r\nHost: o\r\n\r\n",
            &[(MayMinihttp, "405 kept"), (Pool, "200 closed"), (Any, "200 kept")],
        ),
        case("an unread body", format!("{RESET}Content-Length: 4\r\n\r\nGET "), KEPT),
        case(
            "an unread chunked body",
            chunked,
            &[(MayMinihttp, "closed"), (Pool, "200 closed"), (Any, "200 kept")],
        ),
        case("a long unread body", long, &[(MayMinihttp, "200 kept"), (Any, "200 closed")]),
        waits,
        case(
            "17 headers",
            get(&fields(16)),
            &[(MayMinihttp, "closed"), (Pool, "200 closed"), (Any, "200 kept")],
        ),
        case("101 headers", get(&fields(100)), &[(MayMinihttp, "closed"), (Any, "431 closed")]),
        case(
            "a header of 500 KB",
            get(&format!("X: {}\r\n", "x".repeat(500_000))),
            &[(MayMinihttp, "200 kept"), (Any, "431 closed")],
        ),
        case(
            "a target of 70 KB",
            format!("GET /{} HTTP/1.1\r\nHost: o\r\n\r\n", "x".repeat(70_000)),
            &[(MayMinihttp, "404 kept"), (Any, "414 closed")],
        ),
        case("garbage", "this is no HTTP\r\n\r\n", &[(MayMinihttp, "closed"), (Any, "400 closed")]),
        case(
            "another version",
            "GET / HTTP/9.9\r\nHost: o\r\n\r\n",
            &[(MayMinihttp, "closed"), (Sync, "505 closed"), (Any, "400 closed")],
        ),
        case(
            "a length that is none",
            format!("{RESET}Content-Length: many\r\n\r\n"),
            &[(MayMinihttp, "200 kept"), (Any, "400 closed")],
        ),
        case(
            "two lengths",
            format!("{RESET}Content-Length: 4\r\nContent-Length: 5\r\n\r\nGET "),
            &[(MayMinihttp, "200 kept"), (Any, "400 closed")],
        ),
        case(
            "a length and chunks",
            format!("{RESET}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
            &[(MayMinihttp, "200 kept"), (Sync, "400 closed"), (Any, "200 closed")],
        ),
        case(
            "no host",
            "GET /api/v2/pokemon/1 HTTP/1.1\r\n\r\n",
            &[(Sync, "400 closed"), (Any, "200 kept")],
        ),
        case(
            "a whole URL",
            "GET http://o/api/v2/pokemon/1 HTTP/1.1\r\nHost: o\r\n\r\n",
            &[(MayMinihttp, "404 kept"), (Pool, "200 closed"), (Any, "200 kept")],
        ),
        case("empty lines first", format!("\r\n\r\n{}", get("")), KEPT),
        case(
            "another method",
            "DELETE /api/v2/pokemon/1 HTTP/1.1\r\nHost: o\r\n\r\n",
            &[(Pool, "405 closed"), (Any, "405 kept")],
        ),
        case(
            "a document that is not there",
            "GET /api/v2/pokemon/999 HTTP/1.1\r\nHost: o\r\n\r\n",
            &[(Pool, "404 closed"), (Any, "404 kept")],
        ),
        case(
            "a question that is none",
            "GET /api/v2/pokemon/1?delay_us=x HTTP/1.1\r\nHost: o\r\n\r\n",
            &[(Pool, "400 closed"), (Any, "400 kept")],
        ),
    ]
}
