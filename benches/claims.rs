//! `compare claims`: what the articles say, held against a record.

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::Args;
use harness::{Recorded, record};
use job::Lane;
use report::claims::{Judged, Known, Ledger, judge, terminal};
use report::{Summary, summarise};

use crate::cli::RunOptions;
use crate::elsewhere::PATCHED;
use crate::enter::Misuse;
use crate::print::{say, style};
use crate::registry::Registry;

const CLAIMS: &str = include_str!("claims.toml");

/// Which claims, and which record.
#[derive(Debug, Args)]
pub struct ClaimsOptions {
    /// The folder of the record
    pub record: PathBuf,
    /// Read claims from this file in place of the articles'
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Prints the claims with their verdicts.
///
/// # Errors
///
/// There is no such record, the file is no ledger or names cells that cannot exist, or the record
/// has samples for none of its claims: there is no verdict without.
pub fn claims(options: &ClaimsOptions, lanes: &[Lane]) -> anyhow::Result<ExitCode> {
    let recorded = record::read(&options.record).map_err(Misuse::of)?;
    let summary = summarise(&recorded);
    let ledger = match &options.file {
        None => articles(),
        Some(path) => {
            let name = path.display().to_string();
            let text =
                fs::read_to_string(path).with_context(|| name.clone()).map_err(Misuse::of)?;
            let ledger = Ledger::read(&name, &text).map_err(Misuse::of)?;
            let mut known = known(lanes)?;
            known.add_plan(&recorded.plan);
            ledger.check(&known).map_err(Misuse::of)?;
            ledger
        }
    };
    let judged = judge(&ledger, &recorded, &summary);
    if !judged.says_something() {
        let why = anyhow!(
            "{} has no samples for any claim; `compare run --workloads articles` takes them",
            options.record.display()
        );
        return Err(Misuse::of(why));
    }
    say(&match options.json {
        true => serde_json::to_string_pretty(&judged)? + "\n",
        false => terminal::render(&judged, style()),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The articles' claims in a record.
pub fn judged(recorded: &Recorded, summary: &Summary) -> Judged {
    judge(&articles(), recorded, summary)
}

/// What the articles say.
///
/// # Panics
///
/// If the file that is part of the program is no ledger; a test reads it, and looks whether its cells
/// can exist.
fn articles() -> Ledger {
    Ledger::read("claims.toml", CLAIMS).expect("it is part of the program")
}

/// Every lane and every workload of this program.
fn known(lanes: &[Lane]) -> anyhow::Result<Known> {
    let mut known = Known::default();
    for lane in Registry::with(&[])?.after(lanes)?.iter().chain(&[PATCHED]) {
        known.add_lane(lane.id, lane.clients);
    }
    RunOptions::for_verify()
        .all_workloads()?
        .iter()
        .for_each(|workload| known.add_workload(workload));
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LANES;

    #[test]
    fn the_articles_make_seventeen_claims() {
        let numbers: Vec<_> = articles().claims.iter().map(|claim| claim.number).collect();
        assert_eq!(numbers, (1..=17).collect::<Vec<_>>());
    }

    #[test]
    fn every_cell_of_the_claims_can_exist() {
        let checked = articles().check(&known(LANES).unwrap());
        assert_eq!(checked.map_err(|error| error.to_string()), Ok(()));
    }
}
