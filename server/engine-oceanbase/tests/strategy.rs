//! What a strategy wants of a cluster of version 4: set where it is missing, told where somebody changed it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use domain::{
    archive::ArchiveState,
    backup::BackupKind,
    strategy::{Drift, Setting},
};
use engine::{
    Applied, Engine, EngineErrorKind, EngineJobState, Observation, RecoverySpec, TenantKey,
    WantedSettings,
};
use engine_oceanbase::OceanBaseEngine;
use oceanbase_sim::{Fault, Sim};
use std::{path::Path, time::Duration};
use support::{
    LOOKS_MAX, PACKETS_MAX, backup, cluster, engine, every_packet_was_lost_once, key, prepare,
    sent, sql,
};

const VERSIONS: [&str; 4] = ["4.0.0", "4.2.1.6", "4.3.0", "4.3.5"];

fn wanted(destination: &str, retention_days: Option<u32>) -> WantedSettings {
    WantedSettings {
        destination: destination.to_owned(),
        piece_days: 1,
        retention_days,
    }
}

async fn wanting(sim: &Sim, wanted: WantedSettings) -> OceanBaseEngine {
    let engine = engine(sim).await;
    engine.want(Some(wanted));
    engine
}

fn failures(applied: &[Applied]) -> Vec<&str> {
    let failures = applied.iter().filter_map(|one| one.failure.as_deref());
    failures.collect()
}

fn settings(drift: &[Drift]) -> Vec<(&str, Setting)> {
    drift
        .iter()
        .map(|one| (one.tenant.as_str(), one.setting))
        .collect()
}

async fn seen(engine: &OceanBaseEngine) -> Observation {
    engine.observe().await.unwrap()
}

/// Settings that changed something, as the cluster received them.
fn changes(sim: &Sim) -> usize {
    let begins = [
        "ALTER SYSTEM SET",
        "ALTER SYSTEM ARCHIVELOG",
        "ALTER SYSTEM NOARCHIVELOG",
        "ALTER SYSTEM ADD",
        "ALTER SYSTEM DROP",
    ];
    begins.iter().map(|begin| sent(sim, begin)).sum()
}

#[tokio::test]
async fn a_bare_cluster_is_made_ready_and_a_backup_succeeds() {
    for version in VERSIONS {
        let sim = cluster(version, 2);
        let engine = wanting(&sim, wanted("file:///bk", Some(7))).await;
        assert_eq!(seen(&engine).await.drift.len(), 8, "{version}");
        let applied = engine.apply_wanted().await.unwrap();
        assert_eq!(
            (applied.len(), failures(&applied)),
            (8, vec![]),
            "{version}"
        );
        sim.advance(Duration::from_secs(30));
        let now = seen(&engine).await;
        assert_eq!(now.drift, [], "{version}");
        for tenant in &now.tenants {
            assert_eq!(tenant.archive.state, ArchiveState::Doing, "{version}");
            let place = format!("file:///bk/1/{}/clog", tenant.key);
            assert_eq!(tenant.archive.directory, place);
        }
        let tenant = key(&engine, "t1").await;
        let order = backup(&tenant, "one", BackupKind::Full);
        let id = engine.start_backup(&order).await.unwrap();
        sim.advance(Duration::from_secs(60));
        let report = engine.job(&id).await.unwrap();
        assert_eq!(
            report.state,
            EngineJobState::Completed,
            "{version} {report:?}"
        );
        // Nothing is left to be done.
        let before = changes(&sim);
        assert_eq!(engine.apply_wanted().await.unwrap(), []);
        assert_eq!(changes(&sim), before);
    }
}

