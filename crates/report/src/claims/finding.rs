//! One experiment in a record.

use serde::Serialize;

use super::evidence::{Absent, Both, Evidence, Series};
use super::ledger::{Experiment, Prediction, Ratio, Version};
use super::words;
use crate::stats::median_interval;
use crate::stats::{Interval, median};

/// How sure an interval is.
pub const LEVEL: f64 = 0.95;

/// What an experiment found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// What was done.
    pub what: String,
    /// Whose version of the claim it is.
    #[serde(rename = "as")]
    pub version: Version,
    /// Under which condition the claim is true where this holds.
    pub condition: String,
    /// What was measured, and where.
    pub measured: String,
    /// What was predicted.
    pub predicted: String,
    /// What came out.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// What there is to say of the samples.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// What came out of an experiment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// The whole interval lies within the prediction.
    Holds(Estimate),
    /// The whole interval lies outside.
    Fails(Estimate),
    /// The interval lies across.
    Undecided(Estimate),
    /// There are samples, and they bound nothing.
    TooFew {
        /// Why.
        why: String,
    },
    /// There are no samples.
    Missing {
        /// Why.
        why: String,
    },
    /// A lane or a server did not do its job.
    Failed {
        /// Why.
        why: String,
    },
}

/// A ratio, and how well it is known.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The median of the ratios by round.
    pub ratio: f64,
    /// Where the true one lies.
    pub interval: Interval,
    /// How many rounds it rests on.
    pub rounds: usize,
    /// The median above the line.
    pub of: f64,
    /// The median below it.
    pub over: f64,
}

impl Outcome {
    /// Its ratio, where its rounds bound one.
    pub fn estimate(&self) -> Option<&Estimate> {
        match self {
            Outcome::Holds(it) | Outcome::Fails(it) | Outcome::Undecided(it) => Some(it),
            _ => None,
        }
    }
}

impl Finding {
    /// What the record says.
    pub fn of(experiment: &Experiment, evidence: &Evidence<'_>) -> Self {
        let Experiment { what, version, condition, ratio } = experiment;
        let (outcome, notes) = found(ratio, evidence).unwrap_or_else(|absent| {
            let outcome = match absent {
                Absent::Failed(why) => Outcome::Failed { why },
                missing => Outcome::Missing { why: missing.why() },
            };
            (outcome, Vec::new())
        });
        Finding {
            what: what.clone(),
            version: *version,
            condition: condition.clone(),
            measured: words::ratio(ratio),
            predicted: words::prediction(&ratio.predicts),
            outcome,
            notes,
        }
    }
}

fn found(ratio: &Ratio, evidence: &Evidence<'_>) -> Result<(Outcome, Vec<String>), Absent> {
    let Both { of, over, notes } = evidence.both(ratio)?;
    Ok((outcome(&of, &over, &ratio.predicts), notes))
}

fn outcome(of: &Series, over: &Series, predicts: &Prediction) -> Outcome {
    let both: Vec<_> = of.iter().filter_map(|(round, of)| Some((*of, *over.get(round)?))).collect();
    // A slope may be anything. Leaving out the rounds in which it is no cost would select.
    let nothing = both.iter().filter(|(of, over)| !(*of > 0.0 && *over > 0.0)).count();
    if nothing > 0 {
        let rounds = both.len();
        let why = format!("one side is not above 0 in {nothing} of {rounds} rounds");
        return Outcome::TooFew { why };
    }
    let ratios: Vec<_> = both.iter().map(|(of, over)| of / over).collect();
    let middle = |side: fn(&(f64, f64)) -> f64| median(&both.iter().map(side).collect::<Vec<_>>());
    let known = median_interval(&ratios, LEVEL).zip(median(&ratios));
    let Some((interval, ratio)) = known else {
        let why = format!("too few rounds that both have: {}, and 6 bound a ratio", both.len());
        return Outcome::TooFew { why };
    };
    let [of, over] = [middle(|both| both.0), middle(|both| both.1)].map(Option::unwrap_or_default);
    let estimate = Estimate { ratio, interval, rounds: both.len(), of, over };
    match predicts.judge(interval) {
        Some(true) => Outcome::Holds(estimate),
        Some(false) => Outcome::Fails(estimate),
        None => Outcome::Undecided(estimate),
    }
}

