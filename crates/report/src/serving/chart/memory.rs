//! Memory over connections: what came on top of what was there with the first of them, since programs
//! differ in that by more than any connection holds.

use super::lines::{Line, Lines};
use crate::serving::figures::{Figures, Held, HeldStep};
use crate::serving::summary::{Row, SceneSummary};

/// MiB that connections add to the first step; `None` where none are held.
pub fn svgs(scene: &SceneSummary, handler: &str) -> Option<Vec<String>> {
    let is_own = |row: &&Row| row.cell.handler == handler;
    let held = |row: &Row| {
        let held = row.figures.as_ref().and_then(Figures::held)?;
        Some((row.cell.server.clone(), held.clone()))
    };
    let all: Vec<_> = scene.rows.iter().filter(is_own).filter_map(held).collect();
    let marks = all.iter().flat_map(|(_, held)| &held.steps).map(|step| step.connections);
    let mut marks: Vec<_> = marks.collect();
    marks.sort_unstable();
    marks.dedup();
    let lines: Vec<_> = all.iter().filter_map(|(server, held)| line(server, held)).collect();
    if lines.is_empty() || marks.len() < 2 {
        return None;
    }
    let first = marks[0];
    let marks = marks.into_iter().map(|mark| (mark, mark as f64)).collect();
    let alt = format!("MiB added over {first} connections, over the number of connections");
    Some(Lines { alt, unit: "MiB", marks, is_logarithmic: false, lines }.svgs())
}

/// Who closes each connection holds none.
fn line(server: &str, held: &Held) -> Option<Line> {
    let first = held.steps.first().filter(|_| !held.closes_each)?.mib;
    let point = |step: &HeldStep| (step.connections as f64, (step.mib - first).max(0.0));
    let points = held.steps.iter().map(point).collect();
    Some(Line { server: server.to_owned(), points, ring: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serving::fixture;
    use crate::serving::summarise;

    #[test]
    fn who_closes_each_connection_has_no_line() {
        let summary = summarise(&fixture::recorded());
        let scene = summary.scenes.iter().find(|it| it.name == "servers-idle").unwrap();
        let svgs = svgs(scene, "nothing").unwrap();
        assert_eq!(svgs.len(), 2, "the pool closes each");
        assert!(svgs.iter().all(|svg| svg.contains("MiB added over 100 connections")));
    }
}
