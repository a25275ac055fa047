//! Connections that stay: what each holds.

use harness::number::grouped;
use serving::scene::Kind;

use super::{Of, against, bounded, value};
use crate::serving::figures::{Figures, Held};
use crate::serving::notes::Notes;
use crate::serving::summary::Row;
use crate::sheet::Sheet;

const CAPTION: &str = "Memory of all processes of a server, medians over rounds: MiB with each page that \
    several share counted once, private: what they hold for themselves alone. KiB a connection: slope \
    of the first over the connections, with the 95 % interval where six rounds bound it, and else the \
    median absolute deviation. × Go: that against other/go-server, by round.";

const CLOSES: &str = "closes each connection after its answer, and holds none";

fn held(row: &Row) -> Option<&Held> {
    row.figures.as_ref().and_then(Figures::held)
}

/// What a connection holds.
pub(super) fn sheet(of: Of<'_>) -> Sheet {
    let steps = of.scene.rows.iter().filter_map(held).map(|held| held.steps.as_slice());
    let first = steps.filter_map(|steps| steps.first()).map(|step| step.connections).next();
    let at = first.map_or("MiB".to_owned(), |first| format!("MiB at {}", grouped(first)));
    let heads = ["server", &at, "private", "KiB a connection", "× Go", "processes"];
    let columns = |row: &Row, notes: &mut Notes| {
        let held = held(row)?;
        let slope = match held.closes_each {
            true => notes.mark_for(CLOSES.to_owned(), row),
            false => bounded(held.kib_per_connection),
        };
        Some(vec![
            value(Some(held.first_mib)),
            value(Some(held.first_private_mib)),
            slope,
            against(row),
            held.processes.map_or("-".to_owned(), |it| grouped(it.median.round() as u64)),
        ])
    };
    let title = match of.scene.load {
        Kind::Waiting => format!("A connection that waits; the server {}", of.handler.says),
        _ => "A connection that had its answer and stays".to_owned(),
    };
    of.simple(title, heads.map(str::to_owned).to_vec(), columns, vec![CAPTION.to_owned()])
}
