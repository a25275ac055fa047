//! A plain table of text: in a terminal of 100 columns, and on a page.

use comfy_table::{
    Attribute, Cell, CellAlignment, ContentArrangement, LineStyle, Row, Table, TableStyle,
};

use crate::table::{Style, WIDTH, wrapped_at};

/// A table with a title above and notes below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// What stands above it.
    pub title: String,
    /// One for each column.
    pub heads: Vec<String>,
    /// What stands below the heads.
    pub lines: Vec<Line>,
    /// Sentences below it.
    pub notes: Vec<String>,
}

/// One line of a [`Sheet`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// What the lines below it have in common.
    Group(String),
    /// A text for each column.
    Cells(Vec<String>),
}

/// One line, below the heads: whatever else there is to see is a number.
const LINES: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

impl Sheet {
    /// As lines for a terminal.
    pub fn terminal(&self, style: Style) -> Vec<String> {
        let mut lines = vec![String::new(), self.title.clone(), String::new()];
        lines.extend(self.table(style));
        lines.extend(self.notes.iter().flat_map(|note| wrapped_at(note, WIDTH)));
        lines
    }

    /// The table alone, as lines for a terminal.
    pub(crate) fn table(&self, style: Style) -> Vec<String> {
        let mut table = Table::new();
        table.load_style(LINES).set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(WIDTH as u16);
        match style {
            Style::Bold => table.enforce_styling(),
            Style::Plain => table.force_no_tty(),
        };
        table.set_header(&self.heads);
        for line in &self.lines {
            table.add_row(match line {
                Line::Group(name) => {
                    Row::from(vec![Cell::new(name).add_attribute(Attribute::Bold)])
                }
                Line::Cells(cells) => {
                    let lane = format!(" {}", cells[0]);
                    Row::from(std::iter::once(&lane).chain(&cells[1..]).collect::<Vec<_>>())
                }
            });
        }
        // One space is always there, for the vertical line that this style does not draw.
        let gap = u16::from(self.width_with_gaps(2) <= WIDTH);
        for (index, column) in table.column_iter_mut().enumerate() {
            column.set_padding((0, gap));
            if index > 0 && self.is_numbers(index) {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        table.lines().map(|line| line.trim_end().to_owned()).collect()
    }

    /// As a page, where groups are clients.
    pub fn markdown(&self) -> String {
        self.markdown_by("client")
    }

    /// As a page; `group` says what groups are.
    pub fn markdown_by(&self, group: &str) -> String {
        let mut text = format!("#### {}\n\n| {group} ", self.title);
        text += &format!("| {} |\n|---", self.heads.join(" | "));
        for index in 0..self.heads.len() {
            text += if index > 0 && self.is_numbers(index) { "|---:" } else { "|---" };
        }
        text += "|\n";
        let mut group = "";
        for line in &self.lines {
            match line {
                Line::Group(name) => group = name,
                Line::Cells(cells) => {
                    let cells: Vec<_> = cells.iter().map(|cell| cell.trim()).collect();
                    text += &format!("| {group} | {} |\n", cells.join(" | "));
                }
            }
        }
        text += "\n";
        for note in &self.notes {
            text += &format!("{note}\n\n");
        }
        text
    }

    /// Whether no text of it has to be broken in a terminal.
    pub(crate) fn fits(&self) -> bool {
        self.width_with_gaps(1) <= WIDTH
    }

    /// Its columns as wide as their texts, with so many spaces between two of them.
    fn width_with_gaps(&self, gap: usize) -> usize {
        let width = |text: &String| text.chars().count();
        let widest = |column: usize| {
            let cells = self.lines.iter().filter_map(|line| match line {
                Line::Group(_) => None,
                // The first is moved in by one.
                Line::Cells(cells) => Some(width(&cells[column]) + usize::from(column == 0)),
            });
            cells.chain([width(&self.heads[column])]).max().unwrap_or(0) + gap
        };
        (0..self.heads.len()).map(widest).sum()
    }

    /// A column with words in it reads from the left.
    pub(crate) fn is_numbers(&self, column: usize) -> bool {
        self.lines.iter().all(|line| match line {
            Line::Group(_) => true,
            Line::Cells(cells) => !cells[column].contains(char::is_alphabetic),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> Sheet {
        let cells = |texts: [&str; 3]| Line::Cells(texts.map(str::to_owned).to_vec());
        Sheet {
            title: "Calls".into(),
            heads: ["lane", "calls", "names"].map(str::to_owned).to_vec(),
            lines: vec![
                Line::Group("raw".into()),
                cells(["a/b", "12.5", "read 3"]),
                cells(["stackless/c", "1.00", "-"]),
            ],
            notes: vec!["Words. ".repeat(30)],
        }
    }

    #[test]
    fn numbers_stand_right_and_words_left() {
        let lines = sheet().terminal(Style::Plain);
        assert_eq!(
            lines[..7],
            [
                "",
                "Calls",
                "",
                "lane          calls  names",
                "────────────────────────────",
                "raw",
                " a/b           12.5  read 3",
            ]
        );
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH));
    }

    #[test]
    fn a_page_has_the_group_in_every_row() {
        let page = sheet().markdown();
        assert!(
            page.starts_with(
                "#### Calls\n\n| client | lane | calls | names |\n|---|---|---:|---|\n"
            )
        );
        assert!(page.contains("| raw | stackless/c | 1.00 | - |\n\nWords."), "{page}");
    }
}
