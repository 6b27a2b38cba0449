//! Sizes, destinations and identities read back as they were written.

use crate::fixture::{backup, fresh};
use domain::{
    Scn,
    job::{JobKind, JobState},
    second_backup::{Place, SecondLogState},
    storage::StorageState,
    trend::{TrendEvent, TrendEventKind, TrendPoint},
};
use store::{JobPatch, SecondFacts, StoreError, TenantSizes};

const ALL: (Scn, Scn) = (Scn::ZERO, Scn(u64::MAX));

fn state(place: Place) -> StorageState {
    StorageState {
        place,
        location: format!("/mnt/{}", place.code()),
        total_bytes: Some(1000),
        free_bytes: Some(700),
        fault: None,
        identity_changed: false,
    }
}

#[tokio::test]
async fn destinations_are_kept_one_per_place() {
    let fixture = fresh().await;
    let cluster = fixture.cluster("local").await;
    let other = fixture.cluster("other").await;
    let (first, second) = (state(Place::First), state(Place::Second));
    let gone = StorageState {
        total_bytes: None,
        free_bytes: None,
        fault: Some("it is away".repeat(200)),
        identity_changed: true,
        ..second.clone()
    };
    fixture
        .store
        .change(async |change| {
            change.set_storage(cluster, &second, Scn(1)).await?;
            change.set_storage(cluster, &first, Scn(1)).await?;
            change.set_storage(other, &first, Scn(1)).await?;
            change.set_storage(cluster, &gone, Scn(2)).await
        })
        .await
        .unwrap();
    let read = fixture.store.storages(cluster).await.unwrap();
    assert_eq!(read, [first.clone(), gone]);
    fixture
        .store
        .change(async |change| change.remove_storage(cluster, Place::Second).await)
        .await
        .unwrap();
    assert_eq!(
        fixture.store.storages(cluster).await.unwrap(),
        std::slice::from_ref(&first)
    );
    assert_eq!(fixture.store.storages(other).await.unwrap(), [first]);
}

#[tokio::test]
async fn samples_read_back_by_whose_they_are_and_when() {
    let fixture = fresh().await;
    let cluster = fixture.cluster("local").await;
    let tenant = fixture.tenant(cluster, "orders").await;
    let point = |at: u64| TrendPoint {
        at: Scn(at),
        data_bytes: at * 2,
        log_bytes: at,
        second_data_bytes: at.is_multiple_of(2).then_some(5),
        second_log_bytes: None,
        storage_total_bytes: Some(9000),
        storage_free_bytes: Some(9000 - at),
    };
    assert_eq!(fixture.store.last_sample(cluster).await.unwrap(), None);
    // More than one statement takes.
    let samples: Vec<_> = (1..=250).map(|at| (None, point(at))).collect();
    let of_tenant: Vec<_> = (1..=3).map(|at| (Some(tenant), point(at))).collect();
    fixture
        .store
        .change(async |change| {
            change.add_samples(cluster, &samples).await?;
            change.add_samples(cluster, &of_tenant).await
        })
        .await
        .unwrap();
    let store = &fixture.store;
    assert_eq!(store.last_sample(cluster).await.unwrap(), Some(Scn(250)));
    let read = store.samples(cluster, Some(tenant), ALL).await.unwrap();
    assert_eq!(read, [point(1), point(2), point(3)]);
    let part = (Scn(10), Scn(12));
    let read = store.samples(cluster, None, part).await.unwrap();
    assert_eq!(read, [point(10), point(11), point(12)]);
    assert_eq!(store.sampled(cluster).await.unwrap(), [None, Some(tenant)]);
    let gone: Vec<Scn> = (1..250).map(Scn).collect();
    store
        .change(async |change| change.remove_samples(cluster, None, &gone).await)
        .await
        .unwrap();
    assert_eq!(
        store.samples(cluster, None, ALL).await.unwrap(),
        [point(250)]
    );
    assert_eq!(
        store
            .samples(cluster, Some(tenant), ALL)
            .await
            .unwrap()
            .len(),
        3
    );
}

