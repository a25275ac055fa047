//! The command from end to end, with real processes and lanes that misbehave.
//!
//! This program is three: started as a test it starts itself as `compare`, which starts itself as
//! origin and as lanes. That is why it has a `main` of its own.

use std::env;
use std::process::ExitCode;

use compare_cli::{Door, enter};
use libtest_mimic::Arguments;

mod endings;
mod gates;
mod misuse;
mod odd_lanes;
mod outputs;
#[path = "../../compare.rs"]
mod pipeline;
mod support;

fn main() -> ExitCode {
    let lanes = match env::var(support::LANES).as_deref() {
        Ok("sound") => odd_lanes::SOUND,
        Ok("wrong") => odd_lanes::WRONG,
        _ => odd_lanes::ALL,
    };
    let faces = ["run", "lane", "origin", "table", "--help"];
    match env::args().nth(1) {
        _ if env::var_os(support::BENCH_DOOR).is_some() => {
            enter(Door::Bench, lanes, pipeline::compare)
        }
        Some(first) if faces.contains(&first.as_str()) => {
            enter(Door::Command, lanes, pipeline::compare)
        }
        _ => {
            let trials = [outputs::trials(), gates::trials(), endings::trials(), misuse::trials()];
            let trials = trials.into_iter().flatten().collect();
            libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
        }
    }
}
