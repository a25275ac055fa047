//! The command from end to end, with real processes and lanes that misbehave.
//!
//! This program is three: started as a test it starts itself as `compare`, which starts itself as
//! origin and as lanes. That is why it has a `main` of its own.

use std::env;
use std::process::ExitCode;

use compare_cli::{Door, enter};
use libtest_mimic::Arguments;

mod demo;
mod endings;
mod gates;
mod inspection;
mod misuse;
mod odd_lanes;
mod open_loop;
mod outputs;
#[path = "../../compare.rs"]
mod pipeline;
mod programs;
mod records;
mod servers;
mod support;
mod timelines;
mod variants;

fn main() -> ExitCode {
    let lanes = match env::var(support::LANES).as_deref() {
        Ok("sound") => odd_lanes::SOUND,
        Ok("wrong") => odd_lanes::WRONG,
        Ok("registered") => compare_cli::LANES,
        _ => odd_lanes::ALL,
    };
    // Not the arguments: the same words may name tests.
    match env::var(support::DOOR).as_deref() {
        Ok("bench") => enter(Door::Bench, lanes, pipeline::compare),
        Ok(_) => enter(Door::Command, lanes, pipeline::compare),
        Err(_) => {
            let trials = [
                outputs::trials(),
                open_loop::trials(),
                gates::trials(),
                inspection::trials(),
                variants::trials(),
                programs::trials(),
                timelines::trials(),
                endings::trials(),
                misuse::trials(),
                demo::trials(),
                records::trials(),
                servers::trials(),
            ];
            let trials = trials.into_iter().flatten().collect();
            libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
        }
    }
}
