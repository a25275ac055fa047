//! All clients at the same moment: wall time by their number.

use harness::number::grouped;

use super::{Of, fitting};
use crate::cells::NOTHING;
use crate::serving::figures::{Figures, Middle};
use crate::serving::notes::Notes;
use crate::sheet::Sheet;

pub(super) fn sheet(of: Of<'_>) -> Sheet {
    fitting(|caption, text| with(of, caption, text))
}

fn with(of: Of<'_>, caption: &str, text: fn(Middle) -> String) -> Sheet {
    let points = of.scene.points();
    let mut notes = Notes::default();
    let lines = of.lines(|server| {
        let cell = |point: &serving::Point| {
            let Some(row) = of.row(*point, server) else { return NOTHING.to_owned() };
            match row.figures.as_ref().and_then(Figures::at_once) {
                Some(figures) => {
                    notes.about(row);
                    text(figures.wall_ms)
                }
                None => notes.mark(row),
            }
        };
        points.iter().map(cell).collect()
    });
    let clients = points.iter().map(|point| grouped(point.clients));
    let sentences = notes.sentences(of.scene).into_iter();
    Sheet {
        title: format!(
            "Each {}: ms until the last of so many clients has its answer",
            of.handler.says
        ),
        heads: std::iter::once("server".to_owned()).chain(clients).collect(),
        lines,
        notes: std::iter::once(caption.to_owned()).chain(sentences).collect(),
    }
}
