//! Cells that are taken apart: what is found is plausible, and what goes wrong costs no sample.

use std::fs;
use std::process::Command;

use harness::Recorded;
use harness::child::FLOOR;
use harness::inspect::{Inspection, Pass, system_calls};
use harness::record::How;
use libtest_mimic::Trial;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::{Pid, Signal, kill_process};

use crate::endings::{await_end, children_of, grip};
use crate::odd_lanes::{FIFO, HELD_BYTES, HOLDERS, RECORD, number_in_status};
use crate::support::{Said, Scratch, exists, said, trial, wider_than};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("memory_is_found_by_kind_for_every_cell", memory),
        traced("system_calls_are_found_by_name_for_every_cell", calls),
        trial("an_absent_strace_is_told_in_one_line", absent),
        trial("what_goes_wrong_while_cells_are_taken_apart_fails_nothing", wrong),
        traced("ctrl_c_while_cells_are_taken_apart_loses_nothing", ctrl_c),
        traced("a_killed_run_leaves_no_traced_lane_and_no_strace", killed),
    ]
}

/// A test that needs strace: shown as ignored where there is none.
fn traced(name: &str, test: fn()) -> Trial {
    if system_calls::is_there() {
        trial(name, test)
    } else {
        let name = format!("{name} (skipped: {})", system_calls::ABSENT);
        trial(&name, test).with_ignored_flag(true)
    }
}

/// A run whose lanes know when the timed part is over.
fn run(scratch: &Scratch, lanes: &str) -> Command {
    let arguments = format!("--lanes {lanes} --workloads waits --samples 1 --inspect");
    let mut command = scratch.run(&arguments);
    command.env(RECORD, scratch.path("record"));
    command
}

fn looks<'a>(
    recorded: &'a Recorded,
    lane: &'a str,
    pass: Pass,
) -> impl Iterator<Item = &'a Inspection> {
    recorded.inspections.iter().filter(move |look| look.cell.lane == lane && look.pass == pass)
}

fn memory() {
    let scratch = Scratch::new();
    let run = said(&mut run(&scratch, "blocking/many,odd/holds"));
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(wider_than(&run.stdout, 100), Vec::<&str>::new());
    assert!(run.stdout.contains("Memory by kind at N=12 C=4, MiB"), "{}", run.stdout);

    let recorded = scratch.recorded();
    assert_eq!(recorded.ending.as_ref().unwrap().how, How::Complete);
    for (lane, cells) in [("blocking/many", 2 * 2), ("odd/holds", 2 * 2), (FLOOR.id, 2)] {
        assert_eq!(looks(&recorded, lane, Pass::Memory).count(), cells, "{lane}");
        for look in looks(&recorded, lane, Pass::Memory) {
            let memory = look.memory.unwrap();
            assert_eq!(look.void, None);
            assert!(memory.rss_bytes >= memory.anonymous_bytes.max(100_000), "{look:?}");
            assert!(memory.address_space_bytes > memory.rss_bytes, "{look:?}");
            assert!(memory.kernel_stacks_bytes >= memory.threads * 4_096, "{look:?}");
            let holds = lane == "odd/holds";
            assert_eq!(memory.anonymous_bytes > HELD_BYTES, holds, "{look:?}");
            assert_eq!(memory.private_bytes > HELD_BYTES, holds, "{look:?}");
            assert!(!holds || memory.threads > HOLDERS, "{look:?}");
            assert!(lane != FLOOR.id || memory.threads == 1, "{look:?}");
            allocations(&run, look);
        }
    }
}

/// Whether they are counted depends on the build, and a reader is told either way.
fn allocations(run: &Said, look: &Inspection) {
    let counts = cfg!(feature = "count-allocations");
    let said = if counts {
        "Note: built with count-allocations: the times mean nothing."
    } else {
        "Allocations are absent: built without the feature count-allocations"
    };
    assert!(run.stdout.contains(said), "{}", run.stdout);
    assert_eq!(look.allocations.is_some(), counts);
    if let Some(counted) = look.allocations.filter(|_| look.cell.lane == "odd/holds") {
        assert!(counted.count >= HOLDERS && counted.bytes >= HELD_BYTES, "{counted:?}");
        assert!(counted.live_bytes_peak >= HELD_BYTES, "{counted:?}");
    }
}

