//! The command `compare`: the same pipeline as `cargo bench -p compare`, and the way in to all else.

use std::process::ExitCode;

use compare_cli::{Door, LANES, enter};

#[path = "compare.rs"]
mod pipeline;

fn main() -> ExitCode {
    enter(Door::Command, LANES, pipeline::compare)
}
