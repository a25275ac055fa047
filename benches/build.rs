//! Notes what the command is built with and from, for the records that it will write.

use std::env;
use std::process::Command;

fn main() {
    let rustc = env::var("RUSTC").unwrap_or_else(|_| "rustc".into());
    tell("COMPARE_RUSTC", output(&rustc, &["--version"]));
    tell("COMPARE_COMMIT", output("git", &["rev-parse", "HEAD"]));
    tell("COMPARE_STATUS", output("git", &["status", "--porcelain"]));

    // Whatever is measured lies in one of these; the first two exist outside of a repository, too.
    let of_git = ["HEAD", "index"].map(|file| output("git", &["rev-parse", "--git-path", file]));
    let files = ["../crates", "../Cargo.lock", "."].map(|file| Some(file.to_owned()));
    for file in files.into_iter().chain(of_git).flatten() {
        println!("cargo::rerun-if-changed={file}");
    }
}

/// Hands a value to the program; where there is none, its `option_env!` is `None`.
fn tell(name: &str, value: Option<String>) {
    if let Some(value) = value {
        // Only whether there is a status counts, and a variable holds one line.
        println!("cargo::rustc-env={name}={}", value.lines().next().unwrap_or_default());
    }
}

/// What the program says, or `None` where it does not exist or fails: no repository, no git.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim_end().to_owned())
}
