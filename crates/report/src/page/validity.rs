//! What speaks for and against the record: gates, voids, noise, the machine and the programs.

use std::collections::BTreeMap;

use harness::environment::Environment;
use harness::number::grouped;
use harness::publish::without_paths;
use harness::record::{Ending, Recorded};
use harness::sample::Sample;
use maud::{Markup, html};
use serde::Serialize;

use super::tables::base;
use crate::cells::self_checks;
use crate::summary::Summary;

/// More are not listed one by one; the CSV has them all.
const VOIDS_MOST: usize = 200;

pub(super) fn section(recorded: &Recorded, summary: &Summary) -> Markup {
    html! {
        section #validity aria-labelledby="validity-head" {
            h2 #validity-head { "Can it be believed?" }
            (verdict(recorded, summary))
            h3 { "What the run shows of itself" }
            ul.plain { @for line in self_checks(summary) { li { (line) } } }
            h3 { "Gates" }
            (gates(recorded))
            h3 { "Machine and programs" }
            (environment(&recorded.environment, recorded.ending.as_ref()))
        }
    }
}

fn verdict(recorded: &Recorded, summary: &Summary) -> Markup {
    let failures = summary.failures();
    let counted = recorded.samples.iter().filter(|sample| !sample.warmup);
    let (all, void) = counted
        .fold((0, 0), |(all, void), sample| (all + 1, void + u64::from(sample.void.is_some())));
    html! {
        @if failures.is_empty() {
            p { "No lane has failed. Of " (grouped(all)) " samples " (grouped(void)) " do not count." }
        } @else {
            p.caution { "Something has failed, and what is missing for it is missing in every comparison:" }
            ul.plain { @for failure in &failures { li { (failure) } } }
        }
        @if !summary.warnings.is_empty() {
            ul.plain { @for warning in &summary.warnings { li { (warning) "." } } }
        }
    }
}

fn gates(recorded: &Recorded) -> Markup {
    let voids: Vec<_> = recorded.samples.iter().filter(|sample| sample.void.is_some()).collect();
    if voids.is_empty() {
        return html! { p { "Every sample has passed all of them." } };
    }
    let mut by_gate: BTreeMap<String, usize> = BTreeMap::new();
    for sample in &voids {
        *by_gate.entry(gate(sample)).or_default() += 1;
    }
    html! {
        div.scrolls {
            table.narrow {
                caption.quiet { "Samples that did not pass, by gate" }
                thead { tr { th scope="col" { "gate" } th.number scope="col" { "samples void" } } }
                tbody {
                    @for (gate, count) in &by_gate {
                        tr { th scope="row" { (gate) } td.number { (grouped(*count as u64)) } }
                    }
                }
            }
        }
        details {
            summary { "Each of them, with the reason" }
            div.scrolls tabindex="0" role="region" aria-label="Void samples" {
                table {
                    caption.quiet { "Void samples" }
                    thead { tr { th scope="col" { "round" } th scope="col" { "cell" } th scope="col" { "why" } } }
                    tbody {
                        @for sample in voids.iter().take(VOIDS_MOST) {
                            tr data-lane=(base(&sample.cell.lane)) {
                                td { @if sample.warmup { "warm-up" } @else { (sample.round + 1) } }
                                td { (sample.cell) }
                                td.words { (sample.void.as_ref().map_or("", |void| void.why.as_str())) }
                            }
                        }
                    }
                }
            }
            @if voids.len() > VOIDS_MOST {
                p.note { "And " (voids.len() - VOIDS_MOST) " more, which are in the samples below." }
            }
        }
    }
}

/// The gate by the name that the record has for it, in words.
pub(super) fn gate(sample: &Sample) -> String {
    sample.void.as_ref().map_or(String::new(), |void| name(&void.gate).replace('_', " "))
}

/// As JSON names a variant.
pub(super) fn name(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

/// Where a record was made, and by what.
pub(crate) fn environment(environment: &Environment, ending: Option<&Ending>) -> Markup {
    let Environment { build, limits, .. } = environment;
    let gib = environment.memory_bytes as f64 / f64::from(1 << 30);
    let commit = build.commit.as_deref().unwrap_or("unknown");
    let facts: Vec<(&str, String)> = vec![
        ("started", environment.started.clone()),
        ("arguments", without_paths(&environment.arguments).join(" ")),
        ("processor", format!("{} × {}", environment.processors, environment.cpu_model)),
        ("virtual", if environment.virtual_machine { "yes" } else { "no" }.to_owned()),
        ("memory", format!("{gib:.1} GiB")),
        ("kernel", environment.kernel.clone()),
        ("TCP congestion control", environment.tcp_congestion_control.clone()),
        ("descriptors", grouped(limits.descriptors)),
        ("mappings", grouped(limits.mappings)),
        ("load before", format!("{:.2}", environment.load_1m)),
        ("load after", ending.map_or("unknown".into(), |ending| format!("{:.2}", ending.load_1m))),
        ("stolen", ending.map_or("unknown".into(), |e| format!("{:.1} %", 100.0 * e.steal))),
        ("took", ending.map_or("unknown".into(), |ending| format!("{:.0} s", ending.seconds))),
        ("compiler", build.rustc.clone()),
        ("commit", commit.to_owned()),
        (
            "modified",
            match build.modified {
                Some(true) => "yes",
                Some(false) => "no",
                None => "unknown",
            }
            .to_owned(),
        ),
        (
            "origin",
            format!("{}, threads: {}", environment.origin_server, environment.origin_threads),
        ),
    ];
    html! {
        dl.facts { @for (name, fact) in &facts { div { dt { (name) } dd { (fact) } } } }
        details {
            summary { "Versions of all " (build.crates.len()) " crates" }
            ul.crates {
                @for (name, versions) in &build.crates { li { (name) " " (versions.join(", ")) } }
            }
        }
    }
}
