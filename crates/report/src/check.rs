//! One record, judged by what it says of itself: does it find what is there, and nothing else?
//!
//! * **Costs that were planted** must be found: wherever one was looked for, its interval at 99.9 %
//!   holds the truth; and there is a place where it holds no 0 as well. Not in
//!   every place: one point may be too small for a small cost, and then says "cannot tell".
//! * **One lane under two names** may come out different in one comparison of twenty, at 5 %. A few
//!   pairs say little about that rate, so it is too high only where even its lower bound, at 95 %, is
//!   above 5 %.

use std::collections::BTreeMap;

use harness::plan::PlannedVariant;
use harness::record::Recorded;
use harness::variant::Planted;
use job::Client;
use serde::Serialize;

use crate::comparison::{ALPHA, Noise};
use crate::planted::{Cost, Found};
use crate::stats::Interval;
use crate::stats::binomial::{lower_bound, upper_bound};
use crate::summary::summarise;

/// How sure a bound of a rate is.
const CONFIDENCE: f64 = 0.95;

/// What a record says of itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Check {
    /// Every place where a planted cost was looked for.
    pub planted: Vec<Place>,
    /// Costs that were planted, and found nowhere.
    pub not_found: Vec<String>,
    /// One lane under two names, by each metric.
    pub names: Vec<Names>,
}

/// A planted cost, in one place.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Place {
    /// What was found.
    #[serde(flatten)]
    pub found: Found,
    /// Whether it is what was planted.
    pub outcome: Outcome,
}

/// Whether what was found is what was planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The interval holds the truth and not 0.
    Found,
    /// It holds both, or there is none.
    CannotTell,
    /// It does not hold the truth.
    Wrong,
}

impl Outcome {
    fn of(found: &Found) -> Self {
        match found.interval_sure {
            Some(interval) if !interval.contains(found.truth) => Outcome::Wrong,
            Some(interval) if !interval.contains(0.0) => Outcome::Found,
            _ => Outcome::CannotTell,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Outcome::Found => "found",
            Outcome::CannotTell => "cannot tell",
            Outcome::Wrong => "WRONG",
        }
    }
}

/// How often one lane under two names came out different.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Names {
    /// By which metric, in how many of how many pairs.
    #[serde(flatten)]
    pub noise: Noise,
    /// The true rate is at least this, with 95 % confidence.
    pub rate_least: f64,
    /// The true rate is at most this, with 95 % confidence.
    pub rate_most: f64,
}

impl Names {
    fn of(noise: Noise) -> Self {
        let Noise { different, pairs, .. } = noise;
        Names {
            noise,
            rate_least: lower_bound(different, pairs, CONFIDENCE),
            rate_most: upper_bound(different, pairs, CONFIDENCE),
        }
    }

    /// Whether the rate may be what it is said to be.
    pub fn is_fine(&self) -> bool {
        // The bound is found by iteration: what lies this far above is not above.
        self.rate_least <= ALPHA + 1e-9
    }
}

/// Judges a record.
pub fn check(recorded: &Recorded) -> Check {
    let summary = summarise(recorded);
    let place = |found: Found| Place { outcome: Outcome::of(&found), found };
    let together = together(&summary.planted);
    let planted: Vec<_> = summary.planted.into_iter().chain(together).map(place).collect();
    Check {
        not_found: not_found(recorded, &planted),
        planted,
        names: summary.noise.into_iter().map(Names::of).collect(),
    }
}

/// Each planted part of the CPU time over all groups with one client. It is the same part in all of
/// them, and they share no sample, so that each counts by how well it is known: with the inverse
/// square of its interval's width.
fn together(found: &[Found]) -> Vec<Found> {
    let mut places: BTreeMap<(&str, Client), Vec<(&Found, Interval)>> = BTreeMap::new();
    for found in found.iter().filter(|found| found.cost == Cost::CpuPercent) {
        if let Some(interval) = found.interval_sure.filter(|interval| interval.high > interval.low)
        {
            places.entry((&found.variant, found.client)).or_default().push((found, interval));
        }
    }
    let several = places.into_values().filter(|places| places.len() > 1);
    several.map(|places| pooled(&places)).collect()
}

