//! Time over documents, taken apart: the wait, which all share, and the CPU time of each document,
//! which one thread can spend on nothing else.
//!
//! ```text
//!   ms │                  ╱ measured
//!      │               ╱╌╌╌ the wait + CPU time       Where both lines are one, a lane's time
//!      │            ╱╌╌                               grows by its CPU time, and no waiting
//!      │   ╱╌╌╱╌╌                                     is in it. Where the measured one lies
//!      │─ ─ ─ ─ ─ ─ ─ ─ ─ ─ the wait                  below, several threads share the work.
//!      └───────────────────── N, linear
//! ```

use job::Client;
use serde::Serialize;

use super::evidence::Series;
use super::finding::LEVEL;
use super::lanes::Lanes;
use super::ledger::{At, GrowthChart, GrowthLine, LanePlace, Measure};
use crate::cells::{NOTHING, three_digits};
use crate::chart;
use crate::sheet::{Line, Sheet};
use crate::stats::median_interval;
use crate::stats::{Interval, median};

/// Some lanes of one workload.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Growth {
    /// The workload's name.
    pub workload: String,
    /// What every document waits, milliseconds.
    pub delay_ms: f64,
    /// Every N, which rises.
    pub documents: Vec<u64>,
    /// A lane each.
    pub curves: Vec<Curve>,
    /// Lanes that the record has nothing of.
    pub missing: Vec<String>,
    /// Where and when.
    pub made: String,
}

/// One lane.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Curve {
    /// Its id.
    pub lane: String,
    /// What speaks HTTP.
    pub client: Client,
    /// By number of documents.
    pub points: Vec<CurvePoint>,
    /// What one more document adds to the wall, microseconds.
    pub wall_us: Option<Bounded>,
    /// What it takes of CPU time, microseconds.
    pub cpu_us: Option<Bounded>,
    /// The one over the other, round by round.
    pub part: Option<Bounded>,
}

/// One cell.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CurvePoint {
    /// N.
    pub documents: u64,
    /// The median wall.
    pub wall_ms: f64,
    /// Where that lies.
    pub interval: Option<Interval>,
    /// The median CPU time of the whole job.
    pub cpu_ms: f64,
}

/// A median over rounds, and where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bounded {
    /// The median.
    pub median: f64,
    /// Where it lies; `None` of too few rounds.
    pub interval: Option<Interval>,
}

impl Bounded {
    fn of(values: impl Iterator<Item = f64>) -> Option<Self> {
        let values: Vec<_> = values.collect();
        Some(Bounded { median: median(&values)?, interval: median_interval(&values, LEVEL) })
    }
}

impl Growth {
    /// Of the lanes that `asked` names, as far as the record has them; `None` if it has none at two
    /// N.
    pub(super) fn of(asked: &GrowthChart, lanes: &Lanes<'_>) -> Option<Self> {
        let recorded = lanes.recorded;
        let planned = recorded.plan.workloads.iter().find(|w| w.name == asked.workload)?;
        let of_workload = recorded.plan.cells.iter().filter(|p| p.cell.workload == asked.workload);
        let mut documents: Vec<_> = of_workload.map(|p| p.cell.point.documents).collect();
        documents.sort_unstable();
        documents.dedup();
        let mut growth = Growth {
            workload: asked.workload.clone(),
            delay_ms: planned.delay_us as f64 / 1e3,
            documents,
            curves: Vec::new(),
            missing: Vec::new(),
            made: chart::made(recorded),
        };
        for line in &asked.lines {
            match growth.curve(line, lanes) {
                Some(curve) => growth.curves.push(curve),
                None => growth.missing.push(line.lane.clone()),
            }
        }
        let most = growth.curves.iter().map(|curve| curve.points.len()).max();
        (most > Some(1)).then_some(growth)
    }

    fn curve(&self, line: &GrowthLine, lanes: &Lanes<'_>) -> Option<Curve> {
        let series = |measure, at| {
            let (workload, lane) = (self.workload.clone(), line.lane.clone());
            let place = LanePlace { workload, at, client: line.client, lane };
            lanes.series(measure, &place).ok().map(|(series, _)| series)
        };
        let point = |documents: &u64| {
            let at = At::Point { documents: *documents, concurrency: None };
            let walls: Vec<_> = series(Measure::Wall, at)?.into_values().collect();
            let cpus: Vec<_> = series(Measure::Cpu, at)?.into_values().collect();
            let (wall_ms, cpu_ms) = (median(&walls)?, median(&cpus)?);
            let interval = median_interval(&walls, LEVEL);
            Some(CurvePoint { documents: *documents, wall_ms, interval, cpu_ms })
        };
        let points: Vec<_> = self.documents.iter().filter_map(point).collect();
        let walls = series(Measure::Wall, At::EachDocument).unwrap_or_default();
        let cpus = series(Measure::Cpu, At::EachDocument).unwrap_or_default();
        let parts = walls.iter().filter_map(|(round, wall)| Some(wall / cpus.get(round)?));
        let (lane, client) = (line.lane.clone(), line.client);
        let part = Bounded::of(parts);
        let us = |series: &Series| Bounded::of(series.values().map(|ms| ms * 1e3));
        let (wall_us, cpu_us) = (us(&walls), us(&cpus));
        (!points.is_empty()).then_some(Curve { lane, client, points, wall_us, cpu_us, part })
    }

