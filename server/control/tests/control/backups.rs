//! Data backups: what is refused, what runs at once, how they end.

use crate::stage::{LOCAL, Stage, backup_in, eventually, operator, viewer};
use control::ErrorKind;
use domain::{
    archive::ArchiveState,
    backup::{BackupKind, TaskSource, Trigger},
    job::JobState,
    page::{MarkerKind, TaskFilter},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_runs_to_its_end_and_shows_on_the_page() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    let ids = operator(&console)
        .back_up_now(LOCAL, Some(tenant), BackupKind::Full)
        .await
        .unwrap();
    let ids = ids.tasks;
    assert_eq!(ids.len(), 1);
    let job = backup_in(&console, ids[0], JobState::Completed).await;
    assert_eq!(
        (job.trigger, job.source),
        (Trigger::Manual, TaskSource::Tenant)
    );
    assert_eq!(job.actual, Some(BackupKind::Full));
    assert_eq!(job.progress.percent(), Some(100));
    assert!(job.started.is_some() && job.ended >= job.started);
    let overview = viewer(&console).overview(LOCAL).await.unwrap();
    let set = job.set.unwrap();
    let marked = overview.period.markers.iter().find(|m| m.set == Some(set));
    assert_eq!(
        marked.map(|m| (m.kind, m.full_set)),
        Some((MarkerKind::Full, Some(set)))
    );
    assert_eq!(overview.summary.tenants_backed_up, 1);
    assert_eq!(overview.period.tenants[0].ranges.len(), 1);
    assert_eq!(stage.fake.world().accepted.len(), 1);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_backup_of_a_tenant_is_refused_while_one_runs() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    stage.fake.world().hold = true;
    let operator = operator(&console);
    let first = operator
        .back_up_now(LOCAL, Some(tenant), BackupKind::Full)
        .await
        .unwrap()
        .tasks[0];
    backup_in(&console, first, JobState::Running).await;
    for again in [Some(tenant), None] {
        let error = operator
            .back_up_now(LOCAL, again, BackupKind::Full)
            .await
            .unwrap_err();
        let ErrorKind::Conflict(text) = error.kind() else {
            panic!("{error}");
        };
        assert!(
            text.contains(&format!("task {first} of tenant orders")),
            "{text}"
        );
    }
    let overview = viewer(&console).overview(LOCAL).await.unwrap();
    assert_eq!(overview.summary.tasks_active, 1);
    assert!(
        overview
            .period
            .markers
            .iter()
            .any(|m| m.kind == MarkerKind::Running)
    );
    stage.fake.world().hold = false;
    backup_in(&console, first, JobState::Completed).await;
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_log_backup_there_is_no_data_backup() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    let operator = operator(&console);
    operator
        .stop_log_backup(LOCAL, tenant, "moving")
        .await
        .unwrap();
    let error = operator
        .back_up_now(LOCAL, None, BackupKind::Full)
        .await
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Conflict(_)), "{error}");
    assert!(
        error.to_string().contains("orders is Stopped; start it"),
        "{error}"
    );
    assert!(stage.fake.world().accepted.is_empty());
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_run_at_once_and_a_waiting_one_can_be_canceled_before_it_begins() {
    let (stage, console, _) = Stage::with_tenant().await;
    let operator = operator(&console);
    for name in ["payments", "stock"] {
        operator.create_tenant(LOCAL, name).await.unwrap();
    }
    stage.fake.world().hold = true;
    let ids = operator
        .back_up_now(LOCAL, None, BackupKind::Incremental)
        .await
        .unwrap()
        .tasks;
    assert_eq!(ids.len(), 3);
    for id in &ids[..2] {
        let job = backup_in(&console, *id, JobState::Running).await;
        assert_eq!(
            (job.source, job.asked),
            (TaskSource::Cluster, BackupKind::Incremental)
        );
    }
    let waiting = viewer(&console).backup(LOCAL, ids[2]).await.unwrap();
    assert_eq!(waiting.state, JobState::Queued);
    operator.cancel(LOCAL, ids[2]).await.unwrap();
    let canceled = backup_in(&console, ids[2], JobState::Canceled).await;
    assert!(canceled.ended.is_some());
    let error = operator.cancel(LOCAL, ids[2]).await.unwrap_err();
    assert!(error.to_string().contains("has ended already"), "{error}");
    stage.fake.world().hold = false;
    for id in &ids[..2] {
        backup_in(&console, *id, JobState::Completed).await;
    }
    assert_eq!(stage.fake.world().accepted.len(), 2);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_backup_is_canceled_through_the_engine() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    stage.fake.world().hold = true;
    let operator = operator(&console);
    let id = operator
        .back_up_now(LOCAL, Some(tenant), BackupKind::Full)
        .await
        .unwrap()
        .tasks[0];
    backup_in(&console, id, JobState::Running).await;
    operator.cancel(LOCAL, id).await.unwrap();
    backup_in(&console, id, JobState::Canceled).await;
    assert_eq!(stage.fake.world().canceled.len(), 1);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_and_refusals_are_told_in_the_engines_words() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    let operator = operator(&console);
    stage.fake.world().failure = Some("the destination is full; free 3 GB".to_owned());
    let id = operator
        .back_up_now(LOCAL, Some(tenant), BackupKind::Full)
        .await
        .unwrap()
        .tasks[0];
    let job = backup_in(&console, id, JobState::Failed).await;
    assert_eq!(
        job.failure.as_deref(),
        Some("the destination is full; free 3 GB")
    );
    let overview = viewer(&console).overview(LOCAL).await.unwrap();
    assert!(
        overview
            .period
            .markers
            .iter()
            .any(|m| m.kind == MarkerKind::Failed)
    );

    stage.fake.world().refusal = Some("its log is not archived".to_owned());
    let id = operator
        .back_up_now(LOCAL, Some(tenant), BackupKind::Full)
        .await
        .unwrap()
        .tasks[0];
    let job = backup_in(&console, id, JobState::Failed).await;
    assert_eq!(job.failure.as_deref(), Some("its log is not archived"));
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_round_gets_its_first_full_backup_by_itself_and_failures_do_not_loop() {
    let (stage, console, _) = Stage::with_tenant().await;
    stage.fake.world().bare = true;
    stage.fake.world().failure = Some("no".to_owned());
    let tenant = operator(&console)
        .create_tenant(LOCAL, "payments")
        .await
        .unwrap();
    let filter = TaskFilter {
        tenant: Some(tenant),
        ..TaskFilter::default()
    };
    let viewer = viewer(&console);
    eventually("the first attempt failed", async || {
        let page = viewer.backups(LOCAL, &filter).await.unwrap();
        page.rows
            .first()
            .filter(|job| job.state == JobState::Failed)
            .map(|_| ())
    })
    .await;
    let looks = stage.fake.world().looks;
    eventually("more looks", async || {
        (stage.fake.world().looks > looks + 2).then_some(())
    })
    .await;
    assert_eq!(viewer.backups(LOCAL, &filter).await.unwrap().total, 1);
    stage.fake.world().failure = None;
    stage.clock.advance_s(60);
    let job = eventually("the second attempt", async || {
        let page = viewer.backups(LOCAL, &filter).await.unwrap();
        page.rows
            .first()
            .filter(|job| job.state == JobState::Completed)
            .cloned()
    })
    .await;
    assert_eq!(
        (job.trigger, job.asked),
        (Trigger::NewRound, BackupKind::Full)
    );
    assert_eq!(viewer.backups(LOCAL, &filter).await.unwrap().total, 2);
    let archive = &viewer.archives(LOCAL, &filter).await.unwrap().rows[0];
    assert_eq!(archive.state, ArchiveState::Doing);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn back_up_now_joins_the_full_backup_that_the_console_is_making_by_itself() {
    let (stage, console, _) = Stage::with_tenant().await;
    stage.fake.world().bare = true;
    stage.fake.world().hold = true;
    let operator = operator(&console);
    let tenant = operator.create_tenant(LOCAL, "payments").await.unwrap();
    let filter = TaskFilter {
        tenant: Some(tenant),
        ..TaskFilter::default()
    };
    let viewer = viewer(&console);
    let own = eventually("the console's own backup", async || {
        let page = viewer.backups(LOCAL, &filter).await.unwrap();
        page.rows.first().map(|job| job.id)
    })
    .await;
    let joined = operator
        .back_up_now(LOCAL, Some(tenant), BackupKind::Full)
        .await
        .unwrap()
        .tasks;
    assert_eq!(joined, [own]);
    // Of the whole cluster: the other tenant gets a task of its own.
    let all = operator
        .back_up_now(LOCAL, None, BackupKind::Full)
        .await
        .unwrap()
        .tasks;
    assert_eq!((all.len(), all.contains(&own)), (2, true));
    stage.fake.world().hold = false;
    for id in all {
        backup_in(&console, id, JobState::Completed).await;
    }
    assert_eq!(viewer.backups(LOCAL, &filter).await.unwrap().total, 1);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_all_tenants_those_that_can_be_are_backed_up_and_the_others_are_told() {
    let (stage, console, busy) = Stage::with_tenant().await;
    let operator = operator(&console);
    let stopped = operator.create_tenant(LOCAL, "payments").await.unwrap();
    let free = operator.create_tenant(LOCAL, "stock").await.unwrap();
    operator
        .stop_log_backup(LOCAL, stopped, "moving")
        .await
        .unwrap();
    stage.fake.world().hold = true;
    let first = operator
        .back_up_now(LOCAL, Some(busy), BackupKind::Full)
        .await
        .unwrap()
        .tasks[0];
    let begun = operator
        .back_up_now(LOCAL, None, BackupKind::Full)
        .await
        .unwrap();
    assert_eq!(begun.tasks.len(), 1);
    let job = viewer(&console)
        .backup(LOCAL, begun.tasks[0])
        .await
        .unwrap();
    assert_eq!(job.tenant, free);
    let told = begun.skipped.join("\n");
    assert_eq!(begun.skipped.len(), 2, "{told}");
    assert!(
        told.contains(&format!("data backup task {first} of tenant orders")),
        "{told}"
    );
    assert!(told.contains("payments is Stopped; start it"), "{told}");
    stage.fake.world().hold = false;
    for id in [first, begun.tasks[0]] {
        backup_in(&console, id, JobState::Completed).await;
    }
    console.shut_down().await;
}
