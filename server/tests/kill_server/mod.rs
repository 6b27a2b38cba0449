//! The real binary on one home, to be killed and started again, and the tasks it owes.

use super::{SECOND, TENANT, support::now_ns};
use domain::Scn;
use serde_json::Value;
use std::{
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

/// The real binary on one home.
pub(crate) struct Server {
    pub(crate) home: PathBuf,
    pub(crate) process: Option<Child>,
}

impl Server {
    pub(crate) fn start(&mut self) {
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.home.with_extension("log"))
            .unwrap();
        // The commands need no page; one folder makes a directory a site.
        let site = self.home.with_extension("site");
        std::fs::create_dir_all(site.join("pkg")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_tidemark"))
            .args(["serve", "--demo", "--listen", "127.0.0.1:0", "--home"])
            .arg(&self.home)
            .arg("--site")
            .arg(site)
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        self.process = Some(child.unwrap());
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Ends it in order.
    pub(crate) fn stop(&mut self) {
        let mut process = self.process.take().unwrap();
        let pid = rustix::process::Pid::from_child(&process);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let status = process.wait().unwrap();
        assert!(
            status.success(),
            "the server ended with {status}: {}",
            self.log_tail()
        );
    }

    fn log_tail(&self) -> String {
        let log = std::fs::read_to_string(self.home.with_extension("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().rev().take(30).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    fn run(&self, words: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidemark"));
        command
            .arg("--home")
            .arg(&self.home)
            .arg("--json")
            .args(words)
            .stdin(Stdio::null());
        command.output().unwrap()
    }

    pub(crate) fn ask(&self, words: &[&str]) -> Result<Value, String> {
        let output = self.run(words);
        match output.status.success() {
            true => Ok(serde_json::from_slice(&output.stdout).unwrap()),
            false => Err(format!(
                "{words:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            )),
        }
    }

    pub(crate) fn must(&self, words: &[&str]) -> Value {
        self.ask(words)
            .unwrap_or_else(|error| panic!("{error}\n{}", self.log_tail()))
    }

    pub(crate) fn until<T>(
        &mut self,
        what: &str,
        seconds: u64,
        mut look: impl FnMut(&Server) -> Option<T>,
    ) -> T {
        let deadline = now_ns() + seconds * SECOND;
        loop {
            if let Some(seen) = look(self) {
                return seen;
            }
            let ended = self
                .process
                .as_mut()
                .and_then(|process| process.try_wait().unwrap());
            assert!(
                ended.is_none(),
                "the server ended with {ended:?}: {}",
                self.log_tail()
            );
            assert!(
                now_ns() < deadline,
                "waited {seconds} s for {what}: {}",
                self.log_tail()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    pub(crate) fn data_file(&self, tenant: &str) -> Option<PathBuf> {
        let listed = self.ask(&["tenant", "list"]).ok()?;
        let tenants = listed["tenants"].as_array()?;
        let tenant = tenants
            .iter()
            .find(|one| one["name"] == tenant && one["state"] == "online")?;
        Some(PathBuf::from(tenant["data_file"].as_str()?))
    }

    /// Until everything committed before this call is durable at the destination.
    pub(crate) fn wait_archived(&mut self) {
        let now = now_ns();
        self.until("the log to be archived", 90, |server| {
            let ranges = server.ask(&["ranges", "--tenant", TENANT]).ok()?;
            (moment(&ranges["checkpoint"])? >= now).then_some(())
        });
    }

    /// A data backup to its end; after one that runs already.
    pub(crate) fn back_up(&mut self) {
        self.until("a data backup", 90, |server| {
            server.ask(&["backup", "--tenant", TENANT, "--wait"]).ok()
        });
    }

    /// The reported ranges, in nanoseconds.
    pub(crate) fn ranges(&self) -> Vec<(u64, u64)> {
        let answer = self.must(&["ranges", "--tenant", TENANT]);
        let ranges = answer["ranges"].as_array().unwrap();
        ranges
            .iter()
            .map(|one| (moment(&one["start"]).unwrap(), moment(&one["end"]).unwrap()))
            .collect()
    }

    /// The tasks in the console's own database, read by the stock command.
    pub(crate) fn tasks(&self) -> Vec<Task> {
        let output = Command::new("sqlite3")
            .args(["-batch", "-json", "-cmd", ".timeout 5000"])
            .arg(self.home.join("control.db"))
            .arg("SELECT id, kind, state, failure, until_scn, new_name FROM job ORDER BY id")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        if output.stdout.is_empty() {
            return Vec::new();
        }
        let rows: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        rows.iter().map(Task::read).collect()
    }
}

/// A task as the console's database has it.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) id: i64,
    pub(crate) kind: String,
    pub(crate) state: String,
    pub(crate) failure: Option<String>,
    pub(crate) until: u64,
    pub(crate) new_name: String,
}

impl Task {
    fn read(row: &Value) -> Task {
        let text = |name: &str| row[name].as_str().map(str::to_owned);
        Task {
            id: row["id"].as_i64().unwrap(),
            kind: text("kind").unwrap(),
            state: text("state").unwrap(),
            failure: text("failure"),
            until: row["until_scn"].as_u64().unwrap_or_default(),
            new_name: text("new_name").unwrap_or_default(),
        }
    }

    pub(crate) fn is_final(&self) -> bool {
        ["completed", "failed", "canceled"].contains(&self.state.as_str())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

pub(crate) fn moment(value: &Value) -> Option<u64> {
    Scn::parse_rfc3339(value.as_str()?).ok().map(|scn| scn.0)
}
