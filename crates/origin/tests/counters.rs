//! What is counted, by both servers alike.

mod common;

use std::collections::BTreeSet;
use std::thread;

use common::{Origin, SERVERS};

const DELAYED: &str = "GET /api/v2/pokemon/1?delay_us=300000 HTTP/1.1\r\nHost: origin\r\n\r\n";
/// Long enough to be found in flight, and asked about, on a busy machine.
const HELD: &str = "GET /api/v2/pokemon/1?delay_us=1000000 HTTP/1.1\r\nHost: origin\r\n\r\n";

#[test]
fn fifty_at_once_are_a_peak_of_fifty() {
    for server in SERVERS {
        let origin = Origin::start(&["--server", server, "--threads", "2"]);
        let mut clients = (0..50).map(|_| origin.connect()).collect::<Vec<_>>();
        for client in &mut clients {
            client.send(DELAYED);
        }
        for client in &mut clients {
            assert!(client.answer(true).delay_us() >= 300_000);
        }
        let stats = origin.stats();
        assert_eq!(stats.server, server);
        assert_eq!((stats.in_flight, stats.in_flight_peak), (0, 50));
        assert_eq!((stats.requests, stats.connections), (50, 50));
        assert_eq!((stats.bytes_sent, stats.delays, stats.delays_early), (75_000, 50, 0));
    }
}

#[test]
fn the_peak_never_exceeds_what_clients_have_in_flight() {
    for server in SERVERS {
        let origin = Origin::start(&["--server", server, "--threads", "2"]);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut client = origin.connect();
                    (0..500).for_each(|_| drop(client.get("/api/v2/pokemon/1")));
                });
            }
        });
        let stats = origin.stats();
        assert!((1..=4).contains(&stats.in_flight_peak), "{}", stats.in_flight_peak);
        assert_eq!((stats.requests, stats.connections), (2_000, 4));
    }
}

#[test]
fn asking_for_the_counters_does_not_count() {
    for server in SERVERS {
        let origin = Origin::start(&["--server", server]);
        let mut client = origin.connect();
        for target in ["/stats", "/", "/nowhere", "/api/v2/pokemon/999"] {
            client.get(target);
        }
        let stats = origin.stats();
        assert_eq!((stats.requests, stats.connections, stats.in_flight_peak), (0, 0, 0));
        // A connection counts at its first document, and once.
        client.get("/api/v2/pokemon/1");
        client.get("/api/v2/pokemon/1");
        let stats = origin.stats();
        assert_eq!((stats.requests, stats.connections, stats.in_flight_peak), (2, 1, 1));
    }
}

#[test]
fn a_reset_keeps_what_is_in_flight() {
    for server in SERVERS {
        let origin = Origin::start(&["--server", server, "--threads", "2"]);
        let mut clients = (0..8).map(|_| origin.connect()).collect::<Vec<_>>();
        for client in &mut clients {
            client.get("/api/v2/pokemon/1");
        }
        let (delayed, _) = clients.split_at_mut(3);
        for client in &mut *delayed {
            client.send(HELD);
        }
        assert_eq!(origin.stats_with_in_flight(3).requests, 8);
        origin.reset();
        let stats = origin.stats();
        assert_eq!((stats.in_flight, stats.in_flight_peak, stats.requests), (3, 3, 0));
        for client in &mut *delayed {
            client.answer(true);
        }
        let stats = origin.stats();
        assert_eq!((stats.in_flight, stats.in_flight_peak, stats.requests), (0, 3, 3));
        // Their connections were counted before the reset.
        assert_eq!((stats.connections, stats.bytes_sent, stats.delays), (0, 4_500, 3));
    }
}

#[test]
fn delays_of_all_lengths_can_wait_beside_each_other() {
    for server in SERVERS {
        let origin = Origin::start(&["--server", server, "--threads", "1"]);
        let mut clients = (0..20).map(|_| origin.connect()).collect::<Vec<_>>();
        let asked = |number: usize| 1_000 * (20 - number as u64);
        for (number, client) in clients.iter_mut().enumerate() {
            let delay_us = asked(number);
            client.send(&format!(
                "GET /api/v2/pokemon/1?delay_us={delay_us} HTTP/1.1\r\nHost: origin\r\n\r\n"
            ));
        }
        let got = clients.iter_mut().enumerate().map(|(number, client)| {
            let got = client.answer(true).delay_us();
            assert!(got >= asked(number));
            got
        });
        assert!(got.collect::<BTreeSet<_>>().len() > 1);
        assert_eq!(origin.stats().delays_early, 0);
    }
}
