//! Leases: an attempt that waits for a slow engine keeps its task.

use crate::stage::{LOCAL, Stage, backup_in, eventually, operator};
use domain::{backup::BackupKind, clock::Clock, job::JobState};

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_takes_longer_than_the_lease_is_waited_for_by_the_same_attempt() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    let store = stage.store().await;
    stage.fake.world().hold = true;
    let id = operator(&console)
        .back_up_now(LOCAL, Some(tenant), BackupKind::Full)
        .await
        .unwrap()
        .tasks[0];
    backup_in(&console, id, JobState::Running).await;
    stage.fake.world().stuck = true;
    let first = store.job(id).await.unwrap().unwrap();
    // The lease is over before it is prolonged, and the worker looks at the queue meanwhile.
    stage.clock.advance_s(30);
    let held = eventually("the lease is prolonged", async || {
        let job = store.job(id).await.unwrap().unwrap();
        (job.lease_until > Some(stage.clock.now())).then_some(job)
    })
    .await;
    assert_eq!(held.lease_owner, first.lease_owner, "the same attempt");
    stage.fake.world().hold = false;
    stage.fake.world().stuck = false;
    backup_in(&console, id, JobState::Completed).await;
    let ended = store.job(id).await.unwrap().unwrap();
    assert_eq!(ended.attempts, 1);
    assert_eq!(stage.fake.world().accepted.len(), 1);
    console.shut_down().await;
}
