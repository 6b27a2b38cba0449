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

mod kill_server;

use domain::{Scn, capability::EngineKind};
use engine::{Engine, EngineSettings, TenantKey};
use engine_embedded::EmbeddedEngine;
use kill_server::{Server, Task};
use std::{
    path::{Path, PathBuf},
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

/// One round: load, a random end of the server and perhaps of writers, and a new start.
/// Orders that the server took are noted in `accepted`: it owes their end.
fn round(
    server: &mut Server,
    writers: &mut [Writer],
    dice: &mut Dice,
    number: u64,
    accepted: &mut Vec<i64>,
) {
    for writer in writers.iter_mut() {
        if !writer.runs() {
            writer.start(3600.0, dice.next());
        }
    }
    std::thread::sleep(Duration::from_millis(dice.range(200, 1500)));
    if dice.next().is_multiple_of(2) {
        // It may be queued or in the middle when the end comes, or be refused because one runs.
        let full: &[&str] = if dice.next().is_multiple_of(2) {
            &["--full"]
        } else {
            &[]
        };
        if let Ok(answer) = server.ask(&[&["backup", "--tenant", TENANT], full].concat()) {
            accepted.extend(answer["tasks"][0]["id"].as_i64());
        }
    }
    if dice.next().is_multiple_of(3)
        && let Some((start, end)) = server.ranges().last()
        && start < end
    {
        let at = Scn(dice.range(*start, *end)).to_rfc3339();
        let name = format!("copy_{number}");
        let order = ["recover", "--tenant", TENANT, "--at", &at, "--as", &name];
        if let Ok(answer) = server.ask(&order) {
            accepted.extend(answer["id"].as_i64());
        }
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

/// Judges files that were recovered already and recovers more moments with the engine itself, which
/// also tells how far each moment could be uncertain. Gives those that are wrong, with all that is.
async fn judge_all(
    data_file: &Path,
    destination: &Path,
    witnesses: &Witnesses,
    (recovered, moments): (Vec<(u64, PathBuf)>, &[u64]),
    scratch: &Path,
) -> Vec<(u64, Vec<String>)> {
    let settings = EngineSettings {
        kind: EngineKind::Embedded,
        name: "local".to_owned(),
        server: None,
        home: data_file.ancestors().nth(3).unwrap().to_owned(),
        destination: destination.to_owned(),
        adopt: None,
    };
    let engine = EmbeddedEngine::open(&settings, Arc::new(RealClock))
        .await
        .unwrap();
    let key = opened(&engine).await;
    let mut files: Vec<(u64, Result<PathBuf, String>)> = Vec::new();
    files.extend(recovered.into_iter().map(|(until, file)| (until, Ok(file))));
    for until in moments {
        let file = scratch.join(format!("{until}.db"));
        let made = engine.recover_to_file(&key, Scn(*until), &file).await;
        files.push((
            *until,
            made.map(|_proof| file)
                .map_err(|error| format!("refused: {error}")),
        ));
    }
    let mut wrong = Vec::new();
    for (until, file) in files {
        let faults = match &file {
            Err(refused) => vec![refused.clone()],
            Ok(file) => {
                let next = engine.first_commit_after(&key, Scn(until)).await.unwrap();
                let foreign_from = next.map_or(until, |next| next.after.0.min(until));
                witnesses.judge(
                    file,
                    Moment {
                        until,
                        foreign_from,
                    },
                )
            }
        };
        match file {
            // Recovered tenants belong to the engine.
            Ok(file) if faults.is_empty() && file.parent() == Some(scratch) => {
                std::fs::remove_file(file).unwrap();
            }
            _ if faults.is_empty() => {}
            _ => wrong.push((until, faults)),
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
    let mut accepted = Vec::new();
    for number in 1..=rounds {
        round(&mut server, &mut writers, &mut dice, number, &mut accepted);
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
        server.tasks().iter().all(Task::is_final).then_some(())
    });
    let tasks = server.tasks().len();
    let mut recovered = outcomes(&mut server, &accepted, began);
    server.back_up();
    server.wait_archived();
    let ranges = since(began, &server.ranges());
    let verified = server.must(&["verify", "--tenant", TENANT]);
    let gaps = server.must(&["ranges", "--tenant", TENANT])["gaps"]
        .as_array()
        .unwrap()
        .len();
    recovered.extend(recover_by_command(
        &mut server,
        &mut dice,
        &witnesses,
        &ranges,
    ));
    server.stop();
    let live = witnesses.judge_final(&data_file);

    let moments = moments(&mut dice, &witnesses, &ranges, wanted);
    let destination = destination(&server.home);
    let judged = moments.len() + recovered.len();
    let wrong = judge_all(
        &data_file,
        &destination,
        &witnesses,
        (recovered, &moments),
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
        "kills: {rounds} of the server under {} commits; {} ranges cover {} % of the load, {gaps} gaps; \
         {} tasks of {} orders ended; {judged} moments recovered, {} wrong; verified {} sets and {} log files",
        witnesses.transactions(),
        ranges.len(),
        covered * 100 / (ended - began),
        tasks,
        accepted.len(),
        wrong.len(),
        verified["sets"],
        verified["log_files"],
    );
    if !wrong.is_empty() || !live.is_empty() {
        println!("the files stay in {}", scratch.keep().display());
    }
    assert_eq!(live, Vec::<String>::new(), "the live file");
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

/// What became of every order that the server took: one task each, and done. Gives the moments and
/// files of the recoveries among them.
fn outcomes(server: &mut Server, accepted: &[i64], began: u64) -> Vec<(u64, PathBuf)> {
    let tasks = server.tasks();
    let lost: Vec<&i64> = accepted
        .iter()
        .filter(|id| tasks.iter().all(|task| task.id != **id))
        .collect();
    assert!(lost.is_empty(), "orders that are forgotten: {lost:?}");
    let told = |task: &Task| {
        let (kind, id, state) = (&task.kind, task.id, &task.state);
        format!("{kind} {id} {state}: {:?}", task.failure)
    };
    let undone: Vec<String> = tasks
        .iter()
        .filter(|task| task.state != "completed")
        .map(told)
        .collect();
    assert!(undone.is_empty(), "tasks that were not done: {undone:#?}");
    let mut found = Vec::new();
    for task in tasks.iter().filter(|task| task.kind == "recovery") {
        let name = &task.new_name;
        let listed = server.must(&["tenant", "list"]);
        let tenants = listed["tenants"].as_array().unwrap();
        let made = tenants.iter().filter(|tenant| tenant["name"] == *name);
        assert_eq!(made.count(), 1, "{name} was made once: {listed}");
        let file = server.until("the recovered tenant", 30, |server| server.data_file(name));
        // Before it there were no tables to compare.
        if task.until >= began {
            found.push((task.until, file));
        }
    }
    found
}

/// A few recoveries the way a person makes them.
fn recover_by_command(
    server: &mut Server,
    dice: &mut Dice,
    witnesses: &Witnesses,
    ranges: &[(u64, u64)],
) -> Vec<(u64, PathBuf)> {
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
        (*until, file)
    };
    chosen.iter().enumerate().map(recover).collect()
}
