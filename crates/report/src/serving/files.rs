//! What a record's folder holds for people, beside the record: as for lanes, and under the same names.

use std::fs;
use std::path::Path;

use harness::record::RecordError;
use serving::Recorded;

use super::csv::csv;
use super::page::page;
use super::sheets::markdown;
use super::summary::Summary;
use crate::files::{DOCUMENT, PAGE, TABLES};

/// Writes [`PAGE`], [`DOCUMENT`] and [`TABLES`] into `folder`.
///
/// # Errors
///
/// The system does not let us.
pub fn write(recorded: &Recorded, summary: &Summary, folder: &Path) -> Result<(), RecordError> {
    let texts = [
        (PAGE, page(summary, recorded)),
        (DOCUMENT, document(recorded, summary)),
        (TABLES, csv(summary)),
    ];
    for (name, text) in texts {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|source| RecordError::File { path, source })?;
    }
    Ok(())
}

fn document(recorded: &Recorded, summary: &Summary) -> String {
    let started = &recorded.environment.started;
    let tables = markdown(summary);
    format!(
        "# Servers, {started}\n\nEvery figure of these tables is in [{TABLES}]({TABLES}), too.\n\n{tables}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serving::{fixture, summarise};

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let recorded = fixture::recorded();
        let nowhere = Path::new("/nowhere/at/all");
        let error = write(&recorded, &summarise(&recorded), nowhere).unwrap_err().to_string();
        assert!(error.starts_with("/nowhere/at/all/report.html: "), "{error}");
    }

    #[test]
    fn the_document_says_of_when_it_is() {
        let recorded = fixture::recorded();
        let text = document(&recorded, &summarise(&recorded));
        assert!(text.starts_with(&format!("# Servers, {}\n", recorded.environment.started)));
        assert!(text.contains("### servers-idle"), "{text}");
    }
}
