//! On which processors the origin and a lane run.
//!
//! ```text
//!   unpinned   processors 0 1 2 3    both, wherever the scheduler puts them
//!   pinned     processors 0 1        the origin
//!                         2 3        the lane
//! ```
//!
//! Hardware threads of one core are never parted.

use std::collections::BTreeMap;
use std::fs;
use std::io;

use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use serde::{Deserialize, Serialize};

/// Whether the origin and the lane share processors.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Placement {
    /// Both run wherever the scheduler puts them.
    #[default]
    Unpinned,
    /// The origin runs on the first half of the cores, the lane on the rest.
    Pinned,
}

impl Placement {
    /// For serde: what need not be written down.
    pub fn is_unpinned(&self) -> bool {
        *self == Placement::Unpinned
    }
}

/// The processors of this process, dealt out.
#[derive(Debug, Clone)]
pub struct Processors {
    all: CpuSet,
    origin: CpuSet,
    lane: CpuSet,
}

impl Processors {
    /// Looks which processors this process may use; `None` when there are less than two, of which
    /// nothing can be dealt out.
    pub fn of_this_process() -> Option<Self> {
        let all = sched_getaffinity(None).ok()?;
        let numbers = (0..CpuSet::MAX_CPU).filter(|number| all.is_set(*number));
        let mut cores: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for number in numbers {
            cores.entry(core_of(number)).or_default().push(number);
        }
        let mut cores: Vec<_> = cores.into_values().collect();
        cores.sort();
        // Where there is but one core, its hardware threads are all that can be dealt out.
        if let [only] = cores.as_slice() {
            cores = only.iter().map(|number| vec![*number]).collect();
        }
        let (origin, lane) = cores.split_at(cores.len() / 2);
        let set = |cores: &[Vec<usize>]| {
            let mut set = CpuSet::new();
            cores.iter().flatten().for_each(|number| set.set(*number));
            set
        };
        (!origin.is_empty()).then(|| Processors { all, origin: set(origin), lane: set(lane) })
    }

    /// Where a lane runs.
    pub fn of_lane(&self, placement: Placement) -> CpuSet {
        match placement {
            Placement::Unpinned => self.all,
            Placement::Pinned => self.lane,
        }
    }

    /// Where a server runs that is pinned.
    pub fn of_origin(&self) -> CpuSet {
        self.origin
    }

    /// Moves every thread of the origin, whose process is `pid`, to where it is to run.
    ///
    /// # Errors
    ///
    /// The process is gone, or belongs to somebody else.
    pub fn place_origin(&self, pid: Pid, placement: Placement) -> io::Result<()> {
        let set = match placement {
            Placement::Unpinned => &self.all,
            Placement::Pinned => &self.origin,
        };
        for thread in fs::read_dir(format!("/proc/{}/task", pid.as_raw_nonzero()))? {
            let number = thread?.file_name().to_str().and_then(|name| name.parse().ok());
            if let Some(thread) = number.and_then(Pid::from_raw) {
                sched_setaffinity(Some(thread), set)?;
            }
        }
        Ok(())
    }
}

/// The processors that share a core with this one, itself included, as the kernel lists them; a
/// name of its own where it does not tell.
fn core_of(processor: usize) -> String {
    let file = format!("/sys/devices/system/cpu/cpu{processor}/topology/thread_siblings_list");
    fs::read_to_string(file).map_or_else(|_| processor.to_string(), |list| list.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use rustix::process::getpid;

    use super::*;

    #[test]
    fn what_is_pinned_is_apart_and_what_is_not_has_all() {
        let Some(processors) = Processors::of_this_process() else {
            println!("skipped: this machine has one processor");
            return;
        };
        let lane = processors.of_lane(Placement::Pinned);
        let both = |number: &usize| lane.is_set(*number) && processors.origin.is_set(*number);
        assert_eq!((0..CpuSet::MAX_CPU).filter(both).count(), 0);
        assert_eq!(lane.count() + processors.origin.count(), processors.all.count());
        assert_eq!(processors.of_lane(Placement::Unpinned), processors.all);
    }

    #[test]
    fn every_thread_of_a_process_is_moved() {
        let Some(processors) = Processors::of_this_process() else { return };
        let (tell, told) = std::sync::mpsc::channel();
        let (end, ended) = std::sync::mpsc::channel::<()>();
        let other = std::thread::spawn(move || {
            tell.send(rustix::thread::gettid()).unwrap();
            let _ = ended.recv();
        });
        let thread = told.recv().unwrap();
        processors.place_origin(getpid(), Placement::Pinned).unwrap();
        assert_eq!(sched_getaffinity(Some(thread)).unwrap(), processors.origin);
        processors.place_origin(getpid(), Placement::Unpinned).unwrap();
        assert_eq!(sched_getaffinity(Some(thread)).unwrap(), processors.all);
        drop(end);
        other.join().unwrap();
    }
}
