//! The command `compare`, but for its pipeline, which is `compare.rs`, and its lanes, which are
//! `lanes.rs`.
//!
//! In reading order:
//!
//! * [`lanes`]: the registration, one line a lane;
//! * [`elsewhere`]: the lane that is in a program of its own;
//! * [`registry`]: lanes that are programs, in whatever language;
//! * [`servers`]: servers that are programs, too;
//! * [`environments`]: what those are run with;
//! * [`mod@others`]: setting it up;
//! * [`cli`]: what can be said on the command line;
//! * [`mod@enter`]: which of its faces the program shows;
//! * [`choice`]: options as workloads, lanes, a plan;
//! * [`allocations`]: what a job asks of the allocator, in a build that counts;
//! * [`progress`]: what a person sees meanwhile;
//! * [`mod@print`]: tables, JSON, Markdown, lists;
//! * [`page`]: a record as one page for a browser;
//! * [`again`]: a run with the options of an earlier one;
//! * [`mod@demo`]: sync-looking code run asynchronously, to be watched;
//! * [`claims`]: what the articles say, held against a record;
//! * [`records`]: commands over whole records;
//! * [`mod@publish`]: a record as it may leave the machine;
//! * [`serving`]: servers in place of lanes;
//! * [`markers`], [`mod@splice`] and [`splice_servers`]: parts of a page that are made from records;
//! * [`verify`]: every cell under `cargo test`;
//! * [`verify_servers`]: and every server that is a program.

pub mod again;
pub mod allocations;
pub mod choice;
pub mod claims;
pub mod cli;
pub mod demo;
pub mod elsewhere;
pub mod enter;
pub mod environments;
pub mod lanes;
pub mod markers;
pub mod others;
pub mod page;
pub mod print;
pub mod progress;
pub mod publish;
pub mod records;
pub mod registry;
pub mod servers;
pub mod serving;
pub mod splice;
pub mod splice_servers;
pub mod verify;
pub mod verify_servers;

pub use choice::Choice;
pub use cli::RunOptions;
pub use enter::{Door, Misuse, enter};
pub use lanes::LANES;
