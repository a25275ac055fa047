//! Scenes × handlers × points × servers as cells, and their order. No I/O.

use std::fmt;

use harness::Placement;
use harness::number::grouped;
use rand::seq::SliceRandom;
use rand_pcg::Pcg32;
use serde::{Deserialize, Serialize};

use crate::scene::{Handler, Kind, Scene, Script};
use crate::server::Server;

/// The version of `serving.json`.
pub const PLAN_SCHEMA: u32 = 1;

/// Everything that is to be measured, and why the rest is not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// [`PLAN_SCHEMA`] of the writer.
    pub schema: u32,
    /// How often each cell runs, time permitting.
    pub rounds: u32,
    /// The order's seed, and that of arrivals.
    pub seed: u64,
    /// The part of the CPU time that others may take while a sample counts, from 0 to 1.
    pub load_limit: f64,
    /// Where servers and clients run.
    #[serde(default)]
    pub placement: Placement,
    /// Handlers and scenes.
    pub script: Script,
    /// The servers in the order of registration.
    pub servers: Vec<PlannedServer>,
    /// The cells, by scene, handler, point and server in these orders.
    pub cells: Vec<PlannedCell>,
}

/// What a record keeps of a server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedServer {
    /// Its id.
    pub id: String,
    /// How it waits.
    pub waits: String,
    /// What it stands for.
    pub mirrors: String,
    /// The most requests that it serves at once, where there is such a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_once: Option<u64>,
}

/// One cell, or the reason why it is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedCell {
    /// What it measures.
    #[serde(flatten)]
    pub cell: Cell,
    /// Why it does not run.
    pub not_run: Option<String>,
}

/// What one sample measures.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cell {
    /// The scene's name.
    pub scene: String,
    /// The handler's name.
    pub handler: String,
    /// Clients, and what they do.
    #[serde(flatten)]
    pub point: Point,
    /// The server's id.
    pub server: String,
}

/// Where in a scene a cell lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Point {
    /// How many clients ask, or the most connections there are.
    pub clients: u64,
    /// The rate as a part of the server's ceiling, percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u32>,
    /// Slow clients beside them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub slow: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What a plan is made from.
#[derive(Debug, Clone, Copy)]
pub struct Wishes<'a> {
    /// Handlers and scenes.
    pub script: &'a Script,
    /// The servers.
    pub servers: &'a [Server],
    /// How often each cell runs, time permitting.
    pub rounds: u32,
    /// The order's seed, and that of arrivals.
    pub seed: u64,
    /// The part of the CPU time that others may take while a sample counts, from 0 to 1.
    pub load_limit: f64,
    /// Where servers and clients run.
    pub placement: Placement,
}

/// All clients at once take this long at most, by what the handlers alone take: what waits for longer
/// costs others their rounds, and shows nothing but the wait.
const PATIENCE_US: u64 = 3_000_000;

impl fmt::Display for Cell {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cell { scene, handler, point, server } = self;
        let clients = grouped(point.clients);
        let percent = point.percent.map_or(String::new(), |percent| format!(" at {percent} %"));
        let slow = if point.slow > 0 { format!(" and {} slow", point.slow) } else { String::new() };
        write!(formatter, "{scene}, {handler}, {clients} clients{percent}{slow}, {server}")
    }
}

impl Point {
    /// Whether it is a ceiling.
    pub fn is_ceiling(&self) -> bool {
        self.percent == Some(100)
    }
}

impl Plan {
    /// Plans what `wishes` ask for.
    pub fn new(wishes: &Wishes<'_>) -> Self {
        let mut cells = Vec::new();
        for scene in &wishes.script.scenes {
            for handler in &scene.handlers {
                for point in points(scene) {
                    let cell = |server: &Server| Cell {
                        scene: scene.name.clone(),
                        handler: handler.clone(),
                        point,
                        server: server.id.clone(),
                    };
                    cells.extend(wishes.servers.iter().map(|server| PlannedCell {
                        not_run: not_run(scene, wishes, point, handler, server),
                        cell: cell(server),
                    }));
                }
            }
        }
        let planned = |server: &Server| PlannedServer {
            id: server.id.clone(),
            waits: server.waits.clone(),
            mirrors: server.mirrors.clone(),
            at_once: server.at_once,
        };
        Plan {
            schema: PLAN_SCHEMA,
            rounds: wishes.rounds,
            seed: wishes.seed,
            load_limit: wishes.load_limit,
            placement: wishes.placement,
            script: wishes.script.clone(),
            servers: wishes.servers.iter().map(planned).collect(),
            cells,
        }
    }

