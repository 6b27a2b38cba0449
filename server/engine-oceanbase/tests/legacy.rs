//! Clusters before 4.0: orders for tenants that become one of the cluster, lost answers, cancellations.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use domain::{archive::ArchiveState, backup::BackupKind, capability::ArchiveScope};
use engine::{BackupSpec, Engine, EngineErrorKind, EngineJobId, EngineJobState};
use engine_oceanbase::{LegacyEngine, OceanBaseEngine, legacy::STATEMENTS_PER_LOOK};
use oceanbase_sim::Fault;
use std::{sync::Arc, time::Duration};
use support::{
    InProcess, PACKETS_MAX, backup, cluster, ended, every_packet_was_lost_once, key, legacy_engine,
    running, sent, sql,
};

#[tokio::test]
async fn the_version_chooses_the_engine() {
    for (version, scope) in [
        ("2.2.77", ArchiveScope::Cluster),
        ("3.1.5", ArchiveScope::Cluster),
        ("4.2.1.6", ArchiveScope::Tenant),
    ] {
        let sim = cluster(version, 1);
        let connector = Arc::new(InProcess(sim.clone()));
        let engine = engine_oceanbase::open("demo", connector).await.unwrap();
        assert!(engine.version().contains(version), "{}", engine.version());
        assert_eq!(engine.capabilities().log_archive, scope);
        assert_eq!(
            engine.capabilities().second_backup,
            scope == ArchiveScope::Cluster
        );
        assert_eq!(engine.identity().as_deref(), Some("oceanbase:c1:1"));
        let connector = Arc::new(InProcess(sim));
        let other = match scope {
            ArchiveScope::Cluster => OceanBaseEngine::open("demo", connector).await.err(),
            _ => LegacyEngine::open("demo", connector).await.err(),
        };
        assert_eq!(other.unwrap().kind, EngineErrorKind::Unsupported);
    }
}

#[tokio::test]
async fn orders_for_four_tenants_give_one_backup() {
    let (sim, engine, keys) = running("3.1.5", 4).await;
    let specs: Vec<BackupSpec> = (0..4)
        .map(|n| backup(&keys[n], &format!("order {n}"), BackupKind::Full))
        .collect();
    let (a, b, c, d) = tokio::join!(
        engine.start_backup(&specs[0]),
        engine.start_backup(&specs[1]),
        engine.start_backup(&specs[2]),
        engine.start_backup(&specs[3]),
    );
    let ids = [a, b, c, d].map(Result::unwrap);
    assert_eq!(sent(&sim, "ALTER SYSTEM BACKUP"), 1);
    let body = |id: &EngineJobId| id.0.rsplit_once(':').unwrap().0.to_owned();
    assert!(ids.iter().all(|id| body(id) == body(&ids[0])), "{ids:?}");
    let first = engine.job(&ids[0]).await.unwrap();
    assert_eq!(first.state, EngineJobState::Running);
    assert!(first.progress.total_bytes > 0, "{first:?}");
    for (id, spec) in ids.iter().zip(&specs) {
        let report = ended(&sim, &engine, id).await;
        assert_eq!(report.state, EngineJobState::Completed, "{report:?}");
        assert_eq!(report.set.unwrap().0, 1);
        assert_eq!(
            engine.find_job(&spec.token).await.unwrap().as_ref(),
            Some(id)
        );
        assert_eq!(&engine.start_backup(spec).await.unwrap(), id);
    }
    for tenant in engine.observe().await.unwrap().tenants {
        assert_eq!(tenant.sets.len(), 1, "{}", tenant.name);
    }
    assert_eq!(sent(&sim, "ALTER SYSTEM BACKUP"), 1);
}

#[tokio::test]
async fn a_full_backup_never_joins_an_incremental_one() {
    let (sim, engine, keys) = running("3.1.5", 2).await;
    let full = backup(&keys[0], "first", BackupKind::Full);
    let id = engine.start_backup(&full).await.unwrap();
    ended(&sim, &engine, &id).await;
    let incremental = backup(&keys[0], "second", BackupKind::Incremental);
    let id = engine.start_backup(&incremental).await.unwrap();
    let full = backup(&keys[1], "third", BackupKind::Full);
    let waits = engine.start_backup(&full).await.unwrap_err();
    assert_eq!(waits.kind, EngineErrorKind::Unreachable, "{waits}");
    let report = ended(&sim, &engine, &id).await;
    assert_eq!(report.actual, Some(BackupKind::Incremental));
    let id = engine.start_backup(&full).await.unwrap();
    let report = ended(&sim, &engine, &id).await;
    assert_eq!(report.actual, Some(BackupKind::Full));
}

