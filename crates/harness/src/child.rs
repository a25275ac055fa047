//! What a lane process does: reads a job, does it, and says what it saw of itself.

use std::fs;
use std::hint::black_box;
use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::process::ExitCode;
use std::time::Instant;

use job::protocol::Failed;
use job::{
    Allocations, Client, Job, Lane, LaneError, Needs, Outcome, OutcomeResult, PROTOCOL_VERSION,
    Tally, Usage,
};

use crate::gate::unix_us;
use crate::limits::Limits;
use crate::variant::Variant;

/// The floor: a child that has no lane, but measures as much as one. Its process takes what every
/// lane's takes before its lane begins, and its job takes what measuring adds to each: for every
/// document the clock is read twice, and what lies between is recorded.
pub const FLOOR: Lane = Lane {
    id: "floor/null",
    waits: "not at all: no lane",
    mirrors: "nothing; what a process takes before its lane begins, and what measuring adds",
    clients: &[Client::Raw],
    needs: |_| Needs {
        in_flight: 0,
        threads: 1,
        stack_bytes: 0,
        connections: 0,
        other_descriptors: 3,
        mappings: 0,
    },
    run: |job| {
        let mut tally = Tally::new(job);
        for _ in 0..job.documents {
            let started = Instant::now();
            tally.add_time(black_box(started).elapsed());
        }
        Ok(tally)
    },
};

/// How an allocator that counts is asked. The harness has none: its program brings one, or does
/// not.
#[derive(Debug, Clone, Copy)]
pub struct AllocationCounter {
    /// Counts from zero.
    pub reset: fn(),
    /// What was counted since then.
    pub read: fn() -> Allocations,
}

/// The whole of a lane process: one job on standard input, one outcome on standard output.
pub fn run(variant: &Variant, counter: Option<AllocationCounter>) -> ExitCode {
    match read_job() {
        Ok(job) => match write_outcome(&outcome(variant, &job, counter)) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => complain(variant, &format!("cannot write the outcome: {error}")),
        },
        Err(why) => complain(variant, &why),
    }
}

fn complain(variant: &Variant, why: &str) -> ExitCode {
    // Who cannot be told learns it from the code.
    let _ = writeln!(io::stderr(), "{}: {why}", variant.id());
    ExitCode::from(2)
}

fn read_job() -> Result<Job, String> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text).map_err(|error| format!("cannot read: {error}"))?;
    Job::from_json(&text).map_err(|error| format!("standard input is {error}"))
}

fn write_outcome(outcome: &Outcome) -> io::Result<()> {
    let mut output = io::stdout().lock();
    writeln!(output, "{}", outcome.to_json())?;
    output.flush()
}

/// Does the job, unless the system cannot hold it: whoever starts a lane by hand learns the
/// limit's name, too.
fn outcome(variant: &Variant, job: &Job, counter: Option<AllocationCounter>) -> Outcome {
    match Limits::raised().refuse(&variant.needs(job)) {
        Some(refusal) => {
            let failed = Failed { url: None, why: refusal.to_string() };
            Outcome { protocol: PROTOCOL_VERSION, result: OutcomeResult::Failed(failed) }
        }
        None => observed(variant, job, counter).unwrap_or_else(|error| Outcome::failed(&error)),
    }
}

fn observed(
    variant: &Variant,
    job: &Job,
    counter: Option<AllocationCounter>,
) -> Result<Outcome, LaneError> {
    if let Some(counter) = counter {
        (counter.reset)();
    }
    let ready_unix_us = unix_us();
    let before = usage_of_self();
    let start = Instant::now();
    let tally = variant.run(job)?;
    let wall = start.elapsed();
    let usage = difference(&usage_of_self(), &before);
    let allocations = counter.map(|counter| (counter.read)());
    let (rss_bytes_peak, address_space_bytes_peak) = memory_peaks();

    let mut outcome =
        Outcome::completed(&tally, u64::try_from(wall.as_nanos()).unwrap_or(u64::MAX));
    if let OutcomeResult::Completed(completed) = &mut outcome.result {
        completed.ready_unix_us = Some(ready_unix_us);
        completed.usage = Some(usage);
        completed.rss_bytes_peak = rss_bytes_peak;
        completed.address_space_bytes_peak = address_space_bytes_peak;
        completed.allocations = allocations;
    }
    Ok(outcome)
}

