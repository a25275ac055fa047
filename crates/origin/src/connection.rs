//! THE sync-looking server: one connection, from its first request to its end.
//!
//! `blocking/pool`, `blocking/threads` and `stackful/hub` run this same function. A call that would
//! block blocks an OS thread in two of them and suspends a green thread in the third, and the code
//! cannot tell.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use blocking_style::{Runtime, Socket};
use exchange::server::{Manner, Refused, Requests};
use rustix::net::{Shutdown, shutdown};

use crate::answer::{Answer, answer};
use crate::request::{Refusal, Route, route};
use crate::site::Site;

/// How long to read what a client still sends, so that closing does not cost it its answer.
const LINGER: Duration = Duration::from_secs(1);

/// What the connections of a server have in common.
#[derive(Clone)]
pub struct Terms {
    /// What is served.
    pub site: Arc<Site>,
    /// How a connection waits.
    pub runtime: Arc<dyn Runtime>,
    /// Whether a connection goes on after its first answer, and may wait for ever for the next request.
    pub keeps_alive: bool,
    /// How long a client may take over one request, and how long to take nothing of an answer.
    pub patience: Duration,
}

/// One connection.
pub struct Connection {
    pub(crate) terms: Terms,
    /// Whose share of the counters it counts in.
    pub(crate) index: usize,
    pub(crate) is_counted: bool,
    socket: Box<dyn Socket>,
    requests: Requests,
    /// What is being sent.
    out: Vec<u8>,
}

/// What a client has sent.
enum Asked {
    Request(Result<Route, Refusal>, Manner),
    Refused(Refused),
    /// Half a request, for too long.
    Late,
    /// The end.
    Nothing,
}

/// Serves a connection until it ends. How it ends is the client's business: a reset and a plain close
/// are all the same here.
pub fn serve(terms: &Terms, index: usize, socket: Box<dyn Socket>) {
    let (requests, out) = (Requests::default(), Vec::new());
    let terms = terms.clone();
    let mut connection = Connection { terms, index, is_counted: false, socket, requests, out };
    let _ = connection.serve();
}

impl Connection {
    fn serve(&mut self) -> io::Result<()> {
        self.socket.set_write_timeout(Some(self.terms.patience))?;
        loop {
            let (answer, manner) = match self.next_request()? {
                Asked::Request(routed, manner) => (answer(self, routed), manner),
                Asked::Refused(refused) => (Answer::refused(refused), CLOSING),
                Asked::Late => (Answer::late(), CLOSING),
                Asked::Nothing => return Ok(()),
            };
            let goes_on = manner.keep_alive
                && !answer.close
                && self.terms.keeps_alive
                && self.requests.is_in_step();
            self.send(&answer, manner, goes_on)?;
            if !goes_on {
                return self.close();
            }
        }
    }

    /// The next request, once it has come with its body.
    fn next_request(&mut self) -> io::Result<Asked> {
        let mut until = (!self.terms.keeps_alive).then(|| Instant::now() + self.terms.patience);
        let (routed, manner) = loop {
            match self.requests.head() {
                Ok(Some(head)) => break (route(head.method, head.target), head.manner),
                Ok(None) => {}
                Err(refused) => return Ok(Asked::Refused(refused)),
            }
            match self.read(&mut until) {
                Ok(0) => return Ok(Asked::Nothing),
                Ok(_) => {}
                Err(error) if is_late(&error) && !self.requests.is_empty() => {
                    return Ok(Asked::Late);
                }
                Err(error) => return Err(error),
            }
        };
        if manner.expects_continue && !self.requests.skip_body() {
            self.socket.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        while !self.requests.skip_body() {
            match self.read(&mut until) {
                Ok(0) => return Ok(Asked::Nothing),
                Ok(_) => {}
                Err(error) if is_late(&error) => return Ok(Asked::Late),
                Err(error) => return Err(error),
            }
        }
        if until.is_some() {
            self.socket.set_read_timeout(None)?;
        }
        Ok(Asked::Request(routed, manner))
    }

    /// Reads what has come. A request has only so long from its first byte on; before that, a
    /// connection that is kept may wait for ever.
    fn read(&mut self, until: &mut Option<Instant>) -> io::Result<usize> {
        let has_begun = !self.requests.is_empty() || !self.requests.is_in_step();
        if until.is_none() && has_begun {
            *until = Some(Instant::now() + self.terms.patience);
        }
        if let Some(until) = until {
            self.limit_reading(*until)?;
        }
        let count = self.socket.read(self.requests.spare())?;
        self.requests.filled(count);
        Ok(count)
    }

    fn limit_reading(&mut self, until: Instant) -> io::Result<()> {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        self.socket.set_read_timeout(Some(left))
    }

    fn send(&mut self, answer: &Answer, manner: Manner, goes_on: bool) -> io::Result<()> {
        self.out.clear();
        answer.write(manner, goes_on, &mut self.out);
        self.socket.write_all(&self.out)?;
        if manner.head_only || answer.is_copied() {
            return Ok(());
        }
        self.socket.write_all(answer.body())
    }

    /// Closes. Bytes that are never read would have the kernel answer with a reset, which overtakes
    /// what was sent: so the client is told that no more comes, and what it sends meanwhile is read.
    fn close(&mut self) -> io::Result<()> {
        if self.requests.is_in_step() && self.requests.is_empty() {
            return Ok(());
        }
        shutdown(self.socket.descriptor(), Shutdown::Write)?;
        let until = Instant::now() + LINGER;
        self.requests = Requests::default();
        loop {
            self.limit_reading(until)?;
            if self.socket.read(self.requests.spare())? == 0 {
                return Ok(());
            }
        }
    }
}

/// How to answer what is no request.
const CLOSING: Manner =
    Manner { head_only: false, keep_alive: false, is_old: false, expects_continue: false };

fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}
