//! How a child is started, awaited, and ended: none of them outlives its parent.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use job::Usage;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, getpid, getppid, kill_process, kill_process_group, pidfd_open,
    set_parent_process_death_signal,
};
use rustix::thread::{CpuSet, sched_setaffinity};

use crate::interrupt::Interrupt;
use crate::variant::Variant;

/// The image that this process runs, whatever has become of its file: the kernel resolves it after
/// the fork, so that every child of a run is the same program, also when somebody builds another
/// one meanwhile (`proc_pid_exe(5)`).
pub const THIS_IMAGE: &str = "/proc/self/exe";

/// Set in the environment of every child: its first argument is a command, and not, as in a test
/// target, a word that names tests.
pub const CHILD: &str = "COMPARE_CHILD";

/// A command that starts `program` as a child of the harness.
pub fn child_of(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg0("compare").env(CHILD, "1");
    command
}

/// The program whose children lanes are.
#[derive(Debug, Clone)]
pub struct Program {
    /// Where it is.
    pub path: PathBuf,
    /// What its children find in their environment besides: where lanes that are no part of the
    /// program are told.
    pub variables: Vec<(String, String)>,
}

impl Program {
    /// The one that this process runs.
    pub fn this() -> Self {
        Program { path: PathBuf::from(THIS_IMAGE), variables: Vec::new() }
    }

    /// A command that starts the lane of this name.
    pub fn lane(&self, name: &str) -> Command {
        let mut command = child_of(&self.path);
        command.args(["lane", &Variant::told(name)]).envs(self.variables.iter().cloned());
        // A backtrace would push the panic's message out of what a person is told.
        command.env("RUST_BACKTRACE", "0");
        command
    }
}

/// A child that was started, in a process group of its own.
///
/// Dropping it kills and reaps it.
#[derive(Debug)]
pub struct Process {
    child: Child,
    pidfd: OwnedFd,
    reaped: bool,
}

/// Why [`Process::wait`] came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// The child has ended.
    Ended,
    /// The time is up.
    OutOfTime,
    /// Somebody wants the run to end.
    Interrupted,
}

/// How a child ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It returned this code.
    Exited(i32),
    /// A signal ended it.
    Signalled(i32),
}

impl std::fmt::Display for Status {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Status::Exited(code) => write!(formatter, "exit code {code}"),
            Status::Signalled(signal) => {
                let name = signal_hook::low_level::signal_name(*signal).unwrap_or("unnamed");
                write!(formatter, "signal {signal}, {name}")
            }
        }
    }
}

impl Process {
    /// Starts `command`, bound to this process: when it ends, in whatever way, the child is
    /// killed.
    ///
    /// To be called on a thread that lives as long as the child should, because for the kernel the
    /// parent is the thread, not the process (`PR_SET_PDEATHSIG(2const)`).
    ///
    /// # Errors
    ///
    /// The system cannot start the program.
    pub fn start(command: &mut Command) -> io::Result<Self> {
        Self::start_on(command, None)
    }

    /// The same, on these processors alone.
    ///
    /// # Errors
    ///
    /// The system cannot start the program, or has none of these processors.
    pub fn start_on(command: &mut Command, processors: Option<CpuSet>) -> io::Result<Self> {
        let parent = getpid();
        let bind_to_parent = move || {
            set_parent_process_death_signal(Some(Signal::KILL))?;
            if let Some(processors) = &processors {
                sched_setaffinity(None, processors)?;
            }
            // A parent that died before the line above will send no signal any more.
            if getppid() == Some(parent) { Ok(()) } else { Err(io::ErrorKind::BrokenPipe.into()) }
        };
        // A group of its own keeps a terminal's Ctrl-C from the child, so that the one who
        // decides what to do about it is the parent alone; and lets us kill what it started.
        command.process_group(0);
        // SAFETY: between fork and exec only async-signal-safe calls are allowed. The closure makes
        // three system calls, prctl, sched_setaffinity and getppid, and allocates nothing.
        unsafe { command.pre_exec(bind_to_parent) };
        let mut child = command.spawn()?;
        match pidfd_open(pid_of(&child), PidfdFlags::empty()) {
            Ok(pidfd) => Ok(Process { child, pidfd, reaped: false }),
            Err(error) => {
                child.kill()?;
                child.wait()?;
                Err(error.into())
            }
        }
    }

    /// The child's number.
    pub fn pid(&self) -> Pid {
        pid_of(&self.child)
    }

    /// The child's input and output, where they are pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Sleeps until the child has ended, `limit` is over, or an interrupt comes: one `poll(2)`,
    /// with nothing that wakes up in between.
    ///
    /// # Errors
    ///
    /// Only those of a broken system.
    pub fn wait(&self, limit: Duration, interrupt: &Interrupt) -> io::Result<Wake> {
        wait_for(&self.pidfd, limit, interrupt)
    }

