//! Workloads × lanes × clients as cells. No I/O.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use job::{Arrivals, Client, Job, Process};
use serde::{Deserialize, Serialize};

use crate::ceiling::CEILING;
use crate::child::FLOOR;
use crate::corpora::{self, Corpora};
use crate::limits::Limits;
use crate::number::grouped;
use crate::placement::Placement;
use crate::timelines;
use crate::variant::{Planted, Variant};
use crate::workload::{Point, Profile, Source, Workload};

/// What one sample measures.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Cell {
    /// The workload's name.
    pub workload: String,
    /// Documents and concurrency.
    #[serde(flatten)]
    pub point: Point,
    /// What speaks HTTP.
    pub client: Client,
    /// The lane's id, or that of its variant.
    pub lane: String,
    /// On which processors it runs.
    #[serde(default, skip_serializing_if = "Placement::is_unpinned")]
    pub placement: Placement,
}

impl Cell {
    /// Whether this is the floor or the ceiling, which are no lanes: they fetch nothing, or look at
    /// nothing of what they fetch.
    pub fn is_bound(&self) -> bool {
        self.lane == FLOOR.id || self.lane == CEILING.id
    }
}

impl std::fmt::Display for Cell {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Cell { workload, client, lane, .. } = self;
        let (n, c) = (grouped(self.point.documents), grouped(self.point.concurrency));
        let rate = self.point.rate.map_or(String::new(), |rate| format!(", {}/s", grouped(rate)));
        let pinned = if self.placement == Placement::Pinned { ", pinned" } else { "" };
        write!(formatter, "{workload}, N = {n}, C = {c}{rate}, {lane}, {client}{pinned}")
    }
}

/// What a plan is made from.
#[derive(Debug, Clone, Copy)]
pub struct Wishes<'a> {
    /// The workloads, as the profile wants them.
    pub workloads: &'a [Workload],
    /// The lanes and their variants.
    pub lanes: &'a [Variant],
    /// The ids of those that somebody asked for: they run whatever a workload says.
    pub always: &'a BTreeSet<&'a str>,
    /// The ids of those whose failures are findings, and not faults of a run.
    pub may_fail: &'a BTreeSet<&'a str>,
    /// Lanes that cannot be run here, by id, and why.
    pub missing: &'a BTreeMap<String, String>,
    /// Where they run: each placement makes a cell of its own.
    pub placements: &'a [Placement],
    /// The documents.
    pub corpora: &'a Corpora,
    /// What the system allows.
    pub limits: &'a Limits,
    /// How much of everything.
    pub profile: Profile,
    /// How often each cell runs, time permitting.
    pub rounds: u32,
    /// The order's seed.
    pub seed: u64,
    /// The part of the CPU time that others may take while a sample counts, from 0 to 1.
    pub load_limit: f64,
    /// Whether every cell is looked at request by request, and not only where a workload names a
    /// point.
    pub timelines_everywhere: bool,
}

/// The version of `plan.json`.
pub const PLAN_SCHEMA: u32 = 2;

/// Everything that is to be measured, and why the rest is not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// [`PLAN_SCHEMA`] of the writer; the first version did not say.
    #[serde(default = "first_schema")]
    pub schema: u32,
    /// How much of everything.
    pub profile: Profile,
    /// How often each cell runs, time permitting.
    pub rounds: u32,
    /// The order's seed.
    pub seed: u64,
    /// The part of the CPU time that others may take while a sample counts, from 0 to 1.
    #[serde(default = "no_limit")]
    pub load_limit: f64,
    /// The workloads in the file's order.
    pub workloads: Vec<PlannedWorkload>,
    /// The lanes in the order of registration.
    pub lanes: Vec<PlannedLane>,
    /// The cells, by workload, point, client and lane in these orders.
    pub cells: Vec<PlannedCell>,
}

/// What a record keeps of a workload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedWorkload {
    /// Its name.
    pub name: String,
    /// Its paragraph.
    pub shows: String,
    /// Where its documents come from.
    pub source: Source,
    /// How its documents arrive, in an open loop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrivals: Option<Process>,
    /// What the origin waits, microseconds; where documents take turns, the longest of it.
    pub delay_us: u64,
    /// What documents take turns in, where there is more than one delay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delays_us: Vec<u64>,
    /// How long delays one after the other may take in a cell that is run, where the workload says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience_s: Option<u64>,
    /// Whether the origin closes each connection after its response.
    #[serde(default)]
    pub close: bool,
    /// Bytes of a generated document.
    pub document_bytes: u64,
    /// Where its lanes are looked at request by request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub timelines: Vec<Point>,
    /// Why none of it runs.
    pub not_run: Option<String>,
}

