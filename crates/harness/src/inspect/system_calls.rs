//! System calls by name, as `strace -c -f` counts them.
//!
//! ```text
//!  harness ──► lane process, from the start the harness' own child and bound to it
//!     ▲             ▲
//!     │ pipe        │ ptrace
//!     └───────── strace, which has left between the two (`-D`) and ends with the lane
//! ```
//!
//! Without `-D` the lane would be strace's child, and outlive both when the harness is killed.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::pipe::{PipeFlags, pipe_with};
use serde::{Deserialize, Serialize};

use crate::interrupt::Interrupt;
use crate::process::{THIS_IMAGE, Wake, wait_for};

/// Calls of one name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calls {
    /// All of them.
    pub calls: u64,
    /// Those that returned an error; `EAGAIN` is one.
    pub errors: u64,
}

/// What to do where there is no strace.
pub const ABSENT: &str = "strace is not installed (apt-get install strace)";

/// Whether strace can be started.
pub fn is_there() -> bool {
    let mut command = Command::new("strace");
    command.arg("-V").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Where strace will write, once it has counted.
#[derive(Debug)]
pub struct Summary(OwnedFd);

impl Summary {
    /// A command that does what `lane` does under strace, and what strace will say.
    ///
    /// # Errors
    ///
    /// No descriptor.
    pub fn of(lane: &Command) -> io::Result<(Command, Self)> {
        // Only we hold the reading end, and strace opens the other by our descriptor's name: the
        // lane inherits nothing, and the end of strace is the end of the text.
        let (reader, _) = pipe_with(PipeFlags::CLOEXEC)?;
        let own = format!("/proc/{}", std::process::id());
        let mut command = Command::new("strace");
        command.args(["-D", "-f", "-qq", "-c", "-o", &format!("{own}/fd/{}", reader.as_raw_fd())]);
        // In strace, its own image would be strace.
        let this = lane.get_program() == THIS_IMAGE;
        let image = PathBuf::from(own).join("exe");
        command.arg(if this { image.as_os_str() } else { lane.get_program() });
        command.args(lane.get_args());
        command.envs(lane.get_envs().filter_map(|(name, value)| Some((name, value?))));
        Ok((command, Summary(reader)))
    }

    /// What strace says once the lane has ended: nothing, where it was killed or could not trace.
    ///
    /// # Errors
    ///
    /// Only those of a broken system.
    pub fn read(self, interrupt: &Interrupt) -> io::Result<BTreeMap<String, Calls>> {
        /// How long strace may take to sum up.
        const LIMIT: Duration = Duration::from_secs(10);
        let deadline = Instant::now() + LIMIT;
        let mut reader = std::fs::File::from(self.0);
        let mut text = Vec::new();
        let mut bytes = [0; 4096];
        while wait_for(&reader, deadline.saturating_duration_since(Instant::now()), interrupt)?
            == Wake::Ended
        {
            match reader.read(&mut bytes)? {
                0 => break,
                count => text.extend(&bytes[..count]),
            }
        }
        Ok(parse(&String::from_utf8_lossy(&text)))
    }
}

/// The table of `strace -c`: `% time, seconds, usecs/call, calls, errors, syscall`, where the
/// errors' column is empty for calls that had none.
fn parse(text: &str) -> BTreeMap<String, Calls> {
    text.lines().filter_map(row).collect()
}

fn row(line: &str) -> Option<(String, Calls)> {
    let fields: Vec<_> = line.split_whitespace().collect();
    let (name, calls, errors) = match fields[..] {
        [_, _, _, calls, name] => (name, calls, "0"),
        [_, _, _, calls, errors, name] => (name, calls, errors),
        _ => return None,
    };
    // The head and the lines below it have no numbers.
    let calls = Calls { calls: calls.parse().ok()?, errors: errors.parse().ok()? };
    (name != "total").then(|| (name.to_owned(), calls))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Program;
    use crate::variant::Variant;

    const TABLE: &str = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 75.16    0.012357        2471         5         2 wait4
  0.00    0.000000           0         7           read
  0.00    0.000000           0         1         1 access
------ ----------- ----------- --------- --------- ----------------
100.00    0.000000           0        13         3 total
";

    #[test]
    fn calls_and_errors_are_read_by_name() {
        let calls = |calls, errors| Calls { calls, errors };
        let read = parse(TABLE);
        let expected = [("access", calls(1, 1)), ("read", calls(7, 0)), ("wait4", calls(5, 2))];
        assert_eq!(read, expected.map(|(name, calls)| (name.to_owned(), calls)).into());
    }

    #[test]
    fn what_is_no_table_has_no_calls() {
        assert!(parse("").is_empty());
        assert!(
            parse("strace: attach: ptrace(PTRACE_SEIZE, 7): Operation not permitted").is_empty()
        );
    }

    #[test]
    fn the_program_itself_is_named_by_its_process() {
        let (command, _) = Summary::of(&Program::this().lane("a/b")).unwrap();
        let arguments: Vec<_> = command.get_args().map(|word| word.to_str().unwrap()).collect();
        let image = format!("/proc/{}/exe", std::process::id());
        assert_eq!(
            arguments[arguments.len() - 3..],
            [&image, "lane", Variant::told("a/b").as_str()]
        );
    }
}
