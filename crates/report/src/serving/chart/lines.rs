//! Lines of servers: a small chart for each model, all on the same scales.

use svg::node::element::{Circle, Group};

use crate::chart::elements::{self, Frame, GREY, axes, line, marker, sheet, styled, tenth, text};
use crate::chart::labels::apart;
use crate::chart::linear::Linear;
use crate::chart::scale::Scale;
use crate::serving::sheets::models;

const WIDTH: f64 = 460.0;
const HEIGHT: f64 = 330.0;
const LEFT: f64 = 50.0;
const RIGHT: f64 = 290.0;
const TOP: f64 = 42.0;
const BOTTOM: f64 = 290.0;

/// Where labels begin, and the least that two of them are apart.
const LABEL: f64 = RIGHT + 22.0;
const GAP: f64 = 15.0;

/// A chart, but for its looks.
#[derive(Debug, Clone, PartialEq)]
pub struct Lines {
    /// What it shows, for whoever cannot see it.
    pub alt: String,
    /// What stands below the upright axis.
    pub unit: &'static str,
    /// What the other axis counts, where that was measured: each number with its place on it, from 0.
    pub marks: Vec<(u64, f64)>,
    /// Whether equal distances upright are equal ratios.
    pub is_logarithmic: bool,
    /// A server each.
    pub lines: Vec<Line>,
}

/// One server.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its id.
    pub server: String,
    /// What was measured, from left to right: places on the axis, and values.
    pub points: Vec<(f64, f64)>,
    /// Which of them has a ring around it.
    pub ring: Option<f64>,
}

enum Upright {
    Logarithmic(Scale),
    Linear(Linear),
}

struct Scales {
    x: Linear,
    y: Upright,
}

impl Upright {
    fn place(&self, value: f64) -> f64 {
        match self {
            Upright::Logarithmic(scale) => scale.place(value),
            Upright::Linear(scale) => scale.place(value),
        }
    }

    fn ticks(&self) -> Vec<f64> {
        match self {
            Upright::Logarithmic(scale) => scale.ticks(),
            Upright::Linear(scale) => scale.ticks(),
        }
    }
}

impl Scales {
    fn of(chart: &Lines) -> Self {
        let values = || chart.lines.iter().flat_map(|line| &line.points).map(|(_, y)| *y);
        let least = values().fold(f64::MAX, f64::min).max(1e-6);
        let most = values().fold(least, f64::max);
        let last = chart.marks.iter().map(|(_, place)| *place).fold(1e-6, f64::max);
        let y = match chart.is_logarithmic {
            true => Upright::Logarithmic(Scale::new(least * 0.9, most * 1.15, BOTTOM, TOP)),
            false => Upright::Linear(Linear::new(most * 1.04, BOTTOM, TOP)),
        };
        Scales { x: Linear::new(last, LEFT, RIGHT), y }
    }

    fn place(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (tenth(self.x.place(x)), tenth(self.y.place(y)))
    }
}

impl Lines {
    /// An SVG for each model that has lines.
    pub fn svgs(&self) -> Vec<String> {
        let scales = Scales::of(self);
        let svg = |(model, servers): (String, Vec<&str>)| {
            let is_own = |line: &&Line| servers.contains(&line.server.as_str());
            let lines: Vec<_> = self.lines.iter().filter(is_own).collect();
            draw(self, &model, &lines, &scales)
        };
        let servers: Vec<_> = self.lines.iter().map(|line| line.server.as_str()).collect();
        models(&servers).into_iter().map(svg).collect()
    }
}

fn draw(chart: &Lines, model: &str, lines: &[&Line], scales: &Scales) -> String {
    let frame = Frame { left: LEFT, right: RIGHT, bottom: BOTTOM };
    let ticks = scales.y.ticks().into_iter().map(|tick| (tick, scales.y.place(tick)));
    let marks = chart.marks.iter().map(|(mark, place)| (*mark, scales.x.place(*place)));
    let mut document = sheet(WIDTH, HEIGHT, format!("{}; {model}", chart.alt))
        .add(text(4.0, 18.0, model).set("font-size", 13).set("font-weight", 600))
        .add(axes(frame, ticks, marks, chart.unit));
    for line in lines {
        document = document.add(curve(line, scales));
    }
    document.add(labels(lines, scales)).to_string() + "\n"
}

fn curve(of: &Line, scales: &Scales) -> Group {
    let places: Vec<_> = of.points.iter().map(|point| scales.place(*point)).collect();
    let mut curve = Group::new().add(styled(line(&places), &of.server));
    for place in places {
        curve = curve.add(marker(&of.server, place));
    }
    let ringed = of.points.iter().find(|(x, _)| Some(*x) == of.ring);
    match ringed.map(|point| scales.place(*point)) {
        Some((x, y)) => {
            let ring = Circle::new().set("cx", x).set("cy", y).set("r", 8).set("fill", "none");
            curve.add(ring.set("stroke", GREY).set("stroke-width", 1.5))
        }
        None => curve,
    }
}

/// Each server's name beside the end of its line, moved apart.
fn labels(lines: &[&Line], scales: &Scales) -> Group {
    let end = |line: &&Line| Some((line.server.clone(), scales.place(*line.points.last()?)));
    let mut ends: Vec<_> = lines.iter().filter_map(end).collect();
    ends.sort_by(|(_, one), (_, other)| one.1.total_cmp(&other.1));
    let wanted: Vec<_> = ends.iter().map(|(_, (_, y))| *y).collect();
    let places = apart(&wanted, GAP, TOP, BOTTOM);
    let mut labels = Group::new();
    for ((server, (x, y)), place) in ends.iter().zip(places) {
        let name = server.split_once('/').map_or(server.as_str(), |(_, name)| name);
        let lead = elements::line(&[(x + 6.0, *y), (LABEL - 14.0, tenth(place))]);
        labels = labels
            .add(lead.set("stroke", GREY).set("stroke-opacity", 0.4))
            .add(marker(server, (LABEL - 7.0, tenth(place))))
            .add(text(LABEL + 3.0, place + 4.0, name).set("font-size", 11));
    }
    labels
}
