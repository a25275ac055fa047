//! `compare claims`: what the articles say, held against records.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, anyhow};
use clap::Args;
use harness::record::RecordError;
use harness::{Placement, Recorded, record};
use job::Lane;
use report::claims::{Evidence, Judged, Known, Ledger, judge, terminal};
use report::{Summary, summarise};
use serving::{Plan, Script, Wishes};

use crate::cli::RunOptions;
use crate::elsewhere::PATCHED;
use crate::enter::Misuse;
use crate::print::{say, style};
use crate::registry::Registry;
use crate::serving::{SCENES, all};

const CLAIMS: &str = include_str!("claims.toml");

/// Which claims, and which records.
#[derive(Debug, Args)]
pub struct ClaimsOptions {
    /// The folders of records, of lanes or of servers: an experiment is judged in the first that has
    /// samples for it
    #[arg(required = true, value_name = "RECORD")]
    pub records: Vec<PathBuf>,
    /// Read claims from this file in place of the articles'
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// A record of lanes, which is summed up, or of servers.
#[derive(Debug)]
pub enum Either {
    /// Of lanes.
    Lanes(Box<(Recorded, Summary)>),
    /// Of servers.
    Servers(Box<serving::Recorded>),
}

impl Either {
    /// Reads the record in `folder`, whichever it is of.
    ///
    /// # Errors
    ///
    /// There is none.
    pub fn read(folder: &Path) -> Result<Self, RecordError> {
        if serving::record::is_one(folder) {
            return Ok(Either::Servers(Box::new(serving::record::read(folder)?)));
        }
        let recorded = record::read(folder)?;
        let summary = summarise(&recorded);
        Ok(Either::Lanes(Box::new((recorded, summary))))
    }

    fn evidence(&self) -> Evidence<'_> {
        match self {
            Either::Lanes(it) => Evidence::of(&it.0, &it.1),
            Either::Servers(recorded) => Evidence::of_servers(recorded),
        }
    }
}

/// Prints the claims with their verdicts.
///
/// # Errors
///
/// There is no such record, the file is no ledger or names cells that cannot exist, or the records
/// have samples for none of its claims: there is no verdict without.
pub fn claims(options: &ClaimsOptions, lanes: &[Lane]) -> anyhow::Result<ExitCode> {
    let records = options.records.iter().map(|folder| Either::read(folder));
    let records: Vec<_> = records.collect::<Result<_, _>>().map_err(Misuse::of)?;
    let ledger = match &options.file {
        None => articles(),
        Some(path) => {
            let name = path.display().to_string();
            let text =
                fs::read_to_string(path).with_context(|| name.clone()).map_err(Misuse::of)?;
            let ledger = Ledger::read(&name, &text).map_err(Misuse::of)?;
            let mut known = known(lanes)?;
            for record in &records {
                match record {
                    Either::Lanes(it) => known.add_plan(&it.0.plan),
                    Either::Servers(recorded) => known.add_serving(&recorded.plan),
                }
            }
            ledger.check(&known).map_err(Misuse::of)?;
            ledger
        }
    };
    let judged = judge(&ledger, &records.iter().map(Either::evidence).collect());
    if !judged.says_something() {
        let names = options.records.iter().map(|folder| folder.display().to_string());
        return Err(Misuse::of(anyhow!(nothing_in(&names.collect::<Vec<_>>()))));
    }
    say(&match options.json {
        true => serde_json::to_string_pretty(&judged)? + "\n",
        false => terminal::render(&judged, style()),
    })?;
    Ok(ExitCode::SUCCESS)
}

/// The articles' claims in a record of lanes.
pub fn judged(recorded: &Recorded, summary: &Summary) -> Judged {
    judge(&articles(), &Evidence::of(recorded, summary))
}

/// The articles' claims in one record or several.
pub fn judged_in<'a>(records: impl IntoIterator<Item = &'a Either>) -> Judged {
    judge(&articles(), &records.into_iter().map(Either::evidence).collect())
}

/// That there is no verdict, and what would have samples.
pub fn nothing_in(names: &[impl AsRef<str>]) -> String {
    let names: Vec<_> = names.iter().map(AsRef::as_ref).collect();
    let has = if names.len() == 1 { "has" } else { "have" };
    format!(
        "{} {has} no samples for any claim; `compare run --workloads articles` takes those of lanes, \
         and `compare servers` those of servers",
        names.join(", ")
    )
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

/// Every lane and every workload of this program, and every server and every scene.
fn known(lanes: &[Lane]) -> anyhow::Result<Known> {
    let mut known = Known::default();
    for lane in Registry::with(&[])?.after(lanes)?.iter().chain(&[PATCHED]) {
        known.add_lane(lane.id, lane.clients);
    }
    RunOptions::for_verify()
        .all_workloads()?
        .iter()
        .for_each(|workload| known.add_workload(workload));
    let script = Script::read("scenes.toml", SCENES)?;
    let servers = all(0);
    for script in [script.clone(), script.quick()] {
        known.add_serving(&Plan::new(&Wishes {
            script: &script,
            servers: &servers,
            rounds: 1,
            seed: 0,
            load_limit: 1.0,
            placement: Placement::Unpinned,
        }));
    }
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
