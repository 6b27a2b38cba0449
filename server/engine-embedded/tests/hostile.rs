//! The hostile run: four foreign programs and the engine write to one tenant, then random moments are
//! recovered and compared with what the writers themselves wrote down.
//!
//! `TIDEMARK_HOSTILE_SECONDS` sets how long they write (60), `TIDEMARK_HOSTILE_MOMENTS` how many moments
//! are recovered (200), `TIDEMARK_SEED` repeats a run's choices.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a step that fails fails the test; the summary is for whoever runs it"
)]

mod support;

use domain::{Scn, backup::BackupKind, capability::EngineKind};
use engine::{
    BackupSpec, Engine, EngineErrorKind, EngineJobState, EngineSettings, RecoverySpec, TenantKey,
    TenantObservation,
};
use engine_embedded::EmbeddedEngine;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use support::{
    RealClock,
    dice::Dice,
    journal::Journal,
    now_ns,
    oracle::{ENGINE_WRITER, EngineCommit, Moment, Witnesses},
    rules,
    writers::{Writer, schema},
};

const TENANT: &str = "victim";
const BACKUPS: u64 = 6;

fn number(name: &str, default: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(default, |text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} is no number"))
    })
}

async fn observe(engine: &EmbeddedEngine) -> TenantObservation {
    let found = engine.observe().await.unwrap().tenants;
    found
        .into_iter()
        .find(|tenant| tenant.name == TENANT)
        .unwrap()
}

