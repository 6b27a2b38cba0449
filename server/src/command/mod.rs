//! What each command does. All but `serve` ask the running server of the home over loopback.

mod backup;
mod client;
mod output;
mod ranges;
mod recover;
mod sql;
mod tenant;
mod verify;
mod wait;

use crate::{
    cli::{Cli, Command, Common, Serve},
    config::{Config, ConfigError},
    http::shape::{Problem, Trouble},
    serve,
};
use client::Client;
use output::Output;
use std::{io::Write, process::ExitCode};

/// Why a command did not do what it should.
#[derive(Debug)]
pub struct Failure {
    problem: Problem,
    json: bool,
}

impl Failure {
    /// What was typed cannot be meant: exit code 2.
    fn usage(message: impl Into<String>) -> Problem {
        Problem::new(USAGE, message)
    }

    /// Tells standard error and gives the exit code.
    pub fn report(&self) -> ExitCode {
        let mut stderr = std::io::stderr().lock();
        let told = if self.json {
            let trouble = Trouble {
                error: self.problem.clone(),
            };
            serde_json::to_string(&trouble).unwrap_or_else(|_| self.problem.message.clone())
        } else {
            format!("tidemark: {}", self.problem.message)
        };
        let _ = writeln!(stderr, "{told}");
        ExitCode::from(if self.problem.kind == USAGE { 2 } else { 1 })
    }
}

/// Kind of a problem with what was typed.
const USAGE: &str = "usage";
/// Kind of a problem while doing it.
const FAILED: &str = "failed";

/// Runs a command line.
pub fn run(cli: Cli) -> Result<(), Failure> {
    let json = cli.common.json;
    dispatch(cli).map_err(|problem| Failure { problem, json })
}

fn dispatch(cli: Cli) -> Result<(), Problem> {
    let Cli { common, command } = cli;
    if let Command::Serve(options) = command {
        return run_server(&common, &options);
    }
    let output = Output::new(common.json);
    // What was typed is checked before anybody is asked, so that it fails the same way everywhere.
    match command {
        Command::Serve(_) => Ok(()),
        Command::Tenant(order) => tenant::run(&common, &order, &output),
        Command::Backup(order) => backup::run(&common, &order, &output),
        Command::Recover(order) => recover::run(&common, &order, &output),
        Command::Ranges(order) => ranges::run(&common, &order, &output),
        Command::Sql(order) => sql::run(&common, &order, &output),
        Command::Verify(order) => verify::run(&common, &order, &output),
    }
}

fn run_server(common: &Common, options: &Serve) -> Result<(), Problem> {
    let failed = |error: &dyn std::fmt::Display| Problem::new(FAILED, error.to_string());
    let executable = std::env::current_exe().map_err(|error| failed(&error))?;
    let config = Config::new(common, options, &executable).map_err(|error| match error {
        ConfigError::NotAnAddress(_) | ConfigError::BeyondLoopback(_) => {
            Failure::usage(error.to_string())
        }
        ConfigError::Home { .. } | ConfigError::NoSite { .. } => failed(&error),
    })?;
    let home = config.home.clone();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| failed(&error))?;
    runtime
        .block_on(serve::serve(config, |address| {
            let mut stdout = std::io::stdout().lock();
            let _ = writeln!(
                stdout,
                "Tidemark serves http://{address} with the home {}",
                home.display()
            );
            let _ = stdout.flush();
        }))
        .map_err(|error| Problem::new(FAILED, with_causes(&error)))
}

/// An error's sentence followed by those of its causes.
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let sentence = error.to_string();
        if !text.contains(&sentence) {
            text.push_str(": ");
            text.push_str(&sentence);
        }
        cause = error.source();
    }
    text
}