fn usage_of_self() -> Usage {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the pointer is to a whole `rusage`, which the call fills in, and which is valid as
    // zeroes, too, should it not.
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr());
        usage.assume_init()
    };
    usage_of(&usage)
}

/// The kernel's account in our words.
pub(crate) fn usage_of(usage: &libc::rusage) -> Usage {
    let microseconds = |time: libc::timeval| {
        u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000
            + u64::try_from(time.tv_usec).unwrap_or(0)
    };
    let count = |number: libc::c_long| u64::try_from(number).unwrap_or(0);
    Usage {
        user_us: microseconds(usage.ru_utime),
        system_us: microseconds(usage.ru_stime),
        voluntary_switches: count(usage.ru_nvcsw),
        involuntary_switches: count(usage.ru_nivcsw),
        minor_faults: count(usage.ru_minflt),
        major_faults: count(usage.ru_majflt),
    }
}

fn difference(after: &Usage, before: &Usage) -> Usage {
    Usage {
        // The kernel scales the two to what the scheduler counted, and may take back a little.
        user_us: after.user_us.saturating_sub(before.user_us),
        system_us: after.system_us.saturating_sub(before.system_us),
        voluntary_switches: after.voluntary_switches - before.voluntary_switches,
        involuntary_switches: after.involuntary_switches - before.involuntary_switches,
        minor_faults: after.minor_faults - before.minor_faults,
        major_faults: after.major_faults - before.major_faults,
    }
}

/// `VmHWM` and `VmPeak`, bytes. Never `ru_maxrss`: that one is inherited across `exec`, so a small
/// child of a large parent would report the parent.
fn memory_peaks() -> (Option<u64>, Option<u64>) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
    };
    (bytes("VmHWM:"), bytes("VmPeak:"))
}

#[cfg(test)]
mod tests {
    use job::{Answer, Corpus};

    use super::*;

    fn job() -> Job {
        let corpus = Corpus::generated(1, 1_500, 3).unwrap();
        Job::new("http://127.0.0.1:9", &corpus, 3, 2, Client::Raw)
    }

    fn completed(outcome: Outcome) -> job::Completed {
        match outcome.result {
            OutcomeResult::Completed(completed) => *completed,
            OutcomeResult::Failed(failed) => panic!("{failed}"),
        }
    }

    #[test]
    fn the_floor_sees_itself() {
        let floor = completed(outcome(&FLOOR.into(), &job(), None));
        assert_eq!(floor.answer, Answer::new(10));
        assert!(floor.usage.is_some());
        assert!(floor.rss_bytes_peak.is_some_and(|bytes| bytes > 100_000));
        assert!(floor.address_space_bytes_peak > floor.rss_bytes_peak);
        let times: u64 = floor.service_times_ns.iter().map(|(_, count)| count).sum();
        assert_eq!(times, job().documents, "it measures as often as a lane");
    }

    #[test]
    fn what_the_allocator_counted_is_told() {
        let counted = Allocations { count: 3, bytes: 4, live_bytes_peak: 5 };
        assert_eq!(completed(outcome(&FLOOR.into(), &job(), None)).allocations, None);
        let counter = AllocationCounter {
            reset: || {},
            read: || Allocations { count: 3, bytes: 4, live_bytes_peak: 5 },
        };
        let told = completed(outcome(&FLOOR.into(), &job(), Some(counter))).allocations;
        assert_eq!(told, Some(counted));
    }

    #[test]
    fn cpu_time_is_that_of_the_job() {
        let busy = Lane {
            run: |job| {
                let before = usage_of_self().cpu_us();
                while usage_of_self().cpu_us() < before + 3_000 {}
                Ok(Tally::new(job))
            },
            ..FLOOR
        };
        let busy = completed(outcome(&busy.into(), &job(), None));
        assert!(busy.usage.unwrap().cpu_us() >= 3_000);
    }

    #[test]
    fn what_the_system_cannot_hold_is_refused_with_the_remedy() {
        let needs = |_: &Job| Needs { mappings: u64::MAX / 2, ..(FLOOR.needs)(&job()) };
        let greedy = Lane { needs, ..FLOOR };
        let OutcomeResult::Failed(failed) = outcome(&greedy.into(), &job(), None).result else {
            panic!("no system has that many mappings");
        };
        assert!(failed.why.contains("vm.max_map_count"), "{failed}");
    }
}
