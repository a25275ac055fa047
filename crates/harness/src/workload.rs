//! What is measured, as data: the types behind `workloads.toml`.

use job::Process;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::timelines::DOCUMENTS_MOST;

/// How much of everything a run takes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// Every workload as it is written.
    #[default]
    Standard,
    /// With each workload's `quick` in place of what it names.
    Quick,
    /// With each workload's `full` in place of what it names.
    Full,
    /// A few documents for every cell, to see that its answer is right; no time means anything.
    Verify,
}

/// One `[[workload]]`: a job's parameters, and what they are to show.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workload {
    /// Its name on the command line and above its table.
    pub name: String,
    /// A name that it shares with others, by which all of them can be asked for.
    pub group: Option<String>,
    /// The paragraph that says what the numbers are to show.
    pub shows: String,
    /// The lanes that run, by ids or models; all but those of [`OTHER`] unless it says so.
    pub lanes: Option<Vec<String>>,
    /// Lanes that do not run, of those.
    #[serde(default)]
    pub without: Vec<String>,
    /// Where the documents come from.
    #[serde(default)]
    pub source: Source,
    /// How many documents a job fetches.
    pub documents: Documents,
    /// The most requests in flight: a number, or a list of them.
    pub concurrency: Counts,
    /// How documents arrive, in an open loop; none in a closed one.
    pub arrivals: Option<Process>,
    /// How many documents are due in a second, in an open loop: a number, or a list of them.
    pub rate: Option<Counts>,
    /// What the origin waits before it answers, microseconds: a number, or a list that documents take
    /// turns in by their ids.
    #[serde(default)]
    pub delay_us: Delays,
    /// Whether the origin closes each connection after its response. Whoever closes first keeps
    /// the connection in `TIME_WAIT`: clients that open thousands and close them leave their ports
    /// to the next sample's search for one.
    #[serde(default)]
    pub close: bool,
    /// Bytes of a generated document.
    #[serde(default = "one_packet")]
    pub document_bytes: u64,
    /// The part of what a lane could have in flight that it must have had at some moment, from
    /// 0 to 1; with less the sample does not count.
    #[serde(default)]
    pub in_flight_least: f64,
    /// Where its lanes are looked at request by request, once and untimed.
    pub timeline: Option<TimelinePoint>,
    /// How long the origin's delays, one after the other, may take in a cell that is run all the
    /// same, seconds; the profile says unless it does.
    pub patience_s: Option<u64>,
    /// How long a run of it may take, minutes; the profile says unless it does.
    pub minutes: Option<u64>,
    /// What a run changes that is neither `--quick` nor `--full`.
    #[serde(default)]
    pub standard: Changes,
    /// What `--quick` changes.
    #[serde(default)]
    pub quick: Changes,
    /// What `--full` changes.
    #[serde(default)]
    pub full: Changes,
    /// What a look at the answers alone changes, under `cargo test`.
    #[serde(default)]
    pub verify: Changes,
}

/// The model of lanes that are no part of the exhibit, programs of other languages and runtimes: they
/// run where they are named.
pub const OTHER: &str = "other";

/// `{ documents = 24, concurrency = 8 }`: a point at which nothing is timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimelinePoint {
    /// Documents to fetch.
    pub documents: u64,
    /// The most requests in flight.
    pub concurrency: u64,
}

impl TimelinePoint {
    fn is_visible(&self) -> bool {
        (1..=DOCUMENTS_MOST).contains(&self.documents) && self.concurrency > 0
    }
}

impl From<TimelinePoint> for Point {
    fn from(TimelinePoint { documents, concurrency }: TimelinePoint) -> Self {
        Point { documents, concurrency, rate: None }
    }
}

/// What a profile changes in a workload.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// In place of the workload's `documents`.
    pub documents: Option<Documents>,
    /// In place of the workload's `concurrency`.
    pub concurrency: Option<Counts>,
    /// In place of the workload's `rate`.
    pub rate: Option<Counts>,
    /// Leaves the workload out.
    #[serde(default)]
    pub leave_out: bool,
}

/// Where documents come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// Made from the seed.
    #[default]
    Generated,
    /// The folder that the reader names with `--corpus`.
    Files,
}

/// How many documents: as many as something else says, or these numbers, each with every
/// concurrency.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::Value")]
pub enum Documents {
    /// `"concurrency"`: N = C.
    LikeConcurrency,
    /// `"200 ms"`: as many as arrive in that time at the workload's rate.
    InMilliseconds(u64),
    /// A number, or a list of them.
    Counts(Counts),
}

