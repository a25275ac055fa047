//! One chart of a record: wall time over the number of documents, a line a lane.
//!
//! ```text
//!   ms │                      ▪──── blocking/pool
//!      │              ▪──────▪╴╴╴╴╴ stackful/may       what [`labels`] moves apart
//!      │      ▪──────▪
//!      │▪────▪─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ nothing but the wait
//!      └─────────────────────────   both axes are a [`scale`]
//! ```
//!
//! It is an SVG for a page that may be light or dark, so it has no background, and whatever is not a
//! lane's is of a grey that can be read on both. It is the same for the same record, byte by byte: a
//! test compares them.
//!
//! * here: what is to be seen;
//! * [`scale`] and [`labels`]: where;
//! * `draw`: how it looks;
//! * `elements`: what it is drawn with;
//! * `growth` and [`linear`]: another chart with the same means, of a claim about growth.

use harness::plan::{Cell, PlannedWorkload};
use harness::record::Recorded;
use job::Client;

use crate::comparison::{Counted, Metric, counted};
use crate::stats::{Interval, median_interval};
use crate::summary::{Group, Row, Summary};

mod draw;
pub(crate) mod elements;
pub(crate) mod growth;
pub mod labels;
pub mod linear;
pub mod scale;

/// How sure the interval around each median is.
const LEVEL: f64 = 0.95;

/// A chart, but for its looks.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    workload: PlannedWorkload,
    client: Client,
    /// Whether every point has as many requests in flight as documents.
    is_all_at_once: bool,
    concurrency: u64,
    lines: Vec<Line>,
    ideal: Vec<(u64, f64)>,
    not_run: Vec<String>,
    samples: (usize, usize),
    made: String,
}

/// One lane.
#[derive(Debug, Clone, PartialEq)]
struct Line {
    lane: String,
    /// By number of documents, which rises.
    points: Vec<LinePoint>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct LinePoint {
    documents: u64,
    median_ms: f64,
    interval: Option<Interval>,
}

impl Chart {
    /// Of one workload with one client, where nothing is pinned. `None` of a workload that is not
    /// there, is an open loop, or has no lane with figures.
    pub fn of(
        recorded: &Recorded,
        summary: &Summary,
        workload: &str,
        client: Client,
    ) -> Option<Self> {
        let planned = recorded.plan.workloads.iter().find(|planned| planned.name == workload)?;
        let counted = counted(recorded);
        let is_shown = |(cell, _, _): &(Cell, &Group, &Row)| {
            cell.workload == workload
                && cell.client == client
                && cell.placement.is_unpinned()
                && cell.point.rate.is_none()
        };
        let cells: Vec<_> = summary.cells().filter(is_shown).collect();
        let mut chart = Chart {
            workload: planned.clone(),
            client,
            is_all_at_once: cells.iter().all(|(c, ..)| c.point.documents == c.point.concurrency),
            concurrency: cells.iter().map(|(cell, ..)| cell.point.concurrency).max()?,
            lines: Vec::new(),
            ideal: Vec::new(),
            not_run: Vec::new(),
            samples: (usize::MAX, 0),
            made: made(recorded),
        };
        for (cell, _, row) in &cells {
            chart.add(cell, row, &counted);
        }
        chart.finish()
    }

    fn add(&mut self, cell: &Cell, row: &Row, counted: &Counted<'_>) {
        let Some(figures) = &row.figures else {
            self.not_run.push(row.lane.clone());
            return;
        };
        let samples = counted.get(cell).map_or(&[][..], Vec::as_slice);
        let walls: Vec<_> =
            samples.iter().filter_map(|s| Some(Metric::Wall.of(s)? / 1e6)).collect();
        let (least, most) = self.samples;
        self.samples = (least.min(walls.len()), most.max(walls.len()));
        let documents = cell.point.documents;
        let interval = median_interval(&walls, LEVEL);
        let point = LinePoint { documents, median_ms: figures.wall_ms.median, interval };
        match self.lines.iter_mut().find(|line| line.lane == row.lane) {
            Some(line) => line.points.push(point),
            None => self.lines.push(Line { lane: row.lane.clone(), points: vec![point] }),
        }
        let waits = documents.div_ceil(cell.point.concurrency) * self.workload.delay_us;
        self.ideal.push((documents, waits as f64 / 1e3));
    }

