//! A record as one page, that needs nothing but itself.
//!
//! ```text
//!  Recorded ─► Summary ─┬─► answer, cards, tables, validity ─► HTML, which prints and reads alone
//!                       ├─► Data ─► JSON ─► assets/page/*.js ─► Vega-Lite ─► charts
//!                       └─► downloads: every sample as CSV, the summary as JSON
//! ```
//!
//! Scripts, styles and data are inside of the file, and its first line of policy forbids the browser
//! any request. Without scripts all but the charts is there.
//!
//! In reading order:
//!
//! * `html`: the page from top to bottom;
//! * `cards`: a lane at a glance;
//! * `claims`: what the articles say, and what the record says of it;
//! * `tables`: the cells of every other form, as tables;
//! * `validity`: what speaks for and against the record;
//! * `downloads`: what a reader may take home;
//! * `data`: what charts are drawn from;
//! * `points`: one workload of that.

use harness::record::Recorded;
use maud::PreEscaped;

use crate::claims::Judged;
use crate::summary::Summary;

mod cards;
mod claims;
mod data;
mod downloads;
pub(crate) mod html;
mod points;
pub(crate) mod tables;
pub(crate) mod validity;

/// Vega and Vega-Lite, as their packages have them (see `assets/README.md`).
const LIBRARIES: [&str; 2] =
    [include_str!("../../assets/vega.min.js"), include_str!("../../assets/vega-lite.min.js")];

/// Our own, each with one subject, in the order in which they need one another.
const SCRIPTS: [&str; 10] = [
    include_str!("../../assets/page/state.js"),
    include_str!("../../assets/page/theme.js"),
    include_str!("../../assets/page/tooltip.js"),
    include_str!("../../assets/page/chart.js"),
    include_str!("../../assets/page/loads.js"),
    include_str!("../../assets/page/slopes.js"),
    include_str!("../../assets/page/quantiles.js"),
    include_str!("../../assets/page/timeline.js"),
    include_str!("../../assets/page/downloads.js"),
    include_str!("../../assets/page/page.js"),
];

/// How all pages look.
pub(crate) const STYLE: &str = include_str!("../../assets/page/page.css");

/// The page, as the text of its file.
pub fn render(recorded: &Recorded, summary: &Summary, judged: &Judged) -> String {
    html::page(recorded, summary, judged).into_string()
}

/// A script as it can stand between `<script>` and `</script>`.
///
/// Inside of a script only `</script` and `<!--` mean something to HTML. Both can only be in strings,
/// templates and patterns, where a backslash before `/` and `!` changes nothing.
fn script(text: &str) -> PreEscaped<String> {
    // A browser with its tools open would ask for the map.
    let lines = text.lines().filter(|line| !line.starts_with("//# sourceMappingURL"));
    let text = lines.collect::<Vec<_>>().join("\n");
    PreEscaped(text.replace("</script", "<\\/script").replace("<!--", "<\\!--"))
}

/// A value as JSON that can stand in a script: no `<` is left, and so no tag.
fn json(value: &impl serde::Serialize) -> PreEscaped<String> {
    let text = serde_json::to_string(value).expect("a page is made of JSON's types");
    PreEscaped(text.replace('<', "\\u003c"))
}

#[cfg(test)]
mod tests;
