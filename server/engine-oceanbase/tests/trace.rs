//! Every statement that can be sent to a version, written down one a line: `target/sql-trace-<version>.txt`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use domain::{Scn, backup::BackupKind};
use engine::{
    BackupSpec, CopySpec, CopyWhat, Engine, EngineJobId, EngineJobState, RecoverySpec, TenantKey,
};
use engine_oceanbase::{
    OceanBaseEngine, legacy::statement::LegacyStatement, quote::Unquotable, statement::Statement,
};
use oceanbase_sim::Sim;
use std::{collections::BTreeSet, path::Path, time::Duration};
use support::{cluster, engine, key, legacy_engine, prepare, prepare_cluster};

/// One of each, with values of the usual kind.
fn samples() -> Vec<Statement> {
    let tenant = || "t1".to_owned();
    let backup = |kind| Statement::Backup {
        tenant: tenant(),
        kind,
        mark: "tidemark sample".to_owned(),
    };
    vec![
        Statement::StartArchive { tenant: tenant() },
        Statement::StopArchive { tenant: tenant() },
        backup(BackupKind::Full),
        backup(BackupKind::Incremental),
        Statement::CancelBackup { tenant: tenant() },
        Statement::DataDestination {
            tenant: tenant(),
            uri: "oss://bucket/data?host=oss.example.com&access_id=id&access_key=key".to_owned(),
        },
        Statement::LogDestination {
            tenant: tenant(),
            uri: "file:///bk/t1/clog".to_owned(),
            piece_days: 1,
        },
        Statement::DropPolicy { tenant: tenant() },
        Statement::AddPolicy {
            tenant: tenant(),
            window_days: 7,
        },
        Statement::CreateUnit {
            name: "u".to_owned(),
            max_cpu: "1".to_owned(),
            memory_bytes: 4 << 30,
            log_disk_bytes: Some(12 << 30),
        },
        Statement::CreatePool {
            name: "p".to_owned(),
            unit: "u".to_owned(),
            count: 1,
            zones: vec!["zone1".to_owned(), "zone2".to_owned()],
        },
        Statement::Restore {
            name: "nt".to_owned(),
            data_uri: "file:///bk/t1/data".to_owned(),
            log_uri: "file:///bk/t1/clog".to_owned(),
            until: Scn(1_700_000_000_000_000_001),
            pools: vec!["p".to_owned()],
            locality: Some("F@zone1".to_owned()),
            primary_zone: Some("zone1".to_owned()),
            mark: "tidemark sample".to_owned(),
        },
        Statement::CancelRestore {
            name: "nt".to_owned(),
        },
        Statement::Activate {
            name: "nt".to_owned(),
        },
        Statement::SetTimeout {
            timeout_us: 840_000_000,
        },
        Statement::DropTenant {
            name: "nt".to_owned(),
        },
        Statement::DropPool {
            name: "p".to_owned(),
        },
        Statement::DropUnit {
            name: "u".to_owned(),
        },
    ]
}

