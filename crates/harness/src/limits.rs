//! What the system allows, against what a lane needs.
//!
//! A job that a lane cannot hold is refused before it starts, with the limit's name, its value,
//! and the command that lifts it. The limits are those of `setrlimit(2)`, `proc(5)`, `ip(7)` and
//! the control group's `pids.max`.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use job::Needs;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};

use crate::number::grouped;

/// The limits of this process and of those that it starts; `u64::MAX` where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// `RLIMIT_NOFILE`: descriptors of one process.
    pub descriptors: u64,
    /// `RLIMIT_AS`: bytes of address space of one process.
    pub address_space_bytes: u64,
    /// `RLIMIT_NPROC`: threads of one user; root has no such limit.
    pub threads_user: u64,
    /// Threads that the user ran already; 0 where nobody counted.
    #[serde(default)]
    pub threads_user_running: u64,
    /// `kernel.threads-max` and `kernel.pid_max`, whichever is less: threads of the system.
    pub threads_system: u64,
    /// Which of the two it is.
    pub threads_system_name: String,
    /// Threads that the system ran already.
    pub threads_running: u64,
    /// The least `pids.max` of the control groups that this process is in.
    pub group: Option<GroupLimit>,
    /// `vm.max_map_count`: mappings of one process.
    pub mappings: u64,
    /// `net.ipv4.ip_local_port_range`: connections to one address and port.
    pub ports: u64,
}

/// A control group's limit on threads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupLimit {
    /// The file that holds it.
    pub file: PathBuf,
    /// Its value.
    pub pids: u64,
    /// Threads that the group ran already.
    pub running: u64,
}

/// A limit that a job does not fit into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What there is not enough of.
    pub what: &'static str,
    /// How much the job needs.
    pub needed: u64,
    /// The limit's name.
    pub limit: String,
    /// The limit's value.
    pub value: u64,
    /// The command that lifts it.
    pub command: String,
}

impl std::error::Error for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (needed, value) = (grouped(self.needed), grouped(self.value));
        let Refusal { what, limit, command, .. } = self;
        write!(formatter, "needs {needed} {what}, but {limit} is {value}: run `{command}`")
    }
}

/// Descriptors that the origin holds beside its connections, and more than any lane does.
const DESCRIPTORS_BESIDE_CONNECTIONS: u64 = 64;

/// Threads of the harness and of the origin, on a machine of up to some 60 processors.
const THREADS_BESIDE_LANE: u64 = 64;

/// Mappings of a process that has no stacks but its own: its binary, its libraries, its heap.
const MAPPINGS_BESIDE_STACKS: u64 = 256;

impl Limits {
    /// Reads the limits, with the soft limit on descriptors raised to the hard one first; every
    /// process that is started later inherits it.
    pub fn raised() -> Self {
        raise_descriptors();
        Self::read()
    }

    /// Reads the limits as they are.
    pub fn read() -> Self {
        let soft = |resource| getrlimit(resource).current.unwrap_or(u64::MAX);
        let threads = number_in("/proc/sys/kernel/threads-max").unwrap_or(u64::MAX);
        let pids = number_in("/proc/sys/kernel/pid_max").unwrap_or(u64::MAX);
        let name = if threads <= pids { "kernel.threads-max" } else { "kernel.pid_max" };
        let root = rustix::process::geteuid().is_root();
        Limits {
            descriptors: soft(Resource::Nofile),
            address_space_bytes: soft(Resource::As),
            threads_user: if root { u64::MAX } else { soft(Resource::Nproc) },
            threads_user_running: 0,
            threads_system: threads.min(pids),
            threads_system_name: name.to_owned(),
            threads_running: threads_running().unwrap_or(0),
            group: group_limit(),
            mappings: number_in("/proc/sys/vm/max_map_count").unwrap_or(u64::MAX),
            ports: ports().unwrap_or(u64::MAX),
        }
    }

    /// The same with the threads that this user runs already, which only a plan needs to know:
    /// looking at every process of the machine would show in what a lane's process takes.
    pub fn with_threads_of_user(mut self) -> Self {
        if self.threads_user < u64::MAX {
            self.threads_user_running = threads_of_user();
        }
        self
    }

