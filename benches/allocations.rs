//! What a job asks of the allocator, in a build that counts.
//!
//! `--features count-allocations` puts counters in front of the system's allocator. They cost time
//! in every allocation, most in lanes with several threads, whose processors pass the counters to
//! and fro. So nobody times such a build, and a record of one says so.

use harness::child::AllocationCounter;

/// The feature, in a build that counts.
pub const FEATURE: Option<&str> =
    if cfg!(feature = "count-allocations") { Some("count-allocations") } else { None };

/// How the counters are asked, in a build that counts.
#[cfg(not(feature = "count-allocations"))]
pub const COUNTER: Option<AllocationCounter> = None;

/// How the counters are asked, in a build that counts.
#[cfg(feature = "count-allocations")]
pub const COUNTER: Option<AllocationCounter> =
    Some(AllocationCounter { reset: counting::reset, read: counting::read });

/// No crate that was looked at does this: `stats_alloc` knows no peak, `peak_alloc` no count,
/// `allocation-counter` one thread only, and `dhat` takes a backtrace of every allocation.
#[cfg(feature = "count-allocations")]
mod counting {
    use std::alloc::{GlobalAlloc, Layout, System};
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    use job::Allocations;

    #[global_allocator]
    static ALLOCATOR: Counting = Counting;

    /// The system's allocator, counted.
    struct Counting;

    static COUNT: AtomicU64 = AtomicU64::new(0);
    static BYTES: AtomicU64 = AtomicU64::new(0);
    /// In use now, since the start of the process.
    static LIVE: AtomicU64 = AtomicU64::new(0);
    static LIVE_PEAK: AtomicU64 = AtomicU64::new(0);
    static LIVE_AT_RESET: AtomicU64 = AtomicU64::new(0);

    pub fn reset() {
        COUNT.store(0, Relaxed);
        BYTES.store(0, Relaxed);
        let live = LIVE.load(Relaxed);
        LIVE_AT_RESET.store(live, Relaxed);
        LIVE_PEAK.store(live, Relaxed);
    }

    pub fn read() -> Allocations {
        let peak = LIVE_PEAK.load(Relaxed);
        Allocations {
            count: COUNT.load(Relaxed),
            bytes: BYTES.load(Relaxed),
            live_bytes_peak: peak.saturating_sub(LIVE_AT_RESET.load(Relaxed)),
        }
    }

    fn took(bytes: usize) {
        let bytes = bytes as u64;
        COUNT.fetch_add(1, Relaxed);
        BYTES.fetch_add(bytes, Relaxed);
        let live = LIVE.fetch_add(bytes, Relaxed) + bytes;
        LIVE_PEAK.fetch_max(live, Relaxed);
    }

    fn gave_back(bytes: usize) {
        LIVE.fetch_sub(bytes as u64, Relaxed);
    }

    // SAFETY: each method hands its arguments to the system's allocator as they are and returns
    // what that one returns, so the contract that the caller keeps with us is the one we keep with
    // it. What is done beside are atomic additions, which neither allocate nor unwind.
    unsafe impl GlobalAlloc for Counting {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            // SAFETY: the caller's promise about the layout is passed on.
            let pointer = unsafe { System.alloc(layout) };
            if !pointer.is_null() {
                took(layout.size());
            }
            pointer
        }

        unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
            // SAFETY: the caller's promise about the layout is passed on. The default would write
            // the zeroes itself, and so touch pages that the system gives out untouched.
            let pointer = unsafe { System.alloc_zeroed(layout) };
            if !pointer.is_null() {
                took(layout.size());
            }
            pointer
        }

        unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
            gave_back(layout.size());
            // SAFETY: the pointer came from the system's allocator with this layout, through us.
            unsafe { System.dealloc(pointer, layout) };
        }

        unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
            // SAFETY: the pointer came from the system's allocator with this layout, through us,
            // and the caller's promise about the size is passed on.
            let grown = unsafe { System.realloc(pointer, layout, size) };
            if !grown.is_null() {
                took(size.saturating_sub(layout.size()));
                gave_back(layout.size().saturating_sub(size));
            }
            grown
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        /// Other tests allocate at the same time, so that no figure is known exactly.
        #[test]
        fn what_is_asked_for_is_counted_and_the_peak_outlives_it() {
            const BYTES: usize = 1 << 30;
            reset();
            drop(std::hint::black_box(Vec::<u8>::with_capacity(BYTES)));
            let counted = read();
            assert!(counted.count >= 1 && counted.bytes >= BYTES as u64, "{counted:?}");
            assert!(counted.live_bytes_peak >= BYTES as u64 - (1 << 28), "{counted:?}");
        }
    }
}
