//! Every cell, and every server that is a program, under `cargo test`: a few documents each, and only
//! the answers count.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use harness::Workload;
use harness::workload::Source;
use job::{Corpus, Lane};
use libtest_mimic::{Arguments, Completion, Failed, Trial};

use crate::cli::RunOptions;
use crate::enter::{Pipeline, whole};
use crate::lanes::PEERS;
use crate::print::tell_line;
use crate::registry::Registry;
use crate::servers::Servers;
use crate::verify_servers;

/// One test a workload, each through the same pipeline as a run.
///
/// The arguments are those of any test target, so that `cargo test NAME` and cargo-nextest do with
/// it what they do with others.
pub fn run(lanes: &'static [Lane], pipeline: Pipeline) -> ExitCode {
    let mut arguments = Arguments::from_args();
    // A lane's process ends with the thread that has started it, and the main thread outlives all.
    arguments.test_threads = Some(1);
    let workloads = match RunOptions::for_verify().all_workloads() {
        Ok(workloads) => workloads,
        Err(error) => {
            tell_line(&whole(&error));
            return ExitCode::FAILURE;
        }
    };
    let own = workloads.into_iter().filter(|workload| !workload.verify.leave_out);
    let trials = own.map(|workload| {
        let title = format!("every_lane_answers_right_on_{}", workload.name.replace('-', "_"));
        Trial::test(title, move || verify(&workload, &[], lanes, pipeline))
    });
    let registry = match Registry::with(&[]) {
        Ok(registry) => registry,
        Err(error) => {
            tell_line(&whole(&error));
            return ExitCode::FAILURE;
        }
    };
    let others = registry.environments.iter().map(|environment| {
        let name = environment.folder.replace(['-', '.'], "_");
        let own = registry.programs.iter().filter(|program| program.is_of(environment));
        let own: Vec<_> = own.map(|program| program.id.clone()).collect();
        let environment = environment.clone();
        Trial::ignorable_test(format!("programs_in_{name}_answer_right"), move || {
            verify_others(environment.missing().as_deref(), &own, lanes, pipeline)
        })
    });
    let peers = PEERS.iter().map(|peer| {
        let name = peer.id.replace(['/', '-'], "_");
        let missing = registry.missing(|id| id == peer.id).remove(peer.id);
        Trial::ignorable_test(format!("{name}_answers_right"), move || {
            verify_others(missing.as_deref(), &[peer.id.to_owned()], lanes, pipeline)
        })
    });
    let servers = Servers::registered();
    let served = servers.environments.iter().map(|environment| {
        let name = environment.folder.replace(['-', '.'], "_");
        let own = servers.programs.iter().filter(|program| program.is_of(environment));
        let own: Vec<_> = own.cloned().collect();
        let environment = environment.clone();
        Trial::ignorable_test(format!("servers_in_{name}_answer_right"), move || {
            unless_missing(environment.missing().as_deref(), || {
                verify_servers::verify(&own).map_err(|error| whole(&error).into())
            })
        })
    });
    let trials = trials.chain(others).chain(peers).chain(served);
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// With a value, a test that lacks something fails, where it would be ignored.
pub const MUST_RUN: &str = "COMPARE_TESTS_MUST_RUN";

/// Ignored with what is missing, if it may be.
fn unless_missing(
    missing: Option<&str>,
    verify: impl FnOnce() -> Result<(), Failed>,
) -> Result<Completion, Failed> {
    let must_run = env::var_os(MUST_RUN).is_some_and(|value| !value.is_empty());
    match missing {
        Some(why) if must_run => Err(format!("{why}, and {MUST_RUN} is set").into()),
        Some(why) => Ok(Completion::ignored_with(why)),
        None => verify().map(|()| Completion::Completed),
    }
}

/// Where programs of other languages are looked at.
const FOR_OTHERS: &str = "few-to-many";

/// Lanes that run where they are named, unless something is missing for them.
fn verify_others(
    missing: Option<&str>,
    named: &[String],
    lanes: &[Lane],
    pipeline: Pipeline,
) -> Result<Completion, Failed> {
    unless_missing(missing, || {
        let workloads = RunOptions::for_verify().all_workloads().map_err(|error| whole(&error))?;
        let workload = workloads.iter().find(|workload| workload.name == FOR_OTHERS);
        verify(workload.ok_or("there is no such workload")?, named, lanes, pipeline)
    })
}

fn verify(
    workload: &Workload,
    named: &[String],
    lanes: &[Lane],
    pipeline: Pipeline,
) -> Result<(), Failed> {
    let folder = Scratch::new(named.first().map_or(&workload.name, |name| name))?;
    let mut options = RunOptions::for_verify();
    options.lanes = named.to_vec();
    options.workloads = vec![workload.name.clone()];
    options.record = Some(folder.0.join("record"));
    if workload.source == Source::Files {
        let documents = folder.0.join("documents");
        write_documents(&documents)?;
        options.corpus = Some(documents);
    }
    // What went wrong is an error here, so the code says nothing more.
    pipeline(&options, lanes).map(drop).map_err(|error| whole(&error).into())
}

/// Generated documents where a reader's own would be.
fn write_documents(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let corpus = Corpus::generated(7, 2_000, 5).map_err(io::Error::other)?;
    for (id, body) in corpus.iter() {
        fs::write(folder.join(format!("{id}.json")), body)?;
    }
    Ok(())
}

/// A folder that is gone at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> io::Result<Self> {
        let name = name.replace('/', "-");
        let folder = format!("compare-verify-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        fs::create_dir_all(&folder)?;
        Ok(Scratch(folder))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays behind lies among other temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}
