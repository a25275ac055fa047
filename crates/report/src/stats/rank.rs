//! What a comparison means, and places that follow from many.

use serde::Serialize;

/// What can be said of the first against the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// The first is less.
    Less,
    /// The first is more.
    More,
    /// They are not distinguishable. That does not say that they are equal.
    Alike,
}

impl Verdict {
    /// Of an `estimate` of the log-ratio, first to second, with its adjusted p-value `p`.
    ///
    /// Distinguishable is only what is surer than `alpha` **and** greater than `floor`, the
    /// log-ratio at which two names of one lane still seem to differ. An estimate that is not there
    /// distinguishes nothing.
    pub fn of(estimate: Option<f64>, p: f64, alpha: f64, floor: f64) -> Self {
        match estimate {
            Some(estimate) if p < alpha && estimate < -floor.abs() => Verdict::Less,
            Some(estimate) if p < alpha && estimate > floor.abs() => Verdict::More,
            _ => Verdict::Alike,
        }
    }

    /// Of the second against the first.
    pub fn reversed(self) -> Self {
        match self {
            Verdict::Less => Verdict::More,
            Verdict::More => Verdict::Less,
            Verdict::Alike => Verdict::Alike,
        }
    }
}

/// The rank of each of `lanes` from verdicts on pairs of them, by index: one more than the number
/// of lanes that are distinguishably less than it.
///
/// Less is better. Lanes that nothing tells apart, from one another or through a third, so share a
/// rank. A pair without a verdict is alike; a pair comes once, in either order.
///
/// "Alike" is not transitive: of three lanes, the outer two may be told apart, and the middle one
/// from neither. Their ranks are then 1, 1 and 2, which says that something is better than the
/// last, and not that the middle one is. The verdicts themselves say what is known.
///
/// # Panics
///
/// If a verdict names a lane that there is not.
pub fn ranks(lanes: usize, verdicts: &[(usize, usize, Verdict)]) -> Vec<usize> {
    let mut ranks = vec![1; lanes];
    for &(first, second, verdict) in verdicts {
        assert!(first < lanes && second < lanes, "{first} and {second} are not below {lanes}");
        match verdict {
            Verdict::Less => ranks[second] += 1,
            Verdict::More => ranks[first] += 1,
            Verdict::Alike => {}
        }
    }
    ranks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_difference_needs_both_certainty_and_size() {
        assert_eq!(Verdict::of(Some(-0.1), 0.04, 0.05, 0.02), Verdict::Less);
        assert_eq!(Verdict::of(Some(0.1), 0.04, 0.05, 0.02), Verdict::More);
        assert_eq!(Verdict::of(Some(0.1), 0.05, 0.05, 0.02), Verdict::Alike);
        assert_eq!(Verdict::of(Some(0.02), 0.0, 0.05, 0.02), Verdict::Alike);
        assert_eq!(Verdict::of(Some(f64::NAN), 0.0, 0.05, 0.0), Verdict::Alike);
        assert_eq!(Verdict::of(None, 0.0, 0.05, 0.0), Verdict::Alike);
    }

    #[test]
    fn lanes_that_nothing_tells_apart_share_a_rank() {
        assert_eq!(ranks(3, &[]), [1, 1, 1]);
        let verdicts = [(0, 1, Verdict::Alike), (0, 2, Verdict::Less), (2, 1, Verdict::More)];
        assert_eq!(ranks(3, &verdicts), [1, 1, 3]);
    }

    #[test]
    fn the_middle_of_three_is_alike_both() {
        assert_eq!(ranks(3, &[(0, 2, Verdict::Less)]), [1, 1, 2]);
    }

    proptest! {
        #[test]
        fn full_certainty_ranks_like_sorting(values in proptest::collection::hash_set(0..1000i32, 1..12)) {
            let values: Vec<_> = values.into_iter().collect();
            let mut verdicts = Vec::new();
            for first in 0..values.len() {
                for second in first + 1..values.len() {
                    let estimate = f64::from(values[first] - values[second]);
                    verdicts.push((first, second, Verdict::of(Some(estimate), 0.0, 0.05, 0.0)));
                }
            }
            let mut sorted = values.clone();
            sorted.sort_unstable();
            let expected: Vec<_> =
                values.iter().map(|value| sorted.binary_search(value).unwrap() + 1).collect();
            prop_assert_eq!(ranks(values.len(), &verdicts), expected.clone());
            let reversed: Vec<_> = verdicts.iter().map(|(a, b, v)| (*b, *a, v.reversed())).collect();
            prop_assert_eq!(ranks(values.len(), &reversed), expected);
        }
    }
}