/// What a record keeps of a lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedLane {
    /// Its id.
    pub id: String,
    /// How it waits.
    pub waits: String,
    /// What it stands for in the articles.
    pub mirrors: String,
    /// Whether its failures are findings, and not faults of the run.
    #[serde(default, skip_serializing_if = "is_false")]
    pub may_fail: bool,
    /// Which lane it is under another name, and what is added to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variant: Option<PlannedVariant>,
}

/// What a record keeps of a variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedVariant {
    /// The lane's own id.
    pub of: String,
    /// What is added to it.
    pub planted: Planted,
}

/// One cell, or the reason why it is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedCell {
    /// What it measures.
    #[serde(flatten)]
    pub cell: Cell,
    /// With fewer requests in flight at its peak, a sample does not count.
    pub in_flight_least: u64,
    /// Why it does not run.
    pub not_run: Option<NotRun>,
}

/// Why a cell does not run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "why", rename_all = "snake_case")]
pub enum NotRun {
    /// It would wait for longer than anybody wants to.
    Slow(String),
    /// The system does not allow what the lane needs.
    Refused(String),
    /// What the lane is run with is not there.
    Missing(String),
}

impl NotRun {
    /// The reason, for a person.
    pub fn why(&self) -> &str {
        let (NotRun::Slow(why) | NotRun::Refused(why) | NotRun::Missing(why)) = self;
        why
    }
}

impl Plan {
    /// Plans what `wishes` ask for.
    pub fn new(wishes: &Wishes<'_>) -> Self {
        let workloads: Vec<_> =
            wishes.workloads.iter().map(|w| planned_workload(w, wishes)).collect();
        let mut cells = Vec::new();
        for (workload, planned) in wishes.workloads.iter().zip(&workloads) {
            if planned.not_run.is_none() {
                for point in workload.points(wishes.profile) {
                    cells.extend(cells_at(workload, planned, point, wishes));
                }
            }
        }
        Plan {
            schema: PLAN_SCHEMA,
            profile: wishes.profile,
            rounds: wishes.rounds,
            seed: wishes.seed,
            load_limit: wishes.load_limit,
            lanes: lanes_of(&cells, wishes),
            workloads,
            cells,
        }
    }

    /// The indexes of the cells that run.
    pub fn running(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.cells.len()).filter(|index| self.cells[*index].not_run.is_none())
    }

    /// The ids of lanes with a cell that runs.
    pub fn lanes_running(&self) -> BTreeSet<&str> {
        self.running().map(|index| self.cells[index].cell.lane.as_str()).collect()
    }

    /// The workload of this name.
    ///
    /// # Panics
    ///
    /// If no workload of the plan has this name.
    pub fn workload(&self, name: &str) -> &PlannedWorkload {
        let workload = self.workloads.iter().find(|workload| workload.name == name);
        workload.expect("every cell is of a workload of its plan")
    }

    /// What a lane process is told to do for `cell`.
    ///
    /// # Panics
    ///
    /// If `corpora` were not made for the plan's workloads.
    pub fn job(&self, cell: &Cell, origin: &str, corpora: &Corpora) -> Job {
        job(self.workload(&cell.workload), cell, origin, corpora, self.seed)
    }
}

fn planned_workload(workload: &Workload, wishes: &Wishes<'_>) -> PlannedWorkload {
    let Workload { name, shows, source, arrivals, close, document_bytes, .. } = workload;
    let delays_us = workload.delay_us.all_us();
    let missing = wishes.corpora.of(*source, *document_bytes).is_none();
    let own = wishes.timelines_everywhere.then(|| workload.points(wishes.profile));
    let named = workload.timeline.map(Point::from).filter(|_| wishes.profile != Profile::Verify);
    PlannedWorkload {
        name: name.clone(),
        shows: shows.split_whitespace().collect::<Vec<_>>().join(" "),
        source: *source,
        arrivals: *arrivals,
        delay_us: workload.delay_us.longest_us(),
        delays_us: if delays_us.len() > 1 { delays_us.to_vec() } else { Vec::new() },
        patience_s: workload.patience_s,
        close: *close,
        document_bytes: *document_bytes,
        timelines: timelines::points(named, &own.unwrap_or_default()),
        not_run: missing.then(|| "name a folder of documents with --corpus DIR".to_owned()),
    }
}

