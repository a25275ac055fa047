//! The picture of the third article: each request of clients at once as a bar, which first waits for
//! somebody who serves it, and then is served.
//!
//! ```text
//!   ████████████            four workers, four clients
//!   ████████████
//!   ░░░░░░░░░░░░████████████   the fifth waits
//! ```

use job::Request;
use serving::scene::Handler;
use serving::{Cell, Recorded, Sample};
use svg::node::element::{Group, Rectangle};

use crate::cells::three_digits;
use crate::chart::elements::{GREY, number, sheet, stroke, tenth, text};
use crate::chart::linear::Linear;
use crate::palette::look;

/// Those that stand for the models of the articles.
const CHOSEN: [&str; 8] = [
    "blocking/pool",
    "blocking/threads",
    "stackful/hub",
    "stackless/hyper-local",
    "other/gunicorn-sync-4",
    "other/gunicorn-gevent",
    "other/uvicorn",
    "other/go-server",
];

const WIDTH: f64 = 330.0;
const LEFT: f64 = 4.0;
const RIGHT: f64 = 316.0;
/// Where bars begin, below the name.
const TOP: f64 = 34.0;
/// What the axis takes below them.
const AXIS: f64 = 26.0;

/// How little of a bar is left of who waits.
const FAINT: f64 = 0.28;

/// Clients at once, server by server.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    /// What each request asks for.
    pub handler: Handler,
    /// How many ask.
    pub clients: u64,
    /// The servers.
    pub panels: Vec<Panel>,
}

/// One server.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// Its id.
    pub server: String,
    /// What became of each request, by when it ended.
    pub bars: Vec<Bar>,
}

/// One request: moments in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bar {
    /// It began.
    pub begun_ms: f64,
    /// Its handler began: by subtraction of what that takes.
    pub served_ms: f64,
    /// Its answer was there.
    pub ended_ms: f64,
}

impl Picture {
    /// Of so many clients in `scene`, from the sample whose wall time is the median; `None` where
    /// nothing was kept to draw, or handlers burn CPU time, which they share: by subtraction nobody
    /// knows then when they began.
    pub fn of(recorded: &Recorded, scene: &str, handler: &str, clients: u64) -> Option<Self> {
        let of = recorded.plan.script.handler(handler);
        let is_own = |cell: &Cell| {
            (cell.scene.as_str(), cell.handler.as_str()) == (scene, handler)
                && cell.point.clients == clients
        };
        let servers = chosen(recorded, is_own);
        let panel = |server: &&str| {
            let sample = middle(recorded, |cell| is_own(cell) && cell.server == **server)?;
            let requests = &sample.clients.as_ref()?.requests;
            Some(Panel { server: (*server).to_owned(), bars: bars(of, requests) })
        };
        let panels: Vec<_> = servers.iter().filter_map(panel).collect();
        let may_be_drawn = of.burn_us == 0 && of.wait_us + of.block_us > 0;
        let picture = Picture { handler: of.clone(), clients, panels };
        (may_be_drawn && !picture.panels.is_empty()).then_some(picture)
    }

    /// Each server as an SVG of its own, all on one time axis.
    pub fn svgs(&self) -> Vec<String> {
        let scale = self.scale();
        let svg = |panel: &Panel| {
            let height = height(panel);
            sheet(WIDTH, height, panel.alt()).add(draw(panel, &scale)).to_string() + "\n"
        };
        self.panels.iter().map(svg).collect()
    }

    /// All servers as one SVG, two beside one another.
    pub fn svg(&self) -> String {
        const GAP: f64 = 20.0;
        let scale = self.scale();
        let row_height = self.panels.iter().map(height).fold(0.0, f64::max) + 14.0;
        let rows = self.panels.len().div_ceil(2);
        let size = (2.0 * WIDTH + GAP, rows as f64 * row_height);
        let mut document = sheet(size.0, size.1, self.alt());
        for (index, panel) in self.panels.iter().enumerate() {
            let x = (index % 2) as f64 * (WIDTH + GAP);
            let y = (index / 2) as f64 * row_height;
            let moved = draw(panel, &scale).set("transform", format!("translate({x} {y})"));
            document = document.add(moved);
        }
        document.to_string() + "\n"
    }

    /// For whoever cannot see it.
    pub fn alt(&self) -> String {
        let panels: Vec<_> = self.panels.iter().map(Panel::alt).collect();
        panels.join("; ")
    }

    fn scale(&self) -> Linear {
        let bars = self.panels.iter().flat_map(|panel| &panel.bars);
        let last = bars.map(|bar| bar.ended_ms).fold(1e-3, f64::max);
        Linear::new(last * 1.02, LEFT, RIGHT)
    }
}

impl Panel {
    fn last_ms(&self) -> f64 {
        self.bars.iter().map(|bar| bar.ended_ms).fold(0.0, f64::max)
    }

    fn alt(&self) -> String {
        let waiting = self.bars.iter().map(|bar| bar.served_ms - bar.begun_ms);
        format!(
            "{}: {} requests, the last over after {} ms, the longest wait for a worker {} ms",
            self.server,
            self.bars.len(),
            three_digits(self.last_ms()),
            three_digits(waiting.fold(0.0, f64::max))
        )
    }
}

