//! Starts, kills and awaits foreign writers.

use super::journal::Journal;
use std::{
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// The SQL that makes the tables.
pub fn schema() -> String {
    let output = Command::new("python3")
        .arg(script())
        .arg("--schema")
        .output();
    let output = output.expect("python3 is needed for the hostile run; install it");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn script() -> PathBuf {
    // From either crate whose tests use this module.
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let places = [
        here.join("tests/support/writer.py"),
        here.join("engine-embedded/tests/support/writer.py"),
    ];
    places
        .into_iter()
        .find(|place| place.exists())
        .expect("writer.py is beside this module")
}

/// How a writer reaches the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    /// Python's own sqlite3 module.
    Python,
    /// The stock sqlite3 command.
    Cli,
}

/// A foreign writer: a number, a journal, and a process while it runs.
#[derive(Debug)]
pub struct Writer {
    number: u64,
    driver: Driver,
    db: PathBuf,
    journal: PathBuf,
    pause_ms: f64,
    process: Option<Child>,
}

impl Writer {
    pub fn new(number: u64, driver: Driver, db: &Path, directory: &Path, pause_ms: f64) -> Writer {
        let journal = directory.join(format!("journal-{number}.txt"));
        Writer {
            number,
            driver,
            db: db.to_owned(),
            journal,
            pause_ms,
            process: None,
        }
    }

    /// Four writers, two of each driver, not yet started.
    pub fn four(db: &Path, directory: &Path, pause_ms: f64) -> Vec<Writer> {
        let drivers = [Driver::Python, Driver::Cli, Driver::Python, Driver::Cli];
        let numbered = (1..).zip(drivers);
        numbered
            .map(|(number, driver)| Writer::new(number, driver, db, directory, pause_ms))
            .collect()
    }

    /// Starts it, or starts it again after a kill: it then looks first what became of its last transaction.
    pub fn start(&mut self, seconds: f64, seed: u64) {
        use std::os::unix::process::CommandExt;
        assert!(self.process.is_none(), "writer {} runs", self.number);
        let driver = match self.driver {
            Driver::Python => "python",
            Driver::Cli => "cli",
        };
        let errors = std::fs::File::options()
            .create(true)
            .append(true)
            .open(self.journal.with_extension("stderr"))
            .unwrap();
        let child = Command::new("python3")
            .arg(script())
            .args(["--writer", &self.number.to_string(), "--driver", driver])
            .args([
                "--seconds",
                &seconds.to_string(),
                "--pause-ms",
                &self.pause_ms.to_string(),
            ])
            .args(["--seed", &seed.to_string()])
            .arg("--db")
            .arg(&self.db)
            .arg("--journal")
            .arg(&self.journal)
            .stdin(Stdio::null())
            .stderr(errors)
            // Its sqlite3 command belongs to it and dies with it.
            .process_group(0)
            .spawn();
        self.process = Some(child.expect("python3 is needed for the hostile run; install it"));
    }

    /// Whether it was started and not ended by this program.
    pub fn runs(&self) -> bool {
        self.process.is_some()
    }

    /// Kills it and its sqlite3 command at once, and waits until both are gone.
    pub fn kill(&mut self) {
        let Some(mut child) = self.process.take() else {
            return;
        };
        let group = format!("-{}", child.id());
        let signal = |signal: &str| {
            Command::new("kill")
                .args([signal, "--", &group])
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success())
        };
        signal("-KILL");
        child.wait().unwrap();
        let mut left = 500;
        while signal("-0") {
            assert!(left > 0, "writer {} does not die", self.number);
            left -= 1;
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Asks it to end after its current transaction and waits for that.
    pub fn stop(&mut self) {
        let Some(child) = &self.process else { return };
        let id = child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().unwrap();
        self.wait();
    }

    /// Waits until it has ended by itself.
    pub fn wait(&mut self) {
        let Some(mut child) = self.process.take() else {
            return;
        };
        let status = child.wait().unwrap();
        // Asked to end before it had begun to listen, it has not done anything yet.
        let well = status.success() || status.signal() == Some(15);
        let errors = std::fs::read_to_string(self.journal.with_extension("stderr")).unwrap();
        assert!(well, "writer {} ended with {status}: {errors}", self.number);
    }

    /// Lines of its journal that say a transaction was answered, while it still writes.
    pub fn lines_answered(&self) -> usize {
        let text = std::fs::read(&self.journal).unwrap_or_default();
        let lines = text.split(|byte| *byte == b'\n');
        lines.filter(|line| line.starts_with(b"A ")).count()
    }

    pub fn journal(&self) -> Journal {
        Journal::read(self.number, &self.journal)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.kill();
    }
}
