//! A number for each round of a cell, or why there is none.

use std::collections::BTreeMap;

use harness::number::grouped;
use harness::plan::{Cell, Plan};
use harness::record::Recorded;
use harness::sample::Sample;

use super::ledger::{At, Measure, Side};
use crate::comparison::{Counted, counted};
use crate::stats::quantile;
use crate::stats::slope::Slope;
use crate::summary::{Row, Summary};

/// Fewer points make no slope that one of them alone could not turn.
const POINTS_LEAST: usize = 3;

const MIB: f64 = 1024.0 * 1024.0;

/// What a record has to say of claims.
#[derive(Debug)]
pub struct Evidence<'a> {
    plan: &'a Plan,
    rows: BTreeMap<Cell, &'a Row>,
    counted: Counted<'a>,
}

/// By round.
pub(super) type Series = BTreeMap<u32, f64>;

/// Why there is no series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Absent {
    /// It was not measured.
    Missing(String),
    /// It was, and the lane did not do the job.
    Failed(String),
}

impl<'a> Evidence<'a> {
    /// All of a record.
    pub fn of(recorded: &'a Recorded, summary: &'a Summary) -> Self {
        let rows = summary.cells().map(|(cell, _, row)| (cell, row)).collect();
        Evidence { plan: &recorded.plan, rows, counted: counted(recorded) }
    }

    /// What a side measures in each round, and what there is to say of its samples.
    pub(super) fn series(&self, side: &Side) -> Result<(Series, Vec<String>), Absent> {
        let mut cells = self.cells(side);
        if cells.is_empty() {
            return Err(Absent::Missing(self.why_not_planned(side)));
        }
        if let At::EachDocument = side.at {
            return self.slopes(side, &cells);
        }
        let (cell, row) = cells.remove(0);
        self.must_have_figures(&cell, row)?;
        let values = self.samples(&cell).map(|sample| (sample.round, value(side.measure, sample)));
        let note = row.note.as_ref().map(|note| format!("{}: {note}", side.lane));
        Ok((
            values.filter_map(|(round, value)| Some((round, value?))).collect(),
            note.into_iter().collect(),
        ))
    }

    /// What one more document takes, in each round that has three points.
    fn slopes(&self, side: &Side, cells: &[(Cell, &Row)]) -> Result<(Series, Vec<String>), Absent> {
        let mut points: BTreeMap<u32, Vec<(f64, f64)>> = BTreeMap::new();
        let mut absent = Vec::new();
        for (cell, row) in cells {
            if let Err(why) = self.must_have_figures(cell, row) {
                absent.push(why);
                continue;
            }
            for sample in self.samples(cell) {
                let n = cell.point.documents as f64;
                let value = value(side.measure, sample);
                points.entry(sample.round).or_default().extend(value.map(|value| (n, value)));
            }
        }
        points.retain(|_, points| points.len() >= POINTS_LEAST);
        if let (true, Some(why)) = (points.is_empty(), absent.first()) {
            return Err(why.clone());
        }
        // Its interval is not needed, as rounds give one.
        let slope = |points: &Vec<_>| Some(Slope::of(points, 0.95)?.slope);
        let slopes = points.iter().filter_map(|(round, points)| Some((*round, slope(points)?)));
        let notes = absent.iter().map(|(Absent::Missing(why) | Absent::Failed(why))| why.clone());
        Ok((slopes.collect(), notes.collect()))
    }

    /// The cells of a side; more than one only where a slope is asked for.
    fn cells(&self, side: &Side) -> Vec<(Cell, &'a Row)> {
        let is_it = |cell: &Cell| {
            cell.workload == side.workload
                && cell.lane == side.lane
                && cell.client == side.client
                && cell.placement.is_unpinned()
                && cell.point.rate.is_none()
                && match side.at {
                    At::EachDocument => true,
                    At::Point { documents, concurrency } => {
                        cell.point.documents == documents
                            && concurrency.is_none_or(|c| cell.point.concurrency == c)
                    }
                }
        };
        let all = self.rows.iter().filter(|(cell, _)| is_it(cell));
        all.map(|(cell, row)| (cell.clone(), *row)).collect()
    }

    fn samples(&self, cell: &Cell) -> impl Iterator<Item = &'a Sample> {
        self.counted.get(cell).into_iter().flatten().copied()
    }

    fn must_have_figures(&self, cell: &Cell, row: &Row) -> Result<(), Absent> {
        if row.figures.is_some() {
            return Ok(());
        }
        let why = row.note.as_deref().unwrap_or("no sample counts");
        let why = format!("{} at N = {}: {why}", cell.lane, grouped(cell.point.documents));
        let is_planned = |planned: &&harness::plan::PlannedCell| planned.cell == *cell;
        let planned = self.plan.cells.iter().find(is_planned);
        let was_run = planned.is_some_and(|planned| planned.not_run.is_none());
        Err(if was_run && row.failed { Absent::Failed(why) } else { Absent::Missing(why) })
    }

    fn why_not_planned(&self, side: &Side) -> String {
        let workload = self.plan.workloads.iter().find(|workload| workload.name == side.workload);
        let has_lane = self.plan.cells.iter().any(|planned| planned.cell.lane == side.lane);
        match workload {
            None => format!("{} is not in this record", side.workload),
            Some(workload) if workload.not_run.is_some() => {
                format!("{}: {}", side.workload, workload.not_run.as_deref().unwrap_or_default())
            }
            Some(_) if !has_lane => format!("{} is not in this record", side.lane),
            Some(_) => {
                format!("{} is not in this record at this point of {}", side.lane, side.workload)
            }
        }
    }
}

