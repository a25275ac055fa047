//! What was found in cells that were taken apart, and what a task costs in bytes.

use std::collections::{BTreeMap, BTreeSet};

use harness::child::FLOOR;
use harness::inspect::{Calls, Inspection, MemoryPeaks, Pass, system_calls};
use harness::plan::{Cell, PlannedCell, PlannedWorkload};
use harness::record::Recorded;
use harness::workload::Point;
use job::Client;
use serde::Serialize;

use crate::figures::rss_bytes;
use crate::stats::median;
use crate::stats::slope::Slope;

mod sheets;

pub use sheets::sheets;

/// What one workload's cells were found to hold and to do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspected {
    /// The largest point that was taken apart; `None` when none was.
    pub point: Option<Point>,
    /// Its cells, by client and lane in the plan's order.
    pub rows: Vec<InspectedRow>,
    /// What a task costs, over all points; empty unless three points have as many documents as
    /// requests in flight.
    pub per_task: Vec<PerTask>,
    /// What could not be found, and why.
    pub notes: Vec<String>,
}

/// One cell, taken apart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InspectedRow {
    /// What speaks HTTP.
    pub client: Client,
    /// The lane's id.
    pub lane: String,
    /// Peak of each kind less that of a process without a lane, bytes; the median of several looks.
    pub held_bytes: BTreeMap<Kind, f64>,
    /// The most threads at once.
    pub threads: Option<f64>,
    /// The most TCP sockets at once, of the whole machine: both ends of each connection.
    pub tcp_sockets: Option<f64>,
    /// System calls of a document, by name, less those of a process without a lane.
    pub calls_per_document: BTreeMap<String, CallsPerDocument>,
    /// Allocations of a document.
    pub allocations_per_document: Option<f64>,
    /// Bytes allocated for a document, most of them given back.
    pub allocated_bytes_per_document: Option<f64>,
}

/// System calls of one name, for each document.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CallsPerDocument {
    /// All of them.
    pub calls: f64,
    /// Those that returned an error.
    pub errors: f64,
}

/// What one more task costs one lane.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PerTask {
    /// What speaks HTTP.
    pub client: Client,
    /// The lane's id.
    pub lane: String,
    /// Bytes over tasks.
    pub slopes: BTreeMap<Kind, Slope>,
}

/// What memory is held as. They overlap: what is private is resident, and what is resident is
/// reserved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Resident; of timed samples where a slope is made of it.
    Rss,
    /// Resident and of no file.
    Anonymous,
    /// Resident and of no other process.
    Private,
    /// Asked of the allocator and not given back.
    Live,
    /// Page tables.
    PageTables,
    /// The kernel's stacks of all threads.
    KernelStacks,
    /// Buffers of all TCP sockets of the machine.
    TcpBuffers,
    /// The kernel's own objects on the machine, sockets and files among them.
    KernelObjects,
    /// Reserved address space.
    AddressSpace,
}

impl Kind {
    /// All of them, in the order of the tables.
    pub const ALL: [Kind; 9] = [
        Kind::Rss,
        Kind::Anonymous,
        Kind::Private,
        Kind::Live,
        Kind::PageTables,
        Kind::KernelStacks,
        Kind::TcpBuffers,
        Kind::KernelObjects,
        Kind::AddressSpace,
    ];

    /// Bytes of this kind that one look has found.
    fn bytes(self, look: &Inspection) -> Option<f64> {
        let of = |bytes: &dyn Fn(&MemoryPeaks) -> u64| look.memory.as_ref().map(bytes);
        let bytes = match self {
            Kind::Rss => of(&|memory| memory.rss_bytes),
            Kind::Anonymous => of(&|memory| memory.anonymous_bytes),
            Kind::Private => of(&|memory| memory.private_bytes),
            Kind::Live => look.allocations.map(|counted| counted.live_bytes_peak),
            Kind::PageTables => of(&|memory| memory.page_tables_bytes),
            Kind::KernelStacks => of(&|memory| memory.kernel_stacks_bytes),
            Kind::TcpBuffers => of(&|memory| memory.machine.tcp_buffers_bytes),
            Kind::KernelObjects => of(&|memory| memory.machine.slab_bytes),
            Kind::AddressSpace => of(&|memory| memory.address_space_bytes),
        };
        bytes.map(|bytes| bytes as f64)
    }
}

