//! All figures for a spreadsheet: one row a cell, in the units of the SI, to ten digits.

use serde::Serialize;

use super::figures::{Figures, Middle};
use super::summary::{Row, Summary};

const MIB: f64 = 1_048_576.0;
const KIB: f64 = 1_024.0;

/// One row. The fields' names are the heads; units and qualifiers stand last in them. What is not known,
/// or is no figure of that load, is empty.
#[derive(Debug, Default, Serialize)]
struct Line<'a> {
    scene: &'a str,
    handler: &'a str,
    clients: u64,
    percent: Option<u32>,
    slow: u64,
    server: &'a str,
    samples: usize,
    taken: usize,
    wall_s_median: Option<f64>,
    wall_s_deviation: Option<f64>,
    wall_s_low: Option<f64>,
    wall_s_high: Option<f64>,
    documents_per_s_median: Option<f64>,
    documents_per_s_deviation: Option<f64>,
    documents_per_s_low: Option<f64>,
    documents_per_s_high: Option<f64>,
    cpu_s: Option<f64>,
    cpu_s_per_document: Option<f64>,
    documents_per_cpu_s: Option<f64>,
    client_cpu_s_per_document: Option<f64>,
    service_time_s_p50: Option<f64>,
    service_time_s_p99: Option<f64>,
    service_time_s_max: Option<f64>,
    rate_per_s: Option<f64>,
    latency_s_p50: Option<f64>,
    latency_s_p99: Option<f64>,
    latency_s_max: Option<f64>,
    late_s_p99: Option<f64>,
    felt_part: Option<f64>,
    blocker_s: Option<f64>,
    unanswered_part: Option<f64>,
    memory_bytes: Option<f64>,
    private_bytes: Option<f64>,
    bytes_per_connection: Option<f64>,
    bytes_per_connection_low: Option<f64>,
    bytes_per_connection_high: Option<f64>,
    closes_each: Option<bool>,
    processes: Option<f64>,
    ratio_to_reference: Option<f64>,
    ratio_to_reference_low: Option<f64>,
    ratio_to_reference_high: Option<f64>,
    failed: bool,
    note: Option<&'a str>,
}

/// All cells of all scenes, in the order of the plan, below one line of heads.
pub fn csv(summary: &Summary) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in summary.scenes.iter().flat_map(|scene| &scene.rows) {
        writer.serialize(line(row)).expect("a line is flat, and memory takes it");
    }
    let bytes = writer.into_inner().expect("memory takes what is left");
    String::from_utf8(bytes).expect("it was made of text")
}

fn line(row: &Row) -> Line<'_> {
    let line = Line {
        scene: &row.cell.scene,
        handler: &row.cell.handler,
        clients: row.cell.point.clients,
        percent: row.cell.point.percent,
        slow: row.cell.point.slow,
        server: &row.cell.server,
        samples: row.samples,
        taken: row.taken,
        ratio_to_reference: median(row.against_reference, 1.0),
        ratio_to_reference_low: low(row.against_reference, 1.0),
        ratio_to_reference_high: high(row.against_reference, 1.0),
        failed: row.failed,
        note: row.lack.as_ref().map(|lack| lack.why.as_str()),
        ..Line::default()
    };
    match &row.figures {
        Some(figures) => with_figures(line, figures),
        None => line,
    }
}

