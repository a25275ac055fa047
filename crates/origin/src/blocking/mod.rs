//! Servers whose calls block OS threads.

pub mod pool;
pub mod threads;
