//! Tables and charts of a page, made from the records that it names.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};
use clap::Args;
use harness::Recorded;
use job::Client;
use report::chart::Chart;
use report::selection::Selection;
use report::{Summary, cells, markdown};

use crate::again;
use crate::claims::{self, Either};
use crate::enter::Misuse;
use crate::markers::{self, Marker};
use crate::print::{say, tell_line};
use crate::splice_servers::{self, Made};

/// Which page to renew.
#[derive(Debug, Args)]
#[command(after_help = FORMS)]
pub struct SpliceOptions {
    /// The page, in Markdown
    pub page: PathBuf,
    /// Change nothing, and end with 1 if the page is not what its records say
    #[arg(long)]
    pub check: bool,
}

const FORMS: &str = "\
What stands between these two lines of the page is replaced:
  <!-- spliced: FORM record=FOLDER KEY=VALUE… -->
  <!-- /spliced -->

Forms:
  source   which run made the record, on which machine, and what to mind about it
  table    its tables of workload=NAME,… client=NAME documents=N,… concurrency=C,…; all where
           nothing is said
  legend   what the heads of such tables leave out
  claims   the articles' claims with their verdicts, in the records of record=FOLDER,…: each
           experiment is judged in the first that has samples for it
  growth   wall time over documents of claim=NUMBER, taken apart, as an SVG that is written to
           file=PATH
  servers  tables of a record of servers: of scene=NAME handler=NAME, or at a glance
  picture  every request of scene=NAME handler=NAME clients=N, as an SVG that is written to file=PATH
  chart    wall time over documents of workload=NAME client=NAME, as an SVG that is written to
           file=PATH

Folders and files are named from where the page is.";

