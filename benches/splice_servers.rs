//! What a page has from a record of servers.

use anyhow::{Context, bail};
use report::serving::chart::picture::Picture;
use report::serving::{Summary, overview, preamble, sheets, summarise};
use serving::Recorded;

use crate::again;
use crate::markers::Marker;
use crate::splice::{made_by, nothing_of};

/// What stands in the page.
#[derive(Debug)]
pub enum Made {
    /// Text.
    Text(String),
    /// An SVG, and the same for whoever cannot see it.
    Picture(String, String),
}

/// Makes what `marker` asks for of the record that the page calls `name`.
///
/// # Errors
///
/// The record has nothing of it, or it is of lanes.
pub fn make(marker: &Marker, name: &str, recorded: &Recorded) -> anyhow::Result<Made> {
    let summary = summarise(recorded);
    match marker.form.as_str() {
        "source" => {
            let options = again::what_was_measured(&recorded.environment.arguments);
            let command = format!("compare {}", options.join(" "));
            Ok(Made::Text(made_by(name, &command, &preamble(&summary))))
        }
        "servers" => tables(marker, &summary).map(Made::Text),
        "picture" => {
            let clients = marker.value("clients")?.parse().context("clients= is a number")?;
            let (scene, handler) = (marker.value("scene")?, marker.value("handler")?);
            let picture = Picture::of(recorded, scene, handler, clients);
            let picture = picture.with_context(|| nothing_of(marker))?;
            Ok(Made::Picture(picture.svg(), picture.alt()))
        }
        form => bail!("{name} is a record of servers, and a {form} is of lanes"),
    }
}

/// The tables of a scene, or of one of its handlers; where none is named, all scenes at a glance.
fn tables(marker: &Marker, summary: &Summary) -> anyhow::Result<String> {
    let Some(scene) = marker.values.get("scene") else {
        return Ok(overview(summary).with_context(|| nothing_of(marker))?.markdown_by("model"));
    };
    let scene = summary.scenes.iter().find(|own| own.name == *scene);
    let scene = scene.with_context(|| nothing_of(marker))?;
    let handler = marker.values.get("handler");
    let is_asked = |name: &String| handler.is_none_or(|handler| handler == name);
    let named = scene.handlers.iter().map(|asked| &asked.name).zip(sheets(scene));
    let tables: String =
        named.filter(|(name, _)| is_asked(name)).map(|(_, it)| it.markdown_by("model")).collect();
    if tables.is_empty() { bail!(nothing_of(marker)) } else { Ok(tables) }
}