#[tokio::test]
async fn second_copies_have_sizes_while_they_can_be_looked_at() {
    let fixture = fresh().await;
    let cluster = fixture.cluster("local").await;
    let tenant = fixture.tenant(cluster, "orders").await;
    let mut second = SecondFacts {
        state: SecondLogState::InProgress,
        data_bytes: 7,
        log_bytes: 3,
        checkpoint: None,
        started: None,
        directory: String::new(),
    };
    let mut sizes = TenantSizes {
        tenant,
        data_bytes: 10,
        log_bytes: 20,
        second: None,
    };
    let read = async || fixture.store.tenant_sizes(cluster).await.unwrap();
    assert_eq!(read().await, [sizes]);
    for (state, seen) in [
        (SecondLogState::InProgress, Some((7, 3))),
        (SecondLogState::Stopped, Some((7, 3))),
        (SecondLogState::Unknown, None),
    ] {
        (second.state, sizes.second) = (state, seen);
        fixture
            .store
            .change(async |change| change.set_second(cluster, tenant, &second).await)
            .await
            .unwrap();
        assert_eq!(read().await, [sizes], "{state:?}");
    }
}

#[tokio::test]
async fn tasks_are_told_by_when_they_ended() {
    let fixture = fresh().await;
    let cluster = fixture.cluster("local").await;
    let tenant = fixture.tenant(cluster, "orders").await;
    let other = fixture.tenant(cluster, "payments").await;
    let ends = [
        (tenant, 10, JobState::Completed),
        (other, 20, JobState::Failed),
        (tenant, 30, JobState::Canceled),
        (tenant, 40, JobState::Completed),
    ];
    for (tenant, at, state) in ends {
        let id = fixture.enqueue(&backup(cluster, tenant, at - 1)).await;
        let patch = JobPatch {
            state: Some(state),
            ended: Some(Scn(at)),
            ..JobPatch::default()
        };
        fixture
            .store
            .change(async |change| {
                assert!(change.patch_job(id, JobState::Queued, None, &patch).await?);
                Ok::<_, StoreError>(())
            })
            .await
            .unwrap();
    }
    let event = |at: u64, kind, tenant: &str| TrendEvent {
        at: Scn(at),
        kind,
        tenant: tenant.to_owned(),
    };
    let (done, failed) = (
        TrendEventKind::Completed(JobKind::DataBackup),
        TrendEventKind::Failed(JobKind::DataBackup),
    );
    let store = &fixture.store;
    let all = store.ended_tasks(cluster, None, ALL, 9).await.unwrap();
    let expected = [
        event(10, done, "orders"),
        event(20, failed, "payments"),
        event(40, done, "orders"),
    ];
    assert_eq!(all, expected);
    let newest = store.ended_tasks(cluster, None, ALL, 2).await.unwrap();
    assert_eq!(newest, expected[1..]);
    let one = store
        .ended_tasks(cluster, Some(other), ALL, 9)
        .await
        .unwrap();
    assert_eq!(one, expected[1..2]);
}

#[tokio::test]
async fn two_clusters_are_never_the_same_one() {
    let fixture = fresh().await;
    let (one, two) = (fixture.cluster("one").await, fixture.cluster("two").await);
    let name = async |id, identity: &'static str| {
        let named = fixture.store.change(async |change| {
            change.cluster_clock_back(id, 77).await?;
            change.cluster_identity(id, identity).await
        });
        named.await
    };
    name(one, "a").await.unwrap();
    assert!(name(two, "a").await.is_err());
    name(two, "b").await.unwrap();
    let known = fixture.store.cluster("one").await.unwrap().unwrap();
    assert_eq!(
        (known.identity.as_deref(), known.clock_back_ns),
        (Some("a"), 77)
    );
}
