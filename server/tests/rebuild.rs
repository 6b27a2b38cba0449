//! The console's database or its whole home lost: clusters come back from their destinations, as they were.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};
use support::{Server, empty_site, files, start, wait_for};

/// So many rows that a backup takes a moment.
const ROWS: u32 = 150_000;

struct Before {
    /// The period as it was told just before the end.
    ranges: Value,
    /// Manifests of all finished sets.
    sets: Vec<Vec<u8>>,
    /// A moment before the last commits, and the sum of the table then.
    moment: String,
    sum: Value,
    /// A commit that was durable at the end.
    last: String,
}

const SUM: &str = "SELECT count(*), total(length(v)), max(v), min(v) FROM t";

/// A cluster with sets of both kinds and a gap in its log, killed in the middle of a data backup.
fn killed(server: &mut Server) -> Before {
    server.create_cluster("local");
    server.json(&["tenant", "create", "ledger"]);
    server.back_up("ledger");
    server.commit("ledger", &format!("CREATE TABLE t(v); {}", fill(ROWS)));
    server.back_up("ledger");
    let moment = server.commit("ledger", "INSERT INTO t VALUES ('kept')");
    let sum = server.rows("ledger", SUM);
    server.json(&["backup", "--tenant", "ledger", "--wait"]);
    let last = server.commit("ledger", "DELETE FROM t WHERE rowid > 100");
    server.wait_durable("ledger", &last);
    let before = Before {
        ranges: server.json(&["ranges", "--tenant", "ledger"]),
        sets: sets(&server.home),
        moment,
        sum,
        last,
    };
    server.commit("ledger", &fill(ROWS));
    server.json(&["backup", "--tenant", "ledger", "--full"]);
    server.process.kill().unwrap();
    server.process.wait().unwrap();
    // What it left tells where it was, and the next one is waited for by it.
    fs::remove_file(server.home.join("token")).unwrap();
    before
}

fn sets(below: &Path) -> Vec<Vec<u8>> {
    let manifests = files(below, "set.json");
    let mut sets: Vec<_> = manifests.iter().map(|it| fs::read(it).unwrap()).collect();
    sets.sort();
    sets
}

fn lose_database(home: &Path) {
    for file in ["control.db", "control.db-wal", "control.db-shm"] {
        let _ = fs::remove_file(home.join(file));
    }
    assert!(
        files(home, "")
            .iter()
            .all(|it| !it.to_string_lossy().contains("control.db"))
    );
}

fn rebuild(server: &Server, from: &Path, more: &[&str]) -> Value {
    let from = from.to_str().unwrap();
    let told = server.json(&[&["admin", "rebuild", "--from", from], more].concat());
    assert_eq!(told["clusters"].as_array().unwrap().len(), 1, "{told}");
    told["clusters"][0].clone()
}

/// Whatever could be recovered to before can be now, and recovers to the same bytes.
fn is_as_before(server: &Server, before: &Before, below: &Path) {
    let now = server.json(&["ranges", "--tenant", "ledger"]);
    let (old, new) = (&before.ranges["ranges"], &now["ranges"]);
    let (old, new) = (old.as_array().unwrap(), new.as_array().unwrap());
    assert!(new.len() >= old.len(), "{now}\n{}", before.ranges);
    for (at, range) in old.iter().enumerate() {
        assert_eq!(range["start"], new[at]["start"], "{now}\n{}", before.ranges);
        // The last one may have grown until the end.
        let end = |range: &Value| range["end"].as_str().unwrap().to_owned();
        match at + 1 == old.len() {
            true => assert!(end(&new[at]) >= end(range)),
            false => assert_eq!(end(&new[at]), end(range)),
        }
    }
    assert!(
        new.iter()
            .any(|range| range["end"].as_str().unwrap() >= before.last.as_str())
    );
    let all = sets(below);
    assert!(
        before.sets.iter().all(|set| all.contains(set)),
        "a set is lost"
    );

    let done = server.json(&[
        "recover",
        "--tenant",
        "ledger",
        "--at",
        &before.moment,
        "--as",
        "back",
        "--wait",
    ]);
    let proof = &done["recovery"]["proof"];
    assert_eq!(proof["expected_digest"], proof["computed_digest"], "{done}");
    assert_eq!(proof["quick_check"], "ok");
    assert_eq!(server.rows("back", SUM), before.sum);
    let sound = server.json(&["verify", "--tenant", "ledger"]);
    assert_eq!(sound["faults"], json!([]));
    assert!(sound["sets"].as_u64().unwrap() >= before.sets.len() as u64);
}

