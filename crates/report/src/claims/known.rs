//! Whether the cells that a ledger names can exist: a typo is an error, and no lane or server that was
//! skipped.

use std::collections::{BTreeMap, BTreeSet};

use harness::Plan;
use harness::workload::{Point, Profile, Workload};
use job::Client;

use super::ledger::{At, LanePlace, Ledger, LedgerError, Measure, Place, ServerPlace, Side};

/// Fewer points than that make no line whose slope could be bounded.
const POINTS_LEAST: usize = 3;

/// Two names this much alike may be one and a typo of it; 1 is the same.
const ALIKE: f64 = 0.8;

/// All lanes and all points of all workloads that there are, and all servers and scenes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    lanes: BTreeMap<String, Vec<Client>>,
    workloads: BTreeMap<String, Vec<Point>>,
    /// Which lanes they are for, where that is known.
    written: BTreeMap<String, Workload>,
    servers: BTreeSet<String>,
    scenes: BTreeMap<String, KnownScene>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct KnownScene {
    /// Whether it holds connections.
    holds: bool,
    handlers: BTreeMap<String, BTreeSet<serving::Point>>,
}

impl Known {
    /// Adds a lane with the clients that it has.
    pub fn add_lane(&mut self, id: &str, clients: &[Client]) {
        self.lanes.entry(id.to_owned()).or_default().extend(clients);
    }

    /// Adds all points that a workload has in any profile.
    pub fn add_workload(&mut self, workload: &Workload) {
        for profile in [Profile::Standard, Profile::Quick, Profile::Full] {
            let in_profile = workload.clone().in_profile(profile, true);
            let points = in_profile.map(|workload| workload.points(profile)).unwrap_or_default();
            self.add_points(&workload.name, points);
        }
        self.written.insert(workload.name.clone(), workload.clone());
    }

    /// Adds what a record was to measure, which may be of a file that is not ours.
    pub fn add_plan(&mut self, plan: &Plan) {
        for planned in &plan.cells {
            self.add_lane(&planned.cell.lane, &[planned.cell.client]);
            self.add_points(&planned.cell.workload, vec![planned.cell.point]);
        }
    }

    /// Adds what servers are to be measured with, and these servers.
    pub fn add_serving(&mut self, plan: &serving::Plan) {
        self.servers.extend(plan.servers.iter().map(|server| server.id.clone()));
        for planned in &plan.cells {
            let serving::Cell { scene, handler, point, .. } = &planned.cell;
            let known = self.scenes.entry(scene.clone()).or_default();
            known.holds = plan.script.scene(scene).load.holds();
            // How many are slow is nothing that a ledger says.
            let points = known.handlers.entry(handler.clone()).or_default();
            points.extend((point.slow == 0).then_some(*point));
        }
    }

    fn add_points(&mut self, workload: &str, points: Vec<Point>) {
        let known = self.workloads.entry(workload.to_owned()).or_default();
        for point in points {
            if !known.contains(&point) {
                known.push(point);
            }
        }
    }

    fn contradicts(&self, side: &Side) -> Option<String> {
        match &side.place {
            Place::Lane(place) => self.contradicts_lane(place),
            Place::Server(place) => self.contradicts_server(side.measure, place),
        }
    }

    fn contradicts_server(&self, measure: Measure, place: &ServerPlace) -> Option<String> {
        let ServerPlace { scene, handler, clients, percent, server } = place;
        let Some(known) = self.scenes.get(scene) else {
            return Some(unknown("scene is named", scene, self.scenes.keys()));
        };
        if !self.servers.contains(server) {
            return Some(unknown("server has the id", server, self.servers.iter()));
        }
        let Some(points) = known.handlers.get(handler) else {
            let what = format!("handler of {scene} is named");
            return Some(unknown(&what, handler, known.handlers.keys()));
        };
        if measure == Measure::MemoryEach {
            let why = || format!("{scene} holds no connections, so none is one more");
            return (!known.holds).then(why);
        }
        let is_it = |point: &&serving::Point| {
            clients.is_none_or(|clients| point.clients == clients)
                && percent.is_none_or(|percent| point.percent == Some(percent))
        };
        let at = || {
            let clients = clients.map(|clients| format!(" clients = {clients}"));
            let percent = percent.map(|percent| format!(" percent = {percent}"));
            clients.into_iter().chain(percent).collect::<Vec<_>>().join(",")
        };
        match points.iter().filter(is_it).count() {
            1 => None,
            0 => Some(format!("{scene} has no point{}", at())),
            _ => Some(format!("{scene} has several points{}; say which", at())),
        }
    }

    fn contradicts_lane(&self, place: &LanePlace) -> Option<String> {
        let Some(points) = self.workloads.get(&place.workload) else {
            return Some(unknown("workload is named", &place.workload, self.workloads.keys()));
        };
        let Some(clients) = self.lanes.get(&place.lane) else {
            return Some(unknown("lane has the id", &place.lane, self.lanes.keys()));
        };
        if !clients.contains(&place.client) {
            return Some(format!("{} has no client `{}`", place.lane, place.client));
        }
        if self.written.get(&place.workload).is_some_and(|written| !written.is_for(&place.lane)) {
            return Some(format!("{} is not for {}: see its `lanes`", place.workload, place.lane));
        }
        let At::Point { documents, concurrency } = place.at else {
            let mut all: Vec<_> = points.iter().map(|point| point.documents).collect();
            all.sort_unstable();
            all.dedup();
            let enough = all.len() >= POINTS_LEAST;
            return (!enough).then(|| format!("{} has too few N for a slope", place.workload));
        };
        let is_it = |point: &&Point| {
            point.documents == documents
                && concurrency.is_none_or(|concurrency| point.concurrency == concurrency)
        };
        match points.iter().filter(is_it).count() {
            1 => None,
            0 => Some(format!(
                "{} has no point N = {documents}{}",
                place.workload,
                with(concurrency)
            )),
            _ => Some(format!("{} has several C at N = {documents}; say which", place.workload)),
        }
    }
}

