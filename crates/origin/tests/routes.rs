//! What is answered, by both servers alike where they can.

mod common;

use std::time::{Duration, Instant};

use common::{LOOPS, Origin, SERVERS};
use job::{Corpus, Document};
use origin::GENERATED_DOCUMENTS;

fn each_server(arguments: &[&str], test: impl Fn(&str, &Origin)) {
    for server in SERVERS {
        test(
            server,
            &Origin::start(&[&["--server", server, "--threads", "2"], arguments].concat()),
        );
    }
}

#[test]
fn every_document_is_served_as_generated() {
    each_server(&["--seed", "7", "--bytes", "1500,250000"], |_, origin| {
        let mut client = origin.connect();
        for (bytes, query) in [(1_500, ""), (250_000, "?bytes=250000")] {
            let corpus = Corpus::generated(7, bytes, GENERATED_DOCUMENTS).unwrap();
            for (id, body) in corpus.iter() {
                let answer = client.get(&format!("/api/v2/pokemon/{id}{query}"));
                assert_eq!(answer.status, 200);
                assert_eq!(answer.header("content-type"), Some("application/json"));
                assert_eq!(answer.header("x-delay-us"), Some("0"));
                assert!(answer.body == body, "document {id} of {bytes} bytes");
            }
        }
    });
}

