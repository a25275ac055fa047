//! Samples of one cell as numbers.

use harness::sample::{JobMeasured, Sample};
use serde::Serialize;

use crate::open_loop::{self, OpenLoopFigures};
use crate::stats::{Spread, median, quantile};

/// What the samples of one cell add up to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// Verified documents per second, at the median wall time.
    pub throughput: f64,
    /// The job alone, milliseconds.
    pub wall_ms: Spread,
    /// CPU time of the job, user and system, microseconds for each document.
    pub cpu_us_per_document: Option<f64>,
    /// `VmHWM` less that of a process without a lane, bytes; never below 0.
    pub rss_bytes_above_floor: Option<f64>,
    /// Median over samples of the service time's median, milliseconds.
    pub service_time_ms_p50: Option<f64>,
    /// Median over samples of the service time's 99th percentile, milliseconds.
    pub service_time_ms_p99: Option<f64>,
    /// What only an open loop has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_loop: Option<OpenLoopFigures>,
}

/// `VmHWM` of the sample's process.
pub(crate) fn rss_bytes(sample: &Sample) -> Option<f64> {
    sample.job.as_ref()?.rss_bytes_peak.map(|bytes| bytes as f64)
}

/// Of samples that count.
pub(crate) fn figures(samples: &[&Sample], floor_rss_bytes: Option<f64>) -> Option<Figures> {
    let documents = samples.first()?.cell.point.documents as f64;
    let jobs: Vec<&JobMeasured> = samples.iter().filter_map(|s| s.job.as_ref()).collect();
    let middle = |of: &dyn Fn(&JobMeasured) -> Option<f64>| {
        median(&jobs.iter().filter_map(|job| of(job)).collect::<Vec<_>>())
    };
    let walls: Vec<_> = jobs.iter().map(|job| job.wall_ns as f64 / 1e6).collect();
    let wall_ms = Spread::of(&walls)?;
    let service_time_ms =
        |part| middle(&|job| Some(quantile(&job.service_times_ns, part)? as f64 / 1e6));
    let rss = middle(&|job| job.rss_bytes_peak.map(|bytes| bytes as f64));
    Some(Figures {
        throughput: documents / (wall_ms.median / 1e3),
        wall_ms,
        cpu_us_per_document: middle(&|job| Some(job.usage?.cpu_us() as f64 / documents)),
        rss_bytes_above_floor: rss.zip(floor_rss_bytes).map(|(rss, floor)| (rss - floor).max(0.0)),
        service_time_ms_p50: service_time_ms(0.5),
        service_time_ms_p99: service_time_ms(0.99),
        open_loop: open_loop::figures(samples),
    })
}

impl Figures {
    /// What lanes of a group are compared by before all else: wall time, or CPU time where a
    /// schedule gives the wall. `None` when there is nothing to compare.
    pub(crate) fn primary(&self) -> Option<f64> {
        match &self.open_loop {
            Some(open_loop) => open_loop.primary(),
            None => Some(self.wall_ms.median),
        }
    }
}
