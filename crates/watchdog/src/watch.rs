//! When a count is a stall: what the watchdog's thread does.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::bell::Bell;
use crate::pulse::Pulse;
use crate::report::{Doing, Report, Stall, WentOn, resolve};
use crate::walk;

/// Looks within one limit. A stall is seen a quarter of the limit late at most, and began no more
/// than that before it was first seen.
const LOOKS: u32 = 4;

/// How long a thread may take to say where it stands: it has to be run first.
const PATIENCE: Duration = Duration::from_secs(1);

/// What the watchdog and its workers share.
pub struct Watch {
    limit: Duration,
    /// Where its clock begins.
    began: Instant,
    newcomers: Mutex<Vec<Arc<Pulse>>>,
    pub bell: Bell,
    is_over: AtomicBool,
}

impl Watch {
    pub fn new(limit: Duration) -> io::Result<Self> {
        Ok(Watch {
            limit,
            began: Instant::now(),
            newcomers: Mutex::default(),
            bell: Bell::new()?,
            is_over: AtomicBool::new(false),
        })
    }

    pub fn register(&self, pulse: &Arc<Pulse>) {
        if self.is_over.load(Ordering::Acquire) {
            // Nobody would ever take it.
            return;
        }
        let mut newcomers = self.newcomers.lock().unwrap_or_else(PoisonError::into_inner);
        newcomers.push(Arc::clone(pulse));
    }

    fn take_newcomers(&self) -> Vec<Arc<Pulse>> {
        std::mem::take(&mut *self.newcomers.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Never 0, which is for what has not been.
    pub fn now_ns(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1)
    }

    pub fn end(&self) {
        self.is_over.store(true, Ordering::Release);
        self.bell.ring();
    }
}

/// Looks at all workers until it is over, and once more.
pub fn run(watch: &Watch, mut report: impl FnMut(Report)) {
    let mut sights = Vec::new();
    loop {
        watch.bell.wait(watch.limit / LOOKS);
        let is_over = watch.is_over.load(Ordering::Acquire);
        sights.extend(watch.take_newcomers().into_iter().map(Sight::new));
        sights.retain_mut(|sight| {
            // Asked for first: what is over does not change any more.
            let stays = !sight.pulse.is_over();
            match sight.look(Instant::now(), watch) {
                Seen::Fine => {}
                Seen::Stall(_) if is_over => {}
                Seen::Stall(lasts) => {
                    if let Some(stall) = sight.stall(lasts, watch) {
                        report(Report::Stalled(stall));
                    }
                }
                Seen::End(went_on) => report(Report::WentOn(went_on)),
            }
            stays
        });
        if is_over {
            return;
        }
    }
}

/// What the watchdog remembers of a worker.
struct Sight {
    pulse: Arc<Pulse>,
    beats: u64,
    since: Instant,
    /// The task whose stall has been reported, while it lasts.
    stalled: Option<&'static str>,
}

/// What has become of a worker.
#[derive(Debug, PartialEq)]
enum Seen {
    Fine,
    /// It is in one task, and has been for so long.
    Stall(Duration),
    /// It has left the task that was reported.
    End(WentOn),
}

impl Sight {
    fn new(pulse: Arc<Pulse>) -> Self {
        // A pulse begins at 0; whatever has been since then is new.
        Sight { pulse, beats: 0, since: Instant::now(), stalled: None }
    }

    fn look(&mut self, now: Instant, watch: &Watch) -> Seen {
        let beats = self.pulse.beats();
        if beats == self.beats {
            let lasts = now.saturating_duration_since(self.since);
            let is_in = !beats.is_multiple_of(2);
            let is_stall = is_in && lasts > watch.limit && self.stalled.is_none();
            return if is_stall { Seen::Stall(lasts) } else { Seen::Fine };
        }
        let since = std::mem::replace(&mut self.since, now);
        self.beats = beats;
        match self.stalled.take() {
            None => Seen::Fine,
            Some(task) => {
                let at = self.pulse.went_on_ns().map(|ns| watch.began + Duration::from_nanos(ns));
                let lasted = at.unwrap_or(now).saturating_duration_since(since);
                Seen::End(WentOn { worker: self.pulse.worker.clone(), task, lasted })
            }
        }
    }

    /// Asks the worker where it stands; nothing when it has gone on before anything was known of it.
    fn stall(&mut self, lasts: Duration, watch: &Watch) -> Option<Stall> {
        self.pulse.ask(self.beats);
        let task = self.pulse.task_at(self.beats)?;
        self.stalled = Some(task);
        // Before the signal, for which it would stop waiting.
        let doing = Doing::of(self.pulse.thread);
        walk::ask(&self.pulse);
        let stack = self.answer(watch).map(|addresses| resolve(&addresses)).unwrap_or_default();
        Some(Stall { worker: self.pulse.worker.clone(), task, lasts, doing, stack })
    }

    fn answer(&self, watch: &Watch) -> Option<Vec<usize>> {
        let asked = Instant::now();
        loop {
            let went_on = self.pulse.beats() != self.beats;
            let answer = self.pulse.walk.at(self.beats);
            let left = PATIENCE.checked_sub(asked.elapsed());
            match left {
                Some(left) if answer.is_none() && !went_on => watch.bell.wait(left),
                _ => return answer,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::worker::{during, register, with_pulse};

    const LIMIT: Duration = Duration::from_secs(3600);

    /// Calls `test` on a watched thread with what a watchdog would see of it, at moments that are made
    /// up: nothing here waits.
    fn watched(test: impl FnOnce(&mut dyn FnMut(u32) -> Seen)) {
        let watch = Arc::new(Watch::new(LIMIT).unwrap());
        let _registered = register(&watch);
        let mut sight = Sight::new(watch.take_newcomers().remove(0));
        let began = Instant::now();
        test(&mut |limits| {
            let seen = sight.look(began + LIMIT * limits, &watch);
            if let Seen::Stall(_) = seen {
                sight.stalled = with_pulse(|pulse| {
                    pulse.ask(pulse.beats());
                    pulse.task_at(pulse.beats())
                })
                .flatten();
            }
            seen
        });
    }

    #[test]
    fn a_worker_that_turns_is_fine_however_long_each_turn_takes() {
        watched(|look| {
            for turn in 0..1000 {
                during("a task", || assert_eq!(look(2 * turn), Seen::Fine));
                assert_eq!(look(2 * turn + 1), Seen::Fine);
            }
        });
    }

    #[test]
    fn a_worker_without_a_task_may_wait_for_ever() {
        watched(|look| {
            during("a task", || ());
            for limits in [1, 10, 100] {
                assert_eq!(look(limits), Seen::Fine);
            }
        });
    }

    #[test]
    fn a_stall_is_told_once_and_its_end_once() {
        watched(|look| {
            during("a task", || {
                assert_eq!(look(1), Seen::Fine);
                assert_eq!(look(2), Seen::Fine);
                assert_eq!(look(3), Seen::Stall(2 * LIMIT));
                assert_eq!(look(4), Seen::Fine);
            });
            during("another task", || {
                let Seen::End(went_on) = look(5) else { panic!("it is over") };
                assert_eq!(went_on.task, "a task");
                assert_eq!(look(7), Seen::Stall(2 * LIMIT));
            });
        });
    }
}
