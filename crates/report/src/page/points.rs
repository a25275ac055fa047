//! One workload as points with their intervals, curves and bounds.

use std::collections::BTreeSet;

use harness::ceiling::CEILING;
use harness::child::FLOOR;
use harness::placement::Placement;
use harness::plan::{Cell, PlannedWorkload};
use harness::record::Recorded;
use harness::sample::{JobMeasured, Sample};
use harness::workload::Point;
use job::Client;

use super::data::{Axis, Bound, Bounds, Estimate, OfCell, OfSlope, OfWorkload, PARTS, SlopeBounds};
use crate::comparison::Counted;
use crate::inspected::Kind;
use crate::stats::median_interval;
use crate::stats::slope::Slope;
use crate::stats::{median, quantile};
use crate::summary::WorkloadSummary;

const MIB: f64 = 1024.0 * 1024.0;

/// How sure the shaded intervals are.
const LEVEL: f64 = 0.95;

/// All that the charts of one workload need.
pub(super) fn of_workload(
    recorded: &Recorded,
    summary: &WorkloadSummary,
    counted: &Counted<'_>,
) -> OfWorkload {
    Seen { workload: recorded.plan.workload(&summary.name), summary, counted }.data()
}

/// One workload and the samples that count.
struct Seen<'a> {
    workload: &'a PlannedWorkload,
    summary: &'a WorkloadSummary,
    counted: &'a Counted<'a>,
}

impl Seen<'_> {
    fn data(&self) -> OfWorkload {
        let groups = &self.summary.groups;
        let points: BTreeSet<_> = groups.iter().map(|group| group.point).collect();
        let places: BTreeSet<_> =
            groups.iter().map(|group| (group.point, group.placement)).collect();
        let rows = groups.iter().flat_map(|g| g.rows.iter().map(move |row| (g, row)));
        let cells = rows.filter(|(_, row)| !row.is_variant() && row.figures.is_some());
        OfWorkload {
            name: self.workload.name.clone(),
            is_open_loop: self.summary.is_open_loop(),
            delay_ms: self.workload.delay_us as f64 / 1e3,
            axis: axis(&points),
            cells: cells
                .map(|(group, row)| self.cell(group.cell(&self.workload.name, &row.lane)))
                .collect(),
            bounds: places.into_iter().map(|(point, place)| self.bounds(point, place)).collect(),
            slopes: self.slopes(),
            slope_bounds: self.slope_bounds(),
        }
    }

    fn samples(&self, cell: &Cell) -> &[&Sample] {
        self.counted.get(cell).map_or(&[], Vec::as_slice)
    }

    fn cell(&self, cell: Cell) -> OfCell {
        let samples = self.samples(&cell);
        let documents = cell.point.documents as f64;
        OfCell {
            samples: samples.len(),
            wall_ms: estimate(samples, |job| Some(job.wall_ns as f64 / 1e6)),
            cpu_us: estimate(samples, |job| Some(job.usage?.cpu_us() as f64 / documents)),
            rss_mib: estimate(samples, |job| Some(job.rss_bytes_peak? as f64 / MIB)),
            service_ms: curve(samples, |job| Some(&job.service_times_ns)),
            latency_ms: curve(samples, |job| job.latencies_ns.as_ref()),
            lane: cell.lane,
            client: cell.client,
            placement: cell.placement,
            point: cell.point,
        }
    }

    fn bounds(&self, point: Point, placement: Placement) -> Bounds {
        let bound = |lane: &str| {
            let (workload, lane) = (self.workload.name.clone(), lane.to_owned());
            let cell = Cell { workload, point, client: Client::Raw, lane, placement };
            let OfCell { wall_ms, cpu_us, rss_mib, service_ms, .. } = self.cell(cell);
            let middle = |estimate: Option<Estimate>| estimate.map(|estimate| estimate.0);
            let half = PARTS.iter().position(|part| *part == 0.5).expect("it is one of them");
            Bound {
                wall_ms: middle(wall_ms),
                cpu_us: middle(cpu_us),
                rss_mib: middle(rss_mib),
                service_us: service_ms.get(half).map(|ms| short(ms * 1e3)),
            }
        };
        let turns = point.documents.div_ceil(point.concurrency) as f64;
        let ideal_ms = turns * self.workload.delay_us as f64 / 1e3;
        Bounds {
            placement,
            point,
            ideal_ms: (ideal_ms > 0.0 && point.rate.is_none()).then_some(ideal_ms),
            floor: bound(FLOOR.id),
            ceiling: bound(CEILING.id),
        }
    }

    fn slopes(&self) -> Vec<OfSlope> {
        let lanes = self.summary.inspected.iter().flat_map(|inspected| &inspected.per_task);
        let of = lanes.filter(|lane| !lane.lane.contains('+')).filter_map(|lane| {
            let line = lane.slopes.get(&Kind::Rss)?;
            Some(OfSlope {
                lane: lane.lane.clone(),
                client: lane.client,
                bytes: line.slope,
                low: line.interval.map(|it| it.low),
                high: line.interval.map(|it| it.high),
                intercept_mib: line.intercept / MIB,
            })
        });
        of.collect()
    }

    /// What the process without a lane and the client without a model take for each task, too.
    fn slope_bounds(&self) -> SlopeBounds {
        let of = |lane: &str| {
            let cells = self.counted.iter().filter(|(cell, _)| {
                cell.workload == self.workload.name
                    && cell.lane == lane
                    && cell.placement.is_unpinned()
            });
            let points = cells.flat_map(|(cell, samples)| {
                let tasks = cell.point.documents as f64;
                samples.iter().filter_map(move |sample| {
                    Some((tasks, sample.job.as_ref()?.rss_bytes_peak? as f64))
                })
            });
            let line = Slope::of(&points.collect::<Vec<_>>(), LEVEL)?;
            Some(short(line.slope))
        };
        match self.slopes().is_empty() {
            true => SlopeBounds::default(),
            false => SlopeBounds { floor: of(FLOOR.id), ceiling: of(CEILING.id) },
        }
    }
}

