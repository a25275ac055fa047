//! Several records of one thing: how well does each figure repeat?
//!
//! ```text
//!   record ─► median ─┐
//!   record ─► median ─┼─► (greatest − least) ÷ median, for every cell that all records have
//!   record ─► median ─┘
//! ```
//!
//! The spread within a run says nothing of this: what was slower throughout a run is in every one
//! of its samples.

use std::collections::BTreeMap;

use harness::Recorded;
use harness::plan::Cell;
use harness::sample::Sample;
use serde::Serialize;

use crate::cells::{group_head, three_digits};
use crate::comparison::{Counted, Metric, counted};
use crate::sheet::{Line, Sheet};
use crate::stats::median;
use crate::summary::{is_void, summarise};

/// How well one figure of one cell repeats.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Repeats {
    /// The median of each record, in the order of the records.
    pub medians: Vec<f64>,
    /// The median of these.
    pub median: f64,
    /// Greatest less least, to the median: 0.03 for 3 %.
    pub spread: f64,
}

impl Repeats {
    /// Of the median of each record; `None` without any, or around 0.
    fn of(medians: Vec<f64>) -> Option<Self> {
        let middle = median(&medians).filter(|middle| *middle > 0.0)?;
        let least = medians.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = medians.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Some(Repeats { medians, median: middle, spread: (greatest - least) / middle })
    }
}

/// One cell that all records have.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RepeatedCell {
    /// The cell.
    #[serde(flatten)]
    pub cell: Cell,
    /// Its group, as tables call it.
    #[serde(skip)]
    pub group: String,
    /// Verified documents a second; `None` in an open loop, where a schedule gives them.
    pub throughput: Option<Repeats>,
    /// CPU time, microseconds a document.
    pub cpu_us_per_document: Option<Repeats>,
    /// Peak resident memory, bytes, of the whole process.
    pub rss_bytes_peak: Option<Repeats>,
}

/// Several records of one thing.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Repetition {
    /// How many records.
    pub records: usize,
    /// Cells that all of them have, in the order of the first one's plan.
    pub cells: Vec<RepeatedCell>,
}

/// Looks at how well each figure repeats over `records`, in every cell that all have measured.
pub fn repetition(records: &[Recorded]) -> Repetition {
    let counted: Vec<_> = records.iter().map(counted_cells).collect();
    let first = records.first().map(summarise);
    let cells = first.iter().flat_map(|first| first.cells()).filter_map(|(cell, group, _)| {
        let samples: Vec<&[&Sample]> =
            counted.iter().map(|of| of.get(&cell).map(Vec::as_slice)).collect::<Option<_>>()?;
        let group = group_head(group);
        let documents = cell.point.documents as f64;
        let figure = |metric: Metric, of: &dyn Fn(f64) -> f64| {
            let middle = |samples: &&[&Sample]| {
                let values: Vec<_> = samples.iter().filter_map(|s| metric.of(s)).collect();
                median(&values).map(of)
            };
            Repeats::of(samples.iter().map(middle).collect::<Option<_>>()?)
        };
        let is_given = cell.point.rate.is_some();
        Some(RepeatedCell {
            throughput: figure(Metric::Wall, &|ns| documents / (ns / 1e9)).filter(|_| !is_given),
            cpu_us_per_document: figure(Metric::Cpu, &|us| us / documents),
            rss_bytes_peak: figure(Metric::Rss, &|bytes| bytes),
            cell,
            group,
        })
    });
    Repetition { records: records.len(), cells: cells.collect() }
}

/// The samples that count, of every cell that too many void samples have not voided.
fn counted_cells(recorded: &Recorded) -> Counted<'_> {
    let mut taken: BTreeMap<&Cell, usize> = BTreeMap::new();
    for sample in recorded.samples.iter().filter(|sample| !sample.warmup) {
        *taken.entry(&sample.cell).or_default() += 1;
    }
    let mut cells = counted(recorded);
    cells.retain(|cell, valid| !is_void(taken[cell], valid.len()));
    cells
}

impl Repetition {
    /// One table a workload.
    pub fn sheets(&self) -> Vec<Sheet> {
        let mut workloads: Vec<&str> = Vec::new();
        for RepeatedCell { cell, .. } in &self.cells {
            if !workloads.contains(&cell.workload.as_str()) {
                workloads.push(&cell.workload);
            }
        }
        workloads.into_iter().map(|workload| self.sheet(workload)).collect()
    }

    fn sheet(&self, workload: &str) -> Sheet {
        let mut lines = Vec::new();
        let mut group = "";
        for repeated in self.cells.iter().filter(|repeated| repeated.cell.workload == workload) {
            if repeated.group != group {
                group = &repeated.group;
                lines.push(Line::Group(group.to_owned()));
            }
            lines.push(repeated.cells());
        }
        let heads = ["lane", "docs/s", "± %", "CPU µs/doc", "± %", "RSS MiB", "± %"];
        Sheet {
            title: workload.to_owned(),
            heads: heads.map(str::to_owned).to_vec(),
            lines,
            notes: Vec::new(),
        }
    }

