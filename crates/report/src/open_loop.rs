//! What an open loop is measured by: whether a lane kept up, what that took, and how late it was.
//!
//! The schedule gives the wall time, so there is nothing to win in it. Lanes are compared by the
//! CPU time that a document takes, and only those that kept up: who sends a tenth of what is asked
//! for in time has done another job.

use harness::sample::{JobMeasured, Sample};
use serde::Serialize;

use crate::cells::{NOTHING, Text, against_best, rank, three_digits};
use crate::comparison::Metric;
use crate::figures::Figures;
use crate::stats::{Spread, median, quantile};
use crate::summary::Row;

/// What the samples of one open-loop cell add up to, beside what every cell's do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OpenLoopFigures {
    /// Documents that were asked for before the schedule's end, of those that were planned: from 0
    /// to 1, the median over samples.
    pub sent_part: f64,
    /// CPU time of the job, user and system, microseconds for each document.
    pub cpu_us_per_document: Option<Spread>,
    /// Median over samples of the latency's median, milliseconds: from when a document was due.
    pub latency_ms_p50: Option<f64>,
    /// Median over samples of the latency's 99th percentile, milliseconds.
    pub latency_ms_p99: Option<f64>,
    /// Median over samples of the latency's 99.9th percentile, milliseconds; of samples with at
    /// least [`P99_9_DOCUMENTS_LEAST`] documents.
    pub latency_ms_p99_9: Option<f64>,
    /// The same of service times: from when a document was sent, not corrected for being late.
    pub service_time_ms_p99_9: Option<f64>,
}

/// With fewer documents in a sample, less than ten lie beyond the 99.9th percentile.
///
/// Documents are not pooled over samples to come to as many: one disturbed sample of five would
/// then be all of the tail, where it is one value of five beside a median.
pub const P99_9_DOCUMENTS_LEAST: u64 = 10_000;

/// A lane that sends less than this part in time has not kept up, and is not compared.
pub const SENT_PART_LEAST: f64 = 0.95;

/// The heads of all columns but the first, which is the lane's.
pub const HEADS: [&str; 9] =
    ["sent", "CPU µs", "RSS MiB", "p50 ms", "p99 ms", "p99.9", "service", "× best", "rank"];

/// What the heads leave out.
pub const CAPTION: &str = "With a rate (…/s): sent is the part of the documents that was asked \
    for before the schedule's end. p50, p99, p99.9: latency, from when a document was due to its \
    last byte; service: p99 from when it was really sent, which leaves out what the lane was late \
    by. All are milliseconds; p99.9 is of 10,000 documents a sample or more. CPU: for each document, \
    median ± median absolute deviation. × best, rank: by CPU, among lanes that sent 0.95 or more.";

/// Of samples that count; `None` in a closed loop.
pub(crate) fn figures(samples: &[&Sample]) -> Option<OpenLoopFigures> {
    let documents = samples.first()?.cell.point.documents;
    let jobs: Vec<&JobMeasured> = samples.iter().filter_map(|s| s.job.as_ref()).collect();
    let values = |of: &dyn Fn(&JobMeasured) -> Option<f64>| {
        jobs.iter().filter_map(|job| of(job)).collect::<Vec<_>>()
    };
    let part_of = |count: u64| count as f64 / documents as f64;
    let latency_ms = |part| {
        let of = |job: &JobMeasured| quantile_ms(job.latencies_ns.as_deref()?, part);
        median(&values(&of))
    };
    let service_time_ms = |part| median(&values(&|job| quantile_ms(&job.service_times_ns, part)));
    let has_tail = documents >= P99_9_DOCUMENTS_LEAST;
    let cpu_us = |job: &JobMeasured| Some(job.usage?.cpu_us() as f64 / documents as f64);
    Some(OpenLoopFigures {
        sent_part: median(&values(&|job| job.sent_in_time.map(part_of)))?,
        cpu_us_per_document: Spread::of(&values(&cpu_us)),
        latency_ms_p50: latency_ms(0.5),
        latency_ms_p99: latency_ms(0.99),
        latency_ms_p99_9: has_tail.then(|| latency_ms(0.999)).flatten(),
        service_time_ms_p99_9: has_tail.then(|| service_time_ms(0.999)).flatten(),
    })
}

