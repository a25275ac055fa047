//! A server that holds its answers until enough requests wait for one.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use job::Corpus;

/// Answers a request once `until` are in flight, or `all` have come; it holds none when `until` is
/// 0. It serves until the process ends, and each connection has a thread.
pub struct HoldingServer {
    /// Where it serves.
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    corpus: Corpus,
    until: u64,
    all: u64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    come: u64,
    in_flight: u64,
    in_flight_peak: u64,
    /// Whether a request too many would have shown itself by now.
    is_settled: bool,
    has_given_up: bool,
}

/// After so long without enough requests a test fails, rather than to hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a request too many has to come while all others are held. That nothing comes is no
/// event that could be awaited; a client that sends no more than it may passes however slow it is.
const SETTLING: Duration = Duration::from_millis(50);

impl HoldingServer {
    /// Starts on a free port of the loopback interface.
    pub fn start(until: u64, all: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let corpus = Corpus::generated(7, 1_500, 5).expect("the size holds a document");
        let (state, changed) = (Mutex::default(), Condvar::new());
        let shared = Arc::new(Shared { corpus, until, all, state, changed });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&serving);
                thread::spawn(move || drop(shared.serve(stream)));
            }
        });
        HoldingServer { address, shared }
    }

    /// What it serves.
    pub fn corpus(&self) -> &Corpus {
        &self.shared.corpus
    }

    /// The most requests that were in flight at any moment.
    pub fn in_flight_peak(&self) -> u64 {
        self.shared.lock().in_flight_peak
    }

    /// Whether a request was answered for want of patience.
    pub fn has_given_up(&self) -> bool {
        self.shared.lock().has_given_up
    }
}

impl Shared {
    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut stream = BufReader::new(stream);
        while let Some(id) = read_request(&mut stream)? {
            self.hold();
            let mut documents = self.corpus.iter();
            let (_, body) = documents.find(|(other, _)| *other == id).unwrap_or((id, b"none"));
            let mut response =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
            response.extend(body);
            stream.get_mut().write_all(&response)?;
        }
        Ok(())
    }

    /// Counts a request as in flight until it may be answered, which is before its answer leaves:
    /// the count may be below what the client has in flight, never above it.
    fn hold(&self) {
        let mut state = self.lock();
        state.come += 1;
        state.in_flight += 1;
        state.in_flight_peak = state.in_flight_peak.max(state.in_flight);
        self.changed.notify_all();
        if state.come == self.until {
            let settles = |state: &mut State| state.in_flight <= self.until;
            let waited = self.changed.wait_timeout_while(state, SETTLING, settles);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
            state.is_settled = true;
            self.changed.notify_all();
        }
        let holds = |state: &mut State| {
            let is_full = state.in_flight >= self.until && state.is_settled;
            self.until > 0 && !is_full && state.come < self.all
        };
        let waited = self.changed.wait_timeout_while(state, PATIENCE, holds);
        let (mut state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        state.has_given_up |= timeout.timed_out();
        state.in_flight -= 1;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The id of the document that is asked for, or nothing when the client has closed.
fn read_request(stream: &mut impl BufRead) -> io::Result<Option<u32>> {
    let mut first = String::new();
    let mut line = String::new();
    stream.read_line(&mut first)?;
    while stream.read_line(&mut line)? > 0 && !line.trim_end().is_empty() {
        line.clear();
    }
    let path = first.split(' ').nth(1).unwrap_or_default();
    Ok(path.rsplit('/').next().and_then(|id| id.parse().ok()))
}
