//! Unmodified HTTP clients, on green threads: what they get is what they get on an OS thread.

use std::sync::Arc;
use std::time::Duration;

use job::{FetchError, Fetched};
use lane_cases::{Asks, HoldingServer, OddServer, run_up_to};
use lane_hub::hub::{self, Config};
use ureq::Agent;

/// ureq's own agent: its transport, its resolver, its pool.
fn agent(server: &OddServer, limit: Option<Duration>) -> Agent {
    Agent::config_builder()
        .tls_config(server.trusted())
        .timeout_recv_response(limit)
        .timeout_recv_body(limit)
        .proxy(None)
        .build()
        .into()
}

/// Every case of the lanes' common test, but for what only the plug can be told.
fn all_cases() -> Vec<String> {
    let server = OddServer::start();
    let patient = agent(&server, None);
    let impatient = agent(&server, Some(Duration::from_millis(100)));
    run_up_to(Asks::Library, &server, |url| {
        let agent = if url.contains("/silent") { &impatient } else { &patient };
        fetch(agent, url)
    })
}

fn fetch(agent: &Agent, url: &str) -> Result<Fetched, FetchError> {
    let mut response = agent.get(url).call().map_err(|error| FetchError::new(url, error))?;
    let body = response.body_mut().read_to_vec().map_err(|error| FetchError::new(url, error))?;
    Fetched::parse(url, &body, Duration::ZERO)
}

fn green<T: Send + 'static>(main: impl FnOnce() -> T + Send + 'static) -> T {
    let done = lane_patched::run(Config::default(), main).expect("a hub starts");
    done.unwrap_or_else(|payload| std::panic::resume_unwind(payload))
}

#[test]
fn ureq_meets_every_case_on_an_os_thread() {
    assert_eq!(all_cases(), Vec::<String>::new());
}

#[test]
fn ureq_meets_every_case_on_a_green_thread() {
    assert_eq!(green(all_cases), Vec::<String>::new());
}

/// ureq's one-liner makes an agent for each call, and `localhost` is looked up.
#[test]
fn the_one_liner_finds_localhost() {
    let server = OddServer::start();
    let url = format!("http://localhost:{}/plain", server.plain.port());
    let on_thread = plain_blocking::get(&url).unwrap();
    assert_eq!(green(move || plain_blocking::get(&url).unwrap()), on_thread);
}

#[test]
fn an_agent_uses_its_connection_again() {
    let server = Arc::new(OddServer::start());
    let theirs = Arc::clone(&server);
    green(move || {
        let url = format!("http://{}/plain", theirs.plain);
        let agent = Agent::new_with_defaults();
        for _ in 0..3 {
            agent.get(&url).call().unwrap().body_mut().read_to_vec().unwrap();
        }
    });
    assert_eq!(server.connections(), 1);
}

#[test]
fn minreq_fetches_too() {
    let address = OddServer::start().plain;
    let paths = ["plain", "chunked", "big", "drip", "redirect", "close"];
    let url = move |path: &str| format!("http://{address}/{path}");
    let fetch = move || {
        let get = |path| minreq::get(url(path)).send().map(|got| got.into_bytes());
        let bodies = paths.map(|path| get(path).unwrap());
        let silent = minreq::get(url("silent")).with_timeout(1).send();
        (bodies, silent.is_err())
    };
    let on_thread = fetch();
    assert_eq!(green(fetch), on_thread);
    assert!(on_thread.1);
}

/// The server answers nobody before a hundred have asked.
#[test]
fn a_hundred_wait_at_once_on_one_thread() {
    let server = HoldingServer::start(100, 200);
    let address = server.address;
    let fetched = green(move || {
        let urls = (0..200).map(|at| format!("http://{address}/{}", at % 5)).collect();
        plain_blocking::fetch_all(urls, 100, &|work| {
            let task = hub::spawn(work).unwrap();
            Box::new(|| task.join().unwrap())
        })
    });
    assert_eq!(fetched.into_iter().filter(Result::is_ok).count(), 200);
    assert!(!server.has_given_up());
    assert_eq!(server.in_flight_peak(), 100);
}