    /// What keeps a job with these needs from being done, if anything does.
    pub fn refuse(&self, needs: &Needs) -> Option<Refusal> {
        self.refuse_threads(needs).or_else(|| self.refuse_memory(needs)).or_else(|| {
            let name = "net.ipv4.ip_local_port_range";
            refusal("local ports", needs.connections, name, self.ports, |_| {
                format!("sudo sysctl -w {name}='1024 65535'")
            })
        })
    }

    fn refuse_threads(&self, needs: &Needs) -> Option<Refusal> {
        let group = self.group.as_ref().and_then(|group| {
            let file = group.file.display();
            let needed = needs.threads.saturating_add(group.running);
            refusal("threads in the control group", needed, &file.to_string(), group.pids, |n| {
                format!("echo {n} | sudo tee {file}")
            })
        });
        let of_system = || {
            let name = &self.threads_system_name;
            let needed = needs.threads.saturating_add(self.threads_running);
            refusal("threads in the system", needed, name, self.threads_system, |n| {
                format!("sudo sysctl -w {name}={n}")
            })
        };
        let of_user = || {
            let others = self.threads_user_running.saturating_add(THREADS_BESIDE_LANE);
            let needed = needs.threads.saturating_add(others);
            refusal("threads of this user", needed, "RLIMIT_NPROC", self.threads_user, |n| {
                format!("sudo prlimit --pid $$ --nproc={n}:{n}")
            })
        };
        group.or_else(of_system).or_else(of_user)
    }

    fn refuse_memory(&self, needs: &Needs) -> Option<Refusal> {
        let others = needs.other_descriptors.max(DESCRIPTORS_BESIDE_CONNECTIONS);
        let descriptors = needs.connections.saturating_add(others);
        let mappings = needs.mappings.saturating_add(MAPPINGS_BESIDE_STACKS);
        let stacks = needs.stack_bytes.saturating_mul(needs.in_flight);
        refusal("file descriptors", descriptors, "RLIMIT_NOFILE", self.descriptors, |n| {
            format!("sudo prlimit --pid $$ --nofile={n}:{n}")
        })
        .or_else(|| {
            refusal("memory mappings", mappings, "vm.max_map_count", self.mappings, |n| {
                format!("sudo sysctl -w vm.max_map_count={n}")
            })
        })
        .or_else(|| {
            let most = self.address_space_bytes;
            refusal("bytes of address space", stacks, "RLIMIT_AS", most, |_| {
                "sudo prlimit --pid $$ --as=unlimited".to_owned()
            })
        })
    }
}

fn refusal(
    what: &'static str,
    needed: u64,
    limit: &str,
    value: u64,
    command: impl FnOnce(u64) -> String,
) -> Option<Refusal> {
    let (limit, command) = (limit.to_owned(), || command(needed));
    (needed > value).then(|| Refusal { what, needed, limit, value, command: command() })
}

/// Many systems start a shell with 1,024 and allow far more to whoever asks.
fn raise_descriptors() {
    let limit = getrlimit(Resource::Nofile);
    // A failure leaves the soft limit, against which every job is then checked.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
}

fn number_in(file: impl AsRef<Path>) -> Option<u64> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}

/// The fourth field of `/proc/loadavg` is `runnable/all`.
fn threads_running() -> Option<u64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split_whitespace().nth(3)?.split_once('/')?.1.parse().ok()
}

/// The kernel counts threads by the real user that runs them.
fn threads_of_user() -> u64 {
    let user = rustix::process::getuid().as_raw();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let of_process = |folder: fs::DirEntry| {
        let status = fs::read_to_string(folder.path().join("status")).ok()?;
        threads_in_status(&status, user)
    };
    processes.filter_map(of_process).sum()
}

/// `Threads:` of a process whose first `Uid:` is `user`.
fn threads_in_status(status: &str, user: u32) -> Option<u64> {
    let field =
        |name| status.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next();
    let is_users = field("Uid:")?.parse() == Ok(user);
    is_users.then(|| field("Threads:")?.parse().ok())?
}

fn ports() -> Option<u64> {
    let text = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let (first, last) = text.trim().split_once(char::is_whitespace)?;
    let (first, last) = (first.parse::<u64>().ok()?, last.trim().parse::<u64>().ok()?);
    (last + 1).checked_sub(first)
}

