//! Placements: checked before anything is begun, kept with the task, and what failed recoveries left.

use crate::stage::{LOCAL, Stage, actor, eventually, global_admin, operator, viewer};
use control::{Console, Error, ErrorKind};
use domain::{
    JobId, TenantId,
    access::Role,
    audit::AuditResult,
    cluster::NewCluster,
    job::JobState,
    placement::{
        PlacedZone, Placement, ReplicaType, Resources, ServerRoom, UnitChoice, UnitSize, UnitSpec,
        ZoneRoom,
    },
    recovery::{PlannedStep, RecoveryRequest, StepKind},
    validate::Violation,
};

const SMALL: UnitSize = UnitSize {
    cpu_hundredths: 200,
    memory_bytes: 4 << 30,
    log_disk_bytes: 12 << 30,
};

fn zone(name: &str) -> ZoneRoom {
    ZoneRoom {
        name: name.to_owned(),
        region: "here".to_owned(),
        active: true,
        servers: vec![ServerRoom {
            total: SMALL,
            free: SMALL,
        }],
    }
}

fn placed(zones: &[&str], unit: &str) -> Placement {
    let row = |zone: &&str| PlacedZone {
        zone: (*zone).to_owned(),
        replica: ReplicaType::Full,
        unit: UnitChoice::Existing(unit.to_owned()),
    };
    Placement {
        zones: zones.iter().map(row).collect(),
        unit_count: 1,
        priority: Vec::new(),
    }
}

fn resources() -> Resources {
    Resources {
        zones: vec![zone("zone1"), zone("zone2")],
        units: vec![UnitSpec {
            name: "small".to_owned(),
            size: SMALL,
        }],
        least: UnitSize::LEAST,
        replicas: vec![ReplicaType::Full],
        suggested: Some(placed(&["zone1", "zone2"], "small")),
    }
}

/// A console whose cluster places tenants, and its tenant.
async fn placing(stage: &Stage) -> (Console, TenantId) {
    stage.fake.world().resources = Some(resources());
    let console = stage.console().await;
    let new = NewCluster {
        name: LOCAL.to_owned(),
        destination: None,
        first_tenant: Some("orders".to_owned()),
        ..NewCluster::default()
    };
    global_admin(&console).create_cluster(&new).await.unwrap();
    let tenant = viewer(&console).tenants(LOCAL).await.unwrap()[0].id;
    (console, tenant)
}

async fn request(
    console: &Console,
    tenant: TenantId,
    placement: Option<Placement>,
) -> RecoveryRequest {
    let overview = viewer(console).overview(LOCAL).await.unwrap();
    RecoveryRequest {
        tenant,
        until: overview.period.tenants[0].ranges[0].start,
        new_name: "copy".to_owned(),
        place: None,
        placement,
    }
}

fn violations(refused: Result<impl std::fmt::Debug, Error>) -> Vec<Violation> {
    match refused.unwrap_err().kind() {
        ErrorKind::Invalid(violations) => violations,
        other => panic!("{other:?}"),
    }
}

fn conflict(refused: Result<impl std::fmt::Debug, Error>) -> String {
    match refused.unwrap_err().kind() {
        ErrorKind::Conflict(text) => text,
        other => panic!("{other:?}"),
    }
}

