//! One claim in a record.

use serde::Serialize;

use super::finding::{Finding, Outcome};

/// What the findings of a claim say together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// In a word.
    pub word: Word,
    /// How many rounds it rests on, at least: none without a verdict.
    pub rounds: Option<usize>,
}

/// A verdict, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// As far as it can be measured here, it is so.
    Holds,
    /// It is so under some conditions, and not under others.
    OnlyIf,
    /// It is not so.
    Fails,
    /// What is still without an answer could change the word.
    Open,
}

impl Word {
    /// As tables have it.
    pub fn text(self) -> &'static str {
        match self {
            Word::Holds => "HOLDS",
            Word::OnlyIf => "ONLY IF",
            Word::Fails => "FAILS",
            Word::Open => "open",
        }
    }
}

impl Verdict {
    /// The word that stands whatever else may come out of the experiments that have no answer.
    pub fn of(findings: &[Finding]) -> Self {
        let is_open =
            |finding: &&Finding| !matches!(finding.outcome, Outcome::Holds(_) | Outcome::Fails(_));
        let holding = findings.iter().filter(|f| matches!(f.outcome, Outcome::Holds(_))).count();
        let failing = findings.iter().filter(|f| matches!(f.outcome, Outcome::Fails(_))).count();
        let open = findings.iter().filter(is_open).count();
        let word = match (holding, failing, open) {
            (1.., 1.., _) => Word::OnlyIf,
            (1.., 0, 0) => Word::Holds,
            (0, 1.., 0) => Word::Fails,
            _ => Word::Open,
        };
        let decided = findings.iter().filter(|finding| {
            matches!(finding.outcome, Outcome::Holds(_) | Outcome::Fails(_)) && word != Word::Open
        });
        let rounds = decided.filter_map(|f| f.outcome.estimate()).map(|it| it.rounds).min();
        Verdict { word, rounds }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::finding::Estimate;
    use crate::claims::ledger::Version;
    use crate::stats::Interval;

    fn finding(outcome: Outcome) -> Finding {
        let [what, condition, measured, predicted] = [(); 4].map(|()| String::new());
        let (version, notes) = (Version::Written, Vec::new());
        Finding { what, version, condition, measured, predicted, outcome, notes }
    }

    fn word(outcomes: &[Outcome]) -> Word {
        let findings: Vec<_> = outcomes.iter().cloned().map(finding).collect();
        let verdict = Verdict::of(&findings);
        let is_verdict = verdict.word != Word::Open;
        assert_eq!(is_verdict, verdict.rounds.is_some(), "none without samples: {verdict:?}");
        verdict.word
    }

    #[test]
    fn it_is_what_stands_whatever_else_comes_out() {
        let interval = Interval { low: 1.0, high: 2.0 };
        let estimate = Estimate { ratio: 1.5, interval, rounds: 7, of: 3.0, over: 2.0 };
        let (holds, fails) = (Outcome::Holds(estimate), Outcome::Fails(estimate));
        let across = Outcome::Undecided(estimate);
        let missing = Outcome::Missing { why: "not installed".into() };
        let failed = Outcome::Failed { why: "it timed out".into() };
        let of = |outcomes: &[&Outcome]| {
            word(&outcomes.iter().map(|o| (*o).clone()).collect::<Vec<_>>())
        };
        assert_eq!(of(&[&holds, &holds]), Word::Holds);
        assert_eq!(of(&[&fails, &fails]), Word::Fails);
        assert_eq!(of(&[&holds, &fails]), Word::OnlyIf);
        assert_eq!(of(&[&holds, &missing]), Word::Open, "it could fail");
        assert_eq!(of(&[&fails, &failed]), Word::Open);
        assert_eq!(of(&[&holds, &fails, &missing, &across]), Word::OnlyIf, "whatever they are");
        assert_eq!(of(&[&missing]), Word::Open);
        assert_eq!(of(&[]), Word::Open);
    }
}
