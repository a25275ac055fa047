//! Servers under measurement: which wait how, under which load, at what price.
//!
//! ```text
//!  scenes.toml ─► Script ──► Plan ──► rounds of cells, shuffled
//!                              ▲           │
//!                   Server ────┘           ▼ one cell
//!                        ┌──────────── measure ──────────┐
//!        started once,   ▼                               ▼ order, then outcome
//!        CPU, memory   Running ◄──── requests ──── clients: a `load` process, fresh every time
//!                                          │
//!                                          ▼
//!                               Sample ─► Record (one line of JSON each)
//! ```
//!
//! It is the harness' other half: there a lane is measured and the origin serves it, here a server is
//! measured and clients ask it. What both need, processes and interrupts, the machine, the form of a
//! record, is the harness'.
//!
//! In reading order:
//!
//! * [`scene`]: what is done, as TOML;
//! * [`server`]: a server's process; [`tree`]: what all its processes use and hold;
//! * [`plan`]: scenes × handlers × points × servers as cells, and their order;
//! * [`clients`]: the process that asks;
//! * [`sample`]: what is kept of one cell, measured once;
//! * [`mod@measure`]: all rounds, within a time;
//! * [`record`]: what is kept, and how it is read again.

pub mod clients;
pub mod measure;
pub mod plan;
pub mod record;
pub mod sample;
pub mod scene;
pub mod server;
pub mod tree;

pub use measure::{Bench, Event, MeasureError, measure};
pub use plan::{Cell, Plan, Point, Wishes};
pub use record::{Record, Recorded};
pub use sample::Sample;
pub use scene::Script;
pub use server::{Documents, Server};
