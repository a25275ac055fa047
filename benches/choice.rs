//! Options as workloads, lanes, a plan.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};
use std::{env, fs};

use anyhow::{Context, bail};
use harness::environment::{Build, locked_crates};
use harness::origin_process::{Service, origin_threads};
use harness::placement::Processors;
use harness::plan::{NotRun, PlannedCell, Wishes};
use harness::process::Program;
use harness::record::RecordError;
use harness::workload::{self, Counts, OTHER};
use harness::{
    Bench, Corpora, Environment, Interrupt, Limits, OriginProcess, Pace, Placement, Plan, Planted,
    Record, Variant, Workload,
};
use job::Lane;

use crate::allocations;
use crate::cli::RunOptions;
use crate::enter::Misuse;
use crate::registry::Registry;

const WORKLOADS: &str = include_str!("workloads.toml");

/// What is to be measured, as it was chosen.
#[derive(Debug)]
pub struct Choice<'a> {
    options: &'a RunOptions,
    began: Instant,
    program: Program,
    lanes: Vec<Variant>,
    registry: Registry,
    workloads: Vec<Workload>,
    corpora: Corpora,
    limits: Limits,
    processors: Option<Processors>,
}

impl RunOptions {
    /// Finds the lanes, the workloads and the documents that the options name, and raises the
    /// limits that may be raised.
    ///
    /// # Errors
    ///
    /// A name that there is not, a file that is not what it should be.
    pub fn choose(&self, lanes: &[Lane]) -> anyhow::Result<Choice<'_>> {
        let began = Instant::now();
        self.check_files().map_err(Misuse::of)?;
        let registry = Registry::with(&self.lane)?;
        let lanes = self.chosen_variants(&registry.after(lanes)?, &registry)?;
        let processors = self.chosen_processors()?;
        let workloads = self.chosen_workloads()?;
        let files = self.corpus.as_deref().map(origin::read_folder).transpose();
        let corpora = Corpora::new(&workloads, files.map_err(Misuse::of)?, self.seed);
        let corpora = corpora.map_err(Misuse::of)?;
        let program = Program { variables: registry.variables(), ..Program::this() };
        let limits = Limits::raised().with_threads_of_user();
        Ok(Choice {
            options: self,
            began,
            program,
            lanes,
            registry,
            workloads,
            corpora,
            limits,
            processors,
        })
    }

    /// Every workload of the file, as it is written there.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or has a mistake.
    pub fn all_workloads(&self) -> anyhow::Result<Vec<Workload>> {
        let Some(path) = &self.file else {
            return Ok(workload::read("workloads.toml", WORKLOADS)?);
        };
        let name = path.display().to_string();
        let text = fs::read_to_string(path).with_context(|| name.clone()).map_err(Misuse::of)?;
        workload::read(&name, &text).map_err(Misuse::of)
    }

    /// The lanes that the options name; all of them when they name none.
    ///
    /// # Errors
    ///
    /// A name that there is not.
    pub fn chosen_lanes(&self, lanes: &[Lane]) -> anyhow::Result<Vec<Lane>> {
        self.lanes
            .iter()
            .try_for_each(|name| Variant::parse(name).map(drop))
            .map_err(Misuse::of)?;
        select_lanes(lanes, &self.lanes).map_err(Misuse::of)
    }

    /// The same with those that were told, with the variants that are named, and with one lane twice:
    /// what a run takes for a difference between two names of one lane, it may take for one anywhere.
    fn chosen_variants(&self, lanes: &[Lane], registry: &Registry) -> anyhow::Result<Vec<Variant>> {
        let mut chosen = self.chosen_lanes(lanes)?;
        let told = lanes.iter().filter(|lane| registry.is_told(lane.id));
        let left: Vec<_> = told.filter(|told| !chosen.iter().any(|c| c.id == told.id)).collect();
        chosen.extend(left);
        let mut chosen: Vec<_> = chosen.into_iter().map(Variant::from).collect();
        if self.verify {
            return Ok(chosen);
        }
        // Of the last that runs everywhere.
        let last = chosen.iter().rfind(|variant| variant.lane.model() != OTHER).or(chosen.last());
        let again = last.map(|last| Variant::again(last.lane));
        for name in self.lanes.iter().filter(|name| name.contains('+')) {
            let (id, planted) = Variant::parse(name).map_err(Misuse::of)?;
            let lane = lanes.iter().find(|lane| lane.id == id).expect("it was chosen above");
            chosen.push(Variant { lane: *lane, planted });
        }
        if !chosen.iter().any(|variant| variant.planted == Some(Planted::Nothing)) {
            chosen.extend(again);
        }
        Ok(chosen)
    }

    /// What there is to pin to, if anything is to be pinned.
    fn chosen_processors(&self) -> anyhow::Result<Option<Processors>> {
        if !self.placement.contains(&Placement::Pinned) {
            return Ok(None);
        }
        let processors = Processors::of_this_process();
        let why = "there is one processor, so the origin and a lane cannot be pinned apart";
        Ok(Some(processors.context(why).map_err(Misuse::of)?))
    }

    /// The workloads that the options name, as they are written; all of them when they name none.
    ///
    /// # Errors
    ///
    /// A name that there is not, or a file with a mistake.
    pub fn named_workloads(&self) -> anyhow::Result<Vec<Workload>> {
        workload::select(self.all_workloads()?, &self.workloads).map_err(Misuse::of)
    }

    fn chosen_workloads(&self) -> anyhow::Result<Vec<Workload>> {
        let chosen = self.named_workloads()?;
        let named = !self.workloads.is_empty();
        let mut workloads: Vec<_> =
            chosen.into_iter().filter_map(|w| w.in_profile(self.profile(), named)).collect();
        if !self.concurrency.is_empty() {
            for workload in &mut workloads {
                workload.concurrency = Counts(self.concurrency.clone());
            }
        }
        Ok(workloads)
    }
}