/// Renews the page and its charts, and says what has changed.
///
/// # Errors
///
/// A comment asks for what is not there, or something cannot be written.
pub fn splice(options: &SpliceOptions) -> anyhow::Result<ExitCode> {
    let stale = Page::read(&options.page).map_err(Misuse::of)?.stale();
    for (path, text) in &stale {
        if options.check {
            tell_line(&stale_line(path, &options.page));
        } else {
            fs::write(path, text).with_context(|| path.display().to_string())?;
            say(&format!("{}\n", path.display()))?;
        }
    }
    let is_fine = !options.check || stale.is_empty();
    Ok(if is_fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn stale_line(path: &Path, page: &Path) -> String {
    format!(
        "{} is not what the records say: renew it with `cargo run --release -p compare -- splice \
         {}`",
        path.display(),
        page.display()
    )
}

/// A page as its records would have it.
struct Page {
    files: Vec<(PathBuf, String)>,
}

impl Page {
    fn read(path: &Path) -> anyhow::Result<Self> {
        let name = || path.display().to_string();
        let text = fs::read_to_string(path).with_context(name)?;
        let mut maker = Maker {
            folder: path.parent().map_or_else(PathBuf::new, Path::to_owned),
            records: BTreeMap::new(),
            charts: Vec::new(),
        };
        let text = markers::splice(&text, |marker| maker.make(marker)).with_context(name)?;
        let mut files = vec![(path.to_owned(), text)];
        files.extend(maker.charts);
        Ok(Page { files })
    }

    /// Those of its files that are not yet as they should be.
    fn stale(mut self) -> Vec<(PathBuf, String)> {
        // One that is not there, or is no text, is as stale as any.
        let is_stale = |path: &Path, text: &str| fs::read(path).ok() != Some(text.into());
        self.files.retain(|(path, text)| is_stale(path, text));
        self.files
    }
}

/// Makes what comments ask for, and keeps what was read for it.
struct Maker {
    folder: PathBuf,
    records: BTreeMap<String, Either>,
    charts: Vec<(PathBuf, String)>,
}

impl Maker {
    fn make(&mut self, marker: &Marker) -> anyhow::Result<String> {
        let keys: &[&str] = match marker.form.as_str() {
            "source" => &["record"],
            "table" | "legend" => &["record", "workload", "client", "documents", "concurrency"],
            "claims" => &["record"],
            "growth" => &["record", "claim", "file"],
            "chart" => &["record", "workload", "client", "file"],
            "servers" => &["record", "scene", "handler"],
            "picture" => &["record", "scene", "handler", "clients", "file"],
            form => bail!("{form} is no form; `compare splice --help` lists them"),
        };
        let unknown = marker.values.keys().find(|key| !keys.contains(&key.as_str()));
        if let Some(key) = unknown {
            bail!("a {} has no {key}=; it has {}", marker.form, keys.join(", "));
        }
        let name = marker.value("record")?;
        if marker.form == "claims" {
            return self.claims(&marker.list("record", |name| Some(name.to_owned()))?);
        }
        self.read(name)?;
        let (recorded, summary) = match &self.records[name] {
            Either::Lanes(it) => &**it,
            Either::Servers(recorded) => {
                return match splice_servers::make(marker, name, recorded)? {
                    Made::Text(text) => Ok(text),
                    Made::Picture(svg, alt) => self.chart(marker.value("file")?, svg, &alt),
                };
            }
        };
        match marker.form.as_str() {
            "source" => Ok(source(name, recorded, summary)),
            "table" => Ok(markdown::tables(&selected(marker, summary)?)),
            "legend" => Ok(cells::captions(&selected(marker, summary)?).join("\n\n")),
            "growth" => {
                let number = marker.value("claim")?;
                let claims = claims::judged(recorded, summary).claims;
                let claim = claims.into_iter().find(|claim| claim.number.to_string() == number);
                let growth = claim.and_then(|claim| claim.growth);
                let growth = growth.with_context(|| nothing_of(marker))?;
                self.chart(marker.value("file")?, growth.svg(), &growth.alt())
            }
            form if form != "chart" => bail!("{name} is a record of lanes, and {form} of servers"),
            _ => {
                let (workload, file) = (marker.value("workload")?, marker.value("file")?);
                let client =
                    client(marker.value("client")?).context("client= is library or raw")?;
                let chart = Chart::of(recorded, summary, workload, client);
                let chart = chart.with_context(|| nothing_of(marker))?;
                let (svg, alt) = (chart.svg(), chart.alt());
                self.chart(file, svg, &alt)
            }
        }
    }

    fn read(&mut self, name: &str) -> anyhow::Result<()> {
        if !self.records.contains_key(name) {
            self.records.insert(name.to_owned(), Either::read(&self.folder.join(name))?);
        }
        Ok(())
    }

    fn claims(&mut self, names: &[String]) -> anyhow::Result<String> {
        names.iter().try_for_each(|name| self.read(name))?;
        let judged = claims::judged_in(names.iter().map(|name| &self.records[name]));
        ensure!(judged.says_something(), claims::nothing_in(names));
        Ok(report::claims::markdown::verdicts(&judged))
    }

    /// A picture that goes to `file`, as the page refers to it.
    fn chart(&mut self, file: &str, svg: String, alt: &str) -> anyhow::Result<String> {
        let path = self.folder.join(file);
        ensure!(self.charts.iter().all(|(other, _)| *other != path), "two charts are {file}");
        self.charts.push((path, svg));
        Ok(format!("![{alt}]({file})"))
    }
}

/// From which run tables are, and what to mind about it.
fn source(name: &str, recorded: &Recorded, summary: &Summary) -> String {
    let options = again::what_was_measured(&recorded.environment.arguments);
    let command = ["compare", "run"].into_iter().chain(options.iter().map(String::as_str));
    made_by(name, &command.collect::<Vec<_>>().join(" "), &cells::preamble(summary))
}

/// The same in words, of any kind of record.
pub(crate) fn made_by(name: &str, command: &str, preamble: &[String]) -> String {
    let mut text = format!("From [`{name}`]({name}), which `{command}` made:\n\n");
    for line in preamble {
        text += &format!("{line}\n\n");
    }
    text
}

fn selected(marker: &Marker, summary: &Summary) -> anyhow::Result<Summary> {
    let number = |value: &str| value.replace('_', "").parse::<u64>().ok();
    let selection = Selection {
        workloads: marker.list("workload", |name| Some(name.to_owned()))?,
        clients: marker.list("client", client)?,
        documents: marker.list("documents", number)?,
        concurrency: marker.list("concurrency", number)?,
    };
    selection.of(summary).with_context(|| nothing_of(marker))
}

pub(crate) fn nothing_of(marker: &Marker) -> String {
    let asked = marker.values.iter().map(|(key, value)| format!("{key}={value}"));
    format!("there is nothing of {}", asked.collect::<Vec<_>>().join(" "))
}

fn client(name: &str) -> Option<Client> {
    [Client::Library, Client::Raw].into_iter().find(|client| client.name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readme_is_what_its_records_say() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
        let stale = Page::read(&path).unwrap().stale();
        let lines = stale.iter().map(|(path, _)| stale_line(path, Path::new("README.md")));
        let lines: Vec<_> = lines.collect();
        assert!(lines.is_empty(), "{}", lines.join("\n"));
    }
}
