//! Ctrl-C as something to wait for.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level::pipe;

/// Whether somebody wants the run to end: SIGINT, SIGTERM or SIGHUP has come.
///
/// The signal writes to a socket (the self-pipe trick), because a wait that looks at a flag
/// before it sleeps misses what comes in between.
#[derive(Debug)]
pub struct Interrupt {
    received: UnixStream,
    /// Without its other end the socket would be readable, too.
    _sent: UnixStream,
}

impl Interrupt {
    /// From here on these signals no longer end the process.
    ///
    /// One that is ignored already stays so: that is what `nohup` asks for.
    ///
    /// # Errors
    ///
    /// The system has no descriptor left.
    pub fn listen() -> io::Result<Self> {
        let (received, sent) = UnixStream::pair()?;
        for signal in [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| !is_ignored(*signal)) {
            pipe::register(signal, sent.try_clone()?)?;
        }
        Ok(Interrupt { received, _sent: sent })
    }

    /// Whether one has come. It stays so: nobody reads the socket.
    pub fn has_come(&self) -> bool {
        self.comes_within(Duration::ZERO)
    }

    /// Sleeps until one has come, for `limit` at most, and says whether it has.
    pub fn comes_within(&self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let timeout = Timespec::try_from(left).expect("a limit is no longer than a clock");
            let mut fds = [PollFd::new(&self.received, PollFlags::IN)];
            match poll(&mut fds, Some(&timeout)) {
                // The signal itself wakes the poll that waits for what its handler writes.
                Err(Errno::INTR) => {}
                seen => return matches!(seen, Ok(1..)),
            }
        }
    }
}

fn is_ignored(signal: i32) -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: nothing is set, and the pointer is to a whole `sigaction`, which the call fills in,
    // and which is valid as zeroes, too, should it not.
    let action = unsafe {
        libc::sigaction(signal, std::ptr::null(), action.as_mut_ptr());
        action.assume_init()
    };
    action.sa_sigaction == libc::SIG_IGN
}

impl AsFd for Interrupt {
    /// Readable once one has come.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.received.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_is_ignored_is_known() {
        // Rust's own start ignores this one.
        assert!(is_ignored(libc::SIGPIPE));
        assert!(!is_ignored(libc::SIGUSR2));
    }

    #[test]
    fn nothing_has_come_before_a_signal() {
        let interrupt = Interrupt::listen().unwrap();
        assert!(!interrupt.has_come());
        assert!(!interrupt.comes_within(Duration::from_millis(1)));
    }

    #[test]
    fn what_has_come_is_not_waited_for_again() {
        let interrupt = Interrupt::listen().unwrap();
        // As a signal's handler does.
        (&interrupt._sent).write_all(b"!").unwrap();
        for _ in 0..2 {
            assert!(interrupt.comes_within(Duration::from_secs(3_600)) && interrupt.has_come());
        }
    }
}
