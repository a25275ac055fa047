//! The same tables for a page.

use std::fmt::Write;

use crate::cells::{self, Text};
use crate::inspected;
use crate::placements;
use crate::summary::{Summary, WorkloadSummary};

/// All tables as GitHub reads them; what no lane is distinguishably better in is in bold.
pub fn render(summary: &Summary) -> String {
    let mut text = String::new();
    for line in cells::preamble(summary) {
        text += &format!("{line}\n\n");
    }
    text + &tables(summary) + &cells::captions(summary).join("\n\n") + "\n"
}

/// The tables alone, each with its paragraph and its notes.
pub fn tables(summary: &Summary) -> String {
    let mut text = String::new();
    for workload in &summary.workloads {
        of_workload(&mut text, workload).expect("writing to a String cannot fail");
    }
    text
}

fn of_workload(text: &mut String, workload: &WorkloadSummary) -> std::fmt::Result {
    write!(text, "### {}\n\n{}\n\n", workload.name, workload.shows)?;
    if let Some(why) = &workload.not_run {
        return write!(text, "Not run: {why}.\n\n");
    }
    let notes = cells::notes(workload);
    let heads = cells::heads(workload);
    writeln!(text, "| N, C, client | lane | {} |", heads.join(" | "))?;
    writeln!(text, "|---|---|{}", "---:|".repeat(heads.len()))?;
    for group in &workload.groups {
        for row in &group.rows {
            let lane = format!("{}{}", row.lane, cells::note_mark(row, &notes));
            let columns: Vec<_> = cells::texts(workload, row).into_iter().map(strong).collect();
            let (head, columns) = (cells::group_head(group), columns.join(" | "));
            writeln!(text, "| {head} | {lane} | {columns} |")?;
        }
    }
    write!(text, "\n{}. {}\n\n", cells::samples(workload), cells::common(&workload.common))?;
    let ceiling = cells::ceiling(workload);
    if !ceiling.is_empty() {
        write!(text, "{ceiling}\n\n")?;
    }
    for (index, note) in notes.iter().enumerate() {
        write!(text, "[{}] {note}\n\n", index + 1)?;
    }
    let inspected = workload.inspected.iter().flat_map(inspected::sheets);
    for sheet in placements::sheet(workload).into_iter().chain(inspected) {
        text.push_str(&sheet.markdown());
    }
    Ok(())
}

/// In bold where no lane is distinguishably better.
fn strong(Text { text, is_first }: Text) -> String {
    if is_first { format!("**{text}**") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fixture, summarise};

    #[test]
    fn rows_have_as_many_columns_as_the_head() {
        let text = render(&summarise(&fixture::recorded()));
        let bars = |line: &str| line.matches('|').count();
        let rows: Vec<_> = text.lines().filter(|line| line.starts_with('|')).collect();
        assert_eq!(rows.len(), 2 + 2 * fixture::LANES.len());
        assert!(rows.iter().all(|row| bars(row) == bars(rows[0])), "{text}");
        assert!(text.contains("### all-at-once\n\nWhat a wait costs.\n"), "{text}");
    }
}
