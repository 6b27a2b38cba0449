//! Lost replies, restarts and crashes: nothing starts twice, nothing is forgotten.

use crate::stage::{LOCAL, Stage, backup_in, eventually, operator, viewer};
use domain::{
    backup::BackupKind, job::JobState, page::TaskFilter, recovery::RecoveryRequest,
    tenant::TenantState,
};

#[tokio::test(flavor = "multi_thread")]
async fn an_order_whose_reply_is_lost_is_found_and_not_sent_again() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    stage.fake.world().lose_replies = 1;
    let id = operator(&console)
        .back_up_now(LOCAL, Some(tenant), BackupKind::Full)
        .await
        .unwrap()
        .tasks[0];
    backup_in(&console, id, JobState::Completed).await;
    assert_eq!(stage.fake.world().accepted.len(), 1);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_does_not_answer_for_a_while_is_waited_for() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    stage.fake.world().deaf = 2;
    let id = operator(&console)
        .back_up_now(LOCAL, Some(tenant), BackupKind::Full)
        .await
        .unwrap()
        .tasks[0];
    backup_in(&console, id, JobState::Completed).await;
    assert_eq!(stage.fake.world().accepted.len(), 1);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_a_known_job_goes_on_and_a_lost_one_is_begun_again() {
    for lost in [false, true] {
        let (stage, console, tenant) = Stage::with_tenant().await;
        stage.fake.world().hold = true;
        let id = operator(&console)
            .back_up_now(LOCAL, Some(tenant), BackupKind::Full)
            .await
            .unwrap()
            .tasks[0];
        backup_in(&console, id, JobState::Running).await;
        console.shut_down().await;
        if lost {
            stage.fake.world().forget_jobs();
        }
        stage.fake.world().hold = false;
        let console = stage.console().await;
        let job = backup_in(&console, id, JobState::Completed).await;
        let accepted = stage.fake.world().accepted.clone();
        assert_eq!(accepted.len(), if lost { 2 } else { 1 }, "lost: {lost}");
        assert!(accepted.iter().all(|token| *token == accepted[0]));
        assert!(job.set.is_some());
        console.shut_down().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_lost_again_and_again_fails_in_the_end() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    stage.fake.world().hold = true;
    let id = operator(&console)
        .back_up_now(LOCAL, Some(tenant), BackupKind::Full)
        .await
        .unwrap()
        .tasks[0];
    let viewer = viewer(&console);
    let job = eventually("it fails", async || {
        let job = viewer.backup(LOCAL, id).await.unwrap();
        if job.state == JobState::Running {
            stage.fake.world().forget_jobs();
        }
        // Waits between the attempts pass at once.
        stage.clock.advance_s(1);
        job.state.is_final().then_some(job)
    })
    .await;
    assert_eq!(job.state, JobState::Failed);
    let text = job.failure.unwrap();
    assert!(text.contains("begun 5 times"), "{text}");
    assert_eq!(stage.fake.world().accepted.len(), 5);
    console.shut_down().await;
}

/// A process that is killed leaves its lease behind; the next one waits for its end and goes on.
#[test]
fn after_a_kill_the_lease_expires_and_the_job_goes_on() {
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
        let store = stage.store().await;
        let console = stage.console().await;
        let held = store.job(id).await.unwrap().unwrap();
        assert!(held.lease_until > Some(domain::clock::Clock::now(&*stage.clock)));
        assert_eq!(held.state, JobState::Running);
        stage.clock.advance_s(11);
        backup_in(&console, id, JobState::Completed).await;
        assert_eq!(stage.fake.world().accepted.len(), 1);
        console.shut_down().await;
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_that_the_engine_forgot_ends_as_canceled() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    stage.fake.world().hold = true;
    let operator = operator(&console);
    let id = operator
        .back_up_now(LOCAL, Some(tenant), BackupKind::Full)
        .await
        .unwrap()
        .tasks[0];
    backup_in(&console, id, JobState::Running).await;
    stage.fake.world().deaf = 3;
    operator.cancel(LOCAL, id).await.unwrap();
    stage.fake.world().forget_jobs();
    backup_in(&console, id, JobState::Canceled).await;
    assert_eq!(stage.fake.world().accepted.len(), 1);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_was_published_just_before_a_crash_completes_its_task() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    stage.fake.world().revives = true;
    stage.fake.world().hold = true;
    let id = operator(&console)
        .back_up_now(LOCAL, Some(tenant), BackupKind::Full)
        .await
        .unwrap()
        .tasks[0];
    backup_in(&console, id, JobState::Running).await;
    stage.fake.finish_and_crash();
    let job = backup_in(&console, id, JobState::Completed).await;
    assert!(job.set.is_some());
    let held = stage.store().await.job(id).await.unwrap().unwrap();
    assert_eq!(held.attempts, 1, "nothing was begun again");
    assert_eq!(stage.fake.world().accepted.len(), 1);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_that_was_done_before_it_could_be_canceled_is_complete() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    stage.fake.world().revives = true;
    stage.fake.world().hold = true;
    let (operator, viewer) = (operator(&console), viewer(&console));
    let ranges = viewer.overview(LOCAL).await.unwrap().period.tenants;
    let request = RecoveryRequest {
        tenant,
        until: ranges[0].ranges[0].end,
        new_name: "orders_2".to_owned(),
        place: None,
        placement: None,
    };
    let id = operator.initiate_recovery(LOCAL, &request).await.unwrap();
    let in_state = async |state: JobState| {
        eventually(&format!("the recovery is {state:?}"), async || {
            let job = viewer.recovery(LOCAL, id).await.unwrap();
            assert!(job.state == state || !job.state.is_final(), "{job:?}");
            (job.state == state).then_some(job)
        })
        .await
    };
    in_state(JobState::Running).await;
    stage.fake.world().stuck = true;
    operator.cancel(LOCAL, id).await.unwrap();
    stage.fake.finish_and_crash();
    stage.fake.world().stuck = false;
    in_state(JobState::Completed).await;
    let tenants = viewer.tenants(LOCAL).await.unwrap();
    assert!(
        tenants
            .iter()
            .any(|one| one.name == "orders_2" && one.state == TenantState::Online)
    );
    let table = viewer.recoveries(LOCAL, &TaskFilter::default()).await;
    assert_eq!(table.unwrap().total, 1);
    console.shut_down().await;
}
