//! Recoveries: refusals in words, reserved names, and one that runs.

use crate::stage::{LOCAL, Stage, eventually, operator, viewer};
use control::{Console, Error, ErrorKind};
use domain::{
    Scn, TenantId, clock::Clock, job::JobState, page::TaskFilter, recovery::RecoveryRequest,
    scn::NS_PER_SECOND, validate::Violation,
};

fn request(tenant: TenantId, until: Scn, new_name: &str) -> RecoveryRequest {
    RecoveryRequest {
        tenant,
        until,
        new_name: new_name.to_owned(),
        place: None,
        placement: None,
    }
}

fn violations(refused: Result<impl std::fmt::Debug, Error>) -> Vec<Violation> {
    match refused.unwrap_err().kind() {
        ErrorKind::Invalid(violations) => violations,
        other => panic!("{other:?}"),
    }
}

async fn recoverable(console: &Console) -> domain::recoverable::RecoverableRange {
    let overview = viewer(console).overview(LOCAL).await.unwrap();
    overview.period.tenants[0].ranges[0]
}

#[tokio::test(flavor = "multi_thread")]
async fn impossible_moments_name_the_nearest_possible_ones() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    let operator = operator(&console);
    let first = recoverable(&console).await.start;

    let early = first.minus_ns(5 * NS_PER_SECOND);
    let found = violations(
        operator
            .plan_recovery(LOCAL, &request(tenant, early, "new_one"))
            .await,
    );
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].field.as_str(), &found[0].value),
        ("Recover to", &early.to_rfc3339())
    );
    assert!(
        found[0].allowed.contains(&format!("{first} after it")),
        "{}",
        found[0].allowed
    );

    let late = stage.clock.now().plus_ns(3600 * NS_PER_SECOND);
    let found = violations(
        operator
            .initiate_recovery(LOCAL, &request(tenant, late, "new_one"))
            .await,
    );
    assert!(
        found[0].allowed.starts_with("is in the future; "),
        "{}",
        found[0].allowed
    );
    assert!(
        found[0].allowed.contains("before it"),
        "{}",
        found[0].allowed
    );
    let total = viewer(&console)
        .recoveries(LOCAL, &TaskFilter::default())
        .await
        .unwrap()
        .total;
    assert_eq!(total, 0);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moment_just_past_the_stored_checkpoint_is_looked_up_anew() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    let now = stage.clock.now();
    operator(&console)
        .plan_recovery(LOCAL, &request(tenant, now, "new_one"))
        .await
        .unwrap();
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_checked_and_reserved_from_the_order_on() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    let operator = operator(&console);
    let until = recoverable(&console).await.start;
    for (name, text) in [
        ("orders", "a tenant of this name exists"),
        ("1orders", "beginning with a letter"),
    ] {
        let found = violations(
            operator
                .plan_recovery(LOCAL, &request(tenant, until, name))
                .await,
        );
        assert_eq!(
            (found[0].field.as_str(), found[0].value.as_str()),
            ("New tenant name", name)
        );
        assert!(found[0].allowed.contains(text), "{}", found[0].allowed);
    }
    stage.fake.world().hold = true;
    let request = request(tenant, until, "orders_2");
    let (one, two) = tokio::join!(
        operator.initiate_recovery(LOCAL, &request),
        operator.initiate_recovery(LOCAL, &request)
    );
    assert!(one.is_ok() ^ two.is_ok(), "{one:?} {two:?}");
    let id = one.or(two).unwrap();
    let found = violations(operator.plan_recovery(LOCAL, &request).await);
    assert!(
        found[0]
            .allowed
            .contains(&format!("reserved by recovery task {id}"))
    );
    let error = operator.create_tenant(LOCAL, "orders_2").await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Conflict(_)), "{error}");
    operator.cancel(LOCAL, id).await.unwrap();
    let viewer = viewer(&console);
    eventually("it is canceled", async || {
        let job = viewer.recovery(LOCAL, id).await.unwrap();
        (job.state == JobState::Canceled).then_some(())
    })
    .await;
    operator.plan_recovery(LOCAL, &request).await.unwrap();
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_makes_the_tenant_and_later_plans_are_estimated_from_it() {
    let (_stage, console, tenant) = Stage::with_tenant().await;
    let operator = operator(&console);
    let until = recoverable(&console).await.start;
    let plan = operator
        .plan_recovery(LOCAL, &request(tenant, until, "orders_2"))
        .await
        .unwrap();
    assert_eq!(plan.estimate_ms, None, "nothing was measured yet");
    let id = operator
        .initiate_recovery(LOCAL, &request(tenant, until, "orders_2"))
        .await
        .unwrap();
    let viewer = viewer(&console);
    let job = eventually("it ends", async || {
        let job = viewer.recovery(LOCAL, id).await.unwrap();
        job.state.is_final().then_some(job)
    })
    .await;
    assert_eq!((job.state, job.failure), (JobState::Completed, None));
    assert_eq!(
        (job.until, job.destination_tenant.as_str()),
        (until, "orders_2")
    );
    let tenants = viewer.tenants(LOCAL).await.unwrap();
    assert!(
        tenants.iter().any(|t| t.name == "orders_2"),
        "seen when it is complete"
    );
    let plan = operator
        .plan_recovery(LOCAL, &request(tenant, until, "orders_3"))
        .await
        .unwrap();
    assert!(plan.estimate_ms.is_some_and(|ms| ms > 0));
    console.shut_down().await;
}
