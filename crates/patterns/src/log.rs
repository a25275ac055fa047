//! What happened, in the one order in which it did.
//!
//! Server, tasks and whoever directs them write into one list under one lock. A scene goes on when
//! something stands in it, an example prints it, and a test asserts on it: none of them asks a clock.

use std::fmt;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// After so long without what is waited for, a scene has failed, rather than to hang.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// One thing that happened. Documents go by their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A producer came up with a document.
    Produced {
        /// Which producer, from 1.
        producer: u32,
        /// What.
        id: u32,
    },
    /// A request for a document has reached the server.
    Asked(u32),
    /// The server answers; the client sees it later.
    Answered(u32),
    /// A document is with whoever wanted it.
    Taken(u32),
    /// A periodic task ticked, at the multiple of its period that this is.
    Tick(u64),
    /// The periodic task was told to stop, and has.
    Stopped,
    /// Something begins to be computed from a document.
    Computes(u32),
    /// It is computed.
    Computed(u32),
    /// Another part of the scene begins.
    Then(&'static str),
}

impl fmt::Display for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Produced { producer, id } => write!(formatter, "producer {producer} has {id}"),
            Event::Asked(id) => write!(formatter, "  {id} is asked for"),
            Event::Answered(id) => write!(formatter, "  {id} is answered"),
            Event::Taken(id) => write!(formatter, "    {id} is taken"),
            Event::Tick(number) => write!(formatter, "tick {number}"),
            Event::Stopped => formatter.write_str("stopped"),
            Event::Computes(id) => write!(formatter, "    computing from {id} …"),
            Event::Computed(id) => write!(formatter, "    … computed from {id}"),
            Event::Then(part) => formatter.write_str(part),
        }
    }
}

/// The list.
pub struct Log {
    events: Mutex<Vec<Event>>,
    added: Condvar,
    told: Box<dyn Fn(&Event) + Send + Sync>,
}

impl Log {
    /// Empty; `told` hears of each event in order.
    pub fn new(told: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Log { events: Mutex::default(), added: Condvar::new(), told: Box::new(told) }
    }

    /// Adds an event. It never waits for long, so tasks of every lane may.
    pub fn add(&self, event: Event) {
        let mut events = self.lock();
        (self.told)(&event);
        events.push(event);
        self.added.notify_all();
    }

    /// Everything so far.
    pub fn events(&self) -> Vec<Event> {
        self.lock().clone()
    }

    /// Blocks the OS thread until `is_so` of the events: for whoever directs a scene, and for work
    /// that is handed over, but never for a task of a lane.
    ///
    /// # Panics
    ///
    /// It is not so after [`PATIENCE`].
    pub fn wait_until(&self, is_so: impl Fn(&[Event]) -> bool) {
        let waits = |events: &mut Vec<Event>| !is_so(events);
        let waited = self.added.wait_timeout_while(self.lock(), PATIENCE, waits);
        let (events, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        let happened = events.clone();
        drop(events);
        assert!(!timeout.timed_out(), "waited in vain after {happened:?}");
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Event>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many of the events are such.
pub fn count(events: &[Event], is_such: impl Fn(&Event) -> bool) -> usize {
    events.iter().filter(|event| is_such(event)).count()
}

/// The documents that were asked for and not answered, in order.
pub fn unanswered(events: &[Event]) -> Vec<u32> {
    let mut waiting = Vec::new();
    for event in events {
        match event {
            Event::Asked(id) => waiting.push(*id),
            Event::Answered(id) => waiting.retain(|other| other != id),
            _ => {}
        }
    }
    waiting
}
