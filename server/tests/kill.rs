//! The server is killed again and again under load, and nothing is lost or invented.
//!
//! Each round ends with `kill -9` of the real binary, in the middle of commits, backups and recoveries;
//! foreign writers are killed or go on. Then random moments inside the reported ranges are recovered
//! and compared with what the writers wrote down.
//!
//! `TIDEMARK_KILL_ROUNDS` sets the rounds (20), `TIDEMARK_KILL_MOMENTS` the moments (100),
//! `TIDEMARK_SEED` repeats a run's choices.
#![expect(clippy::unwrap_used, reason = "a step that fails fails the test")]

#[path = "../engine-embedded/tests/support/mod.rs"]
mod support;

use domain::{Scn, capability::EngineKind};
use engine::{Engine, EngineSettings, TenantKey};
use engine_embedded::EmbeddedEngine;
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::Arc,
    time::Duration,
};
use support::{
    RealClock,
    dice::Dice,
    journal::Journal,
    now_ns,
    oracle::{Moment, Witnesses},
    writers::{Writer, schema},
};

const TENANT: &str = "victim";
const SECOND: u64 = 1_000_000_000;

fn number(name: &str, default: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(default, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} is no number"))
    })
}

/// The real binary on one home.
struct Server {
    home: PathBuf,
    process: Option<Child>,
}

