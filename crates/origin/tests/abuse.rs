//! What clients do to servers, and what must come of it: one battery, every server.
//!
//! Each case is sent as it stands. What is expected is a line: the status of each answer, and then
//! `kept` where the same connection has another document served, or `closed`. Where servers differ,
//! the table says how. After every case, the server must still serve.

mod common;

use std::io::Write;
use std::net::Shutdown;
use std::process::{Command, Stdio};

use common::{Client, Origin, SERVERS, SYNC, command};

/// One thing that a client does.
struct Case {
    name: &'static str,
    send: String,
    /// What is sent when the server has said `100 Continue`.
    then: &'static str,
    /// What comes of it, by who: the first that fits.
    expected: &'static [(Who, &'static str)],
}

/// Some of the servers.
#[derive(Clone, Copy)]
enum Who {
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
    fn is(self, server: &str) -> bool {
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
const SILENCE: &str = "silence";

fn case(
    name: &'static str,
    send: impl Into<String>,
    expected: &'static [(Who, &'static str)],
) -> Case {
    Case { name, send: send.into(), then: "", expected }
}

fn get(fields: &str) -> String {
    format!("GET /api/v2/pokemon/1 HTTP/1.1\r\nHost: o\r\n{fields}\r\n")
}

fn fields(count: usize) -> String {
    (0..count).map(|number| format!("X-{number}: 1\r\n")).collect()
}

const RESET: &str = "POST /stats/reset HTTP/1.1\r\nHost: o\r\n";

fn cases() -> Vec<Case> {
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

fn every_server() -> impl Iterator<Item = &'static str> {
    SERVERS.into_iter().chain(["blocking/pool"])
}

fn start(server: &str, arguments: &[&str]) -> Origin {
    Origin::start(&[&["--server", server, "--threads", "2"], arguments].concat())
}

fn still_serves(origin: &Origin, after: &str) {
    assert_eq!(origin.get("/api/v2/pokemon/1").status, 200, "after {after}");
}

/// What comes of a case, in the words of the table.
fn outcome(origin: &Origin, case: &Case) -> String {
    let mut client = origin.connect();
    // It may be refused before it is sent.
    let _ = client.stream.get_mut().write_all(case.send.as_bytes());
    let is_head = case.send.starts_with("HEAD");
    let mut told = Vec::new();
    loop {
        let Some(answer) = client.try_answer(|status| status != 100 && !(is_head && status == 200))
        else {
            told.push("closed".to_owned());
            return told.join(" ");
        };
        told.push(answer.status.to_string());
        match answer.status {
            100 => client.send(case.then),
            _ => break,
        }
    }
    let is_kept = client.stream.get_mut().write_all(get("").as_bytes()).is_ok()
        && client.try_answer(|_| true).is_some_and(|answer| answer.status == 200);
    told.push(if is_kept { "kept" } else { "closed" }.to_owned());
    told.join(" ")
}