fn with(concurrency: Option<u64>) -> String {
    concurrency.map_or(String::new(), |concurrency| format!(", C = {concurrency}"))
}

/// With the name that was meant, where one is like it, and with all of them where none is.
fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a String>) -> String {
    let known: Vec<_> = known.map(String::as_str).collect();
    let alike = known.iter().map(|other| (strsim::jaro_winkler(name, other), *other));
    match alike.max_by(|one, other| one.0.total_cmp(&other.0)) {
        Some((part, other)) if part > ALIKE => format!("no {what} `{name}`; is it `{other}`?"),
        _ => format!("no {what} `{name}`; there are: {}", known.join(", ")),
    }
}

impl Ledger {
    /// Whether every cell that it names can exist.
    ///
    /// # Errors
    ///
    /// The first that cannot, with its line.
    pub fn check(&self, known: &Known) -> Result<(), LedgerError> {
        let wrong = self.sides().find_map(|side| Some((side.line, known.contradicts(side)?)));
        match wrong {
            Some((line, why)) => Err(LedgerError { file: self.file.clone(), line, why }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::fixture::{LEDGER, compared, growing, served};

    fn known() -> Known {
        let mut known = Known::default();
        known.add_plan(&compared().plan);
        known.add_serving(&served().plan);
        known
    }

    fn error(from: &str, to: &str) -> String {
        let ledger = Ledger::read("c.toml", &LEDGER.replacen(from, to, 1)).unwrap();
        ledger.check(&known()).unwrap_err().to_string()
    }

    #[test]
    fn what_exists_is_fine() {
        assert_eq!(Ledger::read("c.toml", LEDGER).unwrap().check(&known()), Ok(()));
    }

    #[test]
    fn a_typo_is_told_with_its_line_and_what_was_meant() {
        assert_eq!(
            error("other/slow", "other/slwo"),
            "c.toml:18: no lane has the id `other/slwo`; is it `other/slow`?"
        );
        assert_eq!(
            error("\"all-at-once\"", "\"all-at-one\""),
            "c.toml:17: no workload is named `all-at-one`; is it `all-at-once`?"
        );
        assert_eq!(
            error("\"all-at-once\"", "\"xyz\""),
            "c.toml:17: no workload is named `xyz`; there are: all-at-once"
        );
        assert_eq!(
            error("\"raw\"", "\"library\""),
            "c.toml:17: stackful/hub has no client `library`"
        );
        assert_eq!(error("= 100", "= 99"), "c.toml:17: all-at-once has no point N = 99");
        assert_eq!(
            error("= 100", "= \"each\""),
            "c.toml:17: all-at-once has too few N for a slope"
        );
    }

    #[test]
    fn what_servers_can_do_is_known_too() {
        let (hundred, one) = (", clients = 100 }", ", clients = 1 }");
        for (from, to, line, why) in [
            ("\"at-once\"", "\"at-onec\"", 66, "no scene is named `at-onec`; is it `at-once`?"),
            ("\"waits\"", "\"wait\"", 66, "no handler of at-once is named `wait`; is it `waits`?"),
            (
                "\"stackless/hyper\"",
                "\"stackless/hypre\"",
                66,
                "no server has the id `stackless/hypre`; is it `stackless/hyper`?",
            ),
            (hundred, ", clients = 6 }", 66, "at-once has no point clients = 6"),
            (hundred, ", percent = 50 }", 66, "at-once has no point percent = 50"),
            (one, " }", 67, "at-once has several points; say which"),
        ] {
            let text = LEDGER.replacen(from, to, 1);
            assert_ne!(text, LEDGER, "{from}");
            assert_eq!(error(from, to), format!("c.toml:{line}: {why}"), "{to}");
        }
    }

    #[test]
    fn one_more_connection_needs_a_scene_that_holds_them() {
        let (start, asked) = LEDGER.split_once("condition = \"its clients").unwrap();
        let each = asked.replace("\"wall\"", "\"memory_each\"");
        let each = each.replace(", clients = 100", "").replace(", clients = 1", "");
        let text = format!("{start}condition = \"its clients{each}");
        let checked = |text: &str| Ledger::read("c.toml", text).unwrap().check(&known());
        let none = "at-once holds no connections, so none is one more";
        assert_eq!(checked(&text).unwrap_err().why, none);
        assert_eq!(checked(&text.replace("\"at-once\"", "\"waiting\"")), Ok(()));
    }

    #[test]
    fn a_slope_needs_several_points_and_a_point_must_be_one() {
        let each = LEDGER.replace("documents = 100", "documents = \"each\"");
        let mut known = known();
        known.add_plan(&growing().plan);
        assert_eq!(Ledger::read("c.toml", &each).unwrap().check(&known), Ok(()));
        let mut twice = growing().plan;
        twice.cells.iter_mut().for_each(|planned| planned.cell.point.concurrency = 7);
        known.add_plan(&twice);
        let error = Ledger::read("c.toml", LEDGER).unwrap().check(&known).unwrap_err();
        assert_eq!(error.why, "all-at-once has several C at N = 100; say which");
    }
}
