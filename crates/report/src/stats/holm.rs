//! Many comparisons at once.
//!
//! Of 28 comparisons in which nothing differs, one or two fall below 5 % by chance. Holm's
//! step-down procedure keeps the chance of even one such in the whole family below the nominal
//! rate, however the comparisons depend on one another, and it is never weaker than Bonferroni's
//! (S. Holm, "A simple sequentially rejective multiple test procedure", 1979).

/// Adjusted p-values of one family, in the order of `p`: each can be held against the family's
/// rate of error, 0.05 say, as it is.
///
/// # Panics
///
/// If a p-value is not from 0 to 1.
pub fn holm(p: &[f64]) -> Vec<f64> {
    assert!(p.iter().all(|p| (0.0..=1.0).contains(p)), "{p:?} are not all p-values");
    let mut order: Vec<_> = (0..p.len()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let mut adjusted = vec![1.0; p.len()];
    let mut greatest: f64 = 0.0;
    for (rank, index) in order.into_iter().enumerate() {
        greatest = greatest.max((p.len() - rank) as f64 * p[index]);
        adjusted[index] = greatest.min(1.0);
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn family() -> impl Strategy<Value = Vec<f64>> {
        // Few values, so that many are equal.
        proptest::collection::vec(
            prop_oneof![0.0..=1.0f64, (0..20u32).prop_map(|n| f64::from(n) / 400.0)],
            0..30,
        )
    }

    #[test]
    fn by_hand() {
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
        let expected = [0.03, 0.06, 0.06, 0.02];
        assert!(adjusted.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{adjusted:?}");
    }

    proptest! {
        #[test]
        fn between_the_raw_value_and_bonferronis(p in family()) {
            for (raw, adjusted) in p.iter().zip(holm(&p)) {
                let bonferroni = (raw * p.len() as f64).min(1.0);
                prop_assert!(*raw <= adjusted && adjusted <= bonferroni);
            }
        }

        #[test]
        fn the_order_of_p_values_stays(p in family()) {
            let adjusted = holm(&p);
            for (a, x) in p.iter().zip(&adjusted) {
                for (b, y) in p.iter().zip(&adjusted) {
                    prop_assert!(a > b || x <= y);
                }
            }
        }

        #[test]
        fn the_input_s_order_does_not_matter(p in family(), by in 0usize..30) {
            let mut turned = p.clone();
            turned.reverse();
            let by = if p.is_empty() { 0 } else { by % p.len() };
            turned.rotate_left(by);
            let mut expected = holm(&p);
            expected.reverse();
            expected.rotate_left(by);
            prop_assert_eq!(holm(&turned), expected);
        }

        #[test]
        fn a_greater_value_makes_none_smaller(p in family(), at in 0usize..30, more in 0.0..=1.0f64) {
            prop_assume!(!p.is_empty());
            let mut raised = p.clone();
            let at = at % p.len();
            raised[at] = raised[at].max(more);
            prop_assert!(holm(&p).iter().zip(holm(&raised)).all(|(before, after)| *before <= after));
        }
    }
}
