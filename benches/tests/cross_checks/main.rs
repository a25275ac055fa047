//! Our figures against those of tools that are not ours.
//!
//! A test whose tool is not there shows as ignored, with the way to get it. With
//! `COMPARE_TESTS_MUST_RUN=1` in the environment it fails instead.
//!
//! No test here fails because the machine is slow: what is measured mostly waits, or uses what it
//! has planted by its own count; and where load can come between two tools, a fault of ours would
//! be in every attempt, and load is not.
//!
//! In reading order:
//!
//! * `setting`: an origin, jobs, and what the harness measures of a lane process;
//! * `known_lanes`: lanes that use what is known beforehand;
//! * `tools`: finding the others' programs, and running them;
//! * `hyperfine`: wall time;
//! * `gnu_time`: CPU time and peak memory;
//! * `control_group`: memory, by the kernel's other account; `groups` finds the place for it;
//! * `wrk`: the origin's delays, throughput and counters;
//! * `load`: clients of servers, against wrk's and oha's;
//! * `httplint`: its answers, as HTTP;
//! * `percentiles`: quantiles, against an exact sort.

use std::env;
use std::process::ExitCode;

use compare_cli::{Door, LANES, enter};
use harness::process::CHILD;
use libtest_mimic::Arguments;

mod control_group;
mod gnu_time;
mod groups;
mod httplint;
mod hyperfine;
mod known_lanes;
mod load;
mod percentiles;
#[path = "../../compare.rs"]
mod pipeline;
mod setting;
#[path = "../end_to_end/support.rs"]
#[allow(dead_code, reason = "the other test target uses the rest")]
mod support;
mod tools;
mod wrk;

fn main() -> ExitCode {
    // Started as a test, this program starts itself as origin and as lanes.
    if env::var_os(CHILD).is_some() {
        let lanes = [LANES, known_lanes::KNOWN].concat();
        return enter(Door::Command, lanes.leak(), pipeline::compare);
    }
    let trials = [
        hyperfine::trials(),
        gnu_time::trials(),
        control_group::trials(),
        groups::trials(),
        wrk::trials(),
        load::trials(),
        httplint::trials(),
        percentiles::trials(),
    ];
    let trials = trials.into_iter().flatten().collect();
    let mut arguments = Arguments::from_args();
    // One after another, unless somebody wants it otherwise: what is measured is not disturbed.
    arguments.test_threads.get_or_insert(1);
    libtest_mimic::run(&arguments, trials).exit_code()
}
