//! How a ledger is written down: as TOML, in which an experiment says once what both of its sides
//! have in common.

use job::Client;
use serde::Deserialize;
use toml::Spanned;

use super::ledger::{
    At, Claim, Experiment, GrowthChart, LanePlace, Ledger, LedgerError, Measure, Over, Place,
    Prediction, Ratio, ServerPlace, Side, Version,
};

/// A bound of a prediction this near to 1 is passed or missed by noise.
const TOO_NEAR: f64 = 0.05;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "claim")]
    claims: Vec<Spanned<WrittenClaim>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenClaim {
    number: u32,
    source: String,
    says: String,
    predicts: String,
    why: Spanned<String>,
    #[serde(rename = "experiment")]
    experiments: Vec<Spanned<WrittenExperiment>>,
    chart: Option<GrowthChart>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenExperiment {
    what: String,
    #[serde(rename = "as")]
    version: Version,
    #[serde(default)]
    condition: String,
    measure: Option<Measure>,
    workload: Option<String>,
    documents: Option<Documents>,
    concurrency: Option<u64>,
    client: Option<Client>,
    scene: Option<String>,
    handler: Option<String>,
    clients: Option<u64>,
    percent: Option<u32>,
    of: Option<Spanned<WrittenSide>>,
    over: Option<Spanned<WrittenSide>>,
    at_least: Option<f64>,
    at_most: Option<f64>,
    between: Option<[f64; 2]>,
}

/// What a side says for itself.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSide {
    measure: Option<Measure>,
    lane: Option<String>,
    workload: Option<String>,
    documents: Option<Documents>,
    concurrency: Option<u64>,
    client: Option<Client>,
    server: Option<String>,
    scene: Option<String>,
    handler: Option<String>,
    clients: Option<u64>,
    percent: Option<u32>,
    ms: Option<f64>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(untagged, expecting = "a number of documents, or \"each\"")]
