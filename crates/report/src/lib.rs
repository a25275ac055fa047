//! Statistics and tables, made from a record alone.
//!
//! ```text
//!  harness::Recorded ─► summary::summarise ─► Summary ─┬─► table::render     for a terminal
//!   (plan, samples,          (stats)                   ├─► markdown::render  for a document
//!    environment)                     answer::answer ◄─┼─► page::render      for a browser
//!                                                      └─► serde             as JSON
//! ```
//!
//! In reading order:
//!
//! * [`stats`]: the few statistics that there are;
//! * [`figures`]: samples of one cell as numbers;
//! * [`open_loop`]: those that only an open loop has, and its table;
//! * [`comparison`]: which lanes differ, in what, and by how much;
//! * [`planted`]: how much was found of costs that are known;
//! * [`summary`]: samples as rows, and what stands in a row that has none;
//! * [`inspected`]: what was found in cells that were taken apart;
//! * [`timeline`]: requests as the parts of their time, and as a trace;
//! * [`placements`]: unpinned and pinned side by side;
//! * [`cells`]: one row as text, the same for every form;
//! * [`sheet`]: a plain table of text;
//! * [`table`]: for a terminal of 100 columns;
//! * [`markdown`]: for a document;
//! * [`csv`]: for a spreadsheet;
//! * [`mod@answer`]: what the record answers, in three sentences;
//! * [`claims`]: what articles say, held against the record;
//! * [`selection`]: a part of a summary;
//! * [`palette`]: how a lane looks, wherever it is drawn;
//! * [`chart`]: wall time over documents, as a picture;
//! * [`page`]: all of it as one file for a browser;
//! * [`files`]: what stands beside a record for people;
//! * [`diff`]: two records of one thing, before and after;
//! * [`agreement`]: two records of one thing, quick and full;
//! * [`repeat`]: several records of one thing;
//! * [`check`]: one record, judged by what it says of itself;
//! * [`mod@serving`]: all of this for servers, whose record is another.

pub mod agreement;
pub mod answer;
pub mod cells;
pub mod chart;
pub mod check;
pub mod claims;
pub mod comparison;
pub mod csv;
pub mod diff;
pub mod figures;
pub mod files;
#[cfg(test)]
mod fixture;
pub mod inspected;
mod machine;
pub mod markdown;
pub mod open_loop;
pub mod page;
pub mod palette;
pub mod placements;
pub mod planted;
pub mod repeat;
pub mod selection;
pub mod serving;
pub mod sheet;
pub mod stats;
pub mod summary;
pub mod table;
pub mod timeline;

pub use summary::{Summary, summarise};
