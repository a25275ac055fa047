//! A lane under another name: as it is, or with a known cost planted in it.
//!
//! Two names for one lane show what a run takes for a difference where there is none (an A/A test).
//! A cost that is known beforehand shows whether a run finds what there is. Both need no lane of
//! their own: whatever the lane, its process adds to it what its name says.
//!
//! ```text
//!   stackless/tokio            the lane
//!   stackless/tokio+again      the lane, under another name
//!   stackless/tokio+cpu=5%     and then 5 % more CPU time than the job took
//!   stackless/tokio+bytes=1024 and 1,024 bytes more for every task that may be in flight
//! ```

use std::{io, ptr};

use job::{Job, Lane, LaneError, Needs, Tally};
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous};
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What a lane's name adds to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Planted {
    /// Nothing: the same lane once more.
    Nothing,
    /// This part of the job's own CPU time, burnt after it, percent.
    CpuPercent(u32),
    /// This many bytes for every task that may be in flight, touched before the job and held until
    /// the process' end.
    BytesPerTask(u64),
}

/// The length of any name that a process is told; a longer one is told as it is.
const TOLD_LENGTH: usize = 48;

/// A lane, and what is added to it.
#[derive(Debug, Clone, Copy)]
pub struct Variant {
    /// The lane.
    pub lane: Lane,
    /// What its name adds; `None` for the lane itself.
    pub planted: Option<Planted>,
}

/// A name after whose `+` there is nothing that can be added.
#[derive(Debug, Error)]
#[error("`{0}` adds nothing that there is; +again, +cpu=5% and +bytes=1024 do")]
pub struct UnknownPlant(String);

/// What may be planted at most: ten times the job's CPU time, and a mebibyte a task.
const CPU_PERCENT_MOST: u32 = 1_000;
const BYTES_PER_TASK_MOST: u64 = 1 << 20;

impl From<Lane> for Variant {
    fn from(lane: Lane) -> Self {
        Variant { lane, planted: None }
    }
}

impl Variant {
    /// The lane once more.
    pub fn again(lane: Lane) -> Self {
        Variant { lane, planted: Some(Planted::Nothing) }
    }

    /// What a process is told to run the lane of this name: one that adds nothing, the lane's own, and
    /// all of them as many characters. An argument that is longer moves what is on the heap after it,
    /// and the peak of `stackless/tokio-local` by up to 130 KiB.
    pub fn told(name: &str) -> String {
        let name = name.strip_suffix("+again").unwrap_or(name);
        format!("{name:TOLD_LENGTH$}")
    }

    /// The name of a lane and what is added to it, parted at the `+`.
    ///
    /// # Errors
    ///
    /// What stands after the `+` cannot be added.
    pub fn parse(name: &str) -> Result<(&str, Option<Planted>), UnknownPlant> {
        let Some((lane, plant)) = name.split_once('+') else { return Ok((name, None)) };
        let number = |text: &str| text.parse::<u64>().ok().filter(|number| *number > 0);
        let planted = match plant.split_once('=') {
            None if plant == "again" => Some(Planted::Nothing),
            Some(("cpu", part)) => part
                .strip_suffix('%')
                .and_then(|percent| u32::try_from(number(percent)?).ok())
                .filter(|percent| *percent <= CPU_PERCENT_MOST)
                .map(Planted::CpuPercent),
            Some(("bytes", bytes)) => number(bytes)
                .filter(|bytes| *bytes <= BYTES_PER_TASK_MOST)
                .map(Planted::BytesPerTask),
            _ => None,
        };
        planted.map(|planted| (lane, Some(planted))).ok_or_else(|| UnknownPlant(name.to_owned()))
    }

    /// The name that the variant goes by.
    pub fn id(&self) -> String {
        let id = self.lane.id;
        match self.planted {
            None => id.to_owned(),
            Some(Planted::Nothing) => format!("{id}+again"),
            Some(Planted::CpuPercent(percent)) => format!("{id}+cpu={percent}%"),
            Some(Planted::BytesPerTask(bytes)) => format!("{id}+bytes={bytes}"),
        }
    }

    /// What it takes of the system for a job.
    pub fn needs(&self, job: &Job) -> Needs {
        (self.lane.needs)(job)
    }

