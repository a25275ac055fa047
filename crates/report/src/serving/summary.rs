//! Samples as rows, and what stands in a row that has none.

use std::collections::BTreeMap;

use harness::record::{Ending, How};
use serde::Serialize;
use serving::plan::PlannedCell;
use serving::scene::{Kind, Scene};
use serving::{Cell, Recorded, Sample};

use super::figures::{
    Figures, Middle, documents_per_cpu_s, documents_per_s, figures, kib_per_connection,
};
use crate::machine::{machine_and_program, warnings};
use crate::summary::is_void;

/// What servers are held against: the one that most people know.
pub const REFERENCE: &str = "other/go-server";

/// The first words of a void that says that a server did not start: what comes after is not reached.
const NOT_STARTED: &str = "it cannot be started";

/// A knee is where the 99th percentile is so many times what it is at the lowest load.
const KNEE: f64 = 2.0;

/// A record, summed up.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// The machine and the program, in one line.
    pub machine: String,
    /// What a reader has to know before believing any number.
    pub warnings: Vec<String>,
    /// The scenes, in the order of their file.
    pub scenes: Vec<SceneSummary>,
}

/// One scene.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SceneSummary {
    /// Its name.
    pub name: String,
    /// What its numbers are to show.
    pub shows: String,
    /// Who asks.
    pub load: Kind,
    /// What servers are asked to do.
    pub handlers: Vec<Asked>,
    /// A row for each cell, by handler, point and server.
    pub rows: Vec<Row>,
    /// Where the load becomes too much, by handler and server; where a scene has a rising load.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub knees: Vec<Knee>,
    /// What slow clients cost the others, by server; where a scene has some.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub slowed: Vec<Slowed>,
}

/// A handler.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// Its name.
    pub name: String,
    /// What it does, in a few words.
    pub says: String,
}

/// One cell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// What was measured.
    #[serde(flatten)]
    pub cell: Cell,
    /// How many samples count.
    pub samples: usize,
    /// How many were taken, warm-ups left out.
    pub taken: usize,
    /// Why there are no figures, or fewer samples than were taken.
    pub lack: Option<Lack>,
    /// Whether something is wrong with the server, or with the system for it.
    pub failed: bool,
    /// What the samples add up to.
    pub figures: Option<Figures>,
    /// Against [`REFERENCE`], by round: documents for each second of CPU time, or KiB for each
    /// connection.
    pub against_reference: Option<Middle>,
}

/// Why there is less than there might be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Lack {
    /// Whether it is the machine's fault alone: others were busy, and nothing has to be put right.
    pub is_disturbed: bool,
    /// The reason, for a person.
    pub why: String,
}

/// The highest load, in percent of a server's own ceiling, at which the 99th percentile of the latency
/// is less than twice what it is at the lowest, and at every load between them as well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Knee {
    /// The handler.
    pub handler: String,
    /// The server.
    pub server: String,
    /// The load, percent.
    pub percent: u32,
    /// Whether none of the loads above it, if any, was found to be too much.
    pub is_at_least: bool,
}

/// The same clients beside slow ones, against those without, by round.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Slowed {
    /// The handler.
    pub handler: String,
    /// The server.
    pub server: String,
    /// How many are slow.
    pub slow: u64,
    /// Documents a second with them, as a part of those without.
    pub documents_part: Middle,
}

impl Summary {
    /// What went wrong, with its cell.
    pub fn failures(&self) -> Vec<String> {
        let rows = self.scenes.iter().flat_map(|scene| &scene.rows);
        let failed = rows.filter(|row| row.failed);
        let why = |row: &Row| row.lack.as_ref().map_or(String::new(), |lack| lack.why.clone());
        failed.map(|row| format!("{}: {}", row.cell, why(row))).collect()
    }
}

impl SceneSummary {
    /// The row of a cell.
    pub fn row(&self, handler: &str, point: serving::Point, server: &str) -> Option<&Row> {
        let own = |cell: &Cell| {
            (cell.handler.as_str(), cell.point, cell.server.as_str()) == (handler, point, server)
        };
        self.rows.iter().find(|row| own(&row.cell))
    }

