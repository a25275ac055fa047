//! Costs that were planted in a lane: how much of them was found.

use harness::plan::{PlannedLane, PlannedVariant};
use harness::record::Recorded;
use harness::variant::Planted;
use harness::workload::Point;
use job::Client;
use serde::Serialize;

use crate::comparison::{ALPHA, Counted, Metric, Raws, SURE};
use crate::figures::rss_bytes;
use crate::stats::Interval;
use crate::stats::slope::Slope;
use crate::summary::{Group, WorkloadSummary};

/// One planted cost, looked for in one group, or over the points of a workload.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Found {
    /// The workload.
    pub workload: String,
    /// The point, unless it was looked for over several.
    pub point: Option<Point>,
    /// What speaks HTTP.
    pub client: Client,
    /// The variant that holds it.
    pub variant: String,
    /// What was found.
    pub cost: Cost,
    /// How much was found, in the cost's unit.
    pub found: f64,
    /// Where the true value lies, at 95 %; `None` if too few samples bound it.
    pub interval: Option<Interval>,
    /// The same at 99.9 %.
    pub interval_sure: Option<Interval>,
    /// How much was planted.
    pub truth: f64,
}

/// What was planted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cost {
    /// CPU time, percent of the lane's own.
    CpuPercent,
    /// Resident memory, bytes for every task in flight.
    BytesPerTask,
}

impl Found {
    /// Whether the truth lies where it is said to lie.
    pub fn is_true(&self) -> bool {
        self.interval.is_some_and(|interval| interval.contains(self.truth))
    }

    /// As a sentence without its full stop, with one of the intervals.
    pub(crate) fn told(&self, interval: Option<Interval>) -> String {
        let Found { workload, point, client, variant, found, truth, .. } = self;
        let unit = match self.cost {
            Cost::CpuPercent => "% CPU",
            Cost::BytesPerTask => "bytes a task",
        };
        let (n, c) = point.map_or((0, 0), |point| (point.documents, point.concurrency));
        let place = if point.is_some() { format!(" N={n} C={c}") } else { String::new() };
        let interval = match interval {
            Some(Interval { low, high }) => format!("{low:.1} to {high:.1}"),
            None => "too few samples for an interval".to_owned(),
        };
        format!(
            "{variant} in {workload}{place} {client}: {found:.1} {unit} ({interval}), planted \
             {truth}"
        )
    }
}

impl std::fmt::Display for Found {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.told(self.interval))
    }
}

/// Looks for every cost that the plan has planted.
pub(crate) fn planted(
    recorded: &Recorded,
    counted: &Counted<'_>,
    workloads: &[WorkloadSummary],
    raws: &Raws,
) -> Vec<Found> {
    let mut found = Vec::new();
    for PlannedLane { id, variant, .. } in &recorded.plan.lanes {
        let Some(PlannedVariant { of, planted }) = variant else { continue };
        for (index, workload) in workloads.iter().enumerate() {
            match planted {
                Planted::Nothing => {}
                Planted::CpuPercent(percent) => {
                    let truth = f64::from(*percent);
                    found.extend(cpu(workload, raws, index, (of, id), truth));
                }
                Planted::BytesPerTask(bytes) => {
                    found.extend(memory(workload, counted, (of, id), *bytes as f64));
                }
            }
        }
    }
    found
}

/// In every group: the variant's CPU time to its lane's, round by round.
fn cpu(
    workload: &WorkloadSummary,
    raws: &Raws,
    index: usize,
    (lane, variant): (&str, &str),
    truth: f64,
) -> Vec<Found> {
    let percent = |log_ratio: f64| 100.0 * (log_ratio.exp() - 1.0);
    let of_group = |(place, group): (usize, &Group)| {
        let raw = raws.get(index, place, Metric::Cpu)?;
        let (pair, surely) = raw.against_variant(lane, variant)?;
        // The pair is of the lane to the variant, which is the other way around.
        let turned = |it: Interval| Interval { low: percent(-it.high), high: percent(-it.low) };
        Some(Found {
            workload: workload.name.clone(),
            point: Some(group.point),
            client: group.client,
            variant: variant.to_owned(),
            cost: Cost::CpuPercent,
            found: percent(-pair.estimate?),
            interval: pair.interval.map(turned),
            interval_sure: surely.interval.map(turned),
            truth,
        })
    };
    workload.groups.iter().enumerate().filter_map(of_group).collect()
}