/// Those that are chosen, and others beside them while there is room; in the plan's order.
fn chosen(recorded: &Recorded, is_own: impl Fn(&Cell) -> bool) -> Vec<&str> {
    let ids = recorded.plan.servers.iter().map(|server| server.id.as_str());
    let has = |id: &&str| {
        middle(recorded, |cell| is_own(cell) && cell.server == *id)
            .is_some_and(|sample| sample.clients.as_ref().is_some_and(|it| !it.requests.is_empty()))
    };
    let drawn: Vec<_> = ids.filter(has).collect();
    let (mut first, others): (Vec<&str>, Vec<&str>) =
        drawn.iter().partition(|id| CHOSEN.contains(*id));
    first.extend(others.into_iter().take(CHOSEN.len() - first.len()));
    drawn.into_iter().filter(|id| first.contains(id)).collect()
}

/// The sample with the median wall time; of an even number, the one below.
fn middle(recorded: &Recorded, is_own: impl Fn(&Cell) -> bool) -> Option<&Sample> {
    let counts = |sample: &&Sample| !sample.warmup && sample.void.is_none();
    let own = recorded.samples.iter().filter(counts).filter(|sample| is_own(&sample.cell));
    let mut own: Vec<_> =
        own.filter_map(|sample| Some((sample.clients.as_ref()?.wall_ns, sample))).collect();
    own.sort_by_key(|(wall_ns, _)| *wall_ns);
    own.get(own.len().checked_sub(1)? / 2).map(|(_, sample)| *sample)
}

fn bars(handler: &Handler, requests: &[Request]) -> Vec<Bar> {
    let Handler { wait_us, burn_us, block_us, .. } = handler;
    let handler_ms = (wait_us + burn_us + block_us) as f64 / 1e3;
    let bar = |request: &Request| {
        let ms = |ns: u64| ns as f64 / 1e6;
        let (begun_ms, ended_ms) = (ms(request.begun_ns), ms(request.last_byte_ns));
        Bar { begun_ms, served_ms: (ended_ms - handler_ms).max(begun_ms), ended_ms }
    };
    let mut bars: Vec<_> = requests.iter().map(bar).collect();
    bars.sort_by(|one, other| one.ended_ms.total_cmp(&other.ended_ms));
    bars
}

/// From one bar to the next: few are thicker, and many not too thin to be seen.
fn pitch(panel: &Panel) -> f64 {
    (180.0 / panel.bars.len().max(1) as f64).clamp(4.0, 14.0)
}

fn height(panel: &Panel) -> f64 {
    (TOP + panel.bars.len() as f64 * pitch(panel) + AXIS).ceil()
}

fn draw(panel: &Panel, scale: &Linear) -> Group {
    let bottom = TOP + panel.bars.len() as f64 * pitch(panel) + 4.0;
    let last = format!("{} ms", three_digits(panel.last_ms()));
    let mut group = Group::new()
        .add(text(LEFT, 16.0, &panel.server).set("font-size", 13).set("font-weight", 600))
        .add(text(RIGHT, 16.0, &last).set("text-anchor", "end"));
    for tick in scale.ticks() {
        let x = tenth(scale.place(tick));
        let (label, anchor) = match tick {
            0.0 => ("0 ms".to_owned(), "start"),
            _ => (number(tick), "middle"),
        };
        let label = text(x, bottom + 16.0, &label).set("font-size", 11);
        group = group
            .add(stroke((x, TOP - 4.0), (x, tenth(bottom))).set("stroke-opacity", 0.25))
            .add(label.set("text-anchor", anchor));
    }
    for (index, bar) in panel.bars.iter().enumerate() {
        let y = TOP + index as f64 * pitch(panel);
        let part = |from_ms: f64, to_ms: f64| {
            let (from, to) = (tenth(scale.place(from_ms)), tenth(scale.place(to_ms)));
            Rectangle::new()
                .set("x", from)
                .set("y", tenth(y))
                .set("width", tenth(to - from))
                .set("height", tenth(pitch(panel) * 0.74))
        };
        let waits = part(bar.begun_ms, bar.served_ms).set("fill", GREY);
        let served = part(bar.served_ms, bar.ended_ms).set("fill", look(&panel.server).colour);
        group = group.add(waits.set("fill-opacity", FAINT)).add(served);
    }
    group
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serving::fixture::{self, GO, HUB, NGINX, POOL};

    fn picture(recorded: &Recorded, clients: u64) -> Option<Picture> {
        Picture::of(recorded, "servers-at-once", "waits", clients)
    }

    #[test]
    fn the_fifth_waits_for_a_worker() {
        let picture = picture(&fixture::recorded(), 5).unwrap();
        let servers: Vec<_> = picture.panels.iter().map(|panel| panel.server.as_str()).collect();
        assert_eq!(servers, [POOL, HUB, GO], "{NGINX} does not wait");
        let waits = |panel: &Panel| {
            let long = panel.bars.iter().filter(|bar| bar.served_ms - bar.begun_ms > 50.0);
            long.count()
        };
        let waiting: Vec<_> = picture.panels.iter().map(waits).collect();
        assert_eq!(waiting, [1, 0, 0]);
    }

    #[test]
    fn it_is_the_sample_in_the_middle_that_counts() {
        let picture = picture(&fixture::recorded(), 5).unwrap();
        // Walls of 100, 101, 102 and 104 ms count, and the one of 700 does not.
        assert_eq!(picture.panels[1].bars.last().unwrap().ended_ms, 101.0);
        assert_eq!(picture.svgs().len(), 3);
        assert!(picture.svg().contains("other/go-server: 5 requests"), "{}", picture.svg());
    }

    #[test]
    fn there_is_none_of_what_was_not_kept_or_burns() {
        assert_eq!(picture(&fixture::recorded(), 16), None);
        let mut recorded = fixture::recorded();
        for handler in &mut recorded.plan.script.handlers {
            handler.burn_us = 1;
        }
        assert_eq!(picture(&recorded, 5), None);
    }
}