fn is_false(flag: &bool) -> bool {
    !flag
}

fn first_schema() -> u32 {
    1
}

/// The first version voided no sample for what others took.
fn no_limit() -> f64 {
    1.0
}

/// Every lane that has a cell, in the order in which they were wished for.
fn lanes_of(cells: &[PlannedCell], wishes: &Wishes<'_>) -> Vec<PlannedLane> {
    let with_cell: HashSet<_> = cells.iter().map(|planned| planned.cell.lane.as_str()).collect();
    let planned = wishes.lanes.iter().map(|lane| PlannedLane {
        may_fail: wishes.may_fail.contains(lane.lane.id),
        ..planned_lane(lane)
    });
    planned.filter(|lane| with_cell.contains(lane.id.as_str())).collect()
}

fn planned_lane(lane: &Variant) -> PlannedLane {
    let (waits, mirrors) = (lane.lane.waits.into(), lane.lane.mirrors.into());
    let of = || lane.lane.id.to_owned();
    let variant = lane.planted.map(|planted| PlannedVariant { of: of(), planted });
    PlannedLane { id: lane.id(), waits, mirrors, may_fail: false, variant }
}

/// Every lane of the workload with each of its clients, then the floor and the ceiling, which have none
/// and are told to be raw; all of them in each placement.
fn cells_at(
    workload: &Workload,
    planned: &PlannedWorkload,
    point: Point,
    wishes: &Wishes<'_>,
) -> Vec<PlannedCell> {
    let lanes = wishes.lanes.iter();
    let wanted = |id: &str| wishes.always.contains(id) || workload.is_for(id);
    let lanes: Vec<_> = lanes.filter(|lane| wanted(lane.lane.id)).copied().collect();
    let lanes = Client::BOTH.iter().flat_map(|client| {
        let speaks = lanes.iter().filter(|lane| lane.lane.clients.contains(client));
        speaks.map(|lane| (*lane, *client))
    });
    // A look at the answers alone needs no bounds.
    let bounds = [FLOOR, CEILING].map(|bound| (Variant::from(bound), Client::Raw));
    let bounds = bounds.into_iter().filter(|_| wishes.profile != Profile::Verify);
    let all: Vec<_> = lanes.chain(bounds).collect();
    let placements = wishes.placements.iter();
    let placed = placements.flat_map(|placement| all.iter().map(move |one| (*one, *placement)));
    placed
        .map(|((lane, client), placement)| {
            let (workload_name, lane_id) = (workload.name.clone(), lane.id());
            let cell = Cell { workload: workload_name, point, client, lane: lane_id, placement };
            planned_cell(workload, planned, cell, &lane, wishes)
        })
        .collect()
}

fn planned_cell(
    workload: &Workload,
    planned: &PlannedWorkload,
    cell: Cell,
    lane: &Variant,
    wishes: &Wishes<'_>,
) -> PlannedCell {
    // Where the origin will listen is not known yet, and no lane's needs depend on it.
    let nowhere = "http://127.0.0.1:0";
    let needs = lane.needs(&job(planned, &cell, nowhere, wishes.corpora, wishes.seed));
    let promised = if cell.is_bound() { 0.0 } else { workload.in_flight_least };
    let most = needs.in_flight.min(cell.point.concurrency).min(cell.point.documents);
    let refused = || {
        let refusal = wishes.limits.refuse(&needs)?;
        Some(NotRun::Refused(refusal.to_string()))
    };
    let missing = || wishes.missing.get(lane.lane.id).cloned().map(NotRun::Missing);
    let slow = || too_slow(planned, &cell, needs.in_flight, wishes.profile);
    let not_run = missing().or_else(slow).or_else(refused);
    PlannedCell { cell, in_flight_least: (promised * most as f64).floor() as u64, not_run }
}

/// How long a cell may wait for arrivals, or for the origin's delays alone.
fn patience_us(profile: Profile) -> u64 {
    match profile {
        // What waits for long costs other cells their rounds, and shows nothing but the wait.
        Profile::Quick => 1_000_000,
        Profile::Standard => 2_500_000,
        Profile::Full => 3_000_000,
        Profile::Verify => 5_000_000,
    }
}

