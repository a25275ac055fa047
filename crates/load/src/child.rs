//! The process: an order comes in, and what came of it goes out.

use std::io::{self, BufRead, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use job::Arrivals;
use rustix::time::{ClockId, clock_gettime};
use tokio::task::JoinSet;

use crate::held::Connections;
use crate::open::Schedule;
use crate::order::{Load, Order, Outcome, Report};
use crate::seen::Seen;
use crate::site::Site;
use crate::{at_once, closed, slow};

/// Does the order that is the first line of standard input, and reports on standard output.
pub fn run() -> ExitCode {
    let mut lines = io::stdin().lock().lines();
    let report = match lines.next() {
        Some(Ok(line)) => serde_json::from_str(&line).map_err(|error| error.to_string()),
        Some(Err(error)) => Err(error.to_string()),
        None => Err("standard input is empty".to_owned()),
    };
    let report = report.and_then(|order| {
        obey(&order, &mut |report| {
            tell(report);
            // Whoever asked looks at the server now, and says when it has.
            matches!(lines.next(), Some(Ok(_)))
        })
    });
    match report {
        Ok(outcome) => {
            tell(&Report::Outcome(Box::new(outcome)));
            ExitCode::SUCCESS
        }
        Err(why) => {
            tell(&Report::Failed(why));
            ExitCode::FAILURE
        }
    }
}

/// In one write; nobody may be left to read it.
fn tell(report: &Report) {
    let _ = io::stdout().write_all(report.line().as_bytes());
}

/// Does `order`. `step` is told of each step of connections that are held, and says whether to go on.
///
/// # Errors
///
/// It could not begin; what goes wrong with a request is in the outcome.
pub fn obey(order: &Order, step: &mut dyn FnMut(&Report) -> bool) -> Result<Outcome, String> {
    let runtime = lane_tokio::runtime::local().map_err(|error| format!("tokio: {error}"))?;
    let site = Arc::new(Site::of(order)?);
    runtime.block_on(async {
        let _slow = slow::clients(&site, order.slow).await?;
        let before_us = cpu_us();
        let outcome = match &order.load {
            Load::Held { steps, waiting } => hold(&site, steps, *waiting, step).await,
            load => timed(&site, load, Duration::from_millis(order.patience_ms)).await,
        };
        outcome.map(|outcome| Outcome { cpu_us: cpu_us() - before_us, ..outcome })
    })
}

async fn timed(site: &Arc<Site>, load: &Load, patience: Duration) -> Result<Outcome, String> {
    let start = Instant::now();
    let seen = Arc::new(Seen::since(start));
    let asked = Arc::new(AtomicU64::new(0));
    let mut tasks = match load {
        Load::AtOnce { clients } => {
            asked.store(*clients, Ordering::Relaxed);
            at_once::clients(site, &seen, *clients)
        }
        Load::Closed { clients, for_ms } => {
            let for_how_long = Duration::from_millis(*for_ms);
            let tasks = closed::clients(site, &seen, &asked, *clients, for_how_long);
            // Patience begins when nobody asks any more.
            tokio::time::sleep(for_how_long).await;
            tasks
        }
        Load::Open { process, rate, seed, for_ms, connections_most, blocker } => {
            let schedule = Schedule {
                arrivals: Arrivals { process: *process, rate: *rate, seed: *seed },
                for_how_long: Duration::from_millis(*for_ms),
                connections_most: *connections_most,
                blocker: blocker.clone(),
            };
            asked.store(schedule.requests(), Ordering::Relaxed);
            schedule.send(start, site, &seen).await.map_err(|error| format!("timer: {error}"))?
        }
        Load::Held { .. } => unreachable!("connections that are held are not timed"),
    };
    through(&mut tasks, patience).await;
    Ok(seen.outcome(asked.load(Ordering::Relaxed)))
}

/// Until all tasks have ended, or patience has.
async fn through(tasks: &mut JoinSet<()>, patience: Duration) {
    let all = async { while tasks.join_next().await.is_some() {} };
    // Those that have not are dropped with the set.
    let _ = tokio::time::timeout(patience, all).await;
}

async fn hold(
    site: &Site,
    steps: &[u64],
    waiting: bool,
    step: &mut dyn FnMut(&Report) -> bool,
) -> Result<Outcome, String> {
    let (start, mut connections) = (Instant::now(), Connections::default());
    let mut held = 0;
    for count in steps {
        let report = connections.grow(site, *count, waiting).await?;
        held = report.connections;
        if !step(&Report::Held(report)) {
            break;
        }
    }
    let wall_ns = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
    let answered = if waiting { 0 } else { held };
    Ok(Outcome { wall_ns, answered, connections: held, ..Outcome::default() })
}

/// CPU time of this process so far.
fn cpu_us() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    u64::try_from(time.tv_sec * 1_000_000 + time.tv_nsec / 1_000).unwrap_or(0)
}