#[test]
fn every_server_does_what_the_table_says() {
    let mut wrong = Vec::new();
    for server in every_server() {
        let origin = start(server, &[]);
        for case in cases() {
            let expected = case.expected.iter().find(|(who, _)| who.is(server)).unwrap().1;
            if expected == SILENCE {
                continue;
            }
            let got = outcome(&origin, &case);
            if got != expected {
                wrong.push(format!("{server}, {}: {got}, not {expected}", case.name));
            }
            still_serves(&origin, case.name);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_client_that_sends_byte_by_byte_is_served() {
    for server in every_server() {
        let origin = start(server, &[]);
        let mut client = origin.connect();
        client.stream.get_ref().set_nodelay(true).unwrap();
        for byte in get("").bytes() {
            client.stream.get_mut().write_all(&[byte]).unwrap();
        }
        assert_eq!(client.answer(true).body.len(), 1_500, "{server}");
    }
}

#[test]
fn requests_that_are_sent_ahead_are_answered_in_turn() {
    for server in every_server() {
        let origin = start(server, &[]);
        let mut client = origin.connect();
        let request = |id| format!("GET /api/v2/pokemon/{id} HTTP/1.1\r\nHost: o\r\n\r\n");
        client.send(&(1..=5).map(request).collect::<String>());
        let answered = std::iter::from_fn(|| client.try_answer(|_| true)).take(5);
        let ids = answered.map(|answer| job::Document::parse(&answer.body).unwrap().id);
        let expected = if server == "blocking/pool" { 1..=1 } else { 1..=5 };
        assert!(ids.eq(expected), "{server}");
        still_serves(&origin, "requests sent ahead");
    }
}

#[test]
fn a_client_that_has_said_all_is_answered() {
    // With may_minihttp it is a matter of which it hears of first.
    for server in SYNC {
        let origin = start(server, &[]);
        let mut client = origin.connect();
        client.send(&get(""));
        client.stream.get_ref().shutdown(Shutdown::Write).unwrap();
        let answer = client.try_answer(|_| true);
        assert_eq!(answer.map(|answer| answer.status), Some(200), "{server}");
        assert!(client.is_closed());
        still_serves(&origin, "a half-closed connection");
    }
}

#[test]
fn hyper_takes_a_client_that_has_said_all_for_one_that_has_left() {
    for server in every_server().filter(|server| server.contains("hyper")) {
        let origin = start(server, &[]);
        let mut client = origin.connect();
        client.send("GET /api/v2/pokemon/1?delay_us=60000000 HTTP/1.1\r\nHost: o\r\n\r\n");
        client.stream.get_ref().shutdown(Shutdown::Write).unwrap();
        assert!(client.is_closed(), "{server}");
        still_serves(&origin, "a half-closed connection");
    }
}

#[test]
fn clients_that_leave_or_do_not_read_keep_nobody_waiting() {
    for server in every_server() {
        let origin = start(server, &["--bytes", "1500,250000"]);
        for part in
            ["", "GET /api", &get("")[..40], "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nx"]
        {
            origin.connect().send(part);
        }
        let mut unread = origin.connect();
        let request = "GET /api/v2/pokemon/1?bytes=250000 HTTP/1.1\r\nHost: o\r\n\r\n";
        unread.send(&request.repeat(40));
        still_serves(&origin, "clients that leave");
        drop(unread);
        still_serves(&origin, "a client that does not read");
    }
}

#[test]
fn half_a_request_is_waited_for_only_so_long() {
    for server in SYNC {
        let origin = start(server, &["--patience", "1"]);
        for half in ["GET /api", "POST / HTTP/1.1\r\nHost: o\r\nContent-Length: 9\r\n\r\nx"] {
            let mut client = origin.connect();
            client.send(half);
            assert_eq!(client.answer(true).status, 408, "{server}");
            assert!(client.is_closed());
        }
        still_serves(&origin, "half a request");
    }
}

#[test]
fn the_pool_waits_for_nobody_who_says_nothing() {
    let origin = Origin::start(&["--server", "blocking/pool", "--threads", "1", "--patience", "1"]);
    let mut silent = origin.connect();
    still_serves(&origin, "a silent client");
    assert!(silent.is_closed());
}

#[test]
fn the_fifth_client_waits_for_one_of_four_workers() {
    let origin = Origin::start(&["--server", "blocking/pool", "--threads", "4"]);
    let mut clients: Vec<_> = (0..5).map(|_| origin.connect()).collect();
    for client in &mut clients {
        client.send("GET /api/v2/pokemon/1?delay_us=50000 HTTP/1.1\r\nHost: o\r\n\r\n");
    }
    for client in &mut clients {
        assert_eq!(client.answer(true).status, 200);
    }
    assert_eq!(origin.stats().in_flight_peak, 4);
}

/// An origin that may have few descriptors, and a connection that it serves.
fn with_few_descriptors(server: &str) -> (Origin, Client) {
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -n 40; exec \"$0\" \"$@\""]).arg(command().get_program());
    let origin =
        Origin::of(shell.args(["--server", server, "--threads", "1"]).stderr(Stdio::null()));
    let mut served = origin.connect();
    assert_eq!(served.get("/api/v2/pokemon/1").status, 200);
    (origin, served)
}

fn stats_on(client: &mut Client) -> origin::Stats {
    serde_json::from_slice(&client.get("/stats").body).unwrap()
}

#[test]
fn out_of_descriptors_ours_wait_and_go_on() {
    for server in SERVERS.into_iter().filter(|server| *server != "may_minihttp") {
        let (origin, mut served) = with_few_descriptors(server);
        let mut others: Vec<_> = (0..50).map(|_| origin.connect()).collect();
        let mut last = others.pop().unwrap();
        last.send(&get(""));
        while stats_on(&mut served).exhausted == 0 {}
        let before = stats_on(&mut served).exhausted;
        // Meanwhile it has tried 15 times. Who spins tries hundred thousands of times.
        served.get("/api/v2/pokemon/1?delay_us=300000");
        let tried = stats_on(&mut served).exhausted - before;
        assert!(tried < 1_000, "{server}: {tried}");
        drop(others);
        assert_eq!(last.answer(true).status, 200, "{server}");
        still_serves(&origin, "a lack of descriptors");
    }
}

#[test]
fn out_of_descriptors_may_minihttp_spins() {
    let (origin, _served) = with_few_descriptors("may_minihttp");
    let _others: Vec<_> = (0..50).map(|_| origin.connect()).collect();
    // Nobody asks for anything, and it uses half a second of CPU.
    let before = cpu_ticks(&origin);
    while cpu_ticks(&origin) < before + 50 {
        std::thread::yield_now();
    }
}

/// The CPU that an origin has used, user and system, in hundredths of a second (proc_pid_stat(5)).
fn cpu_ticks(origin: &Origin) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", origin.process.id())).unwrap();
    let (_, behind_name) = stat.rsplit_once(')').unwrap();
    behind_name.split(' ').skip(12).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum()
}
