//! `nanosleep` and `clock_nanosleep`.

use std::mem::MaybeUninit;
use std::time::Duration;

use lane_hub::hub;
use libc::{TIMER_ABSTIME, c_int, clockid_t, syscall, timespec};

use crate::waits::{errno, fail, in_green, parked};

/// `nanosleep(2)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn nanosleep(wanted: *const timespec, left: *mut timespec) -> c_int {
    // SAFETY: the caller's promise.
    match unsafe { duration(wanted) } {
        Some(duration) if in_green() => sleep(duration).map_or_else(fail, |()| 0),
        // SAFETY: the caller's promise.
        _ => unsafe { syscall(libc::SYS_nanosleep, wanted, left) as c_int },
    }
}

/// `clock_nanosleep(2)`, by which `std` sleeps. It returns its error and leaves errno alone.
#[unsafe(no_mangle)]
unsafe extern "C" fn clock_nanosleep(
    clock: clockid_t,
    flags: c_int,
    wanted: *const timespec,
    left: *mut timespec,
) -> c_int {
    // SAFETY: the caller's promise.
    let wanted_duration = unsafe { duration(wanted) };
    match wanted_duration {
        Some(wanted) if in_green() && matches!(flags, 0 | TIMER_ABSTIME) => {
            let passed = if flags == 0 { Some(Duration::ZERO) } else { now(clock) };
            match passed {
                Some(passed) => sleep(wanted.saturating_sub(passed)).err().unwrap_or(0),
                None => libc::EINVAL,
            }
        }
        // SAFETY: the caller's promise.
        _ => match unsafe { syscall(libc::SYS_clock_nanosleep, clock, flags, wanted, left) } {
            ..0 => errno(),
            _ => 0,
        },
    }
}

fn sleep(duration: Duration) -> Result<(), c_int> {
    parked(|| hub::sleep(duration))
}

/// What is a time and is not negative; anything else is the kernel's to refuse.
unsafe fn duration(wanted: *const timespec) -> Option<Duration> {
    // SAFETY: the caller's promise: null, or a timespec.
    let wanted = unsafe { wanted.as_ref() }?;
    let nanoseconds = u32::try_from(wanted.tv_nsec).ok().filter(|it| *it < 1_000_000_000)?;
    Some(Duration::new(u64::try_from(wanted.tv_sec).ok()?, nanoseconds))
}

fn now(clock: clockid_t) -> Option<Duration> {
    let mut now = MaybeUninit::<timespec>::uninit();
    // SAFETY: room for one timespec, which is read only where it was filled.
    unsafe {
        match libc::clock_gettime(clock, now.as_mut_ptr()) {
            0 => duration(now.as_ptr()),
            _ => None,
        }
    }
}
