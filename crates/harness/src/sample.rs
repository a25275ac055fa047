//! What is kept of one cell, measured once.

use job::{Allocations, Usage};
use origin::Stats;
use serde::{Deserialize, Serialize};

use crate::gate::Void;
use crate::machine::MachineMeasured;
use crate::network::Network;
use crate::plan::Cell;

/// The version of a line in `samples.jsonl`.
///
/// 1 had no `machine`, no `placement`, and no `address_space_bytes_peak`, and its origin did not say
/// how long requests stayed; it is read with these absent.
pub const SAMPLE_SCHEMA: u32 = 2;

/// The oldest version that is read.
pub const SAMPLE_SCHEMA_OLDEST: u32 = 1;

/// One cell, measured once: a line of `samples.jsonl`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// [`SAMPLE_SCHEMA`] of the writer.
    pub schema: u32,
    /// Its place in the run, counted from 0.
    pub number: u64,
    /// The round it belongs to, counted from 0.
    pub round: u32,
    /// Taken to warm up, and not counted.
    pub warmup: bool,
    /// When it started, milliseconds since 1970.
    pub started_unix_ms: u64,
    /// What it measures.
    #[serde(flatten)]
    pub cell: Cell,
    /// Why it does not count.
    pub void: Option<Void>,
    /// What the lane process saw of itself, when it completed the job.
    pub job: Option<JobMeasured>,
    /// What the kernel saw of the lane process, from its start to its end.
    pub process: ProcessMeasured,
    /// What the origin saw.
    pub origin: Option<Stats>,
    /// What the network stack counted meanwhile, for the whole machine.
    pub network: Network,
    /// What the machine did beside it.
    #[serde(default)]
    pub machine: MachineMeasured,
}

/// What the lane process saw of its job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobMeasured {
    /// The job alone, nanoseconds: connecting included, the start of the process not.
    pub wall_ns: u64,
    /// From the start of the process to where it was ready to begin, nanoseconds: what an
    /// interpreter and its libraries take. By two readings of the wall clock, so good to microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_ns: Option<u64>,
    /// What the kernel charged for the job.
    pub usage: Option<Usage>,
    /// `VmHWM` at the end.
    pub rss_bytes_peak: Option<u64>,
    /// `VmPeak` at the end.
    #[serde(default)]
    pub address_space_bytes_peak: Option<u64>,
    /// `[nanoseconds, count]` of service times.
    pub service_times_ns: Vec<(u64, u64)>,
    /// `[nanoseconds, count]` of latencies, in an open loop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latencies_ns: Option<Vec<(u64, u64)>>,
    /// How many documents were asked for before the schedule's end, in an open loop.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent_in_time: Option<u64>,
    /// What the job asked of the allocator, in a build that counts; its times mean nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocations: Option<Allocations>,
}

/// What the kernel saw of a whole process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessMeasured {
    /// From before its start to after its end, nanoseconds.
    pub wall_ns: u64,
    /// What the kernel charged it (`wait4(2)`).
    pub usage: Usage,
    /// What it returned, if it did.
    pub exit_code: Option<i32>,
    /// What ended it, if a signal did.
    pub signal: Option<i32>,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A sample of `cell` in which nothing was measured.
    pub(crate) fn sample_of(cell: &Cell, void: Option<Void>) -> Sample {
        let usage = Usage::default();
        Sample {
            schema: SAMPLE_SCHEMA,
            number: 0,
            round: 0,
            warmup: false,
            started_unix_ms: 1,
            cell: cell.clone(),
            void,
            job: None,
            process: ProcessMeasured { wall_ns: 5, usage, exit_code: None, signal: Some(9) },
            origin: None,
            network: Network::default(),
            machine: MachineMeasured::default(),
        }
    }
}