fn with_figures<'a>(line: Line<'a>, figures: &Figures) -> Line<'a> {
    match figures {
        Figures::AtOnce(it) => Line {
            wall_s_median: median(Some(it.wall_ms), 1e-3),
            wall_s_deviation: deviation(Some(it.wall_ms), 1e-3),
            wall_s_low: low(Some(it.wall_ms), 1e-3),
            wall_s_high: high(Some(it.wall_ms), 1e-3),
            cpu_s: median(it.cpu_ms, 1e-3),
            service_time_s_p50: median(it.service_ms_p50, 1e-3),
            service_time_s_max: median(it.service_ms_max, 1e-3),
            memory_bytes: median(it.memory_mib, MIB),
            ..line
        },
        Figures::Closed(it) => Line {
            documents_per_s_median: median(Some(it.documents_per_s), 1.0),
            documents_per_s_deviation: deviation(Some(it.documents_per_s), 1.0),
            documents_per_s_low: low(Some(it.documents_per_s), 1.0),
            documents_per_s_high: high(Some(it.documents_per_s), 1.0),
            cpu_s_per_document: median(it.cpu_us_per_document, 1e-6),
            documents_per_cpu_s: median(it.documents_per_cpu_s, 1.0),
            client_cpu_s_per_document: median(it.client_cpu_us_per_document, 1e-6),
            service_time_s_p50: median(it.service_ms_p50, 1e-3),
            service_time_s_p99: median(it.service_ms_p99, 1e-3),
            unanswered_part: median(Some(it.unanswered_part), 1.0),
            ..line
        },
        Figures::Open(it) => Line {
            rate_per_s: median(it.rate, 1.0),
            latency_s_p50: median(it.latency_ms_p50, 1e-3),
            latency_s_p99: median(it.latency_ms_p99, 1e-3),
            latency_s_max: median(it.latency_ms_max, 1e-3),
            late_s_p99: median(it.late_ms_p99, 1e-3),
            felt_part: median(it.felt_part, 1.0),
            blocker_s: median(it.blocker_ms, 1e-3),
            cpu_s_per_document: median(it.cpu_us_per_document, 1e-6),
            unanswered_part: median(Some(it.unanswered_part), 1.0),
            ..line
        },
        Figures::Held(it) => Line {
            memory_bytes: median(Some(it.first_mib), MIB),
            private_bytes: median(Some(it.first_private_mib), MIB),
            bytes_per_connection: median(it.kib_per_connection, KIB),
            bytes_per_connection_low: low(it.kib_per_connection, KIB),
            bytes_per_connection_high: high(it.kib_per_connection, KIB),
            closes_each: Some(it.closes_each),
            processes: median(it.processes, 1.0),
            ..line
        },
    }
}

fn median(of: Option<Middle>, unit: f64) -> Option<f64> {
    of.map(|middle| rounded(middle.median * unit))
}

fn deviation(of: Option<Middle>, unit: f64) -> Option<f64> {
    Some(rounded(of?.deviation? * unit))
}

fn low(of: Option<Middle>, unit: f64) -> Option<f64> {
    Some(rounded(of?.interval?.low * unit))
}

fn high(of: Option<Middle>, unit: f64) -> Option<f64> {
    Some(rounded(of?.interval?.high * unit))
}

/// To ten digits: the rest is what conversions leave.
fn rounded(value: f64) -> f64 {
    format!("{value:.9e}").parse().expect("a number that was written can be read")
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::serving::fixture::{self, HUB, NGINX};
    use crate::serving::summarise;

    #[test]
    fn a_cell_is_a_row_in_si_units() {
        let summary = summarise(&fixture::recorded());
        let text = csv(&summary);
        let mut reader = ::csv::Reader::from_reader(text.as_bytes());
        let lines: Vec<HashMap<String, String>> =
            reader.deserialize().map(|line| line.unwrap()).collect();
        assert_eq!(lines.len(), summary.scenes.iter().flat_map(|scene| &scene.rows).count());
        let line = |scene: &str, server: &str| {
            let own = |line: &&HashMap<String, String>| {
                line["scene"] == scene && line["server"] == server
            };
            lines.iter().find(own).unwrap()
        };
        let hub = line("servers-at-once", HUB);
        assert_eq!((hub["clients"].as_str(), hub["wall_s_median"].as_str()), ("1", "0.102"));
        let idle = line("servers-idle", HUB);
        assert_eq!(idle["bytes_per_connection"], "10240.0");
        let nginx = line("servers-at-once", NGINX);
        assert_eq!(nginx["wall_s_median"], "");
        assert!(nginx["note"].starts_with("it serves files"), "{nginx:?}");
    }
}
