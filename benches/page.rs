//! A record as one page for a browser.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use harness::{Recorded, record};
use report::{Summary, page, summarise};

use crate::enter::Misuse;
use crate::print::say;

/// What the page is called in a record's folder.
pub const PAGE: &str = "report.html";

/// Of which record, and where to.
#[derive(Debug, Args)]
pub struct ReportOptions {
    /// The folder of the record
    pub record: PathBuf,
    /// Write the page to this file [default: report.html in the record's folder]
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
}

/// Writes the page of a record, and says where it is.
///
/// # Errors
///
/// There is no such record, or the page cannot be written.
pub fn report(options: &ReportOptions) -> anyhow::Result<ExitCode> {
    let recorded = record::read(&options.record).map_err(Misuse::of)?;
    let file = options.to.clone().unwrap_or_else(|| options.record.join(PAGE));
    write(&file, &recorded, &summarise(&recorded)).map_err(Misuse::of)?;
    say(&format!("{}\n", file.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the page of a record that was read and summed up already.
///
/// # Errors
///
/// It cannot be written.
pub fn write(file: &Path, recorded: &Recorded, summary: &Summary) -> anyhow::Result<()> {
    let page = page::render(recorded, summary);
    fs::write(file, page).with_context(|| file.display().to_string())
}
