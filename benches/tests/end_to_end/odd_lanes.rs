//! Lanes that do the job on plain threads, and lanes that do not.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Barrier, Mutex};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use job::{Client, FetchError, Fetched, Job, Lane, LaneError, Needs, OnSchedule, Tally};

/// Lanes that keep their promises.
pub const SOUND: &[Lane] = &[
    lane("blocking/one", one_in_flight, |job| fetch_all(job, 1)),
    lane("blocking/many", all_in_flight, |job| fetch_all(job, job.concurrency)),
    lane("stackful/many", all_in_flight, |job| fetch_all(job, job.concurrency)),
];

/// The same, and one for every way to break them.
pub const ALL: &[Lane] = &[
    SOUND[0],
    SOUND[1],
    SOUND[2],
    lane("odd/crash", all_in_flight, |_| {
        eprintln!("something is very wrong here");
        process::abort()
    }),
    lane("odd/hang", all_in_flight, |_| hang()),
    lane("odd/wrong", all_in_flight, |job| {
        let mut tally = fetch_all(job, job.concurrency)?;
        tally.answer.moves += 1;
        Ok(tally)
    }),
    lane("odd/greedy", all_in_flight, |job| fetch_all(job, job.concurrency + 3)),
    lane("odd/lazy", all_in_flight, |job| fetch_all(job, 1)),
    lane("odd/deaf", all_in_flight, |job| {
        // Nothing listens on the discard port of any machine that runs tests.
        fetch_all(&Job { origin: "http://127.0.0.1:9".to_owned(), ..job.clone() }, 1)
    }),
    lane(
        "odd/huge",
        |job| Needs { mappings: u64::MAX / 2, ..all_in_flight(job) },
        |job| fetch_all(job, 1),
    ),
    lane("odd/heedless", all_in_flight, |job| {
        fetch_all(&Job { arrivals: None, ..job.clone() }, job.concurrency)
    }),
    lane("odd/holds", all_in_flight, |job| {
        hold();
        fetch_all(job, job.concurrency)
    }),
    lane("odd/changes", all_in_flight, |job| {
        let mut tally = fetch_all(job, job.concurrency)?;
        tally.answer.moves += u64::from(timed_part_is_over());
        Ok(tally)
    }),
    lane("odd/traced", all_in_flight, |job| {
        if is_traced() {
            hang();
        }
        fetch_all(job, job.concurrency)
    }),
    // One that can be looked at request by request.
    Lane { id: "real/pool", ..lane_threads::POOL },
];

/// A lane that answers right, and one that does not.
pub const WRONG: &[Lane] = &[SOUND[1], ALL[5]];

/// Where `odd/hang` says that it hangs.
pub const FIFO: &str = "ODD_LANES_FIFO";

/// Names the run's record to those who behave differently once its timed part is over.
pub const RECORD: &str = "ODD_LANES_RECORD";

/// How many threads of `odd/holds` hold this many bytes together.
pub const HOLDERS: u64 = 8;
pub const HELD_BYTES: u64 = 64 << 20;

const fn lane(
    id: &'static str,
    needs: fn(&Job) -> Needs,
    run: fn(&Job) -> Result<Tally, LaneError>,
) -> Lane {
    Lane { id, waits: "in a thread", mirrors: "nothing", clients: Client::BOTH, needs, run }
}

fn all_in_flight(job: &Job) -> Needs {
    let in_flight = job.concurrency.min(job.documents);
    Needs {
        in_flight,
        threads: in_flight + 1,
        stack_bytes: 0,
        connections: in_flight,
        other_descriptors: 3,
        mappings: 0,
    }
}

fn one_in_flight(job: &Job) -> Needs {
    Needs { in_flight: 1, threads: 1, connections: 1, ..all_in_flight(job) }
}

fn hang() -> ! {
    if let Some(fifo) = env::var_os(FIFO) {
        fs::write(fifo, process::id().to_string()).expect("somebody reads the FIFO");
    }
    loop {
        thread::park();
    }
}