fn quantile_ms(counts: &[(u64, u64)], part: f64) -> Option<f64> {
    Some(quantile(counts, part)? as f64 / 1e6)
}

impl OpenLoopFigures {
    /// Whether enough was sent in time for the lane to be compared with others.
    pub fn has_kept_up(&self) -> bool {
        self.sent_part >= SENT_PART_LEAST
    }

    /// What lanes are compared by; `None` when there is nothing to compare.
    pub(crate) fn primary(&self) -> Option<f64> {
        self.cpu_us_per_document.filter(|_| self.has_kept_up()).map(|spread| spread.median)
    }
}

/// The columns of [`HEADS`].
pub(crate) fn columns(row: &Row, figures: &Figures, open_loop: &OpenLoopFigures) -> [Text; 9] {
    let optional = |value: Option<f64>| value.map_or(NOTHING.to_owned(), three_digits);
    let mebibytes = |bytes: f64| bytes / f64::from(1 << 20);
    let cpu = open_loop.cpu_us_per_document.map_or(NOTHING.to_owned(), narrow);
    let rss = optional(figures.rss_bytes_above_floor.map(mebibytes));
    [
        // Cut and not rounded: 1.000 is all of them.
        Text::plain(format!("{:.3}", (open_loop.sent_part * 1e3).floor() / 1e3)),
        Text::by(row, Metric::Cpu, cpu),
        Text::by(row, Metric::Rss, rss),
        Text::plain(optional(open_loop.latency_ms_p50)),
        Text::plain(optional(open_loop.latency_ms_p99)),
        Text::plain(optional(open_loop.latency_ms_p99_9)),
        Text::plain(optional(figures.service_time_ms_p99)),
        Text::plain(against_best(row)),
        Text::plain(rank(row, Metric::Cpu)),
    ]
}

/// The value and its spread in three digits: the heads of these groups are long.
fn narrow(spread: Spread) -> String {
    let decimals = match spread.median {
        median if median < 9.995 => 2,
        median if median < 99.95 => 1,
        _ => 0,
    };
    let median = three_digits(spread.median);
    match spread.deviation {
        Some(deviation) => format!("{median} ± {deviation:.decimals$}"),
        None => median,
    }
}

#[cfg(test)]
mod tests {
    use harness::record::Recorded;

    use super::*;
    use crate::table::{Style, WIDTH, render};
    use crate::{fixture, markdown, summarise};

    const HUB: &str = fixture::LANES[1];
    const TOKIO: &str = fixture::LANES[2];

    /// The fixture at a rate: `stackful/hub` takes less CPU, and `sent` of 100 documents in time.
    fn recorded(sent: u64) -> Recorded {
        let mut recorded = fixture::at_rate(2_000);
        for sample in &mut recorded.samples {
            let is_hub = sample.cell.lane == HUB;
            if let Some(job) = sample.job.as_mut().filter(|_| is_hub) {
                job.sent_in_time = Some(sent);
                job.usage.as_mut().unwrap().user_us = 50;
            }
        }
        recorded
    }

    fn ratios(recorded: &Recorded) -> Vec<(String, f64)> {
        let summary = summarise(recorded);
        let rows = summary.workloads[0].groups.last().unwrap().rows.iter();
        rows.filter_map(|row| Some((row.lane.clone(), row.against_best?.ratio))).collect()
    }

    #[test]
    fn the_least_cpu_time_is_the_best() {
        let ratios = ratios(&recorded(95));
        assert_eq!(ratios[0], (HUB.to_owned(), 1.0));
        assert!(ratios[1].0 == TOKIO && (ratios[1].1 - 1.5).abs() < 1e-9, "{ratios:?}");
    }

    #[test]
    fn who_does_not_keep_up_is_not_compared() {
        assert_eq!(ratios(&recorded(94)), [(TOKIO.to_owned(), 1.0)]);
    }

