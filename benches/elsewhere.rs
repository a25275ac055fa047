//! The lane that is in a program of its own.
//!
//! ```text
//!   harness ──► this program, told `lane stackful/patched` ══ exec ══► compare-patched, told the same
//! ```
//!
//! `lane-patched` answers for the whole process in which it is linked, so it is linked in a binary
//! that runs no other lane. The process stays the harness' own child: same id, same standard input,
//! same processors, and memory that begins anew.
//!
//! Cargo builds that binary for the bench target, and tells where. It does not for `cargo run`, where
//! an old one might be measured for a new one, so the command `compare run` has no such lane.
//!
//! Its floor is the other lanes': that of a process of *this* program without a lane. The two programs
//! are the same but for one lane and the definitions that it brings. Becoming the other one
//! happens before the job, and is in no figure of it.

use std::env;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use harness::process::CHILD;
use job::{Lane, LaneError};

use crate::LANES;

/// `stackful/patched`, as far as planning needs it.
pub const PATCHED: Lane = Lane {
    id: "stackful/patched",
    waits: "a green thread parks in the C library's recv",
    mirrors: "gevent.monkey.patch_all()",
    clients: job::Client::BOTH,
    // The hub's stacks, and one socket a task.
    needs: |job| (lane_hub::HUB.needs)(job),
    run: |_job| {
        let source = std::io::Error::other("it is in a program of its own");
        Err(LaneError::Runtime { doing: "run the lane", source })
    },
};

/// Every lane, with the patched one where `program` is there to run it.
pub fn all_lanes(program: Option<&str>) -> &'static [Lane] {
    match program {
        Some(program) if Path::new(program).exists() => [LANES, &[PATCHED]].concat().leak(),
        _ => LANES,
    }
}

/// Becomes `program` where this process was started to run its lane, and returns where it was not.
pub fn become_if_asked(program: Option<&str>) {
    let arguments: Vec<_> = env::args_os().skip(1).collect();
    let [lane, name] = &arguments[..] else { return };
    let Some(program) = program else { return };
    // With or without something planted behind a `+`, and as long as all names are told.
    let is_asked =
        lane == "lane" && name.to_string_lossy().trim_end().split('+').next() == Some(PATCHED.id);
    if is_asked && env::var_os(CHILD).is_some() {
        // What comes back is an error. The lane's own `run` says then what is wrong.
        let _ = Command::new(program).args(&arguments).exec();
    }
}
