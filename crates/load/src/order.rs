//! What clients are to do, and what came of it: a line of JSON each.

use job::{Process, Request};
use serde::{Deserialize, Serialize};

/// What to do: the first line on standard input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Scheme, host and port.
    pub url: String,
    /// Path and query, with `{id}` for the document's.
    pub path: String,
    /// The documents that are asked for in turn.
    pub documents: Vec<Expected>,
    /// Who asks, and when.
    pub load: Load,
    /// So many clients more, who send a byte of their request a second all the while.
    #[serde(default)]
    pub slow: u64,
    /// How long answers are awaited after the last was asked for, milliseconds.
    pub patience_ms: u64,
}

/// One document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// Its id.
    pub id: u32,
    /// What must come, byte by byte.
    pub body: String,
}

/// Who asks, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Load {
    /// So many clients at the same moment, each with a connection of its own and one request.
    AtOnce {
        /// How many.
        clients: u64,
    },
    /// Each client asks again when its last answer has come, on the same connection while it is kept.
    Closed {
        /// How many.
        clients: u64,
        /// For how long they go on asking, milliseconds.
        for_ms: u64,
    },
    /// Requests are due at a rate, whether or not anything has come.
    Open {
        /// How arrivals are spread.
        process: Process,
        /// How many are due in a second.
        rate: u64,
        /// What random arrivals are made from.
        seed: u64,
        /// For how long there are any, milliseconds.
        for_ms: u64,
        /// The most connections; beyond that, requests wait for one, and are late.
        connections_most: u64,
        /// One more request, which keeps its handler busy.
        #[serde(default)]
        blocker: Option<Blocker>,
    },
    /// Connections that stay, in steps: after each, a [`Report::Held`] is written and a line read.
    Held {
        /// How many there are to be after each step.
        steps: Vec<u64>,
        /// Whether each waits for its answer, in place of having had one.
        waiting: bool,
    },
}

/// A request that keeps its handler busy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blocker {
    /// Its path and query.
    pub path: String,
    /// How long after the start it is sent, milliseconds.
    pub after_ms: u64,
}

/// What is written on standard output, one a line; the outcome is the last.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// A step of [`Load::Held`] is done.
    Held(Held),
    /// All is done.
    Outcome(Box<Outcome>),
    /// It could not begin.
    Failed(String),
}

/// Connections that stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// How many were opened.
    pub connections: u64,
    /// How many of them the server has not closed.
    pub open: u64,
}

/// What the clients saw. Times are nanoseconds, and pairs are `[value, count]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// From the first request to the last answer.
    pub wall_ns: u64,
    /// Requests that brought their document.
    pub answered: u64,
    /// Requests that brought something else.
    pub failed: u64,
    /// Requests without an answer when patience was over.
    pub unanswered: u64,
    /// Why the first of those failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// From before a request is sent, a fresh connection's handshake included, to its last byte.
    pub service_times_ns: Vec<(u64, u64)>,
    /// From when a request was due, in an open loop.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub latencies_ns: Vec<(u64, u64)>,
    /// How late the clients themselves were to send, in an open loop.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub late_ns: Vec<(u64, u64)>,
    /// How long the request that blocks took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocker_ns: Option<u64>,
    /// Connections that were opened, those of slow clients left out.
    pub connections: u64,
    /// CPU time of the clients' process meanwhile, microseconds.
    pub cpu_us: u64,
    /// Each request, where all came at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requests: Vec<Request>,
}

impl Order {
    /// As it is told.
    pub fn line(&self) -> String {
        serde_json::to_string(self).expect("an order is made of JSON's types") + "\n"
    }
}

impl Report {
    /// As it is told.
    pub fn line(&self) -> String {
        serde_json::to_string(self).expect("a report is made of JSON's types") + "\n"
    }
}
