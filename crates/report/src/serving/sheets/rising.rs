//! Requests that come at a rate: one that rises to the ceiling, and one beside a handler that blocks.

use harness::number::grouped;
use serving::Point;

use super::{Of, heads, value};
use crate::cells::{NOTHING, three_digits};
use crate::serving::figures::{Figures, Open};
use crate::serving::notes::Notes;
use crate::serving::summary::{Row, SceneSummary};
use crate::sheet::Sheet;

const RISING: &str = "max/s: the ceiling, documents a second of clients who ask again at once. Then \
    latencies in ms, from when a request was due, medians over rounds: the median at the lowest load, \
    and the 99th percentile at each part of the ceiling. knee: the highest load at which, and at all \
    below, the 99th percentile is less than twice that at the lowest. late: how late the clients \
    themselves were to send, 99th percentile at the load at which they were latest; a latency is not \
    known to less than that.";

const BLOCKED: &str = "Latencies of the others, from when a request was due, medians over rounds. \
    > 100 ms: requests of the others that took longer, or had no answer. blocker: how long the request \
    itself took that blocks. late: how late the clients themselves were to send, 99th percentile.";

fn open(row: &Row) -> Option<&Open> {
    row.figures.as_ref().and_then(Figures::open)
}

/// Latencies while the load rises to the ceiling.
pub(super) fn sheet(of: Of<'_>) -> Sheet {
    let (ceilings, loads): (Vec<_>, Vec<_>) =
        of.scene.points().into_iter().partition(Point::is_ceiling);
    let percent = |point: &Point| format!("{} %", point.percent.unwrap_or_default());
    let mut heads = heads(["server", "max/s", "p50"]);
    heads.extend(loads.iter().map(percent));
    heads.extend(["knee", "late"].map(str::to_owned));
    let mut notes = Notes::default();
    let lines = of.lines(|server| {
        let mut cells = vec![ceiling(of, &ceilings, server, &mut notes)];
        cells.push(lowest(of, &loads, server));
        cells.extend(loads.iter().map(|point| p99(of, *point, server, &mut notes)));
        cells.extend([knee(of.scene, &of.handler.name, server), latest(of, &loads, server)]);
        cells
    });
    let sentences = notes.sentences(of.scene).into_iter();
    Sheet {
        title: format!("Latency in ms as the load rises; the server {}", of.handler.says),
        heads,
        lines,
        notes: std::iter::once(RISING.to_owned()).chain(sentences).collect(),
    }
}

fn ceiling(of: Of<'_>, ceilings: &[Point], server: &str, notes: &mut Notes) -> String {
    let row = ceilings.first().and_then(|point| of.row(*point, server));
    let Some(row) = row else { return NOTHING.to_owned() };
    match row.figures.as_ref().and_then(Figures::closed) {
        Some(closed) => {
            notes.about(row);
            value(Some(closed.documents_per_s))
        }
        None => notes.mark(row),
    }
}

fn lowest(of: Of<'_>, loads: &[Point], server: &str) -> String {
    let row = loads.first().and_then(|point| of.row(*point, server));
    value(row.and_then(open).and_then(|open| open.latency_ms_p50))
}

fn p99(of: Of<'_>, point: Point, server: &str, notes: &mut Notes) -> String {
    let Some(row) = of.row(point, server) else { return NOTHING.to_owned() };
    match open(row) {
        Some(open) => {
            notes.about(row);
            value(open.latency_ms_p99)
        }
        None => notes.mark(row),
    }
}

/// The load at which it becomes too much, as text.
pub(super) fn knee(scene: &SceneSummary, handler: &str, server: &str) -> String {
    let own = scene.knees.iter().find(|it| it.handler == handler && it.server == server);
    own.map_or(NOTHING.to_owned(), |knee| {
        let at_least = if knee.is_at_least { "≥ " } else { "" };
        format!("{at_least}{} %", knee.percent)
    })
}

/// How late the clients were where they were latest.
fn latest(of: Of<'_>, loads: &[Point], server: &str) -> String {
    let rows = loads.iter().filter_map(|point| of.row(*point, server));
    let late = rows.filter_map(open).filter_map(|open| open.late_ms_p99);
    let most = late.map(|middle| middle.median).max_by(f64::total_cmp);
    most.map_or(NOTHING.to_owned(), three_digits)
}

/// What the others feel of a handler that blocks its thread.
pub(super) fn blocked(of: Of<'_>) -> Sheet {
    let rows = of.scene.rows.iter().filter_map(open);
    let rate = rows.filter_map(|open| open.rate).map(|rate| rate.median as u64).next();
    let rate = rate.map_or("Requests at a rate".to_owned(), |rate| {
        format!("{} requests a second", grouped(rate))
    });
    let title = format!("{rate}; the server {}, and for one of them it blocks", of.handler.says);
    let heads =
        heads(["server", "p50 ms", "p99 ms", "max ms", "> 100 ms", "blocker ms", "late ms"]);
    let columns = |row: &Row, _: &mut Notes| {
        let open = open(row)?;
        let felt = open.felt_part.map(|part| format!("{:.1} %", 100.0 * part.median));
        Some(vec![
            value(open.latency_ms_p50),
            value(open.latency_ms_p99),
            value(open.latency_ms_max),
            felt.unwrap_or(NOTHING.to_owned()),
            value(open.blocker_ms),
            value(open.late_ms_p99),
        ])
    };
    of.simple(title, heads, columns, vec![BLOCKED.to_owned()])
}
