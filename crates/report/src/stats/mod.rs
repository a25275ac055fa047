//! The few statistics that there are: pure functions over numbers, which know no samples.
//!
//! A shared machine disturbs a few samples a lot. So what describes samples is robust: one wild
//! sample in five moves neither the median nor its deviation. What compares them resists as well,
//! and says "cannot tell" where there is too little to tell from.
//!
//! * here: where samples lie, and how far around;
//! * [`paired`]: lanes that ran in the same rounds, two by two;
//! * [`unpaired`]: two runs that share no round;
//! * [`holm`]: many comparisons at once;
//! * [`rank`]: what a comparison means, and places that follow from many;
//! * [`slope`]: what one more task costs;
//! * [`order`]: where a median lies, by counting alone;
//! * [`binomial`]: how often an error may happen that was seen this often.
//!
//! How far each can be trusted is not argued but simulated:
//!
//! ```sh
//! cargo run --release -p report --example calibration
//! ```

pub mod binomial;
pub mod holm;
mod location;
#[cfg(test)]
#[path = "../../examples/calibration/noise.rs"]
#[expect(dead_code, reason = "tests need not every shape of noise")]
mod noise;
pub mod order;
pub mod paired;
pub mod rank;
pub mod slope;
pub mod unpaired;

use serde::Serialize;

pub use order::median_interval;
pub use paired::Paired;
pub use rank::Verdict;

/// What lies between two values, both included.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// Whether `value` lies within.
    pub fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

/// Where the samples lie, and how far around.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The [`median`].
    pub median: f64,
    /// The [`median_absolute_deviation`]; `None` of a single value, which says nothing about it.
    pub deviation: Option<f64>,
}

impl Spread {
    /// Of `values`; `None` when there is none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let several = values.len() > 1;
        let deviation = several.then(|| median_absolute_deviation(values)).flatten();
        Some(Spread { median: median(values)?, deviation })
    }
}

/// The value in the middle; of an even number, half-way between the two in the middle.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.len().checked_sub(1)? / 2, values.len() / 2);
    // Halving first keeps the sum of two large values finite.
    Some(values[low] / 2.0 + values[high] / 2.0)
}

/// The median of the distances from the median (MAD), as it is: not scaled to look like a
/// standard deviation, because nothing here is normally distributed.
pub fn median_absolute_deviation(values: &[f64]) -> Option<f64> {
    let middle = median(values)?;
    let distances: Vec<_> = values.iter().map(|value| (value - middle).abs()).collect();
    median(&distances)
}

/// The least value that at least `part` of all counts lie at or below (the nearest-rank
/// quantile), of `[value, count]` pairs in any order.
///
/// # Panics
///
/// If `part` is not from 0 to 1.
pub fn quantile(counts: &[(u64, u64)], part: f64) -> Option<u64> {
    assert!((0.0..=1.0).contains(&part), "{part} is not a part");
    let mut counts = counts.to_vec();
    counts.sort_unstable();
    let all: u64 = counts.iter().map(|(_, count)| count).sum();
    let rank = ((part * all as f64).ceil() as u64).max(1);
    let mut seen = 0;
    counts.into_iter().find_map(|(value, count)| {
        seen += count;
        (seen >= rank).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values() -> impl Strategy<Value = Vec<f64>> {
        proptest::collection::vec(-1e9..1e9, 1..20)
    }

    #[test]
    fn of_nothing_there_is_nothing() {
        assert_eq!(Spread::of(&[]), None);
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn known_values() {
        assert_eq!(
            Spread::of(&[1.0, 1.0, 2.0, 2.0, 4.0, 6.0, 9.0]),
            Some(Spread { median: 2.0, deviation: Some(1.0) })
        );
        assert_eq!(median(&[1.0, 4.0]), Some(2.5));
        let counts = [(30, 1), (10, 98), (20, 1)];
        assert_eq!(
            [0.0, 0.5, 0.98, 0.99, 1.0].map(|part| quantile(&counts, part).unwrap()),
            [10, 10, 10, 20, 30]
        );
    }

    #[test]
    fn an_interval_of_the_median_ends_at_known_values() {
        let values = |count: u32| (1..=count).map(f64::from).collect::<Vec<_>>();
        let ends = |count| median_interval(&values(count), 0.95).map(|it| (it.low, it.high));
        // From tables of the sign test: in 1 of 32 cases all of 6 values lie on one side.
        assert_eq!((ends(0), ends(5)), (None, None));
        assert_eq!((ends(6), ends(8)), (Some((1.0, 6.0)), Some((1.0, 8.0))));
        assert_eq!((ends(9), ends(15)), (Some((2.0, 8.0)), Some((4.0, 12.0))));
        assert_eq!(ends(100), Some((40.0, 61.0)));
    }

    proptest! {
        #[test]
        fn half_lie_on_each_side_of_the_median(values in values()) {
            let middle = median(&values).unwrap();
            let below = values.iter().filter(|value| **value < middle).count();
            let above = values.iter().filter(|value| **value > middle).count();
            prop_assert!(2 * below <= values.len() && 2 * above <= values.len());
        }

        #[test]
        fn order_does_not_matter(mut values in values()) {
            let before = Spread::of(&values);
            values.reverse();
            prop_assert_eq!(before, Spread::of(&values));
        }

        #[test]
        fn moving_all_moves_the_median_alone(values in values(), by in -1e6..1e6f64) {
            let before = Spread::of(&values).unwrap();
            let moved: Vec<_> = values.iter().map(|value| value + by).collect();
            let after = Spread::of(&moved).unwrap();
            prop_assert!((after.median - before.median - by).abs() < 1e-3);
            let (before, after) = (before.deviation, after.deviation);
            prop_assert_eq!(before.is_some(), after.is_some());
            prop_assert!((after.unwrap_or(0.0) - before.unwrap_or(0.0)).abs() < 1e-3);
        }

        #[test]
        fn one_wild_value_among_others_stays_within_them(values in values(), wild in 1e12..1e15f64) {
            prop_assume!(values.len() > 2);
            let most = values.iter().copied().fold(f64::MIN, f64::max);
            let mut disturbed = values.clone();
            disturbed.push(wild);
            prop_assert!(median(&disturbed).unwrap() <= most);
        }

        #[test]
        fn a_quantile_is_the_value_at_its_rank(
            values in proptest::collection::vec(0u64..50, 1..60),
            part in 0.0..=1.0f64,
        ) {
            let counts: Vec<_> = values.iter().map(|value| (*value, 1)).collect();
            let found = quantile(&counts, part).unwrap();
            let mut sorted = values;
            sorted.sort_unstable();
            let rank = ((part * sorted.len() as f64).ceil() as usize).max(1);
            prop_assert_eq!(found, sorted[rank - 1]);
        }
    }
}
