//! The console's database is lost in the middle of scheduled work, and then the first copy as well: what was
//! copied comes back from the second copy alone, byte for byte.
//!
//! The servers run on a clock that is set for them, so that days pass and hours strike when the test wants it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::{Value, json};
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};
use support::{
    Server, at_time, empty_site, files, start_by, tidemark_without_privileges, wait_for,
};

/// Rows that make a backup take a moment.
const ROWS: u32 = 150_000;
/// Looks for something that ends soon, a few milliseconds apart: a minute.
const PATIENCE_LOOKS: u32 = 20_000;
const SUM: &str = "SELECT count(*), total(length(v)), max(v), min(v) FROM t";
const EVERY_DAY_FULL: &str =
    r#"{"1":"full","2":"full","3":"full","4":"full","5":"full","6":"full","7":"full"}"#;

/// A console, its two destinations, and what is known of them just before the end.
struct Place {
    folder: tempfile::TempDir,
    /// Manifests of the finished sets of the first copy.
    sets: Vec<Vec<u8>>,
    ranges: Value,
    /// A moment whose log is in both copies, and the sum of the table then.
    moment: String,
    sum: Value,
}

fn sets(below: &Path) -> Vec<Vec<u8>> {
    let manifests = files(below, "set.json");
    let mut sets: Vec<_> = manifests.iter().map(|it| fs::read(it).unwrap()).collect();
    sets.sort();
    sets
}

fn fill(rows: u32) -> String {
    format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) \
         INSERT INTO t SELECT hex(randomblob(50)) FROM n"
    )
}

/// The directories of sets, finished or not, in order.
fn set_directories(below: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut pending = vec![below.to_owned()];
    while let Some(directory) = pending.pop() {
        let is_data = directory.ends_with("data");
        let inside = fs::read_dir(&directory).unwrap();
        let inside = inside
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_dir());
        match is_data {
            true => found.extend(inside),
            false => pending.extend(inside),
        }
    }
    found.sort();
    found
}

