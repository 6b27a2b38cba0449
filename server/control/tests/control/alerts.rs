//! Alerts of a running console: raised, moved on, masked, recovered by evidence, and kept over a restart.

use crate::stage::{LOCAL, Stage, actor, backup_in, eventually, operator, viewer};
use control::{Console, ErrorKind, Viewer};
use domain::{
    AlertId, Revision, Scn, TenantId,
    access::Role,
    alert::{Alert, AlertFilter, AlertStatus, Level},
    archive::ArchiveState,
    backup::BackupKind,
    clock::Clock,
    job::JobState,
    scn::NS_PER_SECOND,
    second_backup::Place,
};
use store::Store;

const MINUTE_S: u64 = 60;

/// Waits until the observer has looked twice, so that what was so before is written down.
async fn looked(stage: &Stage) {
    let looks = stage.fake.world().looks;
    eventually("two looks", async || {
        (stage.fake.world().looks > looks + 2).then_some(())
    })
    .await;
}

/// Moves the clock on by a minute and waits until the alerts were evaluated then.
pub(crate) async fn tick(stage: &Stage, store: &Store) {
    tick_s(stage, store, MINUTE_S).await;
}

/// The same by more. What is evaluated in the end was looked at a minute before.
pub(crate) async fn tick_s(stage: &Stage, store: &Store, seconds: u64) {
    looked(stage).await;
    if seconds > MINUTE_S {
        stage.clock.advance_s(seconds - MINUTE_S);
        looked(stage).await;
    }
    stage.clock.advance_s(MINUTE_S);
    evaluated(stage, store).await;
}

/// Waits until the alerts were evaluated at this time or later. Where a step of the clock was seen as a whole,
/// that is a minute later.
async fn evaluated(stage: &Stage, store: &Store) {
    let now = stage.clock.now();
    let mut asked = 0;
    eventually("an evaluation", async || {
        asked += 1;
        if asked % 150 == 0 {
            stage.clock.advance_s(MINUTE_S);
        }
        let at = store.alerts_evaluated().await.unwrap();
        at.is_some_and(|at| at >= now).then_some(())
    })
    .await;
}

async fn of_rule(viewer: &Viewer, rule: &str) -> Vec<Alert> {
    let filter = AlertFilter {
        rule: Some(rule.to_owned()),
        size: 50,
        ..AlertFilter::default()
    };
    viewer.alerts(LOCAL, &filter).await.unwrap().rows
}

async fn only(viewer: &Viewer, rule: &str) -> Alert {
    let mut rows = of_rule(viewer, rule).await;
    assert_eq!(rows.len(), 1, "{rule}: {rows:?}");
    rows.remove(0)
}

/// The log of every tenant stays where it is.
pub(crate) fn freeze(stage: &Stage) {
    stage.fake.world().frozen = true;
}

/// Backs a tenant up and waits until that ended so.
pub(crate) async fn back_up(console: &Console, tenant: TenantId, end: JobState) {
    let begun = operator(console)
        .back_up_now(LOCAL, Some(tenant), BackupKind::Full)
        .await
        .unwrap();
    backup_in(console, begun.tasks[0], end).await;
}

pub(crate) async fn fail_a_backup(stage: &Stage, console: &Console, tenant: TenantId) {
    stage.fake.world().failure = Some("the disk is full".to_owned());
    back_up(console, tenant, JobState::Failed).await;
    stage.fake.world().failure = None;
}

