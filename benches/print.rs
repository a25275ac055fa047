//! Tables, JSON, Markdown, lists.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use anyhow::Context;
use harness::number::grouped;
use harness::workload::Documents;
use harness::{Recorded, Workload, record};
use job::Lane;
use report::table::Style;
use report::{Summary, files, markdown, summarise, table, timeline};
use serde::Serialize;

use crate::claims;
use crate::cli::{RunOptions, TableOptions};
use crate::enter::Misuse;

impl RunOptions {
    /// Looks whether the files that were named can be written, before anything takes minutes.
    ///
    /// # Errors
    ///
    /// One of them cannot.
    pub fn check_files(&self) -> anyhow::Result<()> {
        for file in self.markdown.iter().chain(&self.trace) {
            let opened = fs::File::options().append(true).create(true).open(file);
            opened.with_context(|| file.display().to_string())?;
        }
        Ok(())
    }

    /// Prints the summary in the forms that were asked for, and where its record is.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn print(
        &self,
        recorded: &Recorded,
        summary: &Summary,
        record: &Path,
    ) -> anyhow::Result<()> {
        if self.verify || self.quiet {
            // Numbers of so few documents mean nothing, and the test target has a line for each.
            return Ok(());
        }
        let text = if self.json { json(summary, record)? } else { table::render(summary, style()) };
        let said = say(&text);
        // Whatever could not be printed can be printed again from there.
        tell_line(&format!("the record is in {}", record.display()));
        files::write(recorded, summary, &claims::judged(recorded, summary), record)?;
        tell_line(&format!("the page of it is {}", record.join(files::PAGE).display()));
        said?;
        if let Some(file) = &self.markdown {
            write(file, &markdown::render(summary))?;
        }
        if let Some(file) = &self.trace {
            write(file, &timeline::trace(&recorded.timelines))?;
        }
        Ok(())
    }
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(file, text).with_context(|| file.display().to_string())
}

/// Prints a record once more.
///
/// # Errors
///
/// There is none, or it cannot be written.
pub fn table(options: &TableOptions) -> anyhow::Result<()> {
    if serving::record::is_one(&options.record) {
        let recorded = serving::record::read(&options.record).map_err(Misuse::of)?;
        let summary = report::serving::summarise(&recorded);
        return say(&crate::serving::text(&summary, options.json, options.markdown)?);
    }
    let summary = summarise(&record::read(&options.record).map_err(Misuse::of)?);
    say(&match (options.json, options.markdown) {
        (true, _) => json(&summary, &options.record)?,
        (_, true) => markdown::render(&summary),
        _ => table::render(&summary, style()),
    })
}

/// Prints what there is to choose from.
///
/// # Errors
///
/// It cannot be written.
pub fn list(
    lanes: &[Lane],
    workloads: &[Workload],
    missing: &BTreeMap<String, String>,
) -> anyhow::Result<()> {
    let mut lines = vec!["lanes".to_owned()];
    for Lane { id, waits, mirrors, .. } in lanes {
        lines.push(format!("  {id:INDENT$}{waits}"));
        lines.extend(indented(&format!("stands for {mirrors}")));
        lines.extend(missing.get(*id).into_iter().flat_map(|why| indented(why)));
    }
    lines.push("workloads".to_owned());
    for workload in workloads {
        let Workload { name, shows, documents, concurrency, rate, delay_us, .. } = workload;
        let documents = match documents {
            Documents::LikeConcurrency => "C".to_owned(),
            Documents::InMilliseconds(milliseconds) => format!("those of {milliseconds} ms"),
            Documents::Counts(counts) => listed(&counts.0),
        };
        let delays: Vec<_> =
            delay_us.all_us().iter().map(|delay| (*delay as f64 / 1e3).to_string()).collect();
        let (delay, concurrency) = (delays.join(" and "), listed(&concurrency.0));
        let rate = rate.as_ref().map_or(String::new(), |rate| format!("; {}/s", listed(&rate.0)));
        let point = format!("N = {documents}; C = {concurrency}{rate}; {delay} ms away");
        lines.push(format!("  {name:INDENT$}{point}"));
        lines.extend(indented(shows));
        match (workload.standard.leave_out, workload.full.leave_out, &workload.group) {
            (true, true, Some(group)) => {
                let named = format!("Only when it is named, or its group: {group}.");
                lines.extend(indented(&named));
            }
            (true, true, None) => lines.extend(indented("Only when it is named.")),
            (true, false, _) => lines.extend(indented("Only with --full, or when it is named.")),
            (false, ..) => {}
        }
    }
    lines.push("servers, in place of lanes".to_owned());
    let how = "--workloads servers; `compare servers --list` names them and what is done with them";
    lines.push(format!("  {how}"));
    say(&(lines.join("\n") + "\n"))
}

fn listed(numbers: &[u64]) -> String {
    numbers.iter().map(|number| grouped(*number)).collect::<Vec<_>>().join(", ")
}

/// Where the second column of a list begins, after two spaces.
const INDENT: usize = 24;

fn indented(text: &str) -> impl Iterator<Item = String> {
    let lines = table::wrapped_at(text, table::WIDTH - INDENT - 2);
    lines.into_iter().map(|line| format!("  {:INDENT$}{line}", ""))
}

fn json(summary: &Summary, record: &Path) -> anyhow::Result<String> {
    #[derive(Serialize)]
    struct Printed<'a> {
        record: &'a Path,
        #[serde(flatten)]
        summary: &'a Summary,
    }
    Ok(serde_json::to_string_pretty(&Printed { record, summary })? + "\n")
}

/// Bold for a terminal, unless NO_COLOR says otherwise (<https://no-color.org>).
pub(crate) fn style() -> Style {
    let no_color = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if io::stdout().is_terminal() && !no_color { Style::Bold } else { Style::Plain }
}

/// One line on standard error. When nobody can read it any more, the run goes on all the same.
pub fn tell_line(line: &str) {
    // In one write: other processes may write to the same place.
    let _ = io::stderr().write_all(format!("compare: {line}\n").as_bytes());
}

/// Who reads only the first lines, as `head` does, has done nothing wrong.
pub(crate) fn say(text: &str) -> anyhow::Result<()> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
