//! An origin to talk to, and a client that says exactly what it is told to.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use origin::Stats;

/// All servers that keep connections, as `--server` names them.
pub const SERVERS: [&str; 8] = [
    "hyper",
    "may_minihttp",
    "blocking/threads",
    "stackful/hub",
    "stackful/hub-per-core",
    "stackless/hyper",
    "stackless/hyper-local",
    "stackless/hyper-per-core",
];

/// Those that with one thread serve all connections on it.
pub const LOOPS: [&str; 7] = [
    "hyper",
    "may_minihttp",
    "stackful/hub",
    "stackful/hub-per-core",
    "stackless/hyper",
    "stackless/hyper-local",
    "stackless/hyper-per-core",
];

/// The servers of sync-looking code.
pub const SYNC: [&str; 4] =
    ["blocking/pool", "blocking/threads", "stackful/hub", "stackful/hub-per-core"];

/// A running `origin`, which ends when this is dropped.
pub struct Origin {
    pub process: Child,
    /// Its standard input: dropped, it ends.
    pub held: Option<ChildStdin>,
    pub url: String,
}

impl Origin {
    pub fn start(arguments: &[&str]) -> Self {
        Self::of(command().args(arguments))
    }

    pub fn of(command: &mut Command) -> Self {
        let mut process = command
            .arg("--end-with-parent")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut url).unwrap();
        let held = process.stdin.take();
        assert!(url.starts_with("http://127.0.0.1:"), "{url:?}");
        Origin { process, held, url: url.trim_end().to_owned() }
    }

    pub fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    pub fn connect(&self) -> Client {
        Client::new(TcpStream::connect(self.address()).unwrap())
    }

    /// One request on a connection of its own.
    pub fn get(&self, target: &str) -> Answer {
        self.connect().get(target)
    }

    pub fn stats(&self) -> Stats {
        serde_json::from_slice(&self.get("/stats").body).unwrap()
    }

    pub fn reset(&self) {
        assert_eq!(self.connect().ask("POST", "/stats/reset", "").status, 200);
    }

    /// The stats, once `count` requests are in flight.
    pub fn stats_with_in_flight(&self, count: u64) -> Stats {
        loop {
            let stats = self.stats();
            if stats.in_flight == count {
                return stats;
            }
            thread::yield_now();
        }
    }

    pub fn end(mut self) -> ExitStatus {
        drop(self.held.take());
        self.process.wait().unwrap()
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        drop(self.held.take());
        let _ = self.process.wait();
    }
}

pub fn command() -> Command {
    Command::new(env!("CARGO_BIN_EXE_origin"))
}

/// One connection.
pub struct Client {
    pub stream: BufReader<TcpStream>,
}

/// A response.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Client {
    fn new(stream: TcpStream) -> Self {
        // Only a test that fails ever waits so long.
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Client { stream: BufReader::new(stream) }
    }

    pub fn get(&mut self, target: &str) -> Answer {
        self.ask("GET", target, "")
    }

    pub fn ask(&mut self, method: &str, target: &str, headers: &str) -> Answer {
        self.send(&format!("{method} {target} HTTP/1.1\r\nHost: origin\r\n{headers}\r\n"));
        self.answer(method != "HEAD")
    }

    pub fn send(&mut self, text: &str) {
        self.stream.get_mut().write_all(text.as_bytes()).unwrap();
    }

    pub fn answer(&mut self, has_body: bool) -> Answer {
        self.try_answer(|_| has_body).expect("closed without a whole answer")
    }

    /// The next answer, unless the connection is closed before it is whole; `has_body` says whether
    /// one of such a status has a body.
    pub fn try_answer(&mut self, has_body: impl Fn(u16) -> bool) -> Option<Answer> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.stream.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let status = head[9..12].parse().unwrap();
        let mut answer = Answer { status, head, body: Vec::new() };
        if has_body(status) {
            answer.body = vec![0; answer.header("content-length").unwrap().parse().unwrap()];
            self.stream.read_exact(&mut answer.body).ok()?;
        }
        Some(answer)
    }

    /// Whether the origin has closed it: waits for that, or for a byte.
    pub fn is_closed(&mut self) -> bool {
        matches!(self.stream.read(&mut [0]), Ok(0) | Err(_))
    }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.head.lines().filter_map(|line| line.split_once(": "));
        headers.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub fn delay_us(&self) -> u64 {
        self.header("x-delay-us").unwrap().parse().unwrap()
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}
