//! Second copies of clusters before 4.0.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use domain::{BackupSetId, Scn, backup::BackupKind, second_backup::Place};
use engine::{
    BackupSpec, CopySpec, CopyWhat, Engine, EngineErrorKind, EngineJobState, RecoverySpec,
    SecondObservation, TenantKey,
};
use engine_oceanbase::LegacyEngine;
use oceanbase_sim::{Fault, Sim};
use std::{path::Path, time::Duration};
use support::{
    PACKETS_MAX, cluster, ended, every_packet_was_lost_once, key, legacy_engine, prepare_cluster,
    sent, sql,
};

const SECOND: &str = "file:///bk/second";

async fn back_up(sim: &Sim, engine: &LegacyEngine, tenant: &TenantKey, kind: BackupKind) -> i64 {
    let spec = BackupSpec {
        token: format!("backup at {}", sim.now_ns()),
        tenant: tenant.clone(),
        kind,
    };
    let id = engine.start_backup(&spec).await.unwrap();
    ended(sim, engine, &id).await.set.unwrap().0
}

fn copy(tenant: &TenantKey, token: &str, what: CopyWhat) -> CopySpec {
    CopySpec {
        token: token.to_owned(),
        tenant: tenant.clone(),
        what,
        limit_bytes_per_s: None,
    }
}

fn set(id: i64) -> CopyWhat {
    CopyWhat::Set(BackupSetId(id))
}

/// A cluster with two tenants, its log archived, and a second destination in use.
async fn copying() -> (Sim, LegacyEngine, Vec<TenantKey>) {
    let sim = cluster("3.1.5", 2);
    prepare_cluster(&sim);
    let engine = legacy_engine(&sim).await;
    engine.use_second(Some(Path::new(SECOND))).await.unwrap();
    let keys = vec![key(&engine, "t1").await, key(&engine, "t2").await];
    (sim, engine, keys)
}

async fn second_of(engine: &LegacyEngine, tenant: &TenantKey) -> SecondObservation {
    let seen = engine.observe().await.unwrap();
    let tenant = seen.tenants.into_iter().find(|it| &it.key == tenant);
    tenant.unwrap().second.unwrap()
}

#[tokio::test]
async fn a_second_destination_is_taken_once_and_left_as_it_is() {
    let (sim, engine, _) = copying().await;
    for (bad, why) in [
        ("file:///bk/first/", "themselves"),
        ("relative", "absolute"),
    ] {
        let refused = engine.use_second(Some(Path::new(bad))).await.unwrap_err();
        assert_eq!(refused.kind, EngineErrorKind::Rejected, "{refused}");
        assert!(refused.to_string().contains(why), "{refused}");
    }
    // After each opening it is told again: what is set already is not set again.
    let other = legacy_engine(&sim).await;
    assert!(other.observe().await.unwrap().tenants[0].second.is_none());
    other
        .use_second(Some(Path::new("/bk/second/")))
        .await
        .unwrap();
    other.use_second(None).await.unwrap();
    assert!(other.observe().await.unwrap().tenants[0].second.is_none());
    assert_eq!(sent(&sim, "ALTER SYSTEM SET backup_backup_dest"), 1);
    let storages = engine.observe().await.unwrap().storages;
    let told: Vec<(Place, &str)> = storages
        .iter()
        .map(|it| (it.place, it.location.as_str()))
        .collect();
    let (first, second) = ((Place::First, "file:///bk/first"), (Place::Second, SECOND));
    assert_eq!(told, [first, second]);
    let full = sim.clone();
    sql(&full, &["SIM FILE 'file:///bk/junk'"]);
    let refused = engine
        .use_second(Some(Path::new("file:///bk/junk")))
        .await
        .unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::Rejected);
    assert!(refused.to_string().contains("empty"), "{refused}");
}

#[tokio::test]
async fn no_copy_without_a_second_destination() {
    let sim = cluster("2.2.77", 1);
    prepare_cluster(&sim);
    let engine = legacy_engine(&sim).await;
    let tenant = key(&engine, "t1").await;
    for what in [CopyWhat::Log, set(1)] {
        let refused = engine
            .start_copy(&copy(&tenant, "a", what))
            .await
            .unwrap_err();
        assert_eq!(refused.kind, EngineErrorKind::Rejected);
    }
}

