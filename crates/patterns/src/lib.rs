//! Five patterns of concurrent code, blocking and async side by side, in every lane.
//!
//! Each pattern is two files of the same name, with the same functions in the same order. Open them
//! beside each other, and what differs is the model:
//!
//! ```sh
//! diff crates/patterns/src/blocking/queue.rs crates/patterns/src/asynchronous/queue.rs
//! ```
//!
//! The blocking one is compiled once and runs on OS threads, on may, on the hub and on patched green
//! threads, through [`blocking_style::Runtime`]; the async one is tokio's. To see them run, event by
//! event, in every lane or in one:
//!
//! ```sh
//! cargo run -p patterns --example show
//! cargo run -p patterns --example show -- queue stackful/hub
//! ```
//!
//! `cargo test -p patterns` plays the same [`scenes`] and asserts on what happened, in which order and
//! how often. A server answers when the scene tells it to, so nothing depends on how fast anything is.
//!
//! # What is waited for, and by whom
//!
//! | pattern | `blocking/threads` | `stackful/may` | `stackful/hub`, `hub-slab`, `patched` | `stackless/tokio`, `tokio-local` |
//! |---|---|---|---|---|
//! | `semaphore`: a task each, so many at once | a thread waits in line | a green thread does | a green thread does | a future does, in tokio's `Semaphore` |
//! | `queue`: producers, consumers, room for so many | [`blocking_style::queue()`](blocking_style::queue()) | the same | the same | tokio's `mpsc`, whose one receiver consumers share under tokio's `Mutex` |
//! | `periodic`: ticks until told to stop | the kernel times a park | an OS thread of the lane keeps alarms | the hub's timers | tokio's `interval`, to the millisecond |
//! | `as_they_arrive`: each result when it is there | `Tasks` | `Tasks` | `Tasks` | `JoinSet` |
//! | `blocking_work`: computing beside waiting | done by the thread itself | a thread for each | a thread for each | tokio's `spawn_blocking`, a pool |
//! | the same computed in place | is right | a worker stands still | everything stands still | a worker, or everything, stands still |
//!
//! `blocking/sequential` is not among them: there a task runs inside `spawn`, so the first that waits
//! for another waits for ever. `blocking/pool` does when more tasks wait for each other than it has
//! threads.
//!
//! # What differs beyond the colour
//!
//! * **Calling off.** When one request fails, each function returns at once. What it has spawned is
//!   dropped with tokio's `JoinSet`, at the `.await` where it stands. Threads and green threads cannot
//!   be dropped: they go on to their own end, or their hub's, and nobody sees their results.
//! * **Waiting for two things.** Async code waits for a tick or the stop with `select!`, whatever the
//!   two are. Blocking code needs one wait that ends for either: here, receiving with a time-out.
//! * **Locks.** `std`'s may be held in either model as long as nothing is waited for meanwhile. tokio's
//!   `Mutex` may be held across an `.await`. [`Runtime`](blocking_style::Runtime) comes with none that
//!   may be held across a suspension, and its queue has as many receivers as consumers instead.
//! * **What a task holds.** A hundred thousand tasks in line at a semaphore are as many stacks in the
//!   one model and as many small structs in the other.
//!
//! In reading order: [`blocking`] and [`asynchronous`] (the patterns), [`scenes`] (what is shown of
//! them), [`lanes`] (where they run), [`log`] and [`server`] (what the scenes are made of).

pub mod asynchronous;
pub mod blocking;
pub mod lanes;
pub mod log;
pub mod scenes;
pub mod server;
