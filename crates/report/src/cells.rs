//! One row as text, the same for every form.

use harness::number::grouped;

use crate::figures::Figures;
use crate::open_loop;
use crate::stats::Spread;
use crate::summary::{Common, Group, Row, Summary, WorkloadSummary};

/// The heads of all columns but the first, which is the lane's.
pub const HEADS: [&str; 7] =
    ["docs/s", "wall ms", "CPU µs/doc", "RSS MiB", "p50 ms", "p99 ms", "ratio"];

/// What the heads leave out.
pub const CAPTION: &str = "wall: the job alone, connecting included, median ± median absolute \
    deviation. CPU: user and system, of the job. RSS: peak, less that of a process without a lane. \
    p50, p99: service time. ratio: wall against the least of the same N, C and client; that lane \
    is the best and is set off. `library` and `raw` are never ranked together.";

/// Columns that a row without figures shows.
pub const NOTHING: &str = "-";

/// The columns of [`HEADS`].
pub fn columns(figures: &Figures) -> [String; 7] {
    let optional = |value: Option<f64>| value.map_or(NOTHING.to_owned(), three_digits);
    let mebibytes = |bytes: f64| bytes / f64::from(1 << 20);
    [
        three_digits(figures.throughput),
        with_spread(figures.wall_ms),
        optional(figures.cpu_us_per_document),
        optional(figures.rss_bytes_above_floor.map(mebibytes)),
        optional(figures.service_time_ms_p50),
        optional(figures.service_time_ms_p99),
        format!("{:.2}", figures.ratio),
    ]
}

/// The heads of a workload's columns but the first.
pub fn heads(workload: &WorkloadSummary) -> &'static [&'static str] {
    if workload.is_open_loop() { &open_loop::HEADS } else { &HEADS }
}

/// The columns of a row of `workload`, as many as it has heads.
pub fn texts(workload: &WorkloadSummary, row: &Row) -> Vec<String> {
    match &row.figures {
        None => vec![NOTHING.to_owned(); heads(workload).len()],
        Some(figures) => match &figures.open_loop {
            None => columns(figures).to_vec(),
            Some(of_open_loop) => open_loop::columns(figures, of_open_loop).to_vec(),
        },
    }
}

/// What the heads of all tables leave out.
pub fn captions(summary: &Summary) -> Vec<&'static str> {
    let mut captions = Vec::new();
    for workload in &summary.workloads {
        let caption = if workload.is_open_loop() { open_loop::CAPTION } else { CAPTION };
        if !captions.contains(&caption) {
            captions.push(caption);
        }
    }
    captions
}

/// Whether the row is its group's best.
pub fn is_best(row: &Row) -> bool {
    // The best was divided by itself, which is exactly 1.
    row.figures.as_ref().is_some_and(|figures| figures.ratio <= 1.0)
}

/// What stands above a group of rows.
pub fn group_head(group: &Group) -> String {
    let (n, c) = (grouped(group.point.documents), grouped(group.point.concurrency));
    let rate = group.point.rate.map_or(String::new(), |rate| format!("{}/s ", grouped(rate)));
    format!("N={n} C={c} {rate}{}", group.client)
}

/// How many samples the rows have: `5 samples a row`, or `3 to 5`.
pub fn samples(workload: &WorkloadSummary) -> String {
    let rows = workload.groups.iter().flat_map(|group| &group.rows);
    let counts = rows.map(|row| row.samples).filter(|count| *count > 0);
    match (counts.clone().min(), counts.max()) {
        (Some(1), Some(1)) => "1 sample a row".to_owned(),
        (Some(least), Some(most)) if least == most => format!("{most} samples a row"),
        (Some(least), Some(most)) => format!("{least} to {most} samples a row"),
        _ => "no samples".to_owned(),
    }
}

/// What is the same for all rows, in sentences; empty when nothing is known.
pub fn common(common: &Common) -> String {
    let mut sentences = Vec::new();
    if let (Some(rss), Some(wall)) = (common.floor_rss_bytes, common.floor_process_ms) {
        sentences.push(format!(
            "Floor: a process without a lane peaks at {} MiB and is over in {} ms.",
            three_digits(rss / f64::from(1 << 20)),
            three_digits(wall)
        ));
    }
    if let Some(cpu) = common.origin_cpu_us_per_document {
        let late = common
            .delay_late_ms_p99
            .map(|ms| format!("; its delays are late by {} ms at p99", three_digits(ms)));
        sentences.push(format!(
            "The origin takes {} µs of CPU a document{}.",
            three_digits(cpu),
            late.unwrap_or_default()
        ));
    }
    sentences.join(" ")
}

/// Every different note of a workload once, numbered from 1 in the order of the rows.
pub fn notes(workload: &WorkloadSummary) -> Vec<&str> {
    let mut notes = Vec::new();
    for note in workload.groups.iter().flat_map(|g| &g.rows).filter_map(|row| row.note.as_deref()) {
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    notes
}

/// The number of the row's note: ` [1]`, or nothing.
pub fn note_mark(row: &Row, notes: &[&str]) -> String {
    let note = row.note.as_deref();
    let place = notes.iter().position(|other| Some(*other) == note);
    place.map_or(String::new(), |index| format!(" [{}]", index + 1))
}

/// The warnings and the machine, as lines.
pub fn preamble(summary: &Summary) -> Vec<String> {
    let warnings = summary.warnings.iter().map(|warning| format!("Note: {warning}."));
    std::iter::once(summary.machine.clone()).chain(warnings).collect()
}

/// Three digits that mean something: `0.12`, `1.23`, `12.3`, `123`, `12,345`.
pub fn three_digits(value: f64) -> String {
    match value {
        _ if value < 9.995 => format!("{value:.2}"),
        _ if value < 99.95 => format!("{value:.1}"),
        _ => grouped(value.round() as u64),
    }
}

/// The value and its spread, with as many decimals as the value bears.
fn with_spread(spread: Spread) -> String {
    let text = |value: f64| match spread.median {
        _ if spread.median < 99.995 => format!("{value:.2}"),
        _ if spread.median < 999.95 => format!("{value:.1}"),
        _ => grouped(value.round() as u64),
    };
    match spread.deviation {
        Some(deviation) => format!("{} ± {}", text(spread.median), text(deviation)),
        None => text(spread.median),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits_that_mean_something() {
        let texts = [0.0, 0.123, 9.996, 12.34, 99.96, 1_234.5].map(three_digits);
        assert_eq!(texts, ["0.00", "0.12", "10.0", "12.3", "100", "1,235"]);
    }

    #[test]
    fn a_spread_has_the_decimals_of_its_value() {
        let text = |median, deviation| with_spread(Spread { median, deviation });
        assert_eq!(text(20.126, Some(0.11)), "20.13 ± 0.11");
        assert_eq!(text(250.04, Some(3.0)), "250.0 ± 3.0");
        assert_eq!(text(1_999.6, Some(12.2)), "2,000 ± 12");
        assert_eq!(text(20.126, None), "20.13");
    }
}
