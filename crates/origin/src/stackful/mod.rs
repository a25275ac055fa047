//! Servers whose calls suspend green threads.

pub mod hub;
pub mod may_minihttp;
