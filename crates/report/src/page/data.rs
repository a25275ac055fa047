//! What charts are drawn from, so that scripts have nothing to compute but places.

use std::collections::BTreeSet;

use harness::Timeline;
use harness::placement::Placement;
use harness::record::Recorded;
use harness::workload::Point;
use job::Client;
use serde::Serialize;

use super::points::of_workload;
use crate::comparison::counted;
use crate::palette::{Look, look};
use crate::summary::Summary;
use crate::timeline::{Phase, parts};

/// More requests than that nobody can see in a page; `--trace` has them all.
const REQUESTS_MOST: usize = 200;

/// Where quantile curves have a point.
pub(super) const PARTS: [f64; 24] = [
    0.0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925,
    0.95, 0.975, 0.99, 0.995, 0.999, 0.9995, 0.9999,
];

/// All of it.
#[derive(Debug, Serialize)]
pub(super) struct Data {
    pub lanes: Vec<Lane>,
    /// Names of the parts of a request's time, which [`OfTimeline::parts`] refers to.
    pub phases: Vec<&'static str>,
    /// Where each quantile curve has its points, as far as it has them.
    pub parts: Vec<f64>,
    pub workloads: Vec<OfWorkload>,
    pub timelines: Vec<OfTimeline>,
}

/// A lane and how it looks.
#[derive(Debug, Serialize)]
pub(super) struct Lane {
    pub id: String,
    pub colour: &'static str,
    pub dashes: &'static [u8],
    pub marker: &'static str,
}

#[derive(Debug, Serialize)]
pub(super) struct OfWorkload {
    pub name: String,
    pub is_open_loop: bool,
    pub delay_ms: f64,
    pub axis: Axis,
    pub cells: Vec<OfCell>,
    pub bounds: Vec<Bounds>,
    pub slopes: Vec<OfSlope>,
    pub slope_bounds: SlopeBounds,
}

/// Bytes for each task of what is no lane.
#[derive(Debug, Default, Serialize)]
pub(super) struct SlopeBounds {
    pub floor: Option<f64>,
    pub ceiling: Option<f64>,
}

/// What the points of a workload differ by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Axis {
    /// As many documents as requests in flight.
    Tasks,
    /// Documents, and perhaps concurrency as well.
    Documents,
    Concurrency,
    Rate,
}

/// One lane at one point, with one client.
#[derive(Debug, Serialize)]
pub(super) struct OfCell {
    pub lane: String,
    pub client: Client,
    pub placement: Placement,
    #[serde(flatten)]
    pub point: Point,
    pub samples: usize,
    pub wall_ms: Option<Estimate>,
    pub cpu_us: Option<Estimate>,
    pub rss_mib: Option<Estimate>,
    /// Milliseconds at each of [`Data::parts`], of all samples together.
    pub service_ms: Vec<f64>,
    pub latency_ms: Vec<f64>,
}

/// A median and what is around it: `[median, low, high]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Estimate(pub f64, pub f64, pub f64);

/// What no lane can fall below or rise above, at one point.
#[derive(Debug, Serialize)]
pub(super) struct Bounds {
    pub placement: Placement,
    #[serde(flatten)]
    pub point: Point,
    /// Without any overhead: as many waits as nobody can avoid.
    pub ideal_ms: Option<f64>,
    /// A process without a lane.
    pub floor: Bound,
    /// A client without a model.
    pub ceiling: Bound,
}

#[derive(Debug, Default, Serialize)]
pub(super) struct Bound {
    pub wall_ms: Option<f64>,
    pub cpu_us: Option<f64>,
    pub rss_mib: Option<f64>,
    /// Median service time; the ceiling keeps none.
    pub service_us: Option<f64>,
}

/// What one more task holds.
#[derive(Debug, Serialize)]
pub(super) struct OfSlope {
    pub lane: String,
    pub client: Client,
    pub bytes: f64,
    pub low: Option<f64>,
    pub high: Option<f64>,
    /// The line's beginning, as RSS.
    pub intercept_mib: f64,
}

/// One cell, request by request.
#[derive(Debug, Serialize)]
pub(super) struct OfTimeline {
    pub workload: String,
    pub lane: String,
    pub client: Client,
    #[serde(flatten)]
    pub point: Point,
    pub delay_ms: f64,
    /// OS threads that parsed answers.
    pub threads: usize,
    /// `[request, phase, from, to]`, the last two microseconds from the start of the job.
    pub parts: Vec<(usize, usize, u64, u64)>,
}

/// All that the page's charts need of the record.
pub(super) fn data(recorded: &Recorded, summary: &Summary) -> Data {
    let counted = counted(recorded);
    let shown = summary.workloads.iter().filter(|workload| workload.not_run.is_none());
    Data {
        lanes: lanes(summary),
        phases: PHASES.iter().map(|phase| phase.name()).collect(),
        parts: PARTS.to_vec(),
        workloads: shown.map(|summary| of_workload(recorded, summary, &counted)).collect(),
        timelines: shown_timelines(recorded).map(of_timeline).collect(),
    }
}

/// Every lane once, in the plan's order; variants look like what they are a variant of.
pub(super) fn lane_ids(summary: &Summary) -> Vec<&str> {
    let mut ids: Vec<&str> = Vec::new();
    for (_, _, row) in summary.cells() {
        if !ids.contains(&row.lane.as_str()) {
            ids.push(&row.lane);
        }
    }
    ids
}

fn lanes(summary: &Summary) -> Vec<Lane> {
    let of = |id: &&str| {
        let Look { colour, dashes, marker } = look(id);
        Lane { id: (*id).to_owned(), colour, dashes, marker }
    };
    lane_ids(summary).iter().map(of).collect()
}

const PHASES: [Phase; 5] = [Phase::Prepare, Phase::Connect, Phase::Wait, Phase::Read, Phase::Parse];

/// Those that show something, and not more than can be seen.
pub(super) fn shown_timelines(recorded: &Recorded) -> impl Iterator<Item = &Timeline> {
    let is_seen =
        |timeline: &&Timeline| timeline.void.is_none() && timeline.requests.len() <= REQUESTS_MOST;
    recorded.timelines.iter().filter(is_seen)
}

fn of_timeline(timeline: &Timeline) -> OfTimeline {
    let threads: BTreeSet<_> = timeline.requests.iter().map(|request| request.thread).collect();
    let all = timeline.requests.iter().enumerate().flat_map(|(index, request)| {
        let place = |phase| PHASES.iter().position(|other| *other == phase).unwrap_or_default();
        let parts = parts(request).into_iter();
        parts.map(move |part| (index, place(part.phase), part.from_ns / 1_000, part.to_ns / 1_000))
    });
    OfTimeline {
        workload: timeline.cell.workload.clone(),
        lane: timeline.cell.lane.clone(),
        client: timeline.cell.client,
        point: timeline.cell.point,
        delay_ms: timeline.delay_us as f64 / 1e3,
        threads: threads.len(),
        parts: all.collect(),
    }
}
