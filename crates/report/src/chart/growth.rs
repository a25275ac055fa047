//! How a claim about growth looks: each lane's wall, and dashed beside it the wait and its CPU time.

use svg::node::element::{Group, Polyline};

use super::elements::{
    self, Frame, GREY, LABEL_GAP, dashed, line, marker, number, sheet, tenth, text,
};
use super::labels::apart;
use super::linear::Linear;
use crate::cells::{NOTHING, three_digits};
use crate::claims::growth::{Bounded, Curve, CurvePoint, Growth};
use crate::palette::look;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 460.0;
const LEFT: f64 = 52.0;
const RIGHT: f64 = 500.0;
const TOP: f64 = 96.0;
const BOTTOM: f64 = 396.0;
const FRAME: Frame = Frame { left: LEFT, right: RIGHT, bottom: BOTTOM };

/// Where labels' lines begin and end, their texts begin, and their two columns of figures end.
const KEY: (f64, f64, f64) = (RIGHT + 24.0, RIGHT + 48.0, RIGHT + 55.0);
const COLUMNS: [f64; 2] = [WIDTH - 74.0, WIDTH - 14.0];

struct Scales {
    x: Linear,
    y: Linear,
}

impl Scales {
    fn place(&self, documents: u64, ms: f64) -> (f64, f64) {
        (tenth(self.x.place(documents as f64)), tenth(self.y.place(ms)))
    }
}

/// The whole chart.
pub(crate) fn draw(growth: &Growth) -> String {
    let points = || growth.curves.iter().flat_map(|curve| &curve.points);
    let heights = points().flat_map(|point| [point.wall_ms, predicted(growth, point)]);
    let most = heights.fold(growth.delay_ms, f64::max).max(1e-6);
    let last = growth.documents.last().copied().unwrap_or(1);
    let scales = Scales {
        x: Linear::new(last as f64, LEFT, RIGHT),
        y: Linear::new(most * 1.04, BOTTOM, TOP),
    };
    let mut document = sheet(WIDTH, HEIGHT, growth.alt())
        .add(head(growth))
        .add(axes(growth, &scales))
        .add(wait(growth, &scales));
    for curve in &growth.curves {
        document = document.add(self::curve(growth, curve, &scales));
    }
    document.add(labels(growth, &scales)).to_string() + "\n"
}

/// What it would take if none of its CPU time fell into the wait.
fn predicted(growth: &Growth, point: &CurvePoint) -> f64 {
    growth.delay_ms + point.cpu_ms
}

fn head(growth: &Growth) -> Group {
    let title = format!("{}: wall time in ms over documents N, all at once", growth.workload);
    let lines = [
        "Whole lines: measured, medians. Dashed in the same colour: the wait and the CPU time of all".to_owned(),
        format!(
            "documents, one after the other. Grey: the wait alone, {} ms. Both axes are linear.",
            number(growth.delay_ms)
        ),
    ];
    let mut made = growth.made.clone();
    if !growth.missing.is_empty() {
        made += &format!("; not run: {}", growth.missing.join(", "));
    }
    Group::new()
        .add(text(14.0, 24.0, &title).set("font-size", 15).set("font-weight", 600))
        .add(text(14.0, 44.0, &lines[0]))
        .add(text(14.0, 60.0, &lines[1]))
        .add(text(14.0, HEIGHT - 12.0, &made).set("font-size", 11))
}

fn axes(growth: &Growth, scales: &Scales) -> Group {
    let times = scales.y.ticks().into_iter().map(|tick| (tick, scales.y.place(tick)));
    let documents = growth.documents.iter().map(|n| (*n, scales.x.place(*n as f64)));
    elements::axes(FRAME, times, documents, "N = C")
}

fn wait(growth: &Growth, scales: &Scales) -> Polyline {
    let y = tenth(scales.y.place(growth.delay_ms));
    dashed(line(&[(LEFT, y), (RIGHT, y)]))
}

/// What was measured, and what the wait and the CPU time come to.
fn curve(growth: &Growth, curve: &Curve, scales: &Scales) -> Group {
    let at = |ms: &dyn Fn(&CurvePoint) -> f64| -> Vec<_> {
        curve.points.iter().map(|point| scales.place(point.documents, ms(point))).collect()
    };
    let walls = at(&|point| point.wall_ms);
    let own = line(&walls).set("stroke", look(&curve.lane).colour).set("stroke-width", 2);
    let prediction = line(&at(&|point| predicted(growth, point)));
    let prediction = prediction.set("stroke", look(&curve.lane).colour).set("stroke-width", 1.5);
    let mut curve_of = Group::new().add(prediction.set("stroke-dasharray", "3 4")).add(own);
    for place in walls {
        curve_of = curve_of.add(marker(&curve.lane, place));
    }
    curve_of
}

/// Each line's name and slopes, moved apart.
fn labels(growth: &Growth, scales: &Scales) -> Group {
    let mut all: Vec<(&Curve, CurvePoint)> =
        growth.curves.iter().filter_map(|curve| Some((curve, *curve.points.last()?))).collect();
    all.sort_by(|one, other| other.1.wall_ms.total_cmp(&one.1.wall_ms));
    let ends: Vec<_> = all.iter().map(|(_, at)| scales.place(at.documents, at.wall_ms)).collect();
    let wanted: Vec<_> = ends.iter().map(|(_, y)| *y).collect();
    let places = apart(&wanted, LABEL_GAP, TOP + 6.0, BOTTOM - 4.0);
    let small = |x: f64, y: f64, words: &str| {
        text(x, y, words).set("text-anchor", "end").set("font-size", 11)
    };
    let mut labels = Group::new()
        .add(small(COLUMNS[1], TOP - 28.0, "µs for each further document"))
        .add(small(COLUMNS[0], TOP - 13.0, "wall"))
        .add(small(COLUMNS[1], TOP - 13.0, "CPU"));
    for (((curve, _), end), y) in all.iter().zip(ends).zip(places) {
        labels = labels.add(label(curve, end, tenth(y)));
    }
    labels
}

/// One of them: a line to it, a piece of its own line, its name, its figures.
fn label(curve: &Curve, end: (f64, f64), y: f64) -> Group {
    let lead = line(&[(end.0 + 7.0, end.1), (KEY.0 - 4.0, y)]);
    let key = line(&[(KEY.0, y), (KEY.1, y)]);
    let middle = (tenth((KEY.0 + KEY.1) / 2.0), y);
    let figure = |bounded: &Option<Bounded>| {
        bounded.map_or(NOTHING.to_owned(), |it| three_digits(it.median))
    };
    let columns = [(COLUMNS[0], &curve.wall_us), (COLUMNS[1], &curve.cpu_us)];
    let key = key.set("stroke", look(&curve.lane).colour).set("stroke-width", 2);
    let mut label = Group::new()
        .add(lead.set("stroke", GREY).set("stroke-opacity", 0.4))
        .add(key)
        .add(marker(&curve.lane, middle))
        .add(text(KEY.2, y + 4.0, &curve.lane));
    for (x, bounded) in columns {
        label = label.add(text(x, y + 4.0, &figure(bounded)).set("text-anchor", "end"));
    }
    label
}
