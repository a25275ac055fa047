//! Clients against servers that do what servers do, each a few lines of blocking code.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use job::Process;
use load::child::obey;
use load::order::Expected;
use load::{Blocker, Load, Order, Outcome, Report};

const BODY: &str = "{\"id\": 1}";

/// Serves until the process ends, a thread a connection: `answer` writes to each that asks for a path.
fn serve(answer: impl Fn(&str, &mut TcpStream) -> bool + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            thread::spawn(move || connection(stream, &*answer));
        }
    });
    address
}

fn connection(mut stream: TcpStream, answer: &dyn Fn(&str, &mut TcpStream) -> bool) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    while let Some(Ok(first)) = lines.next() {
        while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
        let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
        if !answer(&path, &mut stream) {
            return;
        }
    }
}

/// A document, after which the connection is kept.
fn document(_path: &str, stream: &mut TcpStream) -> bool {
    let length = BODY.len();
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{BODY}").is_ok()
}

fn order(address: SocketAddr, load: Load) -> Order {
    Order {
        url: format!("http://{address}"),
        path: "/{id}".into(),
        documents: vec![Expected { id: 1, body: BODY.into() }],
        load,
        slow: 0,
        patience_ms: 60_000,
    }
}

fn outcome(order: &Order) -> Outcome {
    obey(order, &mut |report| panic!("{report:?}")).unwrap()
}

fn count(pairs: &[(u64, u64)]) -> u64 {
    pairs.iter().map(|(_, count)| count).sum()
}

#[test]
fn clients_at_once_have_a_connection_and_a_request_each() {
    // Nobody is answered before all are there.
    let all = Arc::new(Barrier::new(20));
    let address = serve(move |path, stream| {
        all.wait();
        document(path, stream)
    });
    let seen = outcome(&order(address, Load::AtOnce { clients: 20 }));
    assert_eq!((seen.answered, seen.failed, seen.unanswered), (20, 0, 0), "{seen:?}");
    assert_eq!((seen.connections, seen.requests.len()), (20, 20));
    assert_eq!(count(&seen.service_times_ns), 20);
    for request in &seen.requests {
        let moments = [
            request.begun_ns,
            request.connected_ns.unwrap(),
            request.sent_ns.unwrap(),
            request.first_byte_ns.unwrap(),
            request.last_byte_ns,
        ];
        assert!(moments.is_sorted(), "{moments:?}");
        assert!(request.last_byte_ns <= seen.wall_ns);
    }
}

#[test]
fn clients_of_a_closed_loop_keep_their_connections() {
    let closed = Load::Closed { clients: 3, for_ms: 30 };
    let seen = outcome(&order(serve(document), closed.clone()));
    assert!(seen.answered >= 3 && seen.failed + seen.unanswered == 0, "{seen:?}");
    assert_eq!(seen.connections, 3);
    let closing = serve(|path, stream| {
        document(path, stream);
        false
    });
    let seen = outcome(&order(closing, Load::Closed { clients: 1, for_ms: 30 }));
    // It does not say that it closes, so that every other request finds the connection gone.
    assert!(seen.connections >= seen.answered, "{seen:?}");
    let saying = serve(|_, stream| {
        let length = BODY.len();
        let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {length}");
        write!(stream, "{head}\r\n\r\n{BODY}").unwrap();
        false
    });
    let seen = outcome(&order(saying, closed));
    assert_eq!((seen.connections, seen.failed), (seen.answered, 0), "{seen:?}");
}

#[test]
fn an_open_loop_asks_whether_or_not_anything_comes() {
    // Nobody is answered before the last has asked: whoever waits for answers would wait for ever.
    let all = Arc::new(Barrier::new(50));
    let address = serve(move |path, stream| {
        all.wait();
        document(path, stream)
    });
    let open = Load::Open {
        process: Process::Uniform,
        rate: 1_000,
        seed: 1,
        for_ms: 50,
        connections_most: 50,
        blocker: None,
    };
    let seen = outcome(&order(address, open));
    assert_eq!((seen.answered, seen.unanswered, seen.connections), (50, 0, 50), "{seen:?}");
    assert_eq!((count(&seen.latencies_ns), count(&seen.late_ns)), (50, 50));
    // The first was due 49 ms before the last one asked, and shows all of the stall.
    let longest = seen.latencies_ns.iter().map(|(ns, _)| *ns).max().unwrap();
    assert!(longest >= 49_000_000, "{longest}");
}

