//! The commands about backup strategies against the real binary.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::{Value, json};
use std::path::Path;
use support::{Server, empty_site, start, tidemark};

/// Runs a command that has to fail, and gives what it said.
fn refused(server: &Server, args: &[&str]) -> String {
    let mut command = tidemark(args);
    let output = command.arg("--home").arg(&server.home).output().unwrap();
    assert!(!output.status.success(), "{args:?} did not fail");
    String::from_utf8(output.stderr).unwrap()
}

/// The text of a command that succeeds.
fn text(server: &Server, args: &[&str]) -> String {
    let mut command = tidemark(args);
    let output = command.arg("--home").arg(&server.home).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

fn write(file: &Path, value: &Value) -> String {
    std::fs::write(file, value.to_string()).unwrap();
    file.to_str().unwrap().to_owned()
}

#[test]
fn a_strategy_is_made_changed_paused_and_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let server = start(&home, &site, &["--demo"]);
    let file = folder.path().join("strategy.json");

    let none = refused(&server, &["strategy", "show"]);
    assert!(
        none.contains("no backup strategy of cluster local"),
        "{none}"
    );
    let mut wanted = server.json(&["strategy", "template"]);
    assert_eq!(wanted["rev"], Value::Null);
    assert_eq!(wanted["settings"]["schedule"]["at"], "02:00");
    wanted["settings"]["schedule"]["zone"] = json!("Europe/Berlin");
    wanted["settings"]["schedule"]["days"] = json!({"1": "incremental", "7": "full"});
    let path = write(&file, &wanted);
    let preview = server.json(&["strategy", "preview", &path]);
    assert_eq!(preview["next"].as_array().unwrap().len(), 5);
    let saved = server.json(&["strategy", "set", &path]);
    let again = server.json(&["strategy", "set", &path]);
    assert_eq!(saved["rev"], again["rev"]);

    let shown = server.json(&["strategy", "show"]);
    assert_eq!(shown["settings"], saved["settings"]);
    assert_eq!(shown["status"], "Pending Backup Scheduling");
    assert_eq!(shown["next"], preview["next"]);
    let shown_text = text(&server, &["strategy", "show"]);
    for part in [
        "Mon Incremental, Sun Full",
        "Europe/Berlin",
        "Next runs:",
        "Keep backups for",
    ] {
        assert!(shown_text.contains(part), "{part}: {shown_text}");
    }

    // What `show` prints can be changed and given back.
    let mut changed = shown.clone();
    changed["settings"]["thresholds"]["no_success_days"] = json!(8);
    let path = write(&file, &changed);
    let done = server.json(&["strategy", "set", &path]);
    assert_eq!(
        done["changes"],
        json!(["No successful data backup: 9 days -> 8 days"])
    );
    changed["settings"]["thresholds"]["no_success_days"] = json!(7);
    let late = refused(&server, &["strategy", "set", &write(&file, &changed)]);
    assert!(
        late.contains("9 days -> 8 days") && late.contains("Nothing of yours"),
        "{late}"
    );

    changed["settings"]["schedule"]["days"] = json!({});
    changed["settings"]["storage"]["capacity_percent"] = json!(101);
    let wrong = refused(&server, &["strategy", "set", &write(&file, &changed)]);
    for part in ["Scheduling days", "Capacity alert threshold \"101\""] {
        assert!(wrong.contains(part), "{wrong}");
    }
    let unread = refused(
        &server,
        &["strategy", "set", &write(&file, &json!({"settings": 1}))],
    );
    assert!(unread.contains("template"), "{unread}");

    assert_eq!(server.json(&["strategy", "pause"])["status"], "Paused");
    assert_eq!(
        server.json(&["strategy", "resume"])["status"],
        "Pending Backup Scheduling"
    );
    let deleted = server.json(&["strategy", "delete"]);
    assert_eq!(deleted["notes"], json!([]));
    refused(&server, &["strategy", "show"]);
}

#[test]
fn a_directory_is_tested_step_by_step_and_storages_have_names() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let server = start(&home, &site, &["--demo"]);
    let copies = folder.path().join("copies");
    std::fs::create_dir(&copies).unwrap();

    let directory = copies.to_str().unwrap();
    let passed = server.json(&["strategy", "test-storage", directory, "--second"]);
    assert_eq!(
        (&passed["passed"], &passed["empty"]),
        (&json!(true), &json!(true))
    );
    assert!(passed["steps"].as_array().unwrap().len() > 3, "{passed}");
    assert_eq!(
        std::fs::read_dir(&copies).unwrap().count(),
        0,
        "something was left behind"
    );

    std::fs::write(copies.join("letter.txt"), "not a backup").unwrap();
    let full = refused(
        &server,
        &["strategy", "test-storage", directory, "--second"],
    );
    assert!(full.contains("empty"), "{full}");
    let missing = folder.path().join("no/where");
    let failed = refused(
        &server,
        &["strategy", "test-storage", missing.to_str().unwrap()],
    );
    assert!(failed.contains("failed at"), "{failed}");
    let relative = refused(&server, &["strategy", "test-storage", "here"]);
    assert!(
        relative.contains("Storage directory") && relative.contains("whole path"),
        "{relative}"
    );

    let list = server.json(&["strategy", "storages"]);
    assert_eq!(list["storages"][0]["name"], "local");
    assert_eq!(list["storages"][0]["first_of"], json!(["local"]));
    let renamed = server.json(&["strategy", "rename-storage", "local", "harbor"]);
    assert_eq!(renamed["storages"][0]["name"], "harbor");
    let mut template = server.json(&["strategy", "template"]);
    assert_eq!(template["settings"]["storage"]["name"], "harbor");

    // What a strategy uses stays; what nobody uses any more can go.
    std::fs::remove_file(copies.join("letter.txt")).unwrap();
    server.json(&["strategy", "test-storage", directory, "--second"]);
    template["settings"]["second"] = json!({
        "data": true, "log_cycle": "daily", "retention_days": null, "limit_bytes_per_s": null,
        "storage": { "name": "vault", "kind": "file", "directory": directory, "capacity_percent": 80 },
    });
    let path = write(&folder.path().join("strategy.json"), &template);
    server.json(&["strategy", "set", &path]);
    for (name, user) in [
        ("vault", "local"),
        ("harbor", "local"),
        ("nothing", "nothing"),
    ] {
        let kept = refused(&server, &["strategy", "remove-storage", name]);
        assert!(kept.contains(user), "{kept}");
    }
    server.json(&["strategy", "delete"]);
    let left = server.json(&["strategy", "remove-storage", "vault"]);
    let names: Vec<_> = left["storages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["name"])
        .collect();
    assert_eq!(names, ["harbor"]);
}
