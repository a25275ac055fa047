//! How the chart looks.
//!
//! Places, ticks and labels are our own, since no library that we found keeps labels at the ends of
//! lines apart, and a log axis is one division. What is left is writing elements with their texts
//! escaped, which is `svg`'s. (plotters, whose own axes would be worth more, draws SVG at whole
//! pixels, a dashed line as many small ones, and has no way to say what a chart is to somebody who
//! cannot see it.)

use harness::number::grouped;
use svg::node::element::{Group, Polygon, Polyline};

use super::elements::{
    self, Frame, GREY, LABEL_GAP, dashed, joined, line, marker, number, sheet, styled, tenth, text,
};
use super::labels::apart;
use super::scale::Scale;
use super::{Chart, Line, LinePoint};
use crate::cells::three_digits;
use crate::palette::look;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 440.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 588.0;
const TOP: f64 = 74.0;
const BOTTOM: f64 = 376.0;
const FRAME: Frame = Frame { left: LEFT, right: RIGHT, bottom: BOTTOM };

/// Where the labels' lines begin and end, and their texts begin.
const KEY: (f64, f64, f64) = (RIGHT + 24.0, RIGHT + 48.0, RIGHT + 55.0);

/// The whole chart.
pub(super) fn draw(chart: &Chart) -> String {
    let scales = Scales::of(chart);
    let mut document = sheet(WIDTH, HEIGHT, chart.alt())
        .add(head(chart))
        .add(axes(chart, &scales))
        .add(ideal(chart, &scales));
    for line in &chart.lines {
        document = document.add(band(line, &scales));
    }
    for line in &chart.lines {
        document = document.add(curve(line, &scales));
    }
    document.add(labels(chart, &scales)).to_string() + "\n"
}

struct Scales {
    x: Scale,
    y: Scale,
    documents: Vec<u64>,
}

impl Scales {
    fn of(chart: &Chart) -> Self {
        let points = || chart.lines.iter().flat_map(|line| &line.points);
        let mut documents: Vec<_> = points().map(|point| point.documents).collect();
        documents.sort_unstable();
        documents.dedup();
        let low = |point: &LinePoint| point.interval.map_or(point.median_ms, |it| it.low);
        let high = |point: &LinePoint| point.interval.map_or(point.median_ms, |it| it.high);
        let ideals = waits(chart).map(|(_, ms)| ms);
        let least = points().map(low).chain(ideals).fold(f64::MAX, f64::min).max(1e-6);
        let most = points().map(high).fold(least, f64::max);
        let (first, last) = (documents[0] as f64, documents[documents.len() - 1] as f64);
        // A single point stands in the middle.
        let (first, last) = if first < last { (first, last) } else { (first / 2.0, last * 2.0) };
        Scales {
            x: Scale::new(first, last, LEFT + 14.0, RIGHT),
            y: Scale::new(least * 0.9, most * 1.08, BOTTOM, TOP),
            documents,
        }
    }

    fn place(&self, documents: u64, ms: f64) -> (f64, f64) {
        (tenth(self.x.place(documents as f64)), tenth(self.y.place(ms)))
    }
}

/// What is shown, how, and where it was measured.
fn head(chart: &Chart) -> Group {
    let (workload, client) = (&chart.workload.name, chart.client);
    let title = format!("{workload}, client {client}: wall time in ms over documents N");
    let away = match chart.workload.delay_us {
        0 => "nothing to wait for".to_owned(),
        delay_us => format!("each {} ms away", number(delay_us as f64 / 1e3)),
    };
    let at_once = match chart.is_all_at_once {
        true => "all at once".to_owned(),
        false => format!("at most {} at once", grouped(chart.concurrency)),
    };
    let samples = match chart.samples {
        (least, most) if least == most => format!("{most} samples"),
        (least, most) => format!("{least} to {most} samples"),
    };
    let is_bounded = chart.lines.iter().flat_map(|line| &line.points).any(|p| p.interval.is_some());
    let shaded = if is_bounded { "; shaded: its 95 % interval" } else { "" };
    let shown = format!("N documents {at_once}, {away}. Median of {samples}{shaded}.");
    let mut made = chart.made.clone();
    if !chart.not_run.is_empty() {
        made += &format!("; not run: {}", chart.not_run.join(", "));
    }
    Group::new()
        .add(text(14.0, 24.0, &title).set("font-size", 15).set("font-weight", 600))
        .add(text(14.0, 44.0, &shown))
        .add(text(14.0, HEIGHT - 12.0, &made).set("font-size", 11))
}

