//! `compare servers`: the other half of the question, servers in place of lanes.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use clap::Args;
use harness::environment::Environment;
use harness::measure::Pace;
use harness::origin_process::origin_threads;
use harness::placement::Processors;
use harness::process::{Program, THIS_IMAGE};
use harness::record::How;
use harness::workload::OTHER;
use harness::{Interrupt, Limits, Placement};
use job::Corpus;
use load::order::Expected;
use origin::GENERATED_DOCUMENTS;
use report::files::PAGE;
use report::serving::{Summary, files, markdown, summarise, terminal};
use serving::{Bench, Documents, Plan, Record, Recorded, Script, Server, Wishes};

use crate::choice;
use crate::cli::RunOptions;
use crate::enter::{FAILED, INTERRUPTED, Misuse};
use crate::environments::CommandLine;
use crate::print::{say, style, tell_line};
use crate::progress;
use crate::servers::{ServerProgram, Servers};

pub(crate) const SCENES: &str = include_str!("scenes.toml");

/// The documents of servers that are programs of their own, one a line, from the id 1 on.
const LISTED: &str = include_str!("others/documents.jsonl");

/// The group's name among workloads, for those who look for it there.
pub const SERVERS: &str = "servers";

/// What to measure of servers, and how.
#[derive(Debug, Clone, Args)]
pub struct ServersOptions {
    /// Less of everything: a look, within a few minutes
    #[arg(long)]
    pub quick: bool,
    /// List servers and scenes, and measure nothing
    #[arg(long)]
    pub list: bool,
    /// Only these servers: ids or models, separated by commas
    #[arg(long, value_name = "SERVER,…", value_delimiter = ',')]
    pub servers: Vec<String>,
    /// Only these scenes, separated by commas
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub scenes: Vec<String>,
    /// How often each cell is measured
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub samples: Option<u32>,
    /// Where servers and clients run: wherever the scheduler puts them, or on processors of their own
    #[arg(long, value_name = "PLACEMENT", default_value = "unpinned", value_parser = crate::cli::placement)]
    pub placement: Placement,
    /// The most CPU time, percent, that others may take while a sample counts; 100 for any
    #[arg(long, value_name = "PERCENT", default_value_t = 10,
          value_parser = clap::value_parser!(u8).range(0..=100))]
    pub load_limit: u8,
    /// Seed of the documents, of arrivals, and of the order in which cells run
    #[arg(long, value_name = "N", default_value_t = 42)]
    pub seed: u64,
    /// Print the summary as JSON in place of tables
    #[arg(long)]
    pub json: bool,
    /// Write the tables to this file as Markdown, too
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Keep the record in this folder [default: target/compare/DATE-TIME]
    #[arg(long, value_name = "DIR")]
    pub record: Option<PathBuf>,
    /// Read handlers and scenes from this file in place of the built-in ones
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// After how long no sample is begun any more
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, hide = true)]
    pub budget: Option<Duration>,
}

/// How long one sample may take, whatever its server does.
const LIMIT: Duration = Duration::from_secs(60);

/// Measures servers: choice → plan → samples → record → summary → tables.
///
/// # Errors
///
/// What was asked for cannot be had, or what keeps any run from measuring.
pub fn servers(options: &ServersOptions) -> anyhow::Result<ExitCode> {
    let began = Instant::now();
    options.check_files().map_err(Misuse::of)?;
    let script = options.script()?;
    let servers = options.chosen_servers()?;
    if options.list {
        list(&servers, &script)?;
        return Ok(ExitCode::SUCCESS);
    }
    let plan = options.plan(&script, &servers)?;
    let interrupt = Interrupt::listen()?;
    let processors = options.processors()?;
    let documents = documents(options.seed)?;
    let mut record = options.start_record(&plan)?;
    let mut bench = Bench {
        program: &Program::this(),
        plan: &plan,
        servers: &servers,
        documents: &documents,
        record: &mut record,
        processors: processors.as_ref(),
        interrupt: &interrupt,
        pace: Pace { began, budget: options.budget, limit: LIMIT, warm_up: true },
    };
    let ending = progress::serve(&mut bench)?;
    let recorded = serving::record::read(record.folder())?;
    let summary = summarise(&recorded);
    options.print(&recorded, &summary, record.folder())?;
    let has_failed = rows_failed(&summary);
    Ok(match ending.how {
        How::Interrupted => INTERRUPTED.into(),
        _ if has_failed => FAILED.into(),
        _ => ExitCode::SUCCESS,
    })
}

