//! Plan, child processes, measuring, validity gates, the record.
//!
//! The harness knows no lane by name: it is given [`job::Lane`]s, and measures each in a fresh
//! process, one sample at a time.
//!
//! ```text
//!  workloads.toml ─► Workload ─► Plan ─────────────► rounds of cells, shuffled
//!                                  ▲                      │
//!                     Limits ──────┘                      ▼  one cell
//!                                   ┌──────────────  measure  ─────────────────┐
//!            reset, then stats      ▼                                          ▼ job, then outcome
//!               OriginProcess ◄── documents ── a lane process (child::run), fresh every time
//!                                                         │
//!                                                         ▼
//!                                              Sample ─► Record (one line of JSON each)
//! ```
//!
//! Nothing polls while a lane is timed: the harness sleeps in one `poll(2)` on the child's pidfd and
//! on the interrupt, and what the child writes goes to memory files that nobody reads before it
//! has ended.
//!
//! In reading order:
//!
//! * [`workload`]: what is measured, as TOML;
//! * [`corpora`]: the documents that the answers are derived from;
//! * [`limits`]: what the system allows, against what a lane needs;
//! * [`plan`]: workloads × lanes × clients as cells;
//! * [`variant`]: a lane under another name, with a known cost planted in it;
//! * [`placement`]: on which processors origin and lane run;
//! * [`order`]: in which order they run;
//! * [`child`]: what a lane process does, and the floor, which has no lane;
//! * [`ceiling`]: the client that has no model;
//! * [`process`]: how a child is started, awaited, and ended;
//! * [`memory`]: what a child reads and writes meanwhile;
//! * [`origin_process`]: the child that serves;
//! * [`lane_process`]: the child that is measured;
//! * [`network`]: what the network stack counts meanwhile;
//! * [`machine`]: what the processors do meanwhile;
//! * [`sample`]: what is kept of one cell, measured once;
//! * [`gate`]: what a sample must have done to count;
//! * [`mod@measure`]: all rounds, within a time;
//! * [`mod@timelines`]: a cell request by request, untimed;
//! * [`mod@inspect`]: a cell taken apart, untimed;
//! * [`record`]: what is kept, and how it is read again;
//! * [`publish`]: a record as it may leave the machine;
//! * [`environment`]: the machine and the programs that a record was made with;
//! * [`interrupt`]: Ctrl-C as something to wait for;
//! * [`number`]: numbers as people read them.

pub mod ceiling;
pub mod child;
pub mod corpora;
pub mod environment;
pub mod gate;
pub mod inspect;
pub mod interrupt;
pub mod lane_process;
pub mod limits;
pub mod machine;
pub mod measure;
pub mod memory;
pub mod network;
pub mod number;
pub mod order;
pub mod origin_process;
pub mod placement;
pub mod plan;
pub mod process;
pub mod publish;
pub mod record;
pub mod sample;
pub mod timelines;
pub mod variant;
pub mod workload;

pub use corpora::Corpora;
pub use environment::Environment;
pub use gate::{Gate, Void};
pub use inspect::{Inspection, inspect};
pub use interrupt::Interrupt;
pub use limits::{Limits, Refusal};
pub use measure::{Bench, Event, Pace, measure};
pub use origin_process::OriginProcess;
pub use placement::Placement;
pub use plan::{Cell, Plan};
pub use record::{Ending, Record, Recorded};
pub use sample::Sample;
pub use timelines::{Timeline, timelines};
pub use variant::{Planted, Variant};
pub use workload::{Profile, Workload};
