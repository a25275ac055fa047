//! A record of servers as one page, that needs nothing but itself: no script, no network.
//!
//! It looks as the lanes' page does, whose styles it has. Its pictures are drawn already, so there is
//! nothing for a script to do; light or dark is as the reader's system says.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use harness::number::grouped;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serving::plan::PlannedServer;
use serving::scene::Scene;
use serving::{Recorded, Sample};

use super::chart::picture::Picture;
use super::chart::{load, memory};
use super::csv::csv;
use super::sheets::{overview, sheets};
use super::summary::{Asked, SceneSummary, Summary};
use crate::page::STYLE;
use crate::page::html::swatch;
use crate::page::tables::of_sheet;
use crate::page::validity::environment;
use crate::palette::colour;

/// What only this page has.
const OWN_STYLE: &str = include_str!("../../assets/page/serving.css");

/// Nothing may be fetched or run, by whomever.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/// More are not listed one by one.
const VOIDS_MOST: usize = 200;

/// The page, as the text of its file.
pub fn page(summary: &Summary, recorded: &Recorded) -> String {
    let started = recorded.environment.started.get(..10).unwrap_or(&recorded.environment.started);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                // Without one the browser would ask the folder for a favicon.
                link rel="icon" href="data:,";
                title { "Servers: blocking, threads, green threads, async: " (started) }
                style { (PreEscaped(STYLE)) (PreEscaped(OWN_STYLE)) }
            }
            body {
                (top(summary, started))
                main {
                    (glance(summary))
                    @for scene in &summary.scenes { (of_scene(scene, recorded)) }
                    (servers(&recorded.plan.servers))
                    (validity(summary, recorded))
                    (downloads(summary))
                }
                footer { p { "Made by " code { "compare" } " from a record. It needs no network and sends nothing." } }
            }
        }
    };
    page.into_string()
}

fn top(summary: &Summary, started: &str) -> Markup {
    html! {
        header.top {
            p.kicker { "Servers · blocking · threads · green threads · async/await" }
            h1 { "Who waits where, at what price?" }
            @if !summary.warnings.is_empty() {
                ul.warnings { @for warning in &summary.warnings { li { (warning) "." } } }
            }
            p.machine { (summary.machine) " · " (started) }
            nav aria-label="Sections" {
                @for scene in &summary.scenes { a href={ "#" (scene.name) } { (title(scene)) } }
                a href="#servers" { "The servers" }
                a href="#validity" { "Can it be believed?" }
                a href="#downloads" { "Take it with you" }
            }
        }
    }
}

fn glance(summary: &Summary) -> Markup {
    html! {
        @if let Some(sheet) = overview(summary) {
            section #glance aria-labelledby="glance-head" {
                h2 #glance-head { "At a glance" }
                p.lead { "One figure of each experiment; what is behind it stands below." }
                (of_sheet(&sheet))
            }
        }
    }
}

/// As a heading: all scenes of this page are of servers.
fn title(scene: &SceneSummary) -> String {
    let name = scene.name.strip_prefix("servers-").unwrap_or(&scene.name).replace('-', " ");
    let mut letters = name.chars();
    letters.next().map_or(name.clone(), |first| first.to_uppercase().chain(letters).collect())
}

fn of_scene(scene: &SceneSummary, recorded: &Recorded) -> Markup {
    let planned = recorded.plan.script.scene(&scene.name);
    html! {
        section.scene id=(scene.name) aria-labelledby={ (scene.name) "-head" } {
            h2 id={ (scene.name) "-head" } { (title(scene)) }
            p.shows { (scene.shows) }
            @for handler in &scene.handlers {
                @let rising = format!("Latency while the load rises; the server {}", handler.says);
                (pictures(recorded, planned, handler))
                (curves(load::svgs(scene, &handler.name), &rising, LOAD))
                (curves(memory::svgs(scene, &handler.name), "What connections add", MEMORY))
            }
            @for sheet in sheets(scene) { (of_sheet(&sheet)) }
        }
    }
}

const LOAD: &str = "99th percentile in ms, upright and logarithmic, over the load in percent of each \
    server's own ceiling, where each halving of what is left of the ceiling is as far as the next. A \
    ring is the knee: beyond it, it is twice what it is at the lowest load, or more.";

const MEMORY: &str = "MiB of all processes, above what they are with the fewest connections, over the \
    number of connections. A straight line is a price for each.";

/// Clients at once, request by request.
fn pictures(recorded: &Recorded, scene: &Scene, handler: &Asked) -> Markup {
    let of = |clients: &u64| Picture::of(recorded, &scene.name, &handler.name, *clients);
    let pictures: Vec<_> = scene.picture.iter().filter_map(of).collect();
    html! {
        @for picture in &pictures {
            figure {
                figcaption {
                    h4 { (grouped(picture.clients)) " clients at once; each " (handler.says) }
                    ul.phases {
                        li.waits { "waits for somebody who serves it" }
                        li.serves style={ "--phase: " (colour("stackful/hub")) } {
                            "is served, in each server's own colour"
                        }
                    }
                    p.caption {
                        "A bar is a request, from its connection's start to its last byte, on one time \
                         axis for all, in the sample with the median wall time. What its handler takes \
                         is known; the first part is what is left, connecting included."
                    }
                }
                div.pictures.requests { @for svg in picture.svgs() { div { (PreEscaped(svg)) } } }
            }
        }
    }
}