enum Documents {
    Number(u64),
    Word(Each),
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Each {
    Each,
}

/// The place of an error, by bytes, and what it is.
type Wrong = (usize, String);

pub(super) fn read(file: &str, text: &str) -> Result<Ledger, LedgerError> {
    let line = |start: usize| text[..start.min(text.len())].matches('\n').count() + 1;
    let error = |(start, why): Wrong| LedgerError { file: file.to_owned(), line: line(start), why };
    let written: File = toml::from_str(text).map_err(|told| {
        let start = told.span().map_or(0, |span| span.start);
        error((start, told.message().replace('\n', " ")))
    })?;
    let mut claims: Vec<Claim> = Vec::new();
    for written in written.claims {
        let start = written.span().start;
        let claim = claim(written.into_inner(), &line).map_err(error)?;
        if claims.last().is_some_and(|before| before.number >= claim.number) {
            let why = format!("claim {} does not come after the one before it", claim.number);
            return Err(error((start, why)));
        }
        claims.push(claim);
    }
    Ok(Ledger { file: file.to_owned(), claims })
}

fn claim(written: WrittenClaim, line: &dyn Fn(usize) -> usize) -> Result<Claim, Wrong> {
    let (number, why) = (written.number, written.why);
    if why.get_ref().contains(|character: char| character.is_ascii_digit()) {
        let told = format!("claim {number}: `why` has a figure; figures come from the record");
        return Err((why.span().start, told));
    }
    let mut experiments: Vec<Experiment> = Vec::new();
    for written in written.experiments {
        let start = written.span().start;
        let experiment = experiment(written, line)?;
        let before = experiments.last().map_or(Version::Written, |before| before.version);
        if before == Version::Fair && experiment.version == Version::Written {
            let told = format!("claim {number}: what was written comes before what is fair");
            return Err((start, told));
        }
        experiments.push(experiment);
    }
    if experiments.first().is_none_or(|first| first.version != Version::Written) {
        let told = format!("claim {number} has no experiment as = \"written\"");
        return Err((why.span().start, told));
    }
    Ok(Claim {
        number,
        source: written.source,
        says: written.says,
        predicts: written.predicts,
        why: why.into_inner(),
        experiments,
        chart: written.chart,
    })
}

fn experiment(
    written: Spanned<WrittenExperiment>,
    line: &dyn Fn(usize) -> usize,
) -> Result<Experiment, Wrong> {
    let start = written.span().start;
    let written = written.into_inner();
    if written.condition.is_empty() {
        return Err((start, "an experiment needs `condition`, for its verdict".into()));
    }
    let ratio = ratio(&written, start, line)?;
    let WrittenExperiment { what, version, condition, .. } = written;
    Ok(Experiment { what, version, condition, ratio })
}

fn ratio(
    written: &WrittenExperiment,
    start: usize,
    line: &dyn Fn(usize) -> usize,
) -> Result<Ratio, Wrong> {
    let missing = |key: &str| (start, format!("an experiment needs `{key}`"));
    let of = side(written, written.of.as_ref().ok_or_else(|| missing("of"))?, line)?;
    let below = written.over.as_ref().ok_or_else(|| missing("over"))?;
    let over = match below.get_ref() {
        WrittenSide { ms: Some(ms), lane: None, server: None, .. } if *ms > 0.0 => {
            Over::Milliseconds(*ms)
        }
        _ => Over::Side(side(written, below, line)?),
    };
    let unit = match &over {
        Over::Side(side) => side.measure.unit(),
        Over::Milliseconds(_) => "ms",
    };
    if of.measure.unit() != unit {
        return Err((below.span().start, format!("{} over {unit} is no ratio", of.measure.unit())));
    }
    if let Over::Side(side) = &over
        && side.place.kind() != of.place.kind()
    {
        let (of, over) = (of.place.kind(), side.place.kind());
        return Err((below.span().start, format!("no record has both {of} and {over}")));
    }
    Ok(Ratio { of, over, predicts: prediction(written).map_err(|why| (start, why))? })
}

/// What a side says, or else its experiment.
fn side(
    written: &WrittenExperiment,
    side: &Spanned<WrittenSide>,
    line: &dyn Fn(usize) -> usize,
) -> Result<Side, Wrong> {
    let (start, own) = (side.span().start, side.get_ref());
    if own.ms.is_some() {
        return Err((start, "`ms` stands alone, below the line, and is more than 0".into()));
    }
    let told = |why| (start, why);
    let measure = own.measure.or(written.measure).ok_or_else(|| told(missing("measure")))?;
    let place = match (&own.lane, &own.server) {
        (Some(lane), None) => Place::Lane(of_lane(written, own, lane).map_err(told)?),
        (None, Some(server)) => {
            Place::Server(of_server(written, own, server, measure).map_err(told)?)
        }
        _ => return Err((start, "a side needs either `lane` or `server`".into())),
    };
    if !measure.is_of(&place) {
        let why = format!("{} is not measured of {}", measure.name(), place.kind());
        return Err((start, why));
    }
    Ok(Side { measure, place, line: line(start) })
}

fn missing(key: &str) -> String {
    format!("a side needs `{key}`, or its experiment does")
}

fn of_lane(
    written: &WrittenExperiment,
    own: &WrittenSide,
    lane: &str,
) -> Result<LanePlace, String> {
    let foreign = [
        ("scene", own.scene.is_some() || written.scene.is_some()),
        ("handler", own.handler.is_some() || written.handler.is_some()),
        ("clients", own.clients.is_some() || written.clients.is_some()),
        ("percent", own.percent.is_some() || written.percent.is_some()),
    ];
    if let Some((key, _)) = foreign.iter().find(|(_, is_there)| *is_there) {
        return Err(format!("`{key}` is for servers, and {lane} is a lane"));
    }
    let concurrency = own.concurrency.or(written.concurrency);
    let at = match own.documents.or(written.documents).ok_or_else(|| missing("documents"))? {
        Documents::Word(Each::Each) => At::EachDocument,
        Documents::Number(documents) => At::Point { documents, concurrency },
    };
    let workload = own.workload.as_ref().or(written.workload.as_ref());
    Ok(LanePlace {
        workload: workload.ok_or_else(|| missing("workload"))?.clone(),
        at,
        client: own.client.or(written.client).ok_or_else(|| missing("client"))?,
        lane: lane.to_owned(),
    })
}

fn of_server(
    written: &WrittenExperiment,
    own: &WrittenSide,
    server: &str,
    measure: Measure,
) -> Result<ServerPlace, String> {
    let foreign = [
        ("workload", own.workload.is_some() || written.workload.is_some()),
        ("documents", own.documents.is_some() || written.documents.is_some()),
        ("concurrency", own.concurrency.is_some() || written.concurrency.is_some()),
        ("client", own.client.is_some() || written.client.is_some()),
    ];
    if let Some((key, _)) = foreign.iter().find(|(_, is_there)| *is_there) {
        return Err(format!("`{key}` is for lanes, and {server} is a server"));
    }
    let clients = own.clients.or(written.clients);
    if measure == Measure::MemoryEach && clients.is_some() {
        return Err("`memory_each` is over all numbers of connections, without `clients`".into());
    }
    let scene = own.scene.as_ref().or(written.scene.as_ref());
    let handler = own.handler.as_ref().or(written.handler.as_ref());
    Ok(ServerPlace {
        scene: scene.ok_or_else(|| missing("scene"))?.clone(),
        handler: handler.ok_or_else(|| missing("handler"))?.clone(),
        clients,
        percent: own.percent.or(written.percent),
        server: server.to_owned(),
    })
}

fn prediction(written: &WrittenExperiment) -> Result<Prediction, String> {
    let WrittenExperiment { at_least, at_most, between, .. } = written;
    let (least, most) = match (at_least, at_most, between) {
        (Some(least), None, None) => (Some(*least), None),
        (None, Some(most), None) => (None, Some(*most)),
        (None, None, Some([least, most])) if least < most => (Some(*least), Some(*most)),
        _ => return Err("it needs one of `at_least`, `at_most`, `between = [LOW, HIGH]`".into()),
    };
    for bound in [least, most].into_iter().flatten() {
        if !(bound.is_finite() && bound > 0.0) {
            return Err(format!("{bound} is no ratio"));
        }
        // With room for what a decimal fraction is off by.
        if (bound - 1.0).abs() < TOO_NEAR - 1e-9 {
            return Err(format!(
                "{bound} is within 5 % of 1, where noise decides; say more or less"
            ));
        }
    }
    Ok(Prediction { least, most })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::fixture::LEDGER;

    #[test]
    fn an_experiment_says_once_what_its_sides_have_in_common() {
        let ledger = read("claims.toml", LEDGER).unwrap();
        let ratio = &ledger.claims[0].experiments[0].ratio;
        let Over::Side(over) = &ratio.over else { panic!() };
        let (Place::Lane(of), Place::Lane(below)) = (&ratio.of.place, &over.place) else {
            panic!("{ratio:?}")
        };
        assert_eq!((of.lane.as_str(), below.lane.as_str()), ("stackful/hub", "other/slow"));
        assert_eq!(of.at, below.at);
        assert_eq!(ratio.predicts, Prediction { least: None, most: Some(0.8) });
        assert_eq!(LEDGER.lines().nth(ratio.of.line - 1).unwrap().split(' ').next(), Some("of"));
    }

    #[test]
    fn a_server_is_asked_in_a_scene() {
        let ledger = read("c.toml", LEDGER).unwrap();
        let ratio = &ledger.claims[2].experiments[0].ratio;
        let (Place::Server(of), Over::Side(below)) = (&ratio.of.place, &ratio.over) else {
            panic!("{ratio:?}")
        };
        let Place::Server(over) = &below.place else { panic!("{ratio:?}") };
        assert_eq!((of.scene.as_str(), of.handler.as_str()), ("at-once", "waits"));
        assert_eq!((of.percent, of.server.as_str()), (None, "stackless/hyper"));
        assert_eq!((of.clients, over.clients), (Some(100), Some(1)));
    }

    #[test]
    fn a_mistake_is_told_with_its_line_and_the_fix() {
        for (from, to, line, why) in [
            ("number = 1", "numbr = 1", 3, "numbr"),
            ("number = 2", "number = 1", 33, "claim 1 does not come after the one before it"),
            ("why = \"The loop waits.\"", "why = \"It takes 2 s.\"", 7, "`why` has a figure"),
            ("as = \"written\"", "as = \"fair\"", 7, "has no experiment as = \"written\""),
            ("at_most = 0.8", "at_most = 1.02", 9, "within 5 % of 1"),
            ("at_most = 0.8", "", 9, "it needs one of `at_least`"),
            ("measure = \"wall\"", "", 17, "a side needs `measure`"),
            ("condition = \"it suspends\"", "", 9, "needs `condition`"),
            ("over = { lane = \"other/slow\" }", "over = { ms = 0 }", 18, "`ms` stands alone"),
            (
                "over = { lane = \"other/slow\" }",
                "over = { lane = \"other/slow\", measure = \"rss\" }",
                18,
                "ms over MiB is no ratio",
            ),
            (
                "over = { lane = \"other/slow\" }",
                "over = { server = \"other/slow\" }",
                18,
                "`workload` is for lanes, and other/slow is a server",
            ),
            (
                "over = { lane = \"other/slow\" }",
                "over = { lane = \"other/slow\", server = \"other/slow\" }",
                18,
                "a side needs either `lane` or `server`",
            ),
            (
                "client = \"raw\"",
                "clients = 5",
                17,
                "`clients` is for servers, and stackful/hub is",
            ),
            ("\"wall\"", "\"memory\"", 17, "memory is not measured of lanes"),
            (
                ", clients = 1 }",
                ", measure = \"user_cpu\" }",
                67,
                "user CPU is not measured of servers",
            ),
            ("scene = \"at-once\"", "", 66, "a side needs `scene`"),
            (
                ", clients = 1 }",
                ", clients = 1, measure = \"memory_each\" }",
                67,
                "without `clients`",
            ),
            (
                "over = { server = \"stackless/hyper\", clients = 1 }",
                "over = { lane = \"other/slow\", workload = \"w\", documents = 1 }",
                67,
                "`scene` is for servers, and other/slow is a lane",
            ),
        ] {
            let error = read("c.toml", &LEDGER.replacen(from, to, 1)).unwrap_err();
            assert_eq!((error.file.as_str(), error.line), ("c.toml", line), "{to}: {error}");
            assert!(error.why.contains(why), "{to}: {error}");
        }
    }
}
