//! Ctrl-C and worse: no child outlives its parent, and nothing measured is lost.

use std::fs;
use std::os::fd::OwnedFd;
use std::process::Child;
use std::time::Duration;

use harness::record::How;
use libtest_mimic::Trial;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};

use crate::odd_lanes::FIFO;
use crate::support::{Said, Scratch, program, program_at, said, trial};

pub fn trials() -> Vec<Trial> {
    vec![
        trial("ctrl_c_ends_all_children_and_keeps_the_record", ctrl_c),
        trial("a_killed_run_leaves_no_child_and_a_record_to_read", killed),
        trial("a_program_that_is_deleted_meanwhile_starts_its_children", deleted),
        trial("a_lane_that_is_under_way_when_time_is_up_is_given_up", out_of_time),
        trial("an_origin_that_dies_ends_the_run_with_what_it_had", origin_dies),
    ]
}

/// A run in the middle of a lane that hangs, with a grip on each of its children.
struct Hanging {
    run: Child,
    children: Vec<OwnedFd>,
}

impl Hanging {
    fn start(scratch: &Scratch) -> Self {
        let fifo = scratch.path("fifo");
        mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let arguments = "--lanes blocking/many,odd/hang --workloads works --limit 10min";
        let run = scratch.run(arguments).env(FIFO, &fifo).spawn().unwrap();
        // Comes back once the lane process has written its id and closed the FIFO.
        let lane: i32 = fs::read_to_string(&fifo).unwrap().parse().unwrap();
        let ids = children_of(run.id());
        assert!(ids.contains(&lane) && ids.len() == 2, "an origin and a lane: {ids:?}");
        let children = ids.into_iter().map(grip).collect();
        Hanging { run, children }
    }

    fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.run), signal).unwrap();
    }

    fn end(self) -> Said {
        let said = Said::from(self.run.wait_with_output().unwrap());
        self.children.iter().for_each(await_end);
        said
    }
}

pub fn children_of(process: u32) -> Vec<i32> {
    let file = format!("/proc/{process}/task/{process}/children");
    let text = fs::read_to_string(file).unwrap();
    text.split_whitespace().map(|id| id.parse().unwrap()).collect()
}

pub fn grip(process: i32) -> OwnedFd {
    pidfd_open(Pid::from_raw(process).unwrap(), PidfdFlags::empty()).unwrap()
}

/// A pidfd is readable once its process has ended.
pub fn await_end(process: &OwnedFd) {
    let limit = Timespec::try_from(Duration::from_secs(60)).unwrap();
    let mut fds = [PollFd::new(process, PollFlags::IN)];
    assert_eq!(poll(&mut fds, Some(&limit)).unwrap(), 1, "a child outlives its parent");
}

fn ctrl_c() {
    let scratch = Scratch::new();
    let hanging = Hanging::start(&scratch);
    hanging.send(Signal::INT);
    let run = hanging.end();
    assert_eq!(run.code, Some(130), "{run:?}");
    assert!(run.stdout.contains("interrupted; this is what it had"), "{run:?}");
    assert!(run.stdout.contains("not reached: the run was interrupted"), "{run:?}");
    let recorded = scratch.recorded();
    assert_eq!(recorded.ending.unwrap().how, How::Interrupted);
    assert!(recorded.samples.iter().all(|sample| sample.cell.lane != "odd/hang"));
}

fn killed() {
    let scratch = Scratch::new();
    let hanging = Hanging::start(&scratch);
    hanging.send(Signal::KILL);
    let run = hanging.end();
    assert_eq!(run.code, None, "{run:?}");
    assert_eq!(scratch.recorded().ending, None);
    let table = said(program().arg("table").arg(scratch.path("record")));
    assert_eq!(table.code, Some(0));
    assert!(table.stdout.contains("not reached: the run was killed"), "{}", table.stdout);
}

fn origin_dies() {
    let scratch = Scratch::new();
    let hanging = Hanging::start(&scratch);
    let ids = children_of(hanging.run.id());
    // The origin was there first, and has the lower place in the kernel's list; the lane, which
    // would never end, is killed after it, so that the harness asks an origin that is gone.
    for id in ids {
        kill_process(Pid::from_raw(id).unwrap(), Signal::KILL).unwrap();
    }
    let run = hanging.end();
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("compare: the origin does not answer /stats"), "{run:?}");
    assert!(matches!(scratch.recorded().ending.unwrap().how, How::Broken(_)));
    assert!(run.stdout.contains("Note: the origin does not answer /stats"), "{}", run.stdout);
    assert!(run.stdout.contains("not reached: the run broke off"), "{}", run.stdout);
}

fn deleted() {
    let scratch = Scratch::new();
    let program = scratch.path("program");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    let mut command = program_at(&program);
    command.args(scratch.run("--lanes blocking/one --samples 1 --workloads works").get_args());
    // Once this returns the image is loaded, and no child has been started from it.
    let run = command.spawn().unwrap();
    fs::remove_file(&program).unwrap();
    let run = Said::from(run.wait_with_output().unwrap());
    assert_eq!(run.code, Some(0), "{run:?}");
}

fn out_of_time() {
    let scratch = Scratch::new();
    let arguments = "--lanes odd/hang --workloads works --limit 10min --budget 1s";
    let run = said(&mut scratch.run(arguments));
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.contains("not reached: time was up"), "{}", run.stdout);
    let recorded = scratch.recorded();
    assert_eq!(recorded.ending.unwrap().how, How::OutOfTime);
    assert!(recorded.samples.iter().all(|sample| sample.cell.lane != "odd/hang"));
}
