//! CPU to burn, for requests that ask for it.

use std::hint::black_box;
use std::time::Duration;

use rustix::time::{ClockId, Timespec, clock_gettime};

/// Keeps this thread busy until it has used `cpu` of CPU time: by the thread's own clock, so that
/// time in which it does not run does not count.
///
/// It occupies the loop for so long, as a handler that computes does in any server.
pub fn burn(cpu: Duration) {
    if cpu.is_zero() {
        return;
    }
    let start = thread_cpu();
    while thread_cpu() - start < cpu {
        // Reading the clock is a system call: without work in between, it would all be that.
        (0..200_u64).for_each(|number| {
            black_box(number);
        });
    }
}

fn thread_cpu() -> Duration {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(tv_sec.unsigned_abs(), u32::try_from(tv_nsec).expect("below a second"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_least_what_was_asked_for_is_burnt() {
        let before = thread_cpu();
        burn(Duration::from_micros(500));
        assert!(thread_cpu() - before >= Duration::from_micros(500));
    }
}
