//! The whole laboratory, top to bottom.
//!
//! `cargo bench -p compare -- ARGS` is `compare run ARGS`. Under `cargo test` this same target runs
//! a few documents through every cell and checks the answers.

use std::process::ExitCode;

use compare_cli::{Door, RunOptions, elsewhere, enter, progress};
use harness::{Interrupt, OriginProcess, record};
use job::Lane;

#[allow(dead_code, reason = "the command includes this file for its pipeline")]
fn main() -> ExitCode {
    // Cargo names it for bench targets, and builds it first.
    let patched = option_env!("CARGO_BIN_EXE_compare-patched");
    elsewhere::become_if_asked(patched);
    enter(Door::Bench, elsewhere::all_lanes(patched), compare)
}

/// Data flows one way: choice → plan → origin → samples → record → summary → tables.
pub fn compare(options: &RunOptions, lanes: &[Lane]) -> anyhow::Result<ExitCode> {
    let choice = options.choose(lanes)?;
    let plan = choice.plan()?;
    // Up to here Ctrl-C ends the program at once: there is nothing yet that has to be ended well.
    let interrupt = Interrupt::listen()?;
    let mut origin = OriginProcess::start(&choice.service()?, &interrupt)?;
    let mut record = choice.record(&plan)?;
    let mut bench = choice.bench(&plan, &mut origin, &mut record, &interrupt);
    let measured = progress::measure(&mut bench);
    let recorded = record::read(record.folder())?;
    let summary = report::summarise(&recorded);
    options.print(&recorded, &summary, record.folder())?;
    options.verdict(measured, &summary)
}