    /// The indexes of the cells that run.
    pub fn running(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.cells.len()).filter(|index| self.cells[*index].not_run.is_none())
    }

    /// The cells of one round in the order in which they run: blocks of all servers at one point, both
    /// shuffled, so that what is compared is measured close together.
    pub fn round(&self, round: u32) -> Vec<Vec<usize>> {
        let mut random = Pcg32::new(self.seed, u64::from(round));
        let mut blocks: Vec<Vec<usize>> = Vec::new();
        for index in self.running() {
            match blocks.last_mut() {
                Some(block) if self.same_block(block[0], index) => block.push(index),
                _ => blocks.push(vec![index]),
            }
        }
        blocks.shuffle(&mut random);
        blocks.iter_mut().for_each(|block| block.shuffle(&mut random));
        blocks
    }

    /// Each server's ceilings, which its rates are parts of, and else its first cell.
    pub fn warm_up(&self) -> Vec<usize> {
        let mut all = Vec::new();
        for server in &self.servers {
            let own = self.running().filter(|index| self.cells[*index].cell.server == server.id);
            let own: Vec<_> = own.collect();
            let is_ceiling = |index: &usize| self.cells[*index].cell.point.is_ceiling();
            match own.iter().copied().filter(is_ceiling).collect::<Vec<_>>() {
                none if none.is_empty() => all.extend(own.first()),
                ceilings => all.extend(ceilings),
            }
        }
        all
    }

    fn same_block(&self, a: usize, b: usize) -> bool {
        let (a, b) = (&self.cells[a].cell, &self.cells[b].cell);
        (&a.scene, &a.handler, a.point) == (&b.scene, &b.handler, b.point)
    }
}

/// Every number of clients at every rate, with every number of slow ones. Where connections are held,
/// one point has them all.
fn points(scene: &Scene) -> Vec<Point> {
    let percents: Vec<_> = match scene.percent.as_slice() {
        [] => vec![None],
        percents => percents.iter().copied().map(Some).collect(),
    };
    let clients = match scene.load.holds() {
        true => scene.clients.iter().copied().max().into_iter().collect(),
        false => scene.clients.clone(),
    };
    let mut points = Vec::new();
    for percent in percents {
        for &clients in &clients {
            points.extend(scene.slow.iter().map(|&slow| Point { clients, percent, slow }));
        }
    }
    points
}

fn not_run(
    scene: &Scene,
    wishes: &Wishes<'_>,
    point: Point,
    handler: &str,
    server: &Server,
) -> Option<String> {
    let handler = wishes.script.handler(handler);
    let blocks = |name: &String| wishes.script.handler(name).does_something();
    if let Some(why) = &server.missing {
        return Some(why.clone());
    }
    if server.is_static && (handler.does_something() || scene.blocker.as_ref().is_some_and(blocks))
    {
        return Some("it serves files, and can neither wait nor burn".into());
    }
    if let Some(at_once) = server.at_once.filter(|at_once| *at_once < scene.at_once_least) {
        return Some(format!("it serves {} at once, so no more than that wait", grouped(at_once)));
    }
    (scene.load == Kind::AtOnce).then(|| too_slow(point, handler, server)).flatten()
}

/// Many a server burns on one processor, whatever there are.
fn too_slow(point: Point, handler: &Handler, server: &Server) -> Option<String> {
    let turns = point.clients.div_ceil(server.at_once.unwrap_or(u64::MAX).max(1));
    let waits_us = turns * (handler.wait_us + handler.block_us);
    let burns_us = point.clients * handler.burn_us;
    let (us, what) = match waits_us > burns_us {
        true => (waits_us, format!("{turns} turns of {} ms", handler.wait_us / 1_000)),
        false => {
            let (clients, ms) = (grouped(point.clients), handler.burn_us / 1_000);
            (burns_us, format!("{clients} × {ms} ms of one processor"))
        }
    };
    let seconds = |us: u64| us as f64 / 1e6;
    (us > PATIENCE_US).then(|| {
        format!("{what} are {:.0} s, and {} s is the most", seconds(us), seconds(PATIENCE_US))
    })
}

