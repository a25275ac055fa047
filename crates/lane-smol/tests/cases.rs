//! The lanes' common test, on smol, as far as its clients go.

use job::{Client as Kind, Corpus, Job};
use lane_cases::{Asks, OddServer, run_open_loop, run_timeline, run_up_to};
use lane_smol::{Client, SMOL, runtime};

#[test]
fn every_case_ends_as_it_must() {
    let server = OddServer::start();
    let corpus = Corpus::generated(1, 1_500, 1).unwrap();
    let runtime = runtime::multi_thread().unwrap();
    for (kind, asks) in [(Kind::Library, Asks::Http), (Kind::Raw, Asks::Exchange)] {
        let job = Job::new("http://127.0.0.1:1", &corpus, 2, 1, kind);
        let client = Client::new(runtime.executor(), &job);
        let wrong = run_up_to(asks, &server, |url| runtime.block_on(client.fetch(url)));
        assert_eq!(wrong, Vec::<String>::new());
    }
}

#[test]
fn a_connection_is_used_again() {
    let server = OddServer::start();
    let corpus = Corpus::generated(1, 1_500, 1).unwrap();
    let runtime = runtime::multi_thread().unwrap();
    for kind in [Kind::Library, Kind::Raw] {
        let before = server.connections();
        let job = Job::new("http://127.0.0.1:1", &corpus, 2, 1, kind);
        let client = Client::new(runtime.executor(), &job);
        let url = format!("http://{}/plain", server.plain);
        // hyper-util has a connection back from a task of its own, which may be on another worker
        // and too late for the fetch that is next.
        let fetches_most = if kind == Kind::Raw { 2 } else { 100 };
        let opened = || server.connections() - before;
        let mut fetches = 0;
        while fetches == opened() && fetches < fetches_most {
            runtime.block_on(client.fetch(&url)).unwrap();
            fetches += 1;
        }
        assert!(opened() < fetches, "{kind}: {fetches} fetches, and each opened a connection");
    }
}

#[test]
fn every_request_is_told() {
    assert_eq!(run_timeline(&SMOL), Vec::<String>::new());
}

#[test]
fn the_open_loop_is_kept() {
    assert_eq!(run_open_loop(&SMOL), Vec::<String>::new());
}