/// In [`Measure::unit`].
fn value(measure: Measure, sample: &Sample) -> Option<f64> {
    let job = sample.job.as_ref()?;
    let process_ms = sample.process.wall_ns as f64 / 1e6;
    let wall_ms = job.wall_ns as f64 / 1e6;
    let service = |part| Some(quantile(&job.service_times_ns, part)? as f64 / 1e6);
    match measure {
        Measure::Wall => Some(wall_ms),
        Measure::ProcessWall => Some(process_ms),
        Measure::Cpu => Some(job.usage?.cpu_us() as f64 / 1e3),
        Measure::UserCpu => Some(job.usage?.user_us as f64 / 1e3),
        Measure::Rss => Some(job.rss_bytes_peak? as f64 / MIB),
        Measure::Throughput => Some(sample.cell.point.documents as f64 / (wall_ms / 1e3)),
        Measure::ServiceTime => service(0.5),
        Measure::ServiceTimeP99 => service(0.99),
    }
}

#[cfg(test)]
mod tests {
    use harness::plan::NotRun;
    use job::Client;

    use super::*;
    use crate::claims::fixture::{compared, growing};
    use crate::{fixture, summarise};

    fn side(measure: Measure, at: At, lane: &str) -> Side {
        let (workload, client) = ("all-at-once".to_owned(), Client::Raw);
        Side { measure, workload, at, client, lane: lane.to_owned(), line: 1 }
    }

    fn series(recorded: &Recorded, side: &Side) -> Result<(Series, Vec<String>), Absent> {
        let summary = summarise(recorded);
        Evidence::of(recorded, &summary).series(side)
    }

    const AT: At = At::Point { documents: 100, concurrency: None };

    #[test]
    fn each_round_has_its_value() {
        let walls = series(&compared(), &side(Measure::Wall, AT, "other/slow")).unwrap().0;
        assert_eq!(walls.len(), 12);
        assert!(walls.values().all(|ms| (29.0..31.0).contains(ms)), "{walls:?}");
        let of = |measure| series(&compared(), &side(measure, AT, "stackful/hub")).unwrap().0[&3];
        assert_eq!((of(Measure::Cpu), of(Measure::UserCpu)), (0.15, 0.1));
        assert_eq!((of(Measure::Rss), of(Measure::ServiceTime)), (2.0, 1.0));
        assert_eq!(of(Measure::ProcessWall), 9.0);
        assert!((of(Measure::Throughput) - 5_000.0).abs() < 100.0);
    }

    #[test]
    fn one_more_document_costs_what_it_costs_without_what_there_is_at_none() {
        for (lane, each_ms) in [("other/slow", 0.04), ("stackful/hub", 0.01)] {
            for measure in [Measure::Wall, Measure::Cpu] {
                let side = side(measure, At::EachDocument, lane);
                let slopes = series(&growing(), &side).unwrap().0;
                assert_eq!(slopes.len(), 12);
                assert!(slopes.values().all(|ms| (ms - each_ms).abs() < 1e-9), "{slopes:?}");
            }
        }
    }

    #[test]
    fn what_was_not_measured_says_why() {
        let missing = |side: &Side| match series(&compared(), side).unwrap_err() {
            Absent::Missing(why) => why,
            failed => panic!("{failed:?}"),
        };
        let mut asked = side(Measure::Wall, AT, "other/trio");
        assert_eq!(missing(&asked), "other/trio is not in this record");
        asked.lane = "stackful/hub".into();
        asked.client = Client::Library;
        assert_eq!(
            missing(&asked),
            "stackful/hub is not in this record at this point of all-at-once"
        );
        asked.workload = "articles-few".into();
        assert_eq!(missing(&asked), "articles-few is not in this record");
        let mut recorded = compared();
        let of_hub = |lane: &str| lane == "stackful/hub";
        for planned in recorded.plan.cells.iter_mut().filter(|p| of_hub(&p.cell.lane)) {
            planned.not_run = Some(NotRun::Refused("python is not set up".into()));
        }
        recorded.samples.retain(|sample| !of_hub(&sample.cell.lane));
        let refused = series(&recorded, &side(Measure::Wall, AT, "stackful/hub")).unwrap_err();
        let why = "stackful/hub at N = 100: python is not set up".to_owned();
        assert_eq!(refused, Absent::Missing(why));
    }

    #[test]
    fn a_lane_that_failed_is_told_apart_from_one_that_was_disturbed() {
        for (spoil, has_failed) in
            [(fixture::fail as fn(&mut Sample), true), (fixture::disturb, false)]
        {
            let mut recorded = compared();
            let of_hub = recorded.samples.iter_mut().filter(|s| s.cell.lane == "stackful/hub");
            of_hub.take(5).for_each(spoil);
            let absent = series(&recorded, &side(Measure::Wall, AT, "stackful/hub")).unwrap_err();
            assert_eq!(matches!(absent, Absent::Failed(_)), has_failed, "{absent:?}");
        }
        let mut recorded = compared();
        let of_hub = recorded.samples.iter_mut().filter(|s| s.cell.lane == "stackful/hub");
        of_hub.take(2).for_each(fixture::fail);
        let (walls, notes) = series(&recorded, &side(Measure::Wall, AT, "stackful/hub")).unwrap();
        assert_eq!((walls.len(), notes.len()), (10, 1));
        assert!(notes[0].starts_with("stackful/hub: 2 of 12 samples do not count"), "{notes:?}");
    }
}
