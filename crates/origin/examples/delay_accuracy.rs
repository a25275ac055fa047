//! How exact the origin's delays are: `cargo run --release -p origin --example delay_accuracy`,
//! with `-- --server may_minihttp` for the other server.
//!
//! For delays from 0.5 to 100 ms, two ways:
//!
//! * *steady*: 500 requests wait while others come evenly;
//! * *burst*: 500 requests are sent in one go, then all answers awaited, ten times. To answer
//!   costs more than to ask, so whoever is late in the burst queues for the CPU: what comes out
//!   is the price of 500 answers on this machine, not the timer's.
//!
//! It prints by how much answers were late, microseconds: as the origin says, from the request
//! parsed to the response handed back, and as a client sees it, from before its write to after
//! its read. *Early* adds up both, *waiting* is the origin's peak of requests in flight.
//!
//! The origin runs in a process of its own: this program again, with `--serve`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Parser;
use hdrhistogram::Histogram;
use origin::{Options, Stats};
use polling::{Event, Events, PollMode, Poller};

const DELAYS_US: [u64; 5] = [500, 1_000, 2_000, 20_000, 100_000];
const HELD_US: u64 = 3_000_000;

/// Measures how exact the origin's delays are.
#[derive(Debug, Parser)]
struct Cli {
    /// Serve instead of measuring; used by this program for its other process
    #[arg(long)]
    serve: bool,
    /// Requests that wait at once
    #[arg(long, default_value_t = 500)]
    at_once: usize,
    /// Requests a second beside those that wait
    #[arg(long, default_value_t = 2_000)]
    rate: u32,
    #[command(flatten)]
    options: Options,
}

fn main() -> anyhow::Result<()> {
    let cli = Cli::parse();
    if cli.serve {
        return Ok(origin::run(&cli.options)?);
    }
    let origin = Origin::start(&cli.options)?;
    let threads = cli.options.thread_count();
    println!("{} on {threads} threads; late by, microseconds:", cli.options.server.name());
    println!("steady, {} a second while {} more wait", cli.rate, cli.at_once);
    table(&origin, |delay_us| steady(&origin, delay_us, &cli))?;
    println!("burst, {} in one go", cli.at_once);
    table(&origin, |delay_us| bursts(&origin, delay_us, &cli))?;
    origin.end()
}

/// One line for each delay, measured as `measure` does.
fn table(origin: &Origin, measure: impl Fn(u64) -> anyhow::Result<Seen>) -> anyhow::Result<()> {
    println!("{:>8} | {:^27} | {:^20} |", "", "as the origin says", "as a client sees it");
    print!("{:>8} | {:>6} {:>6} {:>6} {:>6} |", "delay ms", "min", "median", "p99", "max");
    println!(" {:>6} {:>6} {:>6} | {:>6} {:>7}", "median", "p99", "max", "early", "waiting");
    for delay_us in DELAYS_US {
        let Seen { late_us, early, stats } = measure(delay_us)?;
        let said = stats.delay_error_us;
        print!("{:>8} |", delay_us as f64 / 1_000.0);
        print!(" {:>6} {:>6} {:>6} {:>6} |", said.min, said.p50, said.p99, said.max);
        let [median, p99] = [0.5, 0.99].map(|quantile| late_us.value_at_quantile(quantile));
        print!(" {median:>6} {p99:>6} {:>6} |", late_us.max());
        println!(" {:>6} {:>7}", stats.delays_early + early, stats.in_flight_peak);
        ensure!(
            stats.delays > 0 && stats.delays == late_us.len() + early,
            "not everything was counted on both sides"
        );
        origin.wait_until_idle()?;
    }
    Ok(())
}

/// What a client sees, and what the origin says of the same.
struct Seen {
    late_us: Histogram<u64>,
    early: u64,
    stats: Stats,
}

/// A second of requests that come evenly while others wait.
fn steady(origin: &Origin, delay_us: u64, cli: &Cli) -> anyhow::Result<Seen> {
    let mut held = Client::connect(origin, cli.at_once)?;
    (0..cli.at_once).try_for_each(|line| held.send(line, &document(HELD_US)))?;
    let in_flight = cli.rate as usize * (delay_us as usize + 50_000) / 1_000_000;
    let mut client = Client::connect(origin, in_flight)?;
    client.send_all_and_receive(&document(1))?;
    origin.reset()?;
    let start = Instant::now();
    let request = document(delay_us);
    for number in 0..cli.rate {
        let due = start + Duration::from_secs(1) * number / cli.rate;
        while let Some(left) = due.checked_duration_since(Instant::now()).filter(|d| !d.is_zero()) {
            client.receive(Some(left))?;
        }
        while client.idle.is_empty() {
            client.receive(None)?;
        }
        let line = client.idle.pop().context("a line is idle")?;
        client.send(line, &request)?;
    }
    while client.idle.len() < in_flight {
        client.receive(None)?;
    }
    client.seen(origin, delay_us)
}

/// Ten times as many at once as there may be.
fn bursts(origin: &Origin, delay_us: u64, cli: &Cli) -> anyhow::Result<Seen> {
    let mut client = Client::connect(origin, cli.at_once)?;
    client.send_all_and_receive(&document(1))?;
    origin.reset()?;
    (0..10).try_for_each(|_| client.send_all_and_receive(&document(delay_us)))?;
    client.seen(origin, delay_us)
}

