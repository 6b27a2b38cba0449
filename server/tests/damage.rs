//! Damage and lost destinations through the commands: what they say, how they end, and what stays exact.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};
use support::{
    Server, empty_site, files, flip_byte, start, start_by, tidemark_without_privileges, wait_for,
};

/// SQL that fills table `t` with rows that do not compress to nothing.
fn fill(rows: u32) -> String {
    format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) \
         INSERT INTO t SELECT hex(randomblob(50)) FROM n"
    )
}

/// A server with a cluster and one tenant that has table `t` and a full set.
fn with_tenant(folder: &Path, rows: u32) -> Server {
    let server = start(&folder.join("home"), &empty_site(folder), &[]);
    server.create_cluster("local");
    server.json(&["tenant", "create", "ledger"]);
    server.commit("ledger", &format!("CREATE TABLE t(v); {}", fill(rows)));
    server.back_up("ledger");
    server
}

/// What a command that failed printed: its answer and its sentence.
fn failed(server: &Server, args: &[&str]) -> (Value, String) {
    let done = server.run(&[args, &["--json"]].concat());
    assert_eq!(done.status.code(), Some(1), "{args:?}: {done:?}");
    let sentence: Value = serde_json::from_slice(last_line(&done.stderr)).unwrap();
    let answer = match done.stdout.is_empty() {
        true => Value::Null,
        false => serde_json::from_slice(&done.stdout).unwrap(),
    };
    let message = sentence["error"]["message"].as_str().unwrap();
    (answer, message.to_owned())
}

/// Progress comes before it.
fn last_line(bytes: &[u8]) -> &[u8] {
    let text = bytes.trim_ascii_end();
    text.rsplit(|byte| *byte == b'\n').next().unwrap()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

#[test]
fn a_backup_that_meets_a_damaged_page_fails_and_the_command_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let server = with_tenant(folder.path(), 20_000);
    let tenants = server.json(&["tenant", "list"]);
    let file = PathBuf::from(tenants["tenants"][0]["data_file"].as_str().unwrap());
    // Once the log is copied into the file, the file has the only copy of its pages.
    let stranger = rusqlite::Connection::open(&file).unwrap();
    wait_for("the log to be copied into the file", || {
        let copy = stranger.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
        copy.is_ok() && fs::metadata(&file).unwrap().len() > 1_000_000
    });
    drop(stranger);
    flip_byte(&file, 4096 * 200 + 77);

    let order = ["backup", "--tenant", "ledger", "--full", "--wait"];
    let (answer, message) = failed(&server, &order);
    let task = &answer["tasks"][0];
    assert_eq!(task["state"], "failed", "{answer}");
    let failure = task["failure"].as_str().unwrap();
    assert!(failure.contains("page 201 of the data file"), "{failure}");
    assert!(message.contains(failure), "{message}");
    let told = server.refused(&order, 1);
    assert!(told.contains("page 201 of the data file"), "{told}");
    // The set from before is as good as ever.
    let sound = server.json(&["verify", "--tenant", "ledger"]);
    assert_eq!(sound["faults"], json!([]), "{sound}");
}

#[test]
fn a_damaged_chunk_is_named_and_an_earlier_set_takes_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let server = with_tenant(folder.path(), 500);
    let damaged = server.back_up("ledger");
    let directory = damaged["tasks"][0]["backup"]["directory"].as_str().unwrap();
    let packs = files(Path::new(directory), ".pack");
    let moment = server.commit("ledger", "DELETE FROM t WHERE rowid > 400");
    server.wait_durable("ledger", &moment);
    flip_byte(&packs[0], 20);

    let order = |new: &'static str| {
        let words = [
            "recover", "--tenant", "ledger", "--at", &moment, "--as", new,
        ];
        [&words[..], &["--wait"]].concat()
    };
    let (answer, message) = failed(&server, &order("copy"));
    assert_eq!(answer["state"], "failed", "{answer}");
    assert!(
        message.contains(&name(&packs[0])) && message.contains("checksum"),
        "{message}"
    );
    let listed = server.json(&["tenant", "list"]);
    assert_eq!(listed["tenants"].as_array().unwrap().len(), 1, "{listed}");

    let (answer, message) = failed(&server, &["verify", "--tenant", "ledger"]);
    let faults = answer["faults"].as_array().unwrap();
    assert_eq!(faults.len(), 1, "{answer}");
    assert!(
        faults[0].as_str().unwrap().contains(&name(&packs[0])),
        "{answer}"
    );
    assert!(message.contains("1 fault"), "{message}");

    // The name is free, and the set before the damaged one leads to the same moment.
    server.json(&order("copy"));
    assert_eq!(
        server.rows("copy", "SELECT count(*) FROM t"),
        json!([["400"]])
    );
}