#[test]
fn the_folder_is_served_below_files() {
    let folder = std::env::temp_dir().join(format!("origin-routes-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let corpus = Corpus::generated(1, 900, 3).unwrap();
    for (id, body) in corpus.iter() {
        std::fs::write(folder.join(format!("any-name-{id}.json")), body).unwrap();
    }
    each_server(&["--corpus", folder.to_str().unwrap()], |_, origin| {
        let answer = origin.get("/files/api/v2/pokemon/2?delay_us=10");
        assert_eq!(Document::parse(&answer.body).unwrap().id, 2);
        assert_eq!(answer.body.len(), 900);
        assert_eq!(origin.get("/files/api/v2/pokemon/4").status, 404);
    });
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn what_cannot_be_served_is_told_in_one_line() {
    each_server(&[], |_, origin| {
        let mut client = origin.connect();
        for (method, target, status, why) in [
            ("GET", "/api/v2/pokemon/152", 404, "there is no document 152"),
            ("GET", "/api/v2/pokemon/mew", 404, "a document's id is a whole number below 2^32"),
            (
                "GET",
                "/api/v2/pokemon/1?bytes=9",
                404,
                "no documents of that size, only of 1500 bytes",
            ),
            ("GET", "/files/api/v2/pokemon/1", 404, "no folder is served; start with --corpus DIR"),
            ("GET", "/nowhere", 404, "nothing here by that path; GET / lists them"),
            ("GET", "/api/v2/pokemon/1?close=2", 400, "close= takes 0 or 1, not \"2\""),
            (
                "GET",
                "/api/v2/pokemon/1?delay_us=-1",
                400,
                "delay_us= takes microseconds from 0 to 60000000, not \"-1\"",
            ),
            ("DELETE", "/api/v2/pokemon/1", 405, "this answers to GET, HEAD only"),
            ("GET", "/stats/reset", 405, "this answers to POST only"),
        ] {
            let answer = client.ask(method, target, "");
            assert_eq!(answer.status, status, "{method} {target}");
            assert_eq!(answer.text(), format!("{why}\n"));
            assert_eq!(answer.header("allow").is_some(), status == 405);
        }
    });
}

#[test]
fn the_help_names_the_server() {
    each_server(&[], |server, origin| {
        let answer = origin.get("/");
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
        assert!(answer.text().contains("/api/v2/pokemon/{id}"));
        assert!(answer.text().contains(&format!("Served by {server}")));
    });
}

#[test]
fn a_connection_is_kept_and_requests_may_be_sent_ahead() {
    each_server(&[], |_, origin| {
        let mut client = origin.connect();
        let request = |id| format!("GET /api/v2/pokemon/{id} HTTP/1.1\r\nHost: origin\r\n\r\n");
        client.send(&(1..=20).map(request).collect::<String>());
        for id in 1..=20 {
            assert_eq!(Document::parse(&client.answer(true).body).unwrap().id, id);
        }
        let stats = origin.stats();
        assert_eq!((stats.requests, stats.connections), (20, 1));
    });
}

#[test]
fn a_body_that_nobody_wants_is_no_request() {
    each_server(&[], |_, origin| {
        let mut client = origin.connect();
        client.send("POST /stats/reset HTTP/1.1\r\nHost: o\r\nContent-Length: 4\r\n\r\nGET ");
        assert_eq!(client.answer(true).status, 200);
        assert_eq!(client.get("/api/v2/pokemon/1").status, 200);
    });
}

#[test]
fn no_answer_is_early() {
    each_server(&[], |_, origin| {
        let mut client = origin.connect();
        for delay_us in [1, 50, 500, 1_000, 2_000, 20_000] {
            let start = Instant::now();
            let answer = client.get(&format!("/api/v2/pokemon/1?delay_us={delay_us}"));
            assert!(start.elapsed() >= Duration::from_micros(delay_us));
            assert!(answer.delay_us() >= delay_us, "{} < {delay_us}", answer.delay_us());
        }
        let stats = origin.stats();
        assert_eq!((stats.delays, stats.delays_early), (6, 0));
        assert!(stats.delay_error_us.min <= stats.delay_error_us.p50);
        assert!(stats.delay_error_us.p50 <= stats.delay_error_us.max);
    });
}

#[test]
fn cpu_is_burnt_as_asked_for() {
    each_server(&[], |_, origin| {
        origin.reset();
        let mut client = origin.connect();
        for _ in 0..10 {
            assert_eq!(client.get("/api/v2/pokemon/1?burn_us=5000").status, 200);
        }
        assert!(origin.stats().cpu_us >= 50_000);
    });
}

#[test]
fn a_delay_comes_first() {
    for server in SERVERS {
        // Whoever blocked or burnt CPU now would keep the only thread, and nobody would answer to `/stats`.
        let origin = Origin::start(&["--server", server, "--threads", "1"]);
        let mut client = origin.connect();
        let target = "/api/v2/pokemon/1?delay_us=60000000&block_us=60000000&burn_us=60000000";
        client.send(&format!("GET {target} HTTP/1.1\r\nHost: origin\r\n\r\n"));
        assert_eq!(origin.stats_with_in_flight(1).requests, 0);
    }
}

#[test]
fn a_delay_is_the_wait_alone() {
    each_server(&[], |_, origin| {
        let mut client = origin.connect();
        let start = Instant::now();
        let answer = client.get("/api/v2/pokemon/1?delay_us=1000&block_us=10000&burn_us=30000");
        // The rest comes on top of it, and would count twice if it were in it; not all of it, because
        // a thread's clock and the wall's need not agree.
        let spent = Duration::from_micros(answer.delay_us() + 30_000);
        assert!(start.elapsed() >= spent, "{spent:?}");
    });
}

#[test]
fn a_call_that_blocks_is_no_delay() {
    for server in SERVERS.into_iter().chain(["blocking/pool"]) {
        let origin = Origin::start(&["--server", server]);
        let start = Instant::now();
        let answer = origin.get("/api/v2/pokemon/2?block_us=0,20000");
        assert!(start.elapsed() >= Duration::from_millis(20));
        assert_eq!((answer.status, answer.delay_us()), (200, 0));
        assert_eq!(Document::parse(&answer.body).unwrap().id, 2);
        let stats = origin.stats();
        assert_eq!((stats.requests, stats.delays), (1, 0));
    }
}

#[test]
fn on_a_loop_a_call_that_blocks_blocks_all() {
    for server in LOOPS {
        let origin = Origin::start(&["--server", server, "--threads", "1"]);
        let mut client = origin.connect();
        client.send("GET /api/v2/pokemon/1?block_us=200000 HTTP/1.1\r\nHost: origin\r\n\r\n");
        // Whoever is answered is answered before it or after it.
        let mut served = 0;
        while served == 0 {
            let stats = origin.stats();
            assert_eq!(stats.in_flight, 0, "{server}");
            served = stats.requests;
        }
        assert_eq!(client.answer(true).status, 200);
    }
}

#[test]
fn between_threads_a_call_that_blocks_blocks_nobody() {
    let origin = Origin::start(&["--server", "blocking/threads"]);
    let mut client = origin.connect();
    client.send("GET /api/v2/pokemon/1?block_us=60000000 HTTP/1.1\r\nHost: origin\r\n\r\n");
    assert_eq!(origin.stats_with_in_flight(1).requests, 0);
}

#[test]
fn garbage_does_not_end_it() {
    each_server(&[], |_, origin| {
        for garbage in [
            "\r\n\r\n\r\n",
            "GET\r\n\r\n",
            "\0\0\0\0\r\n\r\n",
            "GET / HTTP/9.9\r\n\r\n",
            "GET /api/v2/pokemon/1 HTTP/1.1\r\nno colon\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
            "GET /api/v2/pokemon/1?%zz=\u{e9} HTTP/1.1\r\n\r\n",
            "\u{16}\u{3}\u{1}\u{2}\u{0}",
        ] {
            origin.connect().send(garbage);
            let mut half = origin.connect();
            half.send("GET /api/v2/pok");
        }
        let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(200_000));
        // It may be refused before it is sent.
        let _ = std::io::Write::write_all(origin.connect().stream.get_mut(), long.as_bytes());
        assert_eq!(origin.get("/api/v2/pokemon/1").status, 200);
    });
}
