//! What is kept of a run, and how it is read again.
//!
//! ```text
//! <date>-<time>/
//!   plan.json          what was to be measured, and why the rest was not
//!   environment.json   on which machine, with which programs
//!   samples.jsonl      one line a sample, written and flushed at once
//!   timelines.jsonl    one line for each cell that was looked at request by request, if any were
//!   inspections.jsonl  one line for each look into a cell; missing when nobody asked for it
//!   ending.json        how it ended; missing when the run was killed, or the disk was full
//!   agreement.txt      how far a quick record agrees with this one, where somebody has looked
//!   report.html        all of it as one page for a browser, which can be made again
//! ```
//!
//! Whoever reports on it may leave pages in the same folder: they can be made again, and are no part
//! of it.
//!
//! A record that was [published](crate::publish) has its long files compressed, as `samples.jsonl.gz`
//! and so on; either form is read.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::environment::Environment;
use crate::inspect::{INSPECTION_SCHEMA, Inspection};
use crate::plan::{Cell, PLAN_SCHEMA, Plan};
use crate::sample::{SAMPLE_SCHEMA, SAMPLE_SCHEMA_OLDEST, Sample};
use crate::timelines::{TIMELINE_SCHEMA, Timeline};

pub(crate) const PLAN: &str = "plan.json";
/// The machine and the programs of any record.
pub const ENVIRONMENT: &str = "environment.json";
pub(crate) const SAMPLES: &str = "samples.jsonl";
pub(crate) const TIMELINES: &str = "timelines.jsonl";
pub(crate) const INSPECTIONS: &str = "inspections.jsonl";
/// How any run ended.
pub const ENDING: &str = "ending.json";

/// How far a quick record agrees with this one, as text, where somebody has compared them.
pub const AGREEMENT: &str = "agreement.txt";

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
    /// Every cell that was looked at request by request.
    pub timelines: Vec<Timeline>,
    /// Every cell that was taken apart; none when nobody asked for it.
    pub inspections: Vec<Inspection>,
    /// How the run ended, unless it was killed.
    pub ending: Option<Ending>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ending {
    /// Whether all was measured.
    pub how: How,
    /// Cells that ran no more, and why.
    pub left_out: Vec<LeftOut>,
    /// What the origin said of itself meanwhile.
    #[serde(default)]
    pub origin_warnings: Vec<String>,
    /// Load average over the last minute, at the end.
    pub load_1m: f64,
    /// The part of the run's CPU time that the hypervisor gave to others, from 0 to 1.
    pub steal: f64,
    /// Seconds from the first sample to the end.
    pub seconds: f64,
}

/// Whether all was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// All rounds.
    Complete,
    /// As many rounds as the time allowed.
    OutOfTime,
    /// Until somebody interrupted it.
    Interrupted,
    /// Until this happened: the origin died, a process could not be started, the disk was full.
    Broken(String),
}

/// A cell that ran no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// The cell.
    #[serde(flatten)]
    pub cell: Cell,
    /// Why.
    pub why: String,
}

/// Why a record cannot be written or read.
#[derive(Debug, Error)]
pub enum RecordError {
    /// The system does not let us.
    #[error("{}: {source}", path.display())]
    File {
        /// Which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is a record in the folder already.
    #[error("{} holds a record already; name another folder", .0.display())]
    Taken(PathBuf),
    /// A file of the record is not what it should be.
    #[error("{}:{line}: {source}", path.display())]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Which line, counted from 1.
        line: usize,
        /// What the parser said.
        source: serde_json::Error,
    },
    /// Another version.
    #[error(
        "{} has schema {found}, but this program reads up to {read}: a newer one reads it",
        path.display()
    )]
    Schema {
        /// Which file.
        path: PathBuf,
        /// The version that this program knows.
        read: u32,
        /// The version that it claims.
        found: u32,
    },
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
        fs::create_dir_all(folder).map_err(at(folder))?;
        let path = folder.join(SAMPLES);
        if compressed(&path).exists() {
            return Err(RecordError::Taken(folder.to_owned()));
        }
        let samples = File::create_new(&path).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => RecordError::Taken(folder.to_owned()),
            _ => RecordError::File { path: path.clone(), source },
        })?;
        let written = write_json(&folder.join(PLAN), plan)
            .and_then(|()| write_json(&folder.join(ENVIRONMENT), environment));
        if let Err(error) = written {
            // Half a record would only keep the next one out of this folder.
            for name in [SAMPLES, PLAN] {
                let _ = fs::remove_file(folder.join(name));
            }
            return Err(error);
        }
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
        write_line(&mut self.samples, sample).map_err(at(&self.folder.join(SAMPLES)))
    }

    /// Writes down at once what was found in a cell that was taken apart.
    ///
    /// # Errors
    ///
    /// The system does not let us.
    pub fn append_inspection(&mut self, inspection: &Inspection) -> Result<(), RecordError> {
        self.append_to(INSPECTIONS, inspection)
    }

    /// Writes down at once what was seen of a cell request by request.
    ///
    /// # Errors
    ///
    /// The system does not let us.
    pub fn append_timeline(&mut self, timeline: &Timeline) -> Result<(), RecordError> {
        self.append_to(TIMELINES, timeline)
    }

    fn append_to(&self, name: &str, line: &impl Serialize) -> Result<(), RecordError> {
        let path = self.folder.join(name);
        let file = File::options().append(true).create(true).open(&path);
        file.and_then(|mut file| write_line(&mut file, line)).map_err(at(&path))
    }

    /// Says how the run ended.
    ///
    /// # Errors
    ///
    /// The system does not let us.
    pub fn end(&self, ending: &Ending) -> Result<(), RecordError> {
        write_json(&self.folder.join(ENDING), ending)
    }
}

