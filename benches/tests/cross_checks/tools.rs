//! Finding the others' programs, and running them.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{env, fs};

use compare_cli::verify::MUST_RUN;
use harness::memory::Memory;
use harness::process::{Process, Status, Wake};
use libtest_mimic::{Completion, Trial};

use crate::setting::{LIMIT, interrupt};

/// What a test needs and is not there, and how to get it.
#[derive(Debug)]
pub struct Missing(pub String);

/// A test that needs something of the machine, which `find` finds.
pub fn trial_with<T: 'static>(
    name: &str,
    find: fn() -> Result<T, Missing>,
    test: impl FnOnce(T) + Send + 'static,
) -> Trial {
    let must_run = env::var_os(MUST_RUN).is_some_and(|value| !value.is_empty());
    Trial::ignorable_test(name, move || match find() {
        Ok(found) => {
            test(found);
            Ok(Completion::Completed)
        }
        Err(Missing(why)) if must_run => Err(format!("{why}, and {MUST_RUN} is set").into()),
        Err(Missing(why)) => Ok(Completion::ignored_with(why)),
    })
}

/// A program of this name, from the Debian package of the same name.
pub fn installed(name: &str) -> Result<PathBuf, Missing> {
    installed_by(name, &format!("apt-get install {name}"))
}

/// A program of this name, and how to get it where it is not.
pub fn installed_by(name: &str, how: &str) -> Result<PathBuf, Missing> {
    let folders = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&folders)
        .map(|folder| folder.join(name))
        .find(|path| fs::metadata(path).is_ok_and(|metadata| metadata.is_file()));
    found.ok_or_else(|| Missing(format!("{name} is not installed: {how}")))
}

/// Shows a figure of ours beside theirs, between the test's name and its verdict.
pub fn tell(line: &str) {
    print!("\n    {line} ");
}

/// Runs a tool, bound to this thread, and gives what it wrote on standard output.
pub fn output_of(command: &mut Command) -> String {
    let (output, errors) = (Memory::holding("").unwrap(), Memory::holding("").unwrap());
    command.stdin(Stdio::null());
    command.stdout(output.stdio().unwrap()).stderr(errors.stdio().unwrap());
    let mut process = Process::start(command).unwrap();
    let wake = process.wait(LIMIT, interrupt()).unwrap();
    assert_eq!(wake, Wake::Ended, "{command:?}");
    let (status, _) = process.reap().unwrap();
    let (output, errors) = (output.text().unwrap(), errors.text().unwrap());
    assert_eq!(status, Status::Exited(0), "{command:?}: {output}{errors}");
    output
}
