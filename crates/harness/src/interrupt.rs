//! Ctrl-C as something to wait for.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level::pipe;

/// Whether somebody wants the run to end: SIGINT, SIGTERM or SIGHUP has come.
///
/// The signal writes to a socket (the self-pipe trick), because a wait that looks at a flag
/// before it sleeps misses what comes in between.
#[derive(Debug)]
pub struct Interrupt {
    received: UnixStream,
}

impl Interrupt {
    /// From here on these signals no longer end the process.
    ///
    /// # Errors
    ///
    /// The system has no descriptor left.
    pub fn listen() -> io::Result<Self> {
        let (received, sent) = UnixStream::pair()?;
        for signal in [SIGINT, SIGTERM, SIGHUP] {
            pipe::register(signal, sent.try_clone()?)?;
        }
        Ok(Interrupt { received })
    }

    /// Whether one has come. It stays so: nobody reads the socket.
    pub fn has_come(&self) -> bool {
        let mut fds = [PollFd::new(&self.received, PollFlags::IN)];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        matches!(poll(&mut fds, Some(&now)), Ok(1..))
    }
}

impl AsFd for Interrupt {
    /// Readable once one has come.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.received.as_fd()
    }
}
