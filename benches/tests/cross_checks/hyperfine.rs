//! Wall time against hyperfine's.
//!
//! Both time the same lane process on the same job from outside: one document that takes 300 ms.
//! Each has a range of several runs. On a busy machine the ranges grow, so they are compared, and
//! not the runs: there may be no more between them than a tenth of the wait, in one attempt of
//! three. What one of the two counted and the other did not would be in each of its runs.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use harness::process::CHILD;
use job::Job;
use libtest_mimic::Trial;
use serde_json::Value;

use crate::setting::{self, Ours};
use crate::support::Scratch;
use crate::tools::{Missing, installed, output_of, tell, trial_with};

const DELAY: Duration = Duration::from_millis(300);
const GAP_MOST: Duration = Duration::from_millis(30);
const RUNS: usize = 6;
const ATTEMPTS: usize = 3;

pub fn trials() -> Vec<Trial> {
    vec![trial_with("process_wall_is_what_hyperfine_sees", hyperfine, wall)]
}

/// Before version 1.13 it knows no way to start a command without a shell.
fn hyperfine() -> Result<PathBuf, Missing> {
    let path = installed("hyperfine")?;
    let version = output_of(Command::new(&path).arg("--version"));
    let numbers: Vec<u32> = version
        .split(|character: char| !character.is_ascii_digit())
        .filter_map(|digits| digits.parse().ok())
        .collect();
    match numbers[..] {
        [major, minor, ..] if (major, minor) >= (1, 13) => Ok(path),
        _ => Err(Missing(format!(
            "{}is too old: cargo install hyperfine",
            version.replace('\n', " ")
        ))),
    }
}

fn wall(hyperfine: PathBuf) {
    let origin = setting::origin(origin::Server::Hyper);
    let job = setting::job(&origin.url, 1, DELAY);
    for lane in ["blocking/sequential", "stackful/hub", "stackless/tokio-local"] {
        let close = (0..ATTEMPTS).any(|_| {
            let (ours, theirs) = both(&hyperfine, lane, &job);
            ours.gap(&theirs) <= GAP_MOST
        });
        assert!(close, "{lane}: more than {GAP_MOST:?} apart in each of {ATTEMPTS} attempts");
    }
}

/// The lane's process wall, by the harness and by hyperfine.
fn both(hyperfine: &PathBuf, lane: &str, job: &Job) -> (Range, Range) {
    // Half of ours before and half of ours after, so that a machine that grows busier disturbs
    // both.
    let mut ours: Vec<Ours> = (0..RUNS / 2).map(|_| setting::lane(lane, job)).collect();
    let theirs = walls_by(hyperfine, lane, job);
    ours.extend((0..RUNS / 2).map(|_| setting::lane(lane, job)));
    for ours in &ours {
        // The origin is never early, and the job is a part of its process.
        let job = Duration::from_nanos(ours.job.wall_ns);
        assert!(DELAY <= job && job <= ours.process_wall(), "{ours:?}");
    }
    let (ours, theirs) = (Range::of(ours.iter().map(Ours::process_wall)), Range::of(theirs));
    tell(&format!("{lane}: process wall {ours}, hyperfine has {theirs}"));
    assert!(theirs.least >= DELAY, "{theirs:?}");
    (ours, theirs)
}

/// The lane on `job`, by hyperfine.
fn walls_by(hyperfine: &PathBuf, lane: &str, job: &Job) -> Vec<Duration> {
    let scratch = Scratch::new();
    let (input, export) = (scratch.path("job.json"), scratch.path("times.json"));
    let script = scratch.path("lane.sh");
    fs::write(&input, job.to_json()).unwrap();
    // hyperfine has an option for the input only from version 1.16 on. The shell becomes the lane,
    // after a millisecond.
    let (program, file) = (setting::program(), input.display());
    fs::write(&script, format!("exec '{}' lane {lane} < '{file}'", program.display())).unwrap();
    let mut command = Command::new(hyperfine);
    command.args(["--shell=none", "--warmup=1", &format!("--runs={RUNS}")]);
    command.arg("--export-json").arg(&export);
    command.arg(format!("sh '{}'", script.display())).env(CHILD, "1");
    output_of(&mut command);
    let exported: Value = serde_json::from_slice(&fs::read(export).unwrap()).unwrap();
    let times = exported["results"][0]["times"].as_array().unwrap();
    assert_eq!(times.len(), RUNS);
    times.iter().map(|seconds| Duration::from_secs_f64(seconds.as_f64().unwrap())).collect()
}

/// From the least to the most of several runs.
#[derive(Debug)]
struct Range {
    least: Duration,
    most: Duration,
}

impl Range {
    fn of(times: impl IntoIterator<Item = Duration>) -> Self {
        let mut times: Vec<_> = times.into_iter().collect();
        times.sort_unstable();
        Range { least: times[0], most: times[times.len() - 1] }
    }

    /// What lies between two ranges; nothing, when they overlap.
    fn gap(&self, other: &Range) -> Duration {
        let above = self.least.saturating_sub(other.most);
        above.max(other.least.saturating_sub(self.most))
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [least, most] = [self.least, self.most].map(|time| time.as_secs_f64() * 1e3);
        write!(formatter, "{least:.1} to {most:.1} ms")
    }
}