#[test]
fn a_damaged_log_file_is_named_with_the_last_exact_moment() {
    let folder = tempfile::tempdir().unwrap();
    let server = with_tenant(folder.path(), 10);
    let mut commits = Vec::new();
    for left in [9, 8, 7] {
        let commit = format!("DELETE FROM t WHERE rowid > {left}");
        let commit = server.commit("ledger", &commit);
        server.wait_durable("ledger", &commit);
        commits.push(commit);
    }
    // Each commit was durable before the next one was made, so each has a file of its own.
    let segments = files(&folder.path().join("home/backup/local"), ".seg");
    let damaged = &segments[segments.len() - 2];
    flip_byte(damaged, 40);

    let order = |at: &str, new: &str| {
        let words = ["recover", "--tenant", "ledger", "--at", at, "--as", new];
        let words = words.into_iter().chain(["--wait"]);
        words.map(str::to_owned).collect::<Vec<_>>()
    };
    let refused = order(&commits[2], "copy");
    let refused: Vec<&str> = refused.iter().map(String::as_str).collect();
    let (_, message) = failed(&server, &refused);
    assert!(
        message.contains(&name(damaged)) && message.contains("checksum"),
        "{message}"
    );
    let exact = "The last moment that can be recovered exactly before it is ";
    let told = message
        .split(exact)
        .nth(1)
        .unwrap_or_else(|| panic!("{message}"));
    let last = told
        .split_whitespace()
        .next()
        .unwrap()
        .trim_end_matches(['.', ';', ',']);
    assert!(
        last >= commits[0].as_str() && last < commits[1].as_str(),
        "{message}"
    );

    let (answer, _) = failed(&server, &["verify"]);
    let faults = answer["faults"].to_string();
    assert!(faults.contains(&name(damaged)), "{faults}");

    // The moment it names is possible, and exact.
    let possible = order(last, "copy");
    server.json(&possible.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(
        server.rows("copy", "SELECT count(*) FROM t"),
        json!([["9"]])
    );
    wait_for("the ranges to end before the damage", || {
        let ranges = server.json(&["ranges", "--tenant", "ledger"]);
        let ranges = ranges["ranges"].as_array().unwrap().clone();
        let after = |range: &&Value| range["end"].as_str() >= Some(&commits[1]);
        !ranges
            .iter()
            .any(|range| after(&range) && range["start"].as_str() <= Some(&commits[1]))
    });
}

#[test]
fn a_destination_that_is_missing_at_the_start_is_awaited_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let server = with_tenant(folder.path(), 10);
    let before = server.commit("ledger", "DELETE FROM t WHERE rowid > 9");
    server.wait_durable("ledger", &before);
    server.stop();
    let (home, site) = (folder.path().join("home"), folder.path().join("site"));
    let (here, away) = (home.join("backup/local"), folder.path().join("unmounted"));
    fs::rename(&here, &away).unwrap();

    let server = start(&home, &site, &[]);
    let listed = server.json(&["tenant", "list"]);
    assert_eq!(listed["tenants"][0]["name"], "ledger", "{listed}");
    // Tenants go on being written, by whomever; what is asked of the destination is refused with its path.
    let file = listed["tenants"][0]["data_file"].as_str().unwrap();
    let stranger = rusqlite::Connection::open(file).unwrap();
    stranger
        .execute("DELETE FROM t WHERE rowid > 8", [])
        .unwrap();
    let path = here.display().to_string();
    for words in [
        &["verify", "--tenant", "ledger"][..],
        &[
            "recover", "--tenant", "ledger", "--at", &before, "--as", "copy", "--wait",
        ],
    ] {
        let told = server.refused(words, 1);
        assert!(told.contains(&path), "{words:?}: {told}");
    }
    assert!(!here.exists(), "it must not be made anew");

    fs::rename(&away, &here).unwrap();
    let after = server.commit_when_possible("ledger", "DELETE FROM t WHERE rowid > 7");
    server.wait_durable("ledger", &after);
    let ranges = server.json(&["ranges", "--tenant", "ledger"]);
    assert_eq!(ranges["gaps"], json!([]), "{ranges}");
    server.json(&[
        "recover", "--tenant", "ledger", "--at", &before, "--as", "copy", "--wait",
    ]);
    assert_eq!(
        server.rows("copy", "SELECT count(*) FROM t"),
        json!([["9"]])
    );
}

/// Gives or takes the right to write in `dir` and everything below it.
fn set_writable(dir: &Path, writable: bool) {
    use std::os::unix::fs::PermissionsExt;
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            set_writable(&path, writable);
        }
    }
    let mode = if writable { 0o755 } else { 0o555 };
    fs::set_permissions(dir, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_destination_that_cannot_be_written_is_told_and_makes_no_gap() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let binary = tidemark_without_privileges(folder.path());
    let server = start_by(binary, &home, &site, &[]);
    server.create_cluster("local");
    server.json(&["tenant", "create", "ledger"]);
    server.commit("ledger", "CREATE TABLE t(v); INSERT INTO t VALUES (1)");
    server.back_up("ledger");

    let destination = home.join("backup/local");
    set_writable(&destination, false);
    // The tenant itself does not suffer from it.
    let during = server.commit("ledger", "INSERT INTO t VALUES (2)");
    // As the page shows it under Log Backup Tasks.
    let console = rusqlite::Connection::open(home.join("control.db")).unwrap();
    let (mut state, mut note) = (String::new(), None::<String>);
    wait_for("log backup to be interrupted", || {
        (state, note) = console
            .query_row("SELECT state, note FROM log_archive", [], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        state == "INTERRUPTED"
    });
    let note = note.unwrap_or_default();
    assert!(
        note.contains(&destination.display().to_string())
            && note.contains("cannot be written")
            && note.contains("right to write"),
        "{note}"
    );
    let told = server.refused(&["backup", "--tenant", "ledger", "--full", "--wait"], 1);
    assert!(told.contains("log backup of tenant ledger"), "{told}");
    let ranges = server.json(&["ranges", "--tenant", "ledger"]);
    let checkpoint = ranges["checkpoint"].as_str().unwrap();
    assert!(
        checkpoint < during.as_str(),
        "only what is durable is told: {ranges}"
    );

    set_writable(&destination, true);
    server.wait_durable("ledger", &during);
    server.back_up("ledger");
    let ranges = server.json(&["ranges", "--tenant", "ledger"]);
    assert_eq!(ranges["gaps"], json!([]), "{ranges}");
    let words = [
        "recover", "--tenant", "ledger", "--at", &during, "--as", "copy",
    ];
    server.json(&[&words[..], &["--wait"]].concat());
    assert_eq!(
        server.rows("copy", "SELECT count(*) FROM t"),
        json!([["2"]])
    );
}