fn curves(svgs: Option<Vec<String>>, title: &str, caption: &str) -> Markup {
    html! {
        @if let Some(svgs) = svgs {
            figure {
                figcaption { h4 { (title) } p.caption { (caption) } }
                div.pictures.curves { @for svg in svgs { div { (PreEscaped(svg)) } } }
            }
        }
    }
}

fn servers(servers: &[PlannedServer]) -> Markup {
    html! {
        section #servers aria-labelledby="servers-head" {
            h2 #servers-head { "The servers" }
            div.scrolls tabindex="0" role="region" aria-label="The servers" {
                table {
                    caption.quiet { "The servers" }
                    thead { tr {
                        th scope="col" { "server" }
                        th scope="col" { "how a handler waits" }
                        th scope="col" { "stands for" }
                        th.number scope="col" { "at once" }
                    } }
                    tbody {
                        @for server in servers {
                            tr {
                                th scope="row" { (swatch(&server.id)) (server.id) }
                                td.words { (server.waits) }
                                td.words { (server.mirrors) }
                                td.number { @match server.at_once { Some(most) => (grouped(most)), None => "-" } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn validity(summary: &Summary, recorded: &Recorded) -> Markup {
    let counted = || recorded.samples.iter().filter(|sample| !sample.warmup);
    let voids: Vec<_> = recorded.samples.iter().filter(|sample| sample.void.is_some()).collect();
    let void = counted().filter(|sample| sample.void.is_some()).count();
    let failures = summary.failures();
    html! {
        section #validity aria-labelledby="validity-head" {
            h2 #validity-head { "Can it be believed?" }
            p {
                "Of " (grouped(counted().count() as u64)) " samples " (grouped(void as u64))
                " do not count, beside those that warm up."
            }
            @if !failures.is_empty() {
                p.caution { "Something has failed:" }
                ul.plain { @for failure in &failures { li { (failure) } } }
            }
            @if !voids.is_empty() { (void_samples(&voids)) }
            h3 { "Machine and programs" }
            (environment(&recorded.environment, recorded.ending.as_ref()))
        }
    }
}

fn void_samples(voids: &[&Sample]) -> Markup {
    html! {
        details {
            summary { "Each that does not count, with the reason" }
            div.scrolls tabindex="0" role="region" aria-label="Void samples" {
                table {
                    caption.quiet { "Void samples" }
                    thead { tr { th scope="col" { "round" } th scope="col" { "cell" } th scope="col" { "why" } } }
                    tbody {
                        @for sample in voids.iter().take(VOIDS_MOST) {
                            tr {
                                td { @if sample.warmup { "warm-up" } @else { (sample.round + 1) } }
                                td { (sample.cell) }
                                td.words { (sample.void.as_ref().map_or("", |void| void.why.as_str())) }
                            }
                        }
                    }
                }
            }
            @if voids.len() > VOIDS_MOST {
                p.note { "And " (voids.len() - VOIDS_MOST) " more, which are in the record." }
            }
        }
    }
}

fn downloads(summary: &Summary) -> Markup {
    let json = serde_json::to_string(summary).expect("a summary is made of JSON's types");
    html! {
        section #downloads aria-labelledby="downloads-head" {
            h2 #downloads-head { "Take it with you" }
            p {
                "All figures, a row for each cell, in the units of the SI; and all with their deviations \
                 and intervals as JSON."
            }
            p.downloads {
                (download("servers.csv", "text/csv", &csv(summary)))
                (download("servers.json", "application/json", &json))
            }
        }
    }
}

/// A link that holds what it leads to.
fn download(file: &str, kind: &str, text: &str) -> Markup {
    let kib = text.len().div_ceil(1024);
    let address = format!("data:{kind};base64,{}", STANDARD.encode(text));
    html! { a.download download=(file) href=(address) { (file) " · " (kib) " KiB" } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serving::{fixture, summarise};

    fn text(recorded: &Recorded) -> String {
        page(&summarise(recorded), recorded)
    }

    #[test]
    fn every_scene_has_its_section_tables_and_pictures() {
        let text = text(&fixture::recorded());
        for scene in summarise(&fixture::recorded()).scenes {
            assert!(text.contains(&format!(r#"<section class="scene" id="{}""#, scene.name)));
        }
        assert!(text.contains("5 clients at once; each waits 100 ms"), "{text}");
        assert!(text.contains("What connections add") && text.contains("At a glance"), "{text}");
        let charts = text.matches("role=\"img\"").count();
        // Three servers at once, three models under load, two with idle connections, two with waiting.
        assert_eq!(charts, 3 + 3 + 2 + 2);
    }

    #[test]
    fn it_asks_for_nothing_and_runs_nothing() {
        let text = text(&fixture::recorded());
        assert!(!text.contains("<script") && !text.contains("src="), "{text}");
        let links = text.split("href=\"").skip(1);
        assert!(links.into_iter().all(|link| link.starts_with('#') || link.starts_with("data:")));
    }

    #[test]
    fn what_it_does_not_know_is_escaped() {
        let mut recorded = fixture::recorded();
        recorded.plan.script.scenes[0].shows = "a<b>&".into();
        recorded.plan.servers[0].mirrors = "<script>".into();
        let text = text(&recorded);
        assert!(text.contains("a&lt;b&gt;&amp;") && !text.contains("<script"), "{text}");
    }
}
