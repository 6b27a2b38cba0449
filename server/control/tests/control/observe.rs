//! The observer writes what changed and nothing else; the feed tells it without a hole.

use crate::stage::{LOCAL, Stage, backup_in, eventually, operator, viewer};
use domain::{
    ClusterId, Revision, archive::ArchiveState, backup::BackupKind, job::JobState,
    page::TaskFilter, tenant::TenantState,
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use store::{Opened, Store, StoreError};

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_only_follows_the_feed_has_the_same_rows_in_the_end() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    let viewer = viewer(&console);
    let overview = viewer.overview(LOCAL).await.unwrap();
    let (mut rev, mut backups, mut archives) = (Revision(0), BTreeMap::new(), BTreeMap::new());
    let id = operator(&console)
        .back_up_now(LOCAL, Some(tenant), BackupKind::Full)
        .await
        .unwrap()
        .tasks[0];
    eventually("the feed tells the end", async || {
        let delta = viewer.feed(LOCAL, rev).await.unwrap();
        assert!(delta.rev >= rev);
        rev = delta.rev;
        for job in delta.backups {
            let old = backups.insert(job.id, job.clone());
            assert!(old.is_none_or(|old: domain::backup::BackupJob| old.rev < job.rev));
        }
        for row in delta.archives {
            archives.insert(row.tenant, row);
        }
        if backups
            .get(&id)
            .is_some_and(|job| job.state == JobState::Completed)
            && !delta.active
        {
            return Some(());
        }
        None
    })
    .await;
    stage.fake.world().frozen = true;
    eventually("the feed is quiet", async || {
        let delta = viewer.feed(LOCAL, rev).await.unwrap();
        archives.extend(delta.archives.into_iter().map(|row| (row.tenant, row)));
        let quiet = delta.rev == rev;
        rev = delta.rev;
        quiet.then_some(())
    })
    .await;
    let table = viewer.backups(LOCAL, &TaskFilter::default()).await.unwrap();
    assert_eq!(backups.into_values().collect::<Vec<_>>(), table.rows);
    let table = viewer
        .archives(LOCAL, &TaskFilter::default())
        .await
        .unwrap();
    assert_eq!(
        archives[&tenant].checkpoint_scn,
        table.rows[0].checkpoint_scn
    );
    assert!(table.rows[0].checkpoint_scn > overview.summary.log_checkpoint);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn looks_that_see_nothing_new_write_nothing() {
    let (stage, console, _) = Stage::with_tenant().await;
    let store = stage.store().await;
    stage.fake.world().frozen = true;
    // A look that is under way may still write.
    let looks = stage.fake.world().looks;
    eventually("two looks", async || {
        (stage.fake.world().looks > looks + 2).then_some(())
    })
    .await;
    let looks = stage.fake.world().looks;
    let rev = store.revision().await.unwrap();
    eventually("two looks", async || {
        (stage.fake.world().looks > looks + 2).then_some(())
    })
    .await;
    assert_eq!(store.revision().await.unwrap(), rev);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_vanished_is_offline_and_claims_nothing() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    stage.fake.world().tenants.clear();
    let viewer = viewer(&console);
    let gone = eventually("it is offline", async || {
        let tenants = viewer.tenants(LOCAL).await.unwrap();
        tenants
            .into_iter()
            .find(|t| t.id == tenant && t.state == TenantState::Offline)
    })
    .await;
    assert!(gone.note.is_some());
    let overview = viewer.overview(LOCAL).await.unwrap();
    assert!(overview.period.tenants[0].ranges.is_empty());
    assert_eq!(
        (overview.summary.tenants, overview.summary.recoverable_from),
        (0, None)
    );
    let archive = &viewer
        .archives(LOCAL, &TaskFilter::default())
        .await
        .unwrap()
        .rows[0];
    assert_eq!(archive.state, ArchiveState::Stop);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_does_not_open_shows_why_and_its_last_state_and_is_tried_again() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    console.shut_down().await;
    stage.fake.world().closed = 2;
    let console = stage.console().await;
    let viewer = viewer(&console);
    let overview = viewer.overview(LOCAL).await.unwrap();
    let fault = overview.summary.cluster.fault.unwrap();
    assert!(fault.contains("the disk is not mounted"), "{fault}");
    assert_eq!(
        overview.period.tenants[0].ranges.len(),
        1,
        "the last state stays"
    );
    let refused = operator(&console)
        .run_sql(LOCAL, tenant, "SELECT 1")
        .await
        .unwrap_err();
    assert!(
        matches!(refused.kind(), control::ErrorKind::Unavailable(_)),
        "{refused}"
    );
    eventually("it opens", async || {
        let overview = viewer.overview(LOCAL).await.unwrap();
        overview.summary.cluster.fault.is_none().then_some(())
    })
    .await;
    let id = operator(&console)
        .back_up_now(LOCAL, Some(tenant), BackupKind::Full)
        .await
        .unwrap()
        .tasks[0];
    backup_in(&console, id, JobState::Completed).await;
    console.shut_down().await;
}

/// Tells version after version of a cluster; gives those told with the revision by which each was there.
async fn tell_versions(store: Store, cluster: ClusterId, end: Arc<AtomicBool>) -> Vec<Revision> {
    let known = store.cluster(LOCAL).await.unwrap().unwrap().cluster;
    let mut told = Vec::new();
    while !end.load(Ordering::Relaxed) {
        let opened = Opened {
            version: told.len().to_string(),
            capabilities: known.capabilities.clone(),
            destination: known.destination.clone(),
        };
        store
            .change(async |change| {
                change.cluster_opened(cluster, &opened).await?;
                Ok::<_, StoreError>(())
            })
            .await
            .unwrap();
        told.push(store.revision().await.unwrap());
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_the_feed_is_never_older_than_the_revision_it_ends_at() {
    let (stage, console, _) = Stage::with_tenant().await;
    let viewer = viewer(&console);
    let store = stage.store().await;
    let cluster = viewer.overview(LOCAL).await.unwrap().summary.cluster.id;
    let end = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn(tell_versions(store, cluster, Arc::clone(&end)));
    let mut heard = Vec::new();
    eventually("enough answers", async || {
        let delta = viewer.feed(LOCAL, Revision(0)).await.unwrap();
        let version = delta.summary.unwrap().cluster.version;
        heard.extend(version.parse::<usize>().ok().map(|told| (delta.rev, told)));
        (heard.len() >= 200).then_some(())
    })
    .await;
    end.store(true, Ordering::Relaxed);
    let told = writer.await.unwrap();
    for (rev, version) in heard {
        let at_least = told.iter().filter(|there| **there <= rev).count();
        assert!(
            version + 1 >= at_least,
            "the answer up to {rev:?} shows version {version} of {at_least}"
        );
    }
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quiet_feed_does_not_read_what_it_does_not_tell() {
    let (stage, console, _) = Stage::with_tenant().await;
    stage.fake.world().frozen = true;
    let (store, viewer) = (stage.store().await, viewer(&console));
    stage.tamper(
        "UPDATE tenant SET state = 'unreadable'; UPDATE cluster SET observed_rev = observed_rev + 1000000",
    );
    assert!(viewer.overview(LOCAL).await.is_err());
    eventually("a quiet answer", async || {
        let rev = store.revision().await.unwrap();
        let delta = viewer.feed(LOCAL, rev).await.ok()?;
        assert_eq!((delta.summary, delta.period), (None, None));
        Some(())
    })
    .await;
    console.shut_down().await;
}
