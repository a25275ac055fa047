//! What has changed, as text.

use harness::plan::Cell;

use super::{Changed, Diff};
use crate::cells::three_digits;
use crate::comparison::Metric;
use crate::sheet::{Line, Sheet};
use crate::stats::Interval;
use crate::stats::rank::Verdict;

impl Diff {
    /// What to know before any figure: cautions, and the noise floors that were used.
    pub fn preamble(&self) -> Vec<String> {
        let mut lines: Vec<_> =
            self.cautions.iter().map(|caution| format!("Caution: {caution}.")).collect();
        let floor = |metric: &Metric| {
            let percent = 100.0 * (self.floors.get(metric)?.exp() - 1.0);
            Some(format!("{} {} %", metric.name(), three_digits(percent)))
        };
        let floors: Vec<_> = Metric::ALL.iter().filter_map(floor).collect();
        lines.push(match floors.is_empty() {
            true => "Noise floor: none; neither record has a lane under two names.".to_owned(),
            false => format!(
                "Noise floor, the greater of both records: {}. Whatever is smaller is no change.",
                floors.join(", ")
            ),
        });
        lines
    }

    /// Whatever has changed distinguishably, with what has become more by over `threshold` (0.05
    /// for 5 %) marked; `None` if nothing has.
    pub fn sheet(&self, threshold: f64) -> Option<Sheet> {
        let mut lines = Vec::new();
        let mut group = String::new();
        for changed in self.changes() {
            let head = format!("{}, {}", changed.cell.workload, changed.group);
            if head != group {
                lines.push(Line::Group(head.clone()));
                group = head;
            }
            lines.push(changed.cells(threshold));
        }
        let heads = ["lane", "by", "before", "after", "×", "95 %", ""];
        (!lines.is_empty()).then(|| Sheet {
            title: "Changes".to_owned(),
            heads: heads.map(str::to_owned).to_vec(),
            lines,
            notes: vec![
                "Medians; ×: after to before, with the interval of this cell alone. A change is \
                 sure at 5 % after Holm over all cells of a metric, and beyond the noise floor."
                    .to_owned(),
            ],
        })
    }

    /// What there is to say below the table, one sentence each.
    pub fn conclusions(&self, threshold: f64) -> Vec<String> {
        let cells = self.cells.len();
        let (changes, regressions) = (self.changes().count(), self.regressions(threshold).count());
        let percent = (1e4 * threshold).round() / 100.0;
        let mut lines: Vec<_> = self
            .failed
            .iter()
            .map(|failed| format!("Failed after, and not before: {}: {}.", failed.cell, failed.why))
            .collect();
        let failed = |cell: &&Cell| !self.failed.iter().any(|failed| failed.cell == **cell);
        let missing: Vec<_> = self.only_before.iter().filter(failed).collect();
        lines.extend(listed("Only before", &missing));
        lines.extend(listed("Only after", &self.only_after.iter().collect::<Vec<_>>()));
        lines.push(match (cells, changes) {
            (0, _) => "The two records have no cell in common.".to_owned(),
            (_, 0) => format!("Nothing has changed distinguishably, of {cells} figures."),
            _ => format!(
                "Changed distinguishably: {changes} of {cells} figures; become more by over \
                 {percent} %: {regressions}."
            ),
        });
        lines
    }
}

/// How many cells are named before the rest is counted.
const NAMED_MOST: usize = 5;

fn listed(what: &str, cells: &[&Cell]) -> Option<String> {
    let named: Vec<_> = cells.iter().take(NAMED_MOST).map(|cell| cell.to_string()).collect();
    let left = cells.len().saturating_sub(NAMED_MOST);
    let more = if left > 0 { format!("; and {left} more") } else { String::new() };
    (!cells.is_empty()).then(|| format!("{what}: {}{more}.", named.join("; ")))
}

impl Changed {
    fn cells(&self, threshold: f64) -> Line {
        let (by, unit) = match self.metric {
            Metric::Wall => ("wall, ms", 1e6),
            Metric::Cpu => ("CPU, ms", 1e3),
            Metric::Rss => ("RSS, MiB", f64::from(1 << 20)),
        };
        let mark = match self.verdict {
            Verdict::More if self.is_regression(threshold) => "regression",
            Verdict::More => "more",
            _ => "less",
        };
        let between =
            |it: Interval| format!("{} to {}", three_digits(it.low), three_digits(it.high));
        Line::Cells(vec![
            self.cell.lane.clone(),
            by.to_owned(),
            three_digits(self.before / unit),
            three_digits(self.after / unit),
            self.ratio.map_or(String::new(), three_digits),
            self.interval.map_or(String::new(), between),
            mark.to_owned(),
        ])
    }
}
