//! What can be said on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use harness::workload::COUNT_MOST;
use harness::{Placement, Profile, Workload};

use crate::claims::ClaimsOptions;
use crate::demo::DemoOptions;
use crate::demo::trap::TrapOptions;
use crate::others::OthersOptions;
use crate::page::ReportOptions;
use crate::publish::PublishOptions;
use crate::records::{AgreeOptions, CheckOptions, DiffOptions, RepeatOptions};
use crate::serving::ServersOptions;
use crate::splice::SpliceOptions;

/// One job in every lane, measured: blocking, OS threads, green threads and async/await.
#[derive(Debug, Parser)]
#[command(name = "compare", version, after_help = EXAMPLES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  compare demo                             sync-looking code run asynchronously, within 20 seconds
  compare run --quick                      everything in small, within a minute
  compare run                              everything, within five minutes
  compare run --list                       lanes and workloads
  compare run --workloads no-delay --lanes stackful,stackless/tokio
  compare run --concurrency 64,512 --samples 10 --json
  compare run --inspect                    and what memory, system calls and allocations it took
  compare run --corpus my-documents/       your own *.json documents, too
  compare run --lane mine='./program -x'   your own program, too
  compare run --workloads articles         what the articles measured, other languages included
  compare servers --quick                  servers in place of lanes: who waits where
  compare others install                   what those are run with, below the target folder
  compare table target/compare/DATE-TIME   the tables of a record, once more
  compare report target/compare/DATE-TIME  its page for a browser, once more: report.html
  compare diff BEFORE AFTER                what has changed between two records; --now runs it again
  compare agree QUICK FULL                 whether two records give the same verdicts
  compare claims RECORD…                   what the articles say, and what the records say of it
  compare check RECORD                     whether a record finds what is known to be there
  compare origin --listen 127.0.0.1:8080   the server alone, to look at

`cargo bench -p compare -- ARGS` is `compare run ARGS`, built as it should be for measuring.";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show sync-looking code run asynchronously, beside its async twin: a demonstration, within 20
    /// seconds
    Demo(DemoOptions),
    /// Measure every lane on every workload, and print one table a workload
    Run(RunOptions),
    /// Measure servers in place of lanes: who waits where, at what price
    Servers(ServersOptions),
    /// Print the tables of a record once more
    Table(TableOptions),
    /// Write a record as one page for a browser: the answer, charts, timelines, tables
    Report(ReportOptions),
    /// Compare the verdicts of a quick record with those of a full one
    Agree(AgreeOptions),
    /// Print what has changed from one record to another, or to now, beyond both noise floors
    Diff(DiffOptions),
    /// Print how well each figure repeats over several records of the same
    Repeat(RepeatOptions),
    /// Judge a record by the costs that were planted in it, and by one lane under two names
    Check(CheckOptions),
    /// Copy a record to where it can be kept: compressed, and without paths of this machine
    Publish(PublishOptions),
    /// Hold what the articles say against a record
    Claims(ClaimsOptions),
    /// Renew the tables and charts of a page from the records that it names
    Splice(SpliceOptions),
    /// List programs of other languages that do the job, and set up what they are run with
    Others(OthersOptions),
    /// Serve the documents, and nothing else
    Origin(origin::Options),
    /// Let one green thread of several block: a part of the demonstration
    #[command(hide = true)]
    Trap(TrapOptions),
    /// Be the clients of a server: reads an order as JSON on standard input, reports on standard output
    #[command(hide = true)]
    Load,
    /// Do one job: reads it as JSON on standard input, writes its outcome on standard output
    #[command(hide = true)]
    Lane {
        /// The lane's id
        id: String,
    },
}

