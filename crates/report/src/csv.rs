//! The same tables for a spreadsheet: one row a cell, in the units of the SI, to ten digits.

use harness::placement::Placement;
use job::Client;
use serde::Serialize;

use crate::comparison::Metric;
use crate::stats::Spread;
use crate::summary::{Group, Row, Summary, WorkloadSummary};

/// One row. The fields' names are the heads; units and qualifiers stand last in them.
///
/// What is not known is empty: the interval where too few rounds bound it, latencies in a closed
/// loop, everything of a cell that did not run.
#[derive(Debug, Serialize)]
struct Line<'a> {
    workload: &'a str,
    documents: u64,
    concurrency: u64,
    rate_per_s: Option<u64>,
    client: Client,
    placement: Placement,
    lane: &'a str,
    samples: usize,
    documents_per_s: Option<f64>,
    wall_s_median: Option<f64>,
    wall_s_deviation: Option<f64>,
    cpu_s_per_document: Option<f64>,
    rss_bytes_above_floor: Option<f64>,
    service_time_s_p50: Option<f64>,
    service_time_s_p99: Option<f64>,
    sent_part: Option<f64>,
    latency_s_p50: Option<f64>,
    latency_s_p99: Option<f64>,
    latency_s_p99_9: Option<f64>,
    /// Wall to the best of the group; CPU in an open loop.
    ratio_to_best: Option<f64>,
    ratio_to_best_low: Option<f64>,
    ratio_to_best_high: Option<f64>,
    rank_wall: Option<usize>,
    rank_wall_is_shared: Option<bool>,
    rank_cpu: Option<usize>,
    rank_cpu_is_shared: Option<bool>,
    rank_rss: Option<usize>,
    rank_rss_is_shared: Option<bool>,
    ceiling_documents_per_s: Option<f64>,
    is_limited_by_origin: bool,
    failed: bool,
    note: Option<&'a str>,
}

/// All cells of all workloads, in the order of the tables, below one line of heads.
pub fn render(summary: &Summary) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for workload in &summary.workloads {
        for group in &workload.groups {
            for row in &group.rows {
                let line = line(workload, group, row);
                writer.serialize(line).expect("a line is flat, and memory takes it");
            }
        }
    }
    let bytes = writer.into_inner().expect("memory takes what is left");
    String::from_utf8(bytes).expect("it was made of text")
}

fn line<'a>(workload: &'a WorkloadSummary, group: &Group, row: &'a Row) -> Line<'a> {
    let figures = row.figures.as_ref();
    let open_loop = figures.and_then(|figures| figures.open_loop.as_ref());
    let wall = figures.map(|figures| figures.wall_ms);
    let against = row.against_best;
    let interval = against.and_then(|against| against.interval);
    let rank = |metric| row.ranks.get(&metric).map(|rank| rank.rank);
    let is_shared = |metric| row.ranks.get(&metric).map(|rank| rank.is_shared);
    Line {
        workload: &workload.name,
        documents: group.point.documents,
        concurrency: group.point.concurrency,
        rate_per_s: group.point.rate,
        client: group.client,
        placement: group.placement,
        lane: &row.lane,
        samples: row.samples,
        documents_per_s: figures.map(|figures| rounded(figures.throughput)),
        wall_s_median: wall.map(|Spread { median, .. }| of_ms(median)),
        wall_s_deviation: wall.and_then(|Spread { deviation, .. }| deviation.map(of_ms)),
        cpu_s_per_document: figures.and_then(|f| f.cpu_us_per_document).map(of_us),
        rss_bytes_above_floor: figures.and_then(|f| f.rss_bytes_above_floor),
        service_time_s_p50: figures.and_then(|f| f.service_time_ms_p50).map(of_ms),
        service_time_s_p99: figures.and_then(|f| f.service_time_ms_p99).map(of_ms),
        sent_part: open_loop.map(|open_loop| rounded(open_loop.sent_part)),
        latency_s_p50: open_loop.and_then(|o| o.latency_ms_p50).map(of_ms),
        latency_s_p99: open_loop.and_then(|o| o.latency_ms_p99).map(of_ms),
        latency_s_p99_9: open_loop.and_then(|o| o.latency_ms_p99_9).map(of_ms),
        ratio_to_best: against.map(|against| rounded(against.ratio)),
        ratio_to_best_low: interval.map(|interval| rounded(interval.low)),
        ratio_to_best_high: interval.map(|interval| rounded(interval.high)),
        rank_wall: rank(Metric::Wall),
        rank_wall_is_shared: is_shared(Metric::Wall),
        rank_cpu: rank(Metric::Cpu),
        rank_cpu_is_shared: is_shared(Metric::Cpu),
        rank_rss: rank(Metric::Rss),
        rank_rss_is_shared: is_shared(Metric::Rss),
        ceiling_documents_per_s: group.ceiling_throughput.map(rounded),
        is_limited_by_origin: row.is_limited_by_origin,
        failed: row.failed,
        note: row.note.as_deref(),
    }
}

