//! What the tests of the server share: a real server process in a home of its own.

#![allow(dead_code, reason = "each test file uses its own part of it")]

use std::{
    io::Read,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

/// How long anything that must happen may take.
const PATIENCE_STEPS: u32 = 600;
/// How long one step of patience is.
const STEP: Duration = Duration::from_millis(50);

/// A running server, killed when dropped.
pub(crate) struct Server {
    /// Its process.
    pub(crate) process: Child,
    /// Its home.
    pub(crate) home: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A directory with the one folder that makes it a site; the commands need no page.
pub(crate) fn empty_site(folder: &Path) -> PathBuf {
    let site = folder.join("site");
    std::fs::create_dir_all(site.join("pkg")).unwrap();
    site
}

/// The binary with arguments, not started yet; nothing of the caller's environment decides.
pub(crate) fn tidemark(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidemark"));
    command
        .args(args)
        .env_remove("TIDEMARK_HOME")
        .env_remove("TIDEMARK_SITE");
    command.env_remove("TIDEMARK_DATABASE").stdin(Stdio::null());
    command
}

/// Starts a server on any free port and waits until commands find it.
pub(crate) fn start(home: &Path, site: &Path, more: &[&str]) -> Server {
    let log = std::fs::File::create(home.with_extension("log")).unwrap();
    let mut command = tidemark(&["serve", "--listen", "127.0.0.1:0"]);
    command
        .arg("--home")
        .arg(home)
        .arg("--site")
        .arg(site)
        .args(more);
    command.stdout(Stdio::null()).stderr(log);
    let mut server = Server {
        process: command.spawn().unwrap(),
        home: home.to_owned(),
    };
    wait_for("the token file", || {
        if let Some(status) = server.process.try_wait().unwrap() {
            panic!("the server ended ({status}): {}", log_of(home));
        }
        home.join("token").exists()
    });
    server
}

/// What the server of `home` has logged.
pub(crate) fn log_of(home: &Path) -> String {
    let mut text = String::new();
    if let Ok(mut file) = std::fs::File::open(home.with_extension("log")) {
        let _ = file.read_to_string(&mut text);
    }
    text
}

/// Asks until it is so; fails when it takes too long.
pub(crate) fn wait_for(what: &str, mut so: impl FnMut() -> bool) {
    for _ in 0..PATIENCE_STEPS {
        if so() {
            return;
        }
        std::thread::sleep(STEP);
    }
    panic!("waited too long for {what}");
}

impl Server {
    /// Runs a command against this server.
    pub(crate) fn run(&self, args: &[&str]) -> Output {
        tidemark(args)
            .arg("--home")
            .arg(&self.home)
            .output()
            .unwrap()
    }

    /// Takes a full backup, or waits for the one that the console is making by itself.
    pub(crate) fn back_up(&self, tenant: &str) -> serde_json::Value {
        self.json(&["backup", "--tenant", tenant, "--full", "--wait"])
    }

    /// Runs a command that must succeed and reads its JSON.
    pub(crate) fn json(&self, args: &[&str]) -> serde_json::Value {
        let done = self.run(&[args, &["--json"]].concat());
        let told = String::from_utf8_lossy(&done.stderr);
        assert!(
            done.status.success(),
            "{args:?}: {told}\n{}",
            log_of(&self.home)
        );
        serde_json::from_slice(&done.stdout).unwrap()
    }

    /// Runs a command that must fail with `code` and gives its sentence.
    pub(crate) fn refused(&self, args: &[&str], code: i32) -> String {
        sentence(&self.run(args), code)
    }
}

/// The one sentence of a command that failed with `code`.
pub(crate) fn sentence(done: &Output, code: i32) -> String {
    let told = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(code), "{told}");
    told
}