#[tokio::test]
async fn a_backup_that_others_began_is_waited_for() {
    let (sim, engine, keys) = running("2.2.77", 2).await;
    sql(&sim, &["ALTER SYSTEM BACKUP DATABASE"]);
    let spec = backup(&keys[0], "one", BackupKind::Full);
    let waits = engine.start_backup(&spec).await.unwrap_err();
    assert_eq!(waits.kind, EngineErrorKind::Unreachable, "{waits}");
    assert!(waits.to_string().contains("did not begin"), "{waits}");
    sim.advance(Duration::from_secs(60));
    let id = engine.start_backup(&spec).await.unwrap();
    assert_eq!(ended(&sim, &engine, &id).await.set.unwrap().0, 2);
}

#[tokio::test]
async fn a_backup_whose_answer_is_lost_is_found_and_not_sent_again() {
    for nth in 1..=PACKETS_MAX {
        for lost in [Fault::ReplyLost { nth }, Fault::DisconnectBefore { nth }] {
            let (sim, engine, keys) = running("3.1.5", 2).await;
            let before = sim.statements().len();
            sim.inject(lost.clone());
            let spec = backup(&keys[0], "one", BackupKind::Full);
            let first = engine.start_backup(&spec).await;
            sim.clear_faults();
            every_packet_was_lost_once(&sim, before, nth);
            let id = match first {
                Ok(id) => id,
                Err(error) => {
                    assert_eq!(
                        error.kind,
                        EngineErrorKind::Unreachable,
                        "{lost:?}: {error}"
                    );
                    engine.start_backup(&spec).await.unwrap()
                }
            };
            let report = ended(&sim, &engine, &id).await;
            assert_eq!(report.state, EngineJobState::Completed, "{report:?}");
            let seen = engine.observe().await.unwrap();
            assert_eq!(seen.tenants[0].sets.len(), 1, "{lost:?}");
            assert_eq!(engine.find_job("one").await.unwrap(), Some(id));
        }
    }
}

#[tokio::test]
async fn log_backup_is_one_switch_and_lost_answers_do_not_matter() {
    for nth in 1..=5 {
        let (sim, engine, keys) = running("3.1.5", 2).await;
        let on = engine.start_archive(&keys[1]).await.unwrap_err();
        assert_eq!(on.kind, EngineErrorKind::Rejected, "{on}");
        assert!(on.to_string().contains("whole cluster"), "{on}");
        sim.inject(Fault::ReplyLost { nth });
        if engine.stop_archive(&keys[0], "test").await.is_err() {
            engine.stop_archive(&keys[0], "test").await.unwrap();
        }
        sim.clear_faults();
        sim.advance(Duration::from_secs(10));
        engine.stop_archive(&keys[1], "again").await.unwrap();
        for tenant in engine.observe().await.unwrap().tenants {
            assert_eq!(tenant.archive.state, ArchiveState::Stop);
        }
        sim.inject(Fault::ReplyLost { nth });
        let started = engine.start_archive(&keys[0]).await;
        sim.clear_faults();
        if let Err(error) = started {
            assert_eq!(error.kind, EngineErrorKind::Unreachable, "{nth}: {error}");
            // Begun or not: the second is told the truth.
            engine.start_archive(&keys[0]).await.ok();
        }
        sim.advance(Duration::from_secs(10));
        let seen = engine.observe().await.unwrap();
        assert!(seen.tenants.iter().all(|it| it.archive.round == 2), "{nth}");
        assert_eq!(sent(&sim, "ALTER SYSTEM ARCHIVELOG"), 2);
    }
}