impl RunOptions {
    /// Whether servers are asked for, among workloads.
    pub fn names_servers(&self) -> bool {
        self.workloads.iter().any(|name| name == SERVERS)
    }

    /// The same for those who look for servers among workloads.
    ///
    /// # Errors
    ///
    /// Servers and lanes are asked for at once: a record is of one or the other.
    pub fn as_servers(&self) -> anyhow::Result<ServersOptions> {
        let [placement] = self.placements()[..] else {
            return Err(Misuse::of(anyhow!("servers are measured in one placement at a time")));
        };
        if self.workloads.len() > 1 {
            let why = anyhow!("`{SERVERS}` stands alone: a record is of servers or of lanes");
            return Err(Misuse::of(why));
        }
        Ok(ServersOptions {
            quick: self.quick,
            list: self.list,
            servers: self.lanes.clone(),
            scenes: Vec::new(),
            samples: self.samples,
            placement,
            load_limit: self.load_limit,
            seed: self.seed,
            json: self.json,
            markdown: self.markdown.clone(),
            record: self.record.clone(),
            file: self.file.clone(),
            budget: self.budget,
        })
    }
}

impl ServersOptions {
    /// Prints the summary in the forms that were asked for, and where its record is.
    fn print(&self, recorded: &Recorded, summary: &Summary, folder: &Path) -> anyhow::Result<()> {
        let said = say(&text(summary, self.json, false)?);
        // Whatever could not be printed can be printed again from there.
        tell_line(&format!("the record is in {}", folder.display()));
        files::write(recorded, summary, folder)?;
        tell_line(&format!("the page of it is {}", folder.join(PAGE).display()));
        said?;
        if let Some(file) = &self.markdown {
            fs::write(file, markdown(summary)).with_context(|| file.display().to_string())?;
        }
        Ok(())
    }

    fn check_files(&self) -> anyhow::Result<()> {
        if let Some(file) = &self.markdown {
            let opened = fs::File::options().append(true).create(true).open(file);
            opened.with_context(|| file.display().to_string())?;
        }
        Ok(())
    }

    fn script(&self) -> anyhow::Result<Script> {
        let script = match &self.file {
            None => Script::read("scenes.toml", SCENES)?,
            Some(path) => {
                let name = path.display().to_string();
                let text = fs::read_to_string(path).with_context(|| name.clone());
                Script::read(&name, &text.map_err(Misuse::of)?).map_err(Misuse::of)?
            }
        };
        let script = if self.quick { script.quick() } else { script };
        script.with_scenes(&self.scenes).map_err(|why| Misuse::of(anyhow!(why)))
    }

    fn chosen_servers(&self) -> anyhow::Result<Vec<Server>> {
        let all = all(self.seed);
        let model = |id: &str| id.split_once('/').map(|(model, _)| model.to_owned());
        let is = |server: &Server, name: &String| {
            server.id == *name || model(&server.id).as_ref() == Some(name)
        };
        if let Some(name) = self.servers.iter().find(|name| !all.iter().any(|one| is(one, name))) {
            let known: Vec<_> = all.iter().map(|server| server.id.as_str()).collect();
            let why = anyhow!("no server has the id `{name}`; there are: {}", known.join(", "));
            return Err(Misuse::of(why));
        }
        let chosen = |server: &Server| self.servers.iter().any(|name| is(server, name));
        Ok(all.into_iter().filter(|one| self.servers.is_empty() || chosen(one)).collect())
    }

