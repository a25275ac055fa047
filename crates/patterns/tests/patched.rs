//! Every pattern on patched green threads. This executable is patched, and no other of this package:
//! see `lane-patched`.

use std::process::ExitCode;
use std::sync::Arc;

use blocking_style::Runtime;
use blocking_style::tasks::describe;
use job::LaneError;
use lane_hub::hub::Config;
use libtest_mimic::Arguments;
use patterns::lanes::{BlockingMain, Lane, Run};

mod checks;
mod primitives;

const PATCHED: &[Lane] =
    &[Lane { id: lane_patched::PATCHED.id, is_one_thread: true, run: Run::Blocking(on_patched) }];

fn main() -> ExitCode {
    let mut trials = checks::of_scenes(PATCHED);
    trials.extend(primitives::trials(PATCHED));
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

fn on_patched(main: BlockingMain) -> Result<(), LaneError> {
    let done = lane_patched::run(Config::default(), || {
        main(&(Arc::new(lane_patched::runtime::Patched) as Arc<dyn Runtime>));
    })
    .map_err(|source| LaneError::Runtime { doing: "start the hub", source })?;
    done.map_err(|payload| LaneError::Task(describe(payload.as_ref())))
}