/// One number or several, each from 1 to [`COUNT_MOST`].
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::Value")]
pub struct Counts(pub Vec<u64>);

/// What the origin waits before it answers, microseconds: the same for every document, or each in
/// its turn.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "toml::Value")]
pub enum Delays {
    /// For every document.
    Same(u64),
    /// The document with the id 1 has the first, and so on over and over.
    InTurn(Vec<u64>),
}

impl Default for Delays {
    fn default() -> Self {
        Delays::Same(0)
    }
}

impl Delays {
    /// All of them, in turn.
    pub fn all_us(&self) -> &[u64] {
        match self {
            Delays::Same(delay) => std::slice::from_ref(delay),
            Delays::InTurn(delays) => delays,
        }
    }

    /// The longest.
    pub fn longest_us(&self) -> u64 {
        self.all_us().iter().copied().max().unwrap_or(0)
    }

    fn at_most(&self, us: u64) -> Self {
        match self {
            Delays::Same(delay) => Delays::Same(us.min(*delay)),
            Delays::InTurn(all) => Delays::InTurn(all.iter().map(|delay| us.min(*delay)).collect()),
        }
    }
}

/// N and C, and the rate in an open loop: where in a workload a cell lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Point {
    /// Documents to fetch.
    pub documents: u64,
    /// The most requests in flight.
    pub concurrency: u64,
    /// Documents due in a second, in an open loop; none in a closed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<u64>,
}

impl Point {
    /// How long all documents take to arrive, microseconds; nothing in a closed loop.
    pub fn schedule_us(&self) -> u64 {
        let us = |rate| self.documents.saturating_mul(1_000_000) / rate;
        self.rate.map_or(0, us)
    }
}

/// Why a file of workloads, or a choice of them, is not one.
#[derive(Debug, Error)]
pub enum WorkloadError {
    /// The text does not parse, or a key is not one of ours.
    #[error("{file}:{line}: {why}")]
    Malformed {
        /// The file's name.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong, with the key.
        why: String,
    },
    /// A workload contradicts itself.
    #[error("{file}: workload `{}`: {why}", name.escape_debug())]
    Invalid {
        /// The file's name.
        file: String,
        /// The workload's name.
        name: String,
        /// What is wrong.
        why: &'static str,
    },
    /// A name that neither a workload nor a group has.
    #[error("no workload is named `{name}`; there are: {known}")]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// All names there are, then all groups.
        known: String,
    },
}

/// The most documents of a job, and the most at once: far above what any machine holds, and low
/// enough that nothing made of it overflows.
pub const COUNT_MOST: u64 = 1_000_000_000;

/// What the origin waits at most.
const DELAY_US_MOST: u64 = 60_000_000;

/// Sizes of documents that can be made.
const DOCUMENT_BYTES_LEAST: u64 = 576;
const DOCUMENT_BYTES_MOST: u64 = 10_000_000;

fn is_visible(character: char) -> bool {
    !character.is_whitespace() && !character.is_control()
}

/// What fits into one packet with its header: most documents on the web that a program asks for.
fn one_packet() -> u64 {
    1_500
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    workload: Vec<Workload>,
}

/// Reads the text of `file`, which is only named in errors.
///
/// # Errors
///
/// Not TOML, a key that is not ours, a value of the wrong kind, or a workload that contradicts
/// itself or another.
pub fn read(file: &str, text: &str) -> Result<Vec<Workload>, WorkloadError> {
    let workloads =
        toml::from_str::<File>(text).map_err(|error| malformed(file, text, &error))?.workload;
    for (index, workload) in workloads.iter().enumerate() {
        let twice = workloads[..index].iter().any(|earlier| earlier.name == workload.name);
        let why = if twice { Some("the name is taken") } else { workload.contradiction() };
        if let Some(why) = why {
            let (file, name) = (file.to_owned(), workload.name.clone());
            return Err(WorkloadError::Invalid { file, name, why });
        }
    }
    Ok(workloads)
}

/// The parser's message in one line, with the line number and the key that it is about.
fn malformed(file: &str, text: &str, error: &toml::de::Error) -> WorkloadError {
    let start = error.span().map_or(0, |span| span.start.min(text.len()));
    let line = text[..start].matches('\n').count() + 1;
    let message = error.message().replace('\n', " ");
    let source = text.lines().nth(line - 1).unwrap_or_default();
    let why = match source.split_once('=') {
        Some((key, _)) if !message.contains('`') => format!("`{}`: {message}", key.trim()),
        _ => message,
    };
    WorkloadError::Malformed { file: file.to_owned(), line, why }
}

