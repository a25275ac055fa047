use proptest::prelude::*;

use super::super::holm::holm;
use super::*;
use crate::stats::noise::{Noise, Shape, group};

const QUIET: Noise = Noise { shape: Shape::Normal, deviation: 0.02 };

fn random(seed: u64) -> Pcg64Mcg {
    Pcg64Mcg::seed_from_u64(seed)
}

/// The comparisons of a group with these true log values.
fn compared(truth: &[f64], rounds: usize, seed: u64) -> Vec<Comparison> {
    let lanes: Vec<_> = truth.iter().map(|truth| (*truth, QUIET)).collect();
    Paired::of(&group(&lanes, rounds, &mut random(seed))).comparisons(0.95)
}

fn some(values: &[f64]) -> Vec<Option<f64>> {
    values.iter().copied().map(Some).collect()
}

/// The example of this name does the same for every noise, and longer.
#[test]
fn calibration() {
    let noisy = Noise { shape: Shape::Contaminated, deviation: 0.06 };
    let equal = Noise { deviation: 0.02, ..noisy };
    let mut random = random(1);
    let [mut different, mut families] = [0, 0];
    for _ in 0..30 {
        let mut lanes = [(0.0, equal); 6];
        lanes[0].1 = noisy;
        let found = Paired::of(&group(&lanes, 3, &mut random)).comparisons(0.95);
        let p: Vec<_> = found.iter().map(|comparison| comparison.p).collect();
        different += p.iter().filter(|p| **p <= 0.05).count();
        families += usize::from(holm(&p).iter().any(|p| *p <= 0.05));
    }
    // Of 450 comparisons and 30 families; 5 % would be 22 and 1.5.
    assert!(different <= 22 && families <= 2, "{different}, {families}");
}

#[test]
fn what_differs_is_found_by_its_size() {
    let found = compared(&[0.0, 0.0, 0.0, 0.0, 0.0, 0.2], 5, 2);
    let adjusted = holm(&found.iter().map(|comparison| comparison.p).collect::<Vec<_>>());
    for (comparison, adjusted) in found.iter().zip(adjusted) {
        let truth = if comparison.second == 5 { -0.2 } else { 0.0 };
        assert!((comparison.estimate.unwrap() - truth).abs() < 0.06, "{comparison:?}");
        assert_eq!(adjusted <= 0.05, comparison.second == 5, "{comparison:?}");
    }
}

#[test]
fn a_large_family_is_seen_more_finely() {
    const FAMILY: usize = 400;
    let lanes: Vec<_> = [0.0, 0.5, 1.0].map(|truth| (truth, QUIET)).into();
    let table = group(&lanes, 12, &mut random(5));
    let least = |paired: Paired| {
        let p = paired.comparisons(0.95).into_iter().map(|comparison| comparison.p);
        p.fold(1.0, f64::min) * FAMILY as f64
    };
    assert!(
        least(Paired::of(&table)) > 0.05,
        "with draws for one comparison no chance is as small"
    );
    assert!(least(Paired::in_family(&table, FAMILY)) < 0.05);
}

#[test]
fn an_outlier_takes_nothing_from_the_others() {
    let mut lanes =
        group(&[0.0, 0.0, 0.0, 0.0, 0.0, 0.15].map(|truth| (truth, QUIET)), 5, &mut random(3));
    lanes[0][2] = lanes[0][2].map(|value| value * 4.0);
    lanes[1][4] = lanes[1][4].map(|value| value * 2.0);
    let found = Paired::of(&lanes).comparisons(0.95);
    let adjusted = holm(&found.iter().map(|comparison| comparison.p).collect::<Vec<_>>());
    for (comparison, adjusted) in found.iter().zip(adjusted) {
        if comparison.first >= 2 {
            assert_eq!(adjusted <= 0.05, comparison.second == 5, "{comparison:?}");
        }
    }
}

