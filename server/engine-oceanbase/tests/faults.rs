//! Orders whose answers are lost, and what others do meanwhile: nothing runs twice.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use domain::{archive::ArchiveState, backup::BackupKind};
use engine::{BackupSpec, Engine, EngineErrorKind, EngineJobState, RecoverySpec, TenantKey};
use engine_oceanbase::STATEMENTS_PER_LOOK;
use oceanbase_sim::{Fault, Sim};
use std::time::Duration;
use support::{cluster, engine, key, prepare, sql};

fn backup(tenant: &TenantKey, token: &str) -> BackupSpec {
    BackupSpec {
        token: token.to_owned(),
        tenant: tenant.clone(),
        kind: BackupKind::Full,
    }
}

/// Statements that begin a data backup, as the cluster received them.
fn orders(sim: &Sim) -> usize {
    let is_order = |text: &&String| text.starts_with("ALTER SYSTEM BACKUP");
    sim.statements().iter().filter(is_order).count()
}

#[tokio::test]
async fn a_backup_whose_answer_is_lost_is_found_and_not_sent_again() {
    // Whichever of its statements loses its answer, there is one backup in the end.
    for nth in 1..=8 {
        let sim = cluster("4.3.5", 2);
        prepare(&sim, "t1");
        let engine = engine(&sim).await;
        let tenant = key(&engine, "t1").await;
        sim.inject(Fault::ReplyLost { nth });
        let spec = backup(&tenant, "one");
        let first = engine.start_backup(&spec).await;
        sim.clear_faults();
        let id = match first {
            Ok(id) => id,
            Err(error) => {
                assert_eq!(error.kind, EngineErrorKind::Unreachable, "{nth}: {error}");
                engine.start_backup(&spec).await.unwrap()
            }
        };
        assert_eq!(orders(&sim), 1, "answer {nth} was lost");
        sim.advance(Duration::from_secs(60));
        let report = engine.job(&id).await.unwrap();
        assert_eq!(report.state, EngineJobState::Completed, "{report:?}");
        assert_eq!(engine.find_job("one").await.unwrap(), Some(id));
    }
}

#[tokio::test]
async fn a_backup_beside_another_one_waits_and_one_without_log_is_refused() {
    let sim = cluster("4.2.1.6", 3);
    for tenant in ["t1", "t2"] {
        prepare(&sim, tenant);
    }
    let engine = engine(&sim).await;
    let (one, other, bare) = (
        key(&engine, "t1").await,
        key(&engine, "t2").await,
        key(&engine, "t3").await,
    );
    engine.start_backup(&backup(&one, "a")).await.unwrap();
    let busy = engine.start_backup(&backup(&other, "b")).await.unwrap_err();
    assert_eq!(busy.kind, EngineErrorKind::Unreachable, "{busy}");
    assert!(busy.to_string().contains("9036"), "{busy}");
    sim.advance(Duration::from_secs(60));
    engine.start_backup(&backup(&other, "b")).await.unwrap();
    sim.advance(Duration::from_secs(60));
    let refused = engine.start_backup(&backup(&bare, "c")).await.unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::Rejected, "{refused}");
    assert!(refused.to_string().contains("9040"), "{refused}");
}

#[tokio::test]
async fn a_canceled_backup_ends_canceled_and_leaves_no_set() {
    let sim = cluster("4.3.5", 1);
    prepare(&sim, "t1");
    let engine = engine(&sim).await;
    let tenant = key(&engine, "t1").await;
    let id = engine.start_backup(&backup(&tenant, "a")).await.unwrap();
    engine.cancel_job(&id).await.unwrap();
    sim.advance(Duration::from_secs(60));
    let report = engine.job(&id).await.unwrap();
    assert_eq!(report.state, EngineJobState::Canceled, "{report:?}");
    assert!(engine.observe().await.unwrap().tenants[0].sets.is_empty());
}

#[tokio::test]
async fn interrupted_log_backup_fails_the_backup_and_says_why() {
    let sim = cluster("4.3.5", 1);
    prepare(&sim, "t1");
    let engine = engine(&sim).await;
    let tenant = key(&engine, "t1").await;
    let id = engine.start_backup(&backup(&tenant, "a")).await.unwrap();
    sim.inject(Fault::ArchiveInterrupted {
        tenant: "t1".to_owned(),
    });
    sim.advance(Duration::from_secs(60));
    let report = engine.job(&id).await.unwrap();
    assert_eq!(report.state, EngineJobState::Failed);
    assert!(report.failure.unwrap().contains("9027"));
    let seen = engine.observe().await.unwrap();
    assert_eq!(seen.tenants[0].archive.state, ArchiveState::Interrupted);
    assert!(seen.tenants[0].archive.note.is_some());
}