    #[test]
    fn latencies_stand_beside_service_times() {
        let summary = summarise(&recorded(94));
        let row = &summary.workloads[0].groups[1].rows[1];
        let figures = row.figures.as_ref().unwrap();
        let open_loop = figures.open_loop.as_ref().unwrap();
        assert_eq!((open_loop.latency_ms_p50, open_loop.latency_ms_p99), (Some(3.0), Some(40.0)));
        assert_eq!(figures.service_time_ms_p99, Some(2.0));
        assert_eq!(open_loop.latency_ms_p99_9, None, "a hundred documents have no such tail");
        let json = serde_json::to_value(&summary).unwrap();
        let figures = &json["workloads"][0]["groups"][1]["rows"][1]["figures"];
        assert_eq!(figures["open_loop"]["latency_ms_p99"], 40.0);
        let row = &json["workloads"][0]["groups"][1]["rows"][1];
        assert_eq!(row["against_best"], serde_json::Value::Null);
        assert_eq!(json["workloads"][0]["groups"][1]["rate"], 2_000);
    }

    #[test]
    fn ten_thousand_documents_have_a_tail() {
        let mut recorded = recorded(100);
        for sample in &mut recorded.samples {
            sample.cell.point.documents = 10_000;
        }
        let samples: Vec<_> = recorded.samples.iter().filter(|s| s.cell.lane == TOKIO).collect();
        let figures = figures(&samples).unwrap();
        assert_eq!(figures.latency_ms_p99_9, Some(40.0));
        assert_eq!(figures.service_time_ms_p99_9, Some(2.0));
    }

    #[test]
    fn the_table_of_the_fixture() {
        let text = render(&summarise(&recorded(94)), Style::Plain);
        let lines: Vec<_> =
            text.lines().filter(|l| l.contains("stack") || l.starts_with("lane ")).collect();
        assert_eq!(
            lines,
            [
                "lane                       sent       CPU µs RSS MiB p50 ms p99 ms p99.9 service × best rank",
                " stackful/hub [2]             -            -       -      -      -     -       -      -    -",
                " stackless/tokio-local    1.000 1.50 ± 0.00*   0.50*   3.00   40.0     -    2.00      1    1",
                " stackful/hub [3]         0.940  1.00 ± 0.00    0.50   3.00   40.0     -    2.00      -    -",
                " stackless/tokio-local    1.000 1.50 ± 0.00*   0.50*   3.00   40.0     -    2.00      1    1",
            ]
        );
        assert!(text.contains("N=100 C=8 2,000/s raw"), "{text}");
        assert!(text.contains("sent is the part") && !text.contains("wall: the job"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
    }

    #[test]
    fn large_numbers_fit_a_terminal() {
        let mut recorded = recorded(94);
        for job in recorded.samples.iter_mut().filter_map(|sample| sample.job.as_mut()) {
            job.latencies_ns = Some(vec![(98_765_400_000, 100)]);
            job.service_times_ns = vec![(98_765_400_000, 100)];
            job.usage.as_mut().unwrap().system_us = 1_234_500;
        }
        let text = render(&summarise(&recorded), Style::Plain);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH), "{text}");
        assert!(fixture::LANES.iter().all(|lane| text.contains(&format!(" {lane}"))), "{text}");
    }

    #[test]
    fn a_spread_has_the_decimals_of_its_value() {
        let text = |median, deviation| narrow(Spread { median, deviation });
        assert_eq!(text(5.126, Some(0.211)), "5.13 ± 0.21");
        assert_eq!(text(50.126, Some(10.51)), "50.1 ± 10.5");
        assert_eq!(text(1_250.4, Some(3.2)), "1,250 ± 3");
        assert_eq!(text(50.126, None), "50.1");
    }

    #[test]
    fn a_page_has_the_same_columns() {
        let text = markdown::render(&summarise(&recorded(100)));
        let rows: Vec<_> = text.lines().filter(|line| line.starts_with('|')).collect();
        assert!(rows[0].ends_with(&format!("| {} |", HEADS.join(" | "))), "{text}");
        let bars = |line: &str| line.matches('|').count();
        assert!(rows.iter().all(|row| bars(row) == bars(rows[0])), "{text}");
    }
}
