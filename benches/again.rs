//! A run with the options of an earlier one, to see what has changed since.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::{fs, iter};

use anyhow::Context;
use clap::Parser;
use harness::Recorded;
use job::Lane;

use crate::choice::{now, target_folder};
use crate::cli::{Cli, Command, RunOptions};
use crate::enter::{INTERRUPTED, Misuse, Pipeline};

/// How it ended.
#[derive(Debug)]
pub enum Again {
    /// With a record in this folder, whatever failed in it.
    Kept(PathBuf),
    /// Somebody interrupted it.
    Interrupted,
}

/// Measures once more what `recorded` has measured, into a record of its own.
///
/// # Errors
///
/// What it was run with cannot be had any more, or what keeps any run from measuring.
pub fn run(recorded: &Recorded, lanes: &[Lane], pipeline: Pipeline) -> anyhow::Result<Again> {
    let mut options = options(&recorded.environment.arguments)?;
    // Before there is a folder: what cannot be had leaves none behind.
    options.choose(lanes)?.plan()?;
    let folder = own_folder()?;
    options.record = Some(folder.clone());
    options.quiet = true;
    let code = pipeline(&options, lanes)?;
    let was_interrupted = code == ExitCode::from(INTERRUPTED);
    Ok(if was_interrupted { Again::Interrupted } else { Again::Kept(folder) })
}

/// The options of a run from its command line, without where its results went to.
fn options(arguments: &[String]) -> anyhow::Result<RunOptions> {
    let arguments = what_was_measured(arguments);
    let told = arguments.join(" ");
    let whole = ["compare", "run"].into_iter().map(str::to_owned).chain(arguments);
    match Cli::try_parse_from(whole).map(|cli| cli.command) {
        Ok(Command::Run(options)) => Ok(options),
        _ => {
            let why = format!("the record was made with `{told}`, which is no run of this program");
            Err(Misuse::of(anyhow::anyhow!(why)))
        }
    }
}

/// Options that say where results go to, each with whether a value follows it.
const RESULTS: [(&str, bool); 4] =
    [("--record", true), ("--markdown", true), ("--trace", true), ("--json", false)];

/// The options of a command line without those that say where results went to.
pub(crate) fn what_was_measured(arguments: &[String]) -> Vec<String> {
    let mut rest = arguments.iter();
    // The command's name stands first, and the bench target has none.
    let mut kept: Vec<_> =
        rest.next().filter(|first| *first != "run").cloned().into_iter().collect();
    kept.extend(rest.cloned());
    let mut all = kept.into_iter();
    iter::from_fn(|| {
        loop {
            let argument = all.next()?;
            let is = |name: &str| argument == name || argument.starts_with(&format!("{name}="));
            match RESULTS.into_iter().find(|(name, _)| is(name)) {
                Some((name, has_value)) if has_value && argument == name => drop(all.next()),
                Some(_) => {}
                None if argument == "--bench" => {}
                None => return Some(argument),
            }
        }
    })
    .collect()
}

/// A new folder beside those of other runs.
fn own_folder() -> anyhow::Result<PathBuf> {
    let folder = target_folder().join("compare");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let name = format!("{}-now", now());
    let later = (2..).map(|number| format!("{name}-{number}"));
    for name in iter::once(name.clone()).chain(later) {
        let own = folder.join(name);
        match fs::create_dir(&own) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|()| own.clone()).with_context(|| own.display().to_string()),
        }
    }
    unreachable!("the names do not end")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(line: &str) -> String {
        let arguments: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        what_was_measured(&arguments).join(" ")
    }

    #[test]
    fn where_results_went_to_is_left_out() {
        let both = "--quick --lanes blocking --seed=7";
        assert_eq!(measured(&format!("run {both} --record r --json")), both);
        assert_eq!(measured(&format!("--markdown=m --trace t {both} --record=r --bench")), both);
        assert_eq!(measured("--bench"), "");
        assert_eq!(measured(""), "");
    }

    #[test]
    fn the_options_are_those_of_the_earlier_run() {
        let arguments = ["--samples", "3", "--record", "r", "--bench"].map(str::to_owned);
        let options = options(&arguments).unwrap();
        assert_eq!((options.samples, options.record), (Some(3), None));
        let error = super::options(&["--sample".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("made with `--sample`, which is no run"), "{error}");
    }
}
