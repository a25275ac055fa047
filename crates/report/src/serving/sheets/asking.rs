//! Clients who ask again when their last answer has come: what a request costs, and what others cost
//! them who are slow.

use harness::number::grouped;
use serving::Point;

use super::{Of, absent, against, fitting, heads, ratio, value};
use crate::cells::NOTHING;
use crate::serving::figures::{Closed, Figures, Middle};
use crate::serving::notes::Notes;
use crate::serving::summary::Row;
use crate::sheet::Sheet;

const KEEP_ALIVE: &str = "CPU: of the server, all of its processes; client: CPU time of the process \
    that asks, for each document. × Go: documents for each second of CPU time against \
    other/go-server, by round, with the 95 % interval where six rounds bound it. p50, p99: service \
    time.";

const SLOW: &str = "Medians over rounds. part: documents with slow clients beside them, as a part of \
    those without, by round.";

fn closed(row: &Row) -> Option<&Closed> {
    row.figures.as_ref().and_then(Figures::closed)
}

/// What a request costs when there is nothing else to do.
pub(super) fn keep_alive(of: Of<'_>) -> Sheet {
    fitting(|caption, text| keep_alive_with(of, caption, text))
}

fn keep_alive_with(of: Of<'_>, caption: &str, text: fn(Middle) -> String) -> Sheet {
    let clients = of.point().map_or(0, |point| point.clients);
    let title = format!(
        "{} clients who keep their connections; the server {}",
        grouped(clients),
        of.handler.says
    );
    let heads = heads([
        "server",
        "docs/s",
        "CPU µs/doc",
        "docs/CPU s",
        "× Go",
        "p50 ms",
        "p99 ms",
        "client µs",
    ]);
    let columns = |row: &Row, _: &mut Notes| {
        let closed = closed(row)?;
        Some(vec![
            text(closed.documents_per_s),
            value(closed.cpu_us_per_document),
            value(closed.documents_per_cpu_s),
            against(row),
            value(closed.service_ms_p50),
            value(closed.service_ms_p99),
            value(closed.client_cpu_us_per_document),
        ])
    };
    of.simple(title, heads, columns, vec![format!("{caption} {KEEP_ALIVE}")])
}

/// The same clients without and with slow ones.
pub(super) fn slow(of: Of<'_>) -> Sheet {
    let points = of.scene.points();
    let without = points[0];
    let beside: Vec<_> = points.iter().copied().filter(|point| point.slow > without.slow).collect();
    let mut heads = vec!["server".to_owned(), "docs/s".to_owned()];
    for point in &beside {
        heads.extend([format!("with {}", grouped(point.slow)), "part".to_owned()]);
    }
    heads.push("p99 ms".to_owned());
    heads.extend(beside.iter().map(|point| format!("with {}", grouped(point.slow))));
    let mut notes = Notes::default();
    let lines = of.lines(|server| {
        let cells = slow_cells(of, without, &beside, server, &mut notes);
        cells.unwrap_or_else(|mark| absent(mark, heads.len() - 1))
    });
    let title = format!(
        "{} clients, and with slow ones beside them; the server {}",
        grouped(without.clients),
        of.handler.says
    );
    let sentences = notes.sentences(of.scene).into_iter();
    let notes = std::iter::once(SLOW.to_owned()).chain(sentences).collect();
    Sheet { title, heads, lines, notes }
}

/// A server's cells, or what stands in place of them where it has no figures at all.
fn slow_cells(
    of: Of<'_>,
    without: Point,
    beside: &[Point],
    server: &str,
    notes: &mut Notes,
) -> Result<Vec<String>, String> {
    let rows: Vec<_> = std::iter::once(&without)
        .chain(beside)
        .filter_map(|point| of.row(*point, server))
        .collect();
    let marks: Vec<_> =
        rows.iter().filter(|row| closed(row).is_none()).map(|row| notes.mark(row)).collect();
    if marks.len() == rows.len() {
        return Err(marks.into_iter().next().unwrap_or(NOTHING.to_owned()));
    }
    let mut marks = marks.into_iter();
    let (mut cells, mut latencies) = (Vec::new(), Vec::new());
    for row in rows {
        let point = row.cell.point;
        match closed(row) {
            Some(closed) => {
                notes.about(row);
                cells.push(value(Some(closed.documents_per_s)));
                latencies.push(value(closed.service_ms_p99));
            }
            None => {
                cells.push(marks.next().unwrap_or(NOTHING.to_owned()));
                latencies.push(NOTHING.to_owned());
            }
        }
        if point != without {
            let own = of.scene.slowed.iter().find(|slowed| {
                (slowed.server.as_str(), slowed.slow) == (server, point.slow)
                    && slowed.handler == of.handler.name
            });
            cells.push(ratio(own.map(|slowed| slowed.documents_part)));
        }
    }
    cells.extend(latencies);
    Ok(cells)
}
