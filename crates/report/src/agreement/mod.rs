//! A quick record and a full one of the same lanes: do they give the same verdicts?
//!
//! ```text
//!   quick  comparisons ─┐  groups that both have, pairs of lanes that both measured
//!                       ├─► same · only one of the two can tell · reversed ─► counts by question
//!   full   comparisons ─┘
//! ```
//!
//! And what a table shows of it: of each cell, whether any lane of its group is distinguishably
//! better.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::cells::group_head;
use crate::comparison::{Comparison, Metric};
use crate::stats::rank::Verdict;
use crate::summary::{Group, Row, Summary, WorkloadSummary};

mod sheets;
#[cfg(test)]
mod tests;

/// What a pair of lanes is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Which is faster, in a closed loop.
    Wall,
    /// Which takes less CPU time, in an open loop, where a schedule gives the wall.
    CpuAtRate,
    /// Which is smaller.
    Rss,
    /// Which takes less CPU time, in a closed loop: beside the others, and not counted with them.
    Cpu,
}

impl Question {
    /// All of them, those that are counted first.
    pub const ALL: [Question; 4] =
        [Question::Wall, Question::CpuAtRate, Question::Rss, Question::Cpu];

    fn of(metric: Metric, group: &Group) -> Self {
        match metric {
            Metric::Wall => Question::Wall,
            Metric::Cpu if group.point.rate.is_some() => Question::CpuAtRate,
            Metric::Cpu => Question::Cpu,
            Metric::Rss => Question::Rss,
        }
    }

    /// Whether its answers count towards the whole.
    pub fn is_counted(self) -> bool {
        self != Question::Cpu
    }
}

/// How two verdicts on one pair stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// Both say the same, be it that nothing can be told.
    Same,
    /// The quick one tells them apart, the full one does not.
    OnlyQuick,
    /// The full one tells them apart, the quick one does not.
    OnlyFull,
    /// Each says the opposite of the other.
    Reversed,
}

impl Relation {
    /// Of the verdicts of a quick and of a full record.
    pub fn of(quick: Verdict, full: Verdict) -> Self {
        match (quick, full) {
            _ if quick == full => Relation::Same,
            (_, Verdict::Alike) => Relation::OnlyQuick,
            (Verdict::Alike, _) => Relation::OnlyFull,
            _ => Relation::Reversed,
        }
    }
}

/// How many verdicts stand to each other in which way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Both say the same.
    pub same: u64,
    /// Of these, those in which both tell a difference.
    pub same_and_told: u64,
    /// Only the quick one can tell.
    pub only_quick: u64,
    /// Only the full one can tell.
    pub only_full: u64,
    /// Each says the opposite of the other.
    pub reversed: u64,
}

impl Counts {
    /// All of them.
    pub fn verdicts(&self) -> u64 {
        self.same + self.only_quick + self.only_full + self.reversed
    }

    /// The part of which both say the same, from 0 to 1; `None` of nothing.
    pub fn agreeing(&self) -> Option<f64> {
        (self.verdicts() > 0).then(|| self.same as f64 / self.verdicts() as f64)
    }

    fn add(&mut self, relation: Relation, told: bool) {
        match relation {
            Relation::Same => self.same += 1,
            Relation::OnlyQuick => self.only_quick += 1,
            Relation::OnlyFull => self.only_full += 1,
            Relation::Reversed => self.reversed += 1,
        }
        self.same_and_told += u64::from(relation == Relation::Same && told);
    }
}

/// What one record says of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Said {
    /// Of the first lane.
    pub verdict: Verdict,
    /// The first to the second.
    pub ratio: f64,
}

/// A pair on which the records do not say the same.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Differing {
    /// The workload.
    pub workload: String,
    /// The point, client and placement, as tables call them.
    pub group: String,
    /// One lane.
    pub first: String,
    /// The other.
    pub second: String,
    /// What was asked.
    pub question: Question,
    /// How the verdicts stand to each other.
    pub relation: Relation,
    /// What the quick record says.
    pub quick: Said,
    /// What the full record says.
    pub full: Said,
}

/// How far two records agree.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agreement {
    /// Groups that both have.
    pub groups: usize,
    /// The counts of each question that both answer.
    pub questions: BTreeMap<Question, Counts>,
    /// All questions that are counted.
    pub all: Counts,
    /// Of every cell and by every metric that is counted: whether any lane is distinguishably better.
    pub cells: Counts,
    /// The pairs on which they differ: reversed ones first, then in the order of the plan.
    pub differing: Vec<Differing>,
}

