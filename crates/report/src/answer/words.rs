//! Loads, ratios and lists as people say them.

use harness::number::grouped;
use harness::workload::Point;

use crate::cells::three_digits;
use crate::stats::Verdict;
use crate::summary::WorkloadSummary;

/// How many requests can wait at once.
pub(super) fn at_once(point: Point) -> u64 {
    point.documents.min(point.concurrency)
}

/// `with 1,600 requests at once, each 100 ms away`.
pub(super) fn placed(point: Point, delay_us: u64) -> String {
    let delay = match delay_us.is_multiple_of(1_000) {
        true => grouped(delay_us / 1_000),
        false => (delay_us as f64 / 1e3).to_string(),
    };
    let of = match point.documents > point.concurrency {
        true => format!(" of {}", grouped(point.documents)),
        false => String::new(),
    };
    format!("with {}{of} requests at once, each {delay} ms away", grouped(at_once(point)))
}

/// What tells a point from the others of its workload.
pub(super) fn load(workload: &WorkloadSummary, point: Point) -> String {
    let is_task = |point: Point| point.documents == point.concurrency;
    let documents = grouped(point.documents);
    if workload.groups.iter().all(|group| is_task(group.point)) {
        format!("{documents} at once")
    } else if workload.groups.iter().all(|group| group.point.concurrency == point.concurrency) {
        format!("{documents} document{}", if point.documents == 1 { "" } else { "s" })
    } else {
        format!("N = {documents}, C = {}", grouped(point.concurrency))
    }
}

/// `a`, `a or b`, `a, b or c`.
pub(super) fn listed(names: &[&str], last: &str) -> String {
    match names {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

/// `8.1 KiB`, or `0.5 to 8.1 KiB`.
pub(super) fn kibibytes(bytes: &[f64]) -> String {
    let kib: Vec<_> = bytes.iter().map(|bytes| bytes / 1024.0).collect();
    format!("{} KiB", range(&kib))
}

fn range(values: &[f64]) -> String {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    match (times(least), times(most)) {
        (least, most) if least == most => least,
        (least, most) => format!("{least} to {most}"),
    }
}

/// A ratio as it is told.
pub(super) fn times(ratio: f64) -> String {
    three_digits(ratio)
}

/// Lanes, each with its ratio to another one and what can be said of it.
pub(super) struct Times<'a>(pub Vec<(&'a str, f64, Verdict)>);

impl Times<'_> {
    /// `0.38 to 0.47 times the CPU time`, and of which lanes it is not distinguishable.
    pub(super) fn phrase(&self, what: &str) -> String {
        if self.0.is_empty() {
            return format!("{what} that nobody could compare");
        }
        let ratios: Vec<_> = self.0.iter().map(|(_, ratio, _)| *ratio).collect();
        let alike = self.0.iter().filter(|(_, _, verdict)| *verdict == Verdict::Alike);
        let alike: Vec<_> = alike.map(|(lane, ..)| *lane).collect();
        let doubt = match &alike[..] {
            [] => String::new(),
            all if all.len() == self.0.len() => " (not distinguishable)".to_owned(),
            some => format!(" ({} not distinguishable)", listed(some, "and")),
        };
        format!("{} times the {what}{doubt}", range(&ratios))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_end_in_a_word() {
        assert_eq!(listed(&["a"], "or"), "a");
        assert_eq!(listed(&["a", "b", "c"], "or"), "a, b or c");
    }

    #[test]
    fn a_ratio_says_of_whom_it_is_not_sure() {
        let phrase = |lanes: &[(&'static str, f64, Verdict)]| Times(lanes.to_vec()).phrase("time");
        assert_eq!(phrase(&[("a", 0.5, Verdict::Less)]), "0.50 times the time");
        assert_eq!(
            phrase(&[("a", 0.5, Verdict::Less), ("b", 0.97, Verdict::Alike)]),
            "0.50 to 0.97 times the time (b not distinguishable)"
        );
        assert_eq!(
            phrase(&[("a", 1.02, Verdict::Alike)]),
            "1.02 times the time (not distinguishable)"
        );
    }

    #[test]
    fn a_load_is_told_by_what_differs() {
        let there = placed(Point { documents: 64, concurrency: 32, rate: None }, 20_000);
        assert_eq!(there, "with 32 of 64 requests at once, each 20 ms away");
        let there = placed(Point { documents: 400, concurrency: 400, rate: None }, 1_500);
        assert_eq!(there, "with 400 requests at once, each 1.5 ms away");
    }
}
