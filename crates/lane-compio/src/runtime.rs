//! How tasks start and wait on compio.

use std::fs;
use std::io;

use compio::driver::{DriverType, ProactorBuilder};
use compio::runtime::{Runtime, RuntimeBuilder};
use rustix::io::Errno;

/// How much can be submitted in one system call; compio's default, spelled out. More waits for the
/// next call. The kernel's queue of completions has twice as many places, and grows where it must.
const RING_ENTRIES: u32 = 1024;

/// What says whether the system allows rings: 0 to all, 1 to some, 2 to nobody.
const SWITCH: &str = "/proc/sys/kernel/io_uring_disabled";

/// Everything on the thread that calls `block_on`, and on a ring of io_uring.
///
/// # Errors
///
/// The kernel refuses a ring. The error says why, and what to do.
pub fn local() -> io::Result<Runtime> {
    let mut driver = ProactorBuilder::new();
    driver
        .capacity(RING_ENTRIES)
        // A build in which somebody else turns on compio's epoll would choose between the two.
        .driver_type(DriverType::IoUring);
    let runtime = RuntimeBuilder::new().with_proactor(driver).build();
    runtime.map_err(|error| told(&error, &fs::read_to_string(SWITCH).unwrap_or_default()))
}

/// The same error with its cause, as far as `switch` and the error tell, and what to do.
fn told(error: &io::Error, switch: &str) -> io::Error {
    let fix = match (Errno::from_io_error(error), switch.trim()) {
        (Some(Errno::MFILE | Errno::NFILE), _) => "raise `ulimit -n`",
        (Some(Errno::NOMEM), _) => "raise `ulimit -l`",
        (_, "1" | "2") => "set `sysctl kernel.io_uring_disabled=0`",
        (Some(Errno::PERM | Errno::ACCESS), _) => {
            "a sandbox forbids it; start the container with a seccomp profile that allows \
             io_uring_setup, io_uring_enter and io_uring_register, or with \
             `--security-opt seccomp=unconfined`"
        }
        _ => {
            "it takes Linux 5.11 or later with CONFIG_IO_URING, and in a container a seccomp profile \
             that allows io_uring_setup"
        }
    };
    io::Error::new(error.kind(), format!("no io_uring here ({error}): {fix}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_has_no_ring_is_told_what_to_do() {
        let told = |errno: Errno, switch: &str| told(&errno.into(), switch).to_string();
        assert!(told(Errno::PERM, "2\n").ends_with(": set `sysctl kernel.io_uring_disabled=0`"));
        assert!(told(Errno::PERM, "0\n").ends_with("`--security-opt seccomp=unconfined`"));
        assert!(told(Errno::NOSYS, "").contains("Linux 5.11 or later"));
        assert!(told(Errno::MFILE, "2\n").ends_with("raise `ulimit -n`"));
        assert_eq!(
            told(Errno::NOMEM, "0\n"),
            "no io_uring here (Cannot allocate memory (os error 12)): raise `ulimit -l`"
        );
    }
}
