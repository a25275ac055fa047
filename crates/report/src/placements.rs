//! Unpinned and pinned side by side, where a run has both.

use harness::placement::Placement;

use crate::cells::{NOTHING, group_head, three_digits};
use crate::sheet::{Line, Sheet};
use crate::summary::{Group, Row, WorkloadSummary};

/// Two columns for each figure: where the scheduler puts both, and with the origin and the lane on
/// processors of their own. `None` unless the workload ran in both.
pub fn sheet(workload: &WorkloadSummary) -> Option<Sheet> {
    let pairs: Vec<_> = workload.groups.iter().filter_map(|group| pair(workload, group)).collect();
    if pairs.is_empty() {
        return None;
    }
    let heads = ["lane", "wall ms", "pinned", "ratio", "CPU µs", "pinned", "ratio"];
    Some(Sheet {
        title: "Unpinned, and pinned: origin and lane on processors of their own".to_owned(),
        heads: heads.map(str::to_owned).to_vec(),
        lines: pairs.into_iter().flat_map(|(unpinned, pinned)| lines(unpinned, pinned)).collect(),
        notes: vec![
            "Medians; ratio: pinned to unpinned. Pinned, a lane has fewer processors, and one with \
             several workers starts as many as it has."
                .to_owned(),
        ],
    })
}

/// An unpinned group and the same one pinned.
fn pair<'a>(workload: &'a WorkloadSummary, group: &'a Group) -> Option<(&'a Group, &'a Group)> {
    let is_same = |other: &&Group| {
        (other.point, other.client) == (group.point, group.client)
            && other.placement == Placement::Pinned
    };
    let pinned = workload.groups.iter().find(is_same)?;
    (group.placement == Placement::Unpinned).then_some((group, pinned))
}

fn lines(unpinned: &Group, pinned: &Group) -> Vec<Line> {
    let of_lane = |row: &Row| {
        let other = pinned.rows.iter().find(|other| other.lane == row.lane);
        let [walls, cpus] = [wall_ms, cpu_us].map(|figure| {
            let (one, other) = (figure(row), other.and_then(figure));
            let text = |value: Option<f64>| value.map_or(NOTHING.to_owned(), three_digits);
            let ratio = one.zip(other).map(|(one, other)| other / one);
            [text(one), text(other), text(ratio)]
        });
        Line::Cells([vec![row.lane.clone()], walls.to_vec(), cpus.to_vec()].concat())
    };
    let head = Line::Group(group_head(unpinned));
    std::iter::once(head).chain(unpinned.rows.iter().map(of_lane)).collect()
}

fn wall_ms(row: &Row) -> Option<f64> {
    row.figures.as_ref().map(|figures| figures.wall_ms.median)
}

fn cpu_us(row: &Row) -> Option<f64> {
    row.figures.as_ref()?.cpu_us_per_document
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Style;
    use crate::{fixture, summarise};

    #[test]
    fn both_placements_stand_in_two_columns() {
        let mut recorded = fixture::compared();
        assert_eq!(sheet(&summarise(&recorded).workloads[0]), None, "there is but one");
        let mut pinned = recorded.clone();
        fixture::scale_walls(&mut pinned, 40.0);
        for cell in &mut pinned.plan.cells {
            cell.cell.placement = Placement::Pinned;
        }
        for sample in &mut pinned.samples {
            sample.cell.placement = Placement::Pinned;
        }
        recorded.plan.cells.extend(pinned.plan.cells);
        recorded.samples.extend(pinned.samples);
        let summary = summarise(&recorded);
        assert_eq!(summary.workloads[0].groups.len(), 2);
        let lines = sheet(&summary.workloads[0]).unwrap().terminal(Style::Plain).join("\n");
        let hub = lines.lines().find(|line| line.contains("stackful/hub")).unwrap();
        let words: Vec<_> = hub.split_whitespace().collect();
        assert_eq!(words[3..], ["2.00", "1.50", "1.50", "1.00"], "{lines}");
    }
}
