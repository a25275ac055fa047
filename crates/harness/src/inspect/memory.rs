//! Memory by kind, by looking at a lane's process over and over.

use std::fs;
use std::io;
use std::time::{Duration, Instant};

use rustix::param::page_size;
use rustix::process::Pid;
use serde::{Deserialize, Serialize};

use super::HeldJob;
use crate::interrupt::Interrupt;
use crate::process::{Process, Wake};

/// The greatest of each kind that was seen. They need not be of the same moment, and so do not
/// add up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemoryPeaks {
    /// How often the process was looked at.
    pub polls: u64,
    /// Resident: the kernel's own peak, which no look can miss (`VmHWM`).
    pub rss_bytes: u64,
    /// Reserved address space: the kernel's own peak (`VmPeak`).
    pub address_space_bytes: u64,
    /// Resident and of no file (`Anonymous` of `smaps_rollup`).
    pub anonymous_bytes: u64,
    /// Resident and of no other process (`Private_Clean` and `Private_Dirty` of `smaps_rollup`).
    pub private_bytes: u64,
    /// Page tables (`VmPTE`).
    pub page_tables_bytes: u64,
    /// Threads (`Threads`).
    pub threads: u64,
    /// The kernel's stacks for these threads.
    pub kernel_stacks_bytes: u64,
    /// What the kernel held for the whole machine, less what it held before.
    pub machine: MachineGrowth,
}

/// What the kernel held at its peak beside any process, less what it held before the lane
/// began: for all that runs on the machine, the origin's ends of all connections included.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineGrowth {
    /// Buffers of TCP sockets (`TCP: mem` of `/proc/net/sockstat`).
    pub tcp_buffers_bytes: u64,
    /// TCP sockets that are in use (`TCP: inuse` of the same).
    pub tcp_sockets: u64,
    /// The kernel's own objects: sockets, files, processes, and whatever else (`Slab` of
    /// `/proc/meminfo`).
    pub slab_bytes: u64,
    /// Kernel stacks of all threads (`KernelStack` of the same), to hold against the lane's.
    pub kernel_stacks_bytes: u64,
}

/// How long nobody looks in between.
const INTERVAL: Duration = Duration::from_millis(2);

/// What a thread's kernel stack takes where the machine does not tell: on x86-64 and on 64-bit ARM.
const KERNEL_STACK_BYTES: u64 = 16 * 1024;

/// A lane's process that is looked at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Watch<'a> {
    /// The process, which has not been reaped.
    pub process: &'a Process,
    /// Whether somebody wants it to end.
    pub interrupt: &'a Interrupt,
}

/// What was there before the lane began.
#[derive(Debug, Clone, Copy)]
struct Before {
    machine: MachineGrowth,
    kernel_stack_bytes: u64,
}

impl Watch<'_> {
    /// Looks at the process until it has ended, `limit` is over, or an interrupt comes. The first
    /// look is at the process as it is before its lane begins, so that even one that is over at
    /// once was seen whole.
    ///
    /// # Errors
    ///
    /// Only those of a broken system.
    pub fn until(self, job: HeldJob, limit: Duration) -> io::Result<(Wake, MemoryPeaks)> {
        let deadline = Instant::now() + limit;
        let (mut before, mut peaks) = (Before::now(), MemoryPeaks::default());
        let mut held = Some(job);
        loop {
            if held.as_ref().is_some_and(HeldJob::is_read) {
                before = Before::now();
                before.look(self.process.pid(), &mut peaks);
                held = None;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.process.wait(left.min(INTERVAL), self.interrupt)? {
                Wake::OutOfTime if !left.is_zero() => {}
                wake => return Ok((wake, peaks)),
            }
            if held.is_none() {
                before.look(self.process.pid(), &mut peaks);
            }
        }
    }
}

impl Before {
    fn now() -> Self {
        let kernel_stack_bytes = kernel_stack_bytes(&read("/proc/meminfo"), &read("/proc/loadavg"));
        Before { machine: machine_now(), kernel_stack_bytes }
    }

    /// The id is the process' own: it has not been reaped.
    fn look(&self, id: Pid, peaks: &mut MemoryPeaks) {
        let id = id.as_raw_nonzero();
        let status = read(&format!("/proc/{id}/status"));
        // Of a process that has ended nothing is left but its name.
        if bytes_of(&status, "VmHWM").is_none() {
            return;
        }
        peaks.polls += 1;
        let rollup = read(&format!("/proc/{id}/smaps_rollup"));
        peaks.raise(&of_process(&status, &rollup, self.kernel_stack_bytes));
        peaks.machine.raise(&machine_now().above(&self.machine));
    }
}

