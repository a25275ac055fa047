//! Servers of async code.

pub mod answer;
pub mod connection;
pub mod local;
pub mod loops;
pub mod multi_thread;