fn too_slow(
    workload: &PlannedWorkload,
    cell: &Cell,
    in_flight: u64,
    profile: Profile,
) -> Option<NotRun> {
    if in_flight == 0 {
        return None;
    }
    let (point, delay_us) = (cell.point, delay_us(workload, cell));
    let schedule_us = if cell.is_bound() { 0 } else { point.schedule_us() };
    let turns = point.documents.div_ceil(in_flight);
    let waits_us = turns.saturating_mul(delay_us);
    let seconds = |us: u64| us as f64 / 1e6;
    let most_us = workload.patience_s.map_or_else(|| patience_us(profile), |s| s * 1_000_000);
    let why = match (waits_us.max(schedule_us) > most_us, point.rate) {
        (false, _) => return None,
        (true, Some(rate)) if schedule_us >= waits_us => {
            let (documents, rate) = (grouped(point.documents), grouped(rate));
            format!("{documents} documents at {rate}/s are {:.0} s", seconds(schedule_us))
        }
        _ => format!(
            "waits {} × {} ms = {:.0} s",
            grouped(turns),
            delay_us as f64 / 1e3,
            seconds(waits_us)
        ),
    };
    Some(NotRun::Slow(format!("{why}, and {} s is the most", seconds(most_us))))
}

/// What the origin waits before it answers: nothing for the ceiling, which is what it can do at all.
fn delay_us(workload: &PlannedWorkload, cell: &Cell) -> u64 {
    if cell.lane == CEILING.id { 0 } else { workload.delay_us }
}

/// The same, for each document in turn.
fn delays_us(workload: &PlannedWorkload, cell: &Cell) -> Vec<u64> {
    match workload.delays_us.as_slice() {
        several if several.len() > 1 && cell.lane != CEILING.id => several.to_vec(),
        _ => vec![delay_us(workload, cell)],
    }
}

/// Every lane, client and round has the same arrivals, as all have the same documents; the floor and
/// the ceiling have none, and go as fast as they can.
fn job(workload: &PlannedWorkload, cell: &Cell, origin: &str, corpora: &Corpora, seed: u64) -> Job {
    let PlannedWorkload { source, document_bytes, close, .. } = workload;
    let corpus = corpora.of(*source, *document_bytes).expect("a workload that runs has documents");
    let Point { documents, concurrency, rate } = cell.point;
    let mut job = Job::new(origin, corpus, documents, concurrency, cell.client);
    job.path = corpora::path(*source, *document_bytes, &delays_us(workload, cell), *close);
    job.arrivals = workload
        .arrivals
        .zip(rate)
        .filter(|_| !cell.is_bound())
        .map(|(process, rate)| Arrivals { process, rate, seed });
    job
}

#[cfg(test)]
pub(crate) mod tests {
    use job::{Lane, Needs, Tally};

    use super::*;
    use crate::workload;

    const WORKLOADS: &str = r#"
[[workload]]
name = "waits"
shows = """What
waiting costs."""
documents = [1, 1_000]
concurrency = 64
delay_us = 20_000
in_flight_least = 0.9

[[workload]]
name = "files"
shows = "Real documents."
source = "files"
documents = 10
concurrency = [1, 8]
"#;

    fn many(job: &Job) -> Needs {
        let in_flight = job.concurrency.min(job.documents);
        Needs {
            in_flight,
            threads: 1,
            stack_bytes: 0,
            connections: in_flight,
            other_descriptors: 3,
            mappings: 0,
        }
    }

    fn one(job: &Job) -> Needs {
        Needs { in_flight: 1, connections: 1, ..many(job) }
    }

    fn lane(id: &'static str, needs: fn(&Job) -> Needs) -> Lane {
        Lane {
            id,
            waits: "",
            mirrors: "",
            clients: Client::BOTH,
            needs,
            run: |job| Ok(Tally::new(job)),
        }
    }

    pub(crate) fn limits() -> Limits {
        let mut limits = Limits::read();
        limits.descriptors = 100_000;
        limits
    }

    pub(crate) fn plan_with(limits: &Limits, seed: u64) -> Plan {
        plan_of(WORKLOADS, limits, seed)
    }

    fn plan_of(text: &str, limits: &Limits, seed: u64) -> Plan {
        let workloads = workload::read("w.toml", text).unwrap();
        let corpora = Corpora::new(&workloads, None, 1).unwrap();
        let lanes =
            [lane("blocking/sequential", one), lane("stackful/a", many), lane("stackless/b", many)]
                .map(Variant::from);
        plan_wished(&workloads, &lanes, &BTreeMap::new(), &[], (&corpora, limits, seed))
    }

