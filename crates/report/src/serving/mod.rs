//! Servers under measurement: figures, tables and a page, made from a record alone.
//!
//! ```text
//!  serving::Recorded ─► summarise ─► Summary ─┬─► terminal  for a terminal of 100 columns
//!                       (figures)             ├─► markdown  for a document
//!                                             ├─► csv       for a spreadsheet
//!                                             └─► page      for a browser, with pictures
//! ```
//!
//! Lanes are rows of one table for each workload. Servers are the rows here as well, but what a scene
//! shows lies across points, numbers of clients or parts of a ceiling, so its sheets have the points as
//! columns.
//!
//! In reading order:
//!
//! * [`figures`]: samples of one cell as numbers;
//! * [`summary`]: samples as rows, and what stands in a row that has none;
//! * [`notes`]: why there are no figures, each reason once;
//! * [`mod@sheets`]: a scene's rows with the points as columns;
//! * [`csv`]: for a spreadsheet;
//! * [`chart`]: what a scene shows at one look;
//! * [`mod@page`]: all of it as one file for a browser;
//! * [`files`]: what stands beside a record for people.

pub mod chart;
pub mod csv;
pub mod figures;
pub mod files;
#[cfg(test)]
mod fixture;
pub mod notes;
pub mod page;
pub mod sheets;
pub mod summary;

pub use page::page;
pub use sheets::{markdown, overview, preamble, sheets, terminal};
pub use summary::{Summary, summarise};