#[tokio::test]
async fn a_cluster_without_a_destination_is_told_what_to_do() {
    let sim = cluster("3.1.5", 1);
    let engine = legacy_engine(&sim).await;
    let tenant = key(&engine, "t1").await;
    let refused = engine.start_archive(&tenant).await.unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::Rejected);
    assert!(refused.to_string().contains("destination"), "{refused}");
    let spec = backup(&tenant, "one", BackupKind::Full);
    let refused = engine.start_backup(&spec).await.unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::Rejected, "{refused}");
    let seen = engine.observe().await.unwrap();
    assert!(seen.storages.is_empty());
    assert!(seen.tenants[0].archive.note.is_some());
}

#[tokio::test]
async fn an_interrupted_log_fails_the_backup_and_says_why() {
    let (sim, engine, keys) = running("3.1.5", 1).await;
    let spec = backup(&keys[0], "one", BackupKind::Full);
    let id = engine.start_backup(&spec).await.unwrap();
    sim.inject(Fault::ArchiveInterrupted {
        tenant: "t1".to_owned(),
    });
    let report = ended(&sim, &engine, &id).await;
    assert_eq!(report.state, EngineJobState::Failed);
    assert!(report.failure.unwrap().contains("INTERRUPTED"));
    let seen = engine.observe().await.unwrap();
    assert_eq!(seen.tenants[0].archive.state, ArchiveState::Interrupted);
    assert!(seen.tenants[0].archive.note.is_some() && seen.tenants[0].sets.is_empty());
    // It may go on by itself, so it is worth another try; a stopped one is not.
    let again = backup(&keys[0], "two", BackupKind::Full);
    let refused = engine.start_backup(&again).await.unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::Unreachable, "{refused}");
    engine.stop_archive(&keys[0], "test").await.unwrap();
    sim.advance(Duration::from_secs(10));
    let refused = engine.start_backup(&again).await.unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::Rejected, "{refused}");
}

#[tokio::test]
async fn a_canceled_backup_ends_for_all_that_joined_it() {
    let (sim, engine, keys) = running("3.1.5", 2).await;
    let mut ids = Vec::new();
    for tenant in &keys {
        let spec = backup(tenant, &tenant.0, BackupKind::Full);
        ids.push(engine.start_backup(&spec).await.unwrap());
    }
    engine.cancel_job(&ids[0]).await.unwrap();
    let state = engine.job(&ids[1]).await.unwrap().state;
    assert_eq!(state, EngineJobState::Canceling);
    for id in &ids {
        let report = ended(&sim, &engine, id).await;
        assert_eq!(report.state, EngineJobState::Canceled, "{report:?}");
        engine.cancel_job(id).await.unwrap();
    }
    for tenant in engine.observe().await.unwrap().tenants {
        assert!(tenant.sets.is_empty() && tenant.data_bytes == 0);
    }
    // A cancellation that comes too late harms nothing, least of all the next backup.
    let spec = backup(&keys[0], "next", BackupKind::Full);
    let next = engine.start_backup(&spec).await.unwrap();
    engine.cancel_job(&ids[0]).await.unwrap();
    let report = ended(&sim, &engine, &next).await;
    assert_eq!(report.state, EngineJobState::Completed);
}

#[tokio::test]
async fn a_look_costs_the_same_whatever_the_number_of_tenants() {
    for tenants in [4, 200] {
        let (sim, engine, keys) = running("3.1.5", tenants).await;
        let spec = backup(&keys[0], "one", BackupKind::Full);
        let id = engine.start_backup(&spec).await.unwrap();
        ended(&sim, &engine, &id).await;
        let before = engine.statements_read();
        let seen = engine.observe().await.unwrap();
        assert_eq!(engine.statements_read() - before, STATEMENTS_PER_LOOK);
        assert_eq!(seen.tenants.len(), usize::try_from(tenants).unwrap());
        assert!(seen.tenants.iter().all(|tenant| tenant.sets.len() == 1));
        let tenant = &seen.tenants[0];
        assert!(tenant.size_bytes > 0 && tenant.data_bytes > 0 && tenant.log_bytes > 0);
        assert!(tenant.archive.checkpoint.unwrap() > tenant.archive.started.unwrap());
    }
}

