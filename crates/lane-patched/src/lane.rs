//! The job on patched green threads, as a lane.

use std::sync::Arc;

use blocking_style::tasks::describe;
use blocking_style::{Client, Runtime, do_job};
use job::{Job, Lane, LaneError, Tally};
use lane_hub::STACK_BYTES;
use lane_hub::hub::Config;

use crate::runtime::Patched;

/// The blocking lanes' code and sockets, on green threads.
///
/// It must be the only lane of its program: whatever else is linked with it is patched, too.
pub const PATCHED: Lane = Lane {
    id: "stackful/patched",
    waits: "a green thread parks in the C library's recv",
    mirrors: "gevent.monkey.patch_all()",
    clients: job::Client::BOTH,
    // What it holds is what the hub holds.
    needs: |job| (lane_hub::HUB.needs)(job),
    run,
};

fn run(job: &Job) -> Result<Tally, LaneError> {
    let config = Config {
        stack_bytes: STACK_BYTES,
        stacks_kept: usize::try_from(job.in_flight_most()).unwrap_or(usize::MAX),
    };
    let job = job.clone();
    let done = crate::run(config, move || {
        let runtime: Arc<dyn Runtime> = Arc::new(Patched);
        let client = Client::new(&runtime, &job);
        do_job(&runtime, &client, &job)
    })
    .map_err(|source| LaneError::Runtime { doing: "start the hub", source })?;
    done.unwrap_or_else(|payload| Err(LaneError::Task(describe(payload.as_ref()))))
}
