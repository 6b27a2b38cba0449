//! Cleanups of a running cluster: what is read meanwhile, what an engine that died left, tenants out of service.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support_basic;

use domain::{
    Scn, backup::BackupKind, recoverable::GapCause, retention::KeptBecause, second_backup::Place,
    tenant::TenantState,
};
use engine::{
    BackupSpec, CleanupSpec, CopySpec, CopyWhat, Engine, EngineErrorKind, EngineJobState,
    JobReport, RecoverySpec, TenantKey,
};
use std::fs;
use support_basic::Lab;

/// A tenant with a full set after one row and one after two, three rows in the log, and the moments of the rows.
async fn story(lab: &Lab) -> (TenantKey, [Scn; 3]) {
    let tenant = lab.engine().create_tenant("orders").await.unwrap();
    lab.wait_archiving(&tenant).await;
    lab.sql(&tenant, "CREATE TABLE t (v)").await;
    let mut moments = [Scn::ZERO; 3];
    for (number, moment) in moments.iter_mut().enumerate() {
        *moment = lab.sql(&tenant, "INSERT INTO t VALUES (1)").await;
        lab.wait_durable(&tenant, *moment).await;
        if number < 2 {
            lab.back_up(&tenant, BackupKind::Full).await;
        }
    }
    (tenant, moments)
}

fn spec(tenant: &TenantKey, keep_from: Scn, token: &str) -> CleanupSpec {
    CleanupSpec {
        token: token.to_owned(),
        tenant: tenant.clone(),
        place: Place::First,
        keep_from,
    }
}