impl MemoryPeaks {
    fn raise(&mut self, seen: &Self) {
        let raise = |kind: &mut u64, seen: u64| *kind = seen.max(*kind);
        raise(&mut self.rss_bytes, seen.rss_bytes);
        raise(&mut self.address_space_bytes, seen.address_space_bytes);
        raise(&mut self.anonymous_bytes, seen.anonymous_bytes);
        raise(&mut self.private_bytes, seen.private_bytes);
        raise(&mut self.page_tables_bytes, seen.page_tables_bytes);
        raise(&mut self.threads, seen.threads);
        raise(&mut self.kernel_stacks_bytes, seen.kernel_stacks_bytes);
    }
}

impl MachineGrowth {
    fn raise(&mut self, seen: &Self) {
        self.tcp_buffers_bytes = self.tcp_buffers_bytes.max(seen.tcp_buffers_bytes);
        self.tcp_sockets = self.tcp_sockets.max(seen.tcp_sockets);
        self.slab_bytes = self.slab_bytes.max(seen.slab_bytes);
        self.kernel_stacks_bytes = self.kernel_stacks_bytes.max(seen.kernel_stacks_bytes);
    }

    fn above(&self, before: &Self) -> Self {
        MachineGrowth {
            tcp_buffers_bytes: self.tcp_buffers_bytes.saturating_sub(before.tcp_buffers_bytes),
            tcp_sockets: self.tcp_sockets.saturating_sub(before.tcp_sockets),
            slab_bytes: self.slab_bytes.saturating_sub(before.slab_bytes),
            kernel_stacks_bytes: self
                .kernel_stacks_bytes
                .saturating_sub(before.kernel_stacks_bytes),
        }
    }
}

/// What cannot be read counts as empty: the process may end between two looks.
fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

fn machine_now() -> MachineGrowth {
    of_machine(&read("/proc/net/sockstat"), &read("/proc/meminfo"))
}

/// Of `/proc/PID/status` and `/proc/PID/smaps_rollup`.
fn of_process(status: &str, rollup: &str, kernel_stack_bytes: u64) -> MemoryPeaks {
    let of = |text: &str, name: &str| bytes_of(text, name).unwrap_or(0);
    let threads = field(status, "Threads").and_then(|text| text.parse().ok()).unwrap_or(0);
    MemoryPeaks {
        rss_bytes: of(status, "VmHWM"),
        address_space_bytes: of(status, "VmPeak"),
        anonymous_bytes: of(rollup, "Anonymous"),
        private_bytes: of(rollup, "Private_Clean") + of(rollup, "Private_Dirty"),
        page_tables_bytes: of(status, "VmPTE"),
        threads,
        kernel_stacks_bytes: threads * kernel_stack_bytes,
        ..MemoryPeaks::default()
    }
}

/// Of `/proc/net/sockstat` and `/proc/meminfo`.
fn of_machine(sockstat: &str, meminfo: &str) -> MachineGrowth {
    MachineGrowth {
        tcp_buffers_bytes: tcp(sockstat, "mem") * page_size() as u64,
        tcp_sockets: tcp(sockstat, "inuse"),
        slab_bytes: bytes_of(meminfo, "Slab").unwrap_or(0),
        kernel_stacks_bytes: bytes_of(meminfo, "KernelStack").unwrap_or(0),
    }
}

/// What stands after `name:` at the start of a line.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let after = |line: &'a str| line.strip_prefix(name)?.strip_prefix(':');
    text.lines().find_map(after).map(str::trim)
}