fn document(delay_us: u64) -> String {
    format!("GET /api/v2/pokemon/1?delay_us={delay_us} HTTP/1.1\r\nHost: o\r\n\r\n")
}

/// Connections, served by one thread.
struct Client {
    poller: Poller,
    events: Events,
    lines: Vec<Line>,
    /// Lines without a request in flight.
    idle: Vec<usize>,
    /// How long each exchange took since [`Client::seen`] was last asked.
    took: Vec<Duration>,
}

struct Line {
    stream: TcpStream,
    sent: Instant,
    answer: Vec<u8>,
}

impl Client {
    fn connect(origin: &Origin, lines: usize) -> anyhow::Result<Self> {
        let (poller, events) = (Poller::new()?, Events::new());
        let mut client =
            Client { poller, events, lines: Vec::new(), idle: Vec::new(), took: Vec::new() };
        for key in 0..lines {
            let stream = TcpStream::connect(&origin.address)?;
            stream.set_nodelay(true)?;
            // SAFETY: the poller is dropped before the lines (fields drop in order), and no line
            // is ever taken out.
            unsafe { client.poller.add_with_mode(&stream, Event::readable(key), PollMode::Level)? };
            client.lines.push(Line { stream, sent: Instant::now(), answer: Vec::new() });
            client.idle.push(key);
        }
        Ok(client)
    }

    fn send(&mut self, line: usize, request: &str) -> anyhow::Result<()> {
        let line = &mut self.lines[line];
        line.answer.clear();
        line.sent = Instant::now();
        Ok(line.stream.write_all(request.as_bytes())?)
    }

    /// Reads what has come, and waits for it at most so long.
    fn receive(&mut self, patience: Option<Duration>) -> anyhow::Result<()> {
        self.events.clear();
        self.poller.wait(&mut self.events, patience)?;
        let mut buffer = [0; 16 * 1024];
        for event in self.events.iter() {
            let line = &mut self.lines[event.key];
            let count = line.stream.read(&mut buffer)?;
            ensure!(count > 0, "the origin closed a connection");
            line.answer.extend_from_slice(&buffer[..count]);
            if is_whole(&line.answer) {
                self.took.push(line.sent.elapsed());
                self.idle.push(event.key);
            }
        }
        Ok(())
    }

    fn send_all_and_receive(&mut self, request: &str) -> anyhow::Result<()> {
        for line in std::mem::take(&mut self.idle) {
            self.send(line, request)?;
        }
        while self.idle.len() < self.lines.len() {
            self.receive(None)?;
        }
        Ok(())
    }

    /// What came of the latest exchanges, as many as the origin has counted.
    fn seen(&self, origin: &Origin, delay_us: u64) -> anyhow::Result<Seen> {
        let stats = origin.stats()?;
        let mut seen = Seen { late_us: Histogram::new(3)?, early: 0, stats };
        let counted = usize::try_from(seen.stats.delays)?;
        let first = self.took.len().checked_sub(counted).context("more counted than asked for")?;
        for took in &self.took[first..] {
            match took.checked_sub(Duration::from_micros(delay_us)) {
                Some(late) => seen.late_us.record(u64::try_from(late.as_micros())?)?,
                None => seen.early += 1,
            }
        }
        Ok(seen)
    }
}

fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse::<usize>().ok());
    length.is_some_and(|length| body.len() >= length)
}

/// The origin in a process of its own.
struct Origin {
    process: Child,
    address: String,
}

impl Origin {
    fn start(options: &Options) -> anyhow::Result<Self> {
        let threads = options.thread_count().to_string();
        let mut process = Command::new(std::env::current_exe()?)
            .args(["--serve", "--end-with-parent", "--threads", &threads])
            .args(["--server", options.server.name()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut url = String::new();
        let out = process.stdout.take().context("standard output is a pipe")?;
        BufReader::new(out).read_line(&mut url)?;
        let address = url.trim().strip_prefix("http://").context("the origin did not start")?;
        Ok(Origin { address: address.to_owned(), process })
    }

    fn stats(&self) -> anyhow::Result<Stats> {
        let answer = self.ask("GET /stats")?;
        let (_, body) = answer.split_once("\r\n\r\n").context("an answer has a body")?;
        Ok(serde_json::from_str(body)?)
    }

    fn reset(&self) -> anyhow::Result<()> {
        self.ask("POST /stats/reset").map(drop)
    }

    /// Waits until those that were held have been given up.
    fn wait_until_idle(&self) -> anyhow::Result<()> {
        while self.stats()?.in_flight > 0 {
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    fn ask(&self, what: &str) -> anyhow::Result<String> {
        let mut client = Client::connect(self, 1)?;
        client.send_all_and_receive(&format!("{what} HTTP/1.1\r\nHost: o\r\n\r\n"))?;
        Ok(String::from_utf8(client.lines.swap_remove(0).answer)?)
    }

    fn end(mut self) -> anyhow::Result<()> {
        drop(self.process.stdin.take());
        ensure!(self.process.wait()?.success(), "the origin did not end well");
        Ok(())
    }
}
