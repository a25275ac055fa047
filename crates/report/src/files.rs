//! What a record's folder holds for people, beside the record: its tables as a page and for a
//! spreadsheet. Both can be made again from the record, so they are no part of it.

use std::fs;
use std::path::Path;

use harness::record::{RecordError, Recorded};

use crate::summary::Summary;
use crate::{csv, markdown};

/// The tables as a page.
pub const PAGE: &str = "report.md";

/// The same for a spreadsheet.
pub const TABLES: &str = "tables.csv";

/// Writes [`PAGE`] and [`TABLES`] into `folder`.
///
/// # Errors
///
/// The system does not let us.
pub fn write(recorded: &Recorded, summary: &Summary, folder: &Path) -> Result<(), RecordError> {
    for (name, text) in [(PAGE, page(recorded, summary)), (TABLES, csv::render(summary))] {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|source| RecordError::File { path, source })?;
    }
    Ok(())
}

fn page(recorded: &Recorded, summary: &Summary) -> String {
    let started = &recorded.environment.started;
    let tables = markdown::render(summary);
    format!(
        "# Run of {started}\n\nEvery figure of these tables is in [{TABLES}]({TABLES}), too.\n\n{tables}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fixture, summarise};

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let recorded = fixture::recorded();
        let nowhere = Path::new("/nowhere/at/all");
        let error = write(&recorded, &summarise(&recorded), nowhere).unwrap_err().to_string();
        assert!(error.starts_with("/nowhere/at/all/report.md: "), "{error}");
    }

    #[test]
    fn the_page_says_of_when_it_is() {
        let recorded = fixture::recorded();
        let page = page(&recorded, &summarise(&recorded));
        assert!(
            page.starts_with(&format!("# Run of {}\n", recorded.environment.started)),
            "{page}"
        );
        assert!(page.contains("### all-at-once"), "{page}");
    }
}
