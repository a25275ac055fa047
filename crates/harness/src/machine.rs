//! What the processors did meanwhile, for us and for others.

use std::fs;

use rustix::thread::{CpuSet, sched_getaffinity};
use serde::{Deserialize, Serialize};

/// What the machine did while a sample was taken, beside it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MachineMeasured {
    /// Ticks of all processors that this process may use, 10 ms each on most systems.
    pub ticks: u64,
    /// Of these, given to others by the hypervisor.
    pub ticks_stolen: u64,
    /// Of these, taken by processes that are neither the lane nor the origin. The kernel counts whole
    /// ticks, so that a few say nothing.
    pub ticks_foreign: u64,
}

impl MachineMeasured {
    /// The first of `stolen` and `foreign` that is above `limit`, a part from 0 to 1 of all ticks;
    /// in words. A few ticks are within what counting them can tell.
    pub fn above(&self, limit: f64) -> Option<String> {
        const UNCERTAIN: f64 = 4.0;
        let most = limit * self.ticks as f64 + UNCERTAIN;
        let percent = |ticks: u64| 100.0 * ticks as f64 / self.ticks.max(1) as f64;
        let told = |who, ticks| {
            let (part, limit) = (percent(ticks), limit * 100.0);
            format!(
                "{who} {part:.0} % of the CPU time, and {limit:.0} % is the most (--load-limit)"
            )
        };
        match self {
            Self { ticks_stolen, .. } if *ticks_stolen as f64 > most => {
                Some(told("the hypervisor took", *ticks_stolen))
            }
            Self { ticks_foreign, .. } if *ticks_foreign as f64 > most => {
                Some(told("other processes took", *ticks_foreign))
            }
            _ => None,
        }
    }
}

/// What the processors that this process may use did since the machine's start, in ticks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ticks {
    all: u64,
    /// In user mode and in the kernel, but not in its interrupts, which no process is charged for.
    busy: u64,
    stolen: u64,
}

impl Ticks {
    /// Until now.
    pub fn now() -> Self {
        let ours = sched_getaffinity(None).ok();
        let is_ours = |number: usize| {
            number < CpuSet::MAX_CPU && ours.as_ref().is_some_and(|ours| ours.is_set(number))
        };
        Self::parse(&fs::read_to_string("/proc/stat").unwrap_or_default(), is_ours)
    }

    /// The part of the time since `earlier` that the hypervisor gave to others, from 0 to 1.
    pub fn steal_since(self, earlier: Self) -> f64 {
        let all = self.all.saturating_sub(earlier.all);
        let stolen = self.stolen.saturating_sub(earlier.stolen);
        if all == 0 { 0.0 } else { stolen as f64 / all as f64 }
    }

    /// What happened since `earlier`, of which `ours_us` microseconds of CPU time were ours.
    pub fn since(self, earlier: Self, ours_us: u64) -> MachineMeasured {
        let ticks_a_second = rustix::param::clock_ticks_per_second();
        let ours = ours_us * ticks_a_second / 1_000_000;
        MachineMeasured {
            ticks: self.all.saturating_sub(earlier.all),
            ticks_stolen: self.stolen.saturating_sub(earlier.stolen),
            ticks_foreign: self.busy.saturating_sub(earlier.busy).saturating_sub(ours),
        }
    }

    /// Lines of `cpu0 user nice system idle iowait irq softirq steal guest guest_nice`; the last two
    /// are part of the first two.
    fn parse(text: &str, is_ours: impl Fn(usize) -> bool) -> Self {
        let mut sum = Ticks::default();
        for line in text.lines() {
            let mut words = line.split_whitespace();
            let number = words.next().and_then(|name| name.strip_prefix("cpu")?.parse().ok());
            if number.is_some_and(&is_ours) {
                let ticks: Vec<u64> = words.take(8).filter_map(|t| t.parse().ok()).collect();
                let of = |index: usize| ticks.get(index).copied().unwrap_or(0);
                sum.all += ticks.iter().sum::<u64>();
                sum.busy += of(0) + of(1) + of(2);
                sum.stolen += of(7);
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EARLIER: &str =
        "cpu  99 9 9 9 9\ncpu0 5 0 5 35 0 0 0 5 5 5\ncpu1 5 0 5 35 0 0 0 5\ncpu2 8 8\n";

    /// The first two processors are ours.
    fn parsed(text: &str) -> Ticks {
        Ticks::parse(text, |number| number < 2)
    }

    #[test]
    fn steal_is_a_part_of_all() {
        let earlier = parsed(EARLIER);
        let later = parsed("cpu1 20 0 20 130 0 0 0 30 5 5\n");
        assert_eq!(earlier, Ticks { all: 100, busy: 20, stolen: 10 });
        assert!((later.steal_since(earlier) - 0.2).abs() < 1e-9);
        assert!(later.steal_since(later).abs() < 1e-9);
    }

    #[test]
    fn what_is_ours_is_not_foreign() {
        let (earlier, later) = (parsed(EARLIER), parsed("cpu0 60 0 60 150 0 9 9 10\n"));
        let ours_us = 30 * 1_000_000 / rustix::param::clock_ticks_per_second();
        let machine = later.since(earlier, ours_us);
        let expected = MachineMeasured { ticks: 198, ticks_stolen: 0, ticks_foreign: 70 };
        assert_eq!(machine, expected);
    }

    #[test]
    fn a_few_ticks_say_nothing() {
        let machine = |stolen, foreign| {
            MachineMeasured { ticks: 40, ticks_stolen: stolen, ticks_foreign: foreign }.above(0.1)
        };
        assert_eq!(machine(8, 8), None);
        assert_eq!(
            machine(9, 9).as_deref(),
            Some("the hypervisor took 22 % of the CPU time, and 10 % is the most (--load-limit)")
        );
        assert_eq!(
            machine(0, 20).as_deref(),
            Some("other processes took 50 % of the CPU time, and 10 % is the most (--load-limit)")
        );
    }
}