#[tokio::test]
async fn a_set_is_copied_once_for_all_tenants_with_what_it_builds_on() {
    let (sim, engine, keys) = copying().await;
    back_up(&sim, &engine, &keys[0], BackupKind::Full).await;
    let newest = back_up(&sim, &engine, &keys[0], BackupKind::Incremental).await;
    let one = copy(&keys[0], "one", set(newest));
    let id = engine.start_copy(&one).await.unwrap();
    let joined = engine.start_copy(&copy(&keys[1], "two", set(newest))).await;
    let joined = joined.unwrap();
    assert_eq!(engine.start_copy(&one).await.unwrap(), id);
    assert_eq!(sent(&sim, "ALTER SYSTEM BACKUP BACKUPSET ALL"), 1);
    for id in [&id, &joined] {
        let report = ended(&sim, &engine, id).await;
        assert_eq!(report.state, EngineJobState::Completed, "{report:?}");
        assert!(report.outcome.is_some() && report.progress.total_bytes > 0);
    }
    // Later ones find it there.
    let later = engine
        .start_copy(&copy(&keys[1], "three", set(newest)))
        .await;
    let report = engine.job(&later.unwrap()).await.unwrap();
    assert_eq!(report.state, EngineJobState::Completed);
    assert_eq!(sent(&sim, "ALTER SYSTEM BACKUP BACKUPSET"), 1);
    // One more: only itself is missing.
    let third = back_up(&sim, &engine, &keys[0], BackupKind::Incremental).await;
    let id = engine.start_copy(&copy(&keys[0], "four", set(third))).await;
    let report = ended(&sim, &engine, &id.unwrap()).await;
    assert_eq!(report.state, EngineJobState::Completed, "{report:?}");
    assert_eq!(
        sent(&sim, &format!("ALTER SYSTEM BACKUP BACKUPSET {third}")),
        1
    );
    let unknown = engine.start_copy(&copy(&keys[0], "five", set(99))).await;
    assert_eq!(unknown.unwrap_err().kind, EngineErrorKind::Rejected);
}

#[tokio::test]
async fn copies_of_log_make_copied_sets_recoverable_and_nothing_else() {
    let (sim, engine, keys) = copying().await;
    let id = back_up(&sim, &engine, &keys[0], BackupKind::Full).await;
    let copied = engine.start_copy(&copy(&keys[0], "set", set(id))).await;
    ended(&sim, &engine, &copied.unwrap()).await;
    // Without log nothing can be recovered from the copy, and nothing is claimed.
    let second = second_of(&engine, &keys[0]).await;
    assert!(
        second.sets.is_empty() && second.spans.is_empty(),
        "{second:?}"
    );
    assert!(second.data_bytes > 0);
    assert_eq!(
        second.arrived,
        [BackupSetId(id)],
        "it is there all the same"
    );
    let log = copy(&keys[0], "log", CopyWhat::Log);
    let copied = engine.start_copy(&log).await.unwrap();
    let report = ended(&sim, &engine, &copied).await;
    assert_eq!(report.state, EngineJobState::Completed, "{report:?}");
    let reached = second_of(&engine, &keys[0]).await.checkpoint.unwrap();
    sim.advance(Duration::from_secs(30));
    let seen = engine.observe().await.unwrap();
    let tenant = seen.tenants.iter().find(|it| it.key == keys[0]).unwrap();
    let second = tenant.second.as_ref().unwrap();
    assert_eq!(second.sets, tenant.sets);
    assert_eq!(second.arrived, []);
    assert_eq!(
        second.checkpoint,
        Some(reached),
        "it stands where it was copied to"
    );
    assert!(tenant.archive.checkpoint.unwrap() > reached);
    assert_eq!(second.directory, SECOND);
    let recovery = |token: &str, until: Scn, place| RecoverySpec {
        token: token.to_owned(),
        tenant: keys[0].clone(),
        until,
        new_name: token.to_owned(),
        place,
        placement: None,
    };
    let beyond = recovery("r1", reached.plus_ns(1_000_000_000), Some(Place::Second));
    let refused = engine.plan_recovery(&beyond).await.unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::Rejected);
    let first = engine.plan_recovery(&recovery("r2", reached, None)).await;
    assert_eq!(first.unwrap().place, Place::First);
    let from_copy = recovery("r3", reached, Some(Place::Second));
    assert_eq!(
        engine.plan_recovery(&from_copy).await.unwrap().place,
        Place::Second
    );
    let id = engine.start_recovery(&from_copy).await.unwrap();
    let report = ended(&sim, &engine, &id).await;
    assert_eq!(report.state, EngineJobState::Completed, "{report:?}");
    assert!(
        sim.statements()
            .iter()
            .any(|text| text.contains("AT 'file:///bk/second'"))
    );
}

#[tokio::test]
async fn copies_that_others_began_are_waited_for() {
    let (sim, engine, keys) = copying().await;
    let id = back_up(&sim, &engine, &keys[0], BackupKind::Full).await;
    sql(&sim, &["ALTER SYSTEM BACKUP BACKUPSET ALL"]);
    for what in [set(id), CopyWhat::Log] {
        let waits = engine
            .start_copy(&copy(&keys[0], "a", what))
            .await
            .unwrap_err();
        assert_eq!(waits.kind, EngineErrorKind::Unreachable, "{waits}");
    }
}