    /// The points that there are, each once, in order.
    pub fn points(&self) -> Vec<serving::Point> {
        let mut points: Vec<_> = self.rows.iter().map(|row| row.cell.point).collect();
        points.sort_by_key(|point| (point.percent, point.clients, point.slow));
        points.dedup();
        points
    }

    /// The servers that there are, each once, in the order of the plan.
    pub fn servers(&self) -> Vec<&str> {
        let mut servers: Vec<&str> = Vec::new();
        for row in &self.rows {
            if !servers.contains(&row.cell.server.as_str()) {
                servers.push(&row.cell.server);
            }
        }
        servers
    }
}

/// Sums a record up.
pub fn summarise(recorded: &Recorded) -> Summary {
    let mut samples: BTreeMap<&Cell, Vec<&Sample>> = BTreeMap::new();
    for sample in &recorded.samples {
        samples.entry(&sample.cell).or_default().push(sample);
    }
    let context = Context { recorded, samples };
    Summary {
        machine: machine_and_program(&recorded.environment),
        warnings: warnings(&recorded.environment, recorded.ending.as_ref()),
        scenes: recorded.plan.script.scenes.iter().map(|scene| context.scene(scene)).collect(),
    }
}

struct Context<'a> {
    recorded: &'a Recorded,
    samples: BTreeMap<&'a Cell, Vec<&'a Sample>>,
}

