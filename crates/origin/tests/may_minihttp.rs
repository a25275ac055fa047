//! The limits of may_minihttp that its module tells of, each with what comes of it.

mod common;

use std::process::Stdio;

use common::{Origin, command};

fn start() -> Origin {
    Origin::start(&["--server", "may_minihttp"])
}

#[test]
fn it_never_closes() {
    let origin = start();
    let mut client = origin.connect();
    let answer = client.ask("GET", "/api/v2/pokemon/1?close=1", "Connection: close\r\n");
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(client.get("/api/v2/pokemon/2").status, 200);
}

#[test]
fn it_refuses_head() {
    let origin = start();
    let answer = origin.connect().ask("HEAD", "/api/v2/pokemon/1", "");
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET")));
}

#[test]
fn it_closes_on_garbage_without_an_answer() {
    let origin = start();
    let mut client = origin.connect();
    client.send("this is no HTTP\r\n\r\n");
    assert!(client.is_closed());
}

#[test]
fn it_closes_on_more_than_16_headers() {
    let origin = start();
    let mut client = origin.connect();
    let headers = (0..17).map(|number| format!("X-{number}: 1\r\n")).collect::<String>();
    client.send(&format!("GET /api/v2/pokemon/1 HTTP/1.1\r\n{headers}\r\n"));
    assert!(client.is_closed());
}

#[test]
fn a_client_that_leaves_stays_in_flight() {
    let origin = start();
    let mut client = origin.connect();
    client.send("GET /api/v2/pokemon/1?delay_us=1000000 HTTP/1.1\r\nHost: origin\r\n\r\n");
    origin.stats_with_in_flight(1);
    drop(client);
    // It is served, to nobody.
    assert_eq!(origin.stats_with_in_flight(0).requests, 1);
}

#[test]
fn it_tells_its_limits_at_the_start_in_one_line() {
    let mut origin =
        Origin::of(command().args(["--server", "may_minihttp"]).stderr(Stdio::piped()));
    drop(origin.held.take());
    let told = std::io::read_to_string(origin.process.stderr.take().unwrap()).unwrap();
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.contains("never closes connections"), "{told}");
}
