//! What the articles say, and what the record says of it.

use maud::{Markup, PreEscaped, html};

use super::html::swatch;
use crate::claims::words::{self, EXPERIMENT_HEADS, HEADS};
use crate::claims::{Growth, Judged, JudgedClaim, Word};
use crate::sheet::Line;

pub(super) fn section(judged: &Judged) -> Markup {
    html! {
        section #claims aria-labelledby="claims-head" {
            h2 #claims-head { "What the articles say" }
            @if !judged.says_something() {
                p.missing {
                    "This record has no samples for any of their claims; " code { "--workloads articles" }
                    " measures those of lanes, after " code { "compare others install" } ". Those of servers take"
                    " a record of " code { "compare servers" } ", and " code { "compare claims RECORD RECORD…" }
                    " takes both."
                }
            } @else {
                p.lead { (words::counts(&judged.claims)) " Every claim opens on its experiments." }
                (verdicts(judged))
                @for claim in &judged.claims { (of_claim(claim)) }
                p.note { (words::CAPTION) }
            }
        }
    }
}

fn verdicts(judged: &Judged) -> Markup {
    html! {
        div.scrolls tabindex="0" role="region" aria-label="Verdicts" {
            table.claims {
                caption.quiet { "The articles' claims with their verdicts" }
                thead { tr { @for head in HEADS { th scope="col" { (head) } } } }
                tbody {
                    @for claim in &judged.claims {
                        tr {
                            td { a href={ "#claim-" (claim.number) } { (claim.number) } }
                            th.words scope="row" { (claim.says) }
                            td { (verdict(claim)) }
                            td.words {
                                @for (head, lines) in words::evidence(claim) {
                                    (head)
                                    ul { @for line in &lines { li { (line) } } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn verdict(claim: &JudgedClaim) -> Markup {
    let word = claim.verdict.word;
    let class = match word {
        Word::Holds => "holds",
        Word::OnlyIf => "only-if",
        Word::Fails => "fails",
        Word::Open => "open",
    };
    html! { span class={ "verdict " (class) } { (word.text()) } }
}

fn of_claim(claim: &JudgedClaim) -> Markup {
    html! {
        details.claim id={ "claim-" (claim.number) } open[claim.growth.is_some()] {
            summary { (claim.number) ". " (claim.says) " " (verdict(claim)) }
            p { "Said in " (claim.source) ". Predicts: " (claim.predicts) }
            div.scrolls tabindex="0" role="region" aria-label={ "Experiments of claim " (claim.number) } {
                table.claims {
                    caption.quiet { "Experiments of claim " (claim.number) }
                    thead { tr { @for head in EXPERIMENT_HEADS { th scope="col" { (head) } } } }
                    tbody {
                        @for finding in &claim.findings {
                            tr {
                                @for (index, cell) in words::experiment(finding).iter().enumerate() {
                                    td class=[(index == 0 || index == 3).then_some("words")] { (cell) }
                                }
                            }
                        }
                    }
                }
            }
            p { "Why: " (claim.why) }
            @if let Some(growth) = &claim.growth { (of_growth(growth)) }
        }
    }
}

/// The chart, which was drawn without scripts, and its figures.
fn of_growth(growth: &Growth) -> Markup {
    let sheet = growth.sheet();
    html! {
        figure.growth { (PreEscaped(growth.svg())) }
        div.scrolls tabindex="0" role="region" aria-label=(sheet.title) {
            table.narrow {
                caption.quiet { (sheet.title) }
                thead { tr {
                    @for (index, head) in sheet.heads.iter().enumerate() {
                        th class=[(index > 0).then_some("number")] scope="col" { (head) }
                    }
                } }
                tbody {
                    @for (line, curve) in sheet.lines.iter().zip(&growth.curves) {
                        @if let Line::Cells(cells) = line {
                            tr {
                                th scope="row" { (swatch(&curve.lane)) (cells[0]) }
                                @for cell in &cells[1..] { td.number { (cell) } }
                            }
                        }
                    }
                }
            }
        }
        @for note in &sheet.notes { p.note { (note) } }
    }
}
