//! `compare others`: what the programs in `others/`, lanes and servers, are run with, and setting it
//! up.

use std::fs;
use std::io;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use clap::{Args, Subcommand};
use harness::Interrupt;
use harness::process::{Process, Status, Wake};

use crate::enter::{INTERRUPTED, Misuse};
use crate::environments::Environment;
use crate::print::{say, tell_line};
use crate::registry::Registry;
use crate::servers::Servers;

/// Which of it.
#[derive(Debug, Args)]
pub struct OthersOptions {
    /// What to do
    #[command(subcommand)]
    pub command: OthersCommand,
}

/// What to do with other languages' environments.
#[derive(Debug, Subcommand)]
pub enum OthersCommand {
    /// List the environments, whether they are set up, and their lanes and servers
    List,
    /// Set environments up from their lock files, below the target folder and nowhere else
    Install {
        /// Only these folders; all of them unless any is named
        folders: Vec<String>,
    },
}

/// Does it.
///
/// # Errors
///
/// A folder that there is not; the first reason why one could not be set up, after all were tried.
pub fn others(options: &OthersOptions) -> anyhow::Result<ExitCode> {
    let registry = Registry::with(&[])?;
    let servers = Servers::registered();
    match &options.command {
        OthersCommand::List => say(&list(&registry, &servers)).map(|()| ExitCode::SUCCESS),
        OthersCommand::Install { folders } => {
            let all: Vec<_> = all(&registry, &servers).collect();
            install(&chosen(&all, folders)?)
        }
    }
}

/// What lanes are run with, then what servers are.
fn all<'a>(registry: &'a Registry, servers: &'a Servers) -> impl Iterator<Item = &'a Environment> {
    registry.environments.iter().chain(&servers.environments)
}

fn list(registry: &Registry, servers: &Servers) -> String {
    let mut lines = Vec::new();
    for environment in all(registry, servers) {
        let state = match environment.missing() {
            Some(why) => format!("{why} (needs {})", environment.needs),
            None => environment.version().unwrap_or_else(|| "does not tell its version".to_owned()),
        };
        lines.push(format!("{}: {state}", environment.folder));
        let lanes = registry.programs.iter().filter(|program| program.is_of(environment));
        lines.extend(lanes.map(|program| format!("  {}", program.id)));
        let servers = servers.programs.iter().filter(|program| program.is_of(environment));
        lines.extend(servers.map(|program| format!("  {}", program.id)));
    }
    lines.join("\n") + "\n"
}

fn chosen<'a>(all: &[&'a Environment], folders: &[String]) -> anyhow::Result<Vec<&'a Environment>> {
    if let Some(name) = folders.iter().find(|name| !all.iter().any(|one| one.folder == **name)) {
        let known: Vec<_> = all.iter().map(|one| one.folder.as_str()).collect();
        let why = anyhow!("there is no `{name}` among others: {}", known.join(", "));
        return Err(Misuse::of(why));
    }
    let is_chosen = |one: &&&Environment| folders.is_empty() || folders.contains(&one.folder);
    Ok(all.iter().filter(is_chosen).copied().collect())
}

/// All that are not yet, one after the other. One that fails keeps no other from being set up.
fn install(environments: &[&Environment]) -> anyhow::Result<ExitCode> {
    let interrupt = Interrupt::listen()?;
    let mut failed = Vec::new();
    for environment in environments {
        if environment.missing().is_none() {
            tell_line(&format!("{} is set up already", environment.folder));
            continue;
        }
        tell_line(&format!("{}: setting up", environment.folder));
        let began = Instant::now();
        match set_up(environment, &interrupt) {
            Ok(Wake::Interrupted) => return Ok(INTERRUPTED.into()),
            Ok(_) => {
                let seconds = began.elapsed().as_secs();
                tell_line(&format!("{}: set up in {seconds} s", environment.folder));
            }
            Err(error) => {
                tell_line(&format!("{error:#}"));
                failed.push(environment.folder.as_str());
            }
        }
    }
    if !failed.is_empty() {
        bail!("not set up: {}; the others can be measured", failed.join(", "));
    }
    Ok(ExitCode::SUCCESS)
}

/// How long one may take: some compile.
const LIMIT: Duration = Duration::from_secs(20 * 60);

fn set_up(environment: &Environment, interrupt: &Interrupt) -> anyhow::Result<Wake> {
    let Environment { folder, needs, .. } = environment;
    let home = environment.home();
    // What was half done, or from other files, is not built upon.
    match fs::remove_dir_all(&home) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(error).with_context(|| home.display().to_string());
        }
        _ => {}
    }
    fs::create_dir_all(&home).with_context(|| home.display().to_string())?;
    let mut command = Command::new("./install");
    command.arg(&home).current_dir(environment.source());
    let mut process = Process::start(&mut command).with_context(|| format!("{folder}/install"))?;
    let wake = process.wait(LIMIT, interrupt)?;
    if wake != Wake::Ended {
        process.kill();
    }
    let (status, _) = process.reap()?;
    match (wake, status) {
        (Wake::Interrupted, _) => Ok(wake),
        (Wake::OutOfTime, _) => bail!("{folder}: not done within {} min", LIMIT.as_secs() / 60),
        (Wake::Ended, Status::Exited(0)) => {
            environment.note_set_up().with_context(|| home.display().to_string())?;
            Ok(wake)
        }
        (Wake::Ended, status) => bail!("{folder}: ended with {status}; it needs {needs}"),
    }
}