#[test]
fn too_little_cannot_tell() {
    let far = [0.0, 3.0];
    for (lanes, rounds) in [(2, 5), (3, 3), (8, 2), (8, 1)] {
        let truth: Vec<_> = (0..lanes).map(|lane| far[lane % 2]).collect();
        for comparison in compared(&truth, rounds, 4) {
            assert_eq!((comparison.interval, comparison.p), (None, 1.0));
            assert!(comparison.estimate.is_some());
        }
    }
    for (lanes, rounds) in [(2, 6), (3, 4), (4, 3)] {
        let truth: Vec<_> = (0..lanes).map(|lane| far[lane % 2]).collect();
        let found = compared(&truth, rounds, 4);
        assert!(found.iter().any(|comparison| comparison.p <= 0.05), "{found:?}");
    }
    assert_eq!(Paired::of(&[]).comparisons(0.95), []);
    assert_eq!(Paired::of(&[vec![], vec![Some(1.0)]]).comparisons(0.95)[0].estimate, None);
}

#[test]
fn what_is_missing_is_missing_for_its_pairs_alone() {
    let mut lanes =
        group(&[0.0, 0.0, 0.0, 0.0, 0.3].map(|truth| (truth, QUIET)), 5, &mut random(5));
    lanes[1][0] = None;
    lanes[1][3] = Some(0.0);
    lanes[2] = vec![None; 5];
    lanes[3].truncate(2);
    for comparison in Paired::of(&lanes).comparisons(0.95) {
        let rounds = match (comparison.first, comparison.second) {
            (2, _) | (_, 2) => 0,
            (1, 3) => 1,
            (3, _) | (_, 3) => 2,
            (1, _) | (_, 1) => 3,
            _ => 5,
        };
        assert_eq!(comparison.rounds, rounds);
        assert_eq!(comparison.interval.is_some(), rounds > 2, "{comparison:?}");
        assert_eq!(comparison.p < 0.05, rounds > 2 && comparison.second == 4, "{comparison:?}");
    }
}

#[test]
fn without_any_scatter_only_the_number_of_rounds_speaks() {
    let found = |rounds| {
        let lanes: Vec<_> = [100.0, 100.0, 200.0].map(|value| some(&vec![value; rounds])).to_vec();
        Paired::of(&lanes).comparisons(0.95)
    };
    let few = found(4);
    assert_eq!(few.iter().map(|pair| pair.p).collect::<Vec<_>>(), [1.0, 0.125, 0.125]);
    assert!(few.iter().all(|pair| pair.interval.is_none()));
    let many = found(11);
    assert_eq!((many[0].p, many[1].p), (1.0, 1.0 / 1024.0));
    let interval = many[1].interval.unwrap();
    assert!((interval.low - 0.5f64.ln()).abs() < 1e-12 && interval.high == interval.low);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn interval_and_p_agree_and_the_unit_does_not_matter(
        seed in 0..u64::MAX, lanes in 2usize..5, rounds in 3usize..8, unit in 1e-6..1e6f64,
    ) {
        let truth: Vec<_> = (0..lanes).map(|lane| (0.02 * lane as f64, QUIET)).collect();
        let lanes = group(&truth, rounds, &mut random(seed));
        let scaled: Vec<Vec<_>> = lanes
            .iter()
            .map(|lane| lane.iter().map(|value| value.map(|value| value * unit)).collect())
            .collect();
        let (paired, scaled) = (Paired::of(&lanes), Paired::of(&scaled));
        for level in [0.9, 0.95, 0.99] {
            for (found, other) in paired.comparisons(level).iter().zip(scaled.comparisons(level)) {
                let outside = found.interval.is_some_and(|interval| !interval.contains(0.0));
                prop_assert_eq!(outside, found.p <= 1.0 - level + 1e-9, "{:?}", found);
                prop_assert!((found.estimate.unwrap() - other.estimate.unwrap()).abs() < 1e-9);
                prop_assert!((found.p - other.p).abs() < 0.01);
            }
        }
    }
}
