//! The command `compare`.
