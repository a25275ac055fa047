//! One figure of each scene for each server, side by side.

use harness::number::grouped;
use serving::Point;
use serving::scene::Kind;

use super::{models, rising, value};
use crate::cells::{NOTHING, three_digits};
use crate::serving::figures::{Figures, Middle};
use crate::serving::summary::{Row, SceneSummary, Summary};
use crate::sheet::{Line, Sheet};

/// A pool of four makes the fifth client wait.
const POOL: u64 = 4;

/// A column: its head, what it says, and a server's text.
struct Column<'a> {
    head: String,
    says: String,
    text: Box<dyn Fn(&str) -> String + 'a>,
}

pub(super) fn sheet(summary: &Summary) -> Option<Sheet> {
    let columns: Vec<_> = summary.scenes.iter().filter_map(column).collect();
    if columns.len() < 2 {
        return None;
    }
    let mut servers: Vec<&str> = Vec::new();
    for server in summary.scenes.iter().flat_map(SceneSummary::servers) {
        if !servers.contains(&server) {
            servers.push(server);
        }
    }
    let mut lines = Vec::new();
    for (model, servers) in models(&servers) {
        lines.push(Line::Group(model));
        lines.extend(servers.into_iter().map(|server| {
            let texts = columns.iter().map(|column| (column.text)(server));
            Line::Cells(std::iter::once(server.to_owned()).chain(texts).collect())
        }));
    }
    let heads = columns.iter().map(|column| column.head.clone());
    let says: Vec<_> =
        columns.iter().map(|column| format!("{}: {}", column.head, column.says)).collect();
    Some(Sheet {
        title: "At a glance".into(),
        heads: std::iter::once("server".to_owned()).chain(heads).collect(),
        lines,
        notes: vec![format!("Medians over rounds. {}.", says.join("; "))],
    })
}

/// What is most to the point of a scene.
fn column(scene: &SceneSummary) -> Option<Column<'_>> {
    let handler = scene.handlers.first()?;
    let points = scene.points();
    let at = |point: Point, figure: fn(&Figures) -> Option<Middle>| {
        let text = move |server: &str| {
            let row = scene.row(&handler.name, point, server);
            value(row.and_then(|row: &Row| figure(row.figures.as_ref()?)))
        };
        Box::new(text) as Box<dyn Fn(&str) -> String>
    };
    let point = *points.first()?;
    let column =
        |head: &str, says: String, text| Some(Column { head: head.to_owned(), says, text });
    match scene.load {
        Kind::AtOnce => {
            let more = points.iter().find(|point| point.clients > POOL).unwrap_or(&point);
            let clients = grouped(more.clients);
            let says = format!(
                "until {clients} clients at once have their answers, each of which {}",
                handler.says
            );
            column(
                &format!("{clients} at once ms"),
                says,
                at(*more, |it| Some(it.at_once()?.wall_ms)),
            )
        }
        Kind::Closed if points.iter().any(|point| point.slow > 0) => {
            let says =
                "documents a second with slow clients beside them, as a part of those without";
            column(
                "slow",
                says.into(),
                Box::new(move |server| slowed(scene, &handler.name, server)),
            )
        }
        Kind::Closed => {
            let says = "documents for each second of the server's CPU time, on kept connections";
            column("docs/CPU s", says.into(), at(point, Figures::documents_per_cpu_s))
        }
        Kind::Open if points.iter().any(|point| point.percent.is_some()) => {
            let says = "the load, as a part of the server's own ceiling, up to which the 99th \
                percentile stays below twice that at the lowest";
            let text = move |server: &str| rising::knee(scene, &handler.name, server);
            column("knee", says.into(), Box::new(text))
        }
        Kind::Open => {
            let says = "the longest that another takes while one handler blocks its thread";
            column("blocked ms", says.into(), at(point, |it| it.open()?.latency_ms_max))
        }
        Kind::Idle => {
            let says = "memory for each connection that stays, where any does";
            column("KiB idle", says.into(), at(point, |it| it.held()?.kib_per_connection))
        }
        Kind::Waiting => {
            let says = "memory for each connection whose handler waits";
            column("KiB waiting", says.into(), at(point, |it| it.held()?.kib_per_connection))
        }
    }
}

/// With as many slow clients as there are.
fn slowed(scene: &SceneSummary, handler: &str, server: &str) -> String {
    let own = scene.slowed.iter().filter(|it| it.handler == handler && it.server == server);
    let most = own.max_by_key(|slowed| slowed.slow);
    most.map_or(NOTHING.to_owned(), |slowed| three_digits(slowed.documents_part.median))
}
