//! How far two records agree, as tables.

use super::{Agreement, Counts, Differing, Question, Relation, Said};
use crate::cells::three_digits;
use crate::sheet::{Line, Sheet};
use crate::stats::rank::Verdict;

impl Agreement {
    /// The counts as a table.
    pub fn sheet(&self) -> Sheet {
        let mut lines = Vec::new();
        for (question, counts) in &self.questions {
            if !question.is_counted() {
                lines.push(cells("in all", &self.all));
            }
            lines.push(cells(question.name(), counts));
        }
        if !self.questions.contains_key(&Question::Cpu) {
            lines.push(cells("in all", &self.all));
        }
        lines.insert(0, Line::Group("pairs of lanes: which is better".to_owned()));
        lines.push(Line::Group("cells: whether any lane is better".to_owned()));
        lines.push(cells("wall, or CPU in an open loop, and RSS", &self.cells));
        let heads = [
            "question",
            "verdicts",
            "the same",
            "told",
            "only quick",
            "only full",
            "reversed",
            "agree",
        ];
        Sheet {
            title: format!("Verdicts in {} groups that both have", self.groups),
            heads: heads.map(str::to_owned).to_vec(),
            lines,
            notes: vec![
                "told: of the same, those in which both tell a difference; of the rest, both say \
                 that nothing can be told. only quick, only full: one of the two tells a \
                 difference."
                    .to_owned(),
            ],
        }
    }

    /// The first `most` pairs on which the records differ, as a table; `None` if there are none.
    pub fn differing_sheet(&self, most: usize) -> Option<Sheet> {
        let mut lines: Vec<Line> = Vec::new();
        let mut group = String::new();
        for pair in self.differing.iter().take(most) {
            let head = format!("{}, {}", pair.workload, pair.group);
            if head != group {
                lines.push(Line::Group(head.clone()));
                group = head;
            }
            lines.push(pair.cells());
        }
        let left = self.differing.len().saturating_sub(most);
        let notes = (left > 0).then(|| format!("… and {left} more; --json has them all"));
        (!lines.is_empty()).then(|| Sheet {
            title: "Pairs on which they differ".to_owned(),
            heads: ["first : second", "by", "quick", "full", ""].map(str::to_owned).to_vec(),
            lines,
            notes: notes.into_iter().collect(),
        })
    }
}

impl Question {
    fn name(self) -> &'static str {
        match self {
            Question::Wall => "faster: wall, closed loop",
            Question::CpuAtRate => "cheaper: CPU, open loop",
            Question::Rss => "smaller: RSS",
            Question::Cpu => "beside: CPU, closed loop",
        }
    }
}

impl Differing {
    fn cells(&self) -> Line {
        let by = match self.question {
            Question::Wall => "wall",
            Question::CpuAtRate | Question::Cpu => "CPU",
            Question::Rss => "RSS",
        };
        let mark = if self.relation == Relation::Reversed { "reversed" } else { "" };
        let said = |said: Said| {
            let verdict = match said.verdict {
                Verdict::Less => "less",
                Verdict::More => "more",
                Verdict::Alike => "alike",
            };
            format!("{verdict} ×{}", three_digits(said.ratio))
        };
        let lanes = format!("{} : {}", self.first, self.second);
        let cells = [lanes, by.to_owned(), said(self.quick), said(self.full), mark.to_owned()];
        Line::Cells(cells.to_vec())
    }
}

fn cells(name: &str, counts: &Counts) -> Line {
    let numbers = [
        counts.verdicts(),
        counts.same,
        counts.same_and_told,
        counts.only_quick,
        counts.only_full,
        counts.reversed,
    ];
    let percent = counts.agreeing().map_or("-".to_owned(), |part| format!("{:.1} %", 100.0 * part));
    let numbers = numbers.map(|number| number.to_string());
    Line::Cells(std::iter::once(name.to_owned()).chain(numbers).chain([percent]).collect())
}
