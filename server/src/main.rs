//! `tidemark`: reads the command line and runs it. Exit codes: 0 done, 1 failed, 2 bad usage.

use clap::Parser;
use server::{cli::Cli, command};
use std::process::ExitCode;

fn main() -> ExitCode {
    match command::run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
