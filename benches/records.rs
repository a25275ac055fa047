//! Commands over whole records: what they say of one another, and of themselves.
//!
//! Each prints to standard output, and ends with 0 where all is well, with 1 where it has found what
//! it looks for, and with 2 where it was asked for what cannot be had.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use harness::{Recorded, record};
use job::Lane;
use report::agreement::agreement;
use report::repeat::repetition;
use report::sheet::Sheet;
use report::summarise;
use report::table::Style;
use serde::Serialize;

use crate::again::{self, Again};
use crate::enter::{INTERRUPTED, Misuse, Pipeline};
use crate::print::{say, style};

/// Which verdicts to compare.
#[derive(Debug, Args)]
pub struct AgreeOptions {
    /// The folder of the quick record
    pub quick: PathBuf,
    /// The folder of the full record
    pub full: PathBuf,
    /// The least part of all cells that must be judged the same, percent
    #[arg(long, value_name = "PERCENT", default_value_t = 95,
          value_parser = clap::value_parser!(u8).range(0..=100))]
    pub least: u8,
    /// Write the text to agreement.txt in the full record's folder, too
    #[arg(long)]
    pub keep: bool,
    /// Print JSON, with every pair on which they differ
    #[arg(long)]
    pub json: bool,
}

/// How many differing pairs are listed.
const LISTED_MOST: usize = 40;

/// Compares the verdicts of two records.
///
/// # Errors
///
/// One of them is none, or they have nothing in common.
pub fn agree(options: &AgreeOptions) -> anyhow::Result<ExitCode> {
    let AgreeOptions { quick, full, least, .. } = options;
    let agreement = agreement(&summarise(&read(quick)?), &summarise(&read(full)?));
    let Some(agreeing) = agreement.cells.agreeing() else {
        let why = "the two records have no lane in common at any point";
        return Err(Misuse::of(anyhow::anyhow!(why)));
    };
    let is_enough = agreement.is_enough(f64::from(*least) / 100.0);
    let text = |style: Style| {
        let sheets = std::iter::once(agreement.sheet());
        let sheets = sheets.chain(agreement.differing_sheet(LISTED_MOST));
        let judged = format!(
            "{}: {:.1} % of all cells are judged the same, and {} pairs are reversed; at least \
             {least} % and none must be.",
            if is_enough { "They agree" } else { "They do not agree" },
            100.0 * agreeing,
            agreement.all.reversed,
        );
        let names = format!("{} against {}", name(quick), name(full));
        text_of(&[names], sheets, &[judged], style)
    };
    if options.keep {
        let file = full.join(record::AGREEMENT);
        fs::write(&file, text(Style::Plain)).with_context(|| file.display().to_string())?;
    }
    say(&if options.json { json(&agreement)? } else { text(style()) })?;
    Ok(code(is_enough))
}

/// Which records to compare, and what is too much.
#[derive(Debug, Args)]
pub struct DiffOptions {
    /// The folder of the earlier record
    pub before: PathBuf,
    /// The folder of the later record
    #[arg(required_unless_present = "now", conflicts_with = "now")]
    pub after: Option<PathBuf>,
    /// Measure the same again, with the options of the earlier record, and compare with that
    #[arg(long)]
    pub now: bool,
    /// The most that a cell may become more by, percent
    #[arg(long, value_name = "PERCENT", default_value_t = 5.0, value_parser = percent)]
    pub threshold: f64,
    /// Print JSON, with all that has not changed, too
    #[arg(long)]
    pub json: bool,
}

fn percent(text: &str) -> Result<f64, &'static str> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0);
    number.ok_or("it is a number of percent, 0 or more")
}

