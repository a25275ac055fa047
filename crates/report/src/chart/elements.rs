//! What the chart is drawn with.

use harness::number::grouped;
use svg::Document;
use svg::node::element::path::Data;
use svg::node::element::{
    Circle, Element, Group, Line as Stroke, Path, Polygon, Polyline, Text, Title,
};

use crate::palette::look;

/// Read on white and on a dark page alike: about 4 to 1 in contrast to both.
pub const GREY: &str = "#7a8089";

/// From one label's line to the next.
pub const LABEL_GAP: f64 = 19.0;

const FONTS: &str = "-apple-system, 'Segoe UI', 'Noto Sans', Helvetica, Arial, sans-serif";

/// The sides of what is drawn in.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// Where it begins, from the left.
    pub left: f64,
    /// Where it ends.
    pub right: f64,
    /// Where it ends below.
    pub bottom: f64,
}

/// An empty picture of this size, for those who cannot see it `alt`.
pub fn sheet(width: f64, height: f64, alt: String) -> Document {
    Document::new()
        .set("viewBox", (0, 0, width, height))
        .set("role", "img")
        .set("font-family", FONTS)
        .set("font-size", 12)
        .set("fill", GREY)
        .add(Title::new(alt))
}

/// Hairlines at round times, and the numbers of documents that were measured, each with its place; below
/// the upright axis what the other counts.
pub fn axes(
    frame: Frame,
    times: impl IntoIterator<Item = (f64, f64)>,
    documents: impl IntoIterator<Item = (u64, f64)>,
    unit: &str,
) -> Group {
    let Frame { left, right, bottom } = frame;
    let mut axes = Group::new();
    for (tick, place) in times {
        let y = tenth(place);
        axes = axes
            .add(stroke((left, y), (right, y)).set("stroke-opacity", 0.25))
            .add(text(left - 8.0, y + 4.0, &number(tick)).set("text-anchor", "end"));
    }
    axes = axes.add(stroke((left, bottom), (right, bottom)));
    for (documents, place) in documents {
        let x = tenth(place);
        let label = text(x, bottom + 20.0, &grouped(documents)).set("text-anchor", "middle");
        axes = axes.add(stroke((x, bottom), (x, bottom + 5.0))).add(label);
    }
    axes.add(text(left - 8.0, bottom + 20.0, unit).set("text-anchor", "end"))
}

/// A point of a lane's line: a symbol of about the same area whatever its shape.
pub fn marker(lane: &str, (x, y): (f64, f64)) -> Element {
    let look = look(lane);
    let corners: &[(f64, f64)] = match look.marker {
        "square" => &[(-3.5, -3.5), (3.5, -3.5), (3.5, 3.5), (-3.5, 3.5)],
        "diamond" => &[(0.0, -5.0), (5.0, 0.0), (0.0, 5.0), (-5.0, 0.0)],
        "triangle-up" => &[(0.0, -5.0), (4.8, 3.6), (-4.8, 3.6)],
        "triangle-down" => &[(0.0, 5.0), (4.8, -3.6), (-4.8, -3.6)],
        "triangle-right" => &[(5.0, 0.0), (-3.6, 4.8), (-3.6, -4.8)],
        "triangle-left" => &[(-5.0, 0.0), (3.6, 4.8), (3.6, -4.8)],
        "arrow" => &[
            (0.0, -5.5),
            (4.5, 0.5),
            (1.5, 0.5),
            (1.5, 5.0),
            (-1.5, 5.0),
            (-1.5, 0.5),
            (-4.5, 0.5),
        ],
        "wedge" => &[(0.0, -5.5), (2.6, 4.5), (-2.6, 4.5)],
        "cross" => {
            let cross = Data::new().move_to((tenth(x - 3.5), tenth(y - 3.5))).line_by((7, 7));
            let cross = cross.move_by((0, -7)).line_by((-7, 7));
            let cross = Path::new().set("d", cross).set("stroke", look.colour);
            return cross.set("stroke-width", 2).into();
        }
        _ => {
            let circle = Circle::new().set("cx", x).set("cy", y).set("r", 4);
            return circle.set("fill", look.colour).into();
        }
    };
    let corners: Vec<_> = corners.iter().map(|(dx, dy)| (tenth(x + dx), tenth(y + dy))).collect();
    Polygon::new().set("points", joined(&corners)).set("fill", look.colour).into()
}

/// With the lane's colour and dashes.
pub fn styled(line: Polyline, lane: &str) -> Polyline {
    let look = look(lane);
    let line = line.set("stroke", look.colour).set("stroke-width", 2);
    let dashes: Vec<_> = look.dashes.iter().map(ToString::to_string).collect();
    if dashes.is_empty() { line } else { line.set("stroke-dasharray", dashes.join(" ")) }
}

/// For what is no lane's.
pub fn dashed(line: Polyline) -> Polyline {
    line.set("stroke", GREY).set("stroke-width", 1.5).set("stroke-dasharray", "5 4")
}

/// A line through places, as yet of no colour.
pub fn line(places: &[(f64, f64)]) -> Polyline {
    Polyline::new().set("points", joined(places)).set("fill", "none")
}

/// A straight line of an axis.
pub fn stroke(from: (f64, f64), to: (f64, f64)) -> Stroke {
    let line = Stroke::new().set("x1", from.0).set("y1", from.1);
    line.set("x2", to.0).set("y2", to.1).set("stroke", GREY)
}

/// A text that begins at a place.
pub fn text(x: f64, y: f64, content: &str) -> Text {
    Text::new(content).set("x", x).set("y", tenth(y))
}

/// Places as SVG lists them.
pub fn joined(places: &[(f64, f64)]) -> String {
    places.iter().map(|(x, y)| format!("{x},{y}")).collect::<Vec<_>>().join(" ")
}

/// A value that is round.
pub fn number(value: f64) -> String {
    if value.fract() == 0.0 { grouped(value as u64) } else { format!("{value}") }
}

/// To a tenth of a pixel, which nobody can see, and which no processor computes differently.
pub fn tenth(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
