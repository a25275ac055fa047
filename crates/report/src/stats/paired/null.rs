//! How far apart two lanes seem by chance: the bootstrap.

use std::collections::BTreeMap;

use rand::RngExt;
use rand_pcg::Pcg64Mcg;
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::super::location::{freedom, student};
use super::blocks::Residuals;
use super::{NO_SCATTER, Pair, ROUNDS_LEAST, Scores};

/// How much noisier than the rest one lane may be. Far beyond that, its own scatter shows it.
const NOISIER: f64 = 3.0;

/// Draws of a whole group.
const DRAWS_LEAST: usize = 999;
const DRAWS_MOST: usize = 4999;

/// How often a pair with each number of rounds should be drawn: enough to see 1 in 1000.
const SCORES_WANTED: usize = 3000;

/// And for each comparison of the family: after correction for all of them, the least chance that
/// can be seen is then one in eighty.
const SCORES_FOR_EACH: usize = 80;

/// What |t| is when nothing differs, sorted.
#[derive(Debug, Clone)]
pub(super) struct Null {
    /// By the number of rounds that a pair has in common.
    by_rounds: BTreeMap<usize, Vec<f64>>,
    /// Whether there are only these two lanes, which nothing else tells about noise.
    alone: bool,
}

/// Resamples `residuals` into the places where `table` has values. `scores` holds those of `table`,
/// and then others.
pub(super) fn simulate(
    table: &[f64],
    residuals: &Residuals,
    scores: &mut Scores,
    comparisons: usize,
    mut random: Pcg64Mcg,
) -> Null {
    let pairs = scores.pairs();
    let draws = draws(&pairs, scores.lanes, comparisons);
    let alone = matches!(residuals, Residuals::Ratios(..));
    let mut null = Null { by_rounds: BTreeMap::new(), alone };
    let mut drawn = table.to_vec();
    for _ in 0..draws {
        let noisy = match residuals {
            Residuals::Values(values) => {
                draw_values(table, values, scores, &mut drawn, &mut random)
            }
            Residuals::Ratios(values, lanes) => {
                draw_ratios(values, *lanes, scores.rounds, &mut drawn, &mut random)
            }
        };
        scores.score(&drawn, |first, second| first == noisy || second == noisy);
        null.count(&scores.pairs(), noisy);
    }
    null.by_rounds.values_mut().for_each(|scores| scores.sort_unstable_by(f64::total_cmp));
    null
}

/// A lane is the noisy one in one draw of as many as there are lanes.
fn draws(pairs: &[Pair], lanes: usize, comparisons: usize) -> usize {
    let mut counts = BTreeMap::new();
    for pair in pairs.iter().filter(|pair| pair.rounds >= ROUNDS_LEAST) {
        *counts.entry(pair.rounds).or_insert(0) += 1;
    }
    let fewest = counts.into_values().min().unwrap_or(1);
    let wanted = SCORES_WANTED.max(SCORES_FOR_EACH * comparisons);
    (wanted * lanes / 2 / fewest).clamp(DRAWS_LEAST, DRAWS_MOST)
}

/// Any value anywhere, and one lane noisier, which is returned.
fn draw_values(
    table: &[f64],
    values: &[f64],
    scores: &Scores,
    drawn: &mut [f64],
    random: &mut Pcg64Mcg,
) -> usize {
    for (drawn, _) in drawn.iter_mut().zip(table).filter(|(_, there)| there.is_finite()) {
        *drawn = values[random.random_range(..values.len())];
    }
    let noisy = random.random_range(..scores.lanes);
    let row = noisy * scores.rounds..(noisy + 1) * scores.rounds;
    drawn[row].iter_mut().for_each(|value| *value *= NOISIER);
    noisy
}

/// Any ratio in any round, to either side.
fn draw_ratios(
    values: &[f64],
    [first, second]: [usize; 2],
    rounds: usize,
    drawn: &mut [f64],
    random: &mut Pcg64Mcg,
) -> usize {
    for round in 0..rounds {
        let ratio = values[random.random_range(..values.len())];
        let (first, second) = (first * rounds + round, second * rounds + round);
        // What is missing stays so: not a number plus anything.
        drawn[first] = drawn[first] * 0.0 + if random.random() { ratio } else { -ratio };
        drawn[second] *= 0.0;
    }
    first
}

impl Null {
    /// Takes what the draw says of pairs with the noisy lane.
    fn count(&mut self, pairs: &[Pair], noisy: usize) {
        for pair in pairs.iter().filter(|pair| pair.first == noisy || pair.second == noisy) {
            let t = match pair.estimate {
                Some(estimate) if estimate.abs() > NO_SCATTER => (estimate / pair.error).abs(),
                _ => 0.0,
            };
            if pair.rounds >= ROUNDS_LEAST {
                self.by_rounds.entry(pair.rounds).or_default().push(t);
            }
        }
    }

    /// The chance of at least `t`, for a pair with so many rounds. What was seen counts as one more
    /// draw, so that nothing has a chance of 0.
    pub(super) fn p(&self, rounds: usize, t: f64) -> f64 {
        let Some(scores) = self.by_rounds.get(&rounds) else { return 1.0 };
        let more = scores.len() - scores.partition_point(|score| *score < t);
        let p = (more + 1) as f64 / (scores.len() + 1) as f64;
        self.student(rounds).map_or(p, |student| p.max(2.0 * student.cdf(-t)))
    }

    /// The t that is passed with at most this chance; `None` if the draws cannot tell.
    pub(super) fn critical(&self, rounds: usize, chance: f64) -> Option<f64> {
        let scores = self.by_rounds.get(&rounds)?;
        let above = (chance * (scores.len() + 1) as f64 + 1e-9).floor() as usize;
        let critical = scores[scores.len() - above.checked_sub(1)? - 1];
        let student = self.student(rounds).map(|student| student.inverse_cdf(1.0 - chance / 2.0));
        Some(critical.max(student.unwrap_or(0.0))).filter(|critical| critical.is_finite())
    }

    /// What two lanes alone are at best as sure as.
    fn student(&self, rounds: usize) -> Option<StudentsT> {
        self.alone.then(|| student(freedom(rounds)))
    }
}
