//! A periodic task: it ticks until it is told to stop.
//!
//! Ticks are due at multiples of the period, so what a tick takes and how late it was do not add up.
//! One that is late happens at once; those that were missed meanwhile are left out, and the next is
//! due at the next multiple. (Up to 5 ms are not late to tokio: such ticks all happen.) A tick is told
//! its number, so that it knows.

use std::time::Duration;

use job::LaneError;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::lost;

/// Calls `tick` with 0 at once, and with N after N periods, until something comes from `stopped`, or
/// nothing can come any more: between two ticks, and without waiting for the next.
///
/// # Panics
///
/// `period` is 0.
pub async fn every(period: Duration, mut stopped: mpsc::Receiver<()>, mut tick: impl FnMut(u64)) {
    let start = Instant::now();
    let mut ticks = interval_at(start, period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            biased;
            _ = stopped.recv() => return,
            due = ticks.tick() => tick(number(due - start, period)),
        }
    }
}

/// Does `work` while a task beside it ticks.
///
/// # Errors
///
/// The task ended without a result.
pub async fn while_ticking<T>(
    period: Duration,
    tick: impl FnMut(u64) + Send + 'static,
    work: impl Future<Output = T>,
) -> Result<T, LaneError> {
    let (stop, stopped) = mpsc::channel(1);
    let ticking = tokio::spawn(every(period, stopped, tick));
    let done = work.await;
    // Nothing is ever sent. That nobody is left to send it says the same, after a panic too.
    drop(stop);
    ticking.await.map_err(lost)?;
    Ok(done)
}

/// Which tick is due after `due`. tokio counts in nanoseconds and rounds only when it sets its timer.
fn number(due: Duration, period: Duration) -> u64 {
    u64::try_from(due.as_nanos() / period.as_nanos()).unwrap_or(u64::MAX)
}