/// The workloads of these names or groups in the file's order; all of them for no name.
///
/// # Errors
///
/// A name that there is not.
pub fn select(workloads: Vec<Workload>, names: &[String]) -> Result<Vec<Workload>, WorkloadError> {
    let is = |workload: &Workload, name: &String| {
        workload.name == *name || workload.group.as_ref() == Some(name)
    };
    if let Some(name) = names.iter().find(|name| !workloads.iter().any(|w| is(w, name))) {
        let mut known: Vec<_> = workloads.iter().map(|w| w.name.as_str()).collect();
        let mut groups: Vec<_> = workloads.iter().filter_map(|w| w.group.as_deref()).collect();
        groups.dedup();
        known.extend(groups);
        return Err(WorkloadError::Unknown { name: name.clone(), known: known.join(", ") });
    }
    let named = |w: &Workload| names.is_empty() || names.iter().any(|name| is(w, name));
    Ok(workloads.into_iter().filter(named).collect())
}

/// The most documents of a cell, the most of them at once, the least of them in a second, and the
/// longest delay, when answers alone are looked at: what any machine allows, in no time.
const VERIFY_DOCUMENTS: u64 = 16;
const VERIFY_CONCURRENCY: u64 = 64;
const VERIFY_RATE_LEAST: u64 = 1_000;
const VERIFY_DELAY_US: u64 = 1_000;

impl Workload {
    /// The workload as `profile` wants it, or `None` when the profile leaves it out. One that was
    /// asked for by its name is never left out.
    pub fn in_profile(mut self, profile: Profile, named: bool) -> Option<Self> {
        let changes = match profile {
            Profile::Standard => std::mem::take(&mut self.standard),
            Profile::Quick => std::mem::take(&mut self.quick),
            Profile::Full => std::mem::take(&mut self.full),
            Profile::Verify => {
                self.delay_us = self.delay_us.at_most(VERIFY_DELAY_US);
                // So few documents may be through before the last of them is asked for.
                self.in_flight_least = 0.0;
                std::mem::take(&mut self.verify)
            }
        };
        self.documents = changes.documents.unwrap_or(self.documents);
        self.concurrency = changes.concurrency.unwrap_or(self.concurrency);
        self.rate = changes.rate.or(self.rate);
        (named || !changes.leave_out).then_some(self)
    }

    /// Whether it is for the lane of this id.
    pub fn is_for(&self, lane: &str) -> bool {
        let model = lane.split_once('/').map_or(lane, |(model, _)| model);
        let names = |names: &[String]| names.iter().any(|name| name == lane || name == model);
        let is_in = self.lanes.as_ref().map_or(model != OTHER, |lanes| names(lanes));
        is_in && !names(&self.without)
    }

    /// Every N with every C at every rate, in the order of the file.
    pub fn points(&self, profile: Profile) -> Vec<Point> {
        let (documents_most, concurrency_most) = match profile {
            Profile::Verify => (VERIFY_DOCUMENTS, VERIFY_CONCURRENCY),
            _ => (u64::MAX, u64::MAX),
        };
        let mut points = Vec::new();
        for rate in self.rates(profile) {
            for &concurrency in &self.concurrency.0 {
                for documents in self.documents_at(concurrency, rate) {
                    let documents = documents.min(documents_most);
                    let concurrency = concurrency.min(concurrency_most);
                    let point = Point { documents, concurrency, rate };
                    if !points.contains(&point) {
                        points.push(point);
                    }
                }
            }
        }
        points
    }

    /// Every rate, or the one that a closed loop has not.
    fn rates(&self, profile: Profile) -> Vec<Option<u64>> {
        let least = if profile == Profile::Verify { VERIFY_RATE_LEAST } else { 1 };
        match &self.rate {
            Some(rates) => rates.0.iter().map(|rate| Some(*rate.max(&least))).collect(),
            None => vec![None],
        }
    }

    fn documents_at(&self, concurrency: u64, rate: Option<u64>) -> Vec<u64> {
        match &self.documents {
            Documents::LikeConcurrency => vec![concurrency],
            Documents::InMilliseconds(milliseconds) => {
                vec![(rate.unwrap_or(0).saturating_mul(*milliseconds) / 1_000).max(1)]
            }
            Documents::Counts(counts) => counts.0.clone(),
        }
    }