/// What to measure, and how.
#[derive(Debug, Clone, Args)]
pub struct RunOptions {
    /// Less of everything: done within 60 seconds
    #[arg(long, conflicts_with = "full")]
    pub quick: bool,
    /// More of everything, however long it takes
    #[arg(long)]
    pub full: bool,
    /// List lanes and workloads, and measure nothing
    #[arg(long)]
    pub list: bool,
    /// Only these lanes: ids or models, separated by commas; LANE+cpu=5% and LANE+bytes=1024 are
    /// the lane with a known cost planted in it, to see that it is found
    #[arg(long, value_name = "LANE,…", value_delimiter = ',')]
    pub lanes: Vec<String>,
    /// One lane more, which runs in every workload: NAME=COMMAND, where the command reads a job and
    /// writes an outcome (the lane protocol); it is started in this folder, by a shell
    #[arg(long, value_name = "NAME=COMMAND")]
    pub lane: Vec<String>,
    /// Only these workloads or groups of workloads, separated by commas
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub workloads: Vec<String>,
    /// These concurrencies in place of each workload's own
    #[arg(long, value_name = "C,…", value_delimiter = ',',
          value_parser = clap::value_parser!(u64).range(1..=COUNT_MOST))]
    pub concurrency: Vec<u64>,
    /// Exactly this many samples of each cell, however long it takes
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub samples: Option<u32>,
    /// Take every cell apart afterwards: memory by kind, system calls by name, allocations. Takes as
    /// long as it needs, and is part of --full
    #[arg(long)]
    pub inspect: bool,
    /// Fetch the *.json documents of this folder, too: one object each, with id, name, weight,
    /// height, types, stats and moves
    #[arg(long, value_name = "DIR")]
    pub corpus: Option<PathBuf>,
    /// Where the origin and the lanes run: wherever the scheduler puts them, on processors of their
    /// own, or one after the other, as two tables
    #[arg(long, value_name = "PLACEMENT,…", value_delimiter = ',', default_value = "unpinned",
          value_parser = placement)]
    pub placement: Vec<Placement>,
    /// The most CPU time, percent, that others may take while a sample counts; 100 for any
    #[arg(long, value_name = "PERCENT", default_value_t = 10,
          value_parser = clap::value_parser!(u8).range(0..=100))]
    pub load_limit: u8,
    /// Seed of the documents, and of the order in which cells run
    #[arg(long, value_name = "N", default_value_t = 42)]
    pub seed: u64,
    /// Print the summary as JSON in place of tables
    #[arg(long)]
    pub json: bool,
    /// Write the tables to this file as Markdown, too
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Look at every cell request by request, too, and write that to this file, which Perfetto
    /// (ui.perfetto.dev) and chrome://tracing show
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
    /// Keep the record in this folder [default: target/compare/DATE-TIME]
    #[arg(long, value_name = "DIR")]
    pub record: Option<PathBuf>,
    /// Which HTTP server serves the documents
    #[arg(long, value_name = "SERVER", value_enum, default_value_t = origin::Server::Hyper)]
    pub origin: origin::Server,
    /// Read workloads from this file in place of the built-in ones
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// How long one sample may take before its lane counts as hung
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, hide = true)]
    pub limit: Option<Duration>,
    /// After how long no sample is begun any more
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, hide = true)]
    pub budget: Option<Duration>,
    /// A few documents for every cell, as under `cargo test`
    #[arg(skip)]
    pub verify: bool,
    /// Keep a record, and print nothing of it
    #[arg(skip)]
    pub quiet: bool,
}

/// Which tables to print, and how.
#[derive(Debug, Args)]
pub struct TableOptions {
    /// The folder of the record
    pub record: PathBuf,
    /// Print the summary as JSON
    #[arg(long, conflicts_with = "markdown")]
    pub json: bool,
    /// Print the tables as Markdown
    #[arg(long)]
    pub markdown: bool,
}

pub(crate) fn placement(name: &str) -> Result<Placement, &'static str> {
    match name {
        "unpinned" => Ok(Placement::Unpinned),
        "pinned" => Ok(Placement::Pinned),
        _ => Err("it is unpinned or pinned"),
    }
}

impl RunOptions {
    /// What no option says differently, for a look at the answers alone.
    pub fn for_verify() -> Self {
        let defaults = <RunOptions as clap::FromArgMatches>::from_arg_matches(
            &RunOptions::augment_args(clap::Command::new("compare")).get_matches_from(["compare"]),
        );
        RunOptions { verify: true, ..defaults.expect("every option has a default") }
    }

    /// How much of everything.
    pub fn profile(&self) -> Profile {
        match (self.verify, self.quick, self.full) {
            (true, _, _) => Profile::Verify,
            (_, true, _) => Profile::Quick,
            (_, _, true) => Profile::Full,
            _ => Profile::Standard,
        }
    }

    /// Whether every cell is taken apart afterwards.
    pub fn inspects(&self) -> bool {
        !self.verify && (self.inspect || self.full)
    }

    /// How often each cell runs, time permitting.
    pub fn rounds(&self) -> u32 {
        self.samples.unwrap_or(match self.profile() {
            Profile::Verify => 1,
            Profile::Quick => 15,
            Profile::Standard => 7,
            Profile::Full => 15,
        })
    }

    /// Where origin and lanes run, each placement once.
    pub fn placements(&self) -> Vec<Placement> {
        let mut placements = self.placement.clone();
        placements.sort_unstable();
        placements.dedup();
        placements
    }

    /// The part of the CPU time that others may take; for a look at the answers alone, any.
    pub fn load_limit(&self) -> f64 {
        if self.verify { 1.0 } else { f64::from(self.load_limit) / 100.0 }
    }

    /// After which time no sample is begun: a margin below what is promised, for the one that is
    /// under way and for the tables. Who names the samples gets them, and who names a workload that
    /// says how long it takes gives it the time.
    pub fn budget(&self, workloads: &[Workload]) -> Option<Duration> {
        let told = workloads.iter().filter_map(|workload| workload.minutes).max();
        let told = told.filter(|_| !self.workloads.is_empty());
        match self.profile() {
            _ if self.budget.is_some() => self.budget,
            _ if self.samples.is_some() => None,
            Profile::Quick | Profile::Standard if told.is_some() => {
                told.map(|minutes| Duration::from_secs(60 * minutes))
            }
            Profile::Quick => Some(Duration::from_secs(50)),
            Profile::Standard => Some(Duration::from_secs(280)),
            Profile::Full | Profile::Verify => None,
        }
    }

    /// How long one sample may take. Service times are kept up to two minutes.
    pub fn limit(&self) -> Duration {
        let seconds = match self.profile() {
            Profile::Quick => 10,
            Profile::Standard | Profile::Verify => 30,
            Profile::Full => 110,
        };
        self.limit.unwrap_or(Duration::from_secs(seconds))
    }
}