async fn back_up(engine: &EmbeddedEngine, tenant: &TenantKey, kind: BackupKind, token: String) {
    let spec = BackupSpec {
        token,
        tenant: tenant.clone(),
        kind,
    };
    let job = engine.start_backup(&spec).await.unwrap();
    let deadline = now_ns() + 120_000_000_000;
    loop {
        let report = engine.job(&job).await.unwrap();
        match report.state {
            EngineJobState::Completed => return,
            EngineJobState::Running => assert!(now_ns() < deadline, "the backup hangs: {report:?}"),
            _ => panic!("the backup ended {report:?}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Writes through the engine until told to stop; gives what was answered.
async fn write_through(
    engine: Arc<EmbeddedEngine>,
    tenant: TenantKey,
    stop: Arc<AtomicBool>,
) -> Vec<EngineCommit> {
    let mut commits = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let begin = now_ns();
        let sql = rules::transaction(ENGINE_WRITER, commits.len() as u64 + 1);
        let results = match engine.run_sql(&tenant, &sql).await {
            Ok(results) => results,
            // The foreign writers held the lock longer than a statement waits; nothing was committed.
            Err(error) if error.message.contains("locked") => continue,
            Err(error) => panic!("{error}"),
        };
        let stamps: Vec<Scn> = results
            .iter()
            .filter_map(|result| result.committed)
            .collect();
        let [scn] = stamps[..] else {
            panic!("one commit, {stamps:?} stamps")
        };
        commits.push(EngineCommit {
            begin,
            scn: scn.0,
            ack: now_ns(),
        });
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    commits
}

async fn wait_archived(engine: &EmbeddedEngine, moment: u64) -> TenantObservation {
    let deadline = now_ns() + 60_000_000_000;
    loop {
        let seen = observe(engine).await;
        if seen
            .archive
            .checkpoint
            .is_some_and(|checkpoint| checkpoint.0 >= moment)
        {
            return seen;
        }
        assert!(
            now_ns() < deadline,
            "the log does not reach {}: {:?}",
            Scn(moment),
            seen.archive
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Random moments; two of three at the edge of a transaction, where a mistake would show.
fn moments(dice: &mut Dice, witnesses: &Witnesses, from: u64, until: u64, count: u64) -> Vec<u64> {
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
    edges.extend(
        witnesses
            .engine
            .iter()
            .flat_map(|one| [one.begin, one.scn, one.ack]),
    );
    edges.retain(|edge| (from + 1..until).contains(edge));
    assert!(
        edges.len() > 100,
        "too little was written: {} edges",
        edges.len()
    );
    let choose = |_| match dice.next() % 3 {
        0 => dice.range(from, until),
        _ => {
            let edge = edges[usize::try_from(dice.range(0, edges.len() as u64)).unwrap()];
            edge - 1 + dice.next() % 3
        }
    };
    (0..count).map(choose).collect()
}

/// What one recovery showed.
struct Outcome {
    until: u64,
    faults: Vec<String>,
    /// Uncertainty of the first commit left out, in nanoseconds.
    width: u64,
}

async fn recover(
    engine: Arc<EmbeddedEngine>,
    tenant: TenantKey,
    witnesses: Arc<Witnesses>,
    until: u64,
    directory: PathBuf,
) -> Outcome {
    let file = directory.join(format!("{until}.db"));
    let proof = match engine.recover_to_file(&tenant, Scn(until), &file).await {
        Ok(proof) => proof,
        Err(error) => {
            return Outcome {
                until,
                faults: vec![format!("refused: {error}")],
                width: 0,
            };
        }
    };
    let mut faults = Vec::new();
    if proof.expected_digest != proof.computed_digest || proof.quick_check != "ok" {
        faults.push(format!("no proof: {proof:?}"));
    }
    if proof.target_scn.0 > until {
        faults.push(format!("the last commit is of {}", proof.target_scn));
    }
    let next = engine
        .first_commit_after(&tenant, Scn(until))
        .await
        .unwrap();
    let foreign_from = next.map_or(until, |next| next.after.0);
    let moment = Moment {
        until,
        foreign_from: foreign_from.min(until),
    };
    let judged = file.clone();
    let judging = tokio::task::spawn_blocking(move || witnesses.judge(&judged, moment));
    faults.extend(judging.await.unwrap());
    if faults.is_empty() {
        std::fs::remove_file(&file).unwrap();
    }
    Outcome {
        until,
        faults,
        width: until.saturating_sub(foreign_from.min(until)),
    }
}

fn percentile(sorted: &[u64], percent: usize) -> u64 {
    sorted
        .get((sorted.len() * percent / 100).min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn four_foreign_writers_and_no_moment_is_wrong() {
    let seconds = number("TIDEMARK_HOSTILE_SECONDS", 60);
    let wanted = number("TIDEMARK_HOSTILE_MOMENTS", 200);
    let mut dice = Dice::from_environment();
    let home = tempfile::TempDir::new().unwrap();
    let settings = EngineSettings {
        kind: EngineKind::Embedded,
        name: "local".to_owned(),
        server: None,
        home: home.path().join("home"),
        destination: home.path().join("backups"),
        adopt: None,
    };
    let engine = Arc::new(
        EmbeddedEngine::open(&settings, Arc::new(RealClock))
            .await
            .unwrap(),
    );
    let tenant = engine.create_tenant(TENANT).await.unwrap();
    engine.run_sql(&tenant, &schema()).await.unwrap();
    let file = PathBuf::from(observe(&engine).await.data_file.unwrap());
    back_up(&engine, &tenant, BackupKind::Full, "first".to_owned()).await;

    let mut writers = Writer::four(&file, home.path(), 4.0);
    for writer in &mut writers {
        writer.start(seconds as f64, dice.next());
    }
    let stop = Arc::new(AtomicBool::new(false));
    let through = tokio::spawn(write_through(
        Arc::clone(&engine),
        tenant.clone(),
        Arc::clone(&stop),
    ));
    for number in 1..=BACKUPS {
        tokio::time::sleep(Duration::from_millis(seconds * 1000 / (BACKUPS + 1))).await;
        let kind = if number % 3 == 0 {
            BackupKind::Full
        } else {
            BackupKind::Incremental
        };
        back_up(&engine, &tenant, kind, format!("load {number}")).await;
    }
    let waited = tokio::task::spawn_blocking(move || {
        writers.iter_mut().for_each(Writer::wait);
        writers
            .iter()
            .map(Writer::journal)
            .collect::<Vec<Journal>>()
    });
    let foreign = waited.await.unwrap();
    stop.store(true, Ordering::Relaxed);
    let witnesses = Arc::new(Witnesses {
        foreign,
        engine: through.await.unwrap(),
    });

    let seen = wait_archived(&engine, now_ns()).await;
    assert_eq!(seen.spans.len(), 1, "one unbroken log: {:?}", seen.spans);
    let from = seen
        .sets
        .iter()
        .map(|set| set.min_restore_scn.0)
        .min()
        .unwrap();
    let until = seen.archive.checkpoint.unwrap().0;
    let moments = moments(&mut dice, &witnesses, from, until, wanted);
    let outcomes = recover_all(&engine, &tenant, &witnesses, &moments, home.path()).await;

    let wrong: Vec<&Outcome> = outcomes
        .iter()
        .filter(|outcome| !outcome.faults.is_empty())
        .collect();
    for outcome in wrong.iter().take(10) {
        println!(
            "wrong at {} ({}): {:#?}",
            Scn(outcome.until),
            outcome.until,
            outcome.faults
        );
    }
    summary(&witnesses, &outcomes, wrong.len());
    refuses_what_is_outside(&engine, &tenant, from, until).await;
    let last = home.path().join("last.db");
    engine
        .recover_to_file(&tenant, Scn(until), &last)
        .await
        .unwrap();
    let final_faults = [witnesses.judge_final(&last), witnesses.judge_final(&file)];
    if !wrong.is_empty() || final_faults.iter().any(|faults| !faults.is_empty()) {
        println!("the files stay in {}", home.keep().display());
    }
    assert_eq!(
        final_faults,
        [Vec::<String>::new(), Vec::new()],
        "recovered to the end; the live file"
    );
    assert_eq!(
        wrong.len(),
        0,
        "moments recovered wrongly, of {}",
        outcomes.len()
    );
    engine.shut_down().await;
}

async fn recover_all(
    engine: &Arc<EmbeddedEngine>,
    tenant: &TenantKey,
    witnesses: &Arc<Witnesses>,
    moments: &[u64],
    directory: &Path,
) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for pair in moments.chunks(2) {
        let running: Vec<_> = pair
            .iter()
            .map(|until| {
                let (engine, witnesses) = (Arc::clone(engine), Arc::clone(witnesses));
                tokio::spawn(recover(
                    engine,
                    tenant.clone(),
                    witnesses,
                    *until,
                    directory.to_owned(),
                ))
            })
            .collect();
        for one in running {
            outcomes.push(one.await.unwrap());
        }
    }
    outcomes
}

async fn refuses_what_is_outside(
    engine: &EmbeddedEngine,
    tenant: &TenantKey,
    from: u64,
    until: u64,
) {
    for outside in [from - 1, until + 3_600_000_000_000] {
        let spec = RecoverySpec {
            token: outside.to_string(),
            tenant: tenant.clone(),
            until: Scn(outside),
            new_name: "never".to_owned(),
            place: None,
            placement: None,
        };
        let error = engine.plan_recovery(&spec).await.unwrap_err();
        assert_eq!(error.kind, EngineErrorKind::Rejected, "{error}");
    }
}

fn summary(witnesses: &Witnesses, outcomes: &[Outcome], wrong: usize) {
    let mut checkpoints: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for journal in &witnesses.foreign {
        for (mode, times) in &journal.checkpoints {
            checkpoints.entry(mode).or_default().extend(times);
        }
    }
    let checkpoints: Vec<String> = checkpoints
        .into_iter()
        .map(|(mode, mut times)| {
            times.sort_by(f64::total_cmp);
            format!(
                "{} {mode} (median {} ms, slowest {} ms)",
                times.len(),
                times[times.len() / 2],
                times[times.len() - 1]
            )
        })
        .collect();
    let connections: u64 = witnesses
        .foreign
        .iter()
        .map(|journal| journal.connections)
        .sum();
    let errors: Vec<&String> = witnesses
        .foreign
        .iter()
        .flat_map(|journal| &journal.errors)
        .collect();
    let mut widths: Vec<u64> = outcomes
        .iter()
        .map(|outcome| outcome.width / 1000)
        .collect();
    widths.sort_unstable();
    println!(
        "hostile run: {} commits ({} through the engine), {connections} connections, checkpoints {}; \
         {} moments recovered, {wrong} wrong; left open before a moment: median {} us, p99 {} us, most {} us",
        witnesses.transactions(),
        witnesses.engine.len(),
        checkpoints.join(", "),
        outcomes.len(),
        percentile(&widths, 50),
        percentile(&widths, 99),
        percentile(&widths, 100),
    );
    if let Some(first) = errors.first() {
        println!(
            "errors that foreign writers met and got over: {}, the first: {first}",
            errors.len()
        );
    }
}
