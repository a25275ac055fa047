//! What is told of a stall.

use std::fmt::{self, Display, Formatter};
use std::path::{Path, PathBuf};
use std::ptr;
use std::time::Duration;

use rustix::thread::Pid;

/// What a watchdog has to say. Each prints as a person reads it.
#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    /// A worker is in one task for longer than the limit.
    Stalled(Stall),
    /// That task has suspended or ended.
    WentOn(WentOn),
}

/// A task from which its worker does not come back. It is told once, while it lasts.
#[derive(Debug, Clone, PartialEq)]
pub struct Stall {
    /// Its OS thread: name and number.
    pub worker: String,
    /// The task.
    pub task: &'static str,
    /// For how long at least.
    pub lasts: Duration,
    /// Whether it waits or computes.
    pub doing: Doing,
    /// Where it stands, the innermost call first. Empty when the thread did not answer.
    pub stack: Vec<Frame>,
}

/// The end of a stall.
#[derive(Debug, Clone, PartialEq)]
pub struct WentOn {
    /// Its OS thread: name and number.
    pub worker: String,
    /// The task.
    pub task: &'static str,
    /// How long the worker was in it, at least; a quarter of the limit more at most.
    pub lasted: Duration,
}

/// What a thread does that does not come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// It waits in the kernel: this is a call that blocks.
    Waits,
    /// It computes, or would if there were a processor for it.
    Runs,
    /// The kernel does not say.
    Unknown,
}

impl Doing {
    pub(crate) fn of(thread: Pid) -> Self {
        let path = format!("/proc/self/task/{thread}/stat");
        let stat = std::fs::read_to_string(path).unwrap_or_default();
        // What is in parentheses is the thread's name, which may hold any.
        match stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next()) {
            Some('S' | 'D') => Doing::Waits,
            Some('R') => Doing::Runs,
            _ => Doing::Unknown,
        }
    }
}

/// A call on a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The function's name, or the address where it is not known.
    pub function: String,
    /// File and line, where they are known.
    pub place: Option<(PathBuf, u32)>,
}

/// The calls at these addresses; there may be several at one, where some are inlined.
pub(crate) fn resolve(addresses: &[usize]) -> Vec<Frame> {
    let mut frames = Vec::new();
    for &address in addresses {
        let known = frames.len();
        backtrace::resolve(ptr::with_exposed_provenance_mut(address), |symbol| {
            // The alternate form is without the hash.
            let name = symbol.name().map(|name| format!("{name:#}"));
            let place = symbol.filename().map(Path::to_path_buf).zip(symbol.lineno());
            frames.push(Frame { function: name.unwrap_or_else(|| hex(address)), place });
        });
        if frames.len() == known {
            frames.push(Frame { function: hex(address), place: None });
        }
    }
    frames
}

fn hex(address: usize) -> String {
    format!("{address:#x}")
}

/// Frames without those of whatever runs the task, where it can be told.
fn of_the_task(stack: &[Frame]) -> &[Frame] {
    let Some(beginning) = stack.iter().position(begins_a_task) else { return stack };
    let inner = &stack[..beginning];
    let last = inner.iter().rposition(|frame| !is_plumbing(frame));
    last.map_or(inner, |last| &inner[..=last])
}

/// Whether this is `blocking_style::Task::run`, of one of those that run somebody's closure. With
/// line tables alone, as in release builds here, an inlined function has its bare name, and only
/// the file tells whose it is.
fn begins_a_task(Frame { function, place }: &Frame) -> bool {
    const FILES: [&str; 2] = ["lane-hub/src/hub/join.rs", "blocking-style/src/tasks.rs"];
    let is_there = |(file, _): &(PathBuf, u32)| FILES.iter().any(|end| file.ends_with(end));
    let is_run = function.ends_with("::run") || function.starts_with("run<");
    is_run && place.as_ref().is_some_and(is_there)
}

/// Whether this is between `Task::run` and the closure: boxes, calls, the catching of panics.
fn is_plumbing(Frame { function, place }: &Frame) -> bool {
    const PARTS: [&str; 3] = ["library/core/src/", "library/alloc/src/", "library/std/src/panic"];
    let is_there =
        |(file, _): &(PathBuf, u32)| PARTS.iter().any(|part| file.to_string_lossy().contains(part));
    function == "__rust_try" || place.as_ref().is_some_and(is_there)
}

/// As short as it is clear, from where the program was started.
fn from_here(file: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    file.strip_prefix(here).map_or(file.to_path_buf(), |file| Path::new(".").join(file))
}

impl Display for Report {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Report::Stalled(stall) => stall.fmt(formatter),
            Report::WentOn(went_on) => went_on.fmt(formatter),
        }
    }
}

impl Display for Stall {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let Stall { worker, task, lasts, doing, stack } = self;
        let doing = match doing {
            Doing::Waits => "waits in the kernel",
            Doing::Runs => "computes",
            Doing::Unknown => "does not suspend",
        };
        write!(formatter, "{worker} stands still: task {task} {doing}, for {lasts:.1?} so far")?;
        for (number, Frame { function, place }) in of_the_task(stack).iter().enumerate() {
            write!(formatter, "\n{number:>4}: {function}")?;
            if let Some((file, line)) = place {
                write!(formatter, "\n             at {}:{line}", from_here(file).display())?;
            }
        }
        if stack.is_empty() {
            write!(formatter, "\n      it did not say where")?;
        }
        Ok(())
    }
}

impl Display for WentOn {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let WentOn { worker, task, lasted } = self;
        write!(formatter, "{worker} goes on: task {task} held it for {lasted:.1?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(function: &str, file: &str) -> Frame {
        Frame { function: function.to_owned(), place: Some((file.into(), 1)) }
    }

    /// As debug builds have them, and as release builds do.
    #[test]
    fn a_stack_is_told_as_far_as_it_is_the_tasks() {
        for (closure, call, run) in [
            ("app::main::{{closure}}", "core::ops::function::FnOnce::call_once", "<S as T>::run"),
            ("{closure#0}", "call_once<app::main::{closure_env#0}, ()>", "run<F, ()>"),
        ] {
            let stack = [
                frame("wait", "/rustc/1/library/core/src/lib.rs"),
                frame(closure, "/app/src/main.rs"),
                frame(call, "/rustc/1/library/core/src/ops/function.rs"),
                frame("catch_unwind", "/rustc/1/library/std/src/panic.rs"),
                frame(run, "/lab/crates/lane-hub/src/hub/join.rs"),
                frame("turn", "/lab/crates/lane-hub/src/hub/turn.rs"),
            ];
            assert_eq!(of_the_task(&stack), &stack[..2]);
            assert_eq!(of_the_task(&stack[..4]), &stack[..4]);
        }
    }
}
