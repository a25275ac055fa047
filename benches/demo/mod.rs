//! `compare demo`: sync-looking code run asynchronously, shown in a terminal within twenty seconds.
//!
//! It is no measurement: each lane runs once, and the origin is asked meanwhile how far it is. But it
//! is nothing made up either. Every run is a fresh lane process over an origin of its own, its answer
//! is verified as everywhere, and the sources are those that were compiled.
//!
//! In reading order:
//!
//! * [`screen`]: a terminal that somebody watches, or a file that is read later;
//! * [`code`]: functions of a source file, as they are printed;
//! * [`site`]: an origin, and lane processes over it;
//! * [`strip`]: what is in flight, as a row of blocks;
//! * [`rows`]: one row a lane, live while it runs;
//! * [`diff`]: what differs between the blocking functions and their async twins;
//! * [`trap`]: one green thread that blocks;
//! * [`stalls`]: what that did to the others.

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::anyhow;
use clap::Args;
use harness::Interrupt;

use crate::enter::Misuse;

use self::rows::Rows;
use self::screen::Screen;
use self::site::{Ran, Site};

pub mod code;
pub mod diff;
pub mod rows;
pub mod screen;
pub mod site;
pub mod stalls;
pub mod strip;
pub mod trap;

/// The blocking functions, and their async twins: the files that were compiled.
const BLOCKING: &str = include_str!("../../crates/blocking-style/src/fetch.rs");
const ASYNC: &str = include_str!("../../crates/lane-tokio/src/fetch.rs");

/// What of them is shown.
const FUNCTIONS: [&str; 2] = ["fetch", "fetch_and_aggregate"];

/// Who runs the blocking functions, and who their twins.
const BLOCKING_LANES: [&str; 4] =
    ["blocking/sequential", "blocking/threads", "stackful/may", "stackful/hub"];
const ASYNC_LANES: [&str; 2] = ["stackless/tokio", "stackless/tokio-local"];

/// The longest that the sequential lane may take: the rest takes as long again, and nobody watches
/// for longer.
const WAIT_MOST: Duration = Duration::from_secs(10);

/// How far away documents are, and how many.
#[derive(Debug, Args)]
pub struct DemoOptions {
    /// How many documents each lane fetches, all at once where it can
    #[arg(long, value_name = "N", default_value_t = 30,
          value_parser = clap::value_parser!(u64).range(1..=1_000))]
    pub documents: u64,
    /// How long the origin waits before it answers
    #[arg(long, value_name = "DURATION", default_value = "100ms",
          value_parser = humantime::parse_duration)]
    pub delay: Duration,
}

/// Shows it all.
///
/// # Errors
///
/// A lane failed, the documents are too many or too far away, or somebody has seen enough.
pub fn demo(options: &DemoOptions) -> anyhow::Result<ExitCode> {
    options.check().map_err(Misuse::of)?;
    let interrupt = Interrupt::listen()?;
    let mut screen = Screen::new(&interrupt);
    let site = Site::open(options, &interrupt)?;
    match show(&mut screen, &site, options) {
        // Who reads only the first lines, as `head` does, has done nothing wrong.
        Err(error) if is_closed_pipe(&error) => Ok(ExitCode::SUCCESS),
        shown => shown.map(|()| ExitCode::SUCCESS),
    }
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let error = error.downcast_ref::<io::Error>();
    error.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

impl DemoOptions {
    /// Whether anybody would wait for it.
    fn check(&self) -> anyhow::Result<()> {
        let DemoOptions { documents, delay } = self;
        let wait = delay.saturating_mul(u32::try_from(*documents).unwrap_or(u32::MAX));
        if wait <= WAIT_MOST {
            return Ok(());
        }
        let (delay, wait, most) = (rows::time(*delay), rows::time(wait), WAIT_MOST.as_secs());
        Err(anyhow!("one after the other, {documents} × {delay} is {wait}; {most} s is the most"))
    }
}

/// The four scenes.
fn show(screen: &mut Screen<'_>, site: &Site<'_>, options: &DemoOptions) -> anyhow::Result<()> {
    let [blocking, twins] = [BLOCKING, ASYNC].map(|source| code::functions(source, &FUNCTIONS));

    screen.point("Sync-looking code, run asynchronously")?;
    screen.heading("1. Blocking code, as anybody writes it")?;
    screen.prose(
        "From crates/blocking-style/src/fetch.rs. Look for what is not there: no async, no await, \
         no callback. call() comes back once the document is here.",
    )?;
    screen.blank()?;
    code::show(screen, &blocking)?;

    screen.heading("2. The same machine code on four runtimes")?;
    screen.prose(&format!(
        "{} documents, each {} away, and a fresh process for each lane. While it runs: █ done, \
         ▓ in flight, · to come. Afterwards: how many were in flight, over time, all on one scale.",
        options.documents,
        rows::time(options.delay),
    ))?;
    screen.blank()?;
    let mut rows = Rows::over(site, screen)?;
    let ran = rows.run_all(screen, &BLOCKING_LANES)?;
    screen.point(&same_code(&ran))?;
    screen.rest()?;

    screen.heading("3. With async/await it is other code")?;
    screen.prose("crates/lane-tokio/src/fetch.rs, its twin, run the same way:")?;
    screen.blank()?;
    rows.run_all(screen, &ASYNC_LANES)?;
    screen.prose("What the twin takes (- blocking, + async):")?;
    screen.blank()?;
    diff::show(screen, &blocking, &twins)?;

    screen.heading("4. The trap")?;
    stalls::show(screen, site)?;

    screen.blank()?;
    screen.prose(
        "This was a demonstration. `compare run` measures: CPU, memory and time, from which load \
         on which model pays, and how sure that is.",
    )
}

/// What the first four rows say.
fn same_code(ran: &[Ran]) -> String {
    let by = |lane: &str| ran.iter().find(|ran| ran.lane == lane);
    let Some((hub, one)) = by("stackful/hub").zip(by("blocking/sequential")) else {
        return String::new();
    };
    let threads = match hub.threads {
        Some(1) => " on one OS thread".to_owned(),
        Some(threads) => format!(" on {threads} OS threads"),
        None => String::new(),
    };
    format!(
        "The hub: {} calls wait at once{threads}, and take {} where one after the other takes {}. Not \
         a line has changed: only the runtime behind the socket is another.",
        hub.at_once,
        rows::time(hub.wall),
        rows::time(one.wall),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(documents: u64, delay: Duration) -> DemoOptions {
        DemoOptions { documents, delay }
    }

    #[test]
    fn nobody_waits_for_ever() {
        assert!(options(30, Duration::from_millis(100)).check().is_ok());
        assert!(options(1_000, Duration::from_millis(10)).check().is_ok());
        let why = options(30, Duration::from_secs(1)).check().unwrap_err().to_string();
        assert_eq!(why, "one after the other, 30 × 1.00 s is 30.00 s; 10 s is the most");
        assert!(options(1_000, Duration::MAX).check().is_err());
    }

    #[test]
    fn the_rows_are_told_in_words() {
        let ran = |lane, wall_ms, threads| Ran {
            lane,
            wall: Duration::from_millis(wall_ms),
            memory_bytes: None,
            at_once: 30,
            threads: Some(threads),
            flights: Vec::new(),
        };
        let told = same_code(&[ran("blocking/sequential", 3_040, 1), ran("stackful/hub", 108, 1)]);
        let expected = "The hub: 30 calls wait at once on one OS thread, and take 108 ms where one \
                        after the other takes 3.04 s. Not a line has changed";
        assert!(told.starts_with(expected), "{told}");
    }
}