    fn plan_wished(
        workloads: &[Workload],
        lanes: &[Variant],
        missing: &BTreeMap<String, String>,
        always: &[&str],
        (corpora, limits, seed): (&Corpora, &Limits, u64),
    ) -> Plan {
        Plan::new(&Wishes {
            workloads,
            lanes,
            always: &always.iter().copied().collect(),
            may_fail: &BTreeSet::new(),
            missing,
            placements: &[Placement::Unpinned],
            corpora,
            limits,
            profile: Profile::Standard,
            rounds: 3,
            seed,
            load_limit: 0.1,
            timelines_everywhere: false,
        })
    }

    #[test]
    fn other_lanes_run_where_they_are_named_with_the_clients_they_have() {
        let text = |lanes: &str| {
            format!(
                "[[workload]]\nname = \"w\"\nshows = \"x\"\ndocuments = 1\nconcurrency = 1\n{lanes}"
            )
        };
        let program = Lane { clients: &[Client::Library], ..lane("other/program", many) };
        let lanes = [lane("stackful/a", many), program].map(Variant::from);
        let missing = BTreeMap::from([("other/program".to_owned(), "install it".to_owned())]);
        let planned = |lanes_of_workload: &str, always: &[&str], missing| {
            let workloads = workload::read("w.toml", &text(lanes_of_workload)).unwrap();
            let corpora = Corpora::new(&workloads, None, 1).unwrap();
            let plan = plan_wished(&workloads, &lanes, missing, always, (&corpora, &limits(), 1));
            let is_lane = |cell: &&PlannedCell| !cell.cell.is_bound();
            let told = |cell: &PlannedCell| {
                let why = cell.not_run.as_ref().map_or("runs", NotRun::why).to_owned();
                format!("{} {} {why}", cell.cell.lane, cell.cell.client)
            };
            let cells = plan.cells.iter().filter(is_lane).map(told).collect::<Vec<_>>();
            (cells, plan.lanes.len())
        };
        let (all, none) = (BTreeMap::new(), missing);
        let own = ["stackful/a library runs", "stackful/a raw runs"].map(str::to_owned).to_vec();
        assert_eq!(planned("", &[], &all), (own.clone(), 1));
        let both = [&own[..1], &["other/program library runs".to_owned()], &own[1..]].concat();
        assert_eq!(planned("", &["other/program"], &all), (both, 2));
        let other = vec!["other/program library install it".to_owned()];
        assert_eq!(planned("lanes = [\"other\"]", &[], &none), (other, 1));
    }

    #[test]
    fn documents_take_turns_in_several_delays() {
        let text = "[[workload]]\nname = \"w\"\nshows = \"x\"\ndocuments = 2\nconcurrency = 2\n\
                    delay_us = [200, 300]";
        let plan = plan_of(text, &limits(), 1);
        assert_eq!(
            (plan.workloads[0].delay_us, &plan.workloads[0].delays_us[..]),
            (300, &[200, 300][..])
        );
        let corpora = Corpora::new(&workload::read("w.toml", text).unwrap(), None, 1).unwrap();
        let path_of = |cell: &PlannedCell| plan.job(&cell.cell, "", &corpora).path;
        assert!(path_of(&plan.cells[0]).ends_with("&delay_us=200,300"));
        assert!(path_of(plan.cells.last().unwrap()).ends_with("&delay_us=0"), "the ceiling");
    }

    #[test]
    fn cells_are_every_lane_with_each_client_a_floor_and_a_ceiling() {
        let plan = plan_with(&limits(), 1);
        assert_eq!(plan.cells.len(), 2 * (2 * 3 + 2));
        for bound in [FLOOR.id, CEILING.id] {
            assert_eq!(plan.cells.iter().filter(|cell| cell.cell.lane == bound).count(), 2);
        }
        assert_eq!(plan.workloads[0].shows, "What waiting costs.");
    }

    #[test]
    fn files_need_a_folder() {
        let plan = plan_with(&limits(), 1);
        let why = plan.workload("files").not_run.as_deref();
        assert_eq!(why, Some("name a folder of documents with --corpus DIR"));
        assert!(plan.cells.iter().all(|cell| cell.cell.workload == "waits"));
    }

