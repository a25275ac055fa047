//! One plain blocking program, two ways: `patched threads|green URL [DOCUMENTS [IN_FLIGHT]]`.
//! `patched green --watch 10ms URL …` tells what keeps the hub from turning for so long.
//!
//! The program is `plain_blocking::fetch_all`, in both ways the same machine code. What differs is
//! what starts a task: an OS thread, or a green thread.

use std::io::{self, Write};
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use lane_hub::hub::{self, Config};
use plain_blocking::{Join, fetch_all};
use watchdog::Watchdog;

fn main() -> ExitCode {
    let arguments = std::env::args().skip(1).collect();
    match watched(arguments) {
        Ok(line) => {
            // Who closed the pipe does not want to know.
            let _ = writeln!(io::stdout(), "{line}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            let _ = writeln!(io::stderr(), "patched: {why}");
            ExitCode::from(2)
        }
    }
}

enum Way {
    Threads,
    Green,
}

const USAGE: &str = "say `threads` or `green`, a URL, how many times, and how many at once; and \
                     `--watch 10ms` before the URL for what stops green threads for so long";

/// Fetches, under a watchdog where one is asked for.
fn watched(mut arguments: Vec<String>) -> Result<String, String> {
    if arguments.get(1).is_none_or(|argument| argument != "--watch") {
        return fetch(arguments_of(&arguments)?);
    }
    let limit = arguments.drain(1..arguments.len().min(3)).nth(1).ok_or(USAGE)?;
    let limit = humantime::parse_duration(&limit).map_err(|error| format!("{limit}: {error}"))?;
    let told = arguments_of(&arguments)?;
    if let Way::Threads = told.0 {
        return Err("only `green` can be watched: a thread stops nobody but itself".to_owned());
    }
    let watchdog = Watchdog::start(limit, |report| drop(writeln!(io::stderr(), "{report}")));
    let watchdog = watchdog.map_err(|error| format!("cannot start the watchdog: {error}"))?;
    watchdog.watch(|| fetch(told))
}

fn arguments_of(arguments: &[String]) -> Result<(Way, Vec<String>, usize), String> {
    let number = |index: usize| {
        arguments.get(index).map_or(Ok(1), |text| text.parse().map_err(|_| USAGE.to_owned()))
    };
    let way = match arguments.first().map(String::as_str) {
        Some("threads") => Way::Threads,
        Some("green") => Way::Green,
        _ => return Err(USAGE.to_owned()),
    };
    let url = arguments.get(1).ok_or(USAGE)?;
    Ok((way, vec![url.clone(); number(2)?], number(3)?))
}

fn fetch((way, urls, in_flight): (Way, Vec<String>, usize)) -> Result<String, String> {
    let began = Instant::now();
    let fetched = match way {
        Way::Threads => fetch_all(urls, in_flight, &on_thread),
        Way::Green => {
            lane_patched::run(Config::default(), move || fetch_all(urls, in_flight, &on_green))
                .map_err(|error| format!("cannot start the hub: {error}"))?
                .map_err(|_| "a task panicked".to_owned())?
        }
    };
    let documents = fetched.len();
    let lengths = fetched.into_iter().map(|document| document.map(|bytes| bytes.len()));
    let bytes: usize = lengths.sum::<Result<_, _>>().map_err(|error| error.to_string())?;
    Ok(format!("{documents} documents, {bytes} bytes, {:.1?}", began.elapsed()))
}

fn on_thread(work: Box<dyn FnOnce() + Send>) -> Join {
    let thread = thread::spawn(work);
    Box::new(|| thread.join().expect("the task does not panic"))
}

fn on_green(work: Box<dyn FnOnce() + Send>) -> Join {
    let task = hub::spawn_named("that fetches", work).expect("there is a stack left");
    Box::new(|| task.join().expect("the task does not panic"))
}
