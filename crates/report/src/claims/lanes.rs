//! A number for each round of a lane's cell, or why there is none.

use std::collections::BTreeMap;

use harness::number::grouped;
use harness::plan::Cell;
use harness::record::Recorded;
use harness::sample::Sample;

use super::evidence::{Absent, Found};
use super::ledger::{At, LanePlace, Measure};
use crate::comparison::{Counted, counted};
use crate::stats::quantile;
use crate::stats::slope::Slope;
use crate::summary::{Row, Summary};

/// Fewer points make no slope that one of them alone could not turn.
pub(super) const POINTS_LEAST: usize = 3;

pub(super) const MIB: f64 = 1024.0 * 1024.0;

/// What a record of lanes has to say of claims.
#[derive(Debug)]
pub(super) struct Lanes<'a> {
    pub(super) recorded: &'a Recorded,
    rows: BTreeMap<Cell, &'a Row>,
    counted: Counted<'a>,
}

impl<'a> Lanes<'a> {
    /// All of a record.
    pub(super) fn of(recorded: &'a Recorded, summary: &'a Summary) -> Self {
        let rows = summary.cells().map(|(cell, _, row)| (cell, row)).collect();
        Lanes { recorded, rows, counted: counted(recorded) }
    }

    /// What is measured there in each round, and what there is to say of its samples.
    pub(super) fn series(&self, measure: Measure, place: &LanePlace) -> Found {
        let mut cells = self.cells(place);
        if cells.is_empty() {
            return Err(Absent::Unplanned(self.why_not_planned(place)));
        }
        if let At::EachDocument = place.at {
            return self.slopes(measure, &cells);
        }
        let (cell, row) = cells.remove(0);
        self.must_have_figures(&cell, row)?;
        let values = self.samples(&cell).map(|sample| (sample.round, value(measure, sample)));
        let note = row.note.as_ref().map(|note| format!("{}: {note}", place.lane));
        Ok((
            values.filter_map(|(round, value)| Some((round, value?))).collect(),
            note.into_iter().collect(),
        ))
    }

    /// What one more document takes, in each round that has three points.
    fn slopes(&self, measure: Measure, cells: &[(Cell, &Row)]) -> Found {
        let mut points: BTreeMap<u32, Vec<(f64, f64)>> = BTreeMap::new();
        let mut absent = Vec::new();
        for (cell, row) in cells {
            if let Err(why) = self.must_have_figures(cell, row) {
                absent.push(why);
                continue;
            }
            for sample in self.samples(cell) {
                let n = cell.point.documents as f64;
                let value = value(measure, sample);
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
        let notes = absent.into_iter().map(Absent::why);
        Ok((slopes.collect(), notes.collect()))
    }

    /// The cells of a place; more than one only where a slope is asked for.
    fn cells(&self, place: &LanePlace) -> Vec<(Cell, &'a Row)> {
        let is_it = |cell: &Cell| {
            cell.workload == place.workload
                && cell.lane == place.lane
                && cell.client == place.client
                && cell.placement.is_unpinned()
                && cell.point.rate.is_none()
                && match place.at {
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
        let planned = self.recorded.plan.cells.iter().find(is_planned);
        let was_run = planned.is_some_and(|planned| planned.not_run.is_none());
        Err(if was_run && row.failed { Absent::Failed(why) } else { Absent::Missing(why) })
    }

    fn why_not_planned(&self, place: &LanePlace) -> String {
        let workload =
            self.recorded.plan.workloads.iter().find(|workload| workload.name == place.workload);
        let has_lane =
            self.recorded.plan.cells.iter().any(|planned| planned.cell.lane == place.lane);
        match workload {
            None => format!("{} is not in this record", place.workload),
            Some(workload) if workload.not_run.is_some() => {
                format!("{}: {}", place.workload, workload.not_run.as_deref().unwrap_or_default())
            }
            Some(_) if !has_lane => format!("{} is not in this record", place.lane),
            Some(_) => {
                format!("{} is not in this record at this point of {}", place.lane, place.workload)
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
        Measure::Memory | Measure::MemoryEach => None,
    }
}

#[cfg(test)]
mod tests {
    use harness::plan::NotRun;
    use job::Client;

    use super::*;
    use crate::claims::fixture::{compared, growing};
    use crate::{fixture, summarise};

    fn place(at: At, lane: &str) -> LanePlace {
        let (workload, client) = ("all-at-once".to_owned(), Client::Raw);
        LanePlace { workload, at, client, lane: lane.to_owned() }
    }

    fn series(recorded: &Recorded, measure: Measure, place: &LanePlace) -> Found {
        let summary = summarise(recorded);
        Lanes::of(recorded, &summary).series(measure, place)
    }

    fn walls(recorded: &Recorded, lane: &str) -> Found {
        series(recorded, Measure::Wall, &place(AT, lane))
    }

    const AT: At = At::Point { documents: 100, concurrency: None };

    #[test]
    fn each_round_has_its_value() {
        let walls = walls(&compared(), "other/slow").unwrap().0;
        assert_eq!(walls.len(), 12);
        assert!(walls.values().all(|ms| (29.0..31.0).contains(ms)), "{walls:?}");
        let of = |measure| series(&compared(), measure, &place(AT, "stackful/hub")).unwrap().0[&3];
        assert_eq!((of(Measure::Cpu), of(Measure::UserCpu)), (0.15, 0.1));
        assert_eq!((of(Measure::Rss), of(Measure::ServiceTime)), (2.0, 1.0));
        assert_eq!(of(Measure::ProcessWall), 9.0);
        assert!((of(Measure::Throughput) - 5_000.0).abs() < 100.0);
    }

    #[test]
    fn one_more_document_costs_what_it_costs_without_what_there_is_at_none() {
        for (lane, each_ms) in [("other/slow", 0.04), ("stackful/hub", 0.01)] {
            for measure in [Measure::Wall, Measure::Cpu] {
                let place = place(At::EachDocument, lane);
                let slopes = series(&growing(), measure, &place).unwrap().0;
                assert_eq!(slopes.len(), 12);
                assert!(slopes.values().all(|ms| (ms - each_ms).abs() < 1e-9), "{slopes:?}");
            }
        }
    }

    #[test]
    fn what_was_not_measured_says_why() {
        let missing =
            |place: &LanePlace| match series(&compared(), Measure::Wall, place).unwrap_err() {
                Absent::Unplanned(why) => why,
                other => panic!("{other:?}"),
            };
        let mut asked = place(AT, "other/trio");
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
        let refused = walls(&recorded, "stackful/hub").unwrap_err();
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
            let absent = walls(&recorded, "stackful/hub").unwrap_err();
            assert_eq!(matches!(absent, Absent::Failed(_)), has_failed, "{absent:?}");
        }
        let mut recorded = compared();
        let of_hub = recorded.samples.iter_mut().filter(|s| s.cell.lane == "stackful/hub");
        of_hub.take(2).for_each(fixture::fail);
        let (walls, notes) = walls(&recorded, "stackful/hub").unwrap();
        assert_eq!((walls.len(), notes.len()), (10, 1));
        assert!(notes[0].starts_with("stackful/hub: 2 of 12 samples do not count"), "{notes:?}");
    }
}
