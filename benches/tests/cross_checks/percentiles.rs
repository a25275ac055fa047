//! Quantiles from a record against those of an exact sort.
//!
//! Service times go the whole way: folded into a lane's tally, written as the lane's outcome, read
//! again, and asked for a quantile as the tables do. The histogram on the way keeps three
//! significant digits, and 64 ns at best: what comes out is never below the exact value, and above
//! it by no more than that.

use std::sync::LazyLock;
use std::time::Duration;

use job::{Client, Corpus, Fetched, Job, Outcome, OutcomeResult, Tally};
use libtest_mimic::Trial;
use proptest::prelude::*;
use report::stats::quantile;

use crate::support::trial;

const PARTS: [f64; 7] = [0.0, 0.01, 0.5, 0.9, 0.99, 0.999, 1.0];
const HOUR_NS: u64 = 3_600_000_000_000;

pub fn trials() -> Vec<Trial> {
    vec![
        trial("quantiles_are_those_of_an_exact_sort", any_times),
        trial("a_single_service_time_is_every_quantile", single),
        trial("equal_service_times_have_equal_quantiles", equal),
        trial("a_far_tail_is_in_the_quantiles_that_it_belongs_to", tail),
        trial("more_than_an_hour_counts_as_an_hour", hour),
    ]
}

/// A job, and a document that was fetched for it: made once, because that takes longer than the
/// rest.
static MADE: LazyLock<(Job, Fetched)> = LazyLock::new(|| {
    let corpus = Corpus::generated(1, 1_500, 1).unwrap();
    let job = Job::new("http://127.0.0.1:9", &corpus, 1, 1, Client::Raw);
    let (_, body) = corpus.iter().next().unwrap();
    (job, Fetched::parse("/", body, Duration::ZERO).unwrap())
});

/// `[nanoseconds, count]` as a record has them.
fn recorded(times_ns: &[u64]) -> Vec<(u64, u64)> {
    let (job, mut fetched) = MADE.clone();
    let mut tally = Tally::new(&job);
    for time in times_ns {
        fetched.service_time = Duration::from_nanos(*time);
        tally.add(&fetched);
    }
    let outcome = Outcome::from_json(&Outcome::completed(&tally, 1).to_json()).unwrap();
    match outcome.result {
        OutcomeResult::Completed(completed) => completed.service_times_ns,
        OutcomeResult::Failed(failed) => panic!("{failed}"),
    }
}

/// The least value that at least `part` of all values lie at or below, by its definition.
fn exact(times_ns: &[u64], part: f64) -> u64 {
    let mut sorted = times_ns.to_vec();
    sorted.sort_unstable();
    let reaches = |index: &usize| (index + 1) as f64 >= part * sorted.len() as f64;
    sorted[(0..sorted.len()).find(reaches).unwrap()]
}

/// Whether every quantile is the exact one to three significant digits.
fn agree(times_ns: &[u64]) -> Result<(), TestCaseError> {
    let counts = recorded(times_ns);
    prop_assert_eq!(counts.iter().map(|(_, count)| count).sum::<u64>(), times_ns.len() as u64);
    for part in PARTS {
        let (ours, exact) = (quantile(&counts, part).unwrap(), exact(times_ns, part));
        let most = exact + (exact / 1_000).max(64);
        prop_assert!((exact..=most).contains(&ours), "{part}: {ours}, exactly {exact}");
    }
    Ok(())
}

/// From nothing to an hour, as many of each order of magnitude.
fn time_ns() -> impl Strategy<Value = u64> {
    (0..12u32).prop_flat_map(|order| 0..=(10u64.pow(order + 1)).min(HOUR_NS))
}

proptest! {
    fn any_times(
        anywhere in proptest::collection::vec(time_ns(), 1..300),
        around in 1_000u64..1_000_000_000,
        near in proptest::collection::vec(0u64..1_000, 0..300),
    ) {
        agree(&anywhere)?;
        // As real ones lie: many near one value, and a few far from it.
        let near = near.iter().map(|permille| around + around / 1_000 * permille);
        agree(&near.chain(anywhere.iter().copied().take(3)).collect::<Vec<_>>())?;
    }
}

fn single() {
    for time in [0, 1, 63, 64, 65, 131_071, 131_072, 999_999, 1_000_000, HOUR_NS] {
        agree(&[time]).unwrap();
        let counts = recorded(&[time]);
        assert!(PARTS.iter().all(|part| quantile(&counts, *part) == quantile(&counts, 0.5)));
    }
}

fn equal() {
    for count in [2, 100, 1_001] {
        let times = vec![12_345_678; count];
        agree(&times).unwrap();
        assert_eq!(recorded(&times).len(), 1);
    }
}

fn tail() {
    // 99 of 100: the tail begins right above the 99th percentile, and not at it.
    let mut times = vec![1_000_000; 99];
    times.push(HOUR_NS);
    agree(&times).unwrap();
    let counts = recorded(&times);
    assert!(quantile(&counts, 0.99).unwrap() < 1_001_001);
    assert!(quantile(&counts, 0.999).unwrap() >= HOUR_NS);
    times.push(HOUR_NS);
    agree(&times).unwrap();
    assert!(quantile(&recorded(&times), 0.99).unwrap() >= HOUR_NS);
}

fn hour() {
    let counts = recorded(&[u64::MAX, HOUR_NS * 1_000]);
    let hour = HOUR_NS..=HOUR_NS + HOUR_NS / 1_000;
    assert!(hour.contains(&quantile(&counts, 0.0).unwrap()), "{counts:?}");
    assert!(hour.contains(&quantile(&counts, 1.0).unwrap()), "{counts:?}");
}
