//! What a record's folder holds for people, beside the record: a page for a browser, and its tables
//! as a document and for a spreadsheet. All can be made again from the record, so they are no part of
//! it.

use std::fs;
use std::path::Path;

use harness::record::{RecordError, Recorded};

use crate::claims::{self, Judged};
use crate::summary::Summary;
use crate::{csv, markdown, page};

/// All of it, for a browser.
pub const PAGE: &str = "report.html";

/// The tables as a document.
pub const DOCUMENT: &str = "report.md";

/// The tables for a spreadsheet.
pub const TABLES: &str = "tables.csv";

/// Writes [`PAGE`], [`DOCUMENT`] and [`TABLES`] into `folder`.
///
/// # Errors
///
/// The system does not let us.
pub fn write(
    recorded: &Recorded,
    summary: &Summary,
    judged: &Judged,
    folder: &Path,
) -> Result<(), RecordError> {
    let texts = [
        (PAGE, page::render(recorded, summary, judged)),
        (DOCUMENT, document(recorded, summary, judged)),
        (TABLES, csv::render(summary)),
    ];
    for (name, text) in texts {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|source| RecordError::File { path, source })?;
    }
    Ok(())
}

fn document(recorded: &Recorded, summary: &Summary, judged: &Judged) -> String {
    let started = &recorded.environment.started;
    let tables = markdown::render(summary);
    let claims = match judged.says_something() {
        true => format!("\n{}", claims::markdown::render(judged)),
        false => String::new(),
    };
    format!(
        "# Run of {started}\n\nEvery figure of these tables is in [{TABLES}]({TABLES}), too.\n\n{tables}{claims}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fixture, summarise};

    fn none() -> Judged {
        Judged { claims: Vec::new() }
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let recorded = fixture::recorded();
        let nowhere = Path::new("/nowhere/at/all");
        let error =
            write(&recorded, &summarise(&recorded), &none(), nowhere).unwrap_err().to_string();
        assert!(error.starts_with("/nowhere/at/all/report.html: "), "{error}");
    }

    #[test]
    fn the_document_says_of_when_it_is() {
        let recorded = fixture::recorded();
        let page = document(&recorded, &summarise(&recorded), &none());
        assert!(
            page.starts_with(&format!("# Run of {}\n", recorded.environment.started)),
            "{page}"
        );
        assert!(page.contains("### all-at-once"), "{page}");
    }
}