#[tokio::test]
async fn nothing_is_wanted_of_a_cluster_without_a_strategy() {
    let sim = cluster("4.3.5", 1);
    let engine = engine(&sim).await;
    assert_eq!(engine.apply_wanted().await.unwrap(), []);
    assert_eq!(seen(&engine).await.drift, []);
    engine.want(Some(wanted("file:///bk", None)));
    assert!(!seen(&engine).await.drift.is_empty());
    engine.want(None);
    assert_eq!(seen(&engine).await.drift, []);
    assert_eq!(changes(&sim), 0);
}

#[tokio::test]
async fn destinations_below_the_strategys_are_taken_over_without_a_gap() {
    let sim = cluster("4.3.5", 1);
    prepare(&sim, "t1");
    let engine = wanting(&sim, wanted("file:///bk", None)).await;
    let round = seen(&engine).await.tenants[0].archive.round;
    let before = changes(&sim);
    assert_eq!(engine.apply_wanted().await.unwrap(), []);
    assert_eq!(changes(&sim), before);
    let now = seen(&engine).await;
    assert_eq!(now.drift, []);
    assert_eq!(now.tenants[0].archive.round, round);
    assert_eq!(now.tenants[0].archive.directory, "file:///bk/t1/clog");
}

#[tokio::test]
async fn a_round_is_never_stopped_for_another_destination() {
    let sim = cluster("4.3.5", 1);
    prepare(&sim, "t1");
    let engine = wanting(&sim, wanted("file:///other", Some(14))).await;
    let applied = engine.apply_wanted().await.unwrap();
    let log = &applied[0];
    assert_eq!(log.what, Setting::LogDestination);
    let way = "Stop log backup of t1, then apply again; a gap begins.";
    assert!(log.failure.as_ref().unwrap().contains(way), "{log:?}");
    assert_eq!(failures(&applied).len(), 1, "{applied:?}");
    assert_eq!(sent(&sim, "ALTER SYSTEM NOARCHIVELOG"), 0);
    let now = seen(&engine).await;
    assert_eq!(settings(&now.drift), [("t1", Setting::LogDestination)]);
    assert!(now.drift[0].blocked.as_ref().unwrap().contains(way));
    assert_eq!(now.tenants[0].archive.state, ArchiveState::Doing);
    // The way that it told leads there.
    let tenant = TenantKey(now.tenants[0].key.0.clone());
    engine.stop_archive(&tenant, "").await.unwrap();
    sim.advance(Duration::from_secs(30));
    let applied = engine.apply_wanted().await.unwrap();
    assert_eq!((applied.len(), failures(&applied)), (2, vec![]));
    sim.advance(Duration::from_secs(30));
    let now = seen(&engine).await;
    assert_eq!(now.drift, []);
    assert!(
        now.tenants[0]
            .archive
            .directory
            .starts_with("file:///other/1/")
    );
}

#[tokio::test]
async fn an_answer_that_is_lost_does_nothing_twice() {
    for nth in 1..=PACKETS_MAX {
        let sim = cluster("4.2.1.6", 1);
        let engine = wanting(&sim, wanted("file:///bk", Some(7))).await;
        let before = sim.statements().len();
        sim.inject(Fault::ReplyLost { nth });
        let first = engine.apply_wanted().await;
        every_packet_was_lost_once(&sim, before, nth);
        sim.clear_faults();
        if let Err(error) = &first {
            assert_eq!(error.kind, EngineErrorKind::Unreachable, "{nth}: {error}");
        }
        let again = engine.apply_wanted().await.unwrap();
        assert_eq!(failures(&again), [""; 0], "{nth}");
        assert_eq!(seen(&engine).await.drift, [], "{nth}");
        for begin in [
            "ALTER SYSTEM SET LOG_ARCHIVE_DEST",
            "ALTER SYSTEM ARCHIVELOG",
            "ALTER SYSTEM SET DATA_BACKUP_DEST",
            "ALTER SYSTEM ADD DELETE BACKUP POLICY",
        ] {
            assert_eq!(sent(&sim, begin), 1, "{begin} when answer {nth} was lost");
        }
    }
}

