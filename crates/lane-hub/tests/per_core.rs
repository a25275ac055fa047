//! A hub per core does the job that one hub does.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use blocking_style::Runtime;
use blocking_style::raw::{self, Connections};
use job::{Answer, Client, Corpus, Job, LaneError};
use lane_cases::{
    Asks, HoldingServer, OddServer, run_all, run_open_loop_dealt, run_timeline_dealt, run_up_to,
};
use lane_hub::HUB_PER_CORE;
use lane_hub::hub::{self, Config};
use lane_hub::per_core::run_on;
use lane_hub::runtime::Hub;

/// What a server does to a client on one hub, it does to clients on two at once.
#[test]
fn every_case_ends_as_it_must_on_two_hubs_at_once() {
    let hubs = [(); 2].map(|()| {
        thread::spawn(|| {
            let server = OddServer::start();
            let wrong = hub::run(Config::default(), move || {
                let runtime: Arc<dyn Runtime> = Arc::new(Hub);
                let mut wrong = run_all(&runtime, &server);
                let connections = Connections::new(&runtime, 1);
                let exchange = |url: &str| raw::fetch(&connections, url);
                wrong.extend(run_up_to(Asks::Exchange, &server, exchange));
                wrong
            });
            wrong.unwrap().unwrap()
        })
    });
    assert_eq!(hubs.map(|hub| hub.join().unwrap()), [Vec::<String>::new(), Vec::new()]);
}

#[test]
fn the_open_loop_is_kept() {
    assert_eq!(run_open_loop_dealt(&HUB_PER_CORE), Vec::<String>::new());
}

#[test]
fn every_request_is_told() {
    assert_eq!(run_timeline_dealt(&HUB_PER_CORE), Vec::<String>::new());
}

fn job(server: &HoldingServer, documents: u64, concurrency: u64, client: Client) -> Job {
    let origin = format!("http://{}", server.address);
    Job { top: 3, ..Job::new(&origin, server.corpus(), documents, concurrency, client) }
}

/// The server answers nobody before all that are allowed have asked, on all hubs together.
#[test]
fn any_number_of_hubs_has_the_one_answer_and_the_one_limit() {
    for client in [Client::Library, Client::Raw] {
        for (hubs, documents, concurrency) in [(1, 9, 4), (2, 9, 5), (3, 20, 7), (5, 23, 3)] {
            let server = HoldingServer::start(concurrency, concurrency + 1);
            let job = job(&server, documents, concurrency, client);
            let tally = run_on(hubs, &job).unwrap();
            let expected = Answer::expected(&job, server.corpus()).unwrap();
            assert_eq!(tally.answer.difference(&expected), None, "{hubs} hubs");
            assert_eq!(tally.service_times_ns.len(), documents);
            assert_eq!(server.in_flight_peak(), concurrency);
            assert!(!server.has_given_up());
        }
    }
}

#[test]
fn each_hub_has_a_thread_and_every_so_many_documents() {
    let server = HoldingServer::start(0, 0);
    let job = Job { timeline: true, ..job(&server, 20, 6, Client::Raw) };
    let mut by_thread = BTreeMap::new();
    let requests = run_on(3, &job).unwrap().requests.unwrap();
    assert!(requests.is_sorted_by_key(|request| request.begun_ns));
    for request in requests {
        *by_thread.entry(request.thread).or_insert(0) += 1;
    }
    let mut counts: Vec<_> = by_thread.into_iter().collect();
    counts.sort_by_key(|(_, documents)| *documents);
    // Which of them is merged first, and so has the lowest number, is nobody's to say.
    assert_eq!(counts.iter().map(|(_, documents)| *documents).collect::<Vec<_>>(), [6, 7, 7]);
    assert_eq!(counts.iter().map(|(thread, _)| thread).sum::<u32>(), 1 + 2);
}

#[test]
fn nothing_to_do_is_done() {
    let server = HoldingServer::start(0, 0);
    let tally = run_on(4, &job(&server, 0, 8, Client::Raw)).unwrap();
    assert_eq!(tally.answer, Answer::new(3));
}

#[test]
fn a_hub_with_nothing_to_do_is_not_started() {
    let corpus = Corpus::generated(7, 1_500, 5).unwrap();
    let job = Job::new("http://127.0.0.1:1", &corpus, 10, 1, Client::Raw);
    let needs = (HUB_PER_CORE.needs)(&job);
    assert_eq!((needs.in_flight, needs.connections, needs.threads), (1, 1, 1 + 1));
    // The standard three, an epoll and an eventfd.
    assert_eq!(needs.other_descriptors, 5);
}

/// The other hub waits for an answer that never comes, and is stopped nevertheless.
#[test]
fn the_first_failure_of_a_hub_ends_all() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let [first, second] = [(); 2].map(|()| asked(listener.accept().unwrap().0));
        let (mut failing, waiting) = if first.0 == 2 { (first, second) } else { (second, first) };
        failing.1.write_all(b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n").unwrap();
        // Until the client closes.
        asked(waiting.1);
    });
    let corpus = Corpus::generated(7, 1_500, 2).unwrap();
    let job = Job::new(&origin, &corpus, 2, 2, Client::Raw);
    let job = Job { ids: vec![1, 2], ..job };
    match run_on(2, &job) {
        Err(LaneError::Fetch(error)) => assert_eq!(error.url, job.url(1)),
        other => panic!("{other:?}"),
    }
    server.join().unwrap();
}

/// Reads a request, and says for which id it asks; 0 when the peer has closed.
fn asked(stream: TcpStream) -> (u32, TcpStream) {
    let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
    let first = lines.next().unwrap_or_default();
    lines.find(String::is_empty);
    let id = first.split(' ').nth(1).and_then(|path| path.rsplit('/').next()?.parse().ok());
    (id.unwrap_or(0), stream)
}