#[tokio::test(flavor = "multi_thread")]
async fn log_that_stands_still_is_one_row_that_ends_only_when_it_goes_on() {
    let (stage, console, _) = Stage::with_tenant().await;
    let (store, viewer) = (stage.store().await, viewer(&console));
    freeze(&stage);
    tick_s(&stage, &store, 3_500).await;
    assert!(of_rule(&viewer, "inc_backup_delay").await.is_empty());
    tick_s(&stage, &store, 120).await;
    let first = only(&viewer, "inc_backup_delay").await;
    assert_eq!(
        (first.status, first.level),
        (AlertStatus::Active, Level::Critical)
    );
    assert_eq!(first.object, "cluster=local:tenant=orders");
    let rev = store.revision().await.unwrap();
    tick(&stage, &store).await;
    let delta = viewer.feed(LOCAL, rev).await.unwrap();
    assert!(delta.alerts.unwrap().of(Level::Critical) >= 1);
    let second = only(&viewer, "inc_backup_delay").await;
    assert_eq!((second.id, second.generated), (first.id, first.generated));
    assert!(second.last_generated > first.last_generated);
    // It goes on: good values have to be seen for five minutes.
    stage.fake.world().frozen = false;
    tick(&stage, &store).await;
    tick(&stage, &store).await;
    let third = only(&viewer, "inc_backup_delay").await;
    assert_eq!(third.status, AlertStatus::Active);
    assert_eq!(third.last_generated, second.last_generated);
    tick_s(&stage, &store, 300).await;
    let over = only(&viewer, "inc_backup_delay").await;
    assert_eq!(over.status, AlertStatus::Recovered);
    assert!(over.recovered > Some(over.last_generated));
    // The same again is a new row; the old one is its history.
    freeze(&stage);
    tick_s(&stage, &store, 3_700).await;
    let rows = of_rule(&viewer, "inc_backup_delay").await;
    assert_eq!(rows.len(), 2);
    let details = viewer.alert(LOCAL, rows[0].id).await.unwrap();
    assert_eq!(details.history, [over]);
    assert!(!details.impact.is_empty() && !details.advice.is_empty());
    assert!(details.value.is_some() && details.threshold.is_some());
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_seen_is_not_healthy_and_says_so_itself() {
    let (stage, console, _) = Stage::with_tenant().await;
    let store = stage.store().await;
    freeze(&stage);
    tick_s(&stage, &store, 3_700).await;
    only(&viewer(&console), "inc_backup_delay").await;
    console.shut_down().await;
    stage.fake.world().frozen = false;
    stage.fake.world().closed = u32::MAX;
    let console = stage.console().await;
    let viewer = viewer(&console);
    for _ in 0..6 {
        stage.clock.advance_s(100);
        evaluated(&stage, &store).await;
    }
    let late = only(&viewer, "inc_backup_delay").await;
    assert_eq!(
        late.status,
        AlertStatus::Active,
        "nobody has seen that it is over"
    );
    let blind = only(&viewer, "cluster_unreachable").await;
    assert_eq!(
        (blind.status, blind.level),
        (AlertStatus::Active, Level::Stopped)
    );
    assert!(
        blind.summary.contains("the disk is not mounted"),
        "{}",
        blind.summary
    );
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_backup_stays_until_one_succeeds_also_over_a_restart() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    let store = stage.store().await;
    fail_a_backup(&stage, &console, tenant).await;
    tick(&stage, &store).await;
    let failed = only(&viewer(&console), "base_backup_fail").await;
    assert!(
        failed.summary.contains("the disk is full"),
        "{}",
        failed.summary
    );
    console.shut_down().await;
    let console = stage.console_alone().await;
    tick_s(&stage, &store, 7_200).await;
    tick_s(&stage, &store, 7_200).await;
    let viewer = viewer(&console);
    let still = only(&viewer, "base_backup_fail").await;
    assert_eq!((still.id, still.status), (failed.id, AlertStatus::Active));
    back_up(&console, tenant, JobState::Completed).await;
    tick(&stage, &store).await;
    let over = only(&viewer, "base_backup_fail").await;
    assert_eq!(over.status, AlertStatus::Recovered);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mask_holds_until_its_time_and_is_audited() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    let store = stage.store().await;
    fail_a_backup(&stage, &console, tenant).await;
    tick(&stage, &store).await;
    let (viewer, operator) = (viewer(&console), operator(&console));
    let alert = only(&viewer, "base_backup_fail").await;
    let until = alert.last_generated.plus_ns(1_200 * NS_PER_SECOND);
    for (until, reason) in [
        (Scn(1), "known"),
        (until.plus_ns(100 * 86_400 * NS_PER_SECOND), "known"),
        (until, "  "),
        (until, &"x".repeat(201)),
    ] {
        let refused = operator
            .mask(LOCAL, alert.id, until, reason)
            .await
            .unwrap_err();
        assert!(matches!(refused.kind(), ErrorKind::Invalid(_)), "{refused}");
    }
    let refused = operator.unmask(LOCAL, alert.id).await.unwrap_err();
    assert!(
        matches!(refused.kind(), ErrorKind::Conflict(_)),
        "{refused}"
    );
    let refused = operator
        .mask(LOCAL, AlertId(99), until, "known")
        .await
        .unwrap_err();
    assert!(
        matches!(refused.kind(), ErrorKind::NotFound { .. }),
        "{refused}"
    );
    assert!(console.operator(&actor(Role::Viewer)).is_err());
    operator
        .mask(LOCAL, alert.id, until, "the new disk comes tomorrow")
        .await
        .unwrap();
    tick(&stage, &store).await;
    let masked = only(&viewer, "base_backup_fail").await;
    assert_eq!(
        (masked.status, masked.masked_until),
        (AlertStatus::Masked, Some(until))
    );
    assert_eq!(
        viewer
            .alert_counts(LOCAL)
            .await
            .unwrap()
            .of(Level::Critical),
        0
    );
    let details = viewer.alert(LOCAL, alert.id).await.unwrap();
    assert!(
        details
            .masked_by
            .unwrap()
            .contains("the new disk comes tomorrow")
    );
    tick_s(&stage, &store, 1_200).await;
    let active = only(&viewer, "base_backup_fail").await;
    assert_eq!(
        (active.status, active.masked_until),
        (AlertStatus::Active, None)
    );
    let now = active.last_generated;
    operator
        .mask(LOCAL, alert.id, now.plus_ns(900 * NS_PER_SECOND), "again")
        .await
        .unwrap();
    operator.unmask(LOCAL, alert.id).await.unwrap();
    let audits = store.audits().await.unwrap();
    let count = |operation: &str| {
        audits
            .iter()
            .filter(|one| one.operation == operation)
            .count()
    };
    assert_eq!((count("mask alert"), count("unmask alert")), (2, 1));
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn log_backup_that_a_person_stopped_is_a_reminder_and_no_fault() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    let (store, viewer) = (stage.store().await, viewer(&console));
    let stopping = operator(&console);
    stopping
        .stop_log_backup(LOCAL, tenant, "moving house")
        .await
        .unwrap();
    tick_s(&stage, &store, 7_200).await;
    let archives = viewer.archives(LOCAL, &Default::default()).await.unwrap();
    assert_eq!(archives.rows[0].state, ArchiveState::Stop);
    for rule in ["inc_backup_delay", "recoverable_range_stopped"] {
        assert!(of_rule(&viewer, rule).await.is_empty(), "{rule}");
    }
    let reminder = only(&viewer, "log_backup_stopped").await;
    assert_eq!(reminder.level, Level::Reminder);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_console_that_was_away_says_so_and_a_clock_that_was_set_back_too() {
    let (stage, console, _) = Stage::with_tenant().await;
    let store = stage.store().await;
    tick(&stage, &store).await;
    assert!(
        of_rule(&viewer(&console), "console_was_down")
            .await
            .is_empty()
    );
    console.shut_down().await;
    stage.clock.advance_s(3_600);
    let console = stage.console_alone().await;
    let viewer = viewer(&console);
    tick(&stage, &store).await;
    let away = only(&viewer, "console_was_down").await;
    assert_eq!((away.cluster, away.object.as_str()), (None, "console"));
    tick(&stage, &store).await;
    tick_s(&stage, &store, 400).await;
    assert_eq!(
        only(&viewer, "console_was_down").await.status,
        AlertStatus::Recovered
    );
    stage.clock.step_back_s(1_800);
    let step = eventually("the step is told", async || {
        of_rule(&viewer, "clock_step").await.pop()
    })
    .await;
    assert!(step.summary.contains("29"), "{}", step.summary);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_reading_backups_back_found_is_kept_and_told() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    let (store, viewer) = (stage.store().await, viewer(&console));
    let operator = operator(&console);
    operator.verify(LOCAL, None, Place::First).await.unwrap();
    let cluster = viewer.overview(LOCAL).await.unwrap().summary.cluster.id;
    let found = store.verifications(cluster).await.unwrap();
    assert_eq!((found[0].0, found[0].1.faults), (tenant, 0));
    stage.fake.world().faults = vec!["segment 7 is damaged".to_owned()];
    operator
        .verify(LOCAL, Some(tenant), Place::First)
        .await
        .unwrap();
    tick(&stage, &store).await;
    let damaged = only(&viewer, "backup_verify_fail").await;
    assert!(damaged.summary.contains("segment 7"), "{}", damaged.summary);
    stage.fake.world().faults.clear();
    operator.verify(LOCAL, None, Place::First).await.unwrap();
    tick(&stage, &store).await;
    assert_eq!(
        only(&viewer, "backup_verify_fail").await.status,
        AlertStatus::Recovered
    );
    assert_eq!(
        viewer
            .feed(LOCAL, Revision(0))
            .await
            .unwrap()
            .alerts
            .unwrap()
            .total(),
        0
    );
    console.shut_down().await;
}