async fn clean(lab: &Lab, spec: &CleanupSpec) -> JobReport {
    let id = lab.engine().start_cleanup(spec).await.unwrap();
    lab.wait_job(&id).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_is_told_the_same_after_a_restart_and_recovers() {
    let mut lab = Lab::open().await;
    let (tenant, moments) = story(&lab).await;
    let before = lab.tenant_named("orders").await;
    let done = clean(&lab, &spec(&tenant, moments[2], "c-1")).await;
    assert_eq!(done.state, EngineJobState::Completed, "{:?}", done.failure);
    let outcome = done.outcome.unwrap();
    assert!(outcome.starts_with("1 set and "), "{outcome}");
    assert_eq!(done.progress.done_bytes, done.progress.total_bytes);
    let after = lab.tenant_named("orders").await;
    assert_eq!(after.sets, before.sets[1..]);
    assert_eq!(after.spans[0].cause, GapCause::Expired);
    assert_eq!(lab.rows_at(&tenant, moments[1]).await, 2);
    assert_eq!(lab.rows_at(&tenant, moments[2]).await, 3);
    let gone = lab.try_rows_at(&tenant, moments[0]).await.unwrap_err();
    assert_eq!(gone.kind, EngineErrorKind::Rejected);
    lab.reopen().await;
    lab.wait_archiving(&tenant).await;
    let told = lab.tenant_named("orders").await;
    assert_eq!(
        (&told.sets, told.spans[0].start),
        (&after.sets, after.spans[0].start)
    );
    assert_eq!(told.note, None, "nothing is told as damage");
    let report = lab.engine().verify(Some(&tenant)).await.unwrap();
    assert_eq!(report.faults, Vec::<String>::new());
    // The console may ask again for an order whose end it never heard of.
    let found = lab.engine().find_job("c-1").await.unwrap().unwrap();
    assert_eq!(
        lab.engine().job(&found).await.unwrap().outcome,
        Some(outcome)
    );
    assert_eq!(lab.rows_at(&tenant, moments[2]).await, 3);
    let made = lab.back_up(&tenant, BackupKind::Incremental).await;
    assert!(made.set > after.sets.last().map(|set| set.id));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_is_dropped_amid_cleanups_keeps_every_promise() {
    let mut lab = Lab::open().await;
    let (tenant, moments) = story(&lab).await;
    for round in 0..6 {
        let order = spec(&tenant, moments[2], &format!("c-{round}"));
        lab.engine().start_cleanup(&order).await.unwrap();
        for _ in 0..round {
            tokio::task::yield_now().await;
        }
        lab.abandon();
        lab.reopen().await;
        lab.wait_archiving(&tenant).await;
        assert_eq!(lab.rows_at(&tenant, moments[2]).await, 3, "round {round}");
    }
    let done = clean(&lab, &spec(&tenant, moments[2], "c-last")).await;
    assert_eq!(done.state, EngineJobState::Completed);
    assert_eq!(lab.tenant_named("orders").await.sets.len(), 1);
    let report = lab.engine().verify(Some(&tenant)).await.unwrap();
    assert_eq!(report.faults, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn backups_and_recoveries_beside_cleanups_lose_nothing() {
    let lab = Lab::open().await;
    let (tenant, mut moments) = story(&lab).await;
    let mut rows = 3;
    for round in 0..5 {
        let order = BackupSpec {
            token: format!("b-{round}"),
            tenant: tenant.clone(),
            kind: BackupKind::Incremental,
        };
        let backup = lab.engine().start_backup(&order).await.unwrap();
        let order = spec(&tenant, moments[2], &format!("c-{round}"));
        let cleanup = lab.engine().start_cleanup(&order).await.unwrap();
        assert_eq!(lab.rows_at(&tenant, moments[2]).await, rows);
        for job in [backup, cleanup] {
            let ended = lab.wait_job(&job).await;
            assert_eq!(
                ended.state,
                EngineJobState::Completed,
                "{:?}",
                ended.failure
            );
        }
        assert_eq!(lab.rows_at(&tenant, moments[2]).await, rows);
        rows += 1;
        moments[2] = lab.sql(&tenant, "INSERT INTO t VALUES (1)").await;
        lab.wait_durable(&tenant, moments[2]).await;
    }
    assert_eq!(lab.rows_at(&tenant, moments[2]).await, rows);
    let report = lab.engine().verify(Some(&tenant)).await.unwrap();
    assert_eq!(report.faults, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_of_which_only_backups_are_left_is_cleaned_up_and_keeps_its_last_set() {
    let mut lab = Lab::open().await;
    let (tenant, moments) = story(&lab).await;
    lab.close().await;
    fs::remove_dir_all(lab.dir.path().join("home/tenants/0001_orders")).unwrap();
    lab.reopen().await;
    let seen = lab.tenant_named("orders").await;
    assert_eq!((seen.state, seen.sets.len()), (TenantState::Offline, 2));
    let long_after = lab.now().plus_ns(1_000_000_000_000);
    let order = spec(&tenant, long_after, "c-1");
    let plan = lab.engine().plan_cleanup(&order).await.unwrap();
    let last = plan
        .kept
        .iter()
        .filter(|it| it.because == KeptBecause::LastUsable);
    assert_eq!(last.count(), 1, "{plan:?}");
    let done = clean(&lab, &order).await;
    assert_eq!(done.state, EngineJobState::Completed, "{:?}", done.failure);
    assert_eq!(lab.tenant_named("orders").await.sets.len(), 1);
    assert_eq!(lab.rows_at(&tenant, moments[1]).await, 2);
    assert_eq!(lab.rows_at(&tenant, moments[2]).await, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_done_is_refused_with_the_reason() {
    let lab = Lab::open().await;
    let (tenant, moments) = story(&lab).await;
    let stranger = TenantKey("nobody".to_owned());
    let error = lab
        .engine()
        .plan_cleanup(&spec(&stranger, moments[0], "c"))
        .await;
    assert_eq!(error.unwrap_err().kind, EngineErrorKind::NotFound);
    let (backup, away) = (lab.dir.path().join("backup"), lab.dir.path().join("away"));
    fs::rename(&backup, &away).unwrap();
    let order = spec(&tenant, moments[2], "c-1");
    let error = lab.engine().plan_cleanup(&order).await.unwrap_err();
    assert_eq!(error.kind, EngineErrorKind::Unreachable);
    let failed = clean(&lab, &order).await;
    assert_eq!(failed.state, EngineJobState::Failed);
    let why = failed.failure.unwrap();
    assert!(why.contains("Nothing was removed"), "{why}");
    fs::rename(&away, &backup).unwrap();
    let done = clean(&lab, &spec(&tenant, moments[2], "c-2")).await;
    assert_eq!(done.state, EngineJobState::Completed, "{:?}", done.failure);
}

async fn copy(lab: &Lab, tenant: &TenantKey, what: CopyWhat, token: &str) {
    let order = CopySpec {
        token: token.to_owned(),
        tenant: tenant.clone(),
        what,
        limit_bytes_per_s: None,
    };
    let id = lab.engine().start_copy(&order).await.unwrap();
    let done = lab.wait_job(&id).await;
    assert_eq!(done.state, EngineJobState::Completed, "{:?}", done.failure);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_copy_is_cleaned_up_by_itself_and_recovers_what_it_promises() {
    let mut lab = Lab::open().await;
    let second = lab.dir.path().join("second");
    let (tenant, moments) = story(&lab).await;
    let order = CleanupSpec {
        place: Place::Second,
        ..spec(&tenant, moments[2], "c-1")
    };
    let refused = lab.engine().plan_cleanup(&order).await.unwrap_err();
    assert_eq!(refused.kind, EngineErrorKind::Rejected, "{refused}");
    lab.engine().use_second(Some(&second)).await.unwrap();
    for (number, set) in lab.tenant_named("orders").await.sets.iter().enumerate() {
        copy(
            &lab,
            &tenant,
            CopyWhat::Set(set.id),
            &format!("set-{number}"),
        )
        .await;
    }
    copy(&lab, &tenant, CopyWhat::Log, "log-1").await;
    let done = clean(&lab, &order).await;
    assert_eq!(done.state, EngineJobState::Completed, "{:?}", done.failure);
    assert!(done.outcome.unwrap().starts_with("1 set and "));
    let seen = lab.tenant_named("orders").await;
    let copied = seen.second.unwrap();
    assert_eq!((seen.sets.len(), copied.sets.len()), (2, 1));
    assert_eq!(copied.spans[0].cause, GapCause::Expired);
    assert_eq!(
        lab.rows_at(&tenant, moments[0]).await,
        1,
        "the first keeps it"
    );
    // What was removed there is not copied again.
    copy(&lab, &tenant, CopyWhat::Log, "log-2").await;
    let seen = lab.tenant_named("orders").await.second.unwrap();
    assert_eq!(seen.spans[0].start, copied.spans[0].start);
    lab.reopen().await;
    lab.engine().use_second(Some(&second)).await.unwrap();
    let found = lab.engine().find_job("c-1").await.unwrap();
    assert!(found.is_some(), "also after a restart");
    let recovery = RecoverySpec {
        token: "r-1".to_owned(),
        tenant: tenant.clone(),
        until: moments[2],
        new_name: "orders_b".to_owned(),
        place: Some(Place::Second),
        placement: None,
    };
    let id = lab.engine().start_recovery(&recovery).await.unwrap();
    let done = lab.wait_job(&id).await;
    assert_eq!(done.state, EngineJobState::Completed, "{:?}", done.failure);
    let proof = done.proof.unwrap();
    assert_eq!(proof.expected_digest, proof.computed_digest);
}