/// Waits for a set that is begun and not finished; without pauses, as it is finished soon.
fn wait_for_half_a_set(below: &Path) {
    for _ in 0..PATIENCE_LOOKS {
        if !set_directories(below).iter().all(|set| is_finished(set)) {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    panic!("no set was begun");
}

fn is_finished(set: &Path) -> bool {
    set.join("set.json").exists()
}

impl Place {
    /// A tenant with sets of three days ago and of now, whose strategy has copied the newest set and the log.
    fn new() -> Place {
        let mut place = Place {
            folder: tempfile::tempdir().unwrap(),
            sets: Vec::new(),
            ranges: Value::Null,
            moment: String::new(),
            sum: Value::Null,
        };
        fs::create_dir(place.second()).unwrap();
        fs::set_permissions(place.second(), Permissions::from_mode(0o777)).unwrap();
        let server = place.serve("home", "2026-03-02 01:00:00");
        server.create_cluster("local");
        server.json(&["tenant", "create", "ledger"]);
        server.back_up("ledger");
        server.commit("ledger", &format!("CREATE TABLE t(v); {}", fill(2_000)));
        server.back_up("ledger");
        server.commit("ledger", &fill(100));
        server.back_up("ledger");
        server.stop();

        let server = place.serve("home", "2026-03-05 00:58:00");
        place.order(&server, |_| {});
        server.commit_when_possible("ledger", &fill(ROWS));
        server.back_up("ledger");
        wait_for("the set to be copied", || {
            let copies = server.json(&["task", "list", "--kind", "second_data"]);
            let copies = copies["tasks"].as_array().unwrap();
            !copies.is_empty() && copies.iter().all(|task| task["state"] == "completed")
        });
        place.moment = server.commit("ledger", "INSERT INTO t VALUES ('kept')");
        place.sum = server.rows("ledger", SUM);
        let last = server.commit("ledger", "DELETE FROM t WHERE rowid > 100000");
        server.wait_durable("ledger", &last);
        server.stop();

        let server = place.serve("home", "2026-03-05 00:59:55");
        wait_for("the log to be copied at the full hour", || {
            let copies = server.json(&["task", "list", "--kind", "second_log"]);
            copies["tasks"][0]["state"] == "completed"
        });
        server.stop();
        place
    }

    fn first(&self) -> PathBuf {
        self.folder.path().join("home/backup/local")
    }

    fn second(&self) -> PathBuf {
        self.folder.path().join("second")
    }

    /// A server whose clock begins at `time`, in UTC.
    fn serve(&self, home: &str, time: &str) -> Server {
        let folder = self.folder.path();
        let mut command = tidemark_without_privileges(folder);
        at_time(&mut command, time);
        start_by(command, &folder.join(home), &empty_site(folder), &[])
    }

    /// Makes the strategy, or changes it.
    fn order(&self, server: &Server, change: impl FnOnce(&mut Value)) {
        wait_for("the cluster to be open", || {
            server
                .run(&["ranges", "--tenant", "ledger"])
                .status
                .success()
        });
        let mut wanted = match server.run(&["strategy", "show"]).status.success() {
            true => server.json(&["strategy", "show"]),
            false => server.json(&["strategy", "template"]),
        };
        if wanted["rev"].is_null() {
            let schedule = &mut wanted["settings"]["schedule"];
            schedule["at"] = json!("03:00");
            schedule["days"] = serde_json::from_str(EVERY_DAY_FULL).unwrap();
            wanted["settings"]["second"] = json!({
                "data": true,
                "log_cycle": "hourly",
                "retention_days": null,
                "limit_bytes_per_s": null,
                "storage": {
                    "name": "second", "kind": "file", "directory": self.second(), "capacity_percent": 80,
                },
            });
        }
        change(&mut wanted["settings"]);
        let second = self.second();
        server.json(&[
            "strategy",
            "test-storage",
            second.to_str().unwrap(),
            "--second",
        ]);
        let file = self.folder.path().join("strategy.json");
        fs::write(&file, wanted.to_string()).unwrap();
        server.json(&["strategy", "set", file.to_str().unwrap()]);
    }

    /// Ends the server at once, in the middle of something, and takes the console's database away.
    fn kill(&mut self, mut server: Server) {
        server.process.kill().unwrap();
        server.process.wait().unwrap();
        fs::remove_file(server.home.join("token")).unwrap();
        for file in ["control.db", "control.db-wal", "control.db-shm"] {
            let _ = fs::remove_file(server.home.join(file));
        }
        assert!(!server.home.join("control.db").exists());
    }

    /// Notes what is there before the middle of things.
    fn note(&mut self, server: &Server) {
        wait_for("the tenant's log to be read", || {
            self.ranges = server.json(&["ranges", "--tenant", "ledger"]);
            self.ranges["checkpoint"].as_str() > Some(self.moment.as_str())
        });
        self.sets = sets(&self.first());
    }

    /// Takes the cluster on again; everything that could be recovered to before can be now, unless `gone` says so.
    fn rebuilt_from_first(&self, gone: usize) -> Server {
        let server = self.serve("home", "2026-03-05 02:20:00");
        let told = server.json(&["admin", "rebuild", "--from", self.first().to_str().unwrap()]);
        assert_eq!(told["clusters"][0]["outcome"], "taken", "{told}");
        wait_for("the cluster to be open", || {
            server.run(&["sql", "ledger", "SELECT 1"]).status.success()
        });
        wait_for("exactly the sets that should be there", || {
            let now = sets(&self.first());
            let kept = self.sets.iter().filter(|set| now.contains(set)).count();
            kept == self.sets.len() - gone
        });
        let ranges = server.json(&["ranges", "--tenant", "ledger"]);
        let end = |told: &Value| {
            let all = told["ranges"].as_array().unwrap();
            all.last().unwrap()["end"].as_str().unwrap().to_owned()
        };
        assert!(
            end(&ranges) >= end(&self.ranges),
            "{ranges}\n{}",
            self.ranges
        );
        for range in self.ranges["ranges"].as_array().unwrap() {
            let is_there = |it: &Value| gone > 0 || it["start"] == range["start"];
            assert!(
                ranges["ranges"].as_array().unwrap().iter().any(is_there),
                "{ranges}"
            );
        }
        for kind in ["data_backup", "second_data", "second_log", "cleanup"] {
            let tasks = server.json(&["task", "list", "--kind", kind, "--state", "running"]);
            assert_eq!(tasks["total"], 0, "nothing is left running: {tasks}");
        }
        server
    }

    /// Recovers to the moment; the digest of all its pages.
    fn recover(&self, server: &Server) -> Value {
        let done = server.json(&[
            "recover",
            "--tenant",
            "ledger",
            "--at",
            &self.moment,
            "--as",
            "back",
            "--wait",
        ]);
        let proof = &done["recovery"]["proof"];
        assert_eq!(proof["expected_digest"], proof["computed_digest"], "{done}");
        assert_eq!(server.rows("back", SUM), self.sum);
        proof["computed_digest"].clone()
    }

    /// The first copy and the whole home are lost; what the second copy gives has the same digest.
    fn second_alone_gives(&self, digest: &Value) {
        fs::rename(self.first(), self.folder.path().join("lost")).unwrap();
        let server = self.serve("other", "2026-03-05 02:40:00");
        let second = self.second();
        let told = server.json(&["admin", "rebuild", "--from", second.to_str().unwrap()]);
        assert_eq!(told["clusters"][0]["outcome"], "taken", "{told}");
        assert_eq!(told["clusters"][0]["tenants"][0]["state"], "offline");
        assert_eq!(self.recover(&server), *digest);
    }
}

#[test]
fn in_the_middle_of_a_scheduled_backup() {
    let mut place = Place::new();
    let server = place.serve("home", "2026-03-05 01:58:00");
    place.order(&server, |settings| {
        settings["schedule"]["at"] = json!("02:00");
    });
    server.stop();
    let server = place.serve("home", "2026-03-05 01:59:50");
    place.note(&server);
    let first = place.first();
    wait_for_half_a_set(&first);
    place.kill(server);
    let half = set_directories(&first);
    let half = half
        .iter()
        .find(|set| !is_finished(set))
        .expect("killed in the middle");

    let server = place.rebuilt_from_first(0);
    wait_for("what was half made to be cleared away", || !half.exists());
    server.back_up("ledger");
    let digest = place.recover(&server);
    server.stop();
    place.second_alone_gives(&digest);
}

#[test]
fn in_the_middle_of_a_second_copy() {
    let mut place = Place::new();
    let server = place.serve("home", "2026-03-05 01:58:00");
    place.order(&server, |settings| {
        settings["schedule"]["at"] = json!("02:00");
        settings["second"]["limit_bytes_per_s"] = json!(1_000_000);
    });
    server.stop();
    let server = place.serve("home", "2026-03-05 01:59:50");
    place.note(&server);
    let second = place.second();
    wait_for_half_a_set(&second);
    place.kill(server);
    let all = set_directories(&second);
    assert!(
        !all.iter().all(|set| is_finished(set)),
        "killed in the middle"
    );

    let server = place.rebuilt_from_first(0);
    // The same strategy again: copies are made as before.
    place.order(&server, |_| {});
    server.back_up("ledger");
    wait_for("the new set to be copied", || {
        let done = [
            "task",
            "list",
            "--kind",
            "second_data",
            "--state",
            "completed",
        ];
        server.json(&done)["total"].as_u64() > Some(0)
    });
    let digest = place.recover(&server);
    server.stop();
    place.second_alone_gives(&digest);
}

#[test]
fn in_the_middle_of_a_cleanup() {
    let mut place = Place::new();
    let server = place.serve("home", "2026-03-05 01:58:00");
    place.order(&server, |settings| {
        settings["cleanup"] = json!({"enabled": true, "retention_days": 1, "at": "02:00"});
    });
    server.stop();
    let server = place.serve("home", "2026-03-05 01:59:50");
    place.note(&server);
    // The oldest goes last, and nothing can be removed from it.
    let (all, first) = (set_directories(&place.first()), place.first());
    let oldest = &all[0];
    fs::set_permissions(oldest, Permissions::from_mode(0o555)).unwrap();
    wait_for("the oldest to be taken out of sight", || !oldest.exists());
    place.kill(server);
    let is_stuck = |set: &PathBuf| fs::metadata(set).unwrap().permissions().mode() & 0o222 == 0;
    let rest = set_directories(&first).into_iter().find(is_stuck);
    let rest = rest.expect("killed in the middle");
    fs::set_permissions(&rest, Permissions::from_mode(0o755)).unwrap();

    // What stays are the newest set of three days ago and the one of today.
    let server = place.rebuilt_from_first(place.sets.len() - 2);
    wait_for("the cleanup to be finished", || !rest.exists());
    let digest = place.recover(&server);
    server.stop();
    place.second_alone_gives(&digest);
}
