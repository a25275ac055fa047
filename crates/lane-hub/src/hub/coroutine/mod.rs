//! A stack that can be left and entered again: the narrow face behind which the hub keeps the
//! library that switches stacks.
//!
//! ```text
//!   hub's stack        coroutine's stack (fixed size, mapped, touched pages only)
//!   ┌─────────┐        ┌──────────────────┐ high
//!   │ turn    │ resume │ task.run()       │
//!   │  resume ├───────►│  …  read()       │
//!   │         │◄───────┤     suspend()    │  registers saved here
//!   └─────────┘        │        ▼         │
//!                      ├──────────────────┤
//!                      │ guard page       │  an overflow faults here
//!                      └──────────────────┘ low
//! ```
//!
//! Two libraries stand behind it, in two files to be read side by side: `generator.rs` maps each
//! stack by itself, `corosensei.rs` has them from one [`slab`](super::slab).

use std::io;
use std::rc::Rc;
use std::sync::Arc;

use blocking_style::Task;
use blocking_style::runtime::Payload;

use super::slab::Slab;
use super::{Config, Stacks};

mod corosensei;
mod generator;

/// Where stacks come from.
pub enum Source {
    /// Each is mapped by itself, with this many bytes.
    Generator(usize),
    /// Each is carved from this slab.
    Corosensei(Rc<Slab>),
}

impl Source {
    /// What `stacks` names.
    ///
    /// # Errors
    ///
    /// As [`Slab::new`].
    pub fn new(stacks: Stacks, config: &Config) -> io::Result<Self> {
        Ok(match stacks {
            Stacks::Mapped => Source::Generator(config.stack_bytes),
            Stacks::Slab { most } => Source::Corosensei(Slab::new(config.stack_bytes, most)?),
        })
    }

    /// A coroutine with a new stack and without a task.
    ///
    /// # Errors
    ///
    /// The system maps no more memory, or the slab has no more stacks.
    pub fn coroutine(&self) -> io::Result<Coroutine> {
        let kind = match self {
            Source::Generator(bytes) => Kind::Generator(generator::Coroutine::new(*bytes)?),
            Source::Corosensei(slab) => Kind::Corosensei(corosensei::Coroutine::new(slab)?),
        };
        Ok(Coroutine(Box::new(kind)))
    }
}

/// A stack, and the task that runs on it.
///
/// Boxed, because it goes from idle to running and back for each task: a pointer is moved, however
/// much the libraries keep.
pub struct Coroutine(Box<Kind>);

enum Kind {
    Generator(generator::Coroutine),
    Corosensei(corosensei::Coroutine),
}

impl Coroutine {
    /// Puts `task` on the stack, whose last one has ended. It runs when it is resumed.
    pub fn begin(&mut self, task: Arc<dyn Task>) {
        match &mut *self.0 {
            Kind::Generator(coroutine) => coroutine.begin(task),
            Kind::Corosensei(coroutine) => coroutine.begin(task),
        }
    }

    /// Enters the task's stack until it suspends or ends.
    pub fn resume(&mut self) -> Resumed {
        match &mut *self.0 {
            Kind::Generator(coroutine) => coroutine.resume(),
            Kind::Corosensei(coroutine) => coroutine.resume(),
        }
    }

    /// Gives up a stack that overflowed. Values without an owner may point into it, so it is
    /// leaked: neither unmapped nor used again.
    pub fn abandon(self) {
        std::mem::forget(self);
    }
}

/// What came of a [`Coroutine::resume`].
pub enum Resumed {
    /// It called [`suspend`] and can be resumed.
    Suspended,
    /// Its task returned; the stack can serve another.
    Ended,
    /// Its stack overflowed. Nothing on it was unwound, and it must not be entered again.
    ///
    /// What it held at that instant stays held. In its own code that is its own affair; if the
    /// last page was reached inside the allocator or inside the hub, their locks and cells stay
    /// taken, and the process cannot go on. No guard page can do better.
    Lost(Payload),
}

/// Why a task has no result of its own.
const OVERFLOWED: &str = "its stack overflowed";

/// Leaves the current coroutine's stack for the one that resumed it.
///
/// # Panics
///
/// Outside a coroutine.
pub fn suspend() {
    if !corosensei::suspend() {
        generator::suspend();
    }
}
