//! What a file of claims says.

use job::Client;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::written;

/// A file of claims.
#[derive(Debug, Clone, PartialEq)]
pub struct Ledger {
    /// Its name, for errors.
    pub file: String,
    /// Its claims, by number.
    pub claims: Vec<Claim>,
}

/// What an article says, and how to find out.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// From 1 on.
    pub number: u32,
    /// Which article says it, by what it is about.
    pub source: String,
    /// What it says, in our words.
    pub says: String,
    /// The same as what can be measured.
    pub predicts: String,
    /// Why it is as it is, in words: figures come from the record.
    pub why: String,
    /// As written first, then what is fair.
    pub experiments: Vec<Experiment>,
    /// What is drawn of it.
    pub chart: Option<GrowthChart>,
}

/// One measurement that a claim predicts.
#[derive(Debug, Clone, PartialEq)]
pub struct Experiment {
    /// What is done.
    pub what: String,
    /// Whose version of the claim it is.
    pub version: Version,
    /// Under which condition the claim is true where this holds.
    pub condition: String,
    /// What is measured for it.
    pub ratio: Ratio,
}

/// Whose version of a claim an experiment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Version {
    /// What the article did, as it did it.
    Written,
    /// One thing changed, and all else equal.
    Fair,
}

/// One side over the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Ratio {
    /// What is above the line.
    pub of: Side,
    /// What is below it.
    pub over: Over,
    /// What it should be.
    pub predicts: Prediction,
}

/// What is below the line.
#[derive(Debug, Clone, PartialEq)]
pub enum Over {
    /// Another cell, or the same by another measure.
    Side(Side),
    /// So many milliseconds.
    Milliseconds(f64),
}

/// One measure of one cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Side {
    /// What is measured.
    pub measure: Measure,
    /// Of what.
    pub place: Place,
    /// Where the ledger says so, counted from 1.
    pub line: usize,
}

/// What is measured: a lane that asks, or a server that answers.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// In a record of lanes.
    Lane(LanePlace),
    /// In a record of servers.
    Server(ServerPlace),
}

/// A lane's cell, or all that it has of a workload.
#[derive(Debug, Clone, PartialEq)]
pub struct LanePlace {
    /// The workload's name.
    pub workload: String,
    /// Where in it.
    pub at: At,
    /// What speaks HTTP.
    pub client: Client,
    /// The lane's id.
    pub lane: String,
}

/// A server's cell, without clients that are slow.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerPlace {
    /// The scene's name.
    pub scene: String,
    /// The handler's name.
    pub handler: String,
    /// How many clients ask; left out where the scene has one number, or holds connections.
    pub clients: Option<u64>,
    /// The rate as a part of the server's ceiling, percent, where there are such.
    pub percent: Option<u32>,
    /// The server's id.
    pub server: String,
}

/// Where in a workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// At one point; the concurrency is left out where it follows from the documents.
    Point {
        /// N.
        documents: u64,
        /// C.
        concurrency: Option<u64>,
    },
    /// Over all points: what one more document takes.
    EachDocument,
}

/// What is measured of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// The job's wall time; of clients, until the last answer.
    Wall,
    /// The whole process, from before its start to after its end: an interpreter's start is in it.
    ProcessWall,
    /// Its CPU time, user and system; of a server, that of all its processes.
    Cpu,
    /// Its CPU time in user mode.
    UserCpu,
    /// The process' peak resident memory, all that is in it.
    Rss,
    /// Documents per second.
    Throughput,
    /// The median of its service times.
    ServiceTime,
    /// Their 99th percentile.
    ServiceTimeP99,
    /// What all processes of a server hold for themselves alone, at the end.
    Memory,
    /// What that grows by with one more connection.
    MemoryEach,
}

impl Measure {
    /// As tables call it.
    pub fn name(self) -> &'static str {
        match self {
            Measure::Wall => "wall",
            Measure::ProcessWall => "wall of the process",
            Measure::Cpu => "CPU",
            Measure::UserCpu => "user CPU",
            Measure::Rss => "RSS",
            Measure::Throughput => "docs/s",
            Measure::ServiceTime => "service time p50",
            Measure::ServiceTimeP99 => "service time p99",
            Measure::Memory => "memory",
            Measure::MemoryEach => "memory a connection",
        }
    }

    /// What it is measured in: a ratio is of two measures in one unit.
    pub fn unit(self) -> &'static str {
        match self {
            Measure::Rss | Measure::Memory => "MiB",
            Measure::MemoryEach => "KiB",
            Measure::Throughput => "/s",
            _ => "ms",
        }
    }

    /// Whether there is such a measure there.
    pub(super) fn is_of(self, place: &Place) -> bool {
        match self {
            Measure::ProcessWall | Measure::UserCpu | Measure::Rss => {
                matches!(place, Place::Lane(_))
            }
            Measure::Memory | Measure::MemoryEach => matches!(place, Place::Server(_)),
            _ => true,
        }
    }
}

impl Place {
    /// The lane's id or the server's.
    pub(super) fn id(&self) -> &str {
        match self {
            Place::Lane(place) => &place.lane,
            Place::Server(place) => &place.server,
        }
    }

    /// What there are records of.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Place::Lane(_) => "lanes",
            Place::Server(_) => "servers",
        }
    }
}

/// What a ratio should be: from one value to another, either of which may be open.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Prediction {
    /// At least so much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least: Option<f64>,
    /// At most so much.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most: Option<f64>,
}

/// Time over documents of some lanes, to be taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrowthChart {
    /// The workload's name.
    pub workload: String,
    /// One line each.
    pub lines: Vec<GrowthLine>,
}

/// One lane of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GrowthLine {
    /// The lane's id.
    pub lane: String,
    /// What speaks HTTP.
    pub client: Client,
}

/// Why a file of claims is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{file}:{line}: {why}")]
pub struct LedgerError {
    /// The file's name.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong, and what would be right.
    pub why: String,
}

impl Ledger {
    /// Reads the text of `file`, which is only named in errors.
    ///
    /// # Errors
    ///
    /// Not TOML, a key that is not ours, a claim that says too little or contradicts itself.
    pub fn read(file: &str, text: &str) -> Result<Self, LedgerError> {
        written::read(file, text)
    }

    /// Every side of every ratio.
    pub fn sides(&self) -> impl Iterator<Item = &Side> {
        let experiments = self.claims.iter().flat_map(|claim| &claim.experiments);
        let ratios = experiments.map(|experiment| &experiment.ratio);
        ratios.flat_map(|ratio| match &ratio.over {
            Over::Side(over) => vec![&ratio.of, over],
            Over::Milliseconds(_) => vec![&ratio.of],
        })
    }
}
