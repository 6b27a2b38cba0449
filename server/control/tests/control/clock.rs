//! A clock that is set back holds nothing up.

use crate::stage::{LOCAL, Stage, backup_in, operator, viewer};
use domain::{backup::BackupKind, job::JobState};

/// How far it is set back.
const BACK_S: u64 = 3600;

#[tokio::test(flavor = "multi_thread")]
async fn queued_tasks_begin_after_the_clock_was_set_back() {
    let (stage, console, _) = Stage::with_tenant().await;
    let operator = operator(&console);
    for name in ["payments", "stock"] {
        operator.create_tenant(LOCAL, name).await.unwrap();
    }
    stage.fake.world().hold = true;
    let ids = operator
        .back_up_now(LOCAL, None, BackupKind::Full)
        .await
        .unwrap()
        .tasks;
    for id in &ids[..2] {
        backup_in(&console, *id, JobState::Running).await;
    }
    let waiting = viewer(&console).backup(LOCAL, ids[2]).await.unwrap();
    assert_eq!(waiting.state, JobState::Queued);
    stage.clock.step_back_s(BACK_S);
    stage.fake.world().hold = false;
    for id in ids {
        backup_in(&console, id, JobState::Completed).await;
    }
    console.shut_down().await;
}

/// A killed process leaves its lease behind. Whoever is alone with the database need not wait for it.
#[test]
fn a_process_that_is_alone_goes_on_at_once_after_a_kill() {
    let killed = tokio::runtime::Runtime::new().unwrap();
    let (stage, id) = killed.block_on(async {
        let (stage, console, tenant) = Stage::with_tenant().await;
        stage.fake.world().hold = true;
        let id = operator(&console)
            .back_up_now(LOCAL, Some(tenant), BackupKind::Full)
            .await
            .unwrap()
            .tasks[0];
        backup_in(&console, id, JobState::Running).await;
        (stage, id)
    });
    killed.shutdown_background();
    let next = tokio::runtime::Runtime::new().unwrap();
    next.block_on(async {
        stage.fake.world().hold = false;
        stage.clock.step_back_s(BACK_S);
        let console = stage.console_alone().await;
        backup_in(&console, id, JobState::Completed).await;
        assert_eq!(stage.fake.world().accepted.len(), 1);
        console.shut_down().await;
    });
}
