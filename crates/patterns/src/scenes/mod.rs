//! The patterns at work: in each scene a lane runs one, a server answers when it is told, and what
//! happens stands in a [`Log`], in an order that the server's answers decide.
//!
//! An example prints the log, and the tests assert on it.

use std::sync::Arc;

use job::LaneError;

use crate::lanes::Lane;
use crate::log::Log;

pub mod as_they_arrive;
pub mod blocking_work;
pub mod periodic;
pub mod queue;
pub mod semaphore;

/// One pattern, and what is to be seen of it.
#[derive(Clone, Copy)]
pub struct Scene {
    /// The name of its files.
    pub name: &'static str,
    /// What to look for.
    pub shows: &'static str,
    /// Plays it in a lane, and returns at its end.
    pub play: fn(&Lane, &Arc<Log>) -> Result<(), LaneError>,
}

/// All of them, in reading order.
pub const SCENES: &[Scene] =
    &[semaphore::SCENE, queue::SCENE, periodic::SCENE, as_they_arrive::SCENE, blocking_work::SCENE];
