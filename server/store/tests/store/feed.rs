//! The feed: no row skipped, revisions only grow.

use crate::fixture::{archive_facts, backup, fresh, recovery};
use domain::{
    BackupSetId, JobId, Revision, Scn,
    backup::BackupJob,
    feed::FEED_ROWS_MAX,
    job::{JobKind, JobState},
    page::TaskFilter,
    second_backup::{Place, SecondLogState},
};
use std::collections::{BTreeMap, BTreeSet};
use store::{JobPatch, NewJob, Order, SecondFacts, StoreError};

#[tokio::test]
async fn every_row_arrives_also_when_one_change_makes_more_than_fit() {
    let fixture = fresh().await;
    let cluster = fixture.cluster("local").await;
    let tenant = fixture.tenant(cluster, "orders").await;
    let many = FEED_ROWS_MAX * 2 + 30;
    // All in one change, and a row of another kind in the middle.
    fixture
        .store
        .change(async |change| {
            for created in 0..many {
                change.enqueue(&backup(cluster, tenant, created)).await?;
                if created == many / 2 {
                    let new = recovery(cluster, tenant, created, "orders_2");
                    change.enqueue(&new).await?;
                }
            }
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
    let mut seen: BTreeSet<JobId> = BTreeSet::new();
    let mut recoveries = 0;
    let mut since = Revision(0);
    let mut answers = 0;
    loop {
        let rows = fixture.store.feed(cluster, since).await.unwrap();
        assert!(rows.backups.len() as u64 <= FEED_ROWS_MAX);
        assert!(rows.backups.is_sorted_by_key(|row| row.rev));
        assert!(rows.rev >= since, "revisions only grow");
        seen.extend(rows.backups.iter().map(|row| row.id));
        recoveries += rows.recoveries.len();
        answers += 1;
        if rows.rev == since {
            break;
        }
        since = rows.rev;
    }
    assert_eq!(seen.len() as u64, many);
    assert_eq!(recoveries, 1);
    assert_eq!(answers, 4, "three with rows and one without");
    assert_eq!(since, fixture.store.revision().await.unwrap());
}

#[tokio::test]
async fn a_quiet_feed_is_empty_and_a_change_tells_what_it_touched() {
    let fixture = fresh().await;
    let cluster = fixture.cluster("local").await;
    let other = fixture.cluster("other").await;
    let tenant = fixture.tenant(cluster, "orders").await;
    let now = fixture.store.feed(cluster, Revision(0)).await.unwrap().rev;
    let quiet = fixture.store.feed(cluster, now).await.unwrap();
    assert_eq!(
        (quiet.rev, quiet.summary, quiet.period),
        (now, false, false)
    );

    fixture
        .store
        .change(async |change| change.cluster_observed(other, Scn(3)).await)
        .await
        .unwrap();
    let others = fixture.store.feed(cluster, now).await.unwrap();
    assert!(others.rev > now && !others.summary && others.archives.is_empty());

    fixture
        .store
        .change(async |change| {
            change
                .set_archive(cluster, tenant, &archive_facts(Scn(200)))
                .await
        })
        .await
        .unwrap();
    let changed = fixture.store.feed(cluster, others.rev).await.unwrap();
    assert_eq!(changed.archives[0].checkpoint_scn, Some(Scn(200)));
    assert!(changed.summary && !changed.period);

    fixture
        .store
        .change(async |change| change.period_changed(cluster).await)
        .await
        .unwrap();
    let period = fixture.store.feed(cluster, changed.rev).await.unwrap();
    assert!(period.period && period.summary && period.archives.is_empty());
}

#[tokio::test]
async fn copies_cleanups_and_second_log_are_told_too() {
    let fixture = fresh().await;
    let cluster = fixture.cluster("local").await;
    let tenant = fixture.tenant(cluster, "orders").await;
    let since = fixture.store.revision().await.unwrap();
    let orders = [
        Order::SecondData {
            set: BackupSetId(3),
        },
        Order::SecondLog,
        Order::Cleanup {
            place: Place::Second,
            keep_from: Scn(9),
        },
    ];
    for (number, order) in orders.into_iter().enumerate() {
        let new = NewJob {
            order,
            token: format!("other {number}"),
            ..backup(cluster, tenant, 5)
        };
        fixture.enqueue(&new).await;
    }
    let facts = SecondFacts {
        state: SecondLogState::InProgress,
        data_bytes: 1,
        log_bytes: 2,
        checkpoint: Some(Scn(8)),
        started: Some(Scn(4)),
        directory: "elsewhere".to_owned(),
    };
    let change = fixture
        .store
        .change(async |change| change.set_second(cluster, tenant, &facts).await);
    change.await.unwrap();
    let rows = fixture.store.feed(cluster, since).await.unwrap();
    let kinds: Vec<JobKind> = rows.tasks.iter().map(|task| task.kind).collect();
    let wanted = [JobKind::SecondData, JobKind::SecondLog, JobKind::Cleanup];
    assert_eq!(kinds, wanted);
    assert!(rows.summary && rows.backups.is_empty());
    let copied: Vec<_> = rows
        .second_logs
        .iter()
        .map(|row| row.last_backed_up)
        .collect();
    assert_eq!(copied, [Some(Scn(8))]);
    let quiet = fixture.store.feed(cluster, rows.rev).await.unwrap();
    assert!(quiet.tasks.is_empty() && quiet.second_logs.is_empty());
}

#[tokio::test]
async fn a_revision_of_another_database_begins_anew() {
    let fixture = fresh().await;
    let cluster = fixture.cluster("local").await;
    let tenant = fixture.tenant(cluster, "orders").await;
    fixture.enqueue(&backup(cluster, tenant, 1)).await;
    let rows = fixture
        .store
        .feed(cluster, Revision(1_000_000))
        .await
        .unwrap();
    assert_eq!(rows.backups.len(), 1);
    assert_eq!(rows.rev, fixture.store.revision().await.unwrap());
}

/// Tasks that each writer makes and then cancels.
const WRITTEN: u64 = 40;

#[tokio::test(flavor = "multi_thread")]
async fn whoever_follows_the_feed_while_others_write_ends_with_what_is_stored() {
    let fixture = fresh().await;
    let cluster = fixture.cluster("local").await;
    let mut writers = tokio::task::JoinSet::new();
    for name in ["first", "second", "third"] {
        let tenant = fixture.tenant(cluster, name).await;
        let store = fixture.store.clone();
        writers.spawn(async move {
            for created in 0..WRITTEN {
                let new = backup(cluster, tenant, created);
                let id = store
                    .change(async |change| change.enqueue(&new).await)
                    .await
                    .unwrap();
                let cancel = JobPatch {
                    state: Some(JobState::Canceled),
                    ..JobPatch::default()
                };
                let canceled: Result<bool, StoreError> = store
                    .change(async |change| {
                        change
                            .set_archive(cluster, tenant, &archive_facts(Scn(200 + created)))
                            .await?;
                        change.patch_job(id, JobState::Queued, None, &cancel).await
                    })
                    .await;
                assert!(canceled.unwrap());
            }
        });
    }

    // A page: it keeps the newest row of each task, and asks again from where the last answer ended.
    let mut page: BTreeMap<JobId, BackupJob> = BTreeMap::new();
    let mut checkpoints = BTreeMap::new();
    let (mut since, mut during) = (Revision(0), 0);
    loop {
        let written = writers.try_join_next();
        if let Some(done) = written {
            done.unwrap();
        }
        let last = writers.is_empty();
        let rows = fixture.store.feed(cluster, since).await.unwrap();
        assert!(rows.rev >= since, "revisions only grow");
        during += u32::from(!last && rows.rev > since);
        for row in rows.backups {
            assert!(row.rev > since && row.rev <= rows.rev);
            page.insert(row.id, row);
        }
        for row in rows.archives {
            checkpoints.insert(row.tenant, row.checkpoint_scn);
        }
        if last && rows.rev == since {
            break;
        }
        since = rows.rev;
    }
    assert_eq!(page.len() as u64, 3 * WRITTEN);
    assert!(during > 3, "{during} answers while others wrote");
    let behind: Vec<_> = page
        .values()
        .filter(|row| row.state != JobState::Canceled)
        .collect();
    assert!(behind.is_empty(), "{behind:?}");
    let newest = Some(Scn(200 + WRITTEN - 1));
    assert!(checkpoints.len() == 3 && checkpoints.values().all(|at| *at == newest));
    let revs: BTreeSet<Revision> = page.values().map(|row| row.rev).collect();
    assert_eq!(
        revs.len(),
        page.len(),
        "each change has a revision of its own"
    );
    let filter = TaskFilter {
        size: 50,
        ..TaskFilter::default()
    };
    for row in fixture.store.backups(cluster, &filter).await.unwrap().rows {
        assert_eq!(page.get(&row.id), Some(&row));
    }
}