    fn plan(&self, script: &Script, servers: &[Server]) -> anyhow::Result<Plan> {
        let plan = Plan::new(&Wishes {
            script,
            servers,
            rounds: self.samples.unwrap_or(if self.quick { 1 } else { 6 }),
            seed: self.seed,
            load_limit: f64::from(self.load_limit) / 100.0,
            placement: self.placement,
        });
        if plan.running().next().is_none() {
            let reasons = plan.cells.iter().find_map(|planned| planned.not_run.clone());
            let why = reasons.unwrap_or_else(|| "no scene is named".into());
            return Err(Misuse::of(anyhow!("there is nothing to measure: {why}")));
        }
        Ok(plan)
    }

    fn processors(&self) -> anyhow::Result<Option<Processors>> {
        if self.placement.is_unpinned() {
            return Ok(None);
        }
        let why = "there is one processor, so servers and clients cannot be pinned apart";
        Ok(Some(Processors::of_this_process().context(why).map_err(Misuse::of)?))
    }

    fn start_record(&self, plan: &Plan) -> anyhow::Result<Record> {
        let limits = Limits::raised().with_threads_of_user();
        let running = plan.running().map(|index| plan.cells[index].cell.server.as_str());
        let build = choice::build(Servers::registered().versions(&running.collect()))?;
        let environment = Environment::observe(build, limits, SERVERS, origin_threads());
        if let Some(folder) = &self.record {
            return Ok(Record::create(folder, plan, &environment)?);
        }
        let folder = choice::target_folder().join("compare");
        let name = choice::now();
        let later = (2..).map(|number| format!("{name}-{number}"));
        for name in std::iter::once(name.clone()).chain(later) {
            match Record::create(&folder.join(name), plan, &environment) {
                Err(harness::record::RecordError::Taken(_)) => {}
                created => return Ok(created?),
            }
        }
        unreachable!("the names do not end")
    }
}

/// The workers of the pool: as many as the article's picture has.
const POOL: u64 = 4;

