//! A hub on every core: the job is dealt beforehand, and the hubs know nothing of each other.
//!
//! ```text
//!                         ┌─ documents 0, 2, 4, … ─► hub on thread 0 ─┐
//!   job ── dealt in turn ─┤                                           ├─ merged ─► answer
//!                         └─ documents 1, 3, 5, … ─► hub on thread 1 ─┘
//! ```
//!
//! It is how programs of one loop use many cores: a process a core, and `SO_REUSEPORT` to have the
//! kernel deal connections out to them (`reuseport` in nginx, `--reuse-port` in gunicorn). No green
//! thread ever changes its OS thread, so whatever may be held across a suspension on one hub may be
//! held here, too; and no connection, no lock and no queue is shared. What it costs is that nobody
//! helps: a hub that was dealt the slow documents goes on alone when the others have ended, and each
//! keeps its part of the concurrency to itself. `stackful/may` is the other way, with tasks that move
//! to whoever is idle.
//!
//! In an open loop the schedule is the whole job's. Each document has a hub that it belongs to, and is
//! sent by it when it is due, whatever the other hubs do.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::task::Waker;
use std::thread;

use blocking_style::tasks::describe;
use blocking_style::{Client, Runtime, do_share};
use job::{Job, Lane, LaneError, Needs, Share, Tally};

use crate::hub::{self, Config, JoinHandle};
use crate::runtime::Hub;
use crate::{STACK_BYTES, in_flight};

/// A hub on each of as many threads as there are cores.
pub const HUB_PER_CORE: Lane = Lane {
    id: "stackful/hub-per-core",
    waits: "a green thread suspends, the hub of its core runs another",
    mirrors: "gevent in a process a core, behind SO_REUSEPORT",
    clients: job::Client::BOTH,
    needs,
    run: |job| run_on(cores(), job),
};

fn needs(job: &Job) -> Needs {
    let hubs = Share::workers(job, cores());
    // A task for each request in flight, and two a hub: the one that starts them, and `main`.
    let tasks = job.in_flight_most().saturating_add(2 * hubs);
    Needs {
        in_flight: job.in_flight_most(),
        // The hubs', and the one that waits for them.
        threads: hubs + 1,
        stack_bytes: STACK_BYTES as u64,
        connections: job.in_flight_most(),
        // Per hub an epoll and an eventfd.
        other_descriptors: 3 + 2 * hubs,
        // A stack and its guard for each task; for each thread the same, and once more for the
        // stack that signals are handled on.
        mappings: tasks.saturating_mul(2).saturating_add(4 * hubs),
    }
}

fn cores() -> u64 {
    thread::available_parallelism().map_or(1, |cores| cores.get() as u64)
}

/// Does the job on as many hubs as there is something to do for, `most` at most.
///
/// # Errors
///
/// As [`do_share`]: the first failure of any hub, which ends the others.
pub fn run_on(most: u64, job: &Job) -> Result<Tally, LaneError> {
    let shares = Share::deal(job, most);
    let mut whole = Tally::new(job);
    let stop = Stop::default();
    thread::scope(|scope| {
        // However this is left, no hub is left behind.
        let _stops = StopOnDrop(&stop);
        let (ended, tallies) = mpsc::channel();
        for share in shares {
            let (ended, stop) = (ended.clone(), stop.clone());
            // The loop alone runs on this stack. After a failure nobody listens any more.
            thread::Builder::new()
                .stack_size(STACK_BYTES)
                .spawn_scoped(scope, move || drop(ended.send(do_on_hub(share, stop))))
                .map_err(|source| LaneError::Runtime { doing: "start a hub's thread", source })?;
        }
        drop(ended);
        for tally in tallies {
            whole.merge(tally?);
        }
        Ok(whole)
    })
}

/// Does a share on a hub of this thread, until it is done or told to stop.
fn do_on_hub(share: Share, stop: Stop) -> Result<Tally, LaneError> {
    let config = Config { stack_bytes: STACK_BYTES, stacks_kept: in_flight(&share.job) };
    let done = hub::run(config, move || {
        let work = move || {
            let runtime: Arc<dyn Runtime> = Arc::new(Hub);
            let client = Client::of_share(&runtime, &share);
            do_share(&runtime, &client, &share)
        };
        let task = hub::spawn(work)
            .map_err(|source| LaneError::Runtime { doing: "start a task", source })?;
        // When this returns, the hub unwinds whatever still waits.
        end_of(&task, &stop).unwrap_or_else(|payload| Err(lost(payload)))
    })
    .map_err(|source| LaneError::Runtime { doing: "start the hub", source })?;
    done.unwrap_or_else(|payload| Err(lost(payload)))
}

fn end_of<T>(
    task: &JoinHandle<Result<T, LaneError>>,
    stop: &Stop,
) -> thread::Result<Result<T, LaneError>> {
    loop {
        if let Some(result) = task.take_or_wait() {
            return result;
        }
        if stop.is_set_or_wakes(hub::waker()) {
            return Ok(Err(LaneError::Task("another hub has failed".to_owned())));
        }
        hub::park();
    }
}

fn lost(payload: blocking_style::runtime::Payload) -> LaneError {
    LaneError::Task(describe(payload.as_ref()))
}

/// Told once to all hubs of a job, wherever they wait.
#[derive(Clone, Default)]
struct Stop(Arc<Told>);

#[derive(Default)]
struct Told {
    is_set: AtomicBool,
    wakers: Mutex<Vec<Waker>>,
}

impl Stop {
    fn set(&self) {
        self.0.is_set.store(true, Ordering::SeqCst);
        for waker in self.wakers().drain(..) {
            waker.wake();
        }
    }

    /// Whether it is set; else `waker` is woken when it is.
    fn is_set_or_wakes(&self, waker: Waker) -> bool {
        self.wakers().push(waker);
        // After that, so that one of the two sees the other.
        self.0.is_set.load(Ordering::SeqCst)
    }

    fn wakers(&self) -> std::sync::MutexGuard<'_, Vec<Waker>> {
        self.0.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct StopOnDrop<'a>(&'a Stop);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.set();
    }
}