impl Server {
    fn start(&mut self) {
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
    fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().unwrap();
            process.wait().unwrap();
        }
    }

    /// Ends it in order.
    fn stop(&mut self) {
        let mut process = self.process.take().unwrap();
        Command::new("kill")
            .args(["-TERM", &process.id().to_string()])
            .status()
            .unwrap();
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

    fn ask(&self, words: &[&str]) -> Result<Value, String> {
        let output = self.run(words);
        match output.status.success() {
            true => Ok(serde_json::from_slice(&output.stdout).unwrap()),
            false => Err(format!(
                "{words:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            )),
        }
    }

    fn must(&self, words: &[&str]) -> Value {
        self.ask(words)
            .unwrap_or_else(|error| panic!("{error}\n{}", self.log_tail()))
    }

    fn until<T>(
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

    fn data_file(&self, tenant: &str) -> Option<PathBuf> {
        let listed = self.ask(&["tenant", "list"]).ok()?;
        let tenants = listed["tenants"].as_array()?;
        let tenant = tenants
            .iter()
            .find(|one| one["name"] == tenant && one["state"] == "online")?;
        Some(PathBuf::from(tenant["data_file"].as_str()?))
    }

    /// Until everything committed before this call is durable at the destination.
    fn wait_archived(&mut self) {
        let now = now_ns();
        self.until("the log to be archived", 90, |server| {
            let ranges = server.ask(&["ranges", "--tenant", TENANT]).ok()?;
            (moment(&ranges["checkpoint"])? >= now).then_some(())
        });
    }

    /// A data backup to its end; after one that runs already.
    fn back_up(&mut self) {
        self.until("a data backup", 90, |server| {
            server.ask(&["backup", "--tenant", TENANT, "--wait"]).ok()
        });
    }

    /// The reported ranges, in nanoseconds.
    fn ranges(&self) -> Vec<(u64, u64)> {
        let answer = self.must(&["ranges", "--tenant", TENANT]);
        let ranges = answer["ranges"].as_array().unwrap();
        ranges
            .iter()
            .map(|one| (moment(&one["start"]).unwrap(), moment(&one["end"]).unwrap()))
            .collect()
    }

    /// Task states of the console's own database, read by the stock command.
    fn task_states(&self) -> Vec<(String, u64)> {
        let output = Command::new("sqlite3")
            .args(["-batch", "-cmd", ".timeout 5000"])
            .arg(self.home.join("control.db"))
            .arg("SELECT kind || ' ' || state, count(*) FROM job GROUP BY 1")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = String::from_utf8(output.stdout).unwrap();
        let pairs = text.lines().map(|line| line.split_once('|').unwrap());
        pairs
            .map(|(state, count)| (state.to_owned(), count.parse().unwrap()))
            .collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn moment(value: &Value) -> Option<u64> {
    Scn::parse_rfc3339(value.as_str()?).ok().map(|scn| scn.0)
}

/// One round: load, a random end of the server and perhaps of writers, and a new start.
fn round(server: &mut Server, writers: &mut [Writer], dice: &mut Dice, number: u64) {
    for writer in writers.iter_mut() {
        if !writer.runs() {
            writer.start(3600.0, dice.next());
        }
    }
    std::thread::sleep(Duration::from_millis(dice.range(200, 1500)));
    if dice.next().is_multiple_of(2) {
        // What it answers does not matter: it may be in the middle when the end comes.
        let full: &[&str] = if dice.next().is_multiple_of(2) {
            &["--full"]
        } else {
            &[]
        };
        server.run(&[&["backup", "--tenant", TENANT], full].concat());
    }
    if dice.next().is_multiple_of(3)
        && let Some((start, end)) = server.ranges().last()
        && start < end
    {
        let at = Scn(dice.range(*start, *end)).to_rfc3339();
        server.run(&[
            "recover",
            "--tenant",
            TENANT,
            "--at",
            &at,
            "--as",
            &format!("copy_{number}"),
        ]);
    }
    std::thread::sleep(Duration::from_millis(dice.range(0, 1500)));
    match dice.next() % 5 {
        // Only the server; foreign programs write on.
        0 | 1 => server.kill(),
        // Some writers in the middle of what they do, then the server.
        2 => {
            writers.iter_mut().take(2).for_each(Writer::kill);
            server.kill();
        }
        // Everything at once.
        3 => {
            server.kill();
            writers.iter_mut().for_each(Writer::kill);
        }
        // The server, and then every other program ends in order: the last one removes the log.
        _ => {
            server.kill();
            writers.iter_mut().for_each(Writer::stop);
        }
    }
    std::thread::sleep(Duration::from_millis(dice.range(0, 800)));
    server.start();
    server.until("the tenant to be online", 60, |server| {
        server.data_file(TENANT)
    });
    if dice.next().is_multiple_of(2) {
        // A round that could not be continued is recoverable from its first backup on.
        server.back_up();
    }
}

/// Random moments inside the ranges; two of three at the edge of a transaction.
fn moments(dice: &mut Dice, witnesses: &Witnesses, ranges: &[(u64, u64)], count: u64) -> Vec<u64> {
    let inside = |moment: &u64| {
        ranges
            .iter()
            .any(|(start, end)| (start..=end).contains(&moment))
    };
    let mut edges = Vec::new();
    for journal in &witnesses.foreign {
        edges.extend(
            journal
                .transactions
                .iter()
                .flat_map(|one| [Some(one.begin), one.ack])
                .flatten(),
        );
    }
    edges.retain(inside);
    assert!(
        edges.len() > 100,
        "too little is recoverable: {} edges in {ranges:?}",
        edges.len()
    );
    let mut pick = || match dice.next() % 3 {
        0 => {
            let (start, end) = ranges[usize::try_from(dice.range(0, ranges.len() as u64)).unwrap()];
            dice.range(start, end + 1)
        }
        _ => {
            let edge = edges[usize::try_from(dice.range(0, edges.len() as u64)).unwrap()];
            edge - 1 + dice.next() % 3
        }
    };
    std::iter::repeat_with(&mut pick)
        .filter(inside)
        .take(usize::try_from(count).unwrap())
        .collect()
}

/// Recovers moments with the engine itself, which also tells how far each could be uncertain.
async fn recover_all(
    data_file: &Path,
    destination: &Path,
    witnesses: &Witnesses,
    moments: &[u64],
    scratch: &Path,
) -> Vec<(u64, Vec<String>)> {
    let settings = EngineSettings {
        kind: EngineKind::Embedded,
        name: "local".to_owned(),
        home: data_file.ancestors().nth(3).unwrap().to_owned(),
        destination: destination.to_owned(),
    };
    let engine = EmbeddedEngine::open(&settings, Arc::new(RealClock))
        .await
        .unwrap();
    let key = opened(&engine).await;
    let mut wrong = Vec::new();
    for until in moments {
        let file = scratch.join(format!("{until}.db"));
        let faults = match engine.recover_to_file(&key, Scn(*until), &file).await {
            Err(error) => vec![format!("refused: {error}")],
            Ok(_proof) => {
                let next = engine.first_commit_after(&key, Scn(*until)).await.unwrap();
                let after = next.map_or(*until, |next| next.after.0.min(*until));
                witnesses.judge(
                    &file,
                    Moment {
                        until: *until,
                        foreign_from: after,
                    },
                )
            }
        };
        if faults.is_empty() {
            std::fs::remove_file(&file).unwrap();
        } else {
            wrong.push((*until, faults));
        }
    }
    engine.shut_down().await;
    wrong
}

/// The tenant's key, once its history is read from the destination.
async fn opened(engine: &EmbeddedEngine) -> TenantKey {
    let deadline = now_ns() + 60 * SECOND;
    loop {
        let tenants = engine.observe().await.unwrap().tenants;
        let seen = tenants
            .into_iter()
            .find(|tenant| tenant.name == TENANT)
            .unwrap();
        if seen.archive.checkpoint.is_some() {
            return seen.key;
        }
        assert!(
            now_ns() < deadline,
            "the tenant does not open: {:?}",
            seen.archive
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn destination(home: &Path) -> PathBuf {
    let mut pending = vec![home.to_owned()];
    while let Some(directory) = pending.pop() {
        for entry in std::fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().is_some_and(|name| name == "tidemark.json") {
                return directory;
            }
            if path.is_dir() {
                pending.push(path);
            }
        }
    }
    panic!("no destination below {}", home.display());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_kills_under_load_lose_nothing_and_invent_nothing() {
    let rounds = number("TIDEMARK_KILL_ROUNDS", 20);
    let wanted = number("TIDEMARK_KILL_MOMENTS", 100);
    let mut dice = Dice::from_environment();
    let scratch = tempfile::TempDir::new().unwrap();
    let mut server = Server {
        home: scratch.path().join("home"),
        process: None,
    };
    server.start();
    server.until("the demo's tenants", 60, |server| {
        server.data_file("payments")
    });
    server.must(&["tenant", "create", TENANT]);
    let data_file = server.until("the tenant", 30, |server| server.data_file(TENANT));
    server.must(&["sql", TENANT, &schema()]);
    server.back_up();

    let began = now_ns();
    let mut writers = Writer::four(&data_file, scratch.path(), 6.0);
    for number in 1..=rounds {
        round(&mut server, &mut writers, &mut dice, number);
    }
    writers
        .iter_mut()
        .filter(|writer| writer.runs())
        .for_each(Writer::stop);
    settle_killed(&mut writers);
    let ended = now_ns();
    let foreign: Vec<Journal> = writers.iter().map(Writer::journal).collect();
    let witnesses = Witnesses {
        foreign,
        engine: Vec::new(),
    };

    server.wait_archived();
    server.until("every task to be final", 120, |server| {
        let open = ["queued", "starting", "running", "canceling"];
        let states = server.task_states();
        states
            .iter()
            .all(|(state, _)| !open.iter().any(|open| state.ends_with(open)))
            .then_some(())
    });
    server.back_up();
    server.wait_archived();
    let ranges = since(began, &server.ranges());
    let verified = server.must(&["verify", "--tenant", TENANT]);
    let states = server.task_states();
    let gaps = server.must(&["ranges", "--tenant", TENANT])["gaps"]
        .as_array()
        .unwrap()
        .len();
    let by_command = recover_by_command(&mut server, &mut dice, &witnesses, &ranges);
    server.stop();
    let live = witnesses.judge_final(&data_file);

    let moments = moments(&mut dice, &witnesses, &ranges, wanted);
    let destination = destination(&server.home);
    let wrong = recover_all(
        &data_file,
        &destination,
        &witnesses,
        &moments,
        scratch.path(),
    )
    .await;
    for (until, faults) in wrong.iter().take(10) {
        println!("wrong at {} ({until}): {faults:#?}", Scn(*until));
    }
    let covered: u64 = ranges
        .iter()
        .map(|(start, end)| (*end).min(ended).saturating_sub((*start).max(began)))
        .sum();
    println!(
        "kills: {rounds} of the server under {} commits; {} ranges cover {} % of the load, {gaps} gaps; tasks {states:?}; \
         {} moments recovered, {} wrong; verified {} sets and {} log files",
        witnesses.transactions(),
        ranges.len(),
        covered * 100 / (ended - began),
        moments.len() + by_command.len(),
        wrong.len()
            + by_command
                .iter()
                .filter(|faults| !faults.is_empty())
                .count(),
        verified["sets"],
        verified["log_files"],
    );
    if !wrong.is_empty() || !live.is_empty() {
        println!("the files stay in {}", scratch.keep().display());
    }
    assert_eq!(live, Vec::<String>::new(), "the live file");
    assert_eq!(
        by_command,
        vec![Vec::<String>::new(); by_command.len()],
        "recovered by command"
    );
    assert_eq!(wrong.len(), 0, "moments recovered wrongly");
    assert!(
        covered * 10 > ended - began,
        "too little can be recovered for this to show anything"
    );
}

/// What lies after `began`; before it there were no tables to compare.
fn since(began: u64, ranges: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let clipped = ranges
        .iter()
        .map(|(start, end)| ((*start).max(began), *end));
    clipped.filter(|(start, end)| start < end).collect()
}

/// Writers that were killed last look what became of their last transaction.
fn settle_killed(writers: &mut [Writer]) {
    for writer in writers {
        writer.start(0.0, 0);
        writer.wait();
    }
}

/// A few recoveries the way a person makes them; each with everything wrong about it.
fn recover_by_command(
    server: &mut Server,
    dice: &mut Dice,
    witnesses: &Witnesses,
    ranges: &[(u64, u64)],
) -> Vec<Vec<String>> {
    let chosen = moments(dice, witnesses, ranges, 4);
    let recover = |(index, until): (usize, &u64)| {
        let name = format!("found_{index}");
        let at = Scn(*until).to_rfc3339();
        let task = server.must(&[
            "recover", "--tenant", TENANT, "--at", &at, "--as", &name, "--wait",
        ]);
        let proof = &task["recovery"]["proof"];
        assert_eq!(proof["expected_digest"], proof["computed_digest"], "{task}");
        let file = server.until("the recovered tenant", 30, |server| server.data_file(&name));
        // The command does not tell how uncertain the next commit is: here only what is invented counts.
        witnesses.judge(
            &file,
            Moment {
                until: *until,
                foreign_from: 0,
            },
        )
    };
    chosen.iter().enumerate().map(recover).collect()
}
