//! When to end.

use std::io::{self, Read};
use std::sync::mpsc;
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// The reasons to end, listened for from the moment that this exists: before the origin says that
/// it is ready, because whoever reads that may end it at once, and before connections take the
/// descriptors that listening needs.
#[derive(Debug)]
pub struct End {
    reasons: mpsc::Receiver<()>,
}

impl End {
    /// Listens for Ctrl-C and SIGTERM, and for the end of standard input if `with_parent`.
    ///
    /// A parent holds the other end of the pipe; the system closes it when the parent ends,
    /// however that happens. `PR_SET_PDEATHSIG` would do less: it fires when the parent's *thread*
    /// ends.
    ///
    /// # Errors
    ///
    /// The system has no thread or descriptor left.
    pub fn listen(with_parent: bool) -> io::Result<Self> {
        let (reason, reasons) = mpsc::channel();
        if with_parent {
            let reason = reason.clone();
            spawn("parent", move || {
                wait_for_parent();
                // Only the first reason is waited for.
                let _ = reason.send(());
            })?;
        }
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        spawn("signals", move || {
            signals.forever().next();
            let _ = reason.send(());
        })?;
        Ok(End { reasons })
    }

    /// Blocks until there is a reason to end.
    pub fn wait(&self) {
        // Without listeners there would be nothing left to wait for.
        let _ = self.reasons.recv();
    }
}

/// Reads what the parent may write and forgets it.
fn wait_for_parent() {
    let mut ignored = [0; 512];
    loop {
        match io::stdin().read(&mut ignored) {
            Ok(1..) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => return,
        }
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name(name.to_owned()).spawn(run).map(drop)
}
