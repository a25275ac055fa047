//! What hyper can and may_minihttp cannot.

mod common;

use std::process::Stdio;

use common::{Origin, command};

#[test]
fn head_tells_the_length_and_sends_no_body() {
    let origin = Origin::start(&[]);
    let mut client = origin.connect();
    let answer = client.ask("HEAD", "/api/v2/pokemon/1?delay_us=100", "");
    assert_eq!((answer.status, answer.header("content-length")), (200, Some("1500")));
    assert!(answer.delay_us() >= 100);
    // Had a body come, it would be in the way of the next answer.
    assert_eq!(client.get("/api/v2/pokemon/2").body.len(), 1_500);
}

#[test]
fn a_connection_is_closed_as_asked_for() {
    let origin = Origin::start(&[]);
    let mut client = origin.connect();
    let answer = client.get("/api/v2/pokemon/1?close=1");
    assert_eq!(answer.header("connection"), Some("close"));
    assert!(client.is_closed());
    let mut client = origin.connect();
    client.ask("GET", "/api/v2/pokemon/1", "Connection: close\r\n");
    assert!(client.is_closed());
}

#[test]
fn garbage_is_answered_with_400() {
    let origin = Origin::start(&[]);
    let mut client = origin.connect();
    client.send("this is no HTTP\r\n\r\n");
    assert_eq!(client.answer(true).status, 400);
    assert!(client.is_closed());
}

#[test]
fn a_client_that_leaves_is_no_longer_in_flight() {
    let origin = Origin::start(&[]);
    let mut client = origin.connect();
    client.send("GET /api/v2/pokemon/1?delay_us=60000000 HTTP/1.1\r\nHost: origin\r\n\r\n");
    assert_eq!(origin.stats_with_in_flight(1).in_flight_peak, 1);
    drop(client);
    assert_eq!(origin.stats_with_in_flight(0).requests, 0);
}

#[test]
fn connections_are_dealt_out_in_turn() {
    // Delays on one loop do not hold up another's, but CPU does: with as many loops as requests
    // that burn, each finds a loop of its own.
    let origin = Origin::start(&["--threads", "3"]);
    let mut clients = (0..3).map(|_| origin.connect()).collect::<Vec<_>>();
    for client in &mut clients {
        client.send("GET /api/v2/pokemon/1?burn_us=300000 HTTP/1.1\r\nHost: origin\r\n\r\n");
    }
    for client in &mut clients {
        assert_eq!(client.answer(true).status, 200);
    }
    assert_eq!(origin.stats().in_flight_peak, 3);
}

#[test]
fn out_of_descriptors_it_serves_what_it_has() {
    let program = command().get_program().to_owned();
    let mut shell = std::process::Command::new("sh");
    let script = "ulimit -n 32; exec \"$0\" \"$@\"";
    let mut origin = Origin::of(
        shell.args(["-c", script]).arg(program).args(["--threads", "1"]).stderr(Stdio::piped()),
    );
    let mut served = origin.connect();
    assert_eq!(served.get("/api/v2/pokemon/1").status, 200);
    let mut others = (0..40).map(|_| origin.connect()).collect::<Vec<_>>();
    let mut last = others.pop().unwrap();
    last.send("GET /api/v2/pokemon/3 HTTP/1.1\r\nHost: origin\r\n\r\n");
    // What it has is served while the rest wait in the backlog, which the system answers for it.
    assert_eq!(served.get("/api/v2/pokemon/2").status, 200);
    drop(others);
    assert_eq!(last.answer(true).status, 200);
    drop(origin.held.take());
    let told = std::io::read_to_string(origin.process.stderr.take().unwrap()).unwrap();
    assert_eq!(told.matches("out of descriptors").count(), 1, "{told}");
}