    /// Does the job, with what is added.
    ///
    /// # Errors
    ///
    /// Those of the lane.
    pub fn run(&self, job: &Job) -> Result<Tally, LaneError> {
        if let Some(Planted::BytesPerTask(bytes)) = self.planted {
            hold(bytes.saturating_mul(job.in_flight_most()))?;
        }
        let began_ns = cpu_ns();
        let tally = (self.lane.run)(job);
        if let Some(Planted::CpuPercent(percent)) = self.planted {
            let took_ns = cpu_ns() - began_ns;
            burn(took_ns * u64::from(percent) / 100);
        }
        tally
    }
}

/// Takes so many bytes of memory that is really there, and never gives them back.
///
/// They are a mapping of their own. From the allocator a hundred KiB would come out of the heap,
/// where they move what the lane puts there, and three hundred would not: with `stackless/tokio-local`
/// and the library client, 100 tasks so seemed to hold 150 KiB too much. And what was given back
/// before the peak is read would lie in a peak that is past, of which the kernel knows only what it
/// had by then gathered from its counters, one for each processor: up to 100 KiB were missing.
fn hold(bytes: u64) -> Result<(), LaneError> {
    let failed = |source| LaneError::Runtime { doing: "hold what was planted", source };
    let length = usize::try_from(bytes).map_err(|_| failed(io::ErrorKind::OutOfMemory.into()))?;
    let (access, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE);
    // SAFETY: a new mapping at an address of the kernel's choice replaces no other.
    let mapped = unsafe { mmap_anonymous(ptr::null_mut(), length, access, flags) };
    let mapped = mapped.map_err(|error| failed(error.into()))?.cast::<u8>();
    // SAFETY: `length` bytes from there are ours alone, and may be written.
    unsafe { mapped.write_bytes(1, length) };
    Ok(())
}

/// CPU time of the process so far, nanoseconds.
fn cpu_ns() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    u64::try_from(time.tv_sec * 1_000_000_000 + time.tv_nsec).unwrap_or(0)
}

/// Takes `ns` nanoseconds of CPU time, whatever else the machine does meanwhile.
fn burn(ns: u64) {
    let end = cpu_ns() + ns;
    while cpu_ns() < end {
        std::hint::spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use job::{Client, Corpus};

    use super::*;
    use crate::child::FLOOR;

    fn job(concurrency: u64) -> Job {
        let corpus = Corpus::generated(1, 1_500, 3).unwrap();
        Job::new("http://127.0.0.1:9", &corpus, concurrency, concurrency, Client::Raw)
    }

    #[test]
    fn a_name_says_what_it_adds_and_back() {
        for (name, planted) in [
            ("floor/null", None),
            ("floor/null+again", Some(Planted::Nothing)),
            ("floor/null+cpu=5%", Some(Planted::CpuPercent(5))),
            ("floor/null+bytes=1024", Some(Planted::BytesPerTask(1_024))),
        ] {
            let parsed = Variant::parse(name).unwrap();
            assert_eq!(parsed, ("floor/null", planted));
            assert_eq!(Variant { lane: FLOOR, planted }.id(), name);
        }
        assert_eq!(Variant::told("a/b+again"), Variant::told("a/b"), "told the same");
        assert_eq!(Variant::told("a/b+cpu=5%").trim_end(), "a/b+cpu=5%");
        assert_eq!(Variant::told("a/b+cpu=5%").len(), Variant::told("a/b").len());
        for wrong in ["a/b+", "a/b+twice", "a/b+cpu=5", "a/b+cpu=0%", "a/b+bytes=-1", "a/b+bytes"] {
            let error = Variant::parse(wrong).unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{wrong}` adds nothing")), "{error}");
        }
    }

    #[test]
    fn planted_cpu_time_is_a_part_of_the_jobs() {
        let busy = Lane {
            run: |job| {
                burn(4_000_000);
                Ok(Tally::new(job))
            },
            ..FLOOR
        };
        let before = cpu_ns();
        Variant { lane: busy, planted: Some(Planted::CpuPercent(50)) }.run(&job(1)).unwrap();
        assert!(cpu_ns() - before >= 6_000_000);
    }

    #[test]
    fn planted_bytes_stay() {
        let resident_bytes = || {
            let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
            let pages: u64 = statm.split_whitespace().nth(1).unwrap().parse().unwrap();
            pages * u64::try_from(rustix::param::page_size()).unwrap()
        };
        let before = resident_bytes();
        let planted = Some(Planted::BytesPerTask(1 << 20));
        let tally = Variant { lane: FLOOR, planted }.run(&job(64)).unwrap();
        assert_eq!(tally.answer.documents, 0);
        // Other tests may give memory back meanwhile, but not as much.
        let grown = resident_bytes() - before;
        assert!(grown > 48 << 20, "{grown}");
    }
}
