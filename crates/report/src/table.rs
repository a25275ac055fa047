//! Tables for a terminal of 100 columns.

use comfy_table::{
    Attribute, Cell, CellAlignment, ContentArrangement, LineStyle, Row as TableRow, Table,
    TableStyle,
};

use crate::cells::{self, Text};
use crate::inspected;
use crate::placements;
use crate::summary::{Row, Summary, WorkloadSummary};

/// The widest line of anything printed here.
pub const WIDTH: usize = 100;

/// One line, below the heads: whatever else there is to see is a number.
const LINES: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// How what nothing is distinguishably better than is set off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// In bold, for a terminal.
    Bold,
    /// By a `*` behind it, for a file or whoever wants no colours.
    Plain,
}

/// All tables, each with its paragraph above and its notes below.
pub fn render(summary: &Summary, style: Style) -> String {
    let mut lines = Vec::new();
    for line in cells::preamble(summary) {
        lines.extend(wrapped(&line));
    }
    for workload in &summary.workloads {
        lines.push(String::new());
        lines.extend(of_workload(workload, style));
    }
    for caption in cells::captions(summary) {
        lines.push(String::new());
        lines.extend(wrapped(caption));
    }
    lines.join("\n") + "\n"
}

fn of_workload(workload: &WorkloadSummary, style: Style) -> Vec<String> {
    let mut lines = vec![heading(&workload.name, style)];
    lines.extend(wrapped(&workload.shows));
    if let Some(why) = &workload.not_run {
        lines.extend(wrapped(&format!("- not run: {why}")));
        return lines;
    }
    let notes = cells::notes(workload);
    lines.push(String::new());
    lines.extend(table(workload, &notes, style).lines().map(|line| line.trim_end().to_owned()));
    let samples = cells::samples(workload);
    lines.extend(wrapped(&format!("{samples}. {}", cells::common(&workload.common))));
    lines.extend(
        Some(cells::ceiling(workload))
            .filter(|text| !text.is_empty())
            .iter()
            .flat_map(|text| wrapped(text)),
    );
    for (index, note) in notes.iter().enumerate() {
        lines.extend(wrapped(&format!("[{}] {note}", index + 1)));
    }
    let sheets = workload.inspected.iter().flat_map(inspected::sheets);
    let sheets = placements::sheet(workload).into_iter().chain(sheets);
    lines.extend(sheets.flat_map(|sheet| sheet.terminal(style)));
    lines
}

/// What stands above a part of a page.
pub(crate) fn heading(name: &str, style: Style) -> String {
    match style {
        Style::Bold => format!("\x1b[1m{name}\x1b[0m"),
        Style::Plain => format!("{name}\n{}", "=".repeat(name.chars().count())),
    }
}

fn table(workload: &WorkloadSummary, notes: &[&str], style: Style) -> Table {
    let mut table = Table::new();
    table.load_style(LINES).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(WIDTH as u16);
    match style {
        Style::Bold => table.enforce_styling(),
        Style::Plain => table.force_no_tty(),
    };
    table.set_header(std::iter::once("lane").chain(cells::heads(workload).iter().copied()));
    for group in &workload.groups {
        table.add_row(TableRow::from(vec![bold(Cell::new(cells::group_head(group)), true)]));
        for row in &group.rows {
            table.add_row(table_row(workload, row, notes, style));
        }
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        // One space is always there, for the vertical line that this style does not draw.
        column.set_padding((0, 0));
        if index > 0 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn table_row(workload: &WorkloadSummary, row: &Row, notes: &[&str], style: Style) -> TableRow {
    let lane = format!(" {}{}", row.lane, cells::note_mark(row, notes));
    let star = if style == Style::Plain { "*" } else { "" };
    let texts = cells::texts(workload, row).into_iter().map(|Text { text, is_first }| {
        let star = if is_first { star } else { "" };
        bold(Cell::new(text + star), is_first)
    });
    TableRow::from(std::iter::once(Cell::new(lane)).chain(texts).collect::<Vec<_>>())
}

/// Without a terminal the table drops the attribute.
fn bold(cell: Cell, wanted: bool) -> Cell {
    if wanted { cell.add_attribute(Attribute::Bold) } else { cell }
}

/// Lines no wider than a terminal.
pub(crate) fn wrapped(text: &str) -> Vec<String> {
    wrapped_at(text, WIDTH)
}

/// Lines of at most `width` characters, broken between words.
pub fn wrapped_at(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().expect("there is one from the start");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::summarise;

    fn widest(text: &str) -> usize {
        text.lines().map(|line| line.chars().count()).max().unwrap_or(0)
    }

    #[test]
    fn no_line_is_wider_than_a_terminal() {
        for wall_ms in [0.02, 3.0, 123.4, 98_765.4] {
            let mut recorded = fixture::recorded();
            fixture::scale_walls(&mut recorded, wall_ms);
            let text = render(&summarise(&recorded), Style::Plain);
            assert!(widest(&text) <= WIDTH, "{}:\n{text}", widest(&text));
            let whole = |lane: &str| text.contains(&format!(" {lane}"));
            assert!(fixture::LANES.iter().all(|lane| whole(lane)), "a lane is broken:\n{text}");
        }
    }

    #[test]
    fn what_nothing_is_better_than_is_set_off() {
        let summary = summarise(&fixture::compared());
        let plain = render(&summary, Style::Plain);
        let walls = plain.matches("± 0.04*").count() + plain.matches("± 0.05*").count();
        assert_eq!(walls, 2, "the fast one and the one like it, but not it again: {plain}");
        assert!(!plain.contains('\x1b'), "{plain}");
        let bold = render(&summary, Style::Bold);
        assert!(bold.contains("\x1b[1m") && !bold.contains('*'), "{bold}");
    }

    #[test]
    fn the_table_of_the_fixture() {
        let text = render(&summarise(&fixture::recorded()), Style::Plain);
        let lines: Vec<_> = text.lines().filter(|line| line.contains("stack")).collect();
        assert_eq!(
            lines,
            [
                " stackful/hub [2]             -             -      -       -      -      -      -    -",
                " stackless/tokio-local    5,000 20.00 ± 0.00*  1.50*   0.50*   1.00   2.00      1    1",
                " stackful/hub [3]         2,500  40.00 ± 0.00   1.50    0.50   1.00   2.00   2.00    -",
                " stackless/tokio-local    5,000  20.00 ± 0.00   1.50    0.50   1.00   2.00      1    -",
            ]
        );
        assert!(text.contains("[1] waits 100 × 20 ms = 20 s"), "{text}");
        assert!(text.contains("[2] crashed"), "{text}");
        assert!(text.contains("[3] 1 of 3 samples do not count: had 9"), "{text}");
        assert!(text.contains("2 to 3 samples a row. Floor: "), "{text}");
    }
}
