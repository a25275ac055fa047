//! What is kept of a run, and how it is read again.
//!
//! ```text
//! <date>-<time>/
//!   serving.json       what was to be measured, and why the rest was not
//!   environment.json   on which machine, with which programs
//!   serving.jsonl      one line a sample, written and flushed at once
//!   ending.json        how it ended; missing when the run was killed
//!   report.html        all of it as one page for a browser, which can be made again
//! ```
//!
//! A record that was [published](publish) has its samples as `serving.jsonl.gz`; either form is read.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use harness::Environment;
use harness::publish::{Files, publish_files};
use harness::record::{self, ENDING, ENVIRONMENT, Ending, RecordError};

use crate::plan::{PLAN_SCHEMA, Plan};
use crate::sample::{SAMPLE_SCHEMA, Sample};

/// Names of a record's own files.
pub const PLAN: &str = "serving.json";
/// The same.
pub const SAMPLES: &str = "serving.jsonl";

/// A record that is being written.
#[derive(Debug)]
pub struct Record {
    folder: PathBuf,
    samples: File,
    count: u64,
}

/// A record that was read: all that a report knows.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// What was to be measured.
    pub plan: Plan,
    /// On which machine.
    pub environment: Environment,
    /// Every sample, in the order in which it was taken.
    pub samples: Vec<Sample>,
    /// How the run ended, unless it was killed.
    pub ending: Option<Ending>,
}

impl Record {
    /// Starts a record in `folder`, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// The folder holds a record already or cannot be written to.
    pub fn create(
        folder: &Path,
        plan: &Plan,
        environment: &Environment,
    ) -> Result<Self, RecordError> {
        fs::create_dir_all(folder).map_err(record::at(folder))?;
        if record::holds_one(folder) || is_one(folder) {
            return Err(RecordError::Taken(folder.to_owned()));
        }
        let path = folder.join(SAMPLES);
        let samples = File::create_new(&path).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => RecordError::Taken(folder.to_owned()),
            _ => RecordError::File { path: path.clone(), source },
        })?;
        record::write_json(&folder.join(PLAN), plan)?;
        record::write_json(&folder.join(ENVIRONMENT), environment)?;
        Ok(Record { folder: folder.to_owned(), samples, count: 0 })
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Numbers the sample and writes it down at once, so that whatever happens next loses nothing.
    ///
    /// # Errors
    ///
    /// The system does not let us.
    pub fn append(&mut self, sample: &mut Sample) -> Result<(), RecordError> {
        sample.number = self.count;
        self.count += 1;
        let written = record::write_line(&mut self.samples, sample);
        written.map_err(record::at(&self.folder.join(SAMPLES)))
    }

    /// Says how the run ended.
    ///
    /// # Errors
    ///
    /// The system does not let us.
    pub fn end(&self, ending: &Ending) -> Result<(), RecordError> {
        record::write_json(&self.folder.join(ENDING), ending)
    }
}

/// Copies the record in `folder` to one of its own in `to`, its samples compressed and without paths of
/// this machine, and says where that is.
///
/// # Errors
///
/// There is no record that can be read, or the system does not let us.
pub fn publish(folder: &Path, to: &Path) -> Result<PathBuf, RecordError> {
    // What cannot be read is not worth publishing.
    let environment = read(folder)?.environment;
    publish_files(folder, to, environment, Files { short: &[PLAN, ENDING], long: &[SAMPLES] })
}

/// Whether there is a record of servers in `folder`.
pub fn is_one(folder: &Path) -> bool {
    folder.join(PLAN).exists()
}

/// Reads the record in `folder`.
///
/// # Errors
///
/// There is none, or it is of another version.
pub fn read(folder: &Path) -> Result<Recorded, RecordError> {
    let path = folder.join(PLAN);
    let plan: Plan = record::read_json(&path)?;
    if plan.schema > PLAN_SCHEMA {
        let found = plan.schema;
        return Err(RecordError::Schema { path, read: PLAN_SCHEMA, found });
    }
    Ok(Recorded {
        plan,
        environment: record::read_json(&folder.join(ENVIRONMENT))?,
        samples: record::read_lines(&folder.join(SAMPLES), 1..=SAMPLE_SCHEMA)?,
        ending: record::read_json(&folder.join(ENDING)).ok(),
    })
}