    #[test]
    fn what_would_wait_for_too_long_says_how_long() {
        let plan = plan_with(&limits(), 1);
        let reasons: Vec<_> = plan
            .cells
            .iter()
            .filter_map(|cell| Some((&cell.cell, cell.not_run.as_ref()?)))
            .collect();
        assert_eq!(reasons.len(), 2);
        for (cell, reason) in reasons {
            assert_eq!((cell.lane.as_str(), cell.point.documents), ("blocking/sequential", 1_000));
            assert_eq!(reason.why(), "waits 1,000 × 20 ms = 20 s, and 2.5 s is the most");
        }
    }

    #[test]
    fn what_the_system_does_not_hold_is_refused() {
        let mut limits = limits();
        limits.descriptors = 100;
        let plan = plan_with(&limits, 1);
        let refused = plan.cells.iter().filter_map(|cell| cell.not_run.as_ref());
        let refused: Vec<_> =
            refused.filter(|reason| matches!(reason, NotRun::Refused(_))).collect();
        assert_eq!(refused.len(), 5, "two lanes with two clients at N = 1,000, and the ceiling");
        assert!(
            refused[0].why().starts_with("needs 128 file descriptors, but RLIMIT_NOFILE is 100")
        );
    }

    #[test]
    fn a_lane_promises_a_part_of_what_it_could() {
        let plan = plan_with(&limits(), 1);
        let least = |lane: &str, documents| {
            let cell = plan
                .cells
                .iter()
                .find(|c| c.cell.lane == lane && c.cell.point.documents == documents);
            cell.unwrap().in_flight_least
        };
        assert_eq!(least("stackful/a", 1_000), 57);
        assert_eq!(least("stackful/a", 1), 0);
        assert_eq!(least("blocking/sequential", 1), 0);
        assert_eq!(least(FLOOR.id, 1_000), 0);
    }

    #[test]
    fn a_job_asks_for_what_the_workload_says() {
        let workloads = workload::read("w.toml", WORKLOADS).unwrap();
        let corpora = Corpora::new(&workloads, None, 1).unwrap();
        let plan = plan_with(&limits(), 1);
        let job = plan.job(&plan.cells[0].cell, "http://127.0.0.1:7", &corpora);
        assert_eq!(job.url(0), "http://127.0.0.1:7/api/v2/pokemon/1?bytes=1500&delay_us=20000");
        assert_eq!((job.documents, job.concurrency), (1, 64));
        assert_eq!(job.arrivals, None);
        let ceiling = plan.cells.iter().find(|cell| cell.cell.lane == CEILING.id).unwrap();
        let job = plan.job(&ceiling.cell, "http://127.0.0.1:7", &corpora);
        assert!(job.path.ends_with("&delay_us=0"), "{}", job.path);
    }

    #[test]
    fn an_open_loop_is_planned_with_its_arrivals() {
        let open = "arrivals = \"uniform\"\nrate = [100, 2_000]";
        let text = WORKLOADS.replace("in_flight_least = 0.9", open);
        let plan = plan_of(&text, &limits(), 7);
        let cell = |lane: &str, documents, rate| {
            let is = |c: &&PlannedCell| {
                let point = c.cell.point;
                (c.cell.lane.as_str(), point.documents, point.rate) == (lane, documents, Some(rate))
            };
            plan.cells.iter().find(is).unwrap()
        };
        let runs = cell("stackful/a", 1_000, 2_000);
        assert_eq!(runs.not_run, None);
        assert_eq!(runs.cell.to_string(), "waits, N = 1,000, C = 64, 2,000/s, stackful/a, library");
        let workloads = workload::read("w.toml", &text).unwrap();
        let corpora = Corpora::new(&workloads, None, 1).unwrap();
        let job = plan.job(&runs.cell, "http://127.0.0.1:7", &corpora);
        let arrivals = Arrivals { process: Process::Uniform, rate: 2_000, seed: 7 };
        assert_eq!(job.arrivals, Some(arrivals));
        let why = |lane, rate| cell(lane, 1_000, rate).not_run.as_ref().unwrap().why();
        let slow = "1,000 documents at 100/s are 10 s, and 2.5 s is the most";
        assert_eq!(why("stackful/a", 100), slow);
        let behind = "waits 1,000 × 20 ms = 20 s, and 2.5 s is the most";
        assert_eq!(why("blocking/sequential", 100), behind);
        assert_eq!(why("blocking/sequential", 2_000), behind);
    }
}
