//! `report.html` in a real browser.
//!
//! A test without one shows as ignored, with the way to get it. With `COMPARE_TESTS_MUST_RUN=1` in
//! the environment it fails instead.
//!
//! In reading order:
//!
//! * `record`: a small record of all that a page can show, and the page of it;
//! * `browser`: Chromium, spoken to over a pipe;
//! * `charts`: what is drawn, and what hides;
//! * `reading`: widths, light and dark, paper, and what can be taken home.

use std::env;
use std::process::ExitCode;

use compare_cli::{Door, LANES, enter};
use libtest_mimic::Arguments;

mod browser;
mod charts;
#[path = "../../compare.rs"]
mod pipeline;
mod reading;
mod record;
#[path = "../cross_checks/setting.rs"]
#[allow(dead_code, reason = "the other test target uses the rest")]
mod setting;
#[path = "../end_to_end/support.rs"]
#[allow(dead_code, reason = "the other test target uses the rest")]
mod support;
#[path = "../cross_checks/tools.rs"]
#[allow(dead_code, reason = "the other test target uses the rest")]
mod tools;

fn main() -> ExitCode {
    // Started as a test, this program starts itself as `compare`, and that as origin and lanes.
    if env::var_os(support::DOOR).is_some() {
        return enter(Door::Command, LANES, pipeline::compare);
    }
    let trials = [charts::trials(), reading::trials()].into_iter().flatten().collect();
    let mut arguments = Arguments::from_args();
    // A browser takes all processors by itself.
    arguments.test_threads.get_or_insert(1);
    let conclusion = libtest_mimic::run(&arguments, trials);
    record::clear();
    conclusion.exit_code()
}