#[tokio::test]
async fn what_others_change_is_told_and_put_right() {
    for version in VERSIONS {
        let sim = cluster(version, 2);
        let engine = wanting(&sim, wanted("file:///bk", Some(7))).await;
        engine.apply_wanted().await.unwrap();
        sim.advance(Duration::from_secs(30));
        sql(
            &sim,
            &[
                "ALTER SYSTEM SET DATA_BACKUP_DEST = 'file:///elsewhere/t1' TENANT = t1",
                "ALTER SYSTEM NOARCHIVELOG TENANT = t1",
                "ALTER SYSTEM DROP DELETE BACKUP POLICY 'default' TENANT = t1",
                "ALTER SYSTEM DROP DELETE BACKUP POLICY 'default' TENANT = t2",
                "ALTER SYSTEM ADD DELETE BACKUP POLICY 'default' RECOVERY_WINDOW '1d' TENANT = t2",
            ],
        );
        sim.advance(Duration::from_secs(30));
        sql(
            &sim,
            &["ALTER SYSTEM SET LOG_ARCHIVE_DEST = 'LOCATION=file:///elsewhere/log' TENANT = t1"],
        );
        let drift = seen(&engine).await.drift;
        let expected = [
            ("t1", Setting::LogDestination),
            ("t1", Setting::LogMode),
            ("t1", Setting::DataDestination),
            ("t1", Setting::DeletePolicy),
            ("t2", Setting::DeletePolicy),
        ];
        assert_eq!(settings(&drift), expected, "{version}");
        assert_eq!(
            (&*drift[0].found, &drift[0].blocked),
            ("file:///elsewhere/log", &None)
        );
        assert_eq!(
            (&*drift[2].found, &*drift[2].wanted),
            ("file:///elsewhere/t1", "file:///bk/1/1002/data")
        );
        assert_eq!((&*drift[3].found, &*drift[3].wanted), ("", "7d"));
        assert_eq!((&*drift[4].found, &*drift[4].wanted), ("1d", "7d"));
        let applied = engine.apply_wanted().await.unwrap();
        assert_eq!(
            (applied.len(), failures(&applied)),
            (5, vec![]),
            "{version}"
        );
        assert_eq!(seen(&engine).await.drift, [], "{version}");
    }
}

#[tokio::test]
async fn a_policy_goes_when_nothing_is_to_be_removed() {
    let sim = cluster("4.3.5", 1);
    let engine = wanting(&sim, wanted("file:///bk", Some(7))).await;
    engine.apply_wanted().await.unwrap();
    engine.want(Some(wanted("file:///bk", None)));
    let drift = seen(&engine).await.drift;
    assert_eq!(settings(&drift), [("t1", Setting::DeletePolicy)]);
    assert_eq!((&*drift[0].wanted, &*drift[0].found), ("", "7d"));
    assert_eq!(failures(&engine.apply_wanted().await.unwrap()), [""; 0]);
    assert_eq!(seen(&engine).await.drift, []);
}

#[tokio::test]
async fn a_destination_that_cannot_be_used_keeps_log_off_and_the_rest_goes_on() {
    let sim = cluster("4.3.5", 2);
    sim.inject(Fault::StorageUnreachable {
        prefix: "file:///bk/1/1002".to_owned(),
    });
    let engine = wanting(&sim, wanted("file:///bk", Some(7))).await;
    let applied = engine.apply_wanted().await.unwrap();
    let told = failures(&applied);
    assert_eq!(told.len(), 3, "{applied:?}");
    assert!(
        told[0].contains("9070") && told[1].contains("before its destination"),
        "{told:?}"
    );
    assert!(
        applied
            .iter()
            .all(|one| one.failure.is_none() || one.tenant == "t1")
    );
    // A backup in progress keeps its destination.
    sim.clear_faults();
    assert_eq!(failures(&engine.apply_wanted().await.unwrap()), [""; 0]);
    sim.advance(Duration::from_secs(30));
    let tenant = key(&engine, "t1").await;
    engine
        .start_backup(&backup(&tenant, "a", BackupKind::Full))
        .await
        .unwrap();
    engine.want(Some(wanted("file:///new", Some(7))));
    let applied = engine.apply_wanted().await.unwrap();
    let data = applied
        .iter()
        .find(|one| one.tenant == "t1" && one.what == Setting::DataDestination);
    let why = data.unwrap().failure.as_ref().unwrap();
    assert!(
        why.contains("9036") && why.contains("apply it again"),
        "{why}"
    );
}

