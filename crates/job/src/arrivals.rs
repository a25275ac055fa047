//! When the documents of an open-loop job are due, whatever becomes of the earlier ones.
//!
//! In a closed loop the next request waits for an earlier one to end, so a lane that stalls asks
//! less, and its stall shows in few of its times: coordinated omission (Gil Tene, "How NOT to
//! Measure Latency"; `wrk2` cures it the same way). Here each document has a moment at which it is
//! due, and what counts from that moment on is its latency.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::Job;
use crate::corpus::SplitMix64;

/// Documents that arrive at a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrivals {
    /// How the arrivals are spread.
    pub process: Process,
    /// Documents per second, on average; 1 or more.
    pub rate: u64,
    /// What random arrivals are made from: the same in every lane.
    pub seed: u64,
}

/// How arrivals are spread over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Process {
    /// All gaps are equal.
    Uniform,
    /// Gaps are exponential, as between callers who know nothing of each other.
    Poisson,
}

impl Process {
    /// The name as it stands in JSON and in TOML.
    pub fn name(self) -> &'static str {
        match self {
            Process::Uniform => "uniform",
            Process::Poisson => "poisson",
        }
    }
}

impl Arrivals {
    /// When each of `documents` documents is due, counted from the start of the job: the first at
    /// once, and each other one a gap after the one before it.
    pub fn schedule(&self, documents: u64) -> impl Iterator<Item = Duration> + use<> {
        let Arrivals { process, rate, seed } = *self;
        let mut random = SplitMix64::new(seed);
        let mut due_ns = 0.0;
        (0..documents).map(move |index| match process {
            Process::Uniform => uniform(index, rate),
            Process::Poisson => {
                let due = Duration::from_nanos(due_ns as u64);
                due_ns += exponential(&mut random) * NANOSECONDS / rate as f64;
                due
            }
        })
    }

    /// The end of the schedule: one gap after the last document is due.
    pub fn end(&self, documents: u64) -> Duration {
        self.schedule(documents + 1).last().unwrap_or_default()
    }
}

/// When the documents of a job are due, or those of a [share](crate::Share) of it, from a moment on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    arrivals: Arrivals,
    /// All of the job's documents, of which every so many are meant.
    documents: u64,
    first: u64,
    every: u64,
    end: Duration,
    start: Instant,
}

impl Schedule {
    /// The schedule of `job`, which begins now; none of a closed loop.
    pub fn of(job: &Job) -> Option<Self> {
        let arrivals = job.arrivals?;
        let documents = job.documents;
        // Before the start: it goes through the whole schedule.
        let end = arrivals.end(documents);
        Some(Schedule { arrivals, documents, first: 0, every: 1, end, start: Instant::now() })
    }

    /// What concerns share `number` of `of`: the same moments, and as many fewer of them.
    pub(crate) fn share(self, number: u64, of: u64) -> Self {
        Schedule { first: number, every: of, ..self }
    }

    /// When each document is due, in order, counted from the start.
    pub fn due(&self) -> impl Iterator<Item = Duration> + use<> {
        let number = |value: u64| usize::try_from(value).unwrap_or(usize::MAX);
        let all = self.arrivals.schedule(self.documents);
        all.skip(number(self.first)).step_by(number(self.every))
    }

    /// The start of the whole job.
    pub fn start(&self) -> Instant {
        self.start
    }

    /// One gap after the last document of the whole job is due.
    pub fn end(&self) -> Duration {
        self.end
    }
}

const NANOSECONDS: f64 = 1e9;

/// In whole numbers, so that the millionth document is due when it should be.
fn uniform(index: u64, rate: u64) -> Duration {
    let nanoseconds = u128::from(index) * 1_000_000_000 / u128::from(rate);
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
}

/// An exponential variate of mean 1, by inversion. The upper 53 bits of a random number, plus one,
/// are a part of 2⁵³ above 0, whose logarithm is finite.
fn exponential(random: &mut SplitMix64) -> f64 {
    let part = ((random.next() >> 11) + 1) as f64 / (1u64 << 53) as f64;
    -part.ln()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn arrivals(process: Process, rate: u64, seed: u64) -> Arrivals {
        Arrivals { process, rate, seed }
    }

    fn gaps(arrivals: Arrivals, documents: u64) -> Vec<f64> {
        let due: Vec<_> = arrivals.schedule(documents + 1).collect();
        due.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64()).collect()
    }

    fn any_arrivals() -> impl Strategy<Value = Arrivals> {
        let process = prop_oneof![Just(Process::Uniform), Just(Process::Poisson)];
        (process, 1u64..1_000_000, any::<u64>())
            .prop_map(|(process, rate, seed)| arrivals(process, rate, seed))
    }

    proptest! {
        #[test]
        fn a_schedule_starts_at_once_and_never_goes_back(
            arrivals in any_arrivals(),
            documents in 1u64..300,
        ) {
            let due: Vec<_> = arrivals.schedule(documents).collect();
            prop_assert_eq!(due.len() as u64, documents);
            prop_assert_eq!(due[0], Duration::ZERO);
            prop_assert!(due.is_sorted());
            prop_assert!(arrivals.end(documents) >= due[due.len() - 1]);
        }

        #[test]
        fn a_longer_schedule_begins_as_a_shorter_one(
            arrivals in any_arrivals(),
            documents in 1usize..300,
        ) {
            let all: Vec<_> = arrivals.schedule(300).collect();
            let some: Vec<_> = arrivals.schedule(documents as u64).collect();
            prop_assert_eq!(&all[..documents], &some[..]);
        }

        #[test]
        fn uniform_arrivals_are_the_rate(rate in 1u64..3_000, seconds in 1u64..4) {
            let end = arrivals(Process::Uniform, rate, 1).end(rate * seconds);
            prop_assert_eq!(end, Duration::from_secs(seconds));
        }
    }

    #[test]
    fn poisson_arrivals_keep_the_rate_with_exponential_gaps() {
        let (documents, rate) = (40_000, 2_000);
        for seed in 0..20 {
            let gaps = gaps(arrivals(Process::Poisson, rate, seed), documents);
            let count = gaps.len() as f64;
            let mean = gaps.iter().sum::<f64>() / count * rate as f64;
            let square = gaps.iter().map(|gap| (gap * rate as f64 - mean).powi(2)).sum::<f64>();
            // Of exponential gaps both are 1, here within 0.5 % and 1.4 % at one standard error.
            assert!((mean - 1.0).abs() < 0.02, "seed {seed}: mean {mean}");
            assert!((square / count - 1.0).abs() < 0.06, "seed {seed}: variance {square}");
            let long = gaps.iter().filter(|gap| **gap * rate as f64 > 3.0).count() as f64;
            assert!((long / count - (-3.0f64).exp()).abs() < 0.005, "seed {seed}: {long} are long");
        }
    }

    #[test]
    fn other_seeds_are_other_arrivals_and_the_same_seed_the_same_for_ever() {
        let due = |seed| {
            let schedule = arrivals(Process::Poisson, 1_000, seed).schedule(4);
            schedule.map(|due| due.as_micros()).collect::<Vec<_>>()
        };
        assert_eq!(due(42), due(42));
        assert_ne!(due(42), due(43));
        // These stand in the protocol, for lanes in other languages.
        assert_eq!(due(42), [0, 298, 2132, 3410]);
    }

    #[test]
    fn uniform_arrivals_do_not_drift() {
        let last = arrivals(Process::Uniform, 3, 0).schedule(3_000_001).last();
        assert_eq!(last, Some(Duration::from_secs(1_000_000)));
    }
}
