//! What stays blocking under the patch, made visible:
//!
//! ```sh
//! cargo run --release -p lane-patched --example stays_blocking
//! ```
//!
//! Five tasks, one after the other, each wait for something of which the hub learns nothing: a lock, a
//! file, a child process, a signal, a system call past the C library. A sixth computes. Each is let go
//! when the watchdog has told where it stands, so nothing here ends by itself.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use lane_cases::{STALLINGS, Stalling};
use lane_hub::hub::{self, Config};
use watchdog::Watchdog;

/// For how long the hub may not turn.
const LIMIT: Duration = Duration::from_millis(10);

fn main() -> io::Result<()> {
    for make in STALLINGS {
        let stalling = make()?;
        println!("\n== {}", stalling.what);
        show(stalling)?;
    }
    Ok(())
}

fn show(Stalling { what, begin, end, .. }: Stalling) -> io::Result<()> {
    let (sender, told) = mpsc::channel();
    let watchdog = Watchdog::start(LIMIT, move |report| {
        println!("{report}");
        let _ = sender.send(());
    })?;
    let ends = thread::spawn(move || {
        let _ = told.recv();
        end();
    });
    let done = watchdog.watch(|| {
        lane_patched::run(Config::default(), move || {
            hub::spawn_named(what, begin).map(|task| task.join().expect("it does not panic"))
        })
    });
    ends.join().expect("it does not panic");
    done?.expect("it does not panic")
}
