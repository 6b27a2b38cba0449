//! What each command does. Most ask the running server of the home over loopback.

mod admin;
mod alert;
mod audit;
mod backup;
mod cleanup;
mod client;
mod output;
mod ranges;
mod rebuild;
mod recover;
mod sql;
mod storage;
mod strategy;
mod task;
mod tenant;
mod user;
mod verify;
mod wait;

use crate::{
    cli::{Admin, Cli, Command, Common, Serve},
    config::{Config, ConfigError},
    http::shape::{Problem, Serving, Trouble},
    serve,
};
use clap::{CommandFactory, FromArgMatches, parser::ValueSource};
use client::Client;
use output::Output;
use std::{ffi::OsString, io::Write, path::Path, process::ExitCode, time::Duration};

/// How long work that does not listen may go on once the server has ended.
const LEFTOVER_MAX: Duration = Duration::from_secs(3);

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
            let request = self
                .problem
                .request
                .as_ref()
                .filter(|_| self.problem.kind == "internal");
            let request = request.map_or_else(String::new, |id| {
                format!(" (request {id} in the server's log)")
            });
            format!("tidemark: {}{request}", self.problem.message)
        };
        let _ = writeln!(stderr, "{told}");
        ExitCode::from(if self.problem.kind == USAGE { 2 } else { 1 })
    }
}

/// Kind of a problem with what was typed.
const USAGE: &str = "usage";
/// Kind of a problem while doing it.
const FAILED: &str = "failed";

/// Reads a command line. With `--json` what is wrong with it is told as JSON too.
pub fn parse(arguments: &[OsString]) -> Result<Cli, Failure> {
    let read = Cli::command()
        .try_get_matches_from(arguments)
        .and_then(|matches| {
            let mut cli = Cli::from_arg_matches(&matches)?;
            cli.common.cluster_is_named =
                matches.value_source("cluster") == Some(ValueSource::CommandLine);
            Ok(cli)
        });
    read.map_err(|error| {
        let mut options = arguments.iter().take_while(|argument| *argument != "--");
        let json = options.any(|argument| argument == "--json");
        if !json || !error.use_stderr() {
            error.exit();
        }
        Failure {
            problem: Failure::usage(one_line(&error.to_string())),
            json,
        }
    })
}

/// The paragraphs of a message about usage as one line.
fn one_line(message: &str) -> String {
    let paragraphs = message.trim_start_matches("error: ").trim().split("\n\n");
    let lines = paragraphs.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.collect::<Vec<_>>().join("; ")
}

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
        Command::User(order) => user::run(&common, &order, &output),
        Command::Audit(order) => audit::run(&common, &order, &output),
        Command::Tenant(order) => tenant::run(&common, &order, &output),
        Command::Backup(order) => backup::run(&common, &order, &output),
        Command::Recover(order) => recover::run(&common, &order, &output),
        Command::Ranges(order) => ranges::run(&common, &order, &output),
        Command::Sql(order) => sql::run(&common, &order, &output),
        Command::Verify(order) => verify::run(&common, &order, &output),
        Command::Alert(order) => alert::run(&common, &order, &output),
        Command::Channel(order) => alert::channel(&common, &order, &output),
        Command::Task(order) => task::run(&common, &order, &output),
        Command::History(order) => task::history(&common, &order, &output),
        Command::Strategy(order) => strategy::run(&common, &order, &output),
        Command::Storage(order) => storage::run(&common, &order, &output),
        Command::Admin(Admin::Rebuild(order)) => rebuild::run(&common, &order, &output),
        Command::Admin(order) => admin::run(&common, &order, &output),
        Command::Cleanup(order) => cleanup::run(&common, &order, &output),
    }
}

fn run_server(common: &Common, options: &Serve) -> Result<(), Problem> {
    let failed = |error: &dyn std::fmt::Display| Problem::new(FAILED, error.to_string());
    let executable = std::env::current_exe().map_err(|error| failed(&error))?;
    let config = Config::new(common, options, &executable).map_err(|error| match error {
        ConfigError::Reach(_) | ConfigError::Database => Failure::usage(error.to_string()),
        ConfigError::Home { .. } | ConfigError::NoSite { .. } => failed(&error),
    })?;
    let (home, json, reach) = (config.home.clone(), common.json, config.reach.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| failed(&error))?;
    let served = runtime.block_on(serve::serve(config, |address, link| {
        announce(reach.url(address), &home, link, json);
    }));
    // A disk that does not answer must not keep the process.
    runtime.shutdown_timeout(LEFTOVER_MAX);
    served.map_err(|error| Problem::new(FAILED, control::chain(&error)))
}

/// Tells standard output where pages can be opened, and how the first administrator is made; with `--json`
/// in one line.
fn announce(url: String, home: &Path, first_run: Option<String>, json: bool) {
    let serving = Serving {
        url,
        home: home.display().to_string(),
        first_run,
    };
    let line = if json {
        serde_json::to_string(&serving).unwrap_or_default()
    } else {
        announced(&serving)
    };
    let mut stdout = std::io::stdout().lock();
    let _ = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
}

fn announced(serving: &Serving) -> String {
    let Serving {
        url,
        home,
        first_run,
    } = serving;
    let mut text = format!("Tidemark serves {url} with the home {home}");
    if let Some(link) = first_run {
        text.push_str(&format!(
            "\nIt has no user yet. Open this link within a day to make the first administrator:\n  {link}"
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreadable_command_line_becomes_one_line_that_names_what_is_wrong() {
        let typed = ["tidemark", "backup", "--json"].map(OsString::from);
        let failure = parse(&typed).unwrap_err();
        let Problem { kind, message, .. } = failure.problem;
        assert_eq!((kind.as_str(), failure.json), (USAGE, true));
        assert!(message.contains("--tenant <TENANT>"), "{message}");
        assert!(
            !message.contains('\n') && !message.starts_with("error"),
            "{message}"
        );
    }
}
