//! Lanes that ran in the same rounds, two by two, by the log-ratio of their values in each round.
//!
//! A round in which the machine is slow is slow for both, so the ratio within a round says more
//! than the values. But rounds are few: three ratios on one side happen by chance in a quarter of
//! all cases, and resampling three numbers makes them no more. So all lanes of a group, which is
//! one point of one workload with one client, lend each other what they know about noise:
//!
//! ```text
//!  log values ─► lane + round + residual ─► resampled residuals ─► |t| by chance ─► p, interval
//!       │               (blocks)             one lane ×3 noisy          ▲
//!       └─► log-ratios of a pair ─► location ÷ error ────────── |t| ────┘
//! ```
//!
//! * The **estimate** is the Hodges-Lehmann location of the pair's log-ratios.
//! * Its **error** is the greater of what the pair's own scatter says and of what is usual in the
//!   group. The former knows a noisy lane; the latter keeps three ratios that lie together by chance
//!   from looking certain, and is itself hardly moved by one or two outliers.
//! * The **null distribution** of their quotient t is simulated: residuals of the whole group are
//!   resampled, and go through the same estimate and error (a bootstrap-t: Efron and Tibshirani,
//!   "An Introduction to the Bootstrap", 1993, chapters 12 and 16; Davison and Hinkley, "Bootstrap
//!   Methods and their Application", 1997, chapters 2 and 4). As t has no scale, residuals need no
//!   inflation for the freedom that the fit took.
//! * In each such draw one lane is three times as noisy as the rest, and only pairs with that lane
//!   are counted. Lanes *are* unequally noisy, and three rounds cannot show which. Calibrated on
//!   equal noise, one comparison in six with the noisy lane was called different, and one family
//!   in ten after Holm's correction. This guard costs power, and buys that the rates hold.
//!
//! Tried and left, by simulation at 3, 5 and 15 rounds: means with one pooled error (as powerful as
//! can be on equal normal noise; a single outlier takes the power from all comparisons, and a noisy
//! lane is called different in a quarter of all cases); the pair's own error alone (calibrated, and
//! blind at 3 rounds: 5 % of differences of 20 % found where pooling finds half); winsorising a
//! fifth on each side (finds less than half as much at 5 rounds); Huber's location with clipped
//! squares (not calibrated when one lane is much noisier). What this one does is printed by
//! `cargo run --release -p report --example calibration`. With eight lanes its rates hold over all
//! pairs of a group, and after [`holm`](super::holm::holm) over families, when one lane is three
//! times as noisy. A single pair with that lane is then called different in up to 8 % of cases, and
//! with a lane ten times as noisy in up to 15 %: read single p-values of such lanes with care.
//!
//! Two lanes alone lend each other nothing: the ratios' own residuals are resampled, with random
//! signs, and the answer is never surer than Student's t with the ratios' own freedom, because the
//! bootstrap of so few is a little too sure. Below what suffices (six rounds of two lanes, four of
//! three, three of more) the answer is "cannot tell": p = 1 and no interval.

use rand::SeedableRng;
use rand_pcg::Pcg64Mcg;
use serde::Serialize;

use super::Interval;
use super::location::{Located, hodges_lehmann, locate, variance};
use null::Null;

mod blocks;
mod null;

/// The same record always prints the same numbers.
const SEED: u64 = 0x7061_6972_6564;

/// How much the usual variance of a group is more than that below which a third of its pairs lie.
/// Of eight lanes with two wild ones, nearly half of the pairs are wild: the median is no measure.
/// It has no say in the rate of errors, as the simulated null has it as well.
const USUAL: f64 = 1.5;

/// Fewer rounds that both lanes have say nothing about their own scatter.
const ROUNDS_LEAST: usize = 3;

/// A log-ratio or its error below this is rounding: a nanosecond in a second.
const NO_SCATTER: f64 = 1e-9;

/// Fewer degrees of freedom of all residuals are too few to resample.
const FREEDOM_LEAST: usize = 5;

/// Two lanes of a group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Index of the first lane.
    pub first: usize,
    /// Index of the second lane.
    pub second: usize,
    /// In how many rounds both have a value.
    pub rounds: usize,
    /// Log of the ratio, first to second: below 0 where the first is less. `None` without a round.
    pub estimate: Option<f64>,
    /// Where the true log-ratio lies; `None` if nothing bounds it at this level.
    pub interval: Option<Interval>,
    /// The chance of an estimate at least this far from 0, for its error, where nothing differs.
    /// It is at most 1 - level exactly if the interval leaves out 0.
    pub p: f64,
}

/// All comparisons of one group.
#[derive(Debug, Clone)]
pub struct Paired {
    pairs: Vec<Pair>,
    null: Option<Null>,
}

/// What two lanes have in common.
#[derive(Debug, Clone, Copy)]
struct Pair {
    first: usize,
    second: usize,
    rounds: usize,
    estimate: Option<f64>,
    error: f64,
}

impl Paired {
    /// Of `lanes[lane][round]`, in any unit. A value that is not positive and finite is missing,
    /// as is one beyond a shorter lane's end.
    pub fn of(lanes: &[Vec<Option<f64>>]) -> Self {
        Self::in_family(lanes, 0)
    }

