//! What articles say, held against a record: the claim ledger.
//!
//! ```text
//!  claims.toml ─► read ─► Ledger ─► judge(Evidence) ─► Judged ─┬─► terminal, markdown, page
//!   (as data)      │                   │                       └─► growth: a claim as a chart
//!                  └─► Known: cells    └─► Finding: a ratio by round, its interval, its prediction
//!                      that can exist         └─► Verdict: what all findings of a claim say
//! ```
//!
//! A claim predicts ratios, and each experiment measures one: of two cells, round by round. Both
//! sides of a ratio are named in the ledger before anything is measured, and so is what it should be;
//! nothing is picked afterwards. Some are of lanes and some of servers, each of which has records of its
//! own, so that evidence may be of several.
//!
//! **The estimate** is the median of the ratios within rounds, which a slow round moves as little as
//! a fast one. **Its interval** lies between two of those ratios, and holds the true median in 95 % of
//! all cases by counting alone ([`median_interval`]). The
//! [comparison of lanes](crate::comparison) knows more about noise and so finds smaller differences.
//! But it has to assume that lanes of a group share their noise, while here a program in Python stands
//! beside one in Rust, and two points of one workload, or a constant. Where an interval decides
//! what is said about somebody's article, it should assume nothing that could be disputed, and anybody
//! can check it by sorting. The price is that fewer than six rounds tell nothing.
//!
//! **A finding** holds where the whole interval lies within the prediction, fails where it lies
//! wholly outside, and cannot tell where it lies across. No prediction may end within 5 % of 1: one
//! lane under two names differs by about as much. Intervals are not corrected for their number, as no
//! finding is chosen by its result: of twenty whose truth lies exactly on the edge of what was
//! predicted, one is judged wrong.
//!
//! **A verdict** stands on all findings of its claim: they all hold, they all fail, or it is true only
//! under the conditions of those that hold. What has no answer yet, because a lane was not installed
//! or the interval lies across, is told, and there is no verdict while it could change the word. So a
//! verdict without samples behind it cannot be made.
//!
//! In reading order:
//!
//! * [`ledger`]: what a file of claims says;
//! * `written`: how it is written down;
//! * [`known`]: whether its cells can exist;
//! * `lanes` and `servers`: a number for each round of a cell;
//! * [`evidence`]: the same for a ratio, in one record or several;
//! * [`finding`]: one experiment in a record;
//! * [`verdict`]: one claim in a record;
//! * [`growth`]: time over documents, taken apart;
//! * [`words`]: all of it as text, the same for every form;
//! * [`terminal`] and [`markdown`]: two of the forms; the third is the page.
//!
//! [`median_interval`]: crate::stats::order::median_interval

pub mod evidence;
pub mod finding;
#[cfg(test)]
pub(crate) mod fixture;
pub mod growth;
pub mod known;
mod lanes;
pub mod ledger;
pub mod markdown;
mod servers;
pub mod terminal;
pub mod verdict;
pub mod words;
mod written;

use serde::Serialize;

pub use evidence::Evidence;
pub use finding::{Finding, Outcome};
pub use growth::Growth;
pub use known::Known;
pub use ledger::{Claim, Ledger, LedgerError};
pub use verdict::{Verdict, Word};

/// A ledger's claims in one record or several.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judged {
    /// In the ledger's order.
    pub claims: Vec<JudgedClaim>,
}

/// One claim in a record.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct JudgedClaim {
    /// Its number.
    pub number: u32,
    /// Where it is said.
    pub source: String,
    /// What is said, in our words.
    pub says: String,
    /// What can be measured of it.
    pub predicts: String,
    /// Why it is so.
    pub why: String,
    /// What the record says of it.
    pub verdict: Verdict,
    /// By which experiments: as written first.
    pub findings: Vec<Finding>,
    /// Time over documents, taken apart, where the claim asks for it and the record has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub growth: Option<Growth>,
}

impl Judged {
    /// Whether the record has samples of any claim.
    pub fn says_something(&self) -> bool {
        let mut findings = self.claims.iter().flat_map(|claim| &claim.findings);
        findings.any(|finding| finding.outcome.estimate().is_some())
    }
}

/// Holds every claim of `ledger` against the evidence.
pub fn judge(ledger: &Ledger, evidence: &Evidence<'_>) -> Judged {
    let of_claim = |claim: &Claim| {
        let findings: Vec<_> =
            claim.experiments.iter().map(|experiment| Finding::of(experiment, evidence)).collect();
        JudgedClaim {
            number: claim.number,
            source: claim.source.clone(),
            says: claim.says.clone(),
            predicts: claim.predicts.clone(),
            why: claim.why.clone(),
            verdict: Verdict::of(&findings),
            growth: claim.chart.as_ref().and_then(|chart| evidence.growth(chart)),
            findings,
        }
    };
    Judged { claims: ledger.claims.iter().map(of_claim).collect() }
}
