//! The registration: one line a lane.

use job::Lane;

/// Every lane that is compared, in the order of the tables.
pub const LANES: &[Lane] = &[
    lane_threads::SEQUENTIAL,
    lane_threads::POOL,
    lane_threads::THREADS,
    lane_may::MAY,
    lane_hub::HUB,
    lane_hub::HUB_SLAB,
    lane_hub::HUB_PER_CORE,
    lane_tokio::TOKIO,
    lane_tokio::TOKIO_LOCAL,
];

/// Further rows, which run where a workload asks for other lanes: the same job with async/await on
/// runtimes that are not tokio.
pub const PEERS: &[Lane] = &[lane_smol::SMOL, lane_compio::COMPIO];
