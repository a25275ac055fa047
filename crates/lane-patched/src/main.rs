//! One plain blocking program, two ways: `patched threads|green URL [DOCUMENTS [IN_FLIGHT]]`.
//!
//! The program is `plain_blocking::fetch_all`, in both ways the same machine code. What differs is
//! what starts a task: an OS thread, or a green thread.

use std::io::{self, Write};
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use lane_hub::hub::{self, Config};
use plain_blocking::{Join, fetch_all};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments_of(&arguments).and_then(|(way, urls, in_flight)| fetch(way, urls, in_flight)) {
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

fn arguments_of(arguments: &[String]) -> Result<(Way, Vec<String>, usize), String> {
    const USAGE: &str = "say `threads` or `green`, a URL, how many times, and how many at once";
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

fn fetch(way: Way, urls: Vec<String>, in_flight: usize) -> Result<String, String> {
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
    let task = hub::spawn(work).expect("there is a stack left");
    Box::new(|| task.join().expect("the task does not panic"))
}
