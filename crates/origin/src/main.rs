//! The origin as a command of its own.

use std::process::ExitCode;

use clap::Parser;

/// Serves the documents that lanes fetch, with the delay, size and CPU that each request asks for.
#[derive(Debug, Parser)]
#[command(version)]
struct Cli {
    #[command(flatten)]
    options: origin::Options,
}

fn main() -> ExitCode {
    match origin::run(&Cli::parse().options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            origin::tell(&error.to_string());
            ExitCode::FAILURE
        }
    }
}
