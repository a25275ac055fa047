//! Green threads of which one blocks: what a process of its own does, hidden behind `compare trap`.
//!
//! Each task fetches a document over and over, and notes when. One of them pauses once: by asking
//! its runtime, which runs the others meanwhile, or by `std::thread::sleep`, of which no runtime
//! learns anything.
//!
//! ```text
//!   hub     one thread:   task 3 sleeps in the kernel, and with it the loop that would run the others
//!   may     two workers:  the worker that runs task 3 sleeps; its run queue can be stolen from, but
//!                         nobody else asks its epoll, where every second socket is registered
//! ```
//!
//! All of them wait for sockets. Had they slept instead, the end would be another one on may: who
//! has slept goes on on the timer's own thread (may 0.3.51, `scheduler.rs`), and if it then blocks,
//! it blocks the timer of all.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use blocking_style::tasks::describe;
use blocking_style::{Client, Runtime, Tasks};
use clap::{Args, ValueEnum};
use job::{FetchError, Job, LaneError};
use lane_hub::hub;
use serde::{Deserialize, Serialize};

/// How many tasks there are.
pub const TASKS: u64 = 6;

/// Which of them pauses, counted from 0.
pub const SLEEPER: u64 = 2;

/// How long they go on.
pub const LENGTH: Duration = Duration::from_millis(600);

/// After how long one of them pauses.
const PAUSE_AFTER: Duration = Duration::from_millis(200);

/// For how long it does.
pub const PAUSE: Duration = Duration::from_millis(200);

/// may's workers: one is left while the other sleeps.
pub const WORKERS: u64 = 2;

/// What pauses on what.
#[derive(Debug, Clone, Copy, Args)]
pub struct TrapOptions {
    /// What runs the tasks
    #[arg(value_enum)]
    pub on: On,
    /// How one of them pauses
    #[arg(value_enum)]
    pub pause: Pause,
}

/// A runtime of green threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum On {
    /// The hub, which is one OS thread.
    Hub,
    /// may, with [`WORKERS`].
    May,
}

/// A way to pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Pause {
    /// `std::thread::sleep`.
    Thread,
    /// [`Runtime::sleep`].
    Runtime,
}

/// What a task did from one moment to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    /// Whether it paused; else it fetched.
    pub is_pause: bool,
    /// Since the start of all tasks.
    pub from: Duration,
    /// The same.
    pub to: Duration,
}

/// What each task did.
pub type Stretches = Vec<Vec<Stretch>>;

/// Reads a job that says what to fetch, lets the tasks live, and prints what they did.
///
/// # Errors
///
/// There is no job, or a task failed.
pub fn trap(options: TrapOptions) -> anyhow::Result<()> {
    let job = Job::from_json(&io::read_to_string(io::stdin())?)?;
    let stretches = match options.on {
        On::Hub => on_hub(options.pause, job),
        On::May => on_may(options.pause, job),
    }?;
    Ok(writeln!(io::stdout(), "{}", serde_json::to_string(&stretches)?)?)
}

fn on_hub(pause: Pause, job: Job) -> anyhow::Result<Stretches> {
    let runtime: Arc<dyn Runtime> = Arc::new(lane_hub::runtime::Hub);
    let done = hub::run(hub::Config::default(), move || live_all(&runtime, pause, &job));
    let done = done.context("cannot start the hub")?;
    Ok(done.map_err(|payload| anyhow!(describe(payload.as_ref())))??)
}

fn on_may(pause: Pause, job: Job) -> anyhow::Result<Stretches> {
    lane_may::runtime::configure(WORKERS, TASKS + 1);
    let runtime: Arc<dyn Runtime> = Arc::new(lane_may::runtime::May);
    Ok(lane_may::runtime::block_on(move || live_all(&runtime, pause, &job))??)
}

/// All tasks at once; what each did, in the order of their numbers.
fn live_all(runtime: &Arc<dyn Runtime>, pause: Pause, job: &Job) -> Result<Stretches, LaneError> {
    let start = Instant::now();
    let mut tasks = Tasks::new(runtime);
    for number in 0..TASKS {
        let life = Life { runtime: Arc::clone(runtime), job: job.clone(), start };
        let pause = (number == SLEEPER).then_some(pause);
        tasks.spawn(move || life.live(pause).map(|stretches| (number, stretches)))?;
    }
    let mut lives = Vec::new();
    while let Some(life) = tasks.join_next() {
        lives.push(life??);
    }
    lives.sort_unstable_by_key(|(number, _)| *number);
    Ok(lives.into_iter().map(|(_, stretches)| stretches).collect())
}

/// One task.
struct Life {
    runtime: Arc<dyn Runtime>,
    job: Job,
    start: Instant,
}

impl Life {
    /// The sync-looking part: fetch, and fetch again; once, perhaps, pause.
    fn live(&self, mut pause: Option<Pause>) -> Result<Vec<Stretch>, FetchError> {
        // A client of its own, so that it has a connection of its own.
        let client = Client::new(&self.runtime, &self.job);
        let mut stretches = Vec::new();
        while self.start.elapsed() < LENGTH {
            let from = self.start.elapsed();
            let pause = if from >= PAUSE_AFTER { pause.take() } else { None };
            match pause {
                Some(Pause::Thread) => std::thread::sleep(PAUSE),
                Some(Pause::Runtime) => self.runtime.sleep(PAUSE),
                None => drop(client.fetch(&self.job.url(0))?),
            }
            let to = self.start.elapsed();
            stretches.push(Stretch { is_pause: pause.is_some(), from, to });
        }
        Ok(stretches)
    }
}

impl On {
    /// Its name on the command line, and that of its own sleep.
    pub fn names(self) -> (&'static str, &'static str) {
        match self {
            On::Hub => ("hub", "hub::sleep"),
            On::May => ("may", "may's sleep"),
        }
    }
}

impl Pause {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Pause::Thread => "thread",
            Pause::Runtime => "runtime",
        }
    }
}
