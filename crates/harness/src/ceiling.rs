//! The ceiling: a client that has no model, and drives the origin as fast as this machine can.
//!
//! ```text
//!   thread 0   write ► a  write ► b  write ► c   read ◄ a  write ► a   read ◄ b  write ► b  …
//!   thread 1   write ► d  write ► e  …
//! ```
//!
//! Every connection has a request on its way, and each thread reads them in turn, in blocking
//! calls: one write and one read a document, and nothing to wait in but `read(2)`. It looks at
//! nothing but where a response ends. What a lane does in a second beyond half of what this does is
//! as much the origin's measure as the lane's.

use std::collections::VecDeque;
use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;

use exchange::{Response, Url};
use job::{Client, FetchError, Job, Lane, LaneError, Needs, Tally};

/// The null client. Its answer is that of no documents, since it parses none.
pub const CEILING: Lane = Lane {
    id: "ceiling/null",
    waits: "in read(2), for one connection after the other",
    mirrors: "nothing; as fast as the origin can be driven from this machine",
    clients: &[Client::Raw],
    needs: |job| Needs {
        in_flight: job.in_flight_most(),
        threads: 1 + threads(job),
        stack_bytes: 0,
        connections: job.in_flight_most(),
        other_descriptors: 3,
        mappings: 0,
    },
    run: |job| {
        let threads = threads(job);
        thread::scope(|scope| {
            let drivers: Vec<_> = (0..threads)
                .map(|index| scope.spawn(move || Driver::of(job, index, threads)?.drive()))
                .collect();
            let mut ended = drivers.into_iter().map(|driver| driver.join());
            ended.try_for_each(|end| end.map_err(|_| LaneError::Task("it panicked".to_owned()))?)
        })?;
        Ok(Tally::new(job))
    },
};

/// One for each processor, as long as each has a connection.
fn threads(job: &Job) -> u64 {
    let processors = thread::available_parallelism().map_or(1, |number| number.get() as u64);
    processors.min(job.in_flight_most()).max(1)
}

/// One thread's part of the documents and of the connections.
struct Driver {
    /// The URL of each id, in the order in which they are asked for.
    urls: Vec<String>,
    /// The next of them.
    next: usize,
    /// Documents that are not asked for yet.
    left: u64,
    /// Connections that may be open at once.
    connections: u64,
}

/// A connection with a request on its way.
struct Connection {
    socket: TcpStream,
    response: Response,
    url: usize,
}

impl Driver {
    /// The part of thread `index` of `threads`.
    fn of(job: &Job, index: u64, threads: u64) -> Result<Self, LaneError> {
        let part = |whole: u64| whole / threads + u64::from(index < whole % threads);
        let urls: Vec<_> = job.urls().take(job.ids.len()).collect();
        let next = usize::try_from(index).unwrap_or(0) % urls.len().max(1);
        let connections = part(job.in_flight_most());
        Ok(Driver { urls, next, left: part(job.documents), connections })
    }

    fn drive(mut self) -> Result<(), LaneError> {
        let mut pending = VecDeque::new();
        while self.left > 0 && (pending.len() as u64) < self.connections {
            pending.push_back(self.ask(None)?);
        }
        while let Some(mut connection) = pending.pop_front() {
            let url = connection.url;
            receive(&mut connection).map_err(|error| self.failed(url, error.as_ref()))?;
            if self.left > 0 {
                let kept = connection.response.keep_alive().then_some(connection);
                pending.push_back(self.ask(kept)?);
            }
        }
        Ok(())
    }

    /// Sends the next request, on `kept` or on a fresh connection.
    fn ask(&mut self, kept: Option<Connection>) -> Result<Connection, LaneError> {
        let url = self.next;
        self.next = (url + 1) % self.urls.len();
        self.left -= 1;
        send(&self.urls[url], url, kept).map_err(|error| self.failed(url, error.as_ref()))
    }

    fn failed(&self, url: usize, error: &dyn Error) -> LaneError {
        FetchError::new(&self.urls[url], error).into()
    }
}

type Failure = Box<dyn Error + Send + Sync>;

fn send(text: &str, url: usize, kept: Option<Connection>) -> Result<Connection, Failure> {
    let parsed = Url::parse(text)?;
    let mut connection = match kept {
        Some(connection) => connection,
        None => {
            let socket = TcpStream::connect(parsed.host_and_port())?;
            socket.set_nodelay(true)?;
            Connection { socket, response: Response::default(), url }
        }
    };
    connection.url = url;
    connection.response.clear();
    let mut request = Vec::with_capacity(text.len() + 64);
    parsed.write_request(&mut request);
    connection.socket.write_all(&request)?;
    Ok(connection)
}

fn receive(connection: &mut Connection) -> Result<(), Failure> {
    loop {
        let count = connection.socket.read(connection.response.spare())?;
        if connection.response.filled(count)? {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;

    use job::Corpus;

    use super::*;

    /// Answers every request on every connection, and counts them.
    fn serve(listener: TcpListener, connections: usize) -> thread::JoinHandle<usize> {
        thread::spawn(move || {
            let serve_one = |stream: TcpStream| {
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                let mut stream = stream;
                let mut served = 0;
                while let Some(Ok(line)) = lines.next() {
                    if line.is_empty() {
                        stream
                            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
                            .unwrap();
                        served += 1;
                    }
                }
                served
            };
            let streams = listener.incoming().take(connections).map(Result::unwrap);
            let threads: Vec<_> = streams.map(|s| thread::spawn(move || serve_one(s))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        })
    }

    #[test]
    fn every_document_is_asked_for_once_on_as_many_connections_as_allowed() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let served = serve(listener, 3);
        let corpus = Corpus::generated(1, 1_500, 5).unwrap();
        let tally = (CEILING.run)(&Job::new(&origin, &corpus, 20, 3, Client::Raw)).unwrap();
        assert_eq!(served.join().unwrap(), 20);
        assert_eq!(tally.answer.documents, 0);
    }

    #[test]
    fn an_origin_that_is_not_there_is_named() {
        let corpus = Corpus::generated(1, 1_500, 5).unwrap();
        let job = Job::new("http://127.0.0.1:9", &corpus, 2, 1, Client::Raw);
        let error = (CEILING.run)(&job).unwrap_err().to_string();
        assert!(error.starts_with("GET http://127.0.0.1:9/api"), "{error}");
    }
}