fn state(server: &Server, tenant: &str) -> Value {
    let listed = server.json(&["tenant", "list"]);
    let tenants = listed["tenants"].as_array().unwrap();
    let found = tenants.iter().find(|one| one["name"] == tenant).unwrap();
    found["state"].clone()
}

#[test]
fn a_database_lost_in_the_middle_of_a_backup_is_rebuilt_and_the_tenants_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let mut server = start(&home, &site, &[]);
    let before = killed(&mut server);
    lose_database(&home);

    let server = start(&home, &site, &[]);
    let from = home.join("backup/local");
    let told = server.refused(&["tenant", "list"], 1);
    assert!(told.contains("does not exist"), "{told}");
    let possible = rebuild(&server, &from, &["--dry-run"]);
    assert_eq!(
        (&possible["outcome"], &possible["managed_as"]),
        (&json!("possible"), &json!("local"))
    );
    assert_eq!(possible["tenants"][0]["name"], "ledger");
    server.refused(&["tenant", "list"], 1);

    let taken = rebuild(&server, &from, &[]);
    assert_eq!(
        (&taken["outcome"], &taken["identity"]),
        (&json!("taken"), &possible["identity"])
    );
    assert!(
        taken["tenants"][0]["sets"].as_u64().unwrap() >= before.sets.len() as u64,
        "{taken}"
    );
    assert_eq!(state(&server, "ledger"), "online");
    is_as_before(&server, &before, &home.join("backup"));

    // Again: it says that there is nothing to do, and does nothing.
    let again = rebuild(&server, &from, &["--cluster", "local"]);
    assert_eq!(
        (&again["outcome"], &again["managed_as"]),
        (&json!("managed"), &json!("local"))
    );
    let text = server.run(&["admin", "rebuild", "--from", from.to_str().unwrap()]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(
        text.contains("is managed by this console already"),
        "{text}"
    );

    // And the tenant goes on: what is written now can be recovered to.
    let later = server.commit("ledger", "INSERT INTO t VALUES ('later')");
    server.wait_durable("ledger", &later);
    server.back_up("ledger");
    server.stop();
    let server = start(&home, &site, &[]);
    wait_for("the cluster to be open", || {
        server.run(&["sql", "ledger", "SELECT 1"]).status.success()
    });
    server.json(&[
        "recover", "--tenant", "ledger", "--at", &later, "--as", "later", "--wait",
    ]);
    let count = "SELECT count(*) FROM t WHERE v = 'later'";
    assert_eq!(server.rows("later", count), json!([["1"]]));
}

#[test]
fn a_home_lost_as_a_whole_comes_back_from_the_destination_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let mut server = start(&home, &site, &[]);
    let before = killed(&mut server);
    let saved = folder.path().join("saved");
    fs::rename(home.join("backup/local"), &saved).unwrap();
    fs::remove_dir_all(&home).unwrap();

    let server = start(&folder.path().join("other"), &site, &[]);
    let taken = rebuild(&server, &saved, &[]);
    assert_eq!(taken["outcome"], "taken", "{taken}");
    assert_eq!(taken["tenants"][0]["state"], "offline");
    is_as_before(&server, &before, &saved);
    // Under its own name, as nobody else has it.
    server.json(&[
        "recover",
        "--tenant",
        "ledger",
        "--at",
        &before.moment,
        "--as",
        "ledger",
        "--wait",
    ]);
    assert_eq!(server.rows("ledger", SUM), before.sum);
    let later = server.commit("ledger", "INSERT INTO t VALUES ('later')");
    server.wait_durable("ledger", &later);
}

