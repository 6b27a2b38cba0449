//! The server is killed before each step by which a task names or removes something at its destinations; it
//! then goes on and ends, nothing is made twice, and what was there stays recoverable.
//!
//! `strace` sends the signal just before the n-th such call of any thread, for n from 1 until a task gets
//! through. Where a process may not be traced nothing can be shown, and the tests say so.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};
use support::{Server, at_time, empty_site, files, start_by, tidemark, wait_for};

/// Calls that name or remove something.
const STEPS: &str = "rename,renameat,renameat2,unlink,unlinkat,rmdir";
/// Most steps at which a kind of task is killed.
const STEPS_MAX: u32 = 40;
const KINDS: [&str; 5] = [
    "data_backup",
    "recovery",
    "second_data",
    "second_log",
    "cleanup",
];
const SUM: &str = "SELECT count(*), total(length(v)), max(v), min(v) FROM t";

/// A console with a tenant whose sets and log are copied, on the first of some days.
struct Place {
    folder: tempfile::TempDir,
}

/// What was committed at a moment, to be compared with what is recovered to it.
struct Known {
    moment: String,
    sum: Value,
}

/// A server that is killed before its n-th step.
struct Trap {
    strace: Child,
}

impl Trap {
    /// Nothing where processes may not be traced.
    fn set(server: &Server, told: &Path, n: u32) -> Option<Trap> {
        let mut strace = Command::new("strace")
            .args(["-f", "-p", &server.process.id().to_string()])
            .args(["-e", &format!("trace={STEPS}")])
            .args(["-e", &format!("inject={STEPS}:signal=SIGKILL:when={n}")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(told).unwrap())
            .spawn()
            .expect("the Debian package strace is installed by the set-up");
        wait_for("the server to be traced", || {
            let said = fs::read_to_string(told).unwrap();
            said.contains("attached") || strace.try_wait().unwrap().is_some()
        });
        match strace.try_wait().unwrap() {
            None => Some(Trap { strace }),
            Some(_) => None,
        }
    }

    /// Lets the server go on, if it still does.
    fn open(mut self) {
        if self.strace.try_wait().unwrap().is_some() {
            return;
        }
        let pid = i32::try_from(self.strace.id()).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        self.strace.wait().unwrap();
    }
}

fn fill(rows: u32) -> String {
    format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) \
         INSERT INTO t SELECT hex(randomblob(50)) FROM n"
    )
}

fn tasks(server: &Server, kind: &str) -> Vec<Value> {
    let listed = server.json(&["task", "list", "--kind", kind]);
    listed["tasks"].as_array().unwrap().clone()
}

/// Whether every task that was ever ordered has ended; none may have failed.
fn all_completed(server: &Server) -> bool {
    let all = KINDS.iter().flat_map(|kind| tasks(server, kind));
    all.into_iter().all(|task| {
        assert_ne!(task["state"], "failed", "{task}");
        task["state"] == "completed"
    })
}

/// The day of the n-th server.
fn day(n: u32) -> String {
    format!("2026-{:02}-{:02}", 3 + n / 25, 3 + n % 25)
}

/// Whether one more task of `kind` was ordered, and nothing is left to do. A server that does not answer is
/// being killed.
fn is_through(server: &Server, kind: &str, before: usize) -> bool {
    let ended = |kind: &str| {
        let done = server.run(&["task", "list", "--kind", kind, "--json"]);
        let listed: Value = serde_json::from_slice(&done.stdout).ok()?;
        let tasks = listed["tasks"].as_array()?;
        let ended = tasks.iter().all(|task| task["state"] == "completed");
        ended.then_some(tasks.len())
    };
    let counts: Option<Vec<usize>> = KINDS.into_iter().map(ended).collect();
    counts.is_some() && ended(kind).is_some_and(|now| now > before)
}

/// Gives an order to a server that may be killed by it.
fn order(server: &Server, words: &[&str]) {
    let done = server.run(words);
    // Whoever is killed does not answer; anything else that fails would leave the task missing for ever.
    assert_ne!(done.status.code(), Some(2), "{words:?}");
}

impl Place {
    fn new() -> Place {
        let place = Place {
            folder: tempfile::tempdir().unwrap(),
        };
        fs::create_dir(place.second()).unwrap();
        let server = place.serve("2026-03-02 01:00:00");
        server.create_cluster("local");
        server.json(&["tenant", "create", "ledger"]);
        place.copy_to_second(&server);
        server.commit("ledger", &format!("CREATE TABLE t(v); {}", fill(500)));
        server.back_up("ledger");
        wait_for("what begins by itself to end", || all_completed(&server));
        server.stop();
        place
    }

    fn second(&self) -> PathBuf {
        self.folder.path().join("second")
    }

    fn serve(&self, time: &str) -> Server {
        let folder = self.folder.path();
        let mut command = tidemark(&[]);
        at_time(&mut command, time);
        let server = start_by(command, &folder.join("home"), &empty_site(folder), &[]);
        wait_for("the server to answer", || {
            server.run(&["user", "list"]).status.success()
        });
        server
    }

