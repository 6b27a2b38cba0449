//! The commands against the real binary: the whole way from a new tenant to a recovered one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use support::{empty_site, start, wait_for};

/// Gives a moment after everything committed so far: what the log has reached.
fn checkpoint_after(server: &support::Server, tenant: &str, committed: &str) -> String {
    let mut checkpoint = String::new();
    wait_for("the log to be archived", || {
        let ranges = server.json(&["ranges", "--tenant", tenant]);
        checkpoint = ranges["checkpoint"].as_str().unwrap_or_default().to_owned();
        checkpoint.as_str() >= committed
    });
    checkpoint
}

#[test]
fn a_tenant_is_made_filled_backed_up_and_recovered_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let server = start(&home, &site, &["--demo"]);

    let made = server.json(&["tenant", "create", "ledger"]);
    let file = made["data_file"].as_str().unwrap().to_owned();
    assert!(std::path::Path::new(&file).is_absolute() && std::path::Path::new(&file).exists());

    server.json(&[
        "sql",
        "ledger",
        "CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT)",
    ]);
    let backup = server.back_up("ledger");
    let task = &backup["tasks"][0];
    assert_eq!(
        (task["state"].as_str(), task["kind"].as_str()),
        (Some("completed"), Some("data_backup"))
    );
    assert_eq!(task["backup"]["actual"], "full");

    let kept = server.json(&[
        "sql",
        "ledger",
        "INSERT INTO t VALUES (1, 'kept'), (2, NULL)",
    ]);
    let moment = kept["results"][0]["committed"]
        .as_str()
        .expect("a commit has a moment")
        .to_owned();
    let lost = server.json(&["sql", "ledger", "DELETE FROM t"]);
    let deleted = lost["results"][0]["committed"].as_str().unwrap().to_owned();
    assert_eq!(lost["results"][0]["changes"], 2);
    checkpoint_after(&server, "ledger", &deleted);

    let before = [
        "recover",
        "--tenant",
        "ledger",
        "--at",
        &moment,
        "--as",
        "ledger_before",
        "--wait",
    ];
    let done = server.json(&before);
    assert_eq!(done["state"], "completed");
    let proof = &done["recovery"]["proof"];
    assert_eq!(proof["expected_digest"], proof["computed_digest"]);
    assert_eq!(proof["quick_check"], "ok");
    assert_eq!(done["recovery"]["until"].as_str(), Some(moment.as_str()));
    let rows = |tenant: &str| {
        server.json(&["sql", tenant, "SELECT id, v FROM t ORDER BY id"])["results"][0]["rows"]
            .clone()
    };
    assert_eq!(
        rows("ledger_before"),
        serde_json::json!([["1", "kept"], ["2", null]])
    );
    assert_eq!(rows("ledger"), serde_json::json!([]));

    let after = [
        "recover",
        "--tenant",
        "ledger",
        "--at",
        &deleted,
        "--as",
        "ledger_after",
        "--wait",
    ];
    server.json(&after);
    assert_eq!(rows("ledger_after"), serde_json::json!([]));

    let sound = server.json(&["verify", "--tenant", "ledger"]);
    assert_eq!(sound["faults"], serde_json::json!([]));
    assert!(
        sound["sets"].as_u64().unwrap() >= 1 && sound["log_files"].as_u64().unwrap() >= 1,
        "{sound}"
    );
}

#[test]
fn a_server_that_is_asked_to_end_does_so_in_order_and_starts_again_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let mut server = start(&home, &site, &["--demo"]);
    server.json(&["tenant", "create", "ledger"]);
    server.json(&[
        "sql",
        "ledger",
        "CREATE TABLE t(v); INSERT INTO t VALUES (1)",
    ]);
    let pid = rustix::process::Pid::from_raw(i32::try_from(server.process.id()).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    wait_for("the server to end", || {
        server.process.try_wait().unwrap().is_some()
    });
    assert!(
        server.process.wait().unwrap().success(),
        "{}",
        support::log_of(&home)
    );
    assert!(!home.join("token").exists());

    let again = start(&home, &site, &[]);
    let tenants = again.json(&["tenant", "list"]);
    let names: Vec<_> = tenants["tenants"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["ledger", "orders", "payments"]);
    let rows = again.json(&["sql", "ledger", "SELECT v FROM t"]);
    assert_eq!(rows["results"][0]["rows"], serde_json::json!([["1"]]));
}