fn pooled(places: &[(&Found, Interval)]) -> Found {
    let weight = |interval: &Interval| 4.0 / (interval.high - interval.low).powi(2);
    let weights: f64 = places.iter().map(|(_, interval)| weight(interval)).sum();
    let sum: f64 = places.iter().map(|(found, interval)| found.found * weight(interval)).sum();
    let (middle, margin) = (sum / weights, weights.sqrt().recip());
    Found {
        workload: "all points".to_owned(),
        point: None,
        found: middle,
        interval: None,
        interval_sure: Some(Interval { low: middle - margin, high: middle + margin }),
        ..places[0].0.clone()
    }
}

/// Every cost that the plan has planted, but for those found.
fn not_found(recorded: &Recorded, planted: &[Place]) -> Vec<String> {
    let is_cost = |variant: &PlannedVariant| variant.planted != Planted::Nothing;
    let costs =
        recorded.plan.lanes.iter().filter(|lane| lane.variant.as_ref().is_some_and(is_cost));
    let is_found =
        |lane: &str| planted.iter().any(|p| p.outcome == Outcome::Found && p.found.variant == lane);
    costs.filter(|lane| !is_found(&lane.id)).map(|lane| lane.id.clone()).collect()
}

impl Check {
    /// Whether there is anything to judge by: a planted cost, or one lane under two names.
    pub fn says_something(&self) -> bool {
        !(self.planted.is_empty() && self.not_found.is_empty() && self.names.is_empty())
    }

    /// What failed, one line each; nothing where all is well.
    pub fn failures(&self) -> Vec<String> {
        let wrong = self.planted.iter().filter(|place| place.outcome == Outcome::Wrong);
        let wrong = wrong.map(|place| {
            let found = &place.found;
            format!("the interval does not hold the truth: {}", found.told(found.interval_sure))
        });
        let not_found =
            self.not_found.iter().map(|what| format!("a planted cost was not found: {what}"));
        let names = self.names.iter().filter(|names| !names.is_fine()).map(|names| {
            format!(
                "one lane under two names differs too often by {}: at least {:.1} % of the time, \
                 and {:.0} % is nominal",
                names.noise.metric.name(),
                100.0 * names.rate_least,
                100.0 * ALPHA
            )
        });
        wrong.chain(not_found).chain(names).collect()
    }

    /// What was found, one line each.
    pub fn lines(&self) -> Vec<String> {
        let planted = self.planted.iter().map(|place| {
            let found = &place.found;
            format!("Planted, {}: {}.", place.outcome.name(), found.told(found.interval_sure))
        });
        let names = self.names.iter().map(|names| {
            let Noise { metric, different, pairs, .. } = names.noise;
            format!(
                "One lane under two names, {}: {different} of {pairs} came out different: a true \
                 rate of at most {:.1} %.",
                metric.name(),
                100.0 * names.rate_most
            )
        });
        planted.chain(names).collect()
    }
}

#[cfg(test)]
mod tests {
    use harness::plan::{PlannedCell, PlannedLane};
    use harness::sample::Sample;

    use super::*;
    use crate::comparison::Metric;
    use crate::fixture;

    /// The fixture with 20 % of CPU time planted, of which `percent` is there.
    fn with(percent: u64) -> Recorded {
        let mut recorded = fixture::compared();
        let of = fixture::LANES[2].to_owned();
        let id = format!("{of}+cpu=20%");
        let own: Vec<Sample> =
            recorded.samples.iter().filter(|sample| sample.cell.lane == of).cloned().collect();
        let mut cell = own[0].cell.clone();
        cell.lane.clone_from(&id);
        for mut sample in own {
            sample.cell = cell.clone();
            let usage = sample.job.as_mut().unwrap().usage.as_mut().unwrap();
            // As if at random around it.
            usage.user_us += usage.cpu_us() * percent / 100 + u64::from(sample.round % 3);
            usage.user_us -= 1;
            recorded.samples.push(sample);
        }
        recorded.plan.cells.push(PlannedCell { cell, in_flight_least: 0, not_run: None });
        let variant = Some(PlannedVariant { of, planted: Planted::CpuPercent(20) });
        let (waits, mirrors) = (String::new(), String::new());
        recorded.plan.lanes = vec![PlannedLane { id, waits, mirrors, may_fail: false, variant }];
        recorded
    }