#[tokio::test]
async fn keys_of_object_storages_are_sent_and_neither_told_nor_compared() {
    let sim = cluster("4.3.5", 1);
    let base = "oss://bucket/base?host=oss.example.com&access_id=me&access_key=s3cr3t";
    let engine = wanting(&sim, wanted(base, Some(7))).await;
    let drift = seen(&engine).await.drift;
    assert!(!format!("{drift:?}").contains("s3cr3t"), "{drift:?}");
    let applied = engine.apply_wanted().await.unwrap();
    assert_eq!(failures(&applied), [""; 0]);
    assert!(!format!("{applied:?}").contains("s3cr3t"), "{applied:?}");
    assert_eq!(
        seen(&engine).await.drift,
        [],
        "the stored form is another text"
    );
    assert_eq!(engine.apply_wanted().await.unwrap(), []);
}

#[tokio::test]
async fn a_recovery_opens_an_object_storage_with_the_strategys_key() {
    let sim = cluster("4.3.5", 1);
    let base = "oss://bucket/base?host=oss.example.com&access_id=me&access_key=s3cr3t";
    let ready = wanting(&sim, wanted(base, None)).await;
    assert_eq!(failures(&ready.apply_wanted().await.unwrap()), [""; 0]);
    sim.advance(Duration::from_secs(30));
    let tenant = key(&ready, "t1").await;
    let order = backup(&tenant, "one", BackupKind::Full);
    ready.start_backup(&order).await.unwrap();
    sim.advance(Duration::from_secs(90));
    let until = seen(&ready).await.tenants[0].archive.checkpoint.unwrap();
    let order = RecoverySpec {
        token: "r".to_owned(),
        tenant,
        until,
        new_name: "nt".to_owned(),
        place: None,
        placement: None,
    };
    let unknown = engine(&sim).await.start_recovery(&order).await.unwrap_err();
    assert!(
        unknown.to_string().contains("keys of its object storage"),
        "{unknown}"
    );
    let plan = ready.plan_recovery(&order).await.unwrap();
    assert!(!format!("{plan:?}").contains("s3cr3t"), "{plan:?}");
    let id = ready.start_recovery(&order).await.unwrap();
    let mut looks = 0;
    while sent(&sim, "ALTER SYSTEM RESTORE") == 0 && looks < LOOKS_MAX {
        ready.job(&id).await.unwrap();
        sim.advance(Duration::from_millis(200));
        looks += 1;
    }
    let statements = sim.statements();
    let restore = statements
        .iter()
        .find(|text| text.starts_with("ALTER SYSTEM RESTORE"))
        .unwrap();
    assert_eq!(restore.matches("access_key=s3cr3t").count(), 2, "{restore}");
}

#[tokio::test]
async fn a_test_looks_at_the_form_only_and_says_so() {
    let sim = cluster("4.2.2", 1);
    let engine = engine(&sim).await;
    let good = engine.probe_storage(Path::new("file:///bk")).await.unwrap();
    assert!(
        good.passed() && good.steps[0].name.contains("when it is set"),
        "{good:?}"
    );
    let bad = engine
        .probe_storage(Path::new("s3://b/p?host=h"))
        .await
        .unwrap();
    assert!(!bad.passed(), "{bad:?}");
}
