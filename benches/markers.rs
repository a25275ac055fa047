//! Parts of a page that are made from records, between two comments that say which.
//!
//! ```markdown
//! <!-- spliced: table record=benches/record/2026-01-31-2x-intel-xeon workload=all-at-once -->
//! whatever stands here is replaced
//! <!-- /spliced -->
//! ```
//!
//! A comment stands on a line of its own. In a block of code, as above, it is none.

use std::collections::BTreeMap;

use anyhow::{Context, bail, ensure};

const START: &str = "<!-- spliced: ";
const END: &str = "<!-- /spliced -->";

/// What a comment asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// In what form.
    pub form: String,
    /// Everything else, by key.
    pub values: BTreeMap<String, String>,
}

impl Marker {
    /// The value of a key that must be there.
    ///
    /// # Errors
    ///
    /// It is not.
    pub fn value(&self, key: &str) -> anyhow::Result<&str> {
        let value = self.values.get(key).map(String::as_str);
        value.with_context(|| format!("a {} needs {key}=", self.form))
    }

    /// The values of a key, which commas separate; none where it is not there.
    ///
    /// # Errors
    ///
    /// One of them is not what it should be.
    pub fn list<T>(&self, key: &str, parse: impl Fn(&str) -> Option<T>) -> anyhow::Result<Vec<T>> {
        let values = self.values.get(key).into_iter().flat_map(|values| values.split(','));
        let parse = |value| parse(value).with_context(|| format!("{key}={value} is none"));
        values.map(parse).collect()
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut words = text.split_whitespace();
        let form = words.next().context("the comment says nothing")?.to_owned();
        let mut values = BTreeMap::new();
        for word in words {
            let (key, value) = word.split_once('=').with_context(|| format!("{word} has no ="))?;
            let before = values.insert(key.to_owned(), value.to_owned());
            ensure!(before.is_none(), "{key}= is there twice");
        }
        Ok(Marker { form, values })
    }
}

/// The page with everything between its comments as `make` makes it.
///
/// # Errors
///
/// A comment that does not parse or does not end, or what `make` says; with the number of its line.
pub fn splice(
    page: &str,
    mut make: impl FnMut(&Marker) -> anyhow::Result<String>,
) -> anyhow::Result<String> {
    let mut spliced = String::with_capacity(page.len());
    let mut is_code = false;
    let mut lines = page.split_inclusive('\n').zip(1..);
    while let Some((line, number)) = lines.next() {
        spliced.push_str(line);
        is_code ^= line.starts_with("```");
        let Some(asked) = line.trim_end().strip_prefix(START).filter(|_| !is_code) else {
            continue;
        };
        let marker = asked.strip_suffix("-->").context("the comment does not end in its line");
        let made = marker.and_then(Marker::parse).and_then(|marker| make(&marker));
        spliced.push_str(made.with_context(|| format!("line {number}"))?.trim_end());
        spliced.push('\n');
        loop {
            match lines.next() {
                Some((line, _)) if line.trim_end() == END => break spliced.push_str(line),
                Some((line, _)) if !line.starts_with(START) => {}
                _ => bail!("line {number}: no {END} follows"),
            }
        }
    }
    Ok(spliced)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# Page\n<!-- spliced: table record=r documents=1,20 -->\nold\n\n\
                        old\n<!-- /spliced -->\nbelow\n```\n<!-- spliced: oops\n```\n";

    fn made(marker: &Marker) -> anyhow::Result<String> {
        Ok(format!("{} of {}\n\n", marker.form, marker.value("record")?))
    }

    #[test]
    fn what_is_between_is_replaced_and_nothing_else() {
        let spliced = splice(PAGE, made).unwrap();
        assert_eq!(spliced, PAGE.replace("old\n\nold\n", "table of r\n"));
        assert_eq!(splice(&spliced, made).unwrap(), spliced, "and once more changes nothing");
    }

    #[test]
    fn values_are_lists() {
        let marker = Marker::parse("table documents=1,20").unwrap();
        let numbers = |key| marker.list(key, |value| value.parse::<u64>().ok());
        assert_eq!(numbers("documents").unwrap(), [1, 20]);
        assert_eq!(numbers("concurrency").unwrap(), [0; 0]);
        let error = marker.list("documents", |_| None::<u64>).unwrap_err().to_string();
        assert_eq!(error, "documents=1 is none");
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        let end = "<!-- /spliced -->\n";
        for (page, why) in [
            ("\n<!-- spliced: table record -->\n", "line 2: record has no ="),
            ("<!-- spliced: table a=1 a=2 -->\n", "line 1: a= is there twice"),
            ("<!-- spliced: table\n-->\n", "line 1: the comment does not end in its line"),
            ("<!-- spliced: table -->\n", "line 1: a table needs record="),
            ("<!-- spliced: t record=r -->\n", "line 1: no <!-- /spliced --> follows"),
            ("<!-- spliced: t record=r -->\n<!-- spliced: t record=r -->\n", "line 1: no <!-- /"),
        ] {
            let own_end = if why.contains("follows") || why.contains("no <") { "" } else { end };
            let error = splice(&format!("{page}{own_end}"), made).unwrap_err();
            assert!(format!("{error:#}").starts_with(why), "{error:#}");
        }
    }
}