fn calls() {
    let scratch = Scratch::new();
    let run = said(&mut run(&scratch, "blocking/many"));
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.contains("What a document takes at N=12 C=4"), "{}", run.stdout);
    let recorded = scratch.recorded();
    assert_eq!(looks(&recorded, "blocking/many", Pass::SystemCalls).count(), 2 * 2);
    for look in looks(&recorded, "blocking/many", Pass::SystemCalls) {
        assert_eq!((look.void.as_deref(), look.documents_fetched), (None, 12));
        let calls = |name: &str| look.system_calls.as_ref().unwrap()[name].calls;
        // A connection for each thread, and a request and an answer for each document.
        assert_eq!(calls("connect"), look.cell.point.concurrency);
        assert!(calls("sendto") >= 12 && calls("recvfrom") >= 12, "{look:?}");
    }
    let floor = looks(&recorded, FLOOR.id, Pass::SystemCalls).next().unwrap();
    assert!(!floor.system_calls.as_ref().unwrap().contains_key("connect"));
}

fn absent() {
    let scratch = Scratch::new();
    // Nothing is found on a path that leads nowhere.
    let run = said(run(&scratch, "blocking/many").env("PATH", scratch.path("nowhere")));
    assert_eq!(run.code, Some(0), "{run:?}");
    let told = |line: &&str| line.contains("strace");
    let lines: Vec<_> = run.stderr.lines().filter(told).collect();
    let line = format!("compare: system calls are not counted: {}", system_calls::ABSENT);
    assert_eq!(lines, [line]);
    assert!(run.stdout.contains("System calls are absent: strace is not"), "{}", run.stdout);
    assert!(run.stdout.contains("Memory by kind"), "{}", run.stdout);
}

fn wrong() {
    let scratch = Scratch::new();
    let run = said(&mut run(&scratch, "blocking/many,odd/changes"));
    assert_eq!(run.code, Some(0), "{run:?}");
    let lines = run.stderr.lines().filter(|line| line.contains("inspection of waits, N = 12"));
    assert!(lines.clone().count() >= 2 * 2 && { lines }.all(|l| l.contains("answered wrong")));
    let recorded = scratch.recorded();
    assert!(recorded.samples.iter().all(|sample| sample.void.is_none()));
    let looks = |lane| looks(&recorded, lane, Pass::Memory).map(|look| look.void.is_some());
    assert!(looks("odd/changes").all(|void| void) && looks("blocking/many").all(|void| !void));
    assert!(run.stdout.contains("Does not count: waits, N = 12, C = 2, odd/changes"), "{run:?}");
}

/// Interrupts a run in the middle of a lane that hangs under strace, and waits for all to end.
fn interrupted(scratch: &Scratch, signal: Signal) -> Said {
    let fifo = scratch.path("fifo");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let mut command = run(scratch, "odd/traced");
    let run = command.env(FIFO, &fifo).spawn().unwrap();
    let lane: i32 = fs::read_to_string(&fifo).unwrap().parse().unwrap();
    assert!(children_of(run.id()).contains(&lane), "the lane is the harness' own child");
    let status = fs::read_to_string(format!("/proc/{lane}/status")).unwrap();
    let strace = number_in_status(&status, "TracerPid:") as i32;
    let ids = children_of(run.id()).into_iter().chain([strace]);
    let children: Vec<_> = ids.map(grip).collect();
    kill_process(Pid::from_child(&run), signal).unwrap();
    let said = Said::from(run.wait_with_output().unwrap());
    children.iter().for_each(await_end);
    said
}

fn ctrl_c() {
    let scratch = Scratch::new();
    let run = interrupted(&scratch, Signal::INT);
    assert_eq!(run.code, Some(130), "{run:?}");
    let recorded = scratch.recorded();
    assert_eq!(recorded.ending.as_ref().unwrap().how, How::Complete, "what was timed");
    assert_eq!(looks(&recorded, "odd/traced", Pass::Memory).count(), 1);
    assert!(run.stdout.contains("cells were not taken apart: "), "{}", run.stdout);
}

fn killed() {
    let scratch = Scratch::new();
    let run = interrupted(&scratch, Signal::KILL);
    assert_eq!(run.code, None, "{run:?}");
    assert!(exists(&scratch.path("record/ending.json")));
    assert_eq!(scratch.recorded().inspections.len(), 1);
}