impl Handler {
    fn does_something(&self) -> bool {
        self.wait_us + self.burn_us + self.block_us > 0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::PathBuf;

    use super::*;
    use crate::scene::tests::script;
    use crate::server::Documents;

    fn server(id: &str, at_once: Option<u64>) -> Server {
        Server {
            id: id.to_owned(),
            waits: "somehow".into(),
            mirrors: "itself".into(),
            at_once,
            is_static: id == "other/files",
            documents: Documents::Generated,
            program: PathBuf::from("/bin/true"),
            arguments: Vec::new(),
            folder: None,
            missing: (id == "other/missing").then(|| "not set up".to_owned()),
        }
    }

    fn plan() -> Plan {
        let ids = [("a/pool", Some(4)), ("a/loop", None)];
        let others = [("other/files", None), ("other/missing", None)];
        let servers: Vec<_> = ids.iter().chain(&others).map(|(id, n)| server(id, *n)).collect();
        Plan::new(&Wishes {
            script: &script(),
            servers: &servers,
            rounds: 3,
            seed: 7,
            load_limit: 0.1,
            placement: Placement::Unpinned,
        })
    }

    fn why(scene: &str, handler: &str, clients: u64, server: &str) -> Option<String> {
        let is_it = |planned: &&PlannedCell| {
            let Cell { scene: own, handler: asked, point, server: id } = &planned.cell;
            let names = (own.as_str(), asked.as_str(), id.as_str());
            names == (scene, handler, server) && point.clients == clients
        };
        plan().cells.iter().find(is_it).unwrap().not_run.clone()
    }

    #[test]
    fn every_server_is_at_every_point_of_every_handler() {
        let plan = plan();
        assert_eq!(plan.cells.len(), 4 * (2 * 2 + 2 + 1));
        let held = plan.cells.iter().find(|planned| planned.cell.scene == "idle").unwrap();
        assert_eq!(held.cell.point.clients, 30, "one point has all steps");
        assert_eq!(held.cell.to_string(), "idle, nothing, 30 clients, a/pool");
    }

    #[test]
    fn what_shows_nothing_is_left_out_with_its_reason() {
        let told = why("at-once", "waits", 1_000, "a/pool").unwrap();
        assert_eq!(told, "250 turns of 100 ms are 25 s, and 3 s is the most");
        assert_eq!(why("at-once", "waits", 1_000, "a/loop"), None);
        let told = why("at-once", "burns", 1_000, "a/loop").unwrap();
        assert_eq!(told, "1,000 × 10 ms of one processor are 10 s, and 3 s is the most");
        let told = why("at-once", "waits", 1, "other/files").unwrap();
        assert_eq!(told, "it serves files, and can neither wait nor burn");
        assert_eq!(why("rising", "nothing", 64, "other/files"), None);
        assert_eq!(why("idle", "nothing", 30, "other/missing").unwrap(), "not set up");
        let told = why("idle", "nothing", 30, "a/pool").unwrap();
        assert_eq!(told, "it serves 4 at once, so no more than that wait");
    }

    #[test]
    fn a_round_has_every_cell_once_by_blocks_of_one_point() {
        let plan = plan();
        let round = plan.round(1);
        let all: BTreeSet<_> = round.iter().flatten().copied().collect();
        assert_eq!(all, plan.running().collect());
        assert_eq!(round.concat().len(), all.len());
        for block in &round {
            let places: BTreeSet<_> = block
                .iter()
                .map(|index| {
                    let Cell { scene, handler, point, .. } = &plan.cells[*index].cell;
                    (scene, handler, point)
                })
                .collect();
            assert_eq!(places.len(), 1);
        }
        assert_eq!(plan.round(1), round);
        assert_ne!(plan.round(2), round);
    }

    #[test]
    fn rates_are_parts_of_what_the_warm_up_finds() {
        let plan = plan();
        let warm_up = plan.warm_up();
        assert_eq!(warm_up.len(), 3, "each that runs");
        assert!(warm_up.iter().all(|index| plan.cells[*index].cell.point.is_ceiling()));
    }
}
