//! Claims as text, the same for every form.

use harness::number::grouped;

use super::JudgedClaim;
use super::finding::{Estimate, Finding, Outcome};
use super::ledger::{At, LanePlace, Over, Place, Prediction, Ratio, ServerPlace, Side, Version};
use super::verdict::{Verdict, Word};
use crate::cells::three_digits;

/// What the tables leave out.
pub const CAPTION: &str = "Each experiment is a ratio: the median of the ratios by round, and where the \
    true one lies (95 %, between two of the ratios themselves). It holds where all of that interval is \
    as predicted, fails where none of it is, and cannot tell where it lies across. ONLY IF: true under \
    the conditions of the experiments that hold, and not under those of others. Open: what has no \
    answer in this record could change the word. Predictions stand in benches/claims.toml, and were \
    there before the record. A record is of lanes or of servers: `compare claims RECORD RECORD…` takes \
    both.";

/// Of the table of verdicts.
pub const HEADS: [&str; 4] = ["#", "the articles say", "verdict", "measured"];

/// Of one claim's experiments.
pub const EXPERIMENT_HEADS: [&str; 4] = ["experiment", "predicted", "measured", "finding"];

/// Which sides a ratio has: what they have in common stands once.
pub(super) fn ratio(ratio: &Ratio) -> String {
    let own = parts(&ratio.of);
    let other = match &ratio.over {
        Over::Side(side) => parts(side),
        Over::Milliseconds(_) => own.clone(),
    };
    let name_of = |side: &Side, parts: &[String; 4]| {
        let differs = (0..4).filter(|part| own[*part] != other[*part]);
        let differs: Vec<_> = differs.map(|part| parts[part].as_str()).collect();
        match differs.is_empty() {
            true => side.place.id().to_owned(),
            false => format!("{} ({})", side.place.id(), differs.join(", ")),
        }
    };
    let below = match &ratio.over {
        Over::Side(side) => name_of(side, &other),
        Over::Milliseconds(ms) => format!("{ms} ms"),
    };
    let sides = format!("{} ÷ {below}", name_of(&ratio.of, &own));
    let is_common = |part: usize| own[part] == other[part] && !own[part].is_empty();
    let common = |part: usize| is_common(part).then(|| own[part].clone());
    let all = [common(0), Some(sides), common(1), common(2), common(3)];
    all.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// What differs or not: of a lane measure, workload, point and client; of a server measure, scene,
/// handler and point.
fn parts(side: &Side) -> [String; 4] {
    let measure = side.measure.name();
    match &side.place {
        Place::Lane(LanePlace { workload, at, client, .. }) => {
            let (measure, at) = match *at {
                At::EachDocument => (format!("{measure} a document"), "over all N".to_owned()),
                At::Point { documents, concurrency } => {
                    let c = concurrency.map_or(String::new(), |c| format!(" C={}", grouped(c)));
                    (measure.to_owned(), format!("N={}{c}", grouped(documents)))
                }
            };
            [measure, workload.clone(), at, client.to_string()]
        }
        Place::Server(ServerPlace { scene, handler, clients, percent, .. }) => {
            let clients = clients.map(|clients| match clients {
                1 => "1 client".to_owned(),
                _ => format!("{} clients", grouped(clients)),
            });
            let percent = percent.map(|percent| format!("at {percent} %"));
            let at: Vec<_> = clients.into_iter().chain(percent).collect();
            [measure.to_owned(), scene.clone(), handler.clone(), at.join(" ")]
        }
    }
}

/// `at least 3`.
pub(super) fn prediction(prediction: &Prediction) -> String {
    match (prediction.least, prediction.most) {
        (Some(least), Some(most)) => format!("{least} to {most}"),
        (Some(least), None) => format!("at least {least}"),
        (None, Some(most)) => format!("at most {most}"),
        (None, None) => String::new(),
    }
}

/// `0.61 (0.60–0.62)`.
pub fn estimate(estimate: &Estimate) -> String {
    let Estimate { ratio, interval, .. } = estimate;
    let [ratio, low, high] = [*ratio, interval.low, interval.high].map(figure);
    format!("{ratio} ({low}–{high})")
}

/// Of a ratio far below 1, two decimals would be one digit or none.
fn figure(value: f64) -> String {
    if value < 0.0995 { format!("{value:.3}") } else { three_digits(value) }
}

/// What came out, in one line.
pub fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Holds(_) => "holds".to_owned(),
        Outcome::Fails(_) => "fails".to_owned(),
        Outcome::Undecided(_) => "cannot tell: the interval lies across".to_owned(),
        Outcome::TooFew { why } => format!("cannot tell: {why}"),
        Outcome::Missing { why } => format!("no samples: {why}"),
        Outcome::Failed { why } => format!("failed: {why}"),
    }
}

/// Whose version it is.
pub fn version(version: Version) -> &'static str {
    match version {
        Version::Written => "as written",
        Version::Fair => "fair",
    }
}

/// The cells of [`EXPERIMENT_HEADS`].
pub fn experiment(finding: &Finding) -> [String; 4] {
    let Finding { what, measured, .. } = finding;
    let what = format!("{}: {what} [{measured}]", version(finding.version));
    let found = match finding.outcome.estimate() {
        Some(it) => format!("{}, {} rounds", outcome(&finding.outcome), it.rounds),
        None => outcome(&finding.outcome),
    };
    let measured = finding.outcome.estimate().map(estimate).unwrap_or_default();
    let notes: String = finding.notes.iter().map(|note| format!("; {note}")).collect();
    [what, finding.predicted.clone(), measured, found + &notes]
}

