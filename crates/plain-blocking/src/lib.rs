//! A plain blocking program, as anybody writes it: [ureq], [`std::net`], [`std::thread::sleep`].
//!
//! It depends on no runtime and on nothing of this laboratory, and has no parameter behind which a
//! runtime could be: its only one says how a task starts, which is `std::thread::spawn` or anything
//! else. `lane-patched` runs this very machine code on green threads.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ureq::Agent;

/// Fetches a document with ureq's own one-liner.
///
/// # Errors
///
/// The request failed, or was answered with another status than success.
pub fn get(url: &str) -> Result<Vec<u8>, ureq::Error> {
    ureq::get(url).call()?.body_mut().read_to_vec()
}

/// Fetches a document without an HTTP library: one request, and all bytes until the server closes.
///
/// # Errors
///
/// What `std` says.
pub fn get_by_hand(server: impl ToSocketAddrs, path: &str) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: server\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

/// Sleeps.
pub fn nap(duration: Duration) {
    std::thread::sleep(duration);
}

/// Starts a task, and returns what waits for its end.
pub type Spawn<'a> = &'a dyn Fn(Box<dyn FnOnce() + Send>) -> Join;

/// Waits for the end of a task.
pub type Join = Box<dyn FnOnce()>;

/// What came of one document.
pub type Fetched = Result<Vec<u8>, ureq::Error>;

/// Fetches every document with at most `in_flight` at once, in as many tasks; answers in the order
/// of the URLs. The agent is ureq's own, with one pool of connections for all.
pub fn fetch_all(urls: Vec<String>, in_flight: usize, spawn: Spawn<'_>) -> Vec<Fetched> {
    let agent = Agent::new_with_defaults();
    let count = urls.len();
    let job = Arc::new(Job {
        left: Mutex::new(urls.into_iter().enumerate()),
        fetched: Mutex::new((0..count).map(|_| None).collect()),
    });
    let tasks: Vec<_> = (0..in_flight.min(count))
        .map(|_| {
            let (job, agent) = (Arc::clone(&job), agent.clone());
            spawn(Box::new(move || job.work(&agent)))
        })
        .collect();
    tasks.into_iter().for_each(|join| join());
    let mut fetched = job.fetched.lock().unwrap_or_else(PoisonError::into_inner);
    fetched.drain(..).map(|one| one.unwrap_or(Err(ureq::Error::ConnectionFailed))).collect()
}

/// What the tasks share.
struct Job<U> {
    left: Mutex<U>,
    fetched: Mutex<Vec<Option<Fetched>>>,
}

impl<U: Iterator<Item = (usize, String)>> Job<U> {
    /// What each task does. No lock is held while it waits.
    fn work(&self, agent: &Agent) {
        while let Some((index, url)) = self.next() {
            let fetched = agent.get(&url).call().and_then(|mut it| it.body_mut().read_to_vec());
            self.fetched.lock().unwrap_or_else(PoisonError::into_inner)[index] = Some(fetched);
        }
    }

    fn next(&self) -> Option<(usize, String)> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).next()
    }
}