    /// Asks the child alone to end: what it started is its own to end.
    pub fn terminate(&self) {
        if !self.reaped {
            // What has ended already needs no asking.
            let _ = kill_process(pid_of(&self.child), Signal::TERM);
        }
    }

    /// Kills the child and all that it started.
    pub fn kill(&mut self) {
        if !self.reaped {
            // What has ended already needs no killing.
            let _ = kill_process_group(pid_of(&self.child), Signal::KILL);
        }
    }

    /// Waits for the child's end and takes what the kernel charged it from its start.
    ///
    /// # Errors
    ///
    /// Only those of a broken system.
    pub fn reap(&mut self) -> io::Result<(Status, Usage)> {
        let mut status = 0;
        let mut usage = MaybeUninit::<libc::rusage>::zeroed();
        let pid = pid_of(&self.child).as_raw_nonzero().get();
        loop {
            // SAFETY: both pointers are to whole values of the types that wait4(2) names, and the
            // child has not been reaped, so the pid is still its own.
            let got = unsafe { libc::wait4(pid, &raw mut status, 0, usage.as_mut_ptr()) };
            if got == pid {
                break;
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
        self.reaped = true;
        // SAFETY: wait4 has filled it in, and zeroes would be valid, too.
        let usage = unsafe { usage.assume_init() };
        Ok((status_of(status), crate::child::usage_of(&usage)))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.reaped {
            self.kill();
            let _ = self.reap();
        }
    }
}

fn pid_of(child: &Child) -> Pid {
    Pid::from_child(child)
}

fn status_of(status: i32) -> Status {
    if libc::WIFSIGNALED(status) {
        Status::Signalled(libc::WTERMSIG(status))
    } else {
        Status::Exited(libc::WEXITSTATUS(status))
    }
}

/// Sleeps until `fd` is readable, `limit` is over, or an interrupt comes.
///
/// # Errors
///
/// Only those of a broken system.
pub fn wait_for(fd: &impl AsFd, limit: Duration, interrupt: &Interrupt) -> io::Result<Wake> {
    let deadline = Instant::now() + limit;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut fds = [PollFd::new(fd, PollFlags::IN), PollFd::new(interrupt, PollFlags::IN)];
        let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
        match poll(&mut fds, Some(&timeout)) {
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(_) if !fds[1].revents().is_empty() => return Ok(Wake::Interrupted),
            Ok(_) if !fds[0].revents().is_empty() => return Ok(Wake::Ended),
            Ok(_) => return Ok(Wake::OutOfTime),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::process::Stdio;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null());
        command
    }

    #[test]
    fn a_child_is_awaited_and_reaped_with_its_usage() {
        let interrupt = Interrupt::listen().unwrap();
        let mut process = Process::start(&mut shell("exit 7")).unwrap();
        assert_eq!(process.wait(LONG, &interrupt).unwrap(), Wake::Ended);
        let (status, usage) = process.reap().unwrap();
        assert_eq!(status, Status::Exited(7));
        assert!(usage.minor_faults > 0);
    }

    #[test]
    fn a_child_that_does_not_end_is_killed() {
        let interrupt = Interrupt::listen().unwrap();
        let mut process = Process::start(&mut shell("sleep 1000")).unwrap();
        let wake = process.wait(Duration::from_millis(1), &interrupt).unwrap();
        assert_eq!(wake, Wake::OutOfTime);
        process.kill();
        let (status, _) = process.reap().unwrap();
        assert_eq!(status.to_string(), "signal 9, SIGKILL");
    }

    #[test]
    fn a_child_that_is_asked_to_ends_as_it_likes() {
        let interrupt = Interrupt::listen().unwrap();
        let mut command = shell("trap 'exit 3' TERM; echo; while :; do sleep 0.01; done");
        let mut process = Process::start(command.stdout(Stdio::piped())).unwrap();
        let stdout = process.child().stdout.take().unwrap();
        assert_eq!(wait_for(&stdout, LONG, &interrupt).unwrap(), Wake::Ended);
        process.terminate();
        assert_eq!(process.wait(LONG, &interrupt).unwrap(), Wake::Ended);
        assert_eq!(process.reap().unwrap().0, Status::Exited(3));
    }

    #[test]
    fn what_a_child_started_ends_with_it() {
        let mut command = shell("sleep 1000 & echo $!; wait");
        let mut process = Process::start(command.stdout(Stdio::piped())).unwrap();
        let mut stdout = process.child().stdout.take().unwrap();
        let mut line = [0; 16];
        let count = stdout.read(&mut line).unwrap();
        assert!(count > 1);
        drop(process);
        // The grandchild holds the other end of the pipe: this returns once it is dead as well.
        assert_eq!(stdout.read(&mut line).unwrap(), 0);
    }
}