    /// The same, for a family of so many comparisons: the more there are, the smaller must be a
    /// chance that is still small after correction, and the more draws it takes to see it.
    pub fn in_family(lanes: &[Vec<Option<f64>>], comparisons: usize) -> Self {
        let rounds = lanes.iter().map(Vec::len).max().unwrap_or(0);
        let table: Vec<f64> = lanes
            .iter()
            .flat_map(|lane| (0..rounds).map(|round| log(lane.get(round).copied().flatten())))
            .collect();
        let mut scores = Scores::new(lanes.len(), rounds);
        scores.score(&table, |_, _| true);
        let pairs = scores.pairs();
        let (residuals, freedom) = blocks::residuals(&table, lanes.len(), rounds);
        let null = (freedom >= FREEDOM_LEAST).then(|| {
            let random = Pcg64Mcg::seed_from_u64(SEED);
            null::simulate(&table, &residuals, &mut scores, comparisons, random)
        });
        Paired { pairs, null }
    }

    /// Every pair once, the first lane before the second, with intervals at `level` (0.95, say).
    ///
    /// # Panics
    ///
    /// If `level` is not between 0 and 1.
    pub fn comparisons(&self, level: f64) -> Vec<Comparison> {
        assert!(level > 0.0 && level < 1.0, "{level} is not between 0 and 1");
        self.pairs.iter().map(|pair| self.comparison(pair, level)).collect()
    }

    fn comparison(&self, pair: &Pair, level: f64) -> Comparison {
        let &Pair { first, second, rounds, estimate, error } = pair;
        let known = estimate.zip(self.null.as_ref()).filter(|_| rounds >= ROUNDS_LEAST);
        let (p, margin) = match known {
            None => (1.0, None),
            Some((estimate, null)) if error > NO_SCATTER => {
                let margin = null.critical(rounds, 1.0 - level).map(|critical| critical * error);
                (null.p(rounds, (estimate / error).abs()), margin)
            }
            Some((estimate, _)) => without_scatter(estimate, rounds, level),
        };
        let interval = estimate
            .zip(margin)
            .map(|(estimate, margin)| Interval { low: estimate - margin, high: estimate + margin });
        Comparison { first, second, rounds, estimate, interval, p }
    }
}

/// Where the ratios are all the same, t means nothing. Their signs still do: all on one side
/// happens by chance once in 2^(rounds - 1).
fn without_scatter(estimate: f64, rounds: usize, level: f64) -> (f64, Option<f64>) {
    let chance = 0.5f64.powi(rounds as i32 - 1);
    let p = if estimate.abs() < NO_SCATTER { 1.0 } else { chance };
    (p, (chance <= 1.0 - level).then_some(0.0))
}

fn log(value: Option<f64>) -> f64 {
    value.filter(|value| *value > 0.0 && value.is_finite()).map_or(f64::NAN, f64::ln)
}

/// Estimates and errors of all pairs of one table, with the space to work in.
///
/// A table has one row of `rounds` log values for each lane; what is missing is not a number.
#[derive(Debug, Clone)]
struct Scores {
    lanes: usize,
    rounds: usize,
    pairs: Vec<Option<(Located, usize)>>,
    ratios: Vec<f64>,
    means: Vec<f64>,
    variances: Vec<f64>,
}

impl Scores {
    fn new(lanes: usize, rounds: usize) -> Self {
        let [ratios, means, variances] = [const { Vec::new() }; 3];
        Scores { lanes, rounds, pairs: Vec::new(), ratios, means, variances }
    }

    /// Of every pair, in the order of [`all_pairs`]. Only those that are `wanted` are located: the
    /// others lend their scatter.
    fn score(&mut self, table: &[f64], wanted: impl Fn(usize, usize) -> bool) {
        self.pairs.clear();
        for (first, second) in all_pairs(self.lanes) {
            let row = |lane: usize| &table[lane * self.rounds..(lane + 1) * self.rounds];
            let ratios = row(first).iter().zip(row(second)).map(|(a, b)| a - b);
            self.ratios.clear();
            self.ratios.extend(ratios.filter(|ratio| ratio.is_finite()));
            let rounds = self.ratios.len();
            let located = (rounds > 0).then(|| match wanted(first, second) {
                true => locate(&mut self.ratios, &mut self.means),
                false => Located { at: f64::NAN, variance: variance(&mut self.ratios) },
            });
            self.pairs.push(located.map(|located| (located, rounds)));
        }
        self.share_variance();
    }

    /// Raises each pair's variance to what is usual for the group, taken for one round.
    fn share_variance(&mut self) {
        self.variances.clear();
        let known = self.pairs.iter().flatten().filter(|(_, rounds)| *rounds >= ROUNDS_LEAST);
        self.variances.extend(known.map(|(located, rounds)| located.variance * *rounds as f64));
        if self.variances.len() < 2 {
            return;
        }
        let third = self.variances.len() / 3;
        let shared = USUAL * *self.variances.select_nth_unstable_by(third, f64::total_cmp).1;
        for (located, rounds) in self.pairs.iter_mut().flatten() {
            located.variance = located.variance.max(shared / *rounds as f64);
        }
    }

    fn pairs(&self) -> Vec<Pair> {
        let pair = |((first, second), found): (_, &Option<(Located, usize)>)| Pair {
            first,
            second,
            rounds: found.map_or(0, |(_, rounds)| rounds),
            estimate: found.map(|(located, _)| located.at),
            error: found.map_or(f64::INFINITY, |(located, _)| located.variance.sqrt()),
        };
        all_pairs(self.lanes).zip(&self.pairs).map(pair).collect()
    }
}

/// Each two of so many lanes, the lower first.
fn all_pairs(lanes: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..lanes).flat_map(move |first| (first + 1..lanes).map(move |second| (first, second)))
}

#[cfg(test)]
mod tests;
