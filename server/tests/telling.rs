//! What the program tells, against the real binary: JSON wherever it is asked for, causes in the log,
//! secrets nowhere; and a start that can be ended.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
};
use support::{empty_site, log_of, sentence, start, tidemark, wait_for};

fn serve(folder: &Path, more: &[&str]) -> Command {
    let mut command = tidemark(&["serve", "--listen", "127.0.0.1:0"]);
    command.arg("--home").arg(folder.join("home"));
    command.arg("--site").arg(empty_site(folder)).args(more);
    command
}

fn terminate(process: &Child) {
    let pid = Pid::from_raw(i32::try_from(process.id()).unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
}

#[test]
fn a_database_address_that_cannot_be_meant_is_refused_without_telling_it() {
    let folder = tempfile::tempdir().unwrap();
    for more in [&[][..], &["--json"]] {
        let url = ["--database", "postgress://bob:hunter2@db.example/tidemark"];
        let done = serve(folder.path(), &[&url, more].concat())
            .output()
            .unwrap();
        let told = sentence(&done, 2);
        assert!(
            told.contains("--database") && told.contains("postgres://"),
            "{told}"
        );
        assert!(!told.contains("hunter2") && !told.contains("bob"), "{told}");
    }
    assert!(!folder.path().join("home").exists());
}

#[test]
fn a_database_that_cannot_be_opened_is_told_with_its_cause_and_without_its_password() {
    let folder = tempfile::tempdir().unwrap();
    let url = "postgres://bob:hunter2@127.0.0.1:99999/tidemark";
    let done = serve(folder.path(), &["--database", url]).output().unwrap();
    let told = sentence(&done, 1);
    assert!(
        told.contains("PostgreSQL") && told.contains("cannot be parsed"),
        "{told}"
    );
    assert!(!told.contains("hunter2") && !told.contains("bob"), "{told}");
}

#[test]
fn a_signal_ends_a_start_that_waits_for_its_database() {
    let folder = tempfile::tempdir().unwrap();
    // Accepts connections and never says a word.
    let database = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "mysql://bob:hunter2@{}/tidemark",
        database.local_addr().unwrap()
    );
    let mut server = serve(folder.path(), &["--database", &url])
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _held = database.accept().unwrap();
    terminate(&server);
    let status = server.wait().unwrap();
    assert!(
        status.success(),
        "it ended as asked, not because it failed: {status}"
    );
}

#[test]
fn serve_announces_itself_in_json_when_asked_to() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = serve(folder.path(), &["--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    terminate(&server);
    assert!(server.wait().unwrap().success());
    let told: Value = serde_json::from_str(&line).unwrap();
    assert!(
        told["url"]
            .as_str()
            .unwrap()
            .starts_with("http://127.0.0.1:")
    );
    assert!(told["home"].as_str().unwrap().ends_with("home"));
}

#[test]
fn what_cannot_be_read_on_the_command_line_is_told_in_json_when_asked_to() {
    for typed in [
        &["backup", "--json"][..],
        &["--json", "no-such-command"],
        &["tenant", "list", "--json", "--bogus"],
    ] {
        let done = tidemark(typed).output().unwrap();
        assert_eq!(done.status.code(), Some(2), "{typed:?}");
        let told: Value = serde_json::from_slice(&done.stderr).unwrap();
        assert_eq!(told["error"]["kind"], "usage", "{told}");
        assert!(done.stdout.is_empty());
    }
    let help = tidemark(&["--json", "--help"]).output().unwrap();
    assert!(help.status.success() && help.stderr.is_empty());
}

#[test]
fn the_cause_of_a_fault_inside_is_in_the_log_and_an_unknown_cluster_names_the_known() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let server = start(&home, &site, &["--demo"]);
    let told = server.refused(&["tenant", "list", "--cluster", "elsewhere"], 1);
    assert!(
        told.contains("\"elsewhere\"") && told.contains("local"),
        "{told}"
    );
    let database = rusqlite::Connection::open(home.join("control.db")).unwrap();
    database
        .busy_timeout(std::time::Duration::from_secs(10))
        .unwrap();
    database
        .execute_batch("ALTER TABLE audit RENAME TO gone")
        .unwrap();
    let told = server.refused(&["sql", "orders", "SELECT 1"], 1);
    assert!(told.contains("recording the audit"), "{told}");
    wait_for("the cause in the log", || {
        log_of(&home).contains("no such table")
    });
}
