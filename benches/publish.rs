//! A record as it may leave the machine.

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use harness::record::{self, RecordError};
use report::summarise;

use crate::claims;
use crate::enter::Misuse;
use crate::print::say;

/// Which record to publish, and where.
#[derive(Debug, Args)]
pub struct PublishOptions {
    /// The folder of the record
    pub record: PathBuf,
    /// The folder that gets it as DATE-MACHINE [default: benches/record of the project that this is
    /// called in]
    #[arg(long, value_name = "DIR")]
    pub to: Option<PathBuf>,
}

/// Copies the record, and says where it is.
///
/// # Errors
///
/// There is none, or it cannot be written.
pub fn publish(options: &PublishOptions) -> anyhow::Result<ExitCode> {
    let to = match &options.to {
        Some(to) => to.clone(),
        None => folder_of_records(&env::current_dir()?).map_err(Misuse::of)?,
    };
    let is_of_servers = serving::record::is_one(&options.record);
    let copied = match is_of_servers {
        true => serving::record::publish(&options.record, &to),
        false => harness::publish::publish(&options.record, &to),
    };
    let own = copied.map_err(|error| match error {
        // What was named cannot be read, and nothing is wrong here.
        RecordError::File { ref path, .. } if !path.starts_with(&options.record) => error.into(),
        _ => Misuse::of(error),
    })?;
    if is_of_servers {
        let recorded = serving::record::read(&own)?;
        report::serving::files::write(&recorded, &report::serving::summarise(&recorded), &own)?;
    } else {
        let recorded = record::read(&own)?;
        let summary = summarise(&recorded);
        let judged = claims::judged(&recorded, &summary);
        report::files::write(&recorded, &summary, &judged, &own)?;
    }
    say(&format!("{}\n", own.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// Whoever stands anywhere in the project means the project's own.
fn folder_of_records(here: &Path) -> anyhow::Result<PathBuf> {
    let is_project = |folder: &&Path| folder.join("benches/workloads.toml").is_file();
    let project = here.ancestors().find(is_project);
    let project =
        project.context("no folder above has benches/workloads.toml; name one with --to DIR")?;
    Ok(project.join("benches/record"))
}
