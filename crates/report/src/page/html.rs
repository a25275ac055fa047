//! The page from top to bottom.

use harness::record::Recorded;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::data::{Data, OfWorkload, data, shown_timelines};
use super::{LIBRARIES, SCRIPTS, STYLE, cards, claims, downloads, json, script, tables, validity};
use crate::answer::{Answer, answer};
use crate::claims::Judged;
use crate::palette::look;
use crate::summary::{Summary, WorkloadSummary};

/// Nothing may be fetched, by whomever: what is needed is inside. Vega makes functions of its
/// expressions, which is what `unsafe-eval` allows.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval'; \
    style-src 'unsafe-inline'; img-src data:";

/// Where one can go at once.
const SECTIONS: [(&str, &str); 7] = [
    ("charts", "Charts"),
    ("timeline", "Request by request"),
    ("lanes", "Lanes"),
    ("claims", "What the articles say"),
    ("tables", "Tables"),
    ("validity", "Can it be believed?"),
    ("downloads", "Take it with you"),
];

pub(super) fn page(recorded: &Recorded, summary: &Summary, judged: &Judged) -> Markup {
    let data = data(recorded, summary);
    let answer = answer(recorded, summary);
    let started = recorded.environment.started.get(..10).unwrap_or(&recorded.environment.started);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                // Without one the browser would ask the folder for a favicon.
                link rel="icon" href="data:,";
                title { "Blocking, threads, green threads, async: " (started) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header.top {
                    p.kicker { "Blocking · threads · green threads · async/await" }
                    h1 { "Which way of waiting?" }
                    (opening(&answer, summary))
                    p.machine { (summary.machine) " · " (started) }
                    nav.scripted aria-label="Sections" {
                        @for (id, name) in SECTIONS { a href={ "#" (id) } { (name) } }
                    }
                }
                (toolbar(&data))
                main {
                    (charts(&answer, summary, &data))
                    (timeline(recorded))
                    (cards::section(recorded, summary, answer.workload.as_deref()))
                    (claims::section(judged))
                    (tables::section(summary))
                    (validity::section(recorded, summary))
                    (downloads::section(recorded, summary))
                }
                footer { p { "Made by " code { "compare report" } " from a record. This file needs no network and sends nothing." } }
                div #tooltip role="status" hidden {}
                script #data type="application/json" { (json(&data)) }
                @for library in LIBRARIES { script { (script(library)) } }
                @for own in SCRIPTS { script { (script(own)) } }
            }
        }
    }
}

fn opening(answer: &Answer, summary: &Summary) -> Markup {
    html! {
        section #answer aria-label="The answer" {
            @for caution in &answer.cautions { p.caution { (caution) } }
            @for sentence in &answer.sentences { p.answer { (sentence) } }
            @if !summary.warnings.is_empty() {
                ul.warnings {
                    @for warning in &summary.warnings { li { (warning) "." } }
                }
            }
        }
    }
}

/// The one control for lanes, which is the legend of every chart, too.
fn toolbar(data: &Data) -> Markup {
    html! {
        div.toolbar.scripted role="toolbar" aria-label="Lanes and colours" {
            div.lanes role="group" aria-label="Lanes: press to hide or to show one everywhere" {
                @for lane in &data.lanes {
                    button.lane type="button" data-toggle=(lane.id) aria-pressed="true" {
                        (swatch(&lane.id)) (lane.id)
                    }
                }
            }
            button #theme type="button" aria-label="Light or dark" title="Light or dark" { "◐" }
        }
    }
}

/// A lane's line with its marker. In SVG every element needs an end.
pub(crate) fn swatch(lane: &str) -> Markup {
    let look = look(lane);
    let dashes: Vec<_> = look.dashes.iter().map(ToString::to_string).collect();
    let marker = match look.marker {
        "square" => "M9 2h8v8h-8z",
        "triangle-up" => "M13 1l5 9h-10z",
        "triangle-down" => "M13 11l5-9h-10z",
        "triangle-right" => "M18 6l-9 5v-10z",
        "triangle-left" => "M8 6l9 5v-10z",
        "arrow" => "M13 0l5 6h-3v6h-4v-6h-3z",
        "wedge" => "M13 0l3 12h-6z",
        "diamond" => "M13 0l5 6l-5 6l-5-6z",
        "cross" => "M11.5 1.5h3v3h3v3h-3v3h-3v-3h-3v-3h3z",
        _ => "M13 2a4 4 0 1 1 0 8a4 4 0 1 1 0-8z",
    };
    html! {
        svg.swatch viewBox="0 0 26 12" width="26" height="12" aria-hidden="true" {
            path d="M0 6h26" stroke=(look.colour) stroke-width="2" stroke-dasharray=(dashes.join(" ")) {}
            path d=(marker) fill=(look.colour) {}
        }
    }
}

