//! CPU time and peak memory against GNU time's.
//!
//! The harness starts `time -v`, which starts the lane process: one process, measured once, in
//! three accounts. The lane says what it saw of itself, `time` says what `wait4` told it of the
//! lane, and the harness says what `wait4` told it of `time`, in which the lane is contained.
//!
//! `time` reports `ru_maxrss`, which a process inherits from what it was before `exec`: a copy of
//! its parent. The parent here is `time`, which is small, whatever has started it. Were the lane
//! started by the test, its `ru_maxrss` would be at least what the test holds.

use std::fs;
use std::hint::black_box;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use harness::child::FLOOR;
use harness::number::grouped;
use job::Job;
use libtest_mimic::Trial;

use crate::known_lanes::{BURNT, CPU, HELD_BYTES, MEMORY};
use crate::setting::{self, Ours};
use crate::support::Scratch;
use crate::tools::{Missing, installed, output_of, tell, trial_with};

/// `time` cuts off what is below a hundredth of a second.
const CUT_OFF: Duration = Duration::from_millis(10);
/// More CPU than `time` takes for itself: a fork, an exec and a report, in all a millisecond or two.
const CPU_OF_TIME_MOST: Duration = Duration::from_millis(20);
/// More than two readings of one process' peak differ by: the kernel counts pages on each processor
/// by themselves, and adds up to a few hundred KiB of each to the process' account late; and the
/// lane reads its peak before it writes its outcome.
const RSS_BYTES_APART_MOST: u64 = 4 << 20;

pub fn trials() -> Vec<Trial> {
    vec![
        trial_with("cpu_time_is_what_gnu_time_sees", gnu_time, cpu),
        trial_with("peak_memory_is_what_gnu_time_sees", gnu_time, memory),
        trial_with("peak_memory_is_not_that_of_a_large_parent", gnu_time, large_parent),
    ]
}

/// Other programs by this name have other reports.
fn gnu_time() -> Result<PathBuf, Missing> {
    let path = installed("time")?;
    match output_of(Command::new(&path).arg("--version")) {
        version if version.contains("GNU") => Ok(path),
        _ => Err(Missing(format!("{} is not GNU time: apt-get install time", path.display()))),
    }
}

/// What `time -v` reports of a process.
#[derive(Debug)]
struct Theirs {
    user: Duration,
    system: Duration,
    rss_bytes_peak: u64,
}

impl Theirs {
    fn parse(report: &str) -> Self {
        let value = |name: &str| {
            let mut lines = report.lines().filter_map(|line| line.trim().split_once(": "));
            let (_, value) = lines.find(|(found, _)| *found == name).expect(report);
            value.parse::<f64>().unwrap()
        };
        Theirs {
            user: Duration::from_secs_f64(value("User time (seconds)")),
            system: Duration::from_secs_f64(value("System time (seconds)")),
            rss_bytes_peak: value("Maximum resident set size (kbytes)") as u64 * 1024,
        }
    }
}

/// One lane process, by us and by `time`.
fn both(time: &PathBuf, lane: &str, job: &Job) -> (Ours, Theirs) {
    let scratch = Scratch::new();
    let report = scratch.path("report");
    let mut through = Command::new(time);
    through.env("LC_ALL", "C").arg("-v").arg("-o").arg(&report);
    let ours = setting::lane_through(through, lane, job);
    let theirs = Theirs::parse(&fs::read_to_string(report).unwrap());
    (ours, theirs)
}

fn cpu(time: PathBuf) {
    let origin = setting::origin(origin::Server::Hyper);
    let fetch = setting::job(&origin.url, 1_000, Duration::ZERO);
    for lane in [CPU, "blocking/pool", "stackful/may", "stackless/tokio"] {
        let (ours, theirs) = both(&time, lane, &fetch);
        let (job, process) = (ours.job_cpu(), ours.process.usage.cpu_us() / 1_000);
        let (job, theirs_cpu) = (job.as_millis(), (theirs.user + theirs.system).as_millis());
        tell(&format!(
            "{lane}: CPU {job} ms in the job, {process} ms with its process and time's own; time has {theirs_cpu} ms"
        ));
        // The process contains the job; user and system time are each cut off.
        let process_most = theirs.user + theirs.system + 2 * CUT_OFF;
        assert!(ours.job_cpu() <= process_most, "{lane}: {ours:?}, time has {theirs:?}");
        // And `time` contains the process.
        let usage = ours.process.usage;
        for (ours, theirs) in [(usage.user_us, theirs.user), (usage.system_us, theirs.system)] {
            let ours = Duration::from_micros(ours);
            let most = theirs + CUT_OFF + CPU_OF_TIME_MOST;
            assert!(theirs <= ours && ours <= most, "{lane}: {ours:?}, time has {theirs:?}");
        }
        if lane == CPU {
            assert!(ours.job_cpu() >= BURNT, "{ours:?}");
        }
    }
}

fn memory(time: PathBuf) {
    let origin = setting::origin(origin::Server::Hyper);
    let fetch = setting::job(&origin.url, 1_000, Duration::ZERO);
    for lane in [FLOOR.id, MEMORY, "blocking/pool", "stackful/may", "stackless/tokio"] {
        let (ours, theirs) = both(&time, lane, &fetch);
        assert_close(lane, &ours, &theirs);
        if lane == MEMORY {
            assert!(ours.rss_bytes_peak() >= HELD_BYTES, "{ours:?}");
        }
    }
}

fn large_parent(time: PathBuf) {
    let held = vec![1u8; usize::try_from(HELD_BYTES).unwrap()];
    let (ours, theirs) = both(&time, FLOOR.id, &setting::no_job());
    black_box(&held);
    assert_close(FLOOR.id, &ours, &theirs);
    assert!(ours.rss_bytes_peak().max(theirs.rss_bytes_peak) < HELD_BYTES, "{theirs:?}");
}

fn assert_close(lane: &str, ours: &Ours, theirs: &Theirs) {
    let (ours, theirs) = (ours.rss_bytes_peak(), theirs.rss_bytes_peak);
    let (kib, kib_theirs) = (grouped(ours / 1024), grouped(theirs / 1024));
    tell(&format!("{lane}: VmHWM {kib} KiB, time has {kib_theirs} KiB"));
    assert!(ours.abs_diff(theirs) <= RSS_BYTES_APART_MOST, "{lane}: {ours}, time has {theirs}");
}