#[test]
fn what_cannot_be_rebuilt_is_refused_with_the_way_forward() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let server = start(&home, &site, &[]);
    server.create_cluster("local");
    server.json(&["tenant", "create", "ledger"]);
    server.back_up("ledger");
    let refused = |from: &Path, more: &[&str], code| {
        let from = from.to_str().unwrap();
        server.refused(
            &[&["admin", "rebuild", "--from", from], more].concat(),
            code,
        )
    };
    let nowhere = refused(&folder.path().join("nowhere"), &[], 1);
    assert!(
        nowhere.contains("does not exist") && nowhere.contains("mount"),
        "{nowhere}"
    );
    let no_destination = refused(folder.path(), &[], 1);
    assert!(
        no_destination.contains("not the destination") || no_destination.contains("no destination"),
        "{no_destination}"
    );
    let other = refused(&home.join("backup/local"), &["--cluster", "other"], 1);
    assert!(
        other.contains("\"other\"") && other.contains("local ("),
        "{other}"
    );
    let name = refused(&home.join("backup/local"), &["--as", "a b"], 1);
    assert!(name.contains("Cluster name"), "{name}");

    // Another cluster of the same name, from another console.
    let second = start(&folder.path().join("second"), &site, &[]);
    let from = home.join("backup/local");
    second.create_cluster("local");
    let told = second.run(&["admin", "rebuild", "--from", from.to_str().unwrap()]);
    assert!(!told.status.success());
    let text = String::from_utf8(told.stdout).unwrap();
    assert!(text.contains("--as"), "{text}");
    let taken = rebuild(&second, &from, &["--as", "theirs"]);
    assert_eq!(
        (&taken["outcome"], &taken["managed_as"]),
        (&json!("taken"), &json!("theirs"))
    );
    let listed = second.json(&["tenant", "list", "--cluster", "theirs"]);
    assert_eq!(listed["tenants"][0]["state"], "offline", "{listed}");
}

#[test]
fn storages_and_sizes_are_shown() {
    let folder = tempfile::tempdir().unwrap();
    let (home, site) = (folder.path().join("home"), empty_site(folder.path()));
    let server = start(&home, &site, &[]);
    server.create_cluster("local");
    server.json(&["tenant", "create", "ledger"]);
    server.back_up("ledger");
    let shown = || server.json(&["storage", "--tenant", "ledger"]);
    wait_for("a sample after the backup", || {
        shown()["samples"]
            .as_array()
            .unwrap()
            .iter()
            .any(|sample| sample["data_bytes"].as_u64() > Some(0))
    });
    let shown = shown();
    let storage = &shown["storages"][0];
    assert_eq!(storage["place"], "first");
    assert_eq!(
        PathBuf::from(storage["location"].as_str().unwrap())
            .file_name()
            .unwrap(),
        "local"
    );
    assert!(storage["total_bytes"].as_u64().unwrap() > storage["free_bytes"].as_u64().unwrap());
    assert_eq!(shown["forecast"]["outlook"], "not_enough_history");
    let is_backup = |event: &Value| event["kind"] == "data_backup" && event["what"] == "completed";
    assert!(
        shown["events"].as_array().unwrap().iter().any(is_backup),
        "{shown}"
    );
    let text = server.run(&["storage"]);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(
        text.contains("First copy") && text.contains("Backups of cluster local"),
        "{text}"
    );
    assert!(text.contains("of 5 days have a size"), "{text}");
    let told = server.refused(&["storage", "--tenant", "nobody"], 1);
    assert!(told.contains("nobody"), "{told}");
}

/// SQL that fills table `t` with rows of 100 characters which do not compress to nothing.
fn fill(rows: u32) -> String {
    format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) \
         INSERT INTO t SELECT hex(randomblob(50)) FROM n"
    )
}