fn axis(points: &BTreeSet<Point>) -> Axis {
    let differing =
        |of: fn(&Point) -> Option<u64>| points.iter().map(of).collect::<BTreeSet<_>>().len() > 1;
    match points {
        _ if differing(|point| point.rate) => Axis::Rate,
        _ if points.iter().all(|point| point.documents == point.concurrency) => Axis::Tasks,
        _ if differing(|point| Some(point.documents)) => Axis::Documents,
        _ => Axis::Concurrency,
    }
}

/// The median, and its interval; where too few samples bound it, all of them.
fn estimate(samples: &[&Sample], of: impl Fn(&JobMeasured) -> Option<f64>) -> Option<Estimate> {
    let jobs = samples.iter().filter_map(|sample| sample.job.as_ref());
    let values: Vec<_> = jobs.filter_map(of).collect();
    let (low, high) = match median_interval(&values, LEVEL) {
        Some(interval) => (interval.low, interval.high),
        None => (
            values.iter().copied().fold(f64::INFINITY, f64::min),
            values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        ),
    };
    Some(Estimate(short(median(&values)?), short(low), short(high)))
}

/// Quantiles of all samples' values together, milliseconds, up to where one value lies beyond.
fn curve<'a>(
    samples: &[&'a Sample],
    of: impl Fn(&'a JobMeasured) -> Option<&'a Vec<(u64, u64)>>,
) -> Vec<f64> {
    let jobs = samples.iter().filter_map(|sample| sample.job.as_ref());
    let mut counts: Vec<(u64, u64)> = jobs.filter_map(of).flatten().copied().collect();
    counts.sort_unstable();
    counts.dedup_by(|later, kept| {
        let is_same = later.0 == kept.0;
        kept.1 += if is_same { later.1 } else { 0 };
        is_same
    });
    let all: u64 = counts.iter().map(|(_, count)| count).sum();
    let is_known = |part: &&f64| (1.0 - **part) * all as f64 >= 1.0;
    let value = |part: &f64| Some(short(quantile(&counts, *part)? as f64 / 1e6));
    PARTS.iter().take_while(is_known).filter_map(value).collect()
}

/// Five digits: more than any of them means, and a page has thousands.
fn short(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let unit = 10f64.powf(value.abs().log10().floor() - 4.0);
    // Through text, so that it has as few digits in JSON as it has here.
    format!("{:.4e}", (value / unit).round() * unit).parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::super::data::{Data, data};
    use super::*;
    use crate::{fixture, summarise};

    fn of(recorded: &Recorded) -> Data {
        data(recorded, &summarise(recorded))
    }

    #[test]
    fn a_cell_has_its_median_with_an_interval() {
        let data = of(&fixture::compared());
        let cells = &data.workloads[0].cells;
        assert_eq!(cells.len(), 3, "variants and bounds are no lanes");
        let Estimate(middle, low, high) = cells[0].wall_ms.unwrap();
        assert!(29.8 < low && low < middle && middle < high && high < 30.2, "{cells:?}");
    }

    #[test]
    fn a_void_cell_is_not_drawn() {
        let data = of(&fixture::recorded());
        let is_drawn = |client| {
            let mut cells = data.workloads[0].cells.iter();
            cells.any(|cell| cell.lane == "stackful/hub" && cell.client == client)
        };
        assert!(is_drawn(Client::Raw) && !is_drawn(Client::Library));
    }

    #[test]
    fn the_ideal_is_the_turns_that_nobody_can_avoid() {
        let bounds = &of(&fixture::compared()).workloads[0].bounds[0];
        assert_eq!(bounds.ideal_ms, Some(13.0 * 20.0), "100 documents, 8 at a time");
        assert_eq!(bounds.ceiling.wall_ms, Some(14.0));
        assert_eq!(bounds.floor.wall_ms, None, "this record has none");
    }

    #[test]
    fn a_task_s_bytes_are_held_against_those_of_no_lane() {
        let data = of(&fixture::inspected());
        let workload = &data.workloads[0];
        assert_eq!(workload.slopes.len(), 1);
        assert_eq!((workload.slopes[0].bytes, workload.slopes[0].intercept_mib), (8_192.0, 4.0));
        assert_eq!(workload.slope_bounds.floor, Some(0.0), "a process without tasks");
        assert_eq!(workload.slope_bounds.ceiling, None, "this record has none");
        assert_eq!(workload.bounds[0].floor.service_us, Some(1_000.0));
    }

    #[test]
    fn a_workload_is_drawn_over_what_differs() {
        let point = |documents, concurrency| Point { documents, concurrency, rate: None };
        let of = |points: &[Point]| axis(&points.iter().copied().collect());
        assert_eq!(of(&[point(8, 8), point(9, 9)]), Axis::Tasks);
        assert_eq!(of(&[point(8, 4), point(9, 4)]), Axis::Documents);
        assert_eq!(of(&[point(9, 4), point(9, 5)]), Axis::Concurrency);
        assert_eq!(of(&[Point { rate: Some(1), ..point(9, 4) }, point(9, 4)]), Axis::Rate);
    }

    #[test]
    fn a_curve_ends_where_nothing_lies_beyond() {
        let recorded = fixture::compared();
        let sample = &recorded.samples[0];
        let points = curve(&[sample], |job| Some(&job.service_times_ns)).len();
        assert_eq!(PARTS[points - 1], 0.99, "a hundred values have no 99.5th percentile");
        assert_eq!(curve(&[sample], |job| job.latencies_ns.as_ref()), Vec::<f64>::new());
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([0.0, 123.456_78, 0.001_234_567].map(short), [0.0, 123.46, 0.001_234_6]);
    }
}
