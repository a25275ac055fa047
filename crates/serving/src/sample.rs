//! What is kept of one cell, measured once.

use harness::machine::MachineMeasured;
use load::Outcome;
use serde::{Deserialize, Serialize};

use crate::plan::Cell;
use crate::tree::Held;

/// The version of a line in `serving.jsonl`.
pub const SAMPLE_SCHEMA: u32 = 1;

/// One cell, measured once: a line of `serving.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// [`SAMPLE_SCHEMA`] of the writer.
    pub schema: u32,
    /// Its place in the run, counted from 0.
    pub number: u64,
    /// The round it belongs to, counted from 0.
    pub round: u32,
    /// Taken to warm up, or to find a ceiling, and not counted.
    pub warmup: bool,
    /// When it started, milliseconds since 1970.
    pub started_unix_ms: u64,
    /// What it measures.
    #[serde(flatten)]
    pub cell: Cell,
    /// Why it does not count.
    pub void: Option<Void>,
    /// What the clients saw; how many there are is the cell's.
    #[serde(rename = "seen")]
    pub clients: Option<Outcome>,
    /// What the server used and holds; which it is stands in the cell.
    #[serde(rename = "used")]
    pub server: Option<ServerMeasured>,
    /// The rate that was asked for, requests a second, in an open loop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<u64>,
    /// Memory after each step, where connections were held.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// What the machine did beside it.
    pub machine: MachineMeasured,
}

/// What a server used and holds, all of its processes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerMeasured {
    /// CPU time meanwhile, microseconds.
    pub cpu_us: u64,
    /// How many processes there were.
    pub processes: usize,
    /// What it holds at the end.
    #[serde(flatten)]
    pub held: Held,
    /// How long it took until it listened, when it was started, milliseconds.
    pub ready_ms: u64,
}

/// Memory with so many connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Connections that clients have opened.
    pub connections: u64,
    /// Those of them that the server has not closed.
    pub open: u64,
    /// What it holds.
    #[serde(flatten)]
    pub held: Held,
}

/// Why a sample does not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Void {
    /// Whether the server is to blame, and not the machine.
    pub failed: bool,
    /// What happened, for a person.
    pub why: String,
}