    /// Puts in order what was added, if anything was.
    fn finish(mut self) -> Option<Self> {
        for line in &mut self.lines {
            line.points.sort_by_key(|point| point.documents);
        }
        self.ideal.sort_by_key(|(documents, _)| *documents);
        self.ideal.dedup();
        // What ran somewhere is seen not to go on.
        self.not_run.retain(|lane| self.lines.iter().all(|line| line.lane != *lane));
        self.not_run.dedup();
        (!self.lines.is_empty()).then_some(self)
    }

    /// For whoever cannot see it.
    pub fn alt(&self) -> String {
        let lanes: Vec<_> = self.lines.iter().map(|line| line.lane.as_str()).collect();
        let (workload, client) = (&self.workload.name, self.client);
        format!(
            "Wall time over the number of documents, {workload}, client {client}: {}",
            lanes.join(", ")
        )
    }

    /// As an SVG.
    pub fn svg(&self) -> String {
        draw::draw(self)
    }
}

/// Where and when.
pub(crate) fn made(recorded: &Recorded) -> String {
    let environment = &recorded.environment;
    let day: String = environment.started.chars().take_while(|c| *c != 'T').collect();
    let virtual_machine = if environment.virtual_machine { " (virtual)" } else { "" };
    format!("{} × {}{virtual_machine}, {day}", environment.processors, environment.cpu_model)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fixture, summarise};

    fn chart(recorded: &Recorded, client: Client) -> Option<Chart> {
        Chart::of(recorded, &summarise(recorded), "all-at-once", client)
    }

    #[test]
    fn a_lane_is_a_line_and_one_that_did_not_run_is_named() {
        let chart = chart(&fixture::recorded(), Client::Raw).unwrap();
        let lanes: Vec<_> = chart.lines.iter().map(|line| line.lane.as_str()).collect();
        assert_eq!(lanes, fixture::LANES[1..]);
        assert_eq!(chart.not_run, fixture::LANES[..1]);
        // 13 turns of 20 ms, since at most 8 of 100 are in flight.
        assert_eq!(chart.ideal, [(100, 260.0)]);
        assert_eq!(chart.samples, (2, 3));
        assert!(chart.svg().contains("not run: blocking/sequential"), "{}", chart.svg());
    }

    #[test]
    fn points_stand_in_the_order_of_their_documents() {
        let chart = chart(&fixture::inspected(), Client::Raw).unwrap();
        let documents: Vec<_> = chart.lines[0].points.iter().map(|point| point.documents).collect();
        assert_eq!(documents, [100, 200, 300]);
        assert!(chart.is_all_at_once);
    }

    #[test]
    fn medians_have_their_intervals_where_there_are_samples_enough() {
        let few = chart(&fixture::recorded(), Client::Raw).unwrap();
        assert_eq!(few.lines[0].points[0].interval, None);
        let many = chart(&fixture::compared(), Client::Raw).unwrap();
        let point = many.lines[0].points[0];
        assert!(point.interval.unwrap().contains(point.median_ms), "{point:?}");
    }

    #[test]
    fn there_is_none_of_what_is_not_there() {
        let recorded = fixture::recorded();
        let summary = summarise(&recorded);
        assert_eq!(Chart::of(&recorded, &summary, "other", Client::Raw), None);
        assert_eq!(chart(&fixture::at_rate(500), Client::Raw), None);
    }

    #[test]
    fn it_is_the_same_every_time_and_escapes_what_it_does_not_know() {
        let mut recorded = fixture::compared();
        recorded.plan.workloads[0].name = "a<b>&\"c\"".into();
        let cells = recorded.plan.cells.iter_mut().map(|planned| &mut planned.cell);
        let samples = recorded.samples.iter_mut().map(|sample| &mut sample.cell);
        cells.chain(samples).for_each(|cell| cell.workload = "a<b>&\"c\"".into());
        let draw = || {
            let chart = Chart::of(&recorded, &summarise(&recorded), "a<b>&\"c\"", Client::Raw);
            chart.unwrap().svg()
        };
        assert_eq!(draw(), draw());
        assert!(draw().contains("a&lt;b&gt;&amp;"), "{}", draw());
    }
}