    fn copy_to_second(&self, server: &Server) {
        let mut wanted = server.json(&["strategy", "template"]);
        // Nothing but what a test orders may come while it looks.
        wanted["settings"]["schedule"]["at"] = json!("20:00");
        wanted["settings"]["cleanup"]["enabled"] = json!(false);
        let mut storage = wanted["settings"]["storage"].clone();
        storage["name"] = json!("second");
        storage["directory"] = json!(self.second());
        wanted["settings"]["second"] = json!({
            "data": true, "log_cycle": "hourly", "retention_days": null,
            "limit_bytes_per_s": null, "storage": storage,
        });
        let file = self.folder.path().join("strategy.json");
        fs::write(&file, wanted.to_string()).unwrap();
        let second = self.second();
        let second = second.to_str().unwrap();
        server.json(&["strategy", "test-storage", second, "--second"]);
        server.json(&["strategy", "set", file.to_str().unwrap()]);
    }

    /// Something new in the tenant that is durable at the destination.
    fn write(&self, server: &Server) -> Known {
        let moment = server.commit_when_possible("ledger", &fill(50));
        let sum = server.rows("ledger", SUM);
        let next = server.commit("ledger", "INSERT INTO t VALUES ('after')");
        server.wait_durable("ledger", &next);
        Known { moment, sum }
    }

    /// Kills servers, each at the next step of what `order` begins, until a task of `kind` gets through.
    fn kill_at_each_step(&self, kind: &str, time: &str, order: impl Fn(&Server, &Known, u32)) {
        let mut known = Vec::new();
        for n in 1.. {
            assert!(n <= STEPS_MAX, "it never gets through");
            let time = format!("{} {time}", day(n));
            let mut server = self.serve(&time);
            known.push(self.write(&server));
            if kind == "cleanup" {
                server.back_up("ledger");
            }
            wait_for("what is late to be done", || all_completed(&server));
            let before = tasks(&server, kind).len();
            let told = self.folder.path().join("strace.txt");
            let Some(trap) = Trap::set(&server, &told, n) else {
                eprintln!("skipped: {}", fs::read_to_string(&told).unwrap());
                return;
            };
            order(&server, known.last().unwrap(), n);
            wait_for("the server to be killed, or its task to end", || {
                server.process.try_wait().unwrap().is_some() || is_through(&server, kind, before)
            });
            let is_killed = server.process.try_wait().unwrap().is_some();
            trap.open();
            if !is_killed {
                server.stop();
                eprintln!("{kind}: killed at {} steps", n - 1);
                assert!(n > 2, "a task of one step");
                break;
            }
            fs::remove_file(server.home.join("token")).unwrap();
            drop(server);
            self.goes_on(&time);
        }
        self.is_sound(known.last().unwrap());
    }

    /// What was cut off ends by itself.
    fn goes_on(&self, time: &str) {
        let server = self.serve(time);
        wait_for("what was cut off to be completed", || {
            all_completed(&server)
        });
        server.stop();
    }

    /// Both copies read, no set is there twice, and a moment is recovered.
    fn is_sound(&self, known: &Known) {
        let server = self.serve("2026-05-30 12:00:00");
        wait_for("the cluster to be open", || {
            server.run(&["sql", "ledger", "SELECT 1"]).status.success()
        });
        for place in ["first", "second"] {
            let sound = server.json(&["verify", "--tenant", "ledger", "--from", place]);
            assert_eq!(sound["faults"], json!([]), "{sound}");
        }
        let made = tasks(&server, "data_backup");
        let of_tenant = |task: &Value| Some((task["tenant"].to_string(), task["set"].as_i64()?));
        let mut sets: Vec<_> = made.iter().filter_map(of_tenant).collect();
        let total = sets.len();
        sets.sort_unstable();
        sets.dedup();
        assert_eq!(sets.len(), total, "two tasks made one set");
        let home = self.folder.path().join("home/backup");
        for below in [home, self.second()] {
            assert_eq!(files(&below, ".tmp"), Vec::<PathBuf>::new());
        }
        let (at, name) = (known.moment.as_str(), "proof");
        server.json(&[
            "recover", "--tenant", "ledger", "--at", at, "--as", name, "--wait",
        ]);
        assert_eq!(server.rows(name, SUM), known.sum);
    }
}

#[test]
fn a_full_backup_and_its_copy() {
    Place::new().kill_at_each_step("second_data", "06:10:00", |server, _, _| {
        order(server, &["backup", "--tenant", "ledger", "--full"]);
    });
}

#[test]
fn an_incremental_backup_and_its_copy() {
    Place::new().kill_at_each_step("second_data", "06:10:00", |server, _, _| {
        order(server, &["backup", "--tenant", "ledger"]);
    });
}

#[test]
fn a_recovery() {
    Place::new().kill_at_each_step("recovery", "06:10:00", |server, known, n| {
        let (at, name) = (known.moment.as_str(), format!("copy_{n}"));
        order(
            server,
            &["recover", "--tenant", "ledger", "--at", at, "--as", &name],
        );
    });
}

#[test]
fn a_copy_of_the_log() {
    // It begins by itself at the full hour.
    Place::new().kill_at_each_step("second_log", "05:59:52", |_, _, _| {});
}

#[test]
fn a_cleanup() {
    let place = Place::new();
    // With the set of the next day, the first one will have expired.
    let server = place.serve(&format!("{} 06:10:00", day(0)));
    place.write(&server);
    server.back_up("ledger");
    wait_for("the copy to end", || all_completed(&server));
    server.stop();
    place.kill_at_each_step("cleanup", "06:10:00", |server, _, _| {
        order(
            server,
            &["cleanup", "--tenant", "ledger", "--keep-days", "1"],
        );
    });
}
