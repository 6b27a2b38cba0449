//! What the tests of the server share: a real server process in a home of its own.

#![allow(dead_code, reason = "each test file uses its own part of it")]

use std::{
    io::{Read, Write},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

/// How long anything that must happen may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two questions.
const STEP: Duration = Duration::from_millis(50);

/// The password of every user.
pub(crate) const PASSWORD: &str = "four gulls by the quay";

/// Asks a server as a browser would, without following where it leads.
pub(crate) fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(None)
        .build()
        .new_agent()
}

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
    for name in [
        "DATABASE",
        "KEY",
        "KEY_OLD",
        "KEY_FILE",
        "PUBLIC_URL",
        "LOG_FORMAT",
    ] {
        command.env_remove(format!("TIDEMARK_{name}"));
    }
    command.stdin(Stdio::null());
    command
}

/// Has a command see another time, in UTC, from which its clock goes on.
pub(crate) fn at_time(command: &mut Command, time: &str) {
    let library = std::fs::read_dir("/usr/lib").unwrap().find_map(|entry| {
        let library = entry.unwrap().path().join("faketime/libfaketimeMT.so.1");
        library.exists().then_some(library)
    });
    let library = library.expect("the Debian package libfaketime is installed by the set-up");
    command
        .env("LD_PRELOAD", library)
        .env("TZ", "UTC")
        .env("FAKETIME", format!("@{time}"))
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("NO_FAKE_STAT", "1");
}

/// Starts a server on any free port and waits until commands find it.
pub(crate) fn start(home: &Path, site: &Path, more: &[&str]) -> Server {
    start_by(tidemark(&[]), home, site, more)
}

/// The same, by a command that is the binary in some other guise.
pub(crate) fn start_by(mut command: Command, home: &Path, site: &Path, more: &[&str]) -> Server {
    let log = std::fs::File::create(home.with_extension("log")).unwrap();
    command.arg("serve");
    if !more.contains(&"--listen") {
        command.args(["--listen", "127.0.0.1:0"]);
    }
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

/// The binary as an account that rights mean something to: where the tests run as root, as nobody, who
/// gets a copy of it in `folder` and the folder itself.
pub(crate) fn tidemark_without_privileges(folder: &Path) -> Command {
    use std::os::unix::{fs::chown, process::CommandExt};
    /// Number of the account and the group on every Linux.
    const NOBODY: u32 = 65_534;
    if !rustix::process::geteuid().is_root() {
        return tidemark(&[]);
    }
    let copy = folder.join("tidemark");
    if !copy.exists() {
        // Copied by another process: one that a test starts beside this could inherit the open file, and a file
        // that somebody may write cannot be started.
        let binary = env!("CARGO_BIN_EXE_tidemark");
        let copied = Command::new("cp").arg(binary).arg(&copy).status().unwrap();
        assert!(copied.success(), "{copied}");
    }
    chown(folder, Some(NOBODY), Some(NOBODY)).unwrap();
    let mut command = Command::new(copy);
    command
        .env_remove("TIDEMARK_HOME")
        .env_remove("TIDEMARK_SITE")
        .env_remove("TIDEMARK_DATABASE")
        .stdin(Stdio::null())
        .current_dir(folder)
        .uid(NOBODY)
        .gid(NOBODY);
    command
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
    #[expect(clippy::disallowed_methods, reason = "a deadline for real processes")]
    let now = std::time::Instant::now;
    let deadline = now() + PATIENCE;
    while !so() {
        assert!(now() < deadline, "waited too long for {what}");
        std::thread::sleep(STEP);
    }
}

/// Every file below `dir` whose name ends so, in order.
pub(crate) fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Damages one byte of a file.
pub(crate) fn flip_byte(path: &Path, at: u64) {
    use std::os::unix::fs::FileExt;
    let file = std::fs::File::options()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 0x40], at).unwrap();
}