/// Compares two records cell by cell, or a record with a run of its own.
///
/// # Errors
///
/// One of them is none, or the same cannot be measured again.
pub fn diff(options: &DiffOptions, lanes: &[Lane], pipeline: Pipeline) -> anyhow::Result<ExitCode> {
    let DiffOptions { before, after, threshold, .. } = options;
    let recorded = read(before)?;
    let after = match after {
        Some(after) => after.clone(),
        None => match again::run(&recorded, lanes, pipeline)? {
            Again::Kept(folder) => folder,
            Again::Interrupted => return Ok(INTERRUPTED.into()),
        },
    };
    let diff = report::diff::diff(&recorded, &read(&after)?);
    if diff.cells.is_empty() && diff.failed.is_empty() {
        return Err(Misuse::of(anyhow::anyhow!("the two records have no cell in common")));
    }
    let part = threshold / 100.0;
    let names = format!("{} before, {} after", name(before), name(&after));
    let first: Vec<_> = std::iter::once(names).chain(diff.preamble()).collect();
    let text = || text_of(&first, diff.sheet(part), &diff.conclusions(part), style());
    say(&if options.json { json(&diff)? } else { text() })?;
    Ok(code(diff.is_fine(part)))
}

/// Which records to look at.
#[derive(Debug, Args)]
pub struct RepeatOptions {
    /// The folders of two or more records of the same
    #[arg(required = true, num_args = 2.., value_name = "RECORD")]
    pub records: Vec<PathBuf>,
    /// Print JSON, with the median of each record
    #[arg(long)]
    pub json: bool,
}

/// Looks at how well figures repeat.
///
/// # Errors
///
/// One of the records is none, or they have nothing in common.
pub fn repeat(options: &RepeatOptions) -> anyhow::Result<ExitCode> {
    let recorded: Vec<_> = options.records.iter().map(|r| read(r)).collect::<Result<_, _>>()?;
    let repetition = repetition(&recorded);
    if repetition.cells.is_empty() {
        return Err(Misuse::of(anyhow::anyhow!("the records have no cell in common")));
    }
    let names: Vec<_> = options.records.iter().map(|record| name(record)).collect();
    let first = [
        names.join(", "),
        "Figures: median of the medians of all records; ±: greatest less least of these, to their \
         median."
            .to_owned(),
    ];
    let text = || text_of(&first, repetition.sheets(), &repetition.conclusions(), style());
    say(&if options.json { json(&repetition)? } else { text() })?;
    Ok(ExitCode::SUCCESS)
}

/// Which record to judge.
#[derive(Debug, Args)]
pub struct CheckOptions {
    /// The folder of the record
    pub record: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Judges a record by what it says of itself.
///
/// # Errors
///
/// There is none, or it says nothing of itself.
pub fn check(options: &CheckOptions) -> anyhow::Result<ExitCode> {
    let check = report::check::check(&read(&options.record)?);
    if !check.says_something() {
        let why = "no cost was planted in this record, and no lane ran under two names";
        return Err(Misuse::of(anyhow::anyhow!(why)));
    }
    let failures = check.failures();
    let failed = failures.iter().map(|failure| format!("FAILED: {failure}."));
    let all = check.lines().into_iter().chain(failed);
    let text = || all.flat_map(|line| wrapped(&line)).collect::<Vec<_>>().join("\n") + "\n";
    say(&if options.json { json(&check)? } else { text() })?;
    Ok(code(failures.is_empty()))
}

fn read(folder: &Path) -> anyhow::Result<Recorded> {
    if serving::record::is_one(folder) {
        let name = folder.display();
        let why =
            anyhow::anyhow!("{name} is a record of servers, and this compares records of lanes");
        return Err(Misuse::of(why));
    }
    record::read(folder).map_err(Misuse::of)
}

/// What a record's folder is called, and not where on this machine it lies.
fn name(folder: &Path) -> String {
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    whole.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned()
}

fn code(is_fine: bool) -> ExitCode {
    if is_fine { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn json(value: &impl Serialize) -> anyhow::Result<String> {
    Ok(serde_json::to_string_pretty(value)? + "\n")
}

/// Sentences, tables, and sentences below them.
fn text_of(
    first: &[String],
    sheets: impl IntoIterator<Item = Sheet>,
    last: &[String],
    style: Style,
) -> String {
    let mut lines: Vec<_> = first.iter().flat_map(|line| wrapped(line)).collect();
    lines.extend(sheets.into_iter().flat_map(|sheet| sheet.terminal(style)));
    lines.push(String::new());
    lines.extend(last.iter().flat_map(|sentence| wrapped(sentence)));
    lines.join("\n") + "\n"
}

fn wrapped(text: &str) -> Vec<String> {
    report::table::wrapped_at(text, report::table::WIDTH)
}
