//! A record as it may leave the machine: with its long files compressed, and without paths.
//!
//! ```text
//!   target/compare/<date>-<time>/          benches/record/<date>-<machine>/
//!     samples, timelines and
//!     inspections.jsonl                 ─►   samples.jsonl.gz and so on
//!     environment.json                  ─►   environment.json, its paths cut short
//!     plan.json, ending.json, agreement.txt ─► as they are
//! ```
//!
//! A folder may hold other files, and nobody knows what is in them: they stay.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::iter;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::environment::Environment;
use crate::record::{
    self, AGREEMENT, ENDING, ENVIRONMENT, INSPECTIONS, PLAN, RecordError, SAMPLES, TIMELINES, at,
    compressed,
};

/// Copies the record in `folder` to one of its own in `to`, which is made if it is not there, and
/// says where that is. A name that is taken gets `-2`, and so on.
///
/// # Errors
///
/// There is no record that can be read, or the system does not let us.
pub fn publish(folder: &Path, to: &Path) -> Result<PathBuf, RecordError> {
    // What cannot be read is not worth publishing.
    let environment = record::read(folder)?.environment;
    let files =
        Files { short: &[PLAN, ENDING, AGREEMENT], long: &[SAMPLES, TIMELINES, INSPECTIONS] };
    publish_files(folder, to, environment, files)
}

/// What a record is made of beside its environment; whatever of it is not there is left out.
#[derive(Debug, Clone, Copy)]
pub struct Files {
    /// What is copied as it is.
    pub short: &'static [&'static str],
    /// What is compressed.
    pub long: &'static [&'static str],
}

/// The same for any kind of record, which has been read.
///
/// # Errors
///
/// The system does not let us.
pub fn publish_files(
    folder: &Path,
    to: &Path,
    mut environment: Environment,
    files: Files,
) -> Result<PathBuf, RecordError> {
    fs::create_dir_all(to).map_err(at(to))?;
    let own = own_folder(to, &name(&environment))?;
    environment.arguments = without_paths(&environment.arguments);
    let copied = copy(folder, &own, &environment, files);
    if copied.is_err() {
        // Half a record would only be taken for one. It is our own folder, and new.
        let _ = fs::remove_dir_all(&own);
    }
    copied.map(|()| own)
}

fn own_folder(to: &Path, name: &str) -> Result<PathBuf, RecordError> {
    let later = (2..).map(|number| format!("{name}-{number}"));
    for name in iter::once(name.to_owned()).chain(later) {
        let own = to.join(name);
        match fs::create_dir(&own) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => return made.map(|()| own.clone()).map_err(at(&own)),
        }
    }
    unreachable!("the names do not end")
}

fn copy(
    from: &Path,
    to: &Path,
    environment: &Environment,
    files: Files,
) -> Result<(), RecordError> {
    for name in files.short {
        let file = from.join(name);
        if file.exists() {
            fs::copy(&file, to.join(name)).map_err(at(&file))?;
        }
    }
    record::write_json(&to.join(ENVIRONMENT), environment)?;
    for name in files.long {
        let (plain, own) = (from.join(name), compressed(&to.join(name)));
        let gz = compressed(&plain);
        if plain.exists() {
            compress(&plain, &own).map_err(at(&own))?;
        } else if gz.exists() {
            fs::copy(&gz, &own).map_err(at(&gz))?;
        }
    }
    Ok(())
}

fn compress(from: &Path, to: &Path) -> io::Result<()> {
    let mut encoder = GzEncoder::new(File::create_new(to)?, Compression::best());
    io::copy(&mut BufReader::new(File::open(from)?), &mut encoder)?;
    encoder.finish()?.sync_all()
}

/// The day, and the machine: `2026-01-31-2x-intel-xeon`. No name of a host or a user is in it.
fn name(environment: &Environment) -> String {
    let day: String = environment.started.chars().take_while(|c| *c != 'T').collect();
    format!("{day}-{}x-{}", environment.processors, slug(&environment.cpu_model))
}

/// The longest part of a name that a processor gives to it.
const SLUG_MOST: usize = 32;

/// A processor's name in small letters, digits and dashes, without what all of them have in theirs.
fn slug(cpu_model: &str) -> String {
    // What follows is its clock.
    let model = cpu_model.split('@').next().unwrap_or_default().to_lowercase();
    let model = model.replace("(r)", " ").replace("(tm)", " ");
    let parts = model.split(|c: char| !c.is_ascii_alphanumeric());
    let says_something = |part: &&str| !matches!(*part, "" | "cpu" | "processor");
    let mut slug = String::new();
    for part in parts.filter(says_something) {
        if slug.len() + 1 + part.len() > SLUG_MOST {
            break;
        }
        slug += if slug.is_empty() { "" } else { "-" };
        slug += part;
    }
    if slug.is_empty() { "unknown".to_owned() } else { slug }
}

/// Options whose value is a path.
const PATHS: [&str; 5] = ["--record", "--corpus", "--file", "--markdown", "--trace"];

/// The command line with each path cut to its last part, which says what it was and not where.
pub fn without_paths(arguments: &[String]) -> Vec<String> {
    let mut is_path = false;
    let mut cut = |argument: &String| match argument.split_once('=') {
        Some((option, value)) if option.starts_with("--") => {
            is_path = false;
            let value = without_path(value, PATHS.contains(&option));
            format!("{option}={value}")
        }
        _ => {
            let kept = without_path(argument, is_path);
            is_path = PATHS.contains(&argument.as_str());
            kept
        }
    };
    arguments.iter().map(&mut cut).collect()
}