/// How to have allocations counted.
const NOT_COUNTED: &str = "allocations are absent: built without the feature count-allocations \
    (cargo bench -p compare --features count-allocations -- --inspect)";

/// What was found in the workload's cells; `None` when there is nothing to show.
pub(crate) fn inspected(recorded: &Recorded, workload: &PlannedWorkload) -> Option<Inspected> {
    let of_workload = |cell: &Cell| cell.workload == workload.name;
    let cells = recorded.plan.cells.iter().filter(|planned| of_workload(&planned.cell));
    let looks = recorded.inspections.iter().filter(|look| of_workload(&look.cell));
    let found = Found { recorded, cells: cells.collect(), looks: looks.collect() };
    let size = |point: &Point| (point.documents, point.concurrency);
    let point = found.looks.iter().map(|look| look.cell.point).max_by_key(size);
    let inspected = Inspected {
        point,
        rows: point.map(|point| found.rows(point)).unwrap_or_default(),
        per_task: found.per_task(),
        notes: found.notes(),
    };
    (point.is_some() || !inspected.per_task.is_empty()).then_some(inspected)
}

/// What there is of one workload.
struct Found<'a> {
    recorded: &'a Recorded,
    cells: Vec<&'a PlannedCell>,
    looks: Vec<&'a Inspection>,
}

