//! The contract that every part of this laboratory shares. It holds no I/O.
//!
//! ```text
//!               Job  (JSON on stdin)
//!   harness ──────────────────────────►  lane process
//!                                          │  GET N documents, at most C in flight
//!                                          │  Document::parse each
//!                                          ▼  fold them into one Answer
//!   harness ◄──────────────────────────  Outcome  (JSON on stdout)
//! ```
//!
//! In reading order:
//!
//! * [`document`]: what is fetched, and how it is parsed;
//! * [`corpus`]: the documents that an origin serves, made from a seed or taken from files;
//! * [`answer`]: the mergeable summary, and what it must be;
//! * [`arrivals`]: when the documents of an open-loop job are due;
//! * [`tally`]: what a lane folds fetched documents into, an answer and its service times;
//! * [`share`]: a job dealt to several workers;
//! * [`protocol`]: [`Job`] and [`Outcome`] as they travel between processes;
//! * [`timeline`]: when each request did what, where somebody looks;
//! * [`lane`]: what a lane is, as data.
//!
//! ```
//! use job::{Answer, Client, Corpus, Document, Job};
//!
//! let corpus = Corpus::generated(7, 1_500, 10)?;
//! let mut answer = Answer::new(3);
//! for (_id, body) in corpus.iter() {
//!     answer.add(body.len() as u64, &Document::parse(body)?);
//! }
//! let job = Job { top: 3, ..Job::new("http://127.0.0.1:80", &corpus, 10, 2, Client::Raw) };
//! assert_eq!(answer, Answer::expected(&job, &corpus)?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod answer;
pub mod arrivals;
pub mod corpus;
pub mod document;
pub mod lane;
pub mod protocol;
pub mod share;
pub mod tally;
pub mod timeline;

pub use answer::Answer;
pub use arrivals::{Arrivals, Process, Schedule};
pub use corpus::{Corpus, CorpusError};
pub use document::Document;
pub use lane::{Lane, Needs};
pub use protocol::{
    Allocations, Client, Completed, DOCUMENT_PATH, Job, JobError, Outcome, OutcomeResult,
    PROTOCOL_VERSION, Usage,
};
pub use share::Share;
pub use tally::{FetchError, Fetched, LaneError, OnSchedule, OpenLoop, Tally};
pub use timeline::{Request, Timeline};
