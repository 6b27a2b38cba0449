//! `tidemark`: reads the command line and runs it. Exit codes: 0 done, 1 failed, 2 bad usage.

use server::command;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().collect();
    match command::parse(&arguments).and_then(command::run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