impl Found<'_> {
    /// The cells of all lanes, without the floor.
    fn lanes(&self) -> impl Iterator<Item = &Cell> {
        self.cells.iter().map(|planned| &planned.cell).filter(|cell| !cell.is_bound())
    }

    /// The looks into a cell that count.
    fn looks_into(&self, cell: &Cell, pass: Pass) -> impl Iterator<Item = &Inspection> {
        let sought =
            move |look: &&&Inspection| (&look.cell, look.pass, &look.void) == (cell, pass, &None);
        self.looks.iter().filter(sought).copied()
    }

    fn rows(&self, point: Point) -> Vec<InspectedRow> {
        let cells = self.lanes().filter(|cell| cell.point == point);
        let looked_into = |cell: &&Cell| {
            let passes = [Pass::Memory, Pass::SystemCalls];
            passes.iter().any(|pass| self.looks_into(cell, *pass).next().is_some())
        };
        cells.filter(looked_into).map(|cell| self.row(cell)).collect()
    }

    fn row(&self, cell: &Cell) -> InspectedRow {
        let floor = floor_of(cell);
        let middle = |cell: &Cell, of: &dyn Fn(&Inspection) -> Option<f64>| {
            median(&self.looks_into(cell, Pass::Memory).filter_map(of).collect::<Vec<_>>())
        };
        let held = Kind::ALL.into_iter().filter_map(|kind| {
            let of = |cell: &Cell| middle(cell, &|look| kind.bytes(look));
            Some((kind, (of(cell)? - of(&floor)?).max(0.0)))
        });
        let documents = cell.point.documents as f64;
        let allocated = |of: fn(&job::Allocations) -> u64| {
            middle(cell, &|look| Some(of(look.allocations.as_ref()?) as f64 / documents))
        };
        InspectedRow {
            client: cell.client,
            lane: cell.lane.clone(),
            held_bytes: held.collect(),
            threads: middle(cell, &|look| Some(look.memory?.threads as f64)),
            tcp_sockets: middle(cell, &|look| Some(look.memory?.machine.tcp_sockets as f64)),
            calls_per_document: self.calls_per_document(cell).unwrap_or_default(),
            allocations_per_document: allocated(|counted| counted.count),
            allocated_bytes_per_document: allocated(|counted| counted.bytes),
        }
    }

    /// Without the floor's calls those of starting and ending a process would count, too, so
    /// where the floor is missing there are none.
    fn calls_per_document(&self, cell: &Cell) -> Option<BTreeMap<String, CallsPerDocument>> {
        let calls = |cell: &Cell| {
            let look = self.looks_into(cell, Pass::SystemCalls).last()?;
            Some((look.system_calls.as_ref()?, look.documents_fetched))
        };
        let ((lane, documents), (floor, _)) = (calls(cell)?, calls(&floor_of(cell))?);
        let a_document =
            |count: u64, floor: u64| count.saturating_sub(floor) as f64 / documents as f64;
        let more = lane.iter().map(|(name, of_lane)| {
            let of_floor = floor.get(name).copied().unwrap_or(Calls::default());
            let calls = a_document(of_lane.calls, of_floor.calls);
            let errors = a_document(of_lane.errors, of_floor.errors);
            (name.clone(), CallsPerDocument { calls, errors })
        });
        Some(more.filter(|(_, calls)| calls.calls > 0.0).collect())
    }

    /// With as many requests in flight as documents, each document is a task that lives beside all
    /// others, and the slope over N is what one of them holds.
    fn per_task(&self) -> Vec<PerTask> {
        let points: BTreeSet<_> = self.lanes().map(|cell| cell.point).collect();
        let is_task = |point: &Point| point.documents == point.concurrency;
        if points.len() < 3 || !points.iter().all(is_task) {
            return Vec::new();
        }
        let mut seen: Vec<(Client, &str)> = Vec::new();
        for cell in self.lanes() {
            let key = (cell.client, cell.lane.as_str());
            if !seen.contains(&key) {
                seen.push(key);
            }
        }
        let all = seen.into_iter().map(|(client, lane)| {
            let slopes = Kind::ALL
                .into_iter()
                .filter_map(|kind| Some((kind, line(&self.bytes_over_tasks(client, lane, kind))?)));
            PerTask { client, lane: lane.to_owned(), slopes: slopes.collect() }
        });
        all.filter(|lane| !lane.slopes.is_empty()).collect()
    }

    /// Resident memory is the timed samples': there are more of them, and nothing looks at them.
    fn bytes_over_tasks(&self, client: Client, lane: &str, kind: Kind) -> Vec<(f64, f64)> {
        let cells = self.lanes().filter(|cell| (cell.client, cell.lane.as_str()) == (client, lane));
        // With fewer processors a runtime is another one: the two are on no common line.
        let least = self.lanes().map(|cell| cell.placement).min();
        let cells = cells.filter(|cell| Some(cell.placement) == least);
        let of_cell = |cell: &Cell| -> Vec<f64> {
            if kind == Kind::Rss {
                let samples = self.recorded.samples.iter();
                let counted = samples.filter(|s| s.cell == *cell && !s.warmup && s.void.is_none());
                counted.filter_map(rss_bytes).collect()
            } else {
                self.looks_into(cell, Pass::Memory).filter_map(|look| kind.bytes(look)).collect()
            }
        };
        cells
            .flat_map(|cell| {
                let tasks = cell.point.documents as f64;
                of_cell(cell).into_iter().map(move |bytes| (tasks, bytes))
            })
            .collect()
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.looks.is_empty() {
            return notes;
        }
        for look in &self.looks {
            let note = match look.void.as_deref() {
                Some(system_calls::ABSENT) => {
                    format!("system calls are absent: {}", system_calls::ABSENT)
                }
                Some(why) => format!("does not count: {}: {why}", look.cell),
                None => continue,
            };
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        if self.looks.iter().all(|look| look.allocations.is_none()) {
            notes.push(NOT_COUNTED.to_owned());
        }
        // A lane under another name, and on other processors, is left alone by intention.
        let is_wanted = |cell: &Cell| !cell.lane.contains('+') && cell.placement.is_unpinned();
        let runs = self.cells.iter().filter(|p| p.not_run.is_none() && is_wanted(&p.cell));
        let missing = runs.filter(|planned| !self.looks.iter().any(|l| l.cell == planned.cell));
        match missing.count() {
            0 => {}
            count => notes.push(format!(
                "{count} cells were not taken apart: they had failed, or the run ended before"
            )),
        }
        notes
    }
}

