//! How the tests start the command, and look at what it leaves.

use std::fs::{self, File};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use harness::Recorded;
use libtest_mimic::{Failed, Trial};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// Makes the program something else than this test: `command`, or `bench` for the bench target.
pub const DOOR: &str = "END_TO_END_DOOR";
/// Which lanes the program has: `sound`, `wrong`, `registered`, or all of the odd ones.
pub const LANES: &str = "END_TO_END_LANES";

/// Two small workloads: with a wait that a promise can be checked in, and without.
pub const WORKLOADS: &str = r#"
[[workload]]
name = "waits"
shows = "What waiting costs, in as few documents as will do and with a paragraph that is longer than any line of a terminal should be."
documents = 12
concurrency = [2, 4]
delay_us = 20_000
in_flight_least = 1.0

[[workload]]
name = "works"
shows = "What work costs."
documents = [3, 30]
concurrency = 3
"#;

/// A folder of its own for a test, gone at its end.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = format!("compare-end-to-end-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("w.toml"), WORKLOADS).unwrap();
        Scratch(folder)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// `compare run` on the small workloads, with the record in this folder.
    pub fn run(&self, arguments: &str) -> Command {
        let mut command = program();
        command.arg("run").arg("--file").arg(self.path("w.toml"));
        command.arg("--record").arg(self.path("record"));
        // Whoever runs tests may do other things meanwhile.
        command.arg("--load-limit=100").args(arguments.split_whitespace());
        command
    }

    pub fn recorded(&self) -> Recorded {
        harness::record::read(&self.path("record")).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// This program as `compare`, with nothing in its environment that changes what it prints.
pub fn program() -> Command {
    program_at(&std::env::current_exe().unwrap())
}

/// The same from another file.
pub fn program_at(path: &Path) -> Command {
    let mut command = Command::new(path);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env_remove("NO_COLOR").env(DOOR, "command").env_remove(LANES);
    command
}

/// What the command said, and with which code it ended.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }
}

pub fn said(command: &mut Command) -> Said {
    command.output().unwrap().into()
}

/// The command on a terminal of this size, and the end at which that is read.
pub fn on_terminal(command: &mut Command, columns: u16, rows: u16) -> (Child, File) {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&terminal, size).unwrap();
    let other_end: OwnedFd =
        ioctl_tiocgptpeer(&terminal, OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    let child = command.stdout(Stdio::from(other_end)).spawn().unwrap();
    // The other end must be closed here, or the last read would wait for it.
    command.stdout(Stdio::null());
    (child, File::from(terminal))
}

/// A test by this name.
pub fn trial(name: &str, test: fn()) -> Trial {
    Trial::test(name, move || {
        test();
        Ok::<(), Failed>(())
    })
}

/// The lines of a text that are wider than `width` characters.
pub fn wider_than(text: &str, width: usize) -> Vec<&str> {
    text.lines().filter(|line| line.chars().count() > width).collect()
}

/// The row of a lane in a table, by the group that it stands in.
pub fn row<'a>(table: &'a str, group: &str, lane: &str) -> &'a str {
    let mut lines = table.lines().skip_while(|line| !line.trim_start().starts_with(group));
    lines.find(|line| line.trim_start().starts_with(lane)).unwrap_or_default()
}

pub fn exists(path: &Path) -> bool {
    path.try_exists().unwrap()
}