/// Compares the verdicts of `quick` with those of `full`, for every pair of lanes that both have
/// measured at the same point with the same client in the same placement.
pub fn agreement(quick: &Summary, full: &Summary) -> Agreement {
    let mut agreement = Agreement {
        groups: 0,
        questions: BTreeMap::new(),
        all: Counts::default(),
        cells: Counts::default(),
        differing: Vec::new(),
    };
    for workload in &quick.workloads {
        let Some(other) = full.workloads.iter().find(|other| other.name == workload.name) else {
            continue;
        };
        for group in &workload.groups {
            if let Some(same) = same_group(group, other) {
                agreement.groups += 1;
                agreement.count(workload, group, same);
                agreement.count_cells(group, same);
            }
        }
    }
    agreement.differing.sort_by_key(|pair| pair.relation != Relation::Reversed);
    agreement
}

fn same_group<'a>(group: &Group, workload: &'a WorkloadSummary) -> Option<&'a Group> {
    let key = |group: &Group| (group.point, group.client, group.placement);
    workload.groups.iter().find(|other| key(other) == key(group))
}

/// What is said of a pair, if both of its lanes have figures.
fn said(group: &Group, pair: &Comparison) -> Option<Said> {
    let has = |lane: &str| group.rows.iter().any(|row| row.lane == lane && row.figures.is_some());
    let both = has(&pair.first) && has(&pair.second);
    let ratio = pair.ratio.filter(|_| both)?;
    Some(Said { verdict: pair.verdict, ratio })
}

/// What a group says of the lanes of `pair`, in the pair's own order.
fn said_of(group: &Group, pair: &Comparison) -> Option<Said> {
    let lanes = (pair.first.as_str(), pair.second.as_str());
    group.comparisons.iter().filter(|other| other.metric == pair.metric).find_map(|other| {
        match (other.first.as_str(), other.second.as_str()) {
            same if same == lanes => said(group, other),
            (first, second) if (second, first) == lanes => {
                let Said { verdict, ratio } = said(group, other)?;
                Some(Said { verdict: verdict.reversed(), ratio: 1.0 / ratio })
            }
            _ => None,
        }
    })
}

impl Agreement {
    fn count(&mut self, workload: &WorkloadSummary, quick: &Group, full: &Group) {
        for pair in &quick.comparisons {
            let Some((one, other)) = said(quick, pair).zip(said_of(full, pair)) else { continue };
            let question = Question::of(pair.metric, quick);
            let relation = Relation::of(one.verdict, other.verdict);
            let told = one.verdict != Verdict::Alike;
            self.questions.entry(question).or_default().add(relation, told);
            if question.is_counted() {
                self.all.add(relation, told);
            }
            if relation != Relation::Same {
                self.differing.push(Differing {
                    workload: workload.name.clone(),
                    group: group_head(quick),
                    first: pair.first.clone(),
                    second: pair.second.clone(),
                    question,
                    relation,
                    quick: one,
                    full: other,
                });
            }
        }
    }

    fn count_cells(&mut self, quick: &Group, full: &Group) {
        for metric in [quick.primary(), Metric::Rss] {
            // Where too little is known for a rank, nothing is known to be better.
            let is_beaten = |row: &Row| {
                let rank = row.ranks.get(&metric);
                row.did_the_job().then(|| rank.is_some_and(|rank| rank.rank > 1))
            };
            for row in quick.rows.iter().filter(|row| !row.is_variant()) {
                let same = full.rows.iter().find(|other| other.lane == row.lane);
                let Some((one, other)) = is_beaten(row).zip(same.and_then(is_beaten)) else {
                    continue;
                };
                let relation = match (one, other) {
                    _ if one == other => Relation::Same,
                    (true, _) => Relation::OnlyQuick,
                    (false, _) => Relation::OnlyFull,
                };
                self.cells.add(relation, one);
            }
        }
    }

    /// Whether at least `least` of all cells (0.95 for 95 %) are judged the same, and no pair the
    /// opposite.
    pub fn is_enough(&self, least: f64) -> bool {
        self.all.reversed == 0 && self.cells.agreeing().is_some_and(|part| part >= least)
    }
}
