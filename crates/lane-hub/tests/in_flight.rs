//! Eighteen thousand requests in flight at once, on one thread and one slab of stacks.
//!
//! ```text
//!   this process: the lane ── 18,000 connections ──► the same program again: the server
//!                                                    reads 18,000 requests, then answers the first
//! ```
//!
//! Each end has a descriptor for each connection, so the server is a process of its own. Where the
//! system allows no more than fewer, the test runs with fewer and shows as ignored, with what to lift.
//! With `COMPARE_TESTS_MUST_RUN=1` in the environment it fails instead.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use blocking_style::{Runtime, do_job};
use harness::Limits;
use harness::process::{Process, Status, THIS_IMAGE};
use job::{Answer, Client, Corpus, Job, LaneError, Tally};
use lane_hub::hub::{self, Config, Stacks};
use lane_hub::runtime::Hub;
use lane_hub::{HUB_SLAB, STACK_BYTES};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use rustix::net::listen;
use rustix::net::sockopt::{Timeout, set_socket_timeout};

const IN_FLIGHT: u64 = 18_000;

/// In the environment of the server: how many requests it waits for.
const SERVES: &str = "IN_FLIGHT_SERVES";

/// As many as most systems grant. A connection that finds no room knocks again a second later.
const BACKLOG: i32 = 4_096;

/// A server to which too few come ends after so long, and the test fails rather than to hang.
const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    if let Ok(requests) = std::env::var(SERVES) {
        let served = serve(requests.parse().expect("a number of requests"));
        served.unwrap_or_else(|error| panic!("of {requests} requests: {error}"));
        return ExitCode::SUCCESS;
    }
    let name = "18,000 requests are in flight on one slab";
    let trials = vec![Trial::ignorable_test(name, as_many_as_allowed)];
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn as_many_as_allowed() -> Result<Completion, Failed> {
    let limits = Limits::raised();
    let refused = |requests: u64| limits.refuse(&(HUB_SLAB.needs)(&job("http://0", requests)));
    let hundreds = (1..=IN_FLIGHT / 100).rev().map(|hundreds| hundreds * 100);
    let requests = hundreds.into_iter().find(|requests| refused(*requests).is_none());
    let requests = requests.ok_or("not even a hundred requests are allowed here")?;
    all_at_once(requests)?;
    let Some(refusal) = refused(IN_FLIGHT) else { return Ok(Completion::Completed) };
    let why = format!("held {requests} instead: the job of 18,000 {refusal}");
    match std::env::var_os("COMPARE_TESTS_MUST_RUN") {
        Some(value) if !value.is_empty() => Err(why.into()),
        _ => Ok(Completion::ignored_with(why)),
    }
}

/// The lane's work, and what became of it.
fn all_at_once(requests: u64) -> Result<(), Failed> {
    let mut server = Command::new(THIS_IMAGE);
    server.env(SERVES, requests.to_string()).stdout(Stdio::piped());
    let mut server = Process::start(&mut server)?;
    let mut says = BufReader::new(server.child().stdout.take().expect("it is a pipe")).lines();
    let mut said = || says.next().unwrap_or_else(|| Err(io::ErrorKind::UnexpectedEof.into()));
    let jobs = [said()?, said()?].map(|origin| job(&origin, requests / 2));
    let tallies = on_slab(jobs.clone())?;
    assert_eq!(said()?, requests.to_string(), "requests that waited for an answer at once");
    for (job, tally) in jobs.iter().zip(tallies) {
        let expected = Answer::expected(job, &corpus())?;
        assert_eq!(tally?.answer.difference(&expected), None);
    }
    assert_eq!(server.reap()?.0, Status::Exited(0));
    Ok(())
}

/// As the lane does it, but for two jobs at once.
fn on_slab(jobs: [Job; 2]) -> io::Result<[Result<Tally, LaneError>; 2]> {
    // One for each request, and for each task that starts them, and for `main`.
    let tasks = jobs.iter().map(|job| job.in_flight_most() + 1).sum::<u64>() + 1;
    let most = usize::try_from(tasks).map_err(io::Error::other)?;
    let config = Config { stack_bytes: STACK_BYTES, stacks_kept: most };
    let tallies = hub::run_on(Stacks::Slab { most }, config, move || {
        let start = |job: Job| {
            hub::spawn(move || {
                let runtime: Arc<dyn Runtime> = Arc::new(Hub);
                let client = blocking_style::Client::new(&runtime, &job);
                do_job(&runtime, &client, &job)
            })
        };
        let tasks = jobs.map(|job| start(job).expect("a stack is left"));
        tasks.map(|task| task.join().expect("it does not panic"))
    })?;
    Ok(tallies.expect("it does not panic"))
}

fn corpus() -> Corpus {
    Corpus::generated(7, 1_500, 5).expect("the size holds a document")
}

fn job(origin: &str, requests: u64) -> Job {
    Job::new(origin, &corpus(), requests, requests, Client::Raw)
}

/// Says where it serves; reads `requests` requests, half of them at each address; says how many it
/// has read without having answered one; and answers.
///
/// Of two addresses, because a connection has a port of its own towards one: when half of those are
/// taken, the kernel looks at them all for every connection more.
fn serve(requests: usize) -> io::Result<()> {
    let taking = [1, 2].map(|host| -> io::Result<_> {
        let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, host], 0)))?;
        listen(&listener, BACKLOG)?;
        set_socket_timeout(&listener, Timeout::Recv, Some(PATIENCE))?;
        println!("http://{}", listener.local_addr()?);
        Ok(thread::spawn(move || take(&listener, requests / 2)))
    });
    let mut asked = Vec::new();
    for taking in taking {
        asked.append(&mut taking?.join().expect("it does not panic")?);
    }
    println!("{}", asked.len());
    answer(asked)
}

/// Connections, each with the id of the document that it asks for.
type Asked = Vec<(u32, TcpStream)>;

fn take(listener: &TcpListener, requests: usize) -> io::Result<Asked> {
    let connections = (0..requests).map(|_| Ok(listener.accept()?.0));
    let connections = connections.collect::<io::Result<Vec<_>>>()?;
    connections.into_iter().map(|stream| Ok((id_asked(&stream)?, stream))).collect()
}

fn answer(asked: Asked) -> io::Result<()> {
    let corpus = corpus();
    for (id, mut stream) in asked {
        let found = corpus.iter().find(|(other, _)| *other == id);
        let (_, body) = found.ok_or_else(|| io::Error::other(format!("no document {id}")))?;
        let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length:";
        let mut response = format!("{head} {}\r\n\r\n", body.len()).into_bytes();
        response.extend(body);
        stream.write_all(&response)?;
    }
    Ok(())
}

fn id_asked(stream: &TcpStream) -> io::Result<u32> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let head = BufReader::new(stream)
        .lines()
        .take_while(|line| line.as_ref().map_or(true, |line| !line.is_empty()));
    let head = head.collect::<io::Result<Vec<_>>>()?;
    let path = head.first().and_then(|line| line.split(' ').nth(1));
    let id = path.and_then(|path| path.rsplit('/').next()?.parse().ok());
    id.ok_or_else(|| io::Error::other(format!("not a request: {head:?}")))
}
