//! A server that answers when it is told.

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use job::{Client, Corpus, Job};

use crate::log::{Event, Log};

/// Serves documents 1, 2, 3, … until the process ends. Each connection has a thread.
pub struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    corpus: Corpus,
    told: Mutex<Told>,
    changed: Condvar,
    log: Arc<Log>,
}

/// What the server may answer: these, or all from now on.
#[derive(Default)]
struct Told {
    ids: BTreeSet<u32>,
    all: bool,
}

impl Server {
    /// Starts on a free port of the loopback interface.
    pub fn start(documents: u32, log: &Arc<Log>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("the loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let corpus = Corpus::generated(7, 1_500, documents).expect("the size holds a document");
        let (told, changed, log) = (Mutex::default(), Condvar::new(), Arc::clone(log));
        let shared = Arc::new(Shared { corpus, told, changed, log });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&serving);
                // A client that goes away is no failure here.
                thread::spawn(move || drop(shared.serve(stream)));
            }
        });
        Server { address, shared }
    }

    /// All documents, as a job whose client keeps up to `at_once` connections.
    pub fn job(&self, at_once: usize) -> Job {
        let origin = format!("http://{}", self.address);
        let documents = self.shared.corpus.ids().len() as u64;
        Job::new(&origin, &self.shared.corpus, documents, at_once as u64, Client::Library)
    }

    /// Answers a document that was asked for.
    pub fn answer(&self, id: u32) {
        // Before it leaves: in the log, no more is in flight than really is.
        self.shared.log.add(Event::Answered(id));
        self.shared.tell(|told| _ = told.ids.insert(id));
    }

    /// Answers whatever is asked for from now on, without a line in the log.
    pub fn answer_all(&self) {
        self.shared.tell(|told| told.all = true);
    }
}

impl Shared {
    fn tell(&self, tell: impl FnOnce(&mut Told)) {
        tell(&mut self.told.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut stream = BufReader::new(stream);
        while let Some(id) = read_request(&mut stream)? {
            self.log.add(Event::Asked(id));
            let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            let waits = |told: &mut Told| !(told.all || told.ids.contains(&id));
            drop(self.changed.wait_while(told, waits));
            let mut documents = self.corpus.iter();
            let (_, body) = documents.find(|(other, _)| *other == id).unwrap_or((id, b"none"));
            let mut response =
                format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
            response.extend(body);
            stream.get_mut().write_all(&response)?;
        }
        Ok(())
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
