//! The queue: leases, compare-and-swap and the steps of a task.

use crate::fixture::{Fixture, backup, fresh, recovery};
use domain::{
    BackupSetId, ClusterId, JobId, Scn,
    backup::BackupKind,
    job::{JobState, Progress},
    placement::{PlacedZone, Placement, ReplicaType, UnitChoice, UnitSize},
    recovery::RecoveryProof,
};
use store::{Claim, Job, JobFacts, JobPatch, Lease, Order, PAUSE_MAX_NS, StoreError};

async fn claim(fixture: &Fixture, job: &Job, owner: &str, now: u64, until: u64) -> bool {
    let terms = Claim {
        now: Scn(now),
        until: Scn(until),
        counts: 1,
    };
    fixture
        .store
        .change(async |change| change.claim(job, JobState::Starting, owner, terms).await)
        .await
        .unwrap()
}

async fn patch(fixture: &Fixture, job: &Job, owner: Option<&str>, patch: &JobPatch) -> bool {
    fixture
        .store
        .change(async |change| change.patch_job(job.id, job.state, owner, patch).await)
        .await
        .unwrap()
}

async fn queued(fixture: &Fixture) -> (ClusterId, JobId) {
    let cluster = fixture.cluster("local").await;
    let tenant = fixture.tenant(cluster, "orders").await;
    let id = fixture.enqueue(&backup(cluster, tenant, 10)).await;
    (cluster, id)
}

async fn read(fixture: &Fixture, id: JobId) -> Job {
    fixture.store.job(id).await.unwrap().unwrap()
}

#[tokio::test]
async fn of_two_workers_one_gets_the_task() {
    let fixture = fresh().await;
    let (_, id) = queued(&fixture).await;
    let job = read(&fixture, id).await;
    assert_eq!((job.state, job.attempts), (JobState::Queued, 0));
    let (a, b) = tokio::join!(
        claim(&fixture, &job, "a", 20, 30),
        claim(&fixture, &job, "b", 20, 30)
    );
    assert!(a ^ b, "a: {a}, b: {b}");
    let held = read(&fixture, id).await;
    assert_eq!(held.lease_owner.as_deref(), Some(if a { "a" } else { "b" }));
    assert_eq!((held.state, held.attempts), (JobState::Starting, 1));
}

#[tokio::test]
async fn a_lease_holds_until_it_expires_and_then_fences_the_first_owner() {
    let fixture = fresh().await;
    let (_, id) = queued(&fixture).await;
    let job = read(&fixture, id).await;
    assert!(
        claim(&fixture, &job, "a", 5, 30).await,
        "due at once, also when the clock was set back since it was asked for at 10"
    );
    let held = read(&fixture, id).await;
    assert!(!claim(&fixture, &held, "b", 29, 60).await);
    assert!(fixture.store.prolong(id, "a", Scn(40)).await.unwrap());
    assert!(!claim(&fixture, &held, "b", 39, 60).await);
    assert!(claim(&fixture, &held, "b", 40, 60).await);
    assert!(!fixture.store.prolong(id, "a", Scn(70)).await.unwrap());
    let running = JobPatch {
        state: Some(JobState::Running),
        ..JobPatch::default()
    };
    assert!(!patch(&fixture, &held, Some("a"), &running).await);
    assert!(patch(&fixture, &held, Some("b"), &running).await);
    assert!(
        !patch(&fixture, &held, Some("b"), &running).await,
        "not Starting any more"
    );
}