impl Context<'_> {
    fn scene(&self, scene: &Scene) -> SceneSummary {
        let own = |planned: &&PlannedCell| planned.cell.scene == scene.name;
        let cells = self.recorded.plan.cells.iter().filter(own);
        let rows: Vec<_> = cells.map(|planned| self.row(scene, planned)).collect();
        let asked = |name: &String| Asked {
            name: name.clone(),
            says: self.recorded.plan.script.handler(name).says.clone(),
        };
        SceneSummary {
            name: scene.name.clone(),
            shows: scene.shows.clone(),
            load: scene.load,
            handlers: scene.handlers.iter().map(asked).collect(),
            knees: knees(&rows),
            slowed: self.slowed(scene, &rows),
            rows,
        }
    }

    fn row(&self, scene: &Scene, planned: &PlannedCell) -> Row {
        let cell = &planned.cell;
        let samples = self.samples.get(cell).map_or(&[][..], Vec::as_slice);
        let counted: Vec<_> = samples.iter().copied().filter(|s| !s.warmup).collect();
        let valid: Vec<_> = counted.iter().copied().filter(|s| s.void.is_none()).collect();
        // What is left of so many was selected by what has disturbed the others.
        let is_void = is_void(counted.len(), valid.len());
        let failed = samples.iter().any(|s| s.void.as_ref().is_some_and(|void| void.failed));
        Row {
            samples: valid.len(),
            taken: counted.len(),
            lack: self.lack(planned, samples, is_void),
            failed,
            figures: figures(scene, &valid).filter(|_| !is_void),
            against_reference: self.against_reference(scene, cell).filter(|_| !is_void),
            cell: cell.clone(),
        }
    }

    fn lack(&self, planned: &PlannedCell, samples: &[&Sample], is_void: bool) -> Option<Lack> {
        let lack = |why: String| Some(Lack { is_disturbed: false, why });
        if let Some(why) = &planned.not_run {
            return lack(why.clone());
        }
        let counted: Vec<_> = samples.iter().filter(|sample| !sample.warmup).collect();
        let valid = counted.iter().filter(|sample| sample.void.is_none()).count();
        let is_failed = |sample: &&&Sample| sample.void.as_ref().is_some_and(|void| void.failed);
        let failed = samples.iter().rfind(is_failed);
        let disturbed = counted.iter().rfind(|sample| sample.void.is_some()).copied();
        // A warm-up that was disturbed is no reason to doubt what came after it.
        let why = failed.or(disturbed).and_then(|sample| sample.void.as_ref());
        match why {
            None if valid == 0 => lack(self.why_not_reached(&planned.cell)),
            None => None,
            Some(void) => {
                let (voided, of) = (counted.len() - valid, counted.len());
                let too_many = if is_void { ", which is too many" } else { "" };
                let why = match valid {
                    0 => void.why.clone(),
                    _ => format!("{voided} of {of} samples do not count{too_many}: {}", void.why),
                };
                Some(Lack { is_disturbed: !void.failed, why })
            }
        }
    }

    fn why_not_reached(&self, cell: &Cell) -> String {
        let own = |sample: &&Sample| sample.cell.server == cell.server;
        let voids = self.recorded.samples.iter().filter(own).filter_map(|s| s.void.as_ref());
        if let Some(void) = voids.into_iter().find(|void| void.why.starts_with(NOT_STARTED)) {
            return void.why.clone();
        }
        let told = match &self.recorded.ending {
            Some(Ending { how: How::Interrupted, .. }) => ": the run was interrupted",
            Some(Ending { how: How::Broken(_), .. }) => ": the run broke off",
            Some(Ending { how: How::OutOfTime, .. }) => ": time was up",
            Some(Ending { how: How::Complete, .. }) => "",
            None => ": the run was killed",
        };
        format!("not reached{told}")
    }

    /// What the samples of a cell say that count, by round.
    fn by_round(&self, cell: &Cell, of: impl Fn(&Sample) -> Option<f64>) -> BTreeMap<u32, f64> {
        let samples = self.samples.get(cell).map_or(&[][..], Vec::as_slice);
        let valid = samples.iter().filter(|s| !s.warmup && s.void.is_none());
        valid.filter_map(|sample| Some((sample.round, of(sample)?))).collect()
    }

    /// The middle of the ratios of `one` to `other` in the rounds that have both.
    fn ratio(
        &self,
        one: &Cell,
        other: &Cell,
        of: impl Fn(&Sample) -> Option<f64>,
    ) -> Option<Middle> {
        let others = self.by_round(other, &of);
        let ratio = |(round, value): (u32, f64)| {
            let base = others.get(&round).filter(|base| **base > 0.0)?;
            Some(value / base)
        };
        Middle::of(&self.by_round(one, of).into_iter().filter_map(ratio).collect::<Vec<_>>())
    }

    fn against_reference(&self, scene: &Scene, cell: &Cell) -> Option<Middle> {
        let reference = Cell { server: REFERENCE.to_owned(), ..cell.clone() };
        if cell.server == REFERENCE {
            return None;
        }
        match scene.load {
            Kind::Closed => self.ratio(cell, &reference, documents_per_cpu_s),
            Kind::Idle | Kind::Waiting => {
                self.ratio(cell, &reference, |sample| kib_per_connection(scene.load, sample))
            }
            Kind::AtOnce | Kind::Open => None,
        }
    }

    fn slowed(&self, scene: &Scene, rows: &[Row]) -> Vec<Slowed> {
        let least = scene.slow.iter().copied().min().unwrap_or(0);
        let slowed = |row: &Row| {
            let cell = &row.cell;
            let point = serving::Point { slow: least, ..cell.point };
            let without = Cell { point, ..cell.clone() };
            let has_figures =
                |cell: &Cell| rows.iter().any(|row| row.cell == *cell && row.figures.is_some());
            if cell.point.slow == least || !has_figures(cell) || !has_figures(&without) {
                return None;
            }
            Some(Slowed {
                handler: cell.handler.clone(),
                server: cell.server.clone(),
                slow: cell.point.slow,
                documents_part: self.ratio(cell, &without, |s| documents_per_s(scene, s))?,
            })
        };
        if scene.load == Kind::Closed { rows.iter().filter_map(slowed).collect() } else { vec![] }
    }
}

/// A part of a ceiling, percent, and the 99th percentile at it, if that is known.
type Load = (u32, Option<f64>);

