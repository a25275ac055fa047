//! All processes of a server: what they have used, and what they hold.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::mem::MaybeUninit;

use rustix::process::Pid;
use serde::{Deserialize, Serialize};

/// A process and all that come from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tree(Vec<i32>);

/// Memory of all processes of a server, bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// What they hold, with each page that several share counted once (`Pss`).
    pub proportional_bytes: u64,
    /// What they hold for themselves alone (`Private_Clean` and `Private_Dirty`).
    pub private_bytes: u64,
}

impl Tree {
    /// The process `root`, and whatever processes it and they have started that are still there.
    ///
    /// # Errors
    ///
    /// It has ended, or `/proc` cannot be read.
    pub fn of(root: Pid) -> io::Result<Self> {
        let mut children: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
        for entry in fs::read_dir("/proc")? {
            let Some(pid) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            // One that has ended meanwhile is no part of it.
            if let Some(parent) = parent_of(pid) {
                children.entry(parent).or_default().push(pid);
            }
        }
        let root = root.as_raw_nonzero().get();
        if parent_of(root).is_none() {
            return Err(io::Error::other("it has ended"));
        }
        let mut tree = vec![root];
        let mut next = 0;
        while let Some(pid) = tree.get(next) {
            tree.extend(children.remove(pid).unwrap_or_default());
            next += 1;
        }
        Ok(Tree(tree))
    }

    /// How many processes there are.
    pub fn processes(&self) -> usize {
        self.0.len()
    }

    /// CPU time that they have used so far, threads that have ended included, microseconds.
    pub fn cpu_us(&self) -> u64 {
        self.0.iter().filter_map(|pid| cpu_us(*pid)).sum()
    }

    /// What they hold now.
    pub fn held(&self) -> Held {
        let mut all = Held::default();
        for pid in &self.0 {
            let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"));
            let rollup = rollup.unwrap_or_default();
            all.proportional_bytes += field(&rollup, "Pss:");
            all.private_bytes +=
                field(&rollup, "Private_Clean:") + field(&rollup, "Private_Dirty:");
        }
        all
    }
}

/// The process that `pid` was started by; none when it has ended, also when nobody has reaped it.
fn parent_of(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may have anything in it.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut words = rest.split_whitespace();
    let state = words.next()?;
    (state != "Z").then_some(words.next()?.parse().ok()?)
}

/// The clock of another process' CPU time: to the nanosecond, where `/proc` counts in ticks.
fn cpu_us(pid: i32) -> Option<u64> {
    let mut clock = MaybeUninit::uninit();
    // SAFETY: the pointer is to a whole value of the type that clock_getcpuclockid(3) names.
    let failed = unsafe { libc::clock_getcpuclockid(pid, clock.as_mut_ptr()) };
    if failed != 0 {
        return None;
    }
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: the call above has filled the clock in, and the pointer is to a whole timespec.
    let failed = unsafe { libc::clock_gettime(clock.assume_init(), time.as_mut_ptr()) };
    // SAFETY: it is filled in when the call has not failed.
    let time = (failed == 0).then(|| unsafe { time.assume_init() })?;
    u64::try_from(time.tv_sec * 1_000_000 + time.tv_nsec / 1_000).ok()
}

/// The number of kibibytes behind `name`, in bytes.
fn field(rollup: &str, name: &str) -> u64 {
    let line = rollup.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1_024
}

#[cfg(test)]
mod tests {
    use std::io::BufRead;
    use std::process::{Command, Stdio};

    use harness::process::Process;

    use super::*;

    #[test]
    fn a_tree_is_a_process_and_all_that_come_from_it() {
        let mut command = Command::new("sh");
        command.args(["-c", "sh -c 'sleep 1000 & echo; wait' & wait"]);
        let mut process = Process::start(command.stdout(Stdio::piped())).unwrap();
        let mut output = io::BufReader::new(process.child().stdout.take().unwrap());
        output.read_line(&mut String::new()).unwrap();
        let tree = Tree::of(process.pid()).unwrap();
        assert_eq!(tree.processes(), 3);
        let held = tree.held();
        assert!(held.private_bytes > 0 && held.proportional_bytes >= held.private_bytes);
        assert!(tree.cpu_us() > 0);
        process.kill();
        process.reap().unwrap();
        assert!(Tree::of(process.pid()).is_err());
    }

    #[test]
    fn cpu_time_is_that_of_the_process() {
        let this = rustix::process::getpid().as_raw_nonzero().get();
        let before = cpu_us(this).unwrap();
        while cpu_us(this).unwrap() < before + 2_000 {}
    }

    #[test]
    fn a_rollup_is_read_by_its_names() {
        let rollup = "55-7f rollup\nRss:   9 kB\nPss:      12 kB\nPss_Anon: 3 kB\n";
        assert_eq!((field(rollup, "Pss:"), field(rollup, "Private_Dirty:")), (12 * 1_024, 0));
    }
}
