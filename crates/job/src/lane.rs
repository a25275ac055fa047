//! What a lane is: data with a function.

use crate::tally::LaneError;
use crate::{Client, Job, Tally};

/// One way to do the job, as the harness knows it.
///
/// A lane does all of the job and nothing else. It starts and ends its own runtime inside
/// [`run`](Lane::run), honours the job's concurrency, and knows nothing of who measures it.
#[derive(Clone, Copy)]
pub struct Lane {
    /// `model/name`, where the model is `blocking`, `stackful` or `stackless`; or `other` for what is
    /// no part of the exhibit, whatever its model.
    pub id: &'static str,
    /// How it waits, in a few words.
    pub waits: &'static str,
    /// What it stands for in the articles that this laboratory answers.
    pub mirrors: &'static str,
    /// What it can speak HTTP with.
    pub clients: &'static [Client],
    /// What it takes to do a job: spelled out, never a library's silent default.
    pub needs: fn(&Job) -> Needs,
    /// Does the job.
    pub run: fn(&Job) -> Result<Tally, LaneError>,
}

impl Lane {
    /// The part of the id before the slash.
    pub fn model(&self) -> &'static str {
        self.id.split_once('/').map_or(self.id, |(model, _)| model)
    }
}

impl std::fmt::Debug for Lane {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.id)
    }
}

/// What a lane takes of the system for one job, so that a job it cannot hold is refused at the
/// start and not when it is half done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// The most requests that it keeps in flight.
    pub in_flight: u64,
    /// OS threads, the first one included.
    pub threads: u64,
    /// Bytes of address space for each task's stack; 0 when tasks have none.
    pub stack_bytes: u64,
    /// The most connections that it holds open.
    pub connections: u64,
    /// File descriptors beside connections: epoll, eventfd and the standard three.
    pub other_descriptors: u64,
    /// Memory mappings for stacks and their guards.
    pub mappings: u64,
}