fn axes(chart: &Chart, scales: &Scales) -> Group {
    let unit = if chart.is_all_at_once { "N = C" } else { "N" };
    let times = scales.y.ticks().into_iter().map(|tick| (tick, scales.y.place(tick)));
    let documents = scales.documents.iter().map(|n| (*n, scales.x.place(*n as f64)));
    elements::axes(FRAME, times, documents, unit)
}

/// What nobody can be faster than.
fn ideal(chart: &Chart, scales: &Scales) -> Polyline {
    let places: Vec<_> = waits(chart).map(|(documents, ms)| scales.place(documents, ms)).collect();
    dashed(line(&places))
}

/// Without a wait nothing is ideal, and 0 has no place on the scale.
fn waits(chart: &Chart) -> impl Iterator<Item = (u64, f64)> {
    chart.ideal.iter().copied().filter(|(_, ms)| *ms > 0.0)
}

/// Where the medians may lie.
fn band(line: &Line, scales: &Scales) -> Group {
    let bounded: Vec<_> =
        line.points.iter().filter_map(|point| Some((point.documents, point.interval?))).collect();
    let lows = bounded.iter().map(|(documents, it)| scales.place(*documents, it.low));
    let highs = bounded.iter().rev().map(|(documents, it)| scales.place(*documents, it.high));
    let corners: Vec<_> = lows.chain(highs).collect();
    if bounded.len() < 2 {
        return Group::new();
    }
    let band = Polygon::new().set("points", joined(&corners));
    Group::new().add(band.set("fill", look(&line.lane).colour).set("fill-opacity", 0.16))
}

/// The medians.
fn curve(line: &Line, scales: &Scales) -> Group {
    let places: Vec<_> =
        line.points.iter().map(|point| scales.place(point.documents, point.median_ms)).collect();
    let mut curve = Group::new().add(styled(self::line(&places), &line.lane));
    for place in places {
        curve = curve.add(marker(&line.lane, place));
    }
    curve
}

/// What stands beside the end of a line.
struct Label<'a> {
    name: &'a str,
    /// None of what nobody can be faster than.
    lane: Option<&'a str>,
    documents: u64,
    ms: f64,
}

/// Each line's name and last value, moved apart.
fn labels(chart: &Chart, scales: &Scales) -> Group {
    let lanes = chart.lines.iter().filter_map(|line| {
        let LinePoint { documents, median_ms: ms, .. } = *line.points.last()?;
        Some(Label { name: &line.lane, lane: Some(&line.lane), documents, ms })
    });
    let wait = waits(chart).last();
    let wait =
        wait.map(|(documents, ms)| Label { name: "the wait alone", lane: None, documents, ms });
    let mut all: Vec<_> = lanes.chain(wait).collect();
    all.sort_by(|one, other| other.ms.total_cmp(&one.ms));
    let ends: Vec<_> = all.iter().map(|label| scales.place(label.documents, label.ms)).collect();
    let wanted: Vec<_> = ends.iter().map(|(_, y)| *y).collect();
    let places = apart(&wanted, LABEL_GAP, TOP + 6.0, BOTTOM - 4.0);
    let last = scales.documents.last().copied().unwrap_or(0);
    let heading = format!("ms at N = {}", grouped(last));
    let heading = text(WIDTH - 14.0, TOP - 14.0, &heading).set("text-anchor", "end");
    let mut labels = Group::new().add(heading.set("font-size", 11));
    for ((label, end), y) in all.iter().zip(ends).zip(places) {
        labels = labels.add(self::label(label, end, tenth(y), last));
    }
    labels
}

/// One of them: a line to it, a piece of its own line, its name, its value.
fn label(label: &Label<'_>, end: (f64, f64), y: f64, last: u64) -> Group {
    let lead = line(&[(end.0 + 7.0, end.1), (KEY.0 - 4.0, y)]);
    let key = line(&[(KEY.0, y), (KEY.1, y)]);
    let value = match label.documents == last {
        true => three_digits(label.ms),
        false => format!("{} at {}", three_digits(label.ms), grouped(label.documents)),
    };
    let label_of = Group::new()
        .add(lead.set("stroke", GREY).set("stroke-opacity", 0.4))
        .add(text(KEY.2, y + 4.0, label.name))
        .add(text(WIDTH - 14.0, y + 4.0, &value).set("text-anchor", "end"));
    match label.lane {
        None => label_of.add(dashed(key)),
        Some(lane) => {
            let middle = (tenth((KEY.0 + KEY.1) / 2.0), y);
            label_of.add(styled(key, lane)).add(marker(lane, middle))
        }
    }
}
