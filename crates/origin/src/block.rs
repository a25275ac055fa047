//! Calls that block, for requests that ask for one.

use std::thread;
use std::time::Duration;

/// Blocks this thread, as a handler does that calls something which does not know how its server
/// waits: a database's C library, a file on a slow disk, `std::thread::sleep` itself.
///
/// With a thread for each connection it is what waiting is anyway. On a loop or a hub, all who share
/// the thread are blocked: nothing is suspended, and nobody else runs meanwhile.
pub fn block(duration: Duration) {
    if !duration.is_zero() {
        thread::sleep(duration);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn nobody_goes_on_early() {
        let (start, duration) = (Instant::now(), Duration::from_micros(500));
        block(duration);
        assert!(start.elapsed() >= duration);
    }
}