#[tokio::test]
async fn a_copy_whose_answer_is_lost_runs_once() {
    for nth in 1..=PACKETS_MAX {
        for what in [set(1), CopyWhat::Log] {
            let (sim, engine, keys) = copying().await;
            back_up(&sim, &engine, &keys[0], BackupKind::Full).await;
            let before = sim.statements().len();
            sim.inject(Fault::ReplyLost { nth });
            let spec = copy(&keys[0], "one", what);
            let first = engine.start_copy(&spec).await;
            sim.clear_faults();
            every_packet_was_lost_once(&sim, before, nth);
            let id = match first {
                Ok(id) => id,
                Err(error) => {
                    assert_eq!(error.kind, EngineErrorKind::Unreachable, "{nth}: {error}");
                    engine.start_copy(&spec).await.unwrap()
                }
            };
            let report = ended(&sim, &engine, &id).await;
            assert_eq!(report.state, EngineJobState::Completed, "{report:?}");
            assert_eq!(
                sent(&sim, "ALTER SYSTEM BACKUP BACKUP"),
                1,
                "{nth} {what:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_copy_that_fails_says_with_which_result_and_one_given_up_ends_canceled() {
    let (sim, engine, keys) = copying().await;
    let id = back_up(&sim, &engine, &keys[0], BackupKind::Full).await;
    sim.inject(Fault::StorageUnreachable {
        prefix: SECOND.to_owned(),
    });
    let failed = engine
        .start_copy(&copy(&keys[0], "one", set(id)))
        .await
        .unwrap();
    let report = ended(&sim, &engine, &failed).await;
    assert_eq!(report.state, EngineJobState::Failed);
    assert!(report.failure.unwrap().contains("9070"));
    sim.clear_faults();
    sim.advance(Duration::from_secs(5));
    for what in [set(id), CopyWhat::Log] {
        let token = format!("{what:?}");
        let canceled = engine
            .start_copy(&copy(&keys[0], &token, what))
            .await
            .unwrap();
        engine.cancel_job(&canceled).await.unwrap();
        let report = ended(&sim, &engine, &canceled).await;
        assert_eq!(report.state, EngineJobState::Canceled, "{report:?}");
        engine.cancel_job(&canceled).await.unwrap();
    }
    assert_eq!(second_of(&engine, &keys[0]).await.data_bytes, 0);
    let again = engine
        .start_copy(&copy(&keys[0], "two", set(id)))
        .await
        .unwrap();
    let report = ended(&sim, &engine, &again).await;
    assert_eq!(report.state, EngineJobState::Completed, "{report:?}");
}

#[tokio::test]
async fn a_second_destination_that_others_changed_is_not_written_to() {
    let (sim, engine, keys) = copying().await;
    let id = back_up(&sim, &engine, &keys[0], BackupKind::Full).await;
    sql(
        &sim,
        &["ALTER SYSTEM SET backup_backup_dest = 'file:///bk/theirs'"],
    );
    let refused = engine
        .start_copy(&copy(&keys[0], "one", set(id)))
        .await
        .unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::Rejected);
    assert!(refused.to_string().contains("/bk/theirs"), "{refused}");
    assert_eq!(sent(&sim, "ALTER SYSTEM BACKUP BACKUPSET"), 0);
}

#[tokio::test]
async fn a_second_destination_is_set_once_whatever_answer_is_lost() {
    for nth in 1..=5 {
        let sim = cluster("3.1.5", 1);
        prepare_cluster(&sim);
        let engine = legacy_engine(&sim).await;
        sim.inject(Fault::ReplyLost { nth });
        let first = engine.use_second(Some(Path::new(SECOND))).await;
        sim.clear_faults();
        if let Err(error) = first {
            assert_eq!(error.kind, EngineErrorKind::Unreachable, "{nth}: {error}");
            engine.use_second(Some(Path::new(SECOND))).await.unwrap();
        }
        assert_eq!(sent(&sim, "ALTER SYSTEM SET backup_backup_dest"), 1);
        assert!(engine.observe().await.unwrap().tenants[0].second.is_some());
    }
}

#[tokio::test]
async fn log_without_pieces_is_not_told_as_copied() {
    let sim = cluster("3.1.5", 1);
    sql(
        &sim,
        &[
            "ALTER SYSTEM SET backup_dest = 'file:///bk/first'",
            "ALTER SYSTEM ARCHIVELOG",
        ],
    );
    sim.advance(Duration::from_secs(30));
    let engine = legacy_engine(&sim).await;
    engine.use_second(Some(Path::new(SECOND))).await.unwrap();
    let tenant = key(&engine, "t1").await;
    let log = copy(&tenant, "log", CopyWhat::Log);
    let refused = engine.start_copy(&log).await.unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::Rejected, "{refused}");
    assert!(refused.to_string().contains("switched off"), "{refused}");
}

#[tokio::test]
async fn a_key_is_not_told_with_a_refusal() {
    let (_sim, engine, _) = copying().await;
    let bad = "oss://bucket/second?host=h&access_id=me&access_key=s3cr3t&delete_mode=never";
    let refused = engine.use_second(Some(Path::new(bad))).await.unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::Rejected);
    let told = format!("{refused} {refused:?}");
    assert!(
        told.contains("bucket/second") && !told.contains("s3cr3t"),
        "{told}"
    );
}