/// A section for each workload that was run; first the one that the answer is about.
fn charts(answer: &Answer, summary: &Summary, data: &Data) -> Markup {
    let mut order: Vec<_> = data.workloads.iter().collect();
    order.sort_by_key(|workload| Some(&workload.name) != answer.workload.as_ref());
    html! {
        section #charts aria-labelledby="charts-head" {
            h2 #charts-head { "Charts" }
            p.lead.scripted {
                "The lanes above are the legend. Shaded, or with whiskers: the 95 % interval of the \
                 median; where fewer than six samples count, all of them. " b { "Floor" } ": a process \
                 without a lane. " b { "Ceiling" } ": a client without a model, the most that the \
                 origin can be made to serve, without any delay."
            }
            noscript { p.caution { "Charts are drawn by scripts; all figures stand in the tables below." } }
            @for of in order {
                @if let Some(workload) = summary.workloads.iter().find(|w| w.name == of.name) {
                    (workload_charts(workload, of))
                }
            }
        }
    }
}

fn workload_charts(workload: &WorkloadSummary, of: &OfWorkload) -> Markup {
    let charts = charts_of(of);
    html! {
        section.workload.scripted id={ "charts-" (workload.name) } {
            h3 { (workload.name) }
            p.shows { (workload.shows) }
            @if of.cells.is_empty() {
                p.missing { "No sample counts, so there is nothing to draw; the table says why." }
            } @else {
                div.figures {
                    @for (kind, title) in charts {
                        figure.chart data-chart=(kind) data-workload=(workload.name) {
                            figcaption { h4 { (title) } p.caption {} }
                            div.panels {}
                        }
                    }
                }
            }
        }
    }
}

/// Which charts a workload has, and what they are called.
fn charts_of(of: &OfWorkload) -> Vec<(&'static str, &'static str)> {
    let mut charts = Vec::new();
    if !of.is_open_loop {
        charts.push(("wall", "Wall time"));
    }
    charts.push(("cpu", "CPU time of a document"));
    charts.push(("rss", "Peak memory"));
    if !of.slopes.is_empty() {
        charts.push(("slopes", "Bytes a task"));
    }
    charts.push(if of.is_open_loop {
        ("latency", "Latency, from when a document was due")
    } else {
        ("service", "Service time, from sent to last byte")
    });
    charts
}

fn timeline(recorded: &Recorded) -> Markup {
    let shown = shown_timelines(recorded).count();
    let left_out = recorded.timelines.len() - shown;
    html! {
        section #timeline aria-labelledby="timeline-head" {
            h2 #timeline-head { "Request by request" }
            @if shown == 0 {
                p.missing {
                    "This record has no timelines: it was made before there were any, or no workload \
                     that ran names a point for one."
                }
            } @else {
                p.lead {
                    "Every bar is a request, from its begin to when its document was parsed, in a run \
                     of its own that is not timed. All lanes share one time axis: where bars lie below \
                     one another, requests wait together."
                }
                figure.chart.scripted data-chart="timeline" {
                    figcaption {
                        div.controls {
                            label { "at " select name="place" {} }
                            label { "client " select name="client" {} }
                            label { input type="checkbox" name="whole"; " the whole of the longest" }
                        }
                        ul.phases {}
                        p.caption {}
                    }
                    div.panels {}
                }
                noscript { p.caution { "The bars are drawn by scripts." } }
            }
            @if left_out > 0 {
                p.missing {
                    (left_out) " timelines are not shown, because they have more requests than a page \
                    can show or their lane failed; " code { "--trace" } " writes them all."
                }
            }
        }
    }
}