/// Over the points of the workload: by how much more the variant's peak grows with every task, from
/// the differences of samples of one round.
fn memory(
    workload: &WorkloadSummary,
    counted: &Counted<'_>,
    (lane, variant): (&str, &str),
    truth: f64,
) -> Vec<Found> {
    let differences = |client: Client| -> Vec<(f64, f64)> {
        let groups = workload.groups.iter().filter(|group| group.client == client);
        groups.flat_map(|group| of_rounds(workload, group, counted, (lane, variant))).collect()
    };
    let of_client = |client: Client| {
        let differences = differences(client);
        let line = Slope::of(&differences, 1.0 - ALPHA)?;
        Some(Found {
            workload: workload.name.clone(),
            point: None,
            client,
            variant: variant.to_owned(),
            cost: Cost::BytesPerTask,
            found: line.slope,
            interval: line.interval,
            interval_sure: Slope::of(&differences, SURE)?.interval,
            truth,
        })
    };
    [Client::Library, Client::Raw].into_iter().filter_map(of_client).collect()
}

/// Tasks in flight, and by how much the variant's peak lies above its lane's, for every round.
fn of_rounds(
    workload: &WorkloadSummary,
    group: &Group,
    counted: &Counted<'_>,
    (lane, variant): (&str, &str),
) -> Vec<(f64, f64)> {
    let tasks = group.point.documents.min(group.point.concurrency) as f64;
    let samples = |lane: &str| counted.get(&group.cell(&workload.name, lane));
    let Some((own, planted)) = samples(lane).zip(samples(variant)) else { return Vec::new() };
    let pairs = own.iter().filter_map(|own| {
        let other = planted.iter().find(|other| other.round == own.round)?;
        Some((tasks, rss_bytes(other)? - rss_bytes(own)?))
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use harness::plan::PlannedCell;

    use super::*;
    use crate::{fixture, summarise};

    /// The fixture with `planted` in a variant whose samples are changed by `change`.
    fn with(planted: Planted, change: fn(&mut harness::Sample)) -> Recorded {
        let mut recorded = fixture::compared();
        let of = fixture::LANES[2].to_owned();
        let id = format!("{of}+planted");
        let mut cells = Vec::new();
        for documents in [100, 200, 400] {
            for lane in [&of, &id] {
                let mut samples: Vec<_> = recorded
                    .samples
                    .iter()
                    .filter(|s| s.cell.lane == of)
                    .take(12)
                    .cloned()
                    .collect();
                for sample in &mut samples {
                    sample.cell.lane.clone_from(lane);
                    sample.cell.point = Point { documents, concurrency: documents, rate: None };
                    if lane == &id {
                        change(sample);
                    }
                }
                let cell = samples[0].cell.clone();
                cells.push((PlannedCell { cell, in_flight_least: 0, not_run: None }, samples));
            }
        }
        recorded.plan.cells = cells.iter().map(|(planned, _)| planned.clone()).collect();
        recorded.samples = cells.into_iter().flat_map(|(_, samples)| samples).collect();
        let variant = Some(PlannedVariant { of, planted });
        let (waits, mirrors) = (String::new(), String::new());
        recorded.plan.lanes = vec![PlannedLane { id, waits, mirrors, may_fail: false, variant }];
        recorded
    }

    #[test]
    fn a_planted_part_of_the_cpu_time_is_found() {
        let recorded = with(Planted::CpuPercent(20), |sample| {
            let usage = sample.job.as_mut().unwrap().usage.as_mut().unwrap();
            usage.user_us =
                usage.cpu_us() * 6 / 5 - usage.system_us + u64::from(sample.round % 3) - 1;
        });
        let found = summarise(&recorded).planted;
        assert_eq!(found.len(), 3, "one for each point");
        assert!(found.iter().all(Found::is_true), "{found:?}");
        let told = found[0].to_string();
        let expected = "stackless/tokio-local+planted in all-at-once N=100 C=100 raw: ";
        assert!(
            told.starts_with(expected)
                && told.contains(" % CPU (")
                && told.ends_with(", planted 20"),
            "{told}"
        );
    }

    #[test]
    fn planted_bytes_are_a_slope() {
        let recorded = with(Planted::BytesPerTask(1_024), |sample| {
            let tasks = sample.cell.point.documents;
            // A page is the least that is seen, and what a process takes at once is no task's.
            let bytes = (tasks * 1_024).next_multiple_of(4_096) + 65_536;
            *sample.job.as_mut().unwrap().rss_bytes_peak.as_mut().unwrap() += bytes;
        });
        let found = summarise(&recorded).planted;
        assert_eq!(found.len(), 1, "over all points");
        assert!(found[0].is_true() && (found[0].found - 1_024.0).abs() < 1.0, "{found:?}");
        assert!(found[0].to_string().contains(": 1024.0 bytes a task (1024.0 to 1024.0), planted"));
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let found = summarise(&with(Planted::BytesPerTask(1_024), |_| {})).planted;
        assert!(!found[0].is_true(), "{found:?}");
    }
}