    /// Its figures.
    pub fn sheet(&self) -> Sheet {
        let text = |bounded: &Option<Bounded>| match bounded {
            None => NOTHING.to_owned(),
            Some(Bounded { median, interval: None }) => three_digits(*median),
            Some(Bounded { median, interval: Some(it) }) => {
                let [median, low, high] = [*median, it.low, it.high].map(three_digits);
                format!("{median} ({low}–{high})")
            }
        };
        let line = |curve: &Curve| {
            let name = format!("{}, {}", curve.lane, curve.client);
            Line::Cells(vec![name, text(&curve.wall_us), text(&curve.cpu_us), text(&curve.part)])
        };
        let heads = ["lane", "wall µs a document", "CPU µs a document", "wall ÷ CPU"];
        Sheet {
            title: format!("One more document, {}", self.workload),
            heads: heads.map(str::to_owned).to_vec(),
            lines: self.curves.iter().map(line).collect(),
            notes: vec![
                "Slopes over all N, one a round; medians of these with their 95 % intervals. About 1: \
                 the time grows by the CPU time of one thread. Less: several threads share the work, or \
                 some of it is done while others wait. More: something else grows, too, as the origin's \
                 own work does."
                    .to_owned(),
            ],
        }
    }

    /// For whoever cannot see it.
    pub fn alt(&self) -> String {
        let lanes: Vec<_> = self.curves.iter().map(|curve| curve.lane.as_str()).collect();
        format!(
            "Wall time over the number of documents, {}, beside the wait and CPU time: {}",
            self.workload,
            lanes.join(", ")
        )
    }

    /// As an SVG.
    pub fn svg(&self) -> String {
        chart::growth::draw(self)
    }
}

#[cfg(test)]
mod tests {
    use harness::record::Recorded;

    use super::*;
    use crate::claims::fixture::growing;
    use crate::summarise;

    fn growth(recorded: &Recorded) -> Option<Growth> {
        let line = |lane: &str| GrowthLine { lane: lane.into(), client: Client::Raw };
        let lines = ["other/slow", "stackful/hub", "other/go"].map(line).to_vec();
        let asked = GrowthChart { workload: "all-at-once".into(), lines };
        let summary = summarise(recorded);
        Growth::of(&asked, &Lanes::of(recorded, &summary))
    }

    #[test]
    fn a_slope_is_the_cpu_time_where_it_is() {
        let growth = growth(&growing()).unwrap();
        assert_eq!((growth.delay_ms, growth.missing.as_slice()), (20.0, &["other/go".into()][..]));
        let of =
            |curve: &Curve| [curve.wall_us, curve.cpu_us, curve.part].map(|it| it.unwrap().median);
        for (curve, each_us) in growth.curves.iter().zip([40.0, 10.0]) {
            let [wall, cpu, part] = of(curve);
            assert!((wall - each_us).abs() < 1e-6 && (cpu - each_us).abs() < 1e-6, "{curve:?}");
            assert!((part - 1.0).abs() < 1e-6);
            assert_eq!(curve.points.len(), 3);
            assert!(curve.points.iter().all(|p| (p.wall_ms - 20.0 - p.cpu_ms).abs() < 1e-6));
        }
        let Line::Cells(cells) = &growth.sheet().lines[1] else { panic!() };
        assert_eq!(cells[..2], ["stackful/hub, raw", "10.0 (10.0–10.0)"]);
    }

    #[test]
    fn of_one_point_there_is_none() {
        assert_eq!(growth(&crate::claims::fixture::compared()), None);
    }

    #[test]
    fn the_chart_has_each_lane_twice_and_the_wait() {
        let svg = growth(&growing()).unwrap().svg();
        assert_eq!(svg, growth(&growing()).unwrap().svg());
        for text in ["other/slow", "stackful/hub", "not run: other/go", "the wait", "\n300\n"] {
            assert!(svg.contains(text), "{text}: {svg}");
        }
    }
}