async fn ends(console: &Console, id: JobId, state: JobState) {
    let viewer = viewer(console);
    eventually(&format!("task {id} ends {state:?}"), async || {
        let job = viewer.recovery(LOCAL, id).await.unwrap();
        (job.state == state).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_placement_that_the_cluster_would_not_take_is_refused_with_its_fields() {
    let stage = Stage::new();
    let (console, tenant) = placing(&stage).await;
    let operator = operator(&console);
    assert_eq!(
        operator.resources(LOCAL, tenant).await.unwrap(),
        resources()
    );
    let wrong = request(&console, tenant, Some(placed(&["zone1", "zone9"], "large"))).await;
    let found = violations(operator.plan_recovery(LOCAL, &wrong).await);
    let fields: Vec<&str> = found.iter().map(|it| it.field.as_str()).collect();
    assert_eq!(fields, ["Unit specification of zone1", "In zone zone9"]);
    assert_eq!(
        violations(operator.initiate_recovery(LOCAL, &wrong).await),
        found
    );
    // Without one, what the engine would choose itself is looked at: the cluster has become full.
    stage.fake.world().resources.as_mut().unwrap().zones[1].servers[0].free = UnitSize::default();
    let like = request(&console, tenant, None).await;
    let found = violations(operator.initiate_recovery(LOCAL, &like).await);
    assert!(
        found.iter().all(|it| it.field == "In zone zone2"),
        "{found:?}"
    );
    assert!(found[0].allowed.contains("not enough CPU"), "{found:?}");
    assert!(stage.fake.world().accepted.is_empty());
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_placement_goes_to_the_engine_and_stays_when_the_task_is_tried_again() {
    let stage = Stage::new();
    let (console, tenant) = placing(&stage).await;
    let operator = operator(&console);
    stage.fake.world().failure = Some("no luck".to_owned());
    let placement = placed(&["zone2"], "small");
    let request = request(&console, tenant, Some(placement.clone())).await;
    let id = operator.initiate_recovery(LOCAL, &request).await.unwrap();
    ends(&console, id, JobState::Failed).await;
    stage.fake.world().failure = None;
    let again = operator.retry(LOCAL, id).await.unwrap();
    ends(&console, again, JobState::Completed).await;
    let sent = stage.fake.world().placements.clone();
    assert!(sent.len() >= 2, "{sent:?}");
    assert!(
        sent.iter().all(|it| it.as_ref() == Some(&placement)),
        "{sent:?}"
    );
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_failed_recovery_left_is_shown_and_removed_and_both_are_kept() {
    let stage = Stage::new();
    let (console, tenant) = placing(&stage).await;
    let operator = operator(&console);
    stage.fake.world().failure = Some("no luck".to_owned());
    let request = request(&console, tenant, None).await;
    let id = operator.initiate_recovery(LOCAL, &request).await.unwrap();
    ends(&console, id, JobState::Failed).await;
    let left = vec![PlannedStep {
        what: StepKind::DropPool,
        statement: "DROP RESOURCE POOL IF EXISTS `pool_copy_zone1`".to_owned(),
    }];
    stage.fake.world().leftovers.clone_from(&left);
    assert_eq!(operator.plan_leftovers(LOCAL, id).await.unwrap(), left);
    assert_eq!(operator.remove_leftovers(LOCAL, id).await.unwrap(), left);
    assert_eq!(operator.remove_leftovers(LOCAL, id).await.unwrap(), []);
    let audits = stage.store().await.audits().await.unwrap();
    let mut kept = audits
        .iter()
        .filter(|it| it.operation == "clean-up after a recovery");
    let entry = kept.next().unwrap();
    assert_eq!(
        (entry.subject.as_str(), entry.result),
        ("copy", AuditResult::Ok)
    );
    assert_eq!(entry.detail, format!("task {id}"));
    assert_eq!(kept.count(), 1, "the second was asked for too");
    assert!(console.operator(&actor(Role::Viewer)).is_err());

    // While another recovery makes the same tenant, nothing may be removed below it.
    stage.fake.world().failure = None;
    stage.fake.world().hold = true;
    let again = operator.retry(LOCAL, id).await.unwrap();
    let text = conflict(operator.remove_leftovers(LOCAL, id).await);
    assert!(
        text.contains(&format!("recovery task {again} makes tenant copy")),
        "{text}"
    );
    assert!(conflict(operator.plan_leftovers(LOCAL, again).await).contains("has not ended"));
    stage.fake.world().hold = false;
    ends(&console, again, JobState::Completed).await;
    let text = conflict(operator.plan_leftovers(LOCAL, again).await);
    assert!(text.contains("left nothing to clean up"), "{text}");
    let none = operator
        .plan_leftovers(LOCAL, JobId(4711))
        .await
        .unwrap_err();
    assert!(matches!(none.kind(), ErrorKind::NotFound { .. }), "{none}");
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_places_its_tenants_itself_is_asked_nothing() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    let operator = operator(&console);
    assert!(
        conflict(operator.resources(LOCAL, tenant).await).contains("places its tenants itself")
    );
    let asked = request(&console, tenant, Some(placed(&["zone1"], "small"))).await;
    let found = violations(operator.initiate_recovery(LOCAL, &asked).await);
    assert_eq!(found[0].field, "Zones");
    let plain = RecoveryRequest {
        placement: None,
        ..asked
    };
    let id = operator.initiate_recovery(LOCAL, &plain).await.unwrap();
    ends(&console, id, JobState::Completed).await;
    assert!(conflict(operator.plan_leftovers(LOCAL, id).await).contains("nothing to choose"));
    drop(stage);
    console.shut_down().await;
}