/// What a claim's verdict rests on: as written, then what is fair, each with its own word and below
/// it a line for each experiment.
pub fn evidence(claim: &JudgedClaim) -> Vec<(String, Vec<String>)> {
    let of = |of: Version| {
        let findings = claim.findings.iter().filter(move |finding| finding.version == of);
        let findings: Vec<_> = findings.cloned().collect();
        let word = Verdict::of(&findings).word.text();
        (!findings.is_empty()).then(|| (format!("{}: {word}", version(of)), lines(&findings)))
    };
    [Version::Written, Version::Fair].into_iter().filter_map(of).collect()
}

/// Each experiment by its condition: those that hold first, as a verdict names them.
fn lines(findings: &[Finding]) -> Vec<String> {
    let (mut holding, mut others, mut without): (Vec<String>, Vec<_>, Vec<_>) = Default::default();
    for finding in findings {
        let (condition, found) = (&finding.condition, &finding.outcome);
        match found {
            Outcome::Holds(it) => holding.push(format!("{condition}: {}", estimate(it))),
            Outcome::Fails(it) => others.push(format!("not if {condition}: {}", estimate(it))),
            Outcome::Undecided(it) => {
                others.push(format!("cannot tell if {condition}: {}", estimate(it)));
            }
            // Several experiments may lack the same.
            _ => without.push(outcome(found)),
        }
    }
    without.dedup();
    holding.into_iter().chain(others).chain(without).collect()
}

/// How many verdicts there are of each kind.
pub fn counts(claims: &[JudgedClaim]) -> String {
    let words = [Word::Holds, Word::OnlyIf, Word::Fails, Word::Open];
    let counted = words.into_iter().filter_map(|word| {
        let count = claims.iter().filter(|claim| claim.verdict.word == word).count();
        (count > 0).then(|| format!("{count} {}", word.text()))
    });
    format!("{} claims: {}.", claims.len(), counted.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use job::Client;

    use super::*;
    use crate::claims::fixture::{LEDGER, compared};
    use crate::claims::ledger::Measure;
    use crate::claims::{Evidence, Ledger, judge};
    use crate::summarise;

    #[test]
    fn a_ratio_says_once_what_its_sides_have_in_common() {
        let ledger = Ledger::read("c.toml", LEDGER).unwrap();
        let mut asked = ledger.claims[0].experiments[0].ratio.clone();
        assert_eq!(ratio(&asked), "wall, stackful/hub ÷ other/slow, all-at-once, N=100, raw");
        let Place::Lane(place) = &mut asked.of.place else { panic!() };
        place.client = Client::Library;
        place.at = At::Point { documents: 1_600, concurrency: Some(8) };
        assert_eq!(
            ratio(&asked),
            "wall, stackful/hub (N=1,600 C=8, library) ÷ other/slow (N=100, raw), all-at-once"
        );
        let Place::Lane(place) = &mut asked.of.place else { panic!() };
        place.at = At::EachDocument;
        asked.of.measure = Measure::Cpu;
        asked.over = Over::Milliseconds(300.0);
        assert_eq!(
            ratio(&asked),
            "CPU a document, stackful/hub ÷ 300 ms, all-at-once, over all N, library"
        );
    }

    #[test]
    fn a_ratio_of_servers_says_who_asks() {
        let side = |clients, measure| {
            let (scene, handler) = ("at-once".to_owned(), "waits".to_owned());
            let server = "blocking/pool".to_owned();
            let place = ServerPlace { scene, handler, clients, percent: None, server };
            Side { measure, place: Place::Server(place), line: 1 }
        };
        let text = |of, over| {
            let predicts = Prediction { least: None, most: Some(1.5) };
            ratio(&Ratio { of, over: Over::Side(over), predicts })
        };
        assert_eq!(
            text(side(Some(1_000), Measure::Wall), side(Some(1), Measure::Wall)),
            "wall, blocking/pool (1,000 clients) ÷ blocking/pool (1 client), at-once, waits"
        );
        assert_eq!(
            text(side(Some(100), Measure::Cpu), side(Some(100), Measure::Wall)),
            "blocking/pool (CPU) ÷ blocking/pool (wall), at-once, waits, 100 clients"
        );
        assert_eq!(
            text(side(None, Measure::MemoryEach), side(None, Measure::MemoryEach)),
            "memory a connection, blocking/pool ÷ blocking/pool, at-once, waits"
        );
    }

    #[test]
    fn what_was_written_stands_before_what_is_fair() {
        let recorded = compared();
        let ledger = Ledger::read("c.toml", LEDGER).unwrap();
        let judged = judge(&ledger, &Evidence::of(&recorded, &summarise(&recorded)));
        let evidence = |index: usize| evidence(&judged.claims[index]);
        let [(written, lines), (fair, others)] = &evidence(0)[..] else { panic!() };
        assert_eq!((written.as_str(), fair.as_str()), ("as written: HOLDS", "fair: FAILS"));
        assert!(lines[0].starts_with("it suspends: 0.67 (0.66"), "{lines:?}");
        assert!(others[0].starts_with("not if it is async: 1.00 (0.99"), "{others:?}");
        let none = "no samples: it takes a record of servers".to_owned();
        assert_eq!(evidence(2), [("as written: open".to_owned(), vec![none])]);
        assert_eq!(counts(&judged.claims), "3 claims: 1 HOLDS, 1 ONLY IF, 1 open.");
        let cells = experiment(&judged.claims[0].findings[0]);
        assert_eq!(cells[1], "at most 0.8");
        assert_eq!(cells[3], "holds, 12 rounds");
    }
}
