//! A record as one page for a browser.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use harness::record;
use report::{files, page, summarise};

use crate::claims;

use crate::enter::Misuse;
use crate::print::say;

/// Of which record, and where to.
#[derive(Debug, Args)]
pub struct ReportOptions {
    /// The folder of the record
    pub record: PathBuf,
    /// Write the page to this file [default: report.html in the record's folder, and beside it the
    /// tables as report.md and tables.csv]
    #[arg(long, value_name = "FILE")]
    pub to: Option<PathBuf>,
}

/// Writes the page of a record, and says where it is.
///
/// # Errors
///
/// There is no such record, or the page cannot be written.
pub fn report(options: &ReportOptions) -> anyhow::Result<ExitCode> {
    if serving::record::is_one(&options.record) {
        return of_servers(options);
    }
    let recorded = record::read(&options.record).map_err(Misuse::of)?;
    let summary = summarise(&recorded);
    let judged = claims::judged(&recorded, &summary);
    let page = match &options.to {
        Some(file) => {
            let written = fs::write(file, page::render(&recorded, &summary, &judged));
            written.with_context(|| file.display().to_string()).map_err(Misuse::of)?;
            file.clone()
        }
        None => {
            files::write(&recorded, &summary, &judged, &options.record).map_err(Misuse::of)?;
            options.record.join(files::PAGE)
        }
    };
    say(&format!("{}\n", page.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// The same of a record of servers.
fn of_servers(options: &ReportOptions) -> anyhow::Result<ExitCode> {
    let recorded = serving::record::read(&options.record).map_err(Misuse::of)?;
    let summary = report::serving::summarise(&recorded);
    let page = match &options.to {
        Some(file) => {
            let written = fs::write(file, report::serving::page(&summary, &recorded));
            written.with_context(|| file.display().to_string()).map_err(Misuse::of)?;
            file.clone()
        }
        None => {
            let written = report::serving::files::write(&recorded, &summary, &options.record);
            written.map_err(Misuse::of)?;
            options.record.join(files::PAGE)
        }
    };
    say(&format!("{}\n", page.display()))?;
    Ok(ExitCode::SUCCESS)
}