#[tokio::test]
async fn another_process_goes_on_with_a_backup_by_its_number() {
    let (sim, engine, keys) = running("3.1.5", 1).await;
    let spec = backup(&keys[0], "one", BackupKind::Full);
    let id = engine.start_backup(&spec).await.unwrap();
    let other = legacy_engine(&sim).await;
    let report = ended(&sim, &other, &id).await;
    assert_eq!(report.state, EngineJobState::Completed);
    assert_eq!(other.find_job("one").await.unwrap(), None);
}

#[tokio::test]
async fn a_backup_whose_answer_is_lost_can_be_found_and_canceled() {
    let (sim, engine, keys) = running("3.1.5", 1).await;
    let spec = backup(&keys[0], "one", BackupKind::Full);
    // The first use of a session for orders: it is opened, and the order is its second packet.
    let mut lost = false;
    for nth in 1..=12 {
        sim.inject(Fault::ReplyLost { nth });
        lost = engine.start_backup(&spec).await.is_err();
        sim.clear_faults();
        if sent(&sim, "ALTER SYSTEM BACKUP") > 0 {
            break;
        }
    }
    // Whether it was told or not, a search finds it.
    let id = engine.find_job("one").await.unwrap();
    let id = id.unwrap_or_else(|| panic!("not found, lost: {lost}"));
    engine.cancel_job(&id).await.unwrap();
    let report = ended(&sim, &engine, &id).await;
    assert_eq!(report.state, EngineJobState::Canceled);
}

#[tokio::test]
async fn a_backup_that_fails_without_a_word_is_told_where_to_look() {
    let (sim, engine, keys) = running("3.1.5", 1).await;
    sim.inject(Fault::BackupFails {
        tenant: "t1".to_owned(),
        phase: String::new(),
    });
    let spec = backup(&keys[0], "one", BackupKind::Full);
    let id = engine.start_backup(&spec).await.unwrap();
    let report = ended(&sim, &engine, &id).await;
    assert_eq!(report.state, EngineJobState::Failed);
    assert!(report.failure.unwrap().contains("root service"));
}

#[tokio::test]
async fn what_builds_on_a_deleted_set_is_not_usable() {
    let (sim, engine, keys) = running("3.1.5", 1).await;
    let kinds = [
        BackupKind::Full,
        BackupKind::Incremental,
        BackupKind::Full,
        BackupKind::Incremental,
    ];
    for (number, kind) in kinds.into_iter().enumerate() {
        let spec = backup(&keys[0], &number.to_string(), kind);
        let id = engine.start_backup(&spec).await.unwrap();
        ended(&sim, &engine, &id).await;
        sim.advance(Duration::from_secs(10));
    }
    sql(&sim, &["ALTER SYSTEM DELETE BACKUPSET 3"]);
    let seen = engine.observe().await.unwrap();
    let sets: Vec<i64> = seen.tenants[0].sets.iter().map(|set| set.id.0).collect();
    assert_eq!(sets, [1, 2]);
}

#[tokio::test]
async fn a_line_that_stays_down_after_the_order_leaves_one_backup() {
    let mut forgot = 0;
    for nth in 1..=PACKETS_MAX {
        let (sim, engine, keys) = running("3.1.5", 2).await;
        // The answer of one packet, and of all that look after it.
        for later in nth..nth + 6 {
            sim.inject(Fault::ReplyLost { nth: later });
        }
        let spec = backup(&keys[0], "one", BackupKind::Full);
        let first = engine.start_backup(&spec).await;
        sim.clear_faults();
        if first.is_err() && sent(&sim, "ALTER SYSTEM BACKUP") == 1 {
            forgot += 1;
            assert!(engine.find_job("one").await.unwrap().is_some());
        }
        let id = engine.start_backup(&spec).await.unwrap();
        // Another tenant's order joins it all the same.
        let joined = backup(&keys[1], "two", BackupKind::Full);
        engine.start_backup(&joined).await.unwrap();
        let report = ended(&sim, &engine, &id).await;
        assert_eq!(report.state, EngineJobState::Completed, "{report:?}");
        assert_eq!(sent(&sim, "ALTER SYSTEM BACKUP"), 1, "{nth}");
    }
    assert!(
        forgot > 0,
        "some order was sent without anything being known of it"
    );
}
