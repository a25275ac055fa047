//! One row as text, the same for every form.

use harness::number::grouped;
use harness::placement::Placement;
use job::Client;

use crate::comparison::{Metric, Noise, Rank};
use crate::figures::Figures;
use crate::open_loop;
use crate::stats::binomial::upper_bound;
use crate::stats::{Interval, Spread};
use crate::summary::{Against, Common, Group, Row, Summary, WorkloadSummary};

/// The heads of all columns but the first, which is the lane's.
pub const HEADS: [&str; 8] =
    ["docs/s", "wall ms", "CPU µs", "RSS MiB", "p50 ms", "p99 ms", "× best", "rank"];

/// What the heads leave out.
pub const CAPTION: &str = "wall: the job alone, connecting included, median ± median absolute \
    deviation. CPU: user and system, of the job, for each document. RSS: peak, less that of a \
    process without a lane. p50, p99: service time. × best: wall against the least of the same N, C \
    and client, 95 % interval of the ratio by round. rank: one more than the number of lanes that \
    are distinguishably faster (5 % after Holm over the table, and beyond the noise floor); = is a \
    rank that lanes share because nothing tells them apart, and whatever no lane is distinguishably \
    better in is set off. o: limited by the origin, more than half of the ceiling. `library` and \
    `raw` are never ranked together.";

/// Columns that a row without figures shows.
pub const NOTHING: &str = "-";

/// What stands in one column of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The text.
    pub text: String,
    /// Whether no lane of the group is distinguishably better in this column.
    pub is_first: bool,
}

impl Text {
    pub(crate) fn plain(text: String) -> Self {
        Text { text, is_first: false }
    }

    pub(crate) fn by(row: &Row, metric: Metric, text: String) -> Self {
        Text { text, is_first: row.is_first(metric) }
    }
}

/// The columns of [`HEADS`].
fn columns(row: &Row, figures: &Figures) -> [Text; 8] {
    let optional = |value: Option<f64>| value.map_or(NOTHING.to_owned(), three_digits);
    let mebibytes = |bytes: f64| bytes / f64::from(1 << 20);
    let limited = if row.is_limited_by_origin { "o" } else { "" };
    let cpu = optional(figures.cpu_us_per_document);
    let rss = optional(figures.rss_bytes_above_floor.map(mebibytes));
    [
        Text::plain(three_digits(figures.throughput) + limited),
        Text::by(row, Metric::Wall, with_spread(figures.wall_ms)),
        Text::by(row, Metric::Cpu, cpu),
        Text::by(row, Metric::Rss, rss),
        Text::plain(optional(figures.service_time_ms_p50)),
        Text::plain(optional(figures.service_time_ms_p99)),
        Text::plain(against_best(row)),
        Text::plain(rank(row, Metric::Wall)),
    ]
}

/// `1.04–1.10`, or the ratio alone where nothing bounds it; the best is 1.
pub(crate) fn against_best(row: &Row) -> String {
    match row.against_best {
        None => NOTHING.to_owned(),
        Some(Against { ratio: 1.0, interval: None }) => "1".to_owned(),
        Some(Against { ratio, interval: None }) => format!("{ratio:.2}"),
        Some(Against { interval: Some(Interval { low, high }), .. }) => {
            // From a factor of ten on, a hundredth says nothing.
            let decimals = if high < 9.995 { 2 } else { 0 };
            format!("{low:.decimals$}–{high:.decimals$}")
        }
    }
}

/// `2`, or `2 =` where it is shared.
pub(crate) fn rank(row: &Row, metric: Metric) -> String {
    match row.ranks.get(&metric) {
        None => NOTHING.to_owned(),
        Some(Rank { rank, is_shared: true }) => format!("{rank} ="),
        Some(Rank { rank, is_shared: false }) => rank.to_string(),
    }
}

/// The heads of a workload's columns but the first.
pub fn heads(workload: &WorkloadSummary) -> &'static [&'static str] {
    if workload.is_open_loop() { &open_loop::HEADS } else { &HEADS }
}

/// The columns of a row of `workload`, as many as it has heads.
pub fn texts(workload: &WorkloadSummary, row: &Row) -> Vec<Text> {
    match &row.figures {
        None => vec![Text::plain(NOTHING.to_owned()); heads(workload).len()],
        Some(figures) => match &figures.open_loop {
            None => columns(row, figures).to_vec(),
            Some(of_open_loop) => open_loop::columns(row, figures, of_open_loop).to_vec(),
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

/// What stands above a group of rows.
pub fn group_head(group: &Group) -> String {
    let (n, c) = (grouped(group.point.documents), grouped(group.point.concurrency));
    let rate = group.point.rate.map_or(String::new(), |rate| format!("{}/s ", grouped(rate)));
    let pinned = if group.placement == Placement::Pinned { " pinned" } else { "" };
    format!("N={n} C={c} {rate}{}{pinned}", group.client)
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

/// What a client without a model got at each point; empty when nobody knows.
pub fn ceiling(workload: &WorkloadSummary) -> String {
    let raw = workload.groups.iter().filter(|group| group.client == Client::Raw);
    let ceilings: Vec<_> = raw
        .filter_map(|group| {
            let head = group_head(group);
            let head = head.replace(" raw", "");
            Some(format!("{} at {head}", three_digits(group.ceiling_throughput?)))
        })
        .collect();
    if ceilings.is_empty() {
        return String::new();
    }
    format!("Ceiling, docs/s of a client without a model: {}.", ceilings.join(", "))
}

/// What the run shows of itself: its noise, and costs that were planted.
pub fn self_checks(summary: &Summary) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(line) = &summary.measuring_us {
        lines.push(format!(
            "Measuring adds {} µs to each document and {} µs to each job, part of every figure.",
            three_digits(line.slope.max(0.0)),
            three_digits(line.intercept.max(0.0))
        ));
    }
    if let Some(pairs) = summary.noise.iter().map(|noise| noise.pairs).max() {
        let of = |text: &dyn Fn(&Noise) -> String| {
            let texts = summary
                .noise
                .iter()
                .map(|noise| format!("{} {}", noise.metric.name(), text(noise)));
            texts.collect::<Vec<_>>().join(", ")
        };
        let floors = of(&|noise| three_digits(100.0 * (noise.floor.exp() - 1.0)) + " %");
        let rates = of(&|noise| {
            let most = 100.0 * upper_bound(noise.different, noise.pairs, 0.95);
            format!("{} of {} (a rate of {most:.0} % at most)", noise.different, noise.pairs)
        });
        let pairs = if pairs == 1 { "once" } else { &format!("{pairs} times") };
        lines.push(format!(
            "Noise floor, from one lane under two names, {pairs}: {floors}. Whatever is smaller is \
             not distinguishable. Called different at 5 %: {rates}."
        ));
    } else {
        lines.push(
            "There is no noise floor: no lane ran under two names often enough to be told from \
             itself. Small differences may be none."
                .to_owned(),
        );
    }
    lines.extend(summary.planted.iter().map(|found| format!("Planted: {found}.")));
    lines
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

/// The machine, the warnings and what the run shows of itself, as lines.
pub fn preamble(summary: &Summary) -> Vec<String> {
    let warnings = summary.warnings.iter().map(|warning| format!("Note: {warning}."));
    std::iter::once(summary.machine.clone()).chain(warnings).chain(self_checks(summary)).collect()
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
