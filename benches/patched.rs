//! The program of `stackful/patched`, and of no other lane: whatever links `lane-patched` is patched.
//!
//! The bench target becomes this program when it is told `lane stackful/patched`; see
//! `elsewhere.rs`.

use std::process::ExitCode;

use compare_cli::enter::Misuse;
use compare_cli::{Door, enter};

fn main() -> ExitCode {
    enter(Door::Command, &[lane_patched::PATCHED], |_options, _lanes| {
        Err(Misuse::of(anyhow::anyhow!("this program is a lane's; `compare run` measures")))
    })
}