impl Server {
    /// Asks it to end and waits until it has, in order.
    pub(crate) fn stop(mut self) {
        let pid = i32::try_from(self.process.id()).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        wait_for("the server to end", || {
            self.process.try_wait().unwrap().is_some()
        });
        let status = self.process.wait().unwrap();
        assert!(status.success(), "{status}: {}", log_of(&self.home));
    }

    /// Makes a cluster the way the first page does; there is no command for it.
    pub(crate) fn create_cluster(&self, name: &str) {
        let cookie = self.sign_in("cluster-maker");
        let order = serde_json::json!({ "cluster": {
            "name": name, "destination": null, "first_tenant": null,
        }});
        let mut answer = agent()
            .post(format!("{}/api/app/api/clusters/create", self.url()))
            .header("origin", self.url())
            .header("cookie", cookie)
            .send_json(order)
            .unwrap();
        let told = answer.body_mut().read_to_string().unwrap();
        // Anything else would be a page that says that there is none.
        assert!(
            answer.status().is_success() && told.parse::<i64>().is_ok(),
            "{}: {told:.200}",
            answer.status()
        );
    }

    /// Where its pages are.
    pub(crate) fn url(&self) -> String {
        let door = std::fs::read(self.home.join("token")).unwrap();
        let door: serde_json::Value = serde_json::from_slice(&door).unwrap();
        format!("http://{}", door["address"].as_str().unwrap())
    }

    /// Signs an administrator of this name in, who is made if need be; the cookie of the session.
    pub(crate) fn sign_in(&self, name: &str) -> String {
        let users = self.json(&["user", "list"]);
        let known = users["users"].as_array().unwrap().iter();
        let link = match known.filter(|user| user["name"] == name).count() {
            0 => {
                self.json(&["user", "add", name, "--role", "admin", "--everywhere"])["url"].clone()
            }
            _ => self.json(&["user", "reset", name])["link"]["url"].clone(),
        };
        let link = link.as_str().unwrap().split_once("link=").unwrap().1;
        self.send_form(
            "/set-password",
            &[("link", link), ("password", PASSWORD), ("again", PASSWORD)],
        )
    }

    /// Sends a form of one of its own pages that begins a session; the cookie.
    pub(crate) fn send_form(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let answer = agent()
            .post(format!("{}{path}", self.url()))
            .header("origin", self.url())
            .send_form(fields.iter().copied())
            .unwrap();
        assert_eq!(answer.status(), 303, "{path}");
        let cookie = answer.headers()["set-cookie"].to_str().unwrap();
        cookie.split(';').next().unwrap().to_owned()
    }

    /// Runs a command against this server with something to read.
    pub(crate) fn feed(&self, args: &[&str], input: &str) -> Output {
        let mut child = tidemark(args)
            .arg("--home")
            .arg(&self.home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        drop(stdin);
        child.wait_with_output().unwrap()
    }

    /// When the last statement of this SQL was committed.
    pub(crate) fn commit(&self, tenant: &str, sql: &str) -> String {
        let answer = self.json(&["sql", tenant, sql]);
        let results = answer["results"].as_array().unwrap();
        results.last().unwrap()["committed"]
            .as_str()
            .expect("a commit has a moment")
            .to_owned()
    }

    /// The same, as soon as the cluster is open and takes it.
    pub(crate) fn commit_when_possible(&self, tenant: &str, sql: &str) -> String {
        wait_for("the cluster to be open", || {
            self.run(&["sql", tenant, "SELECT 1"]).status.success()
        });
        self.commit(tenant, sql)
    }

    /// Waits until what was committed at this moment is durable at the destination.
    pub(crate) fn wait_durable(&self, tenant: &str, committed: &str) {
        wait_for("the log to be archived", || {
            let ranges = self.json(&["ranges", "--tenant", tenant]);
            ranges["checkpoint"].as_str().unwrap_or_default() >= committed
        });
    }

    /// The rows of a query.
    pub(crate) fn rows(&self, tenant: &str, query: &str) -> serde_json::Value {
        self.json(&["sql", tenant, query])["results"][0]["rows"].clone()
    }

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