/// Whether there is a record in `folder`.
pub fn holds_one(folder: &Path) -> bool {
    let samples = folder.join(SAMPLES);
    samples.exists() || compressed(&samples).exists()
}

/// Reads the record in `folder`.
///
/// # Errors
///
/// There is none, or it is of another version.
pub fn read(folder: &Path) -> Result<Recorded, RecordError> {
    Ok(Recorded {
        plan: read_plan(&folder.join(PLAN))?,
        environment: read_json(&folder.join(ENVIRONMENT))?,
        samples: read_lines(&folder.join(SAMPLES), SAMPLE_SCHEMA_OLDEST..=SAMPLE_SCHEMA)?,
        timelines: read_lines_if_any(&folder.join(TIMELINES), TIMELINE_SCHEMA)?,
        inspections: read_lines_if_any(&folder.join(INSPECTIONS), INSPECTION_SCHEMA)?,
        // What was measured can be read, whether or not there was room left to say how it ended.
        ending: read_json(&folder.join(ENDING)).ok(),
    })
}

fn read_plan(path: &Path) -> Result<Plan, RecordError> {
    #[derive(Deserialize)]
    struct Version {
        schema: Option<u32>,
    }
    // The version before all else: of another one, the rest may not parse.
    match read_json::<Version>(path)?.schema {
        Some(found) if found > PLAN_SCHEMA => {
            Err(RecordError::Schema { path: path.to_owned(), read: PLAN_SCHEMA, found })
        }
        _ => read_json(path),
    }
}

/// Appends one value as a line: one write for all of it, since a file has no buffer of its own in this
/// process.
///
/// # Errors
///
/// The system does not let us.
pub fn write_line(file: &mut File, value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value).expect("a record is made of JSON's types");
    line.push(b'\n');
    file.write_all(&line)
}

/// Nothing where nobody has written anything.
fn read_lines_if_any<T: DeserializeOwned>(path: &Path, schema: u32) -> Result<Vec<T>, RecordError> {
    match path.exists() || compressed(path).exists() {
        true => read_lines(path, schema..=schema),
        false => Ok(Vec::new()),
    }
}

/// Reads the lines of a file, or of its compressed form, each with a `schema` of these.
///
/// # Errors
///
/// There is none, or a line is of another version or none.
pub fn read_lines<T: DeserializeOwned>(
    path: &Path,
    schemas: RangeInclusive<u32>,
) -> Result<Vec<T>, RecordError> {
    let (path, text) = &read_either(path)?;
    let mut values = Vec::new();
    for (index, line) in text.split_inclusive('\n').enumerate() {
        // A run that was killed while it wrote leaves a last line without an end.
        if line.ends_with('\n') {
            values.push(read_line(path, &schemas, index + 1, line)?);
        }
    }
    Ok(values)
}

/// The text of the file, or of its compressed form where only that is there, with its name.
fn read_either(path: &Path) -> Result<(PathBuf, String), RecordError> {
    let gz = compressed(path);
    if path.exists() || !gz.exists() {
        return Ok((path.to_owned(), fs::read_to_string(path).map_err(at(path))?));
    }
    let mut text = String::new();
    let file = File::open(&gz).map_err(at(&gz))?;
    MultiGzDecoder::new(BufReader::new(file)).read_to_string(&mut text).map_err(at(&gz))?;
    Ok((gz, text))
}

