//! What clients do to servers, and what must come of it: one battery, every server.
//!
//! Each case is sent as it stands. What is expected is a line: the status of each answer, and then
//! `kept` where the same connection has another document served, or `closed`. Where servers differ,
//! the table says how. After every case, the server must still serve.

mod cases;
#[path = "../common/mod.rs"]
mod common;
mod descriptors;

use std::io::Write;
use std::net::Shutdown;

use cases::{Case, SILENCE, cases, get};
use common::{Origin, SERVERS, SYNC};

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
        // Long enough for all four to begin, on a busy machine.
        client.send("GET /api/v2/pokemon/1?delay_us=1000000 HTTP/1.1\r\nHost: o\r\n\r\n");
    }
    for client in &mut clients {
        assert_eq!(client.answer(true).status, 200);
    }
    assert_eq!(origin.stats().in_flight_peak, 4);
}
