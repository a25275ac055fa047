//! A periodic task: it ticks until it is told to stop.
//!
//! Ticks are due at multiples of the period, so what a tick takes and how late it was do not add up.
//! One that is late happens at once; those that were missed meanwhile are left out, and the next is
//! due at the next multiple. A tick is told its number, so that it knows.

use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use blocking_style::queue::Receiver;
use blocking_style::{Runtime, Tasks, queue};
use job::LaneError;

/// Calls `tick` with 0 at once, and with N after N periods, until something comes from `stopped`, or
/// nothing can come any more: between two ticks, and without waiting for the next.
///
/// # Panics
///
/// `period` is 0.
pub fn every(period: Duration, stopped: &Receiver<()>, mut tick: impl FnMut(u64)) {
    let mut ticks = Ticks::new(Instant::now(), period);
    loop {
        match stopped.recv_timeout(ticks.due.saturating_duration_since(Instant::now())) {
            Err(RecvTimeoutError::Timeout) => tick(ticks.next(Instant::now())),
            Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Does `work` while a task beside it ticks.
///
/// # Errors
///
/// The task could not be started, or ended without a result.
pub fn while_ticking<T>(
    runtime: &Arc<dyn Runtime>,
    period: Duration,
    tick: impl FnMut(u64) + Send + 'static,
    work: impl FnOnce() -> T,
) -> Result<T, LaneError> {
    let (stop, stopped) = queue(runtime, 1);
    let mut ticking = Tasks::new(runtime);
    ticking.spawn(move || every(period, &stopped, tick))?;
    let done = work();
    // Nothing is ever sent. That nobody is left to send it says the same, after a panic too.
    drop(stop);
    ticking.join_next().expect("a task is in flight")?;
    Ok(done)
}

/// What `tokio::time::interval` is to the async twin, with its `MissedTickBehavior::Skip`.
struct Ticks {
    due: Instant,
    number: u64,
    period: Duration,
}

impl Ticks {
    fn new(start: Instant, period: Duration) -> Self {
        assert!(period > Duration::ZERO, "a period of zero");
        Ticks { due: start, number: 0, period }
    }

    /// The number of the tick that happens now; the next is then due at a multiple after `now`.
    fn next(&mut self, now: Instant) -> u64 {
        let number = self.number;
        let late = now.saturating_duration_since(self.due);
        let missed = late.as_nanos() / self.period.as_nanos();
        // Of so many that they do not fit, some happen late.
        let periods = u32::try_from(missed + 1).unwrap_or(u32::MAX);
        self.due += self.period * periods;
        self.number += u64::from(periods);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lateness_does_not_add_up_and_missed_ticks_are_left_out() {
        let start = Instant::now();
        let after = |ms| start + Duration::from_millis(ms);
        let mut ticks = Ticks::new(start, Duration::from_millis(10));
        // Each a little late, as a timer is.
        for (number, now) in [(0, 1), (1, 12), (2, 29)] {
            assert_eq!(ticks.next(after(now)), number);
            assert_eq!(ticks.due, after(10 * (number + 1)));
        }
        // The third comes after the fifth was due.
        assert_eq!(ticks.next(after(55)), 3);
        assert_eq!((ticks.due, ticks.number), (after(60), 6));
        // Whoever comes when one is due has not missed it.
        assert_eq!(ticks.next(after(60)), 6);
        assert_eq!(ticks.due, after(70));
    }
}