fn timed_part_is_over() -> bool {
    env::var_os(RECORD).is_some_and(|record| Path::new(&record).join("ending.json").exists())
}

fn is_traced() -> bool {
    let status = fs::read_to_string("/proc/self/status").expect("a process has a status");
    number_in_status(&status, "TracerPid:") != 0
}

/// Threads that hold memory until somebody has looked, where somebody looks.
fn hold() {
    let held = Barrier::new(HOLDERS as usize + 1);
    thread::scope(|scope| {
        for _ in 0..HOLDERS {
            scope.spawn(|| {
                let bytes = vec![1_u8; (HELD_BYTES / HOLDERS) as usize];
                held.wait();
                held.wait();
                std::hint::black_box(bytes);
            });
        }
        held.wait();
        if timed_part_is_over() && !is_traced() {
            until_looked_at();
        }
        held.wait();
    });
}

/// Nobody is told that they are looked at. But who looks, the parent, sleeps in between, and the
/// kernel counts how often.
fn until_looked_at() {
    const SLEEPS: u64 = 20;
    let status = format!("/proc/{}/status", std::os::unix::process::parent_id());
    let sleeps = || {
        let status = fs::read_to_string(&status).expect("the parent outlives its lanes");
        number_in_status(&status, "voluntary_ctxt_switches:")
    };
    let before = sleeps();
    while sleeps() < before + SLEEPS {
        thread::yield_now();
    }
}

/// The number after `name` at the start of a line of `/proc/PID/status`.
pub fn number_in_status(status: &str, name: &str) -> u64 {
    let number = status.lines().find_map(|line| line.strip_prefix(name));
    number.expect("a status has this").trim().parse().expect("it is a number")
}

/// As many threads as requests in flight, each with a connection of its own. Each takes the next
/// document and, in an open loop, sleeps until it is due.
fn fetch_all(job: &Job, in_flight: u64) -> Result<Tally, LaneError> {
    let next = AtomicU64::new(0);
    let tally = Mutex::new(Tally::new(job));
    let schedule: Option<Vec<Duration>> =
        job.arrivals.map(|arrivals| arrivals.schedule(job.documents).collect());
    let start = Instant::now();
    let work = || -> Result<(), FetchError> {
        let mut connection = None;
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= job.documents {
                return Ok(());
            }
            let due = schedule.as_ref().map(|schedule| schedule[index as usize]);
            if let Some(early) = due.and_then(|due| due.checked_sub(start.elapsed())) {
                thread::sleep(early);
            }
            let sent = start.elapsed();
            let fetched = fetch(&job.url(index), &mut connection)?;
            let mut tally = tally.lock().expect("no thread panics");
            match due {
                Some(due) => tally.add_on_schedule(&OnSchedule { due, sent, fetched }),
                None => tally.add(&fetched),
            }
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> =
            (0..in_flight.min(job.documents)).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("no thread panics"))
    })?;
    Ok(tally.into_inner().expect("no thread panics"))
}

fn fetch(url: &str, connection: &mut Option<BufReader<TcpStream>>) -> Result<Fetched, FetchError> {
    let start = Instant::now();
    let body = exchange(url, connection).map_err(|error| FetchError::new(url, error))?;
    Fetched::parse(url, &body, start.elapsed())
}

/// Enough of HTTP/1.1 for an origin that is known.
fn exchange(url: &str, connection: &mut Option<BufReader<TcpStream>>) -> std::io::Result<Vec<u8>> {
    let rest = url.trim_start_matches("http://");
    let (host, path) = rest.split_once('/').expect("a URL has a path");
    let reader = match connection {
        Some(reader) => reader,
        None => connection.insert(BufReader::new(TcpStream::connect(host)?)),
    };
    // In one write: a second one would wait for the answer to the first (Nagle's algorithm).
    let request = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    reader.get_mut().write_all(request.as_bytes())?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim().to_ascii_lowercase();
        if let Some(text) = line.strip_prefix("content-length:") {
            length = text.trim().parse().map_err(std::io::Error::other)?;
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(body)
}