#[test]
fn what_waits_for_a_connection_is_late() {
    let slow = serve(|path, stream| {
        thread::sleep(Duration::from_millis(20));
        document(path, stream)
    });
    let open = Load::Open {
        process: Process::Uniform,
        rate: 1_000,
        seed: 1,
        for_ms: 5,
        connections_most: 1,
        blocker: None,
    };
    let seen = outcome(&order(slow, open));
    assert_eq!((seen.answered, seen.connections), (5, 1), "{seen:?}");
    // Four before it took 20 ms each, and it was due after 4.
    let longest = seen.late_ns.iter().map(|(ns, _)| *ns).max().unwrap();
    assert!(longest >= 76_000_000, "{longest}");
}

#[test]
fn a_request_that_blocks_is_one_more_and_timed_by_itself() {
    let address = serve(|path, stream| {
        if path == "/blocks" {
            thread::sleep(Duration::from_millis(30));
        }
        document(path, stream)
    });
    let open = Load::Open {
        process: Process::Poisson,
        rate: 200,
        seed: 1,
        for_ms: 40,
        connections_most: 10,
        blocker: Some(Blocker { path: "/blocks".into(), after_ms: 10 }),
    };
    let seen = outcome(&order(address, open));
    assert_eq!((seen.answered, seen.failed), (8, 0), "{seen:?}");
    assert!(seen.blocker_ns.unwrap() >= 30_000_000, "{seen:?}");
}

#[test]
fn another_body_is_no_answer() {
    let address = serve(|_, stream| {
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{{}}").is_ok()
    });
    let seen = outcome(&order(address, Load::AtOnce { clients: 2 }));
    assert_eq!((seen.answered, seen.failed), (0, 2));
    assert_eq!(seen.why.as_deref(), Some("the body is not the document that was asked for"));
    let address = serve(|_, stream| write!(stream, "HTTP/1.1 503 Busy\r\n\r\n").is_ok());
    let seen = outcome(&order(address, Load::AtOnce { clients: 1 }));
    assert_eq!(seen.why.as_deref(), Some("status 503"));
}

#[test]
fn a_server_that_is_not_there_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let seen = outcome(&order(address, Load::AtOnce { clients: 2 }));
    assert_eq!(seen.failed, 2);
    assert!(seen.why.unwrap().starts_with("connect: "));
    let why = obey(
        &Order { url: "localhost".into(), ..order(address, Load::AtOnce { clients: 1 }) },
        &mut |_| true,
    );
    assert!(why.unwrap_err().starts_with("localhost: not an http:// URL"));
}

#[test]
fn patience_has_an_end() {
    let never = Arc::new(Barrier::new(2));
    let address = serve(move |_, _| {
        never.wait();
        false
    });
    let order = Order { patience_ms: 20, ..order(address, Load::AtOnce { clients: 1 }) };
    let seen = outcome(&order);
    assert_eq!((seen.answered, seen.failed, seen.unanswered), (0, 0, 1));
}

#[test]
fn connections_are_held_step_by_step_until_somebody_has_looked() {
    let mut told = Vec::new();
    let held = |steps: &[u64], waiting| Load::Held { steps: steps.to_vec(), waiting };
    let outcome = obey(&order(serve(document), held(&[2, 5], false)), &mut |report| {
        told.push(report.clone());
        true
    });
    let held_of = |report: &Report| match report {
        Report::Held(held) => (held.connections, held.open),
        other => panic!("{other:?}"),
    };
    assert_eq!(told.iter().map(held_of).collect::<Vec<_>>(), [(2, 2), (5, 5)]);
    assert_eq!(outcome.unwrap().answered, 5);
    // Waiting connections have asked, and nobody waits for their answers.
    let never = serve(|_, _| {
        loop {
            thread::park();
        }
    });
    let outcome = obey(&order(never, held(&[3], true)), &mut |report| held_of(report) == (3, 3));
    assert_eq!(outcome.unwrap().connections, 3);
}

#[test]
fn slow_clients_are_beside_the_others() {
    let address = serve(document);
    let order = Order { slow: 3, ..order(address, Load::AtOnce { clients: 2 }) };
    let seen = outcome(&order);
    assert_eq!((seen.answered, seen.connections), (2, 2), "they are not counted");
}

#[test]
fn an_order_and_a_report_are_a_line_each() {
    let address = SocketAddr::from(([127, 0, 0, 1], 1));
    let order = order(address, Load::Held { steps: vec![1], waiting: true });
    let line = order.line();
    assert!(line.ends_with('\n') && line.matches('\n').count() == 1);
    assert_eq!(serde_json::from_str::<Order>(&line).unwrap(), order);
    let report = Report::Outcome(Box::default());
    assert_eq!(serde_json::from_str::<Report>(&report.line()).unwrap(), report);
}