#[tokio::test]
async fn facts_and_the_end_of_a_task_read_back() {
    let fixture = fresh().await;
    let cluster = fixture.cluster("local").await;
    let tenant = fixture.tenant(cluster, "orders").await;
    let id = fixture
        .enqueue(&recovery(cluster, tenant, 10, "orders_2"))
        .await;
    let job = read(&fixture, id).await;
    assert_eq!(
        job.order,
        Order::Recovery {
            until: Scn(77),
            new_name: "orders_2".to_owned(),
            place: None,
            placement: None,
        }
    );
    let proof = RecoveryProof {
        expected_digest: "ab".to_owned(),
        computed_digest: "ab".to_owned(),
        target_scn: Scn(76),
        pages: 3,
        quick_check: "ok".to_owned(),
    };
    let end = JobPatch {
        moved: None,
        state: Some(JobState::Failed),
        engine_job_id: Some(Some("e1".to_owned())),
        started: Some(Scn(11)),
        ended: Some(Scn(15)),
        facts: Some(JobFacts {
            progress: Progress {
                phase: "Replaying logs".to_owned(),
                done_bytes: 5,
                total_bytes: 9,
                rate_bytes_per_s: 3,
                eta_ms: Some(4),
            },
            set: Some(BackupSetId(4)),
            actual: Some(BackupKind::Full),
            actual_reason: Some("no base".to_owned()),
            min_restore_scn: Some(Scn(12)),
            location: Some("here".to_owned()),
            proof: Some(proof.clone()),
            outcome: None,
        }),
        failure: Some("f".repeat(1000)),
        not_before: None,
        lease: Some(Lease::Release),
    };
    assert!(patch(&fixture, &job, None, &end).await);
    let row = fixture.store.recovery(cluster, id).await.unwrap().unwrap();
    assert_eq!(row.source_cluster, "local");
    assert_eq!(
        (row.source_tenant.as_str(), row.source_tenant_id),
        ("orders", tenant)
    );
    assert_eq!(row.destination_tenant, "orders_2");
    assert_eq!(row.progress.percent(), Some(55));
    assert_eq!(row.proof, Some(proof));
    assert_eq!(row.failure.map(|text| text.len()), Some(1000));
    assert_eq!((row.started, row.ended), (Some(Scn(11)), Some(Scn(15))));
    assert!(fixture.store.unfinished(cluster).await.unwrap().is_empty());
    assert_eq!(fixture.store.backup(cluster, id).await.unwrap(), None);
}

#[tokio::test]
async fn one_token_is_one_task() {
    let fixture = fresh().await;
    let cluster = fixture.cluster("local").await;
    let tenant = fixture.tenant(cluster, "orders").await;
    let new = backup(cluster, tenant, 10);
    fixture.enqueue(&new).await;
    let again: Result<_, StoreError> = fixture
        .store
        .change(async |change| change.enqueue(&new).await)
        .await;
    assert!(again.is_err());
    assert_eq!(fixture.store.unfinished(cluster).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_pause_holds_unless_it_is_longer_than_any() {
    let fixture = fresh().await;
    let (_, id) = queued(&fixture).await;
    let job = read(&fixture, id).await;
    let now = 5;
    for (pause, due) in [(PAUSE_MAX_NS, false), (PAUSE_MAX_NS + 1, true)] {
        let later = JobPatch {
            not_before: Some(Scn(now).plus_ns(pause)),
            ..JobPatch::default()
        };
        assert!(patch(&fixture, &job, None, &later).await);
        assert_eq!(read(&fixture, id).await.is_due(Scn(now)), due, "{pause}");
        assert_eq!(claim(&fixture, &job, "a", now, 30).await, due, "{pause}");
    }
}

#[tokio::test]
async fn leases_and_pauses_of_a_process_that_is_gone_are_freed_together() {
    let fixture = fresh().await;
    let (cluster, id) = queued(&fixture).await;
    let job = read(&fixture, id).await;
    assert!(claim(&fixture, &job, "gone", 20, u64::MAX >> 1).await);
    assert_eq!(fixture.store.unfinished_count(cluster).await.unwrap(), 1);
    assert_eq!(fixture.store.free_leases().await.unwrap(), 1);
    let free = read(&fixture, id).await;
    assert_eq!((free.lease_owner, free.lease_until), (None, None));
    assert_eq!(
        (free.not_before, free.state),
        (Scn::ZERO, JobState::Starting)
    );
    let end = JobPatch {
        state: Some(JobState::Failed),
        ..JobPatch::default()
    };
    assert!(patch(&fixture, &read(&fixture, id).await, None, &end).await);
    assert_eq!(fixture.store.free_leases().await.unwrap(), 0);
    assert_eq!(fixture.store.unfinished_count(cluster).await.unwrap(), 0);
}

#[tokio::test]
async fn a_placement_is_kept_with_the_task() {
    let fixture = fresh().await;
    let cluster = fixture.cluster("local").await;
    let tenant = fixture.tenant(cluster, "orders").await;
    let placement = Placement {
        zones: vec![PlacedZone {
            zone: "zone1".to_owned(),
            replica: ReplicaType::Full,
            unit: UnitChoice::New {
                name: "u1".to_owned(),
                size: UnitSize::LEAST,
            },
        }],
        unit_count: 2,
        priority: vec![vec!["zone1".to_owned()]],
    };
    let mut new = recovery(cluster, tenant, 10, "orders_2");
    new.order = Order::Recovery {
        until: Scn(77),
        new_name: "orders_2".to_owned(),
        place: None,
        placement: Some(placement),
    };
    let id = fixture.enqueue(&new).await;
    assert_eq!(read(&fixture, id).await.order, new.order);
}
