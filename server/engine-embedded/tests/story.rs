//! The whole life of a tenant: writes, log, backup, recovery to exact moments, restart, stop and start.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support_basic;

use domain::{Scn, archive::ArchiveState, backup::BackupKind, recoverable};
use engine::{BackupSpec, Engine, EngineErrorKind, EngineJobState, RecoverySpec};
use support_basic::{Lab, wait_until};

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_recovered_to_every_commit_exactly() {
    let lab = Lab::open().await;
    let tenant = lab.engine().create_tenant("orders").await.unwrap();
    lab.wait_archiving(&tenant).await;
    lab.back_up(&tenant, BackupKind::Full).await;
    lab.sql(&tenant, "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)")
        .await;
    let mut moments = Vec::new();
    for n in 0..20 {
        let committed = lab
            .sql(
                &tenant,
                &format!("INSERT INTO t VALUES ({n}, printf('%.900c', 'x'))"),
            )
            .await;
        moments.push((committed, n + 1));
        if n == 10 {
            lab.back_up(&tenant, BackupKind::Incremental).await;
        }
    }
    lab.wait_durable(&tenant, moments.last().unwrap().0).await;
    for (at, rows) in &moments {
        assert_eq!(lab.rows_at(&tenant, *at).await, *rows, "at {at}");
        assert_eq!(
            lab.rows_at(&tenant, Scn(at.0 - 1)).await,
            rows - 1,
            "just before {at}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovered_tenant_is_a_tenant_and_its_name_is_taken() {
    let lab = Lab::open().await;
    let tenant = lab.engine().create_tenant("orders").await.unwrap();
    lab.wait_archiving(&tenant).await;
    lab.back_up(&tenant, BackupKind::Full).await;
    let kept = lab
        .sql(&tenant, "CREATE TABLE t (v); INSERT INTO t VALUES (1)")
        .await;
    lab.sql(&tenant, "DELETE FROM t").await;
    lab.wait_durable(&tenant, kept).await;
    let spec = RecoverySpec {
        token: "r1".into(),
        tenant: tenant.clone(),
        until: kept,
        new_name: "orders_back".into(),
        place: None,
        placement: None,
    };
    let plan = lab.engine().plan_recovery(&spec).await.unwrap();
    assert_eq!(plan.target_scn, kept);
    let job = lab.engine().start_recovery(&spec).await.unwrap();
    let report = lab.wait_job(&job).await;
    assert_eq!(
        report.state,
        EngineJobState::Completed,
        "{:?}",
        report.failure
    );
    let proof = report.proof.unwrap();
    assert_eq!(proof.expected_digest, proof.computed_digest);
    let made = lab.tenant_named("orders_back").await;
    let rows = lab
        .engine()
        .run_sql(&made.key, "SELECT v FROM t")
        .await
        .unwrap();
    assert_eq!(rows[0].rows, [[Some("1".to_owned())]]);
    // The order repeated is the same job; another order for the name is refused at once.
    assert_eq!(lab.engine().start_recovery(&spec).await.unwrap(), job);
    let again = RecoverySpec {
        token: "r2".into(),
        ..spec
    };
    let error = lab.engine().start_recovery(&again).await.unwrap_err();
    assert_eq!(error.kind, EngineErrorKind::Rejected);
    assert!(error.to_string().contains("orders_back"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn moments_outside_are_refused_with_the_nearest_possible() {
    let lab = Lab::open().await;
    let tenant = lab.engine().create_tenant("orders").await.unwrap();
    lab.wait_archiving(&tenant).await;
    lab.back_up(&tenant, BackupKind::Full).await;
    let observed = lab.tenant_named("orders").await;
    let early = Scn(observed.sets[0].min_restore_scn.0 - 1);
    let spec = |until| RecoverySpec {
        token: "x".into(),
        tenant: tenant.clone(),
        until,
        new_name: "copy".into(),
        place: None,
        placement: None,
    };
    let error = lab.engine().plan_recovery(&spec(early)).await.unwrap_err();
    assert!(
        error
            .message
            .contains(&observed.sets[0].min_restore_scn.to_rfc3339()),
        "{error}"
    );
    let future = lab.now().plus_ns(3_600_000_000_000);
    let error = lab
        .engine()
        .start_recovery(&spec(future))
        .await
        .unwrap_err();
    assert!(error.message.contains("before it"), "{error}");
    assert!(lab.engine().find_job("x").await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_restart_goes_on_in_the_same_round() {
    let mut lab = Lab::open().await;
    let tenant = lab.engine().create_tenant("orders").await.unwrap();
    lab.wait_archiving(&tenant).await;
    lab.back_up(&tenant, BackupKind::Full).await;
    let first = lab
        .sql(&tenant, "CREATE TABLE t (v); INSERT INTO t VALUES (1)")
        .await;
    lab.reopen().await;
    lab.wait_archiving(&tenant).await;
    let second = lab.sql(&tenant, "INSERT INTO t VALUES (2)").await;
    lab.wait_durable(&tenant, second).await;
    let observed = lab.tenant_named("orders").await;
    assert_eq!(observed.archive.round, 1, "{:?}", observed.spans);
    assert_eq!(lab.rows_at(&tenant, first).await, 1);
    assert_eq!(lab.rows_at(&tenant, second).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn writing_while_the_engine_is_away_and_folding_the_log_makes_a_gap_with_a_cause() {
    let mut lab = Lab::open().await;
    let tenant = lab.engine().create_tenant("orders").await.unwrap();
    lab.wait_archiving(&tenant).await;
    lab.back_up(&tenant, BackupKind::Full).await;
    let before = lab
        .sql(&tenant, "CREATE TABLE t (v); INSERT INTO t VALUES (1)")
        .await;
    let file = lab.tenant_named("orders").await.data_file.unwrap();
    lab.close().await;
    // The stock tool is the last to close the file: it folds the log and deletes it.
    let out = std::process::Command::new("sqlite3")
        .arg(&file)
        .arg("INSERT INTO t VALUES (2)")
        .output()
        .unwrap();
    assert!(out.status.success(), "{out:?}");
    lab.reopen().await;
    lab.wait_archiving(&tenant).await;
    lab.back_up(&tenant, BackupKind::Full).await;
    let after = lab.sql(&tenant, "INSERT INTO t VALUES (3)").await;
    lab.wait_durable(&tenant, after).await;
    let observed = lab.tenant_named("orders").await;
    assert_eq!(observed.archive.round, 2);
    let ranges = lab.ranges(&observed);
    assert_eq!(ranges.len(), 2, "{ranges:?}");
    let gaps = recoverable::gaps(&ranges, &observed.spans);
    assert_eq!(gaps[0].cause, recoverable::GapCause::LogLost);
    assert_eq!(lab.rows_at(&tenant, before).await, 1);
    assert_eq!(lab.rows_at(&tenant, after).await, 3);
    let inside = Scn((gaps[0].since.0 + gaps[0].until.unwrap().0) / 2);
    assert!(lab.try_rows_at(&tenant, inside).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn log_backup_stops_and_starts_with_the_reason_in_the_gap() {
    let mut lab = Lab::open().await;
    let tenant = lab.engine().create_tenant("orders").await.unwrap();
    lab.wait_archiving(&tenant).await;
    lab.back_up(&tenant, BackupKind::Full).await;
    let before = lab
        .sql(&tenant, "CREATE TABLE t (v); INSERT INTO t VALUES (1)")
        .await;
    lab.engine()
        .stop_archive(&tenant, "maintenance of the disk")
        .await
        .unwrap();
    assert_eq!(
        lab.rows_at(&tenant, before).await,
        1,
        "what was committed before the stop is durable"
    );
    lab.reopen().await;
    wait_until("still stopped after a restart", async || {
        lab.tenant_named("orders").await.archive.state == ArchiveState::Stop
    })
    .await;
    let spec = BackupSpec {
        token: "b".into(),
        tenant: tenant.clone(),
        kind: BackupKind::Full,
    };
    assert!(
        lab.engine()
            .start_backup(&spec)
            .await
            .unwrap_err()
            .message
            .contains("start log backup first")
    );
    lab.engine().start_archive(&tenant).await.unwrap();
    lab.wait_archiving(&tenant).await;
    assert!(lab.engine().start_archive(&tenant).await.is_err());
    lab.back_up(&tenant, BackupKind::Full).await;
    let observed = lab.tenant_named("orders").await;
    let gap = &recoverable::gaps(&lab.ranges(&observed), &observed.spans)[0];
    assert_eq!(gap.cause, recoverable::GapCause::StoppedByPerson);
    assert!(gap.note.contains("maintenance of the disk"), "{gap:?}");
}
