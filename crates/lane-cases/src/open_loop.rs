//! The open loop, as every lane must do it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Waker;
use std::time::Instant;

use blocking_style::{Runtime, Tasks};
use job::{Answer, Arrivals, Client, Corpus, Job, Lane, Process, Tally};

use crate::HoldingServer;

/// Does open-loop jobs in `lane`, with each client and each process; each that went otherwise than
/// it must is told in a line of the result.
pub fn run_open_loop(lane: &Lane) -> Vec<String> {
    open_loops(lane, DOCUMENTS)
}

/// The same for a lane that deals its documents and its concurrency out beforehand. Whoever has done
/// what it was dealt cannot help the others to fill up again, so once the limit was reached and one
/// request more has come, the server holds none.
pub fn run_open_loop_dealt(lane: &Lane) -> Vec<String> {
    open_loops(lane, CONCURRENCY + 1)
}

fn open_loops(lane: &Lane, held: u64) -> Vec<String> {
    let mut wrong = Vec::new();
    for client in [Client::Library, Client::Raw] {
        for process in [Process::Uniform, Process::Poisson] {
            let context = |why: String| format!("{client}, {}: {why}", process.name());
            wrong.extend(on_schedule(lane, client, process).err().map(context));
        }
        let capped = at_the_cap(lane, client, held);
        wrong.extend(capped.err().map(|why| format!("{client}, at the cap: {why}")));
    }
    wrong
}

/// All documents come, none before it is due, and every number that counts them counts all.
fn on_schedule(lane: &Lane, client: Client, process: Process) -> Result<(), String> {
    let server = HoldingServer::start(0, DOCUMENTS);
    let arrivals = Arrivals { process, rate: 1_000, seed: 3 };
    let job = job(&server, client, DOCUMENTS, arrivals);
    let start = Instant::now();
    let tally = (lane.run)(&job).map_err(|error| error.to_string())?;
    let last = arrivals.schedule(DOCUMENTS).last().unwrap_or_default();
    // However fast a machine is, the last document is due no earlier.
    if start.elapsed() < last {
        return Err(format!("done before the last document was due after {last:?}"));
    }
    check(&tally, &job, server.corpus())
}

/// All documents are due at once and the server holds its answers, until as many requests as are
/// allowed have come: no lane may send more, and each that can must send as many. None is held once
/// `held` have come.
fn at_the_cap(lane: &Lane, client: Client, held: u64) -> Result<(), String> {
    let in_flight = (lane.needs)(&job_like(client)).in_flight;
    let server = HoldingServer::start(in_flight, held);
    let arrivals = Arrivals { process: Process::Uniform, rate: 1_000_000_000, seed: 0 };
    let job = job(&server, client, DOCUMENTS, arrivals);
    let tally = (lane.run)(&job).map_err(|error| error.to_string())?;
    let peak = server.in_flight_peak();
    if peak != in_flight {
        return Err(format!("had {peak} requests in flight, not {in_flight}"));
    }
    if server.has_given_up() {
        return Err(format!("waited for an answer with fewer than {in_flight} in flight"));
    }
    check(&tally, &job, server.corpus())
}

/// `try_join_next` never waits, and gives each task once. `starts_at_once` is for a runtime on which
/// `spawn` runs the task to its end.
pub fn check_try_join_next(runtime: &Arc<dyn Runtime>, starts_at_once: bool) -> Result<(), String> {
    let mut tasks = Tasks::new(runtime);
    expect(tasks.try_join_next().is_none(), "there was none to join")?;
    tasks.spawn(|| 1).map_err(|error| error.to_string())?;
    let first = if starts_at_once { tasks.try_join_next() } else { tasks.join_next() };
    expect(matches!(first, Some(Ok(1))), "a task that has ended is joined")?;
    if !starts_at_once {
        let gate = Arc::new(Gate::default());
        let (held, own) = (Arc::clone(&gate), Arc::clone(runtime));
        tasks.spawn(move || held.wait(own.as_ref())).map_err(|error| error.to_string())?;
        expect(tasks.try_join_next().is_none(), "a task that waits was joined")?;
        expect(tasks.len() == 1, "a task that waits is in flight")?;
        gate.open();
        expect(matches!(tasks.join_next(), Some(Ok(2))), "a task that went on is joined")?;
    }
    tasks.spawn(|| panic!("enough")).map_err(|error| error.to_string())?;
    let last = if starts_at_once { tasks.try_join_next() } else { tasks.join_next() };
    expect(matches!(last, Some(Err(_))), "a panic is an error")?;
    expect(tasks.is_empty() && tasks.try_join_next().is_none(), "each is joined once")
}

const DOCUMENTS: u64 = 24;
const CONCURRENCY: u64 = 4;

fn job(server: &HoldingServer, client: Client, documents: u64, arrivals: Arrivals) -> Job {
    let origin = format!("http://{}", server.address);
    let job = Job::new(&origin, server.corpus(), documents, CONCURRENCY, client);
    Job { arrivals: Some(arrivals), ..job }
}

fn job_like(client: Client) -> Job {
    let corpus = Corpus::generated(1, 1_500, 1).expect("the size holds a document");
    Job::new("http://127.0.0.1:1", &corpus, DOCUMENTS, CONCURRENCY, client)
}

/// What must be true of any open-loop job, however late it was.
fn check(tally: &Tally, job: &Job, corpus: &Corpus) -> Result<(), String> {
    let answer = Answer::expected(job, corpus).map_err(|error| error.to_string())?;
    if let Some(difference) = tally.answer.difference(&answer) {
        return Err(difference);
    }
    let open_loop = tally.open_loop.as_ref().ok_or("there are no latencies")?;
    let (latencies, service_times) = (&open_loop.latencies_ns, &tally.service_times_ns);
    let counts = (latencies.len(), service_times.len());
    if counts != (job.documents, job.documents) {
        return Err(format!("{counts:?} latencies and service times, not {}", job.documents));
    }
    expect(open_loop.sent_in_time <= job.documents, "more was sent than there is")?;
    // Each latency is at least its service time, and so each quantile at least its like.
    let parts = (0..=job.documents).map(|rank| rank as f64 / job.documents as f64);
    let too_short =
        |part: &f64| latencies.value_at_quantile(*part) < service_times.value_at_quantile(*part);
    match parts.into_iter().find(too_short) {
        Some(part) => Err(format!("at {part} latencies are below service times")),
        None => Ok(()),
    }
}

fn expect(is_so: bool, what: &str) -> Result<(), String> {
    if is_so { Ok(()) } else { Err(format!("not so: {what}")) }
}

/// Where a task waits on its own runtime until somebody lets it go on.
#[derive(Default)]
struct Gate {
    is_open: AtomicBool,
    waiter: Mutex<Option<Waker>>,
}

impl Gate {
    fn wait(&self, runtime: &dyn Runtime) -> u32 {
        *self.waiter.lock().unwrap_or_else(PoisonError::into_inner) = Some(runtime.waker());
        while !self.is_open.load(Ordering::SeqCst) {
            runtime.park();
        }
        2
    }

    fn open(&self) {
        self.is_open.store(true, Ordering::SeqCst);
        let waiter = self.waiter.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Without one the task has yet to look, and will find it open.
        if let Some(waiter) = waiter {
            waiter.wake();
        }
    }
}
