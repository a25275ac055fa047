//! The lanes' common test, on tokio, as far as its clients go.

use job::{Client as Kind, Corpus, Job};
use lane_cases::{Asks, OddServer, run_open_loop, run_timeline, run_up_to};
use lane_tokio::{Client, runtime};

#[test]
fn every_case_ends_as_it_must() {
    let server = OddServer::start();
    let corpus = Corpus::generated(1, 1_500, 1).unwrap();
    for runtime in [runtime::multi_thread().unwrap(), runtime::local().unwrap()] {
        for (kind, asks) in [(Kind::Library, Asks::Http), (Kind::Raw, Asks::Exchange)] {
            let job = Job::new("http://127.0.0.1:1", &corpus, 2, 1, kind);
            let client = Client::new(&job);
            let wrong = run_up_to(asks, &server, |url| runtime.block_on(client.fetch(url)));
            assert_eq!(wrong, Vec::<String>::new());
        }
    }
}

#[test]
fn a_connection_is_used_again() {
    let server = OddServer::start();
    let corpus = Corpus::generated(1, 1_500, 1).unwrap();
    let runtime = runtime::local().unwrap();
    for kind in [Kind::Library, Kind::Raw] {
        let before = server.connections();
        let client = Client::new(&Job::new("http://127.0.0.1:1", &corpus, 2, 1, kind));
        let url = format!("http://{}/plain", server.plain);
        for _ in 0..2 {
            runtime.block_on(client.fetch(&url)).unwrap();
        }
        assert_eq!(server.connections(), before + 1, "{kind}");
    }
}

#[test]
fn every_request_is_told() {
    for lane in [lane_tokio::TOKIO, lane_tokio::TOKIO_LOCAL] {
        assert_eq!(run_timeline(&lane), Vec::<String>::new(), "{}", lane.id);
    }
}

#[test]
fn the_open_loop_is_kept() {
    for lane in [lane_tokio::TOKIO, lane_tokio::TOKIO_LOCAL] {
        assert_eq!(run_open_loop(&lane), Vec::<String>::new(), "{}", lane.id);
    }
}