/// A group's limit binds the groups below it as well, so the least on the way up counts.
fn group_limit() -> Option<GroupLimit> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let group = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let limit = |folder: &Path| {
        let file = folder.join("pids.max");
        let running = number_in(folder.join("pids.current")).unwrap_or(0);
        Some(GroupLimit { pids: number_in(&file)?, file, running })
    };
    let deepest = Path::new("/sys/fs/cgroup").join(group);
    deepest.ancestors().filter_map(limit).min_by_key(|limit| limit.pids)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generous() -> Limits {
        Limits {
            descriptors: u64::MAX,
            address_space_bytes: u64::MAX,
            threads_user: u64::MAX,
            threads_user_running: 1_000,
            threads_system: u64::MAX,
            threads_system_name: "kernel.threads-max".into(),
            threads_running: 100,
            group: None,
            mappings: u64::MAX,
            ports: u64::MAX,
        }
    }

    fn needs() -> Needs {
        Needs {
            in_flight: 18_000,
            threads: 20_000,
            stack_bytes: 1 << 20,
            connections: 18_000,
            other_descriptors: 10,
            mappings: 36_000,
        }
    }

    fn refused(change: impl FnOnce(&mut Limits)) -> String {
        let mut limits = generous();
        change(&mut limits);
        limits.refuse(&needs()).map(|refusal| refusal.to_string()).unwrap_or_default()
    }

    #[test]
    fn what_fits_is_not_refused() {
        assert_eq!(generous().refuse(&needs()), None);
    }

    #[test]
    fn every_limit_is_told_with_its_value_and_its_remedy() {
        assert_eq!(
            refused(|limits| limits.descriptors = 1_024),
            "needs 18,064 file descriptors, but RLIMIT_NOFILE is 1,024: \
             run `sudo prlimit --pid $$ --nofile=18064:18064`"
        );
        assert_eq!(
            refused(|limits| limits.mappings = 30_000),
            "needs 36,256 memory mappings, but vm.max_map_count is 30,000: \
             run `sudo sysctl -w vm.max_map_count=36256`"
        );
        assert_eq!(
            refused(|limits| limits.threads_system = 20_099),
            "needs 20,100 threads in the system, but kernel.threads-max is 20,099: \
             run `sudo sysctl -w kernel.threads-max=20100`"
        );
        let group = GroupLimit { file: "/g/pids.max".into(), pids: 500, running: 7 };
        assert_eq!(
            refused(|limits| limits.group = Some(group)),
            "needs 20,007 threads in the control group, but /g/pids.max is 500: \
             run `echo 20007 | sudo tee /g/pids.max`"
        );
        assert_eq!(
            refused(|limits| limits.threads_user = 21_063),
            "needs 21,064 threads of this user, but RLIMIT_NPROC is 21,063: \
             run `sudo prlimit --pid $$ --nproc=21064:21064`"
        );
        assert_eq!(refused(|limits| limits.threads_user = 21_064), "");
        assert!(refused(|limits| limits.ports = 10).contains("ip_local_port_range='1024 65535'"));
        assert!(refused(|limits| limits.address_space_bytes = 10).contains("--as=unlimited"));
    }

    #[test]
    fn no_need_is_too_large_to_be_refused() {
        let all = u64::MAX;
        let needs = Needs {
            in_flight: all,
            threads: all,
            stack_bytes: all,
            connections: all,
            other_descriptors: all,
            mappings: all,
        };
        let limits = Limits { threads_system: 1, ..generous() };
        assert!(limits.refuse(&needs).is_some());
    }

    #[test]
    fn threads_are_those_of_the_user() {
        let status = "Name:\tx\nUid:\t7\t8\t8\t8\nThreads:\t12\n";
        assert_eq!(threads_in_status(status, 7), Some(12));
        assert_eq!(threads_in_status(status, 8), None);
        assert!(threads_of_user() >= 1, "this one, at least");
    }

    #[test]
    fn this_system_has_limits() {
        let limits = Limits::read();
        assert!(limits.descriptors > 0 && limits.mappings > 0 && limits.threads_system > 0);
    }
}