/// A process without a lane at the same point of the same workload.
fn floor_of(cell: &Cell) -> Cell {
    Cell { lane: FLOOR.id.to_owned(), client: Client::Raw, ..cell.clone() }
}

/// The slope at 95 %; two places would only be a difference.
fn line(points: &[(f64, f64)]) -> Option<Slope> {
    const PLACES_LEAST: usize = 3;
    let places: BTreeSet<_> = points.iter().map(|(tasks, _)| tasks.to_bits()).collect();
    if places.len() < PLACES_LEAST { None } else { Slope::of(points, 0.95) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    pub(super) fn the_inspected(recorded: &Recorded) -> Option<Inspected> {
        inspected(recorded, &recorded.plan.workloads[0])
    }

    #[test]
    fn without_looks_and_points_there_is_nothing_to_show() {
        assert_eq!(the_inspected(&fixture::recorded()), None);
    }

    #[test]
    fn a_cell_is_what_was_found_less_the_floor() {
        let inspected = the_inspected(&fixture::inspected()).unwrap();
        let row = &inspected.rows[0];
        assert_eq!((row.lane.as_str(), row.client), ("stackful/hub", Client::Raw));
        assert_eq!(row.held_bytes[&Kind::KernelStacks], 8.0 * 16_384.0, "nine threads less one");
        assert_eq!(row.held_bytes[&Kind::Rss], 300.0 * 8_192.0);
        assert_eq!((row.threads, row.tcp_sockets), (Some(9.0), Some(600.0)));
        let calls = CallsPerDocument { calls: 2.0, errors: 1.0 };
        assert_eq!(row.calls_per_document, [("recvfrom".to_owned(), calls)].into());
    }

    #[test]
    fn a_task_costs_the_slope_and_not_the_peak_over_n() {
        let inspected = the_inspected(&fixture::inspected()).unwrap();
        assert_eq!(inspected.per_task.len(), 1);
        let slopes = &inspected.per_task[0].slopes;
        let rss = slopes[&Kind::Rss];
        assert!((rss.slope - 8_192.0).abs() < 1e-6, "{rss:?}");
        assert!((rss.intercept - f64::from(4 << 20)).abs() < 1e-3, "{rss:?}");
        assert!(slopes[&Kind::KernelStacks].slope.abs() < 1e-9, "as many threads everywhere");
        assert!(!slopes.contains_key(&Kind::Live), "nobody counted");
    }

    #[test]
    fn a_slope_of_timed_samples_needs_no_look() {
        let mut recorded = fixture::inspected();
        recorded.inspections.clear();
        let inspected = the_inspected(&recorded).unwrap();
        let slopes = &inspected.per_task[0].slopes;
        assert_eq!(slopes.keys().collect::<Vec<_>>(), [&Kind::Rss]);
        assert!(inspected.rows.is_empty() && inspected.notes.is_empty());
    }

    #[test]
    fn what_is_missing_is_told() {
        let mut recorded = fixture::inspected();
        for look in &mut recorded.inspections {
            match look.pass {
                Pass::SystemCalls => look.void = Some(system_calls::ABSENT.to_owned()),
                Pass::Memory if look.cell.point.documents == 100 => {
                    look.void = Some("answered wrong".into());
                }
                Pass::Memory => {}
            }
        }
        let inspected = the_inspected(&recorded).unwrap();
        assert!(inspected.rows[0].calls_per_document.is_empty());
        let notes = inspected.notes.join("\n");
        for told in ["system calls are absent: strace is", NOT_COUNTED, "N = 100, C = 100, "] {
            assert!(notes.contains(told), "{notes}");
        }
        assert_eq!(inspected.per_task[0].slopes.len(), 1, "two points are no slope");
    }
}