impl Choice<'_> {
    /// The lanes that somebody asked for: they run whatever the workload says.
    fn always(&self) -> BTreeSet<&str> {
        let is_named = |id: &str| !self.options.lanes.is_empty() || self.registry.is_told(id);
        self.lanes.iter().map(|variant| variant.lane.id).filter(|id| is_named(id)).collect()
    }

    /// Plans what was chosen.
    ///
    /// # Errors
    ///
    /// Nothing of it can be measured.
    pub fn plan(&self) -> anyhow::Result<Plan> {
        let always = self.always();
        let is_for = |id: &str| self.workloads.iter().any(|workload| workload.is_for(id));
        let plan = Plan::new(&Wishes {
            workloads: &self.workloads,
            lanes: &self.lanes,
            always: &always,
            may_fail: &self.registry.may_fail(),
            missing: &self.registry.missing(|id| always.contains(id) || is_for(id)),
            corpora: &self.corpora,
            limits: &self.limits,
            profile: self.options.profile(),
            rounds: self.options.rounds(),
            seed: self.options.seed,
            placements: &self.options.placements(),
            load_limit: self.options.load_limit(),
            timelines_everywhere: self.options.trace.is_some(),
        });
        if plan.running().all(|index| plan.cells[index].cell.is_bound()) {
            let reasons = reasons(&plan).join("; ");
            let reasons = if reasons.is_empty() { "the profile leaves all out" } else { &reasons };
            return Err(Misuse::of(anyhow::anyhow!("there is nothing to measure: {reasons}")));
        }
        Ok(plan)
    }

    /// How the origin is to serve it.
    ///
    /// # Errors
    ///
    /// The folder of documents is gone.
    pub fn service(&self) -> anyhow::Result<Service> {
        Ok(Service {
            program: self.program.path.clone(),
            server: self.options.origin.name().to_owned(),
            threads: origin_threads(),
            seed: self.options.seed,
            sizes: self.corpora.sizes(),
            corpus: self.options.corpus.as_ref().map(fs::canonicalize).transpose()?,
        })
    }

    /// Starts the record: in the folder that was named, or in one of its own.
    ///
    /// # Errors
    ///
    /// The folder that was named holds a record already, or the system does not let us.
    pub fn record(&self, plan: &Plan) -> anyhow::Result<Record> {
        let environment = self.environment(plan)?;
        if let Some(folder) = &self.options.record {
            return Ok(Record::create(folder, plan, &environment)?);
        }
        Ok(record_of_its_own(&target_folder().join("compare"), &now(), plan, &environment)?)
    }

    /// The machine, the program, and this command line.
    ///
    /// # Errors
    ///
    /// The lock file that the program was built from is none.
    fn environment(&self, plan: &Plan) -> anyhow::Result<Environment> {
        let build = build(self.registry.versions(&plan.lanes_running()))?;
        let server = self.options.origin.name();
        Ok(Environment::observe(build, self.limits.clone(), server, origin_threads()))
    }

    /// All that is needed to measure it.
    pub fn bench<'b>(
        &'b self,
        plan: &'b Plan,
        origin: &'b mut OriginProcess,
        record: &'b mut Record,
        interrupt: &'b Interrupt,
    ) -> Bench<'b> {
        let pace = Pace {
            began: self.began,
            budget: self.options.budget(&self.workloads),
            limit: self.options.limit(),
            warm_up: !self.options.verify,
        };
        let (program, corpora) = (&self.program, &self.corpora);
        let (processors, inspect) = (self.processors.as_ref(), self.options.inspects());
        Bench { program, plan, corpora, origin, record, processors, interrupt, pace, inspect }
    }
}