impl Prediction {
    /// Whether what lies in the interval is as predicted: all of it, none of it, or neither.
    fn judge(&self, interval: Interval) -> Option<bool> {
        let low = self.least.unwrap_or(f64::NEG_INFINITY);
        let high = self.most.unwrap_or(f64::INFINITY);
        if low <= interval.low && interval.high <= high {
            Some(true)
        } else if interval.high < low || high < interval.low {
            Some(false)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::Ledger;
    use crate::claims::fixture::{LEDGER, compared, growing, served};
    use crate::{fixture, summarise};

    fn findings(recorded: &harness::Recorded, ledger: &str) -> Vec<Finding> {
        let summary = summarise(recorded);
        let ledger = Ledger::read("c.toml", ledger).unwrap();
        let judged = crate::claims::judge(&ledger, &Evidence::of(recorded, &summary));
        judged.claims.into_iter().flat_map(|claim| claim.findings).collect()
    }

    #[test]
    fn ratios_are_taken_within_rounds() {
        // Rounds differ by a factor of two, and lanes within them always by the same.
        let mut recorded = compared();
        for sample in recorded.samples.iter_mut().filter(|sample| sample.round % 2 == 1) {
            sample.job.as_mut().unwrap().wall_ns *= 2;
        }
        let findings = findings(&recorded, LEDGER);
        let Outcome::Holds(found) = &findings[0].outcome else { panic!("{findings:?}") };
        assert!((found.ratio - 2.0 / 3.0).abs() < 0.01 && found.rounds == 12, "{found:?}");
        assert!(found.interval.high - found.interval.low < 0.01, "{found:?}");
        let Outcome::Fails(same) = &findings[1].outcome else { panic!("{findings:?}") };
        assert!(same.interval.contains(same.ratio), "the median lies within: {same:?}");
        // Against a constant the rounds do not cancel out.
        assert!(matches!(findings[2].outcome, Outcome::Undecided(_)), "{findings:?}");
        let why = "it takes a record of servers".to_owned();
        assert_eq!(findings[3].outcome, Outcome::Missing { why });
    }

    #[test]
    fn an_interval_within_holds_outside_fails_and_across_cannot_tell() {
        let judge =
            |least, most, low, high| Prediction { least, most }.judge(Interval { low, high });
        assert_eq!(judge(None, Some(0.8), 0.5, 0.8), Some(true));
        assert_eq!(judge(None, Some(0.8), 0.81, 0.9), Some(false));
        assert_eq!(judge(None, Some(0.8), 0.7, 0.9), None);
        assert_eq!(judge(Some(0.9), Some(1.1), 0.95, 1.05), Some(true));
        assert_eq!(judge(Some(0.9), Some(1.1), 0.8, 1.2), None, "wider than what was predicted");
        assert_eq!(judge(Some(3.0), None, 1.0, 2.0), Some(false));
    }

    #[test]
    fn five_rounds_tell_nothing() {
        let mut recorded = compared();
        recorded.samples.retain(|sample| sample.round < 5);
        let Outcome::TooFew { why } = &findings(&recorded, LEDGER)[0].outcome else { panic!() };
        assert_eq!(why, "too few rounds that both have: 5, and 6 bound a ratio");
    }

    #[test]
    fn a_lane_that_failed_is_evidence_and_one_that_is_missing_is_not() {
        let mut recorded = compared();
        let of_slow = recorded.samples.iter_mut().filter(|s| s.cell.lane == "other/slow");
        of_slow.for_each(fixture::fail);
        let Outcome::Failed { why } = &findings(&recorded, LEDGER)[0].outcome else { panic!() };
        assert!(why.contains("other/slow") && why.contains("moves is 7, not 6"), "{why}");
        recorded.plan.cells.retain(|planned| planned.cell.lane != "other/slow");
        let missing = &findings(&recorded, LEDGER)[0].outcome;
        assert!(matches!(missing, Outcome::Missing { .. }), "{missing:?}");
    }

    #[test]
    fn servers_are_held_against_what_is_said_of_them() {
        let ledger = |changes: &[(&str, &str)]| {
            let text = changes.iter().fold(LEDGER.to_owned(), |text, (from, to)| {
                assert!(text.contains(from), "{from}");
                text.replace(from, to)
            });
            Ledger::read("c.toml", &text).unwrap()
        };
        let of = |ledger: &Ledger| {
            let servers = served();
            let judged = crate::claims::judge(ledger, &Evidence::of_servers(&servers));
            assert!(judged.says_something());
            let findings = judged.claims.into_iter().flat_map(|claim| claim.findings);
            findings.last().unwrap().outcome.clone()
        };
        let Outcome::Holds(found) = of(&ledger(&[])) else { panic!() };
        assert_eq!((found.ratio, found.rounds, found.of, found.over), (1.0, 8, 100.0, 100.0));
        let pool = ledger(&[("\"stackless/hyper\"", "\"blocking/pool\"")]);
        let Outcome::Fails(found) = of(&pool) else { panic!() };
        assert_eq!((found.ratio, found.of, found.over), (25.0, 2_500.0, 100.0));
        // A hundred requests of 4 ms CPU in 100 ms: as many processors as that.
        let busy = ledger(&[
            (
                "{ server = \"stackless/hyper\", clients = 1 }",
                "{ server = \"stackless/hyper\", clients = 100 }",
            ),
            (
                "{ server = \"stackless/hyper\", clients = 100 }\nover",
                "{ server = \"stackless/hyper\", clients = 100, measure = \"cpu\" }\nover",
            ),
        ]);
        let Outcome::Fails(found) = of(&busy) else { panic!() };
        assert_eq!((found.ratio, found.of, found.over), (4.0, 400.0, 100.0));
    }

    #[test]
    fn slopes_are_compared_and_none_that_is_not_above_zero() {
        let each = LEDGER.replace("documents = 100", "documents = \"each\"");
        let Outcome::Holds(found) = findings(&growing(), &each)[0].outcome else { panic!() };
        assert!((found.ratio - 0.25).abs() < 1e-6, "{found:?}");
        let flat = each.replacen("\"wall\"", "\"rss\"", 1);
        let Outcome::TooFew { why } = &findings(&growing(), &flat)[0].outcome else { panic!() };
        assert_eq!(why, "one side is not above 0 in 12 of 12 rounds");
    }
}
