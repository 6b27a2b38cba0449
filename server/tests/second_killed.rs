//! The server is killed in the middle of a second copy: it is made once, and what it holds recovers by itself.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::{Value, json};
use std::path::Path;
use support::{Server, empty_site, files, start, wait_for};

/// So many rows that a copy at [`LIMIT`] takes several seconds.
const ROWS: u32 = 100_000;
/// Bytes that are copied in a second.
const LIMIT: u64 = 1 << 20;
const SUM: &str = "SELECT count(*), total(length(v)), max(v), min(v) FROM t";

/// A strategy that copies each set to `second`, slowly.
fn copy_to(server: &Server, second: &Path) {
    std::fs::create_dir_all(second).unwrap();
    let mut wanted = server.json(&["strategy", "template"]);
    let mut storage = wanted["settings"]["storage"].clone();
    storage["name"] = json!("harbor");
    storage["directory"] = json!(second);
    wanted["settings"]["second"] = json!({
        "data": true, "log_cycle": "hourly", "retention_days": null,
        "limit_bytes_per_s": LIMIT, "storage": storage,
    });
    let file = second.with_extension("json");
    std::fs::write(&file, wanted.to_string()).unwrap();
    let directory = second.to_str().unwrap();
    server.json(&["strategy", "test-storage", directory, "--second"]);
    server.json(&["strategy", "set", file.to_str().unwrap()]);
}

fn copies(server: &Server) -> Vec<Value> {
    let listed = server.json(&["task", "list", "--kind", "second_data"]);
    listed["tasks"].as_array().unwrap().clone()
}

fn wait_copied(server: &Server) {
    wait_for("every set to be copied", || {
        let all = copies(server);
        !all.is_empty() && all.iter().all(|task| task["state"] == "completed")
    });
}

/// A cluster with a set that is copied, killed while a larger one is. Gives the moment from which the first
/// can be recovered, and the sum then.
fn killed_in_the_middle(server: &mut Server, second: &Path) -> (String, Value) {
    server.create_cluster("local");
    server.json(&["tenant", "create", "ledger"]);
    server.commit("ledger", &format!("CREATE TABLE t(v); {}", fill(100)));
    copy_to(server, second);
    let made = server.back_up("ledger");
    let from = &made["tasks"][0]["backup"]["recoverable_from"];
    wait_copied(server);
    let sum = server.rows("ledger", SUM);
    let manifests = files(second, "set.json").len();

    server.commit("ledger", &fill(ROWS));
    server.json(&["backup", "--tenant", "ledger", "--full", "--wait"]);
    wait_for("the copy to be in the middle", || {
        copies(server).iter().any(|task| {
            task["state"] == "running" && task["progress"]["done_bytes"].as_u64() > Some(0)
        })
    });
    server.process.kill().unwrap();
    server.process.wait().unwrap();
    assert_eq!(
        files(second, "set.json").len(),
        manifests,
        "it was too late"
    );
    // What it left tells where it was, and the next one is waited for by it.
    std::fs::remove_file(server.home.join("token")).unwrap();
    (from.as_str().unwrap().to_owned(), sum)
}

#[test]
fn a_copy_that_was_cut_off_goes_on_and_is_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let second = folder.path().join("second");
    let mut server = start(&home, &site, &[]);
    killed_in_the_middle(&mut server, &second);

    let server = start(&home, &site, &[]);
    wait_copied(&server);
    let mut sets: Vec<i64> = copies(&server)
        .iter()
        .map(|task| task["set"].as_i64().unwrap())
        .collect();
    let tasks = sets.len();
    sets.sort_unstable();
    sets.dedup();
    assert_eq!(sets.len(), tasks, "a set was copied by two tasks");
    assert_eq!(files(&second, "set.json").len(), tasks);
    let sound = server.json(&["verify", "--tenant", "ledger", "--from", "second"]);
    assert_eq!(sound["faults"], json!([]), "{sound}");
    assert_eq!(sound["sets"].as_u64(), Some(tasks as u64), "{sound}");
}

#[test]
fn console_and_first_destination_lost_in_a_second_copy_the_second_alone_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let second = folder.path().join("second");
    let mut server = start(&home, &site, &[]);
    let (_, sum) = killed_in_the_middle(&mut server, &second);
    let kept = files(&second, "set.json").len();
    std::fs::remove_dir_all(&home).unwrap();

    let server = start(&folder.path().join("other"), &site, &[]);
    let from = second.to_str().unwrap();
    let told = server.json(&["admin", "rebuild", "--from", from]);
    let taken = &told["clusters"][0];
    assert_eq!(taken["outcome"], "taken", "{told}");
    assert_eq!(taken["tenants"][0]["sets"].as_u64(), Some(kept as u64));
    let known = server.json(&["ranges", "--tenant", "ledger"]);
    let last = known["ranges"].as_array().unwrap().last().unwrap();
    let at = last["end"].as_str().unwrap();
    let done = server.json(&[
        "recover", "--tenant", "ledger", "--at", at, "--as", "back", "--wait",
    ]);
    let proof = &done["recovery"]["proof"];
    assert_eq!(proof["expected_digest"], proof["computed_digest"], "{done}");
    assert_eq!(server.rows("back", SUM), sum);
    for kind in ["data_backup", "recovery", "second_data", "cleanup"] {
        let running = ["task", "list", "--kind", kind, "--state", "running"];
        assert_eq!(server.json(&running)["total"], 0, "{kind}");
    }
}

#[test]
fn database_lost_in_a_second_copy_is_rebuilt_and_copies_again_until_the_first_is_not_needed() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let second = folder.path().join("second");
    let mut server = start(&home, &site, &[]);
    let (moment, sum) = killed_in_the_middle(&mut server, &second);
    let first = home.join("backup/local");
    let before = manifests(&first);
    for file in ["control.db", "control.db-wal", "control.db-shm"] {
        let _ = std::fs::remove_file(home.join(file));
    }

    let server = start(&home, &site, &[]);
    server.json(&["admin", "rebuild", "--from", first.to_str().unwrap()]);
    let after = manifests(&first);
    assert!(
        before.iter().all(|set| after.contains(set)),
        "a set is lost"
    );
    let known = server.json(&["ranges", "--tenant", "ledger"]);
    let mut ranges = known["ranges"].as_array().unwrap().iter();
    let holds = |range: &Value| {
        range["start"].as_str() <= Some(moment.as_str())
            && range["end"].as_str() >= Some(moment.as_str())
    };
    assert!(ranges.any(holds), "{moment}: {known}");

    copy_to(&server, &second);
    server.json(&["backup", "--tenant", "ledger", "--full", "--wait"]);
    wait_copied(&server);
    std::fs::rename(&first, folder.path().join("away")).unwrap();
    server.json(&[
        "recover", "--tenant", "ledger", "--at", &moment, "--as", "back", "--from", "second",
        "--wait",
    ]);
    assert_eq!(server.rows("back", SUM), sum);
}

fn manifests(below: &Path) -> Vec<Vec<u8>> {
    let found = files(below, "set.json");
    found.iter().map(|it| std::fs::read(it).unwrap()).collect()
}

/// SQL that fills table `t` with rows of 100 characters which do not compress to nothing.
fn fill(rows: u32) -> String {
    format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) \
         INSERT INTO t SELECT hex(randomblob(50)) FROM n"
    )
}