#[tokio::test]
async fn a_look_costs_the_same_whatever_the_number_of_tenants() {
    for tenants in [4, 100, 1000] {
        let sim = cluster("4.3.5", tenants);
        let engine = engine(&sim).await;
        let before = engine.statements_read();
        let seen = engine.observe().await.unwrap();
        assert_eq!(seen.tenants.len(), usize::try_from(tenants).unwrap());
        assert_eq!(engine.statements_read() - before, STATEMENTS_PER_LOOK);
    }
}

#[tokio::test]
async fn a_tenant_made_again_under_its_name_is_another_one() {
    let sim = cluster("4.3.5", 1);
    let engine = engine(&sim).await;
    let before = key(&engine, "t1").await;
    sim.inject(Fault::TenantRecreated {
        tenant: "t1".to_owned(),
    });
    sim.advance(Duration::from_secs(5));
    assert_ne!(key(&engine, "t1").await, before);
    let gone = engine.start_archive(&before).await.unwrap_err();
    assert_eq!(gone.kind, EngineErrorKind::NotFound);
}

#[tokio::test]
async fn log_backup_without_a_destination_is_refused_before_it_is_sent() {
    let sim = cluster("4.3.5", 1);
    let engine = engine(&sim).await;
    let tenant = key(&engine, "t1").await;
    let refused = engine.start_archive(&tenant).await.unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::Rejected);
    assert!(refused.to_string().contains("destination"), "{refused}");
    sql(
        &sim,
        &["ALTER SYSTEM SET LOG_ARCHIVE_DEST = 'LOCATION=file:///bk/t1' TENANT = t1"],
    );
    engine.start_archive(&tenant).await.unwrap();
}

/// A tenant with a set, and an order to recover its moment.
async fn recoverable(sim: &Sim, engine: &engine_oceanbase::OceanBaseEngine) -> RecoverySpec {
    let tenant = key(engine, "t1").await;
    engine.start_backup(&backup(&tenant, "a")).await.unwrap();
    sim.advance(Duration::from_secs(60));
    let seen = engine.observe().await.unwrap();
    RecoverySpec {
        token: "r".to_owned(),
        tenant,
        until: seen.tenants[0].sets[0].min_restore_scn,
        new_name: "nt".to_owned(),
        place: None,
        placement: None,
    }
}

#[tokio::test]
async fn a_recovery_that_is_asked_for_again_is_sent_once() {
    let sim = cluster("4.3.5", 1);
    prepare(&sim, "t1");
    let engine = engine(&sim).await;
    let spec = recoverable(&sim, &engine).await;
    let first = engine.start_recovery(&spec).await.unwrap();
    // Its statement is still on its way, and no view shows it yet.
    assert_eq!(engine.start_recovery(&spec).await.unwrap(), first);
    for _ in 0..500 {
        sim.advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
        let state = engine.job(&first).await.unwrap().state;
        assert_ne!(state, EngineJobState::Failed);
        if state == EngineJobState::Completed {
            break;
        }
    }
    assert_eq!(
        engine.job(&first).await.unwrap().state,
        EngineJobState::Completed
    );
    let sent = sim.statements();
    let orders = sent
        .iter()
        .filter(|text| text.starts_with("ALTER SYSTEM RESTORE"));
    assert_eq!(orders.count(), 1);
}

#[tokio::test]
async fn a_recovery_that_is_given_up_ends_canceled() {
    let sim = cluster("4.3.5", 1);
    prepare(&sim, "t1");
    let engine = engine(&sim).await;
    let spec = recoverable(&sim, &engine).await;
    let id = engine.start_recovery(&spec).await.unwrap();
    while sim
        .statements()
        .iter()
        .all(|text| !text.starts_with("ALTER SYSTEM RESTORE"))
    {
        tokio::task::yield_now().await;
    }
    engine.cancel_job(&id).await.unwrap();
    for _ in 0..60 {
        sim.advance(Duration::from_secs(1));
        tokio::task::yield_now().await;
    }
    assert_eq!(
        engine.job(&id).await.unwrap().state,
        EngineJobState::Canceled
    );
}