/// One of each that a cluster before 4.0 is sent.
fn legacy_samples() -> Vec<LegacyStatement> {
    let text = str::to_owned;
    let limits = |keys: [&'static str; 8]| keys.map(|key| (key, "8589934592".to_owned())).into();
    vec![
        LegacyStatement::Destination {
            uri: text("oss://bucket/data?host=oss.example.com&access_id=id&access_key=key"),
        },
        LegacyStatement::DestinationOption {
            window_days: 7,
            piece_days: 1,
        },
        LegacyStatement::StartArchive,
        LegacyStatement::Backup {
            kind: BackupKind::Full,
        },
        LegacyStatement::Backup {
            kind: BackupKind::Incremental,
        },
        LegacyStatement::CancelBackup,
        LegacyStatement::SecondDestination {
            uri: text("file:///bk/other"),
        },
        LegacyStatement::CopySet { set: 1 },
        LegacyStatement::CopyAllSets,
        LegacyStatement::CopyLog,
        LegacyStatement::CancelCopyOfSets,
        LegacyStatement::CancelCopyOfLog,
        LegacyStatement::StopArchive,
        LegacyStatement::RestoreConcurrency { threads: 10 },
        LegacyStatement::CreateUnit {
            name: text("u"),
            limits: limits([
                "MAX_CPU",
                "MIN_CPU",
                "MAX_MEMORY",
                "MIN_MEMORY",
                "MAX_IOPS",
                "MIN_IOPS",
                "MAX_DISK_SIZE",
                "MAX_SESSION_NUM",
            ]),
        },
        LegacyStatement::CreatePool {
            name: text("p"),
            unit: text("u"),
            count: 1,
            zones: vec![text("zone1"), text("zone2")],
        },
        LegacyStatement::Restore {
            name: text("nt"),
            source: text("t1"),
            uri: text("file:///bk/first"),
            until: text("2026-01-01 08:00:00.000001"),
            cluster: text("c1"),
            cluster_id: text("1"),
            pools: vec![text("p")],
            locality: Some(text("F@zone1")),
        },
        LegacyStatement::DropTenant { name: text("nt") },
        LegacyStatement::DropPool { name: text("p") },
        LegacyStatement::DropUnit { name: text("u") },
    ]
}

/// Has the engine of a whole cluster ask everything that it can ask.
async fn ask_all_of_a_whole(sim: &Sim) {
    prepare_cluster(sim);
    let engine = legacy_engine(sim).await;
    let tenant = key(&engine, "t1").await;
    for kind in [BackupKind::Full, BackupKind::Incremental] {
        let spec = BackupSpec {
            token: format!("trace {kind:?}"),
            tenant: tenant.clone(),
            kind,
        };
        let id = engine.start_backup(&spec).await.unwrap();
        complete(sim, &engine, &id).await;
    }
    engine
        .use_second(Some(Path::new("file:///bk/second")))
        .await
        .unwrap();
    let seen = engine.observe().await.unwrap();
    let set = seen.tenants[0].sets[0].clone();
    for what in [CopyWhat::Set(set.id), CopyWhat::Log] {
        let spec = CopySpec {
            token: format!("trace {what:?}"),
            tenant: tenant.clone(),
            what,
            limit_bytes_per_s: None,
        };
        let id = engine.start_copy(&spec).await.unwrap();
        complete(sim, &engine, &id).await;
    }
    let spec = RecoverySpec {
        token: "trace".to_owned(),
        tenant,
        until: set.min_restore_scn,
        new_name: "nt".to_owned(),
        place: None,
        placement: None,
    };
    let id = engine.start_recovery(&spec).await.unwrap();
    complete(sim, &engine, &id).await;
    engine.find_job("stranger").await.unwrap();
}

async fn complete(sim: &Sim, engine: &dyn Engine, id: &EngineJobId) {
    engine.job(id).await.unwrap();
    sim.advance(Duration::from_secs(60));
    let report = engine.job(id).await.unwrap();
    assert_eq!(report.state, EngineJobState::Completed, "{report:?}");
}

/// Has the engine ask everything that it can ask.
async fn ask_all(sim: &Sim, engine: &OceanBaseEngine) {
    prepare(sim, "t1");
    let tenant = key(engine, "t1").await;
    let spec = BackupSpec {
        token: "trace".to_owned(),
        tenant: tenant.clone(),
        kind: BackupKind::Full,
    };
    let id = engine.start_backup(&spec).await.unwrap();
    engine.job(&id).await.unwrap();
    sim.advance(Duration::from_secs(60));
    assert_eq!(
        engine.job(&id).await.unwrap().state,
        EngineJobState::Completed
    );
    engine.find_job("stranger").await.unwrap();
    recover(sim, engine, &tenant).await;
}

async fn recover(sim: &Sim, engine: &OceanBaseEngine, tenant: &TenantKey) {
    let seen = engine.observe().await.unwrap();
    let spec = RecoverySpec {
        token: "trace-recovery".to_owned(),
        tenant: tenant.clone(),
        until: seen.tenants[0].sets[0].min_restore_scn,
        new_name: "nt".to_owned(),
        place: None,
        placement: None,
    };
    let id = engine.start_recovery(&spec).await.unwrap();
    for _ in 0..500 {
        sim.advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
        let report = engine.job(&id).await.unwrap();
        match report.state {
            EngineJobState::Completed => return,
            EngineJobState::Failed => panic!("{:?}", report.failure),
            _ => {}
        }
    }
    panic!("the recovery never ended");
}

async fn trace(version: &str) {
    let sim = cluster(version, 2);
    let engine = engine(&sim).await;
    ask_all(&sim, &engine).await;
    write(version, &sim, samples().iter().map(Statement::sql));
}

async fn trace_of_a_whole(version: &str) {
    let sim = cluster(version, 2);
    ask_all_of_a_whole(&sim).await;
    let samples = legacy_samples();
    write(version, &sim, samples.iter().map(LegacyStatement::sql));
}

/// Writes down what was sent, and samples that the version has to be able to read.
fn write(version: &str, sim: &Sim, samples: impl Iterator<Item = Result<String, Unquotable>>) {
    let mut lines: BTreeSet<String> = sim.statements().into_iter().collect();
    let mut session = sim.log_in("root@sys", "").unwrap();
    for sql in samples {
        let sql = sql.unwrap();
        for answer in session.run(&sql).answers {
            let misread = |code| {
                answer
                    .as_ref()
                    .err()
                    .is_some_and(|refusal| refusal.code == code)
            };
            assert!(!misread(1064), "{version} cannot read {sql}");
        }
        lines.insert(sql);
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let text: String = lines
        .iter()
        .map(|line| format!("{}\n", line.replace('\n', " ")))
        .collect();
    assert!(lines.len() > 40, "{} statements", lines.len());
    std::fs::write(folder.join(format!("sql-trace-{version}.txt")), text).unwrap();
}

#[tokio::test]
async fn version_2_2_77() {
    trace_of_a_whole("2.2.77").await;
}

#[tokio::test]
async fn version_3_1_5() {
    trace_of_a_whole("3.1.5").await;
}

#[tokio::test]
async fn version_4_1_0() {
    trace("4.1.0").await;
}

#[tokio::test]
async fn version_4_2_1() {
    trace("4.2.1.6").await;
}

#[tokio::test]
async fn version_4_3_5() {
    trace("4.3.5").await;
}