/// Whatever is absolute is a path, too, whichever option it belongs to.
fn without_path(value: &str, is_path: bool) -> String {
    let path = Path::new(value);
    if !is_path && !path.is_absolute() {
        return value.to_owned();
    }
    path.file_name().map_or(String::new(), |last| last.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::{INSPECTION_SCHEMA, Inspection, Pass};
    use crate::record::Record;
    use crate::record::tests::{Folder, environment, plan, sample};

    /// A record with two samples and a look, from an Intel Xeon with three processors.
    fn recorded(folder: &Path) {
        let environment = Environment {
            started: "2026-01-31T12:00:00Z".into(),
            cpu_model: "Intel(R) Xeon(R) CPU".into(),
            processors: 3,
            arguments: ["run", "--record", "/home/somebody/record"].map(str::to_owned).to_vec(),
            ..environment()
        };
        let mut record = Record::create(folder, &plan(), &environment).unwrap();
        record.append(&mut sample()).unwrap();
        record.append(&mut sample()).unwrap();
        let look = Inspection {
            schema: INSPECTION_SCHEMA,
            started_unix_ms: 0,
            cell: sample().cell,
            pass: Pass::Memory,
            documents_fetched: 1,
            void: None,
            memory: None,
            system_calls: None,
            allocations: None,
        };
        record.append_inspection(&look).unwrap();
        fs::write(folder.join(AGREEMENT), "They agree.").unwrap();
        fs::write(folder.join("notes.txt"), "my own").unwrap();
    }

    #[test]
    fn what_is_published_is_read_as_what_it_was() {
        let (from, to) = (Folder::new("published-from"), Folder::new("published-to"));
        recorded(&from.0);
        let own = publish(&from.0, &to.0).unwrap();
        assert_eq!(own, to.0.join("2026-01-31-3x-intel-xeon"));
        let names = |folder: &Path| {
            let entries = fs::read_dir(folder).unwrap();
            let mut names: Vec<_> =
                entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
            names.sort_unstable();
            names
        };
        let expected = [AGREEMENT, ENVIRONMENT, "inspections.jsonl.gz", PLAN, "samples.jsonl.gz"];
        assert_eq!(names(&own), expected);
        let (before, after) = (record::read(&from.0).unwrap(), record::read(&own).unwrap());
        assert_eq!((&after.plan, &after.samples), (&before.plan, &before.samples));
        assert_eq!((after.inspections, after.samples.len()), (before.inspections, 2));
        assert_eq!(after.environment.arguments, ["run", "--record", "record"]);
        assert_eq!(before.environment.arguments[2], "/home/somebody/record");

        let second = publish(&own, &to.0).unwrap();
        assert_eq!(second, to.0.join("2026-01-31-3x-intel-xeon-2"), "a name that is taken");
        assert_eq!(names(&second), expected, "what is compressed already is copied");
        assert_eq!(record::read(&second).unwrap(), record::read(&own).unwrap());
    }

    #[test]
    fn a_published_record_is_not_written_over() {
        let (from, to) = (Folder::new("taken-from"), Folder::new("taken-to"));
        recorded(&from.0);
        let own = publish(&from.0, &to.0).unwrap();
        let error = Record::create(&own, &plan(), &environment()).unwrap_err();
        assert!(matches!(error, RecordError::Taken(_)), "{error}");
    }

    #[test]
    fn what_is_broken_or_none_is_not_published() {
        let (from, to) = (Folder::new("broken-from"), Folder::new("broken-to"));
        publish(&from.0, &to.0).unwrap_err();
        recorded(&from.0);
        let own = publish(&from.0, &to.0).unwrap();
        let gz = own.join("samples.jsonl.gz");
        let bytes = fs::read(&gz).unwrap();
        fs::write(&gz, &bytes[..bytes.len() / 2]).unwrap();
        let error = publish(&own, &to.0).unwrap_err().to_string();
        assert!(error.contains("samples.jsonl.gz: "), "{error}");
        assert_eq!(fs::read_dir(&to.0).unwrap().count(), 1, "nothing is left of it");
    }

    #[test]
    fn a_machine_is_named_by_its_processors() {
        for (model, expected) in [
            ("Intel(R) Xeon(R) Processor @ 2.60GHz", "intel-xeon"),
            ("Intel(R) Xeon(R) Platinum 8370C CPU @ 2.80GHz", "intel-xeon-platinum-8370c"),
            ("AMD EPYC 7763 64-Core Processor", "amd-epyc-7763-64-core"),
            ("aarch64", "aarch64"),
            (" @ ", "unknown"),
            ("../../etc/../Ω a\nb", "etc-a-b"),
        ] {
            assert_eq!(slug(model), expected);
        }
        assert!(slug(&"word ".repeat(50)).len() <= SLUG_MOST);
    }

    #[test]
    fn paths_keep_their_last_part_and_all_else_is_as_it_was() {
        let line = "run --quick --lanes stackful/hub,stackless --record /home/me/r --corpus=../a/b \
                    --file w.toml --markdown ./pages/page.md --seed=7 /tmp/x --bench";
        let arguments: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        let kept = "run --quick --lanes stackful/hub,stackless --record r --corpus=b --file w.toml \
                    --markdown page.md --seed=7 x --bench";
        assert_eq!(without_paths(&arguments).join(" "), kept);
        assert_eq!(without_paths(&["--record".into(), "..".into()]), ["--record", ""]);
    }
}
