//! Which of its faces the program shows.

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::Parser;
use clap::error::ErrorKind;
use harness::Variant;
use harness::ceiling::CEILING;
use harness::child::FLOOR;
use harness::measure::MeasureError;
use harness::origin_process::OriginError;
use harness::process::CHILD;
use harness::record::{Ending, How, RecordError};
use job::Lane;
use report::Summary;

use crate::allocations;
use crate::cli::{Cli, Command, RunOptions};
use crate::lanes::PEERS;
use crate::print::tell_line;
use crate::registry::{self, Registry};
use crate::{claims, demo, others, page, print, publish, records, serving, splice, verify};

/// Through which target somebody came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Door {
    /// The binary: its first argument is a command.
    Command,
    /// The bench target: under `cargo bench` all arguments are those of `run`, and without its
    /// `--bench` it is a test.
    Bench,
}

/// The pipeline of a run.
pub type Pipeline = fn(&RunOptions, &[Lane]) -> anyhow::Result<ExitCode>;

/// What somebody asked for cannot be had; nothing is wrong with the program.
#[derive(Debug, thiserror::Error)]
#[error("{}", whole(.0))]
pub struct Misuse(pub anyhow::Error);

impl Misuse {
    /// Marks an error as the asker's.
    pub fn of(error: impl Into<anyhow::Error>) -> anyhow::Error {
        anyhow::Error::new(Misuse(error.into()))
    }
}

/// Failed, misused, interrupted.
pub(crate) const FAILED: u8 = 1;
const MISUSED: u8 = 2;
pub(crate) const INTERRUPTED: u8 = 130;

/// Does what the arguments say.
pub fn enter(door: Door, lanes: &'static [Lane], pipeline: Pipeline) -> ExitCode {
    let mut arguments: Vec<OsString> = std::env::args_os().collect();
    // The bench target starts itself as lane and origin, and then its first argument is a command;
    // elsewhere the same words name tests.
    let is_child = std::env::var_os(CHILD).is_some()
        && arguments.get(1).is_some_and(|first| {
            ["lane", "origin", "load"].map(OsStr::new).contains(&first.as_os_str())
        });
    if door == Door::Bench && !is_child {
        let all = arguments.len();
        arguments.retain(|argument| argument != "--bench");
        if arguments.len() == all {
            return verify::run(lanes, pipeline);
        }
        arguments.insert(1, "run".into());
    }
    match Cli::try_parse_from(arguments) {
        Ok(cli) => command(&cli.command, lanes, pipeline).unwrap_or_else(|error| tell(&error)),
        Err(error) => tell_parser(&error),
    }
}

fn command(
    command: &Command,
    lanes: &'static [Lane],
    pipeline: Pipeline,
) -> anyhow::Result<ExitCode> {
    match command {
        Command::Run(options) if options.names_servers() => {
            serving::servers(&options.as_servers()?)
        }
        Command::Run(options) if options.list => {
            let registry = Registry::with(&options.lane)?;
            let lanes = options.chosen_lanes(&registry.after(lanes)?)?;
            print::list(&lanes, &options.named_workloads()?, &registry.missing(|_| true))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Run(options) => pipeline(options, lanes),
        Command::Servers(options) => serving::servers(options),
        Command::Demo(options) => demo::demo(options),
        Command::Trap(options) => {
            demo::trap::trap(*options)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Table(options) => {
            print::table(options)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Report(options) => page::report(options),
        Command::Agree(options) => records::agree(options),
        Command::Diff(options) => records::diff(options, lanes, pipeline),
        Command::Repeat(options) => records::repeat(options),
        Command::Check(options) => records::check(options),
        Command::Publish(options) => publish::publish(options),
        Command::Claims(options) => claims::claims(options, lanes),
        Command::Splice(options) => splice::splice(options),
        Command::Others(options) => others::others(options),
        Command::Origin(options) => {
            origin::run(options)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Load => Ok(load::child::run()),
        Command::Lane { id } => {
            let name = id.trim_end();
            let own = one_lane(name, lanes);
            if own.is_err() {
                // Only now: what reads the registration would be in the memory of every lane.
                registry::become_program(name)?;
            }
            Ok(harness::child::run(&own?, allocations::COUNTER))
        }
    }
}

fn one_lane(name: &str, lanes: &[Lane]) -> anyhow::Result<Variant> {
    let (id, planted) = Variant::parse(name).map_err(Misuse::of)?;
    let lane = lanes.iter().chain(PEERS).chain(&[FLOOR, CEILING]).find(|lane| lane.id == id);
    let lane = lane.with_context(|| format!("no lane has the id `{id}`")).map_err(Misuse::of)?;
    Ok(Variant { lane: *lane, planted })
}

impl RunOptions {
    /// Whether all went well, as an exit code.
    ///
    /// # Errors
    ///
    /// What kept the harness from measuring; under `cargo test`, whatever went wrong.
    pub fn verdict(
        &self,
        measured: Result<Ending, MeasureError>,
        summary: &Summary,
    ) -> anyhow::Result<ExitCode> {
        let code = match measured {
            Ok(Ending { how: How::Interrupted, .. })
            | Err(MeasureError::Origin(OriginError::Interrupted)) => INTERRUPTED,
            Ok(_) if summary.is_sound() => return Ok(ExitCode::SUCCESS),
            Ok(_) => FAILED,
            Err(error) => return Err(error.into()),
        };
        if self.verify { Err(anyhow!(summary.failures().join("\n"))) } else { Ok(code.into()) }
    }
}

/// The error with its causes, each told once: many an error's own text names its cause already.
pub fn whole(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |told, cause| match told {
        told if told.is_empty() => cause,
        told if told.contains(&cause) => told,
        told => format!("{told}: {cause}"),
    })
}

/// One line for a person, and no backtrace.
fn tell(error: &anyhow::Error) -> ExitCode {
    if matches!(error.downcast_ref(), Some(OriginError::Interrupted)) {
        return ExitCode::from(INTERRUPTED);
    }
    tell_line(&whole(error).replace('\n', " "));
    let misused =
        error.is::<Misuse>() || matches!(error.downcast_ref(), Some(RecordError::Taken(_)));
    ExitCode::from(if misused { MISUSED } else { FAILED })
}

/// The parser's several lines in one, but for help, which is what was asked for.
fn tell_parser(error: &clap::Error) -> ExitCode {
    let asked = [ErrorKind::DisplayHelp, ErrorKind::DisplayVersion];
    if asked.contains(&error.kind())
        || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    {
        // A closed pipe is all that can go wrong, and then nobody reads.
        let _ = error.print();
        let code = if asked.contains(&error.kind()) { 0 } else { MISUSED };
        return ExitCode::from(code);
    }
    let text = error.render().to_string();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let told: Vec<_> = lines
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"))
        .map(|line| line.trim_start_matches("error: ").trim_start_matches("tip: "))
        .collect();
    let help = "`compare --help` and `compare run --help` list all";
    tell_line(&format!("{}; {help}", told.join("; ")));
    ExitCode::from(MISUSED)
}