    #[test]
    fn a_cost_that_is_there_is_found() {
        let check = check(&with(20));
        assert_eq!(check.planted[0].outcome, Outcome::Found, "{check:?}");
        assert_eq!(check.failures(), Vec::<String>::new());
        let lines = check.lines();
        assert!(lines[0].starts_with("Planted, found: stackless/tokio-local+cpu=20%"), "{lines:?}");
        // 0.95 of one trial.
        let names = "One lane under two names, wall: 0 of 1 came out different: a true rate of at \
                     most 95.0 %.";
        assert_eq!(lines[1], names);
    }

    #[test]
    fn a_cost_that_is_not_what_was_planted_is_wrong() {
        for percent in [0, 40] {
            let check = check(&with(percent));
            assert_eq!(check.planted[0].outcome, Outcome::Wrong, "{check:?}");
            let failures = check.failures();
            assert!(
                failures[0].starts_with("the interval does not hold the truth"),
                "{failures:?}"
            );
            assert!(failures[1].ends_with("not found: stackless/tokio-local+cpu=20%"));
        }
    }

    #[test]
    fn several_places_know_more_than_each() {
        let found = check(&with(20)).planted.remove(0).found;
        let at = |found_here, low, high| Found {
            found: found_here,
            interval_sure: Some(Interval { low, high }),
            ..found.clone()
        };
        // Of two that are known alike, the mean; the margin is smaller by the root of two.
        let both = together(&[at(18.0, 10.0, 26.0), at(22.0, 14.0, 30.0)]).remove(0);
        let Interval { low, high } = both.interval_sure.unwrap();
        assert!((both.found - 20.0).abs() < 1e-9 && (high - low - 16.0 / 2f64.sqrt()).abs() < 1e-9);
        // One that is hardly known hardly counts.
        let one = together(&[at(18.0, 10.0, 26.0), at(900.0, -800.0, 2_600.0)]).remove(0);
        assert!((one.found - 18.0).abs() < 0.1, "{one:?}");
        assert!(together(&[at(18.0, 10.0, 26.0)]).is_empty(), "one place is no several");
    }

    #[test]
    fn too_few_samples_cannot_tell_and_that_is_not_enough() {
        let mut recorded = with(20);
        recorded.samples.retain(|sample| sample.round < 2);
        let check = check(&recorded);
        assert_eq!(check.planted[0].outcome, Outcome::CannotTell);
        assert_eq!(check.failures().len(), 1, "{check:?}");
        recorded.samples.clear();
        assert_eq!(super::check(&recorded).failures().len(), 1, "nor is none at all");
    }

    #[test]
    fn two_names_may_differ_now_and_then() {
        let names = |different, pairs| {
            let floor = 0.01;
            Names::of(Noise { metric: Metric::Wall, floor, pairs, different })
        };
        // One of one is as rare as one in twenty, and no rarer.
        for (different, pairs) in [(0, 1), (1, 1), (10, 200), (15, 200)] {
            assert!(names(different, pairs).is_fine(), "{different} of {pairs}");
        }
        assert!(!names(17, 200).is_fine() && !names(3, 10).is_fine());
        let check = Check { planted: vec![], not_found: vec![], names: vec![names(17, 200)] };
        assert!(check.failures()[0].contains("by wall: at least 5.5 %"), "{:?}", check.failures());
    }

    #[test]
    fn a_record_without_either_says_nothing() {
        let mut recorded = fixture::compared();
        assert!(check(&recorded).says_something());
        recorded.plan.cells.retain(|planned| !planned.cell.lane.contains('+'));
        assert!(!check(&recorded).says_something());
    }
}
