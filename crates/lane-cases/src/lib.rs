//! The lanes' common test: what a server can do to a client, and what must come of it.
//!
//! ```text
//!                            ┌─ plain, chunked, gzip, redirect, TLS, slow, silent, broken off, …
//!   client, in any lane ──► OddServer ──► what came ─┐
//!                                                    ├─► the same, or a line for each that is not
//!   battery ────────────────► what must come ────────┘
//! ```
//!
//! [`OddServer`] answers over plain TCP and over TLS in every way that a client meets in the
//! wild, politely or not. [`run_all`] sends the sync-looking [`fetch`](fn@blocking_style::fetch)
//! through all of them on one runtime. Each lane's tests call it, and since what must come of each
//! case is written once, here, the lanes agree with each other by agreeing with it.
//!
//! [`run_up_to`] does the same with any other client, as far as that goes: the raw ones in every
//! lane, and hyper in async code.
//!
//! [`run_open_loop`] does open-loop jobs in a whole lane, against a [`HoldingServer`], and
//! [`check_try_join_next`] asks a runtime for what the open loop needs of it.
//!
//! [`run_timeline`] looks at a whole lane request by request, and at what it tells.
//!
//! [`run_stalls`] blocks a worker in all the ways of which its runtime learns nothing, and asks whether
//! a watchdog tells.
//!
//! No case measures time. Where a time-out must strike, the server stays silent for as long as the
//! connection lives.

mod battery;
mod holding;
mod open_loop;
mod server;
mod stalls;
mod timeline;
mod tls;

pub use battery::{Asks, CASES, Case, run_all, run_up_to};
pub use holding::HoldingServer;
pub use open_loop::{check_try_join_next, run_open_loop, run_open_loop_dealt};
pub use server::OddServer;
pub use stalls::{STALLINGS, Stalling, run_stalls};
pub use timeline::{run_timeline, run_timeline_dealt};
