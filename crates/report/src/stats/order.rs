//! Where the median of what was sampled lies, by counting and nothing else.

use statrs::distribution::{Binomial, DiscreteCDF};

use super::Interval;

/// Holds the true median with at least `level` (0.95, say), whatever the distribution: between two of
/// the sorted values, as the number of values below the true median is binomial (Thompson 1936).
/// `None` of too few values to be as sure: below six with 0.95.
///
/// # Panics
///
/// If `level` is not between 0 and 1.
pub fn median_interval(values: &[f64], level: f64) -> Option<Interval> {
    assert!(level > 0.0 && level < 1.0, "{level} is not between 0 and 1");
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let below = Binomial::new(0.5, values.len() as u64).expect("a half is a chance");
    let beyond = |left_out: &usize| 2.0 * below.cdf(*left_out as u64) <= 1.0 - level;
    // One more than the most that may be left out on each side.
    let left_out = (0..values.len() / 2).take_while(beyond).count().checked_sub(1)?;
    Some(Interval { low: values[left_out], high: values[values.len() - 1 - left_out] })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(count: u32) -> Option<(f64, f64)> {
        let values: Vec<_> = (1..=count).rev().map(f64::from).collect();
        median_interval(&values, 0.95).map(|it| (it.low, it.high))
    }

    #[test]
    fn as_in_tables_of_the_sign_test() {
        assert_eq!(of(0), None);
        assert_eq!(of(5), None, "all five lie on one side in 6 % of all cases");
        assert_eq!(of(6), Some((1.0, 6.0)));
        assert_eq!(of(9), Some((2.0, 8.0)));
        assert_eq!(of(15), Some((4.0, 12.0)));
    }
}