/// `VmPTE: 48 kB` in bytes.
fn bytes_of(text: &str, name: &str) -> Option<u64> {
    Some(field(text, name)?.strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

/// The number after `name` in `TCP: inuse 5 orphan 0 tw 12 alloc 7 mem 1`.
fn tcp(sockstat: &str, name: &str) -> u64 {
    let mut words = field(sockstat, "TCP").unwrap_or_default().split_whitespace();
    words.find(|word| *word == name);
    words.next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// What a kernel stack takes: all of them over all threads of the machine, to the next power of
/// two. A container may not tell one of the two, or not the machine's.
fn kernel_stack_bytes(meminfo: &str, loadavg: &str) -> u64 {
    // The fourth field of `/proc/loadavg` is `runnable/all`.
    let threads = loadavg.split_whitespace().nth(3).and_then(|field| field.split_once('/'));
    let threads = threads.and_then(|(_, all)| all.parse::<f64>().ok()).unwrap_or(0.0);
    let all = bytes_of(meminfo, "KernelStack").unwrap_or(0) as f64;
    let power = (all / threads).log2().round();
    if (12.0..=17.0).contains(&power) { 1 << power as u32 } else { KERNEL_STACK_BYTES }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use job::{Client, Corpus, Job};

    use super::*;

    const STATUS: &str = "Name:\tcompare\nVmPeak:\t 2107720 kB\nVmSize:\t 2107716 kB\n\
        VmHWM:\t   27540 kB\nVmRSS:\t   27000 kB\nVmPTE:\t     400 kB\nThreads:\t33\n";
    const ROLLUP: &str = "556e86cd0000-7ffc76def000 ---p 00000000 00:00 0     [rollup]\n\
        Rss:               27000 kB\nPss_Anon:          21116 kB\nPrivate_Clean:       36 kB\n\
        Private_Dirty:     21116 kB\nAnonymous:         21116 kB\nAnonHugePages:         0 kB\n";
    const SOCKSTAT: &str = "sockets: used 12\nTCP: inuse 5 orphan 0 tw 12 alloc 7 mem 3\n\
        UDP: inuse 1 mem 4\n";
    const MEMINFO: &str = "MemTotal:       24684092 kB\nSlab:              98304 kB\n\
        SReclaimable:      65536 kB\nKernelStack:        1408 kB\nPageTables:         2000 kB\n";

    #[test]
    fn each_kind_is_found_by_its_own_name() {
        let seen = of_process(STATUS, ROLLUP, 16 * 1024);
        let kib = |bytes: u64| bytes / 1024;
        assert_eq!((kib(seen.rss_bytes), kib(seen.address_space_bytes)), (27_540, 2_107_720));
        assert_eq!((kib(seen.anonymous_bytes), kib(seen.private_bytes)), (21_116, 21_152));
        assert_eq!((kib(seen.page_tables_bytes), seen.threads), (400, 33));
        assert_eq!(kib(seen.kernel_stacks_bytes), 33 * 16);
        assert_eq!(of_process("", "", 1), MemoryPeaks::default());
    }

    #[test]
    fn the_machine_tells_sockets_and_its_own_objects() {
        let seen = of_machine(SOCKSTAT, MEMINFO);
        assert_eq!((seen.tcp_sockets, seen.tcp_buffers_bytes), (5, 3 * page_size() as u64));
        assert_eq!((seen.slab_bytes, seen.kernel_stacks_bytes), (98_304 << 10, 1_408 << 10));
        let before = MachineGrowth { tcp_sockets: 2, slab_bytes: u64::MAX, ..seen };
        let grown = MachineGrowth { tcp_sockets: 3, ..MachineGrowth::default() };
        assert_eq!(seen.above(&before), grown, "never below zero");
    }

    #[test]
    fn a_kernel_stack_is_what_the_machine_says_or_what_is_usual() {
        assert_eq!(kernel_stack_bytes(MEMINFO, "0.67 0.87 0.75 2/88 21783"), 16 << 10);
        assert_eq!(kernel_stack_bytes(MEMINFO, "0.67 0.87 0.75 2/176 21783"), 8 << 10);
        assert_eq!(kernel_stack_bytes("", "0.67 0.87 0.75 2/88 21783"), 16 << 10);
        assert_eq!(kernel_stack_bytes(MEMINFO, ""), 16 << 10);
    }

    #[test]
    fn a_peak_stays_when_what_it_is_of_has_gone() {
        let mut peaks = of_process(STATUS, ROLLUP, 1);
        let before = peaks;
        peaks.raise(&MemoryPeaks { threads: 40, ..MemoryPeaks::default() });
        assert_eq!(peaks, MemoryPeaks { threads: 40, ..before });
    }

    #[test]
    fn a_process_is_seen_whole_even_if_it_ends_at_once() {
        let interrupt = Interrupt::listen().unwrap();
        let corpus = Corpus::generated(1, 1_500, 3).unwrap();
        let job = Job::new("http://127.0.0.1:9", &corpus, 5, 2, Client::Raw);
        let (stdin, held) = HeldJob::of(&job).unwrap();
        let mut command = Command::new("cat");
        let process = Process::start(command.stdin(stdin).stdout(Stdio::null())).unwrap();
        let watch = Watch { process: &process, interrupt: &interrupt };
        let (wake, peaks) = watch.until(held, Duration::from_secs(60)).unwrap();
        assert_eq!((wake, peaks.threads), (Wake::Ended, 1));
        assert!(peaks.polls >= 1 && peaks.rss_bytes > 100_000, "{peaks:?}");
        assert!(peaks.anonymous_bytes > 0 && peaks.private_bytes >= peaks.anonymous_bytes);
        assert!(peaks.address_space_bytes > peaks.rss_bytes && peaks.page_tables_bytes > 0);

        let mut ended = MemoryPeaks::default();
        Before::now().look(process.pid(), &mut ended);
        assert_eq!(ended, MemoryPeaks::default(), "not reaped, but nothing is left of it");
    }
}
