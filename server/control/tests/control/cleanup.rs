//! Cleanups: what is asked of the engine, what is refused, and what the audit keeps.

use crate::stage::{LOCAL, Stage, admin, eventually, viewer};
use control::ErrorKind;
use domain::{TenantId, job::JobState, scn::NS_PER_DAY, second_backup::Place};
use store::{Job, Order};

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_asked_of_the_engine_for_days_that_nobody_decided_on() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    stage.clock.advance_s(3 * 86_400);
    let viewer = viewer(&console);
    let plan = viewer.plan_cleanup(LOCAL, tenant, 2, Place::First).await;
    let plan = plan.unwrap();
    assert_eq!((plan.place, plan.expired.len()), (Place::First, 1));
    let plan = viewer.plan_cleanup(LOCAL, tenant, 5, Place::Second).await;
    let plan = plan.unwrap();
    assert_eq!((plan.place, plan.expired.len()), (Place::Second, 0));
    for days in [0, 3651] {
        let error = viewer.plan_cleanup(LOCAL, tenant, days, Place::First).await;
        let ErrorKind::Invalid(found) = error.unwrap_err().kind() else {
            panic!("not refused as input");
        };
        assert_eq!(found[0].field, "Days to keep");
        assert!(found[0].to_string().contains("1 to 3650"), "{}", found[0]);
    }
    let stranger = viewer
        .plan_cleanup(LOCAL, TenantId(77), 7, Place::First)
        .await;
    assert!(matches!(
        stranger.unwrap_err().kind(),
        ErrorKind::NotFound { .. }
    ));
    assert!(stage.fake.world().accepted.is_empty(), "nothing was begun");
    console.shut_down().await;
}

async fn ended(stage: &Stage, id: domain::JobId) -> JobState {
    let store = stage.store().await;
    eventually("the cleanup ends", async || {
        let job = store.job(id).await.unwrap().unwrap();
        job.state.is_final().then_some(job.state)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cleanup_of_every_tenant_is_one_task_each_and_never_two_at_once_for_one() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    let admin = admin(&console);
    admin
        .operator()
        .create_tenant(LOCAL, "payments")
        .await
        .unwrap();
    stage.fake.world().hold = true;
    let before = stage
        .store()
        .await
        .unfinished(domain::ClusterId(1))
        .await
        .unwrap();
    assert!(before.is_empty(), "{before:?}");
    let one = admin
        .clean_up_now(LOCAL, Some(tenant), 7, Place::First)
        .await;
    let one = one.unwrap();
    assert_eq!((one.tasks.len(), one.skipped.len()), (1, 0));
    let again = admin
        .clean_up_now(LOCAL, Some(tenant), 7, Place::First)
        .await;
    let ErrorKind::Conflict(why) = again.unwrap_err().kind() else {
        panic!("not refused");
    };
    assert!(
        why.contains(&format!("cleanup task {} of tenant orders", one.tasks[0])),
        "{why}"
    );
    let all = admin
        .clean_up_now(LOCAL, None, 7, Place::First)
        .await
        .unwrap();
    assert_eq!((all.tasks.len(), all.skipped.len()), (1, 1), "{all:?}");
    let open = stage
        .store()
        .await
        .unfinished(domain::ClusterId(1))
        .await
        .unwrap();
    let orders: Vec<&Order> = open.iter().map(|job: &Job| &job.order).collect();
    let Order::Cleanup { place, keep_from } = orders[0] else {
        panic!("{orders:?}");
    };
    assert_eq!(*place, Place::First);
    assert!(domain::clock::Clock::now(&*stage.clock).since_ns(*keep_from) >= 7 * NS_PER_DAY);
    stage.fake.world().hold = false;
    for task in one.tasks.iter().chain(&all.tasks) {
        assert_eq!(ended(&stage, *task).await, JobState::Completed);
    }
    let audits = stage.store().await.audits().await.unwrap();
    let cleanups = audits.iter().filter(|it| it.operation == "cleanup");
    let mut kept: Vec<(&str, &str)> = cleanups
        .map(|it| (it.subject.as_str(), it.detail.as_str()))
        .collect();
    kept.sort_unstable();
    assert_eq!(
        kept,
        [
            ("orders", "first of 7 days"),
            ("payments", "first of 7 days")
        ]
    );
    console.shut_down().await;
}