    fn is_in_milliseconds(&self) -> bool {
        let changed = [&self.standard, &self.quick, &self.full].map(|c| c.documents.as_ref());
        let all = changed.into_iter().flatten().chain([&self.documents]);
        all.into_iter().any(|documents| matches!(documents, Documents::InMilliseconds(_)))
    }

    fn has_rate(&self) -> bool {
        let changed = [&self.standard, &self.quick, &self.full].map(|c| c.rate.is_some());
        self.rate.is_some() || changed.contains(&true)
    }

    fn has_generated(&self, bytes: impl std::ops::RangeBounds<u64>) -> bool {
        self.source == Source::Generated && bytes.contains(&self.document_bytes)
    }

    fn contradiction(&self) -> Option<&'static str> {
        match () {
            () if self.name.is_empty()
                || self.name.contains(|c: char| c == ',' || !is_visible(c)) =>
            {
                Some("a name is one word, which the command line can take")
            }
            () if self.shows.trim().is_empty() => Some("`shows` is empty: say what it is to show"),
            () if self.shows.contains(|c: char| c.is_control() && !c.is_whitespace()) => {
                Some("`shows` has a control character, which a terminal would obey")
            }
            () if self.delay_us.all_us().is_empty() => Some("`delay_us` is an empty list"),
            () if self.delay_us.longest_us() > DELAY_US_MOST => {
                Some("`delay_us` is above 60,000,000: a minute")
            }
            () if self.delay_us.all_us().len() > 1 && self.source == Source::Files => {
                Some("`delay_us` is a list, which documents of a folder cannot take turns in")
            }
            () if self.lanes.as_ref().is_some_and(Vec::is_empty) => {
                Some("`lanes` is an empty list: leave it out for all")
            }
            () if self.has_generated(..DOCUMENT_BYTES_LEAST) => {
                Some("`document_bytes` is below 576, which no document fits in")
            }
            () if self.has_generated(DOCUMENT_BYTES_MOST + 1..) => Some(
                "`document_bytes` is above 10,000,000, and 151 such documents are kept in memory",
            ),
            () if !(0.0..=1.0).contains(&self.in_flight_least) => {
                Some("`in_flight_least` is a part: from 0 to 1")
            }
            () if self.arrivals.is_some() && self.rate.is_none() => {
                Some("`arrivals` needs a `rate`: documents per second")
            }
            () if self.arrivals.is_none() && self.has_rate() => {
                Some("`rate` needs `arrivals`: \"uniform\" or \"poisson\"")
            }
            () if self.arrivals.is_none() && self.is_in_milliseconds() => {
                Some("`documents` is a time, which needs `arrivals` and a `rate`")
            }
            () if self.timeline.is_some_and(|point| !point.is_visible()) => {
                Some("`timeline` has documents from 1 to 10,000, and a concurrency from 1 on")
            }
            () if self.arrivals.is_some() && self.timeline.is_some() => {
                Some("`timeline` is for a closed loop")
            }
            () if self.arrivals.is_some() && self.in_flight_least > 0.0 => Some(
                "`in_flight_least` is for a closed loop: with `arrivals` the schedule says how \
                 many are in flight",
            ),
            () => None,
        }
    }
}

impl TryFrom<toml::Value> for Documents {
    type Error = &'static str;

    fn try_from(value: toml::Value) -> Result<Self, Self::Error> {
        match value.as_str() {
            Some("concurrency") => Ok(Documents::LikeConcurrency),
            Some(text) => in_milliseconds(text).map(Documents::InMilliseconds).ok_or(
                "a number, a list of numbers, \"concurrency\", or a time such as \"200 ms\", of \
                 an hour at most",
            ),
            None => Counts::try_from(value).map(Documents::Counts),
        }
    }
}

impl TryFrom<toml::Value> for Delays {
    type Error = &'static str;

    fn try_from(value: toml::Value) -> Result<Self, Self::Error> {
        let delay = |value: &toml::Value| u64::try_from(value.as_integer()?).ok();
        let delays = match &value {
            toml::Value::Array(values) => values.iter().map(delay).collect::<Option<_>>(),
            one => return delay(one).map(Delays::Same).ok_or(NO_DELAY),
        };
        delays.map(Delays::InTurn).ok_or(NO_DELAY)
    }
}

const NO_DELAY: &str = "a number of microseconds, or a list of such numbers";