fn of_ms(ms: f64) -> f64 {
    rounded(ms / 1e3)
}

fn of_us(us: f64) -> f64 {
    rounded(us / 1e6)
}

/// To ten digits: the rest is what conversions leave.
fn rounded(value: f64) -> f64 {
    format!("{value:.9e}").parse().expect("a number that was written can be read")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fixture, summarise};

    /// Every line as the fields that its heads name.
    fn lines(text: &str) -> Vec<std::collections::HashMap<String, String>> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        reader.deserialize().map(|line| line.unwrap()).collect()
    }

    #[test]
    fn a_cell_is_a_row_in_si_units() {
        let lines = lines(&render(&summarise(&fixture::recorded())));
        assert_eq!(lines.len(), 2 * fixture::LANES.len());
        let last = lines.last().unwrap();
        for (head, value) in [
            ("lane", "stackless/tokio-local"),
            ("client", "raw"),
            ("placement", "unpinned"),
            ("documents_per_s", "5000.0"),
            ("wall_s_median", "0.02"),
            ("cpu_s_per_document", "1.5e-6"),
            ("rss_bytes_above_floor", "524288.0"),
            ("service_time_s_p99", "0.002"),
            ("latency_s_p99", ""),
            ("ratio_to_best", "1.0"),
            ("failed", "false"),
        ] {
            assert_eq!(last[head], value, "{head}");
        }
        let note = &lines[0]["note"];
        assert_eq!(note, "waits 100 × 20 ms = 20 s", "a cell that did not run says why");
        assert_eq!(lines[0]["wall_s_median"], "");
    }

    #[test]
    fn ranks_and_ratios_are_there_with_what_bounds_them() {
        let lines = lines(&render(&summarise(&fixture::compared())));
        let slow = &lines[0];
        assert_eq!(
            (slow["rank_wall"].as_str(), slow["rank_wall_is_shared"].as_str()),
            ("3", "false")
        );
        let number = |head: &str| slow[head].parse::<f64>().unwrap();
        assert!(number("ratio_to_best_low") < number("ratio_to_best"));
        assert!(number("ratio_to_best") < number("ratio_to_best_high"));
    }

    #[test]
    fn an_open_loop_has_latencies() {
        let lines = lines(&render(&summarise(&fixture::at_rate(500))));
        let last = lines.last().unwrap();
        assert_eq!((last["rate_per_s"].as_str(), last["latency_s_p99"].as_str()), ("500", "0.04"));
    }

    #[test]
    fn what_holds_commas_and_quotes_stays_one_field() {
        let mut summary = summarise(&fixture::recorded());
        let note = "said \"no\", twice";
        summary.workloads[0].groups[0].rows[0].note = Some(note.to_owned());
        assert_eq!(lines(&render(&summary))[0]["note"], note);
    }
}