/// Why workloads and lanes do not run: the first reason of each.
fn reasons(plan: &Plan) -> Vec<String> {
    let workloads = plan.workloads.iter().map(|w| (w.name.as_str(), w.not_run.as_deref()));
    // What keeps a lane from running keeps its variants.
    let is_lane = |cell: &&PlannedCell| !cell.cell.is_bound() && !cell.cell.lane.contains('+');
    let cells = plan.cells.iter().filter(is_lane);
    let cells = cells.map(|c| (c.cell.lane.as_str(), c.not_run.as_ref().map(NotRun::why)));
    let mut reasons: Vec<(&str, &str)> = Vec::new();
    for (name, why) in workloads.chain(cells) {
        if !reasons.iter().any(|(known, _)| *known == name) {
            reasons.extend(why.map(|why| (name, why)));
        }
    }
    reasons.into_iter().map(|(name, why)| format!("{name}: {why}")).collect()
}

/// The lanes of these ids and models in the order of registration; all of them for no name. The name
/// of a variant is also that of its lane, with which it is to be compared.
fn select_lanes(lanes: &[Lane], names: &[String]) -> anyhow::Result<Vec<Lane>> {
    let is = |lane: &Lane, name: &String| {
        let whole = name.split_once('+').map_or(name.as_str(), |(lane, _)| lane);
        lane.id == whole || lane.model() == name
    };
    if let Some(name) = names.iter().find(|name| !lanes.iter().any(|lane| is(lane, name))) {
        // Those of other languages are too many for a line.
        let own = lanes.iter().filter(|lane| lane.model() != OTHER);
        let ids: Vec<_> = own.map(|lane| lane.id).collect();
        let mut models: Vec<_> = lanes.iter().map(Lane::model).collect();
        models.dedup();
        bail!(
            "no lane is named `{name}`; there are: {}; or all of a model: {}; --list tells more",
            ids.join(", "),
            models.join(", ")
        );
    }
    let named = |lane: &&Lane| names.is_empty() || names.iter().any(|name| is(lane, name));
    Ok(lanes.iter().filter(named).copied().collect())
}

/// What the program was built from and with, and what others are run with.
///
/// # Errors
///
/// The lock file that it was built from is none.
pub(crate) fn build(others: BTreeMap<String, String>) -> anyhow::Result<Build> {
    Ok(Build {
        rustc: option_env!("COMPARE_RUSTC").unwrap_or("rustc unknown").to_owned(),
        commit: option_env!("COMPARE_COMMIT").map(str::to_owned),
        modified: option_env!("COMPARE_STATUS").map(|status| !status.is_empty()),
        optimised: !cfg!(debug_assertions),
        features: allocations::FEATURE.into_iter().map(str::to_owned).collect(),
        others,
        crates: locked_crates(include_str!("../Cargo.lock"))?,
    })
}

/// `name` in `folder`, or `name-2` and so on for those who come in the same second.
fn record_of_its_own(
    folder: &Path,
    name: &str,
    plan: &Plan,
    environment: &Environment,
) -> Result<Record, RecordError> {
    let later = (2..).map(|number| format!("{name}-{number}"));
    for name in std::iter::once(name.to_owned()).chain(later) {
        match Record::create(&folder.join(name), plan, environment) {
            Err(RecordError::Taken(_)) => {}
            created => return created,
        }
    }
    unreachable!("the names do not end")
}

/// The date and the time, UTC, as the name of a folder.
pub(crate) fn now() -> String {
    let now = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    now.replace('T', "-").replace([':', 'Z'], "")
}

/// Cargo's target folder, wherever the user has put it.
pub(crate) fn target_folder() -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    target_of(&program, Path::exists).unwrap_or(Path::new("target")).to_owned()
}

/// Cargo marks the folder with `CACHEDIR.TAG` if it makes it; one that was there before has no mark,
/// but a folder for each profile, and Cargo's lock in that.
fn target_of(program: &Path, exists: impl Fn(&Path) -> bool) -> Option<&Path> {
    let marked = |folder: &&Path| exists(&folder.join("CACHEDIR.TAG"));
    let profile = |folder: &&Path| exists(&folder.join(".cargo-lock"));
    let unmarked = || program.ancestors().find(profile).and_then(Path::parent);
    program.ancestors().find(marked).or_else(unmarked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_folder_is_found_whoever_made_it() {
        let program = Path::new("/any/debug/deps/compare-0123");
        let found = |files: &'static [&str]| {
            target_of(program, |path| files.iter().any(|file| path == Path::new(file)))
        };
        assert_eq!(found(&[]), None);
        assert_eq!(found(&["/any/debug/.cargo-lock"]), Some(Path::new("/any")));
        // Cargo puts the profiles of a told target a folder deeper.
        let told = ["/CACHEDIR.TAG", "/any/debug/.cargo-lock"].as_slice();
        assert_eq!(found(told), Some(Path::new("/")));
    }
}
