//! What a scene shows at one look, as pictures.
//!
//! Small pictures stand beside one another in place of one that has all servers: two dozen lines in one
//! frame are a tangle. All of one kind share their scales, so that what looks longer is longer.
//!
//! * [`picture`]: each request of clients at once, as a bar;
//! * [`load`]: latency over the load;
//! * [`memory`]: memory over connections;
//! * `lines`: what the last two are drawn with.

mod lines;
pub mod load;
pub mod memory;
pub mod picture;
