//! Log backup: stopping leaves a gap with its reason, and the old sets stay usable.

use crate::stage::{LOCAL, Stage, backup_in, eventually, operator, viewer};
use control::ErrorKind;
use domain::{
    archive::ArchiveState, backup::BackupKind, job::JobState, page::TaskFilter,
    recoverable::GapCause,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_and_a_start_make_a_gap_between_two_recoverable_ranges() {
    let (_stage, console, tenant) = Stage::with_tenant().await;
    let (operator, viewer) = (operator(&console), viewer(&console));
    let error = operator.start_log_backup(LOCAL, tenant).await.unwrap_err();
    assert!(error.to_string().contains("is In Progress"), "{error}");
    operator
        .stop_log_backup(LOCAL, tenant, "moving house")
        .await
        .unwrap();
    let row = viewer
        .archives(LOCAL, &TaskFilter::default())
        .await
        .unwrap()
        .rows
        .remove(0);
    assert_eq!(
        (row.state.label(), row.note.as_deref()),
        ("Stopped", Some("moving house"))
    );
    let error = operator
        .stop_log_backup(LOCAL, tenant, "again")
        .await
        .unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Conflict(_)), "{error}");
    let stopped = viewer.overview(LOCAL).await.unwrap();
    assert_eq!(
        stopped.period.tenants[0].ranges.len(),
        1,
        "sets stay usable"
    );
    assert_eq!(stopped.summary.log_not_running, 1);
    assert_eq!(stopped.summary.log_checkpoint, None);

    operator.start_log_backup(LOCAL, tenant).await.unwrap();
    let period = eventually("the new round has its set", async || {
        let period = viewer.overview(LOCAL).await.unwrap().period;
        (period.tenants[0].ranges.len() == 2).then_some(period)
    })
    .await;
    assert_eq!(period.tenants[0].gaps[0].cause, GapCause::StoppedByPerson);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn log_backup_is_not_stopped_under_a_data_backup() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    let (operator, viewer) = (operator(&console), viewer(&console));
    stage.fake.world().hold = true;
    let task = operator
        .back_up_now(LOCAL, Some(tenant), BackupKind::Full)
        .await
        .unwrap()
        .tasks[0];
    let error = operator
        .stop_log_backup(LOCAL, tenant, "moving house")
        .await
        .unwrap_err();
    let ErrorKind::Conflict(text) = error.kind() else {
        panic!("{error}");
    };
    assert!(
        text.contains(&format!("task {task} of tenant orders")) && text.contains("cancel it"),
        "{text}"
    );
    let rows = viewer
        .archives(LOCAL, &TaskFilter::default())
        .await
        .unwrap()
        .rows;
    assert_eq!(rows[0].state, ArchiveState::Doing);
    stage.fake.world().hold = false;
    backup_in(&console, task, JobState::Completed).await;
    operator
        .stop_log_backup(LOCAL, tenant, "moving house")
        .await
        .unwrap();
    console.shut_down().await;
}