/// The number of `200 ms`, up to an hour.
fn in_milliseconds(text: &str) -> Option<u64> {
    let number = text.strip_suffix("ms")?.trim_end().parse().ok()?;
    (1..=3_600_000).contains(&number).then_some(number)
}

impl TryFrom<toml::Value> for Counts {
    type Error = &'static str;

    fn try_from(value: toml::Value) -> Result<Self, Self::Error> {
        let values = match value {
            toml::Value::Array(values) => values,
            one => vec![one],
        };
        let count = |value: &toml::Value| {
            let number = value.as_integer().and_then(|number| u64::try_from(number).ok());
            number.filter(|number| (1..=COUNT_MOST).contains(number))
        };
        match values.iter().map(count).collect::<Option<Vec<_>>>() {
            Some(counts) if !counts.is_empty() => Ok(Counts(counts)),
            _ => Err("a number, or a list of numbers, each from 1 to 1,000,000,000"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str = r#"
[[workload]]
name = "plain"
shows = "How little it takes."
documents = [1, 10]
concurrency = 64
delay_us = 20_000
quick = { documents = 10 }
full = { leave_out = true }
"#;

    fn point(documents: u64, concurrency: u64) -> Point {
        Point { documents, concurrency, rate: None }
    }

    fn refusal(text: &str) -> String {
        read("w.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn a_workload_reads_as_it_is_written() {
        let workload = read("w.toml", PLAIN).unwrap().remove(0);
        assert_eq!(workload.points(Profile::Standard), [point(1, 64), point(10, 64)]);
        assert_eq!((workload.delay_us.longest_us(), workload.document_bytes), (20_000, 1_500));
        assert_eq!(workload.source, Source::Generated);
    }

    #[test]
    fn a_group_is_a_name_for_several() {
        let text = PLAIN.replace("name = \"plain\"", "name = \"plain\"\ngroup = \"all\"");
        let text = format!("{text}{}", text.replace("\"plain\"", "\"other\""));
        let chosen = |name: &str| select(read("w.toml", &text).unwrap(), &[name.to_owned()]);
        assert_eq!(chosen("all").unwrap().len(), 2);
        assert_eq!(chosen("other").unwrap().len(), 1);
        let unknown = chosen("none").unwrap_err().to_string();
        assert_eq!(unknown, "no workload is named `none`; there are: plain, other, all");
    }

    #[test]
    fn a_workload_names_lanes_by_ids_and_models() {
        let workload = |lanes: &str| {
            let text = PLAIN.replace("quick =", &format!("{lanes}\nquick ="));
            read("w.toml", &text).unwrap().remove(0)
        };
        let all = workload("");
        assert!(all.is_for("stackful/hub") && all.is_for("odd/one") && !all.is_for("other/go"));
        let some = workload("lanes = [\"stackful\", \"other/go\"]\nwithout = [\"stackful/may\"]");
        assert!(!some.is_for("stackful/may"));
        assert!(some.is_for("stackful/hub") && some.is_for("other/go"));
        assert!(!some.is_for("stackless/tokio") && !some.is_for("other/go-100"));
    }

    #[test]
    fn profiles_change_what_they_name() {
        let workload = || read("w.toml", PLAIN).unwrap().remove(0);
        let quick = workload().in_profile(Profile::Quick, false).unwrap();
        assert_eq!(quick.points(Profile::Quick), [point(10, 64)]);
        assert_eq!(workload().in_profile(Profile::Full, false), None);
        assert!(workload().in_profile(Profile::Full, true).is_some(), "it was asked for by name");
        let verify = workload().in_profile(Profile::Verify, false).unwrap();
        assert_eq!(verify.delay_us, Delays::Same(1_000));
    }

    #[test]
    fn documents_can_follow_the_concurrency() {
        let text = PLAIN
            .replace("documents = [1, 10]", "documents = \"concurrency\"")
            .replace("concurrency = 64", "concurrency = [100, 1_600]");
        let workload = read("w.toml", &text).unwrap().remove(0);
        assert_eq!(workload.points(Profile::Standard), [point(100, 100), point(1_600, 1_600)]);
        assert_eq!(workload.points(Profile::Verify), [point(16, 64)]);
    }

    const OPEN: &str = r#"
[[workload]]
name = "open"
shows = "What comes when it comes."
arrivals = "poisson"
rate = [500, 2_000]
documents = "200 ms"
concurrency = 64
quick = { rate = 100, documents = 20 }
"#;

    #[test]
    fn an_open_loop_has_a_point_for_each_rate() {
        let workload = || read("w.toml", OPEN).unwrap().remove(0);
        let at = |documents, rate| Point { rate: Some(rate), ..point(documents, 64) };
        assert_eq!(workload().points(Profile::Standard), [at(100, 500), at(400, 2_000)]);
        assert_eq!(at(400, 2_000).schedule_us(), 200_000);
        let quick = workload().in_profile(Profile::Quick, false).unwrap();
        assert_eq!(quick.points(Profile::Quick), [at(20, 100)]);
        let verify = workload().in_profile(Profile::Verify, false).unwrap();
        assert_eq!(verify.points(Profile::Verify), [at(16, 1_000), at(16, 2_000)]);
    }

    #[test]
    fn half_an_open_loop_is_refused() {
        let refused = |from: &str, to: &str| refusal(&OPEN.replacen(from, to, 1));
        let why = refused("rate = [500, 2_000]\n", "");
        assert_eq!(why, "w.toml: workload `open`: `arrivals` needs a `rate`: documents per second");
        let why = refused("arrivals = \"poisson\"\n", "");
        assert!(why.ends_with("`rate` needs `arrivals`: \"uniform\" or \"poisson\""), "{why}");
        let why = refusal(&PLAIN.replace("[1, 10]", "\"200 ms\""));
        assert!(
            why.ends_with("`documents` is a time, which needs `arrivals` and a `rate`"),
            "{why}"
        );
        let why = refused("concurrency = 64", "concurrency = 64\nin_flight_least = 0.5");
        assert!(why.contains("`in_flight_least` is for a closed loop"), "{why}");
        let why = refused("\"poisson\"", "\"often\"");
        assert_eq!(why, "w.toml:5: unknown variant `often`, expected `uniform` or `poisson`");
        let why = refused("[500, 2_000]", "0");
        assert!(why.starts_with("w.toml:6: `rate`: a number, or a list of numbers"), "{why}");
        for time in ["0 ms", "200", "2 s", "3600001 ms"] {
            let why = refused("200 ms", time);
            assert!(why.starts_with("w.toml:7: `documents`: a number, a list"), "{why}");
        }
    }

    #[test]
    fn mistakes_are_told_with_file_line_and_key() {
        let unknown = refusal(&PLAIN.replace("delay_us", "delay_usec"));
        assert!(unknown.starts_with("w.toml:7: unknown field `delay_usec`"), "{unknown}");
        let kind = refusal(&PLAIN.replace("20_000", "\"long\""));
        assert!(kind.starts_with("w.toml:7: `delay_us`: a number of microseconds"), "{kind}");
        let none = refusal(&PLAIN.replace("[1, 10]", "[0]"));
        let counts = "a number, or a list of numbers, each from 1 to 1,000,000,000";
        assert_eq!(none, format!("w.toml:5: `documents`: {counts}"));
        assert_eq!(refusal(&PLAIN.replace("[1, 10]", "1_000_000_001")), none);
        let word = refusal(&PLAIN.replace("[1, 10]", "\"many\""));
        assert!(word.starts_with("w.toml:5: `documents`: a number, a list"), "{word}");
        assert!(refusal("[[workload]").starts_with("w.toml:1: "));
        assert_eq!(refusal(&PLAIN.repeat(2)), "w.toml: workload `plain`: the name is taken");
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let refused = |from: &str, to: &str| refusal(&PLAIN.replace(from, to));
        assert!(refused("20_000", "60_000_001").ends_with("60,000,000: a minute"));
        let bytes = |bytes| refused("delay_us = 20_000", &format!("document_bytes = {bytes}"));
        assert!(bytes("575").contains("is below 576"));
        assert!(bytes("10_000_001").contains("is above 10,000,000"));
        let name = refused("\"plain\"", "\"pl\\u001bain\"");
        assert!(name.contains("`pl\\u{1b}ain`: a name is one word"), "{name}");
        assert!(refused("it takes", "it\\u001btakes").contains("control character"));
    }

    #[test]
    fn a_wrong_name_lists_the_right_ones() {
        let workloads = || read("w.toml", PLAIN).unwrap();
        let error = select(workloads(), &["plane".to_owned()]).unwrap_err();
        assert_eq!(error.to_string(), "no workload is named `plane`; there are: plain");
        assert_eq!(select(workloads(), &[]).unwrap().len(), 1);
    }
}