/// The name of a file's compressed form.
pub(crate) fn compressed(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".gz");
    name.into()
}

fn read_line<T: DeserializeOwned>(
    path: &Path,
    schemas: &RangeInclusive<u32>,
    line: usize,
    text: &str,
) -> Result<T, RecordError> {
    #[derive(Deserialize)]
    struct Version {
        schema: u32,
    }
    let malformed = |source| RecordError::Malformed { path: path.to_owned(), line, source };
    match serde_json::from_str::<Version>(text).map_err(malformed)?.schema {
        found if schemas.contains(&found) => serde_json::from_str(text).map_err(malformed),
        found => {
            let (path, read) = (path.to_owned(), *schemas.end());
            Err(RecordError::Schema { path, read, found })
        }
    }
}

/// Writes a value as the whole of a file.
///
/// # Errors
///
/// The system does not let us; the file is as it was then.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<(), RecordError> {
    let mut text = serde_json::to_string_pretty(value).expect("a record is made of JSON's types");
    text.push('\n');
    // A disk that is full in the middle leaves the file as it was, and not half of it.
    let temporary = path.with_extension("json.part");
    fs::write(&temporary, text).and_then(|()| fs::rename(&temporary, path)).map_err(|error| {
        let _ = fs::remove_file(&temporary);
        at(path)(error)
    })
}

/// Reads the whole of a file as one value.
///
/// # Errors
///
/// There is none, or it is not what it should be.
pub fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, RecordError> {
    let text = fs::read_to_string(path).map_err(at(path))?;
    serde_json::from_str(&text).map_err(|source| {
        let line = source.line();
        RecordError::Malformed { path: path.to_owned(), line, source }
    })
}

/// Says of which file an error is.
pub fn at(path: &Path) -> impl FnOnce(io::Error) -> RecordError {
    let path = path.to_owned();
    move |source| RecordError::File { path, source }
}

#[cfg(test)]
pub(crate) mod tests {
    use job::{Client, Usage};

    use super::*;
    use crate::environment::Build;
    use crate::limits::Limits;
    use crate::machine::MachineMeasured;
    use crate::network::Network;
    use crate::placement::Placement;
    use crate::sample::ProcessMeasured;
    use crate::workload::{Point, Profile};

    /// A folder that is gone at the end of its test.
    pub(crate) struct Folder(pub(crate) PathBuf);

