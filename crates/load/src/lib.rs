//! Load: the clients of a server that is measured, in a process of their own, on the runtime and the
//! exchange of the tokio lane.
//!
//! ```text
//!  at once   t ──┬─ connect, ask, wait ─────────► answer     each of so many clients asks once
//!                ├─ connect, ask, wait ──► answer
//!                └─ …
//!  closed    client ─ ask ─► answer, ask ─► answer, …        the next when the last has come
//!  open      schedule ─ due ─ due ── due ─ … ─► ask          whether or not anything has come:
//!                         └──── latency ────► answer         what is late counts from when it was due
//!  held      connect, ask ─► answer, and stay                idle connections, or ones that wait
//!
//!  beside    slow clients, who send one byte a second; one request whose handler blocks
//! ```
//!
//! An open loop has no coordinated omission (Gil Tene, "How NOT to Measure Latency"): a server that
//! stalls is asked all the same, and every request that was due meanwhile shows the stall. Its
//! moments are those of [`job::Arrivals`], kept by a timer of the kernel's, since tokio's counts in
//! milliseconds.
//!
//! Every body is compared with the document that it should be, byte by byte, and nothing is parsed:
//! clients that cost little leave the machine to the server.
//!
//! In reading order:
//!
//! * [`order`]: what to do, and what came of it, as a line of JSON each;
//! * [`mod@child`]: the process;
//! * `site`: where the server is, and what it should answer;
//! * `connection`: one request and its answer;
//! * `seen`: what is kept of them;
//! * `at_once`, `closed`, `open`, `held`: the kinds of load;
//! * `slow`: who is in the way meanwhile;
//! * `alarm`: a timer as exact as the kernel's.

mod alarm;
mod at_once;
pub mod child;
mod closed;
mod connection;
mod held;
mod open;
pub mod order;
mod seen;
mod site;
mod slow;

pub use order::{Blocker, Held, Load, Order, Outcome, Report};