/// One of the origin's servers: its id, how a handler waits, what it stands for.
type Own = (origin::Server, &'static str, &'static str, &'static str);

const OWN: [Own; 8] = [
    (
        origin::Server::BlockingPool,
        "blocking/pool",
        "one of 4 threads waits in the kernel",
        "a pool of sync workers: the fifth client waits",
    ),
    (
        origin::Server::BlockingThreads,
        "blocking/threads",
        "a connection's own thread waits in the kernel",
        "a thread a connection",
    ),
    (
        origin::Server::StackfulHub,
        "stackful/hub",
        "a green thread parks, the hub runs another",
        "gevent: sync-looking code on one loop",
    ),
    (
        origin::Server::StackfulHubPerCore,
        "stackful/hub-per-core",
        "a green thread parks, its core's hub runs another",
        "the hybrid of the same: a hub a core",
    ),
    (
        origin::Server::MayMinihttp,
        "stackful/may_minihttp",
        "a coroutine parks, its worker runs another",
        "goroutines, in Rust",
    ),
    (
        origin::Server::StacklessHyper,
        "stackless/hyper",
        "a state machine returns Pending, its worker polls another",
        "async/await on all cores",
    ),
    (
        origin::Server::StacklessHyperLocal,
        "stackless/hyper-local",
        "a state machine returns Pending, the loop polls another",
        "asyncio and uvloop: one loop",
    ),
    (
        origin::Server::StacklessHyperPerCore,
        "stackless/hyper-per-core",
        "a state machine returns Pending, its core's loop polls another",
        "the hybrid of the same: a loop a core",
    ),
];

/// Every server that there is: the origin's own, then programs.
pub(crate) fn all(seed: u64) -> Vec<Server> {
    let registered = Servers::registered();
    let missing = registered.missing(|_| true);
    let programs = registered.programs.iter().map(|program| of_program(program, &missing));
    OWN.iter().map(|own| of_origin(own, seed)).chain(programs).collect()
}

fn of_origin(own: &Own, seed: u64) -> Server {
    let (server, id, waits, mirrors) = own;
    let is_pool = *server == origin::Server::BlockingPool;
    let threads = if is_pool { POOL } else { origin_threads() as u64 };
    let (threads, seed) = (threads.to_string(), seed.to_string());
    let words = ["origin", "--end-with-parent", "--server", server.name(), "--threads"];
    let words = words.into_iter().chain([threads.as_str(), "--seed", seed.as_str()]);
    Server {
        id: (*id).to_owned(),
        waits: (*waits).to_owned(),
        mirrors: (*mirrors).to_owned(),
        at_once: is_pool.then_some(POOL),
        is_static: false,
        documents: Documents::Generated,
        program: PathBuf::from(THIS_IMAGE),
        arguments: words.map(str::to_owned).collect(),
        folder: None,
        missing: None,
    }
}

fn of_program(program: &ServerProgram, missing: &BTreeMap<String, String>) -> Server {
    let CommandLine { program: file, mut arguments, folder } = program.command();
    arguments.extend(["--listen", "127.0.0.1:0"].map(str::to_owned));
    Server {
        id: program.id.clone(),
        waits: program.waits.clone(),
        mirrors: program.mirrors.clone(),
        at_once: program.at_once,
        is_static: program.is_static,
        documents: Documents::Listed,
        program: file,
        arguments,
        folder: Some(folder),
        missing: missing.get(&program.id).cloned(),
    }
}

/// The first documents of each kind: as many as are listed.
fn documents(seed: u64) -> anyhow::Result<Vec<(Documents, Vec<Expected>)>> {
    let listed: Vec<_> = (1..)
        .zip(LISTED.lines())
        .map(|(id, line)| Expected { id, body: line.to_owned() })
        .collect();
    let corpus = Corpus::generated(seed, 1_500, GENERATED_DOCUMENTS)?;
    let mut generated = Vec::new();
    for (id, body) in corpus.iter().take(listed.len()) {
        generated.push(Expected { id, body: String::from_utf8(body.to_vec())? });
    }
    Ok(vec![(Documents::Generated, generated), (Documents::Listed, listed)])
}

/// A summary as text: JSON, Markdown, or tables for a terminal.
pub(crate) fn text(summary: &Summary, as_json: bool, as_markdown: bool) -> anyhow::Result<String> {
    Ok(match (as_json, as_markdown) {
        (true, _) => serde_json::to_string_pretty(summary)? + "\n",
        (_, true) => markdown(summary),
        _ => terminal(summary, style()),
    })
}

/// Whether a server of ours failed; where another's does, that is a finding, and stands in its row.
fn rows_failed(summary: &Summary) -> bool {
    let mut rows = summary.scenes.iter().flat_map(|scene| &scene.rows);
    rows.any(|row| row.failed && !row.cell.server.starts_with(&format!("{OTHER}/")))
}

fn list(servers: &[Server], script: &Script) -> anyhow::Result<()> {
    let mut lines = vec!["servers".to_owned()];
    for server in servers {
        lines.push(format!("  {:32}{}", server.id, server.waits));
        lines.push(format!("  {:32}stands for {}", "", server.mirrors));
        lines.extend(server.missing.iter().map(|why| format!("  {:32}{why}", "")));
    }
    lines.push("scenes".to_owned());
    for scene in &script.scenes {
        lines.push(format!("  {:32}{}", scene.name, scene.handlers.join(", ")));
        let shows = report::table::wrapped_at(&scene.shows, report::table::WIDTH - 34);
        lines.extend(shows.iter().map(|line| format!("  {:32}{line}", "")));
    }
    say(&(lines.join("\n") + "\n"))
}