    impl Folder {
        pub(crate) fn new(name: &str) -> Self {
            Folder(std::env::temp_dir().join(format!("record-{name}-{}", std::process::id())))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    pub(crate) fn plan() -> Plan {
        let (workloads, lanes, cells) = (Vec::new(), Vec::new(), Vec::new());
        let (profile, load_limit) = (Profile::Quick, 0.1);
        let schema = PLAN_SCHEMA;
        Plan { schema, profile, rounds: 1, seed: 1, load_limit, workloads, lanes, cells }
    }

    pub(crate) fn environment() -> Environment {
        let build = Build {
            rustc: "rustc 1".into(),
            commit: None,
            modified: None,
            optimised: false,
            features: Vec::new(),
            others: std::collections::BTreeMap::new(),
            crates: [("may".to_owned(), vec!["1.0.0".to_owned()])].into(),
        };
        Environment::observe(build, Limits::read(), "hyper", 1)
    }

    pub(crate) fn sample() -> Sample {
        let cell = Cell {
            workload: "w".into(),
            point: Point { documents: 10, concurrency: 8, rate: None },
            client: Client::Raw,
            lane: "a/b".into(),
            placement: Placement::Unpinned,
        };
        let process = ProcessMeasured {
            wall_ns: 5,
            usage: Usage::default(),
            exit_code: None,
            signal: Some(9),
        };
        Sample {
            schema: SAMPLE_SCHEMA,
            number: 0,
            round: 0,
            warmup: false,
            started_unix_ms: 1,
            cell,
            void: None,
            job: None,
            process,
            origin: None,
            network: Network::default(),
            machine: MachineMeasured::default(),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = Folder::new("roundtrip");
        let environment = environment();
        let mut record = Record::create(&folder.0, &plan(), &environment).unwrap();
        record.append(&mut sample()).unwrap();
        record.append(&mut sample()).unwrap();
        let recorded = read(&folder.0).unwrap();
        assert_eq!((&recorded.plan, &recorded.environment), (&plan(), &environment));
        assert_eq!(recorded.samples.iter().map(|s| s.number).collect::<Vec<_>>(), [0, 1]);
        assert_eq!(recorded.ending, None);
        let ending = Ending {
            how: How::Interrupted,
            left_out: vec![LeftOut { cell: sample().cell, why: "it hung".into() }],
            origin_warnings: vec!["out of descriptors".into()],
            load_1m: 0.5,
            steal: 0.25,
            seconds: 1.5,
        };
        record.end(&ending).unwrap();
        assert_eq!(read(&folder.0).unwrap().ending, Some(ending));
    }

    #[test]
    fn the_first_version_is_read_with_what_it_had() {
        let folder = Folder::new("first");
        let mut record = Record::create(&folder.0, &plan(), &environment()).unwrap();
        record.append(&mut sample()).unwrap();
        let path = folder.0.join(SAMPLES);
        let mut line: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        line["schema"] = 1.into();
        line.as_object_mut().unwrap().remove("machine");
        fs::write(&path, format!("{line}\n")).unwrap();
        let mut first: serde_json::Value = read_json(&folder.0.join(PLAN)).unwrap();
        first.as_object_mut().unwrap().remove("schema");
        first.as_object_mut().unwrap().remove("load_limit");
        write_json(&folder.0.join(PLAN), &first).unwrap();
        let recorded = read(&folder.0).unwrap();
        assert_eq!((recorded.plan.schema, recorded.samples[0].schema), (1, 1));
        assert_eq!(recorded.samples[0].machine, MachineMeasured::default());
    }

    #[test]
    fn a_plan_of_a_later_version_is_refused() {
        let folder = Folder::new("later");
        Record::create(&folder.0, &plan(), &environment()).unwrap();
        fs::write(folder.0.join(PLAN), "{\"schema\":9,\"lanes\":{}}").unwrap();
        let error = read(&folder.0).unwrap_err().to_string();
        assert!(error.contains("plan.json has schema 9"), "{error}");
    }

    #[test]
    fn a_line_that_was_cut_short_loses_no_other() {
        let folder = Folder::new("cut");
        let mut record = Record::create(&folder.0, &plan(), &environment()).unwrap();
        record.append(&mut sample()).unwrap();
        record.samples.write_all(b"{\"schema\":1,\"num").unwrap();
        assert_eq!(read(&folder.0).unwrap().samples.len(), 1);
    }

    #[test]
    fn an_ending_that_is_broken_loses_no_sample() {
        let folder = Folder::new("ending");
        let mut record = Record::create(&folder.0, &plan(), &environment()).unwrap();
        record.append(&mut sample()).unwrap();
        for broken in ["", "{\"how\":"] {
            fs::write(folder.0.join(ENDING), broken).unwrap();
            let recorded = read(&folder.0).unwrap();
            assert_eq!((recorded.samples.len(), recorded.ending), (1, None));
        }
    }

    #[test]
    fn what_cannot_be_written_leaves_nothing_behind() {
        let folder = Folder::new("unwritable");
        // A folder in its place is one way in which a file cannot be written.
        fs::create_dir_all(folder.0.join(ENVIRONMENT).join("taken")).unwrap();
        Record::create(&folder.0, &plan(), &environment()).unwrap_err();
        let left: Vec<_> = fs::read_dir(&folder.0).unwrap().collect();
        assert_eq!(left.len(), 1, "only what was there before: {left:?}");
    }

    #[test]
    fn a_record_is_never_written_over() {
        let folder = Folder::new("taken");
        let _record = Record::create(&folder.0, &plan(), &environment()).unwrap();
        let error = Record::create(&folder.0, &plan(), &environment()).unwrap_err();
        assert!(error.to_string().ends_with("holds a record already; name another folder"));
    }

    #[test]
    fn what_cannot_be_read_is_named_with_file_and_line() {
        let folder = Folder::new("malformed");
        let missing = read(&folder.0).unwrap_err().to_string();
        assert!(missing.contains("plan.json: No such file"), "{missing}");
        let mut record = Record::create(&folder.0, &plan(), &environment()).unwrap();
        record.append(&mut sample()).unwrap();
        record.samples.write_all(b"{\"schema\":9}\n").unwrap();
        let newer = read(&folder.0).unwrap_err().to_string();
        assert!(
            newer.contains("samples.jsonl has schema 9, but this program reads up to 2"),
            "{newer}"
        );
    }
}