/// Of every handler and server, where there are latencies at the lowest load.
fn knees(rows: &[Row]) -> Vec<Knee> {
    let mut loads: BTreeMap<(&str, &str), Vec<Load>> = BTreeMap::new();
    for row in rows.iter().filter(|row| !row.cell.point.is_ceiling()) {
        let Some(percent) = row.cell.point.percent else { continue };
        let open = row.figures.as_ref().and_then(Figures::open);
        let p99 = open.and_then(|open| open.latency_ms_p99).map(|middle| middle.median);
        let own = loads.entry((&row.cell.handler, &row.cell.server)).or_default();
        own.push((percent, p99));
    }
    let knee = |((handler, server), mut loads): ((&str, &str), Vec<Load>)| {
        loads.sort_by_key(|(percent, _)| *percent);
        let (percent, is_at_least) = knee(&loads)?;
        Some(Knee { handler: handler.to_owned(), server: server.to_owned(), percent, is_at_least })
    };
    loads.into_iter().filter_map(knee).collect()
}

/// Of loads that rise.
fn knee(loads: &[Load]) -> Option<(u32, bool)> {
    let (lowest, least) = loads.first().copied()?;
    let least = least?;
    let is_below = |p99: Option<f64>| p99.map(|p99| p99 < KNEE * least);
    let above = loads.iter().position(|(_, p99)| is_below(*p99) != Some(true));
    match above {
        // Nothing is less than twice of 0.
        Some(0) => Some((lowest, false)),
        Some(index) => Some((loads[index - 1].0, is_below(loads[index].1).is_none())),
        None => Some((loads[loads.len() - 1].0, true)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serving::fixture::{self, GO, HUB, NGINX, POOL};

    fn row<'a>(summary: &'a Summary, scene: &str, server: &str, clients: u64) -> &'a Row {
        let scene = summary.scenes.iter().find(|it| it.name == scene).unwrap();
        let own = |row: &&Row| row.cell.server == server && row.cell.point.clients == clients;
        scene.rows.iter().find(own).unwrap()
    }

    #[test]
    fn medians_are_over_the_rounds_that_count() {
        let summary = summarise(&fixture::recorded());
        let row = row(&summary, "servers-at-once", HUB, 5);
        let figures = row.figures.as_ref().and_then(Figures::at_once).unwrap();
        // Rounds of 102, 100, 104 and 101 ms; the warm-up's 900 and a void's 700 are not in it.
        assert_eq!((row.samples, row.taken), (4, 5));
        assert!((figures.wall_ms.median - 101.5).abs() < 1e-9, "{figures:?}");
        let lack = row.lack.as_ref().unwrap();
        assert!(lack.is_disturbed && lack.why.starts_with("1 of 5 samples do not count: "));
        assert!(!row.failed);
    }

    #[test]
    fn a_cell_with_too_many_voids_has_no_figures() {
        let mut recorded = fixture::recorded();
        let own = |sample: &&mut Sample| {
            sample.cell.server == HUB && sample.cell.point.clients == 5 && !sample.warmup
        };
        recorded.samples.iter_mut().filter(own).take(2).for_each(fixture::disturb);
        let summary = summarise(&recorded);
        let row = row(&summary, "servers-at-once", HUB, 5);
        assert!(row.figures.is_none() && row.samples < row.taken, "{row:?}");
        assert!(row.lack.as_ref().unwrap().why.contains("which is too many"), "{row:?}");
    }

    #[test]
    fn who_does_not_run_says_why() {
        let summary = summarise(&fixture::recorded());
        let row = row(&summary, "servers-at-once", NGINX, 5);
        let why = &row.lack.as_ref().unwrap().why;
        assert_eq!(why, "it serves files, and can neither wait nor burn");
        assert!(summary.failures().is_empty(), "{:?}", summary.failures());
    }

    #[test]
    fn who_did_not_start_says_so_in_every_cell() {
        let mut recorded = fixture::recorded();
        recorded.samples.retain(|sample| sample.cell.server != POOL);
        let cells = &recorded.plan.cells;
        let first = cells.iter().find(|planned| planned.cell.server == POOL).unwrap();
        recorded.samples.push(fixture::failed(&first.cell, "it cannot be started: no port"));
        let summary = summarise(&recorded);
        let rows = summary.scenes.iter().flat_map(|scene| &scene.rows);
        let lacks = rows.filter(|row| row.cell.server == POOL).filter_map(|row| row.lack.as_ref());
        let known = ["it cannot be started: no port", "it serves 4 at once", "250 turns"];
        let is_known = |lack: &Lack| known.iter().any(|known| lack.why.starts_with(known));
        assert!(lacks.clone().all(is_known), "{:?}", lacks.collect::<Vec<_>>());
        assert_eq!(summary.failures().len(), 1, "{:?}", summary.failures());
    }

    #[test]
    fn the_reference_is_held_against_by_round() {
        let summary = summarise(&fixture::recorded());
        let ratio =
            |scene, server, clients| row(&summary, scene, server, clients).against_reference;
        // The hub is half as fast in every round, though rounds differ more than that.
        let hub = ratio("servers-keep-alive", HUB, 64).unwrap();
        assert!((hub.median - 0.5).abs() < 1e-9 && hub.deviation.unwrap() < 1e-9, "{hub:?}");
        assert_eq!(ratio("servers-keep-alive", GO, 64), None);
        let idle = ratio("servers-idle", HUB, 300).unwrap();
        assert!((idle.median - 0.25).abs() < 1e-9, "{idle:?}");
    }

    #[test]
    fn a_knee_is_the_last_load_that_is_not_too_much() {
        let loads = |p99: [f64; 4]| -> Vec<Load> {
            [10, 50, 75, 90].into_iter().zip(p99.map(Some)).collect()
        };
        assert_eq!(knee(&loads([2.0, 3.0, 3.9, 4.0])), Some((75, false)));
        assert_eq!(knee(&loads([2.0, 3.0, 3.9, 3.9])), Some((90, true)));
        // What comes back below is beyond it all the same.
        assert_eq!(knee(&loads([2.0, 5.0, 3.0, 3.0])), Some((10, false)));
        assert_eq!(knee(&loads([0.0, 0.0, 0.0, 0.0])), Some((10, false)));
        assert_eq!(knee(&[(10, Some(1.0)), (50, None), (75, Some(1.0))]), Some((10, true)));
        assert_eq!(knee(&[(10, None), (50, Some(1.0))]), None);
        assert_eq!(knee(&[]), None);
    }

    #[test]
    fn a_ceiling_is_no_load() {
        let summary = summarise(&fixture::recorded());
        let scene = summary.scenes.iter().find(|it| it.name == "servers-rising-load").unwrap();
        let knee = scene.knees.iter().find(|knee| knee.server == HUB).unwrap();
        assert_eq!((knee.percent, knee.is_at_least), (75, false));
        let ceilings = scene.rows.iter().filter(|row| row.cell.point.is_ceiling());
        assert!(ceilings.filter_map(|row| row.figures.as_ref()).all(|it| it.closed().is_some()));
    }

    #[test]
    fn slow_clients_cost_a_part_by_round() {
        let summary = summarise(&fixture::recorded());
        let scene = summary.scenes.iter().find(|it| it.name == "servers-slow-clients").unwrap();
        let pool = scene.slowed.iter().find(|slowed| slowed.server == POOL).unwrap();
        assert_eq!((pool.slow, pool.documents_part.median), (10, 0.1));
    }

    #[test]
    fn it_is_json_with_flat_cells() {
        let json = serde_json::to_value(summarise(&fixture::recorded())).unwrap();
        let row = &json["scenes"][0]["rows"][0];
        assert_eq!(
            (row["scene"].as_str(), row["clients"].as_u64()),
            (Some("servers-at-once"), Some(1))
        );
        assert_eq!(row["figures"]["load"], "at-once");
    }
}
