//! Every pattern in every lane that can live in one program, and what the patterns stand on.

use std::process::ExitCode;

use libtest_mimic::Arguments;
use patterns::lanes::LANES;

mod checks;
mod primitives;

fn main() -> ExitCode {
    let mut trials = checks::of_scenes(LANES);
    trials.extend(primitives::trials(LANES));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
