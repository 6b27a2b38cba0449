//! Every statement that can be sent to a version, written down one a line: `target/sql-trace-<version>.txt`.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use domain::{Scn, backup::BackupKind};
use engine::{BackupSpec, Engine, EngineJobState, RecoverySpec, TenantKey};
use engine_oceanbase::{OceanBaseEngine, statement::Statement};
use oceanbase_sim::Sim;
use std::{collections::BTreeSet, path::Path, time::Duration};
use support::{cluster, engine, key, prepare};

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
    let mut lines: BTreeSet<String> = sim.statements().into_iter().collect();
    let mut session = sim.log_in("root@sys", "").unwrap();
    for sample in samples() {
        let sql = sample.sql().unwrap();
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