    /// One line for each kind of workload: how well that repeats which it is judged by.
    pub fn conclusions(&self) -> Vec<String> {
        let open: &dyn Fn(&RepeatedCell) -> bool = &|repeated| repeated.cell.point.rate.is_some();
        let closed: &dyn Fn(&RepeatedCell) -> bool = &|repeated| !open(repeated);
        let cpu: Figure = |repeated| repeated.cpu_us_per_document.as_ref();
        let throughput: Figure = |repeated| repeated.throughput.as_ref();
        let lines = [
            self.conclusion("Open loop, CPU a document", open, cpu),
            self.conclusion("Closed loop, throughput", closed, throughput),
            self.conclusion("Closed loop, CPU a document", closed, cpu),
        ];
        lines.into_iter().flatten().collect()
    }

    fn conclusion(
        &self,
        what: &str,
        is_of_kind: &dyn Fn(&RepeatedCell) -> bool,
        figure: Figure,
    ) -> Option<String> {
        let of_kind = self.cells.iter().filter(|repeated| is_of_kind(repeated));
        let spreads: BTreeMap<_, _> = of_kind
            .filter_map(|repeated| Some((&repeated.cell, figure(repeated)?.spread)))
            .collect();
        let middle = median(&spreads.values().copied().collect::<Vec<_>>())?;
        let (worst, greatest) = spreads.iter().max_by(|a, b| a.1.total_cmp(b.1))?;
        Some(format!(
            "{what}: over {} records, (greatest − least) ÷ median is {:.1} % at the median of {} \
             cells, and {:.1} % at most ({worst}).",
            self.records,
            100.0 * middle,
            spreads.len(),
            100.0 * greatest,
        ))
    }
}

type Figure = fn(&RepeatedCell) -> Option<&Repeats>;

impl RepeatedCell {
    fn cells(&self) -> Line {
        let mut cells = vec![self.cell.lane.clone()];
        let figures = [
            (&self.throughput, 1.0),
            (&self.cpu_us_per_document, 1.0),
            (&self.rss_bytes_peak, f64::from(1 << 20)),
        ];
        for (figure, unit) in figures {
            cells.extend(match figure {
                Some(figure) => {
                    [three_digits(figure.median / unit), format!("{:.1}", 100.0 * figure.spread)]
                }
                None => ["-".to_owned(), "-".to_owned()],
            });
        }
        Line::Cells(cells)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::table::{Style, WIDTH};

    /// The fixture, with all walls so many times as long.
    fn times(times: f64) -> Recorded {
        let mut recorded = fixture::compared();
        fixture::scale_walls(&mut recorded, 20.0 * times);
        recorded
    }

    #[test]
    fn what_is_the_same_every_time_has_no_spread() {
        let repeated = repetition(&[times(1.0), times(1.0)]);
        assert_eq!((repeated.records, repeated.cells.len()), (2, 3), "a variant is no contestant");
        for cell in &repeated.cells {
            let figures = [&cell.throughput, &cell.cpu_us_per_document, &cell.rss_bytes_peak];
            assert!(figures.iter().all(|figure| figure.as_ref().unwrap().spread == 0.0));
        }
        let cpu = repeated.cells[0].cpu_us_per_document.as_ref().unwrap();
        assert_eq!((cpu.median, cpu.medians.as_slice()), (1.5, [1.5, 1.5].as_slice()));
    }

    #[test]
    fn the_spread_is_from_least_to_greatest_by_the_median() {
        let repeated = repetition(&[times(1.0), times(1.25), times(0.8)]);
        // A throughput of 1 : 0.8 : 1.25.
        let spread = |cell: &RepeatedCell| cell.throughput.as_ref().unwrap().spread;
        assert!(repeated.cells.iter().all(|cell| (spread(cell) - 0.45).abs() < 0.01));
        let conclusions = repeated.conclusions();
        assert!(conclusions[0].starts_with("Closed loop, throughput: over 3 records"));
        assert!(conclusions[0].contains("is 45.0 % at the median of 3 cells, and 45.0 % at most"));
        assert!(conclusions[1].contains("CPU a document") && conclusions[1].contains("is 0.0 %"));
    }

    #[test]
    fn only_cells_that_all_have_are_looked_at() {
        let mut other = times(1.0);
        other.samples.retain(|sample| sample.cell.lane != fixture::LANES[1]);
        assert_eq!(repetition(&[times(1.0), other]).cells.len(), 2);
        let mut disturbed = times(1.0);
        let of_hub = disturbed.samples.iter_mut().filter(|s| s.cell.lane == fixture::LANES[1]);
        of_hub.take(5).for_each(fixture::disturb);
        assert_eq!(repetition(&[times(1.0), disturbed]).cells.len(), 2, "5 of 12 are too many");
        assert!(repetition(&[]).cells.is_empty());
    }

    #[test]
    fn in_an_open_loop_the_throughput_is_given() {
        let records = [fixture::at_rate(2_000), fixture::at_rate(2_000)];
        let repeated = repetition(&records);
        assert!(repeated.cells.iter().all(|cell| cell.throughput.is_none()));
        let conclusions = repeated.conclusions();
        assert!(conclusions.len() == 1 && conclusions[0].starts_with("Open loop, CPU a document"));
    }

    #[test]
    fn there_is_a_table_a_workload_in_the_order_of_the_plan() {
        let sheets = repetition(&[times(1.0), times(12_345.0)]).sheets();
        let lines = sheets[0].terminal(Style::Plain);
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH), "{lines:#?}");
        let lanes: Vec<_> = lines[6..].iter().filter_map(|l| l.split_whitespace().next()).collect();
        assert_eq!(lanes, fixture::LANES);
    }
}
