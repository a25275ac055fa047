//! Latency over the load, in percent of each server's own ceiling: far below it a request takes what
//! its handler takes, and near it what all wait for that came before.

use super::lines::{Line, Lines};
use crate::serving::figures::Figures;
use crate::serving::summary::{Knee, Row, SceneSummary};

/// The 99th percentile of the latency of what `handler` is asked for; `None` where no load rises.
pub fn svgs(scene: &SceneSummary, handler: &str) -> Option<Vec<String>> {
    let lines: Vec<_> = scene.servers().iter().filter_map(|it| line(scene, handler, it)).collect();
    let loads = scene.points().into_iter().filter(|point| !point.is_ceiling());
    let percents = loads.filter_map(|point| point.percent);
    let marks: Vec<_> = percents.map(|percent| (u64::from(percent), place(percent))).collect();
    if lines.is_empty() || marks.len() < 2 {
        return None;
    }
    let alt = format!("99th percentile of the latency in ms over the load in percent, {handler}");
    Some(Lines { alt, unit: "%", marks, is_logarithmic: true, lines }.svgs())
}

fn line(scene: &SceneSummary, handler: &str, server: &str) -> Option<Line> {
    let is_own = |row: &&Row| row.cell.handler == handler && row.cell.server == server;
    let point = |row: &Row| {
        let open = row.figures.as_ref().and_then(Figures::open)?;
        let p99 = open.latency_ms_p99?.median;
        (p99 > 0.0).then_some((place(row.cell.point.percent?), p99))
    };
    let mut points: Vec<_> = scene.rows.iter().filter(is_own).filter_map(point).collect();
    points.sort_by(|one, other| one.0.total_cmp(&other.0));
    let is_its = |knee: &&Knee| knee.handler == handler && knee.server == server;
    // Where nothing was too much, no knee was found.
    let knee = scene.knees.iter().find(is_its).filter(|knee| !knee.is_at_least);
    let ring = knee.map(|knee| place(knee.percent));
    (!points.is_empty()).then(|| Line { server: server.to_owned(), points, ring })
}

/// Each halving of what is left of the ceiling is as far as the next: what happens, happens near it, and
/// a queue whose length goes with one over what is left is a straight line.
fn place(percent: u32) -> f64 {
    let left = (100.0 - f64::from(percent)).max(1.0) / 100.0;
    -left.ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serving::fixture;
    use crate::serving::summarise;

    #[test]
    fn a_model_is_a_chart_and_a_knee_a_ring() {
        let summary = summarise(&fixture::recorded());
        let scene = summary.scenes.iter().find(|it| it.name == "servers-rising-load").unwrap();
        let svgs = svgs(scene, "nothing").unwrap();
        assert_eq!(svgs.len(), 3, "blocking, stackful, other");
        let rings = |svg: &str| svg.matches(r#"r="8""#).count();
        assert_eq!(svgs.iter().map(|svg| rings(svg)).collect::<Vec<_>>(), [1, 1, 0]);
        assert!(svgs[1].contains(">\nhub\n<"), "{}", svgs[1]);
    }

    #[test]
    fn a_rate_that_stays_is_none() {
        let summary = summarise(&fixture::recorded());
        let scene = summary.scenes.iter().find(|it| it.name == "servers-blocked").unwrap();
        assert_eq!(svgs(scene, "nothing"), None);
    }
}
