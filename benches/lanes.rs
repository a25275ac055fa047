//! The registration: one line a lane.

use job::Lane;

/// Every lane that is compared, in the order of the tables.
pub const LANES: &[Lane] = &[];
