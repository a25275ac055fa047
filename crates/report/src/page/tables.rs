//! The cells of every other form, as tables.

use maud::{Markup, html};

use super::html::swatch;
use crate::cells::{self, Text};
use crate::sheet::{Line, Sheet};
use crate::summary::{Group, Row, Summary, WorkloadSummary};
use crate::{inspected, placements};

pub(super) fn section(summary: &Summary) -> Markup {
    html! {
        section #tables aria-labelledby="tables-head" {
            h2 #tables-head { "Tables" }
            @for workload in &summary.workloads { (of_workload(workload)) }
            @for caption in cells::captions(summary) { p.note { (caption) } }
        }
    }
}

fn of_workload(workload: &WorkloadSummary) -> Markup {
    if let Some(why) = &workload.not_run {
        return html! {
            section.workload id={ "table-" (workload.name) } {
                h3 { (workload.name) }
                p.missing { "Not run: " (why) "." }
            }
        };
    }
    let notes = cells::notes(workload);
    let heads = cells::heads(workload);
    let sheets = workload.inspected.iter().flat_map(inspected::sheets);
    let sheets: Vec<_> = placements::sheet(workload).into_iter().chain(sheets).collect();
    html! {
        section.workload id={ "table-" (workload.name) } {
            h3 { (workload.name) }
            p.shows { (workload.shows) }
            div.scrolls tabindex="0" role="region" aria-label={ "Table of " (workload.name) } {
                table {
                    caption.quiet { "Figures of " (workload.name) ", by N, C and client" }
                    thead { tr {
                        th scope="col" { "lane" }
                        @for head in heads { th.number scope="col" { (head) } }
                    } }
                    @for group in &workload.groups { (of_group(workload, group, &notes, heads.len())) }
                }
            }
            p.note { (cells::samples(workload)) ". " (cells::common(&workload.common)) }
            @let ceiling = cells::ceiling(workload);
            @if !ceiling.is_empty() { p.note { (ceiling) } }
            @if !notes.is_empty() {
                ol.note { @for note in &notes { li { (note) } } }
            }
            @for sheet in &sheets { (of_sheet(sheet)) }
        }
    }
}

fn of_group(workload: &WorkloadSummary, group: &Group, notes: &[&str], columns: usize) -> Markup {
    html! {
        tbody {
            tr.group { th colspan=(columns + 1) scope="rowgroup" { (cells::group_head(group)) } }
            @for row in &group.rows {
                tr class=[row.is_variant().then_some("variant")] data-lane=(base(&row.lane)) {
                    th scope="row" {
                        (swatch(&row.lane)) (row.lane)
                        @let mark = note_mark(row, notes);
                        @if let Some(number) = mark { sup { (number) } }
                    }
                    @for Text { text, is_first } in cells::texts(workload, row) {
                        td.number { @if is_first { b { (text) } } @else { (text) } }
                    }
                }
            }
        }
    }
}

fn note_mark(row: &Row, notes: &[&str]) -> Option<usize> {
    let note = row.note.as_deref()?;
    notes.iter().position(|other| *other == note).map(|place| place + 1)
}

/// The lane that a row goes with: a variant comes and goes with what it is a variant of.
pub(super) fn base(lane: &str) -> &str {
    lane.split('+').next().unwrap_or(lane)
}

/// The class of a column, where it has one.
fn number(sheet: &Sheet, column: usize) -> Option<&'static str> {
    sheet.is_numbers(column).then_some("number")
}

/// A plain table, as its forms for a terminal and a document.
pub(crate) fn of_sheet(sheet: &Sheet) -> Markup {
    html! {
        h4 { (sheet.title) }
        div.scrolls tabindex="0" role="region" aria-label=(sheet.title) {
            table {
                caption.quiet { (sheet.title) }
                thead { tr {
                    @for (index, head) in sheet.heads.iter().enumerate() {
                        th class=[(index > 0).then(|| number(sheet, index)).flatten()] scope="col" { (head) }
                    }
                } }
                tbody {
                    @for line in &sheet.lines {
                        @match line {
                            Line::Group(name) => {
                                tr.group { th colspan=(sheet.heads.len()) scope="rowgroup" { (name) } }
                            }
                            Line::Cells(cells) => {
                                tr data-lane=(base(cells[0].trim())) {
                                    th scope="row" { (swatch(cells[0].trim())) (cells[0].trim()) }
                                    @for (index, cell) in cells.iter().enumerate().skip(1) {
                                        td class=[number(sheet, index)] { (cell.trim()) }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
        @for note in &sheet.notes { p.note { (note) } }
    }
}
