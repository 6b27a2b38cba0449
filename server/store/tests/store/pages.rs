//! Filters, order and totals of the task tables.

use crate::fixture::{archive_facts, backup, fresh, recovery};
use domain::{
    BackupSetId, Scn,
    backup::{BackupKind, TaskSource},
    job::JobState,
    page::TaskFilter,
};
use store::{JobFacts, JobPatch, NewJob, Order};

fn numbers(page: &domain::page::Page<domain::backup::BackupJob>) -> Vec<u64> {
    page.rows.iter().map(|row| row.created.0).collect()
}

#[tokio::test]
async fn filters_narrow_and_totals_tell_both_counts() {
    let fixture = fresh().await;
    let cluster = fixture.cluster("local").await;
    let other = fixture.cluster("other").await;
    let a = fixture.tenant(cluster, "a_tenant").await;
    let b = fixture.tenant(cluster, "b_tenant").await;
    let elsewhere = fixture.tenant(other, "elsewhere").await;
    for created in 1..=12 {
        let tenant = if created % 2 == 0 { a } else { b };
        fixture.enqueue(&backup(cluster, tenant, created)).await;
    }
    let incremental = NewJob {
        order: Order::Backup {
            asked: BackupKind::Incremental,
            source: TaskSource::Cluster,
        },
        ..backup(cluster, a, 20)
    };
    let last = fixture.enqueue(&incremental).await;
    fixture.enqueue(&recovery(cluster, a, 21, "x_tenant")).await;
    fixture.enqueue(&backup(other, elsewhere, 22)).await;
    let patch = JobPatch {
        state: Some(JobState::Canceled),
        ..JobPatch::default()
    };
    fixture
        .store
        .change(async |change| change.patch_job(last, JobState::Queued, None, &patch).await)
        .await
        .unwrap();

    let ask = async |filter: TaskFilter| fixture.store.backups(cluster, &filter).await.unwrap();
    let first = ask(TaskFilter::default()).await;
    assert_eq!((first.page, first.size), (1, 10));
    assert_eq!((first.total, first.total_unfiltered), (13, 13));
    assert_eq!(numbers(&first), [20, 12, 11, 10, 9, 8, 7, 6, 5, 4]);
    assert_eq!(first.rows[1].tenant_name, "a_tenant");
    let second = ask(TaskFilter {
        page: 2,
        ..TaskFilter::default()
    })
    .await;
    assert_eq!(numbers(&second), [3, 2, 1]);
    let oldest = ask(TaskFilter {
        ascending: true,
        size: 2,
        ..TaskFilter::default()
    })
    .await;
    assert_eq!(numbers(&oldest), [1, 2]);
    let huge = ask(TaskFilter {
        size: 5000,
        ..TaskFilter::default()
    })
    .await;
    assert_eq!((huge.size, huge.rows.len()), (50, 13));
    let between = ask(TaskFilter {
        since: Some(Scn(3)),
        until: Some(Scn(7)),
        tenant: Some(a),
        ..TaskFilter::default()
    })
    .await;
    assert_eq!(numbers(&between), [6, 4]);
    assert_eq!((between.total, between.total_unfiltered), (2, 13));
    let canceled = ask(TaskFilter {
        states: vec![JobState::Canceled, JobState::Failed],
        ..TaskFilter::default()
    })
    .await;
    assert_eq!(numbers(&canceled), [20]);
    let kind = ask(TaskFilter {
        kind: Some(BackupKind::Incremental),
        ..TaskFilter::default()
    })
    .await;
    assert_eq!(numbers(&kind), [20]);
    let source = ask(TaskFilter {
        source: Some(TaskSource::Tenant),
        ..TaskFilter::default()
    })
    .await;
    assert_eq!(source.total, 12);
    let recoveries = fixture
        .store
        .recoveries(&[cluster], &TaskFilter::default())
        .await
        .unwrap();
    assert_eq!((recoveries.total, recoveries.rows[0].created), (1, Scn(21)));
    let marked = fixture
        .store
        .marked_backups(cluster, Scn(11))
        .await
        .unwrap();
    assert_eq!(marked.len(), 2, "canceled ones are not marked");
}

#[tokio::test]
async fn log_backup_has_one_row_per_tenant() {
    let fixture = fresh().await;
    let cluster = fixture.cluster("local").await;
    let a = fixture.tenant(cluster, "a_tenant").await;
    let b = fixture.tenant(cluster, "b_tenant").await;
    let mut late = archive_facts(Scn(100));
    late.started = Some(Scn(80));
    fixture
        .store
        .change(async |change| change.set_archive(cluster, b, &late).await)
        .await
        .unwrap();
    let all = fixture
        .store
        .archives(cluster, &TaskFilter::default())
        .await
        .unwrap();
    let names: Vec<&str> = all
        .rows
        .iter()
        .map(|row| row.tenant_name.as_str())
        .collect();
    assert_eq!(names, ["b_tenant", "a_tenant"]);
    let one = TaskFilter {
        tenant: Some(a),
        until: Some(Scn(60)),
        ..TaskFilter::default()
    };
    let page = fixture.store.archives(cluster, &one).await.unwrap();
    assert_eq!((page.total, page.total_unfiltered), (1, 2));
    assert_eq!(page.rows[0].checkpoint_scn, Some(Scn(100)));
}

/// What a page should hold, the slow way.
fn expected(all: &[domain::backup::BackupJob], ask: &TaskFilter) -> (Vec<i64>, u64) {
    let mut matching: Vec<_> = all
        .iter()
        .filter(|job| {
            ask.since.is_none_or(|at| job.created >= at)
                && ask.until.is_none_or(|at| job.created < at)
                && (ask.states.is_empty() || ask.states.contains(&job.state))
                && ask.tenant.is_none_or(|tenant| job.tenant == tenant)
                && ask.kind.is_none_or(|kind| job.asked == kind)
                && ask.source.is_none_or(|source| job.source == source)
                && ask.set.is_none_or(|set| job.set == Some(set))
                && ask.text.as_deref().is_none_or(|text| {
                    let failure = job.failure.clone().unwrap_or_default().to_lowercase();
                    text.parse() == Ok(job.id.0) || failure.contains(&text.to_lowercase())
                })
        })
        .map(|job| (job.created, job.id.0))
        .collect();
    matching.sort_unstable();
    if !ask.ascending {
        matching.reverse();
    }
    let total = matching.len() as u64;
    let from = usize::try_from((ask.page - 1) * ask.size).unwrap();
    let rows = matching.into_iter().map(|(_, id)| id);
    let rows = rows.skip(from).take(ask.size as usize).collect();
    (rows, total)
}

#[tokio::test]
async fn every_filter_in_every_order_gives_what_the_slow_way_gives() {
    let fixture = fresh().await;
    let cluster = fixture.cluster("local").await;
    let other = fixture.cluster("other").await;
    let foreign = fixture.tenant(other, "foreign").await;
    fixture.enqueue(&backup(other, foreign, 7)).await;
    let mut tenants = Vec::new();
    for name in ["a_tenant", "b_tenant", "c_tenant"] {
        tenants.push(fixture.tenant(cluster, name).await);
    }
    // The same numbers each time; several tasks of one moment.
    let mut dice = 20_261_126_u64;
    let mut roll = move |sides: u64| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (dice >> 33) % sides
    };
    for number in 0..120 {
        let asked = [BackupKind::Full, BackupKind::Incremental][roll(2) as usize];
        let source = [TaskSource::Cluster, TaskSource::Tenant][roll(2) as usize];
        let new = NewJob {
            order: Order::Backup { asked, source },
            token: format!("token {number}"),
            ..backup(cluster, tenants[roll(3) as usize], 1 + roll(40))
        };
        let id = fixture.enqueue(&new).await;
        let patch = JobPatch {
            state: Some(JobState::ALL[roll(JobState::ALL.len() as u64) as usize]),
            failure: (roll(4) == 0).then(|| format!("The Disk_{} is 100% full!", roll(3))),
            facts: (roll(2) == 0).then(|| JobFacts {
                set: Some(BackupSetId(1 + i64::try_from(roll(4)).unwrap())),
                ..JobFacts::default()
            }),
            ..JobPatch::default()
        };
        let changed = fixture
            .store
            .change(async |change| change.patch_job(id, JobState::Queued, None, &patch).await);
        changed.await.unwrap();
    }
    let mut all = Vec::new();
    for page in 1..=3 {
        let ask = TaskFilter {
            page,
            size: 50,
            ..TaskFilter::default()
        };
        all.extend(fixture.store.backups(cluster, &ask).await.unwrap().rows);
    }
    assert_eq!(all.len(), 120);
    let texts = ["17", "disk_1", "DISK", "0% f", "full!", "_%"];
    for _ in 0..300 {
        let mut states = JobState::ALL.to_vec();
        states.retain(|_| roll(3) == 0);
        let ask = TaskFilter {
            since: (roll(2) == 0).then(|| Scn(roll(45))),
            until: (roll(2) == 0).then(|| Scn(roll(45))),
            states: if roll(2) == 0 { states } else { Vec::new() },
            tenant: (roll(3) == 0).then(|| tenants[roll(3) as usize]),
            kind: (roll(3) == 0).then_some(BackupKind::Full),
            source: (roll(3) == 0).then_some(TaskSource::Cluster),
            set: (roll(4) == 0).then_some(BackupSetId(2)),
            text: (roll(3) == 0).then(|| texts[roll(6) as usize].to_owned()),
            ascending: roll(2) == 0,
            page: 1 + u32::try_from(roll(4)).unwrap(),
            size: [10, 20, 50][roll(3) as usize],
        };
        let page = fixture.store.backups(cluster, &ask).await.unwrap();
        let rows: Vec<i64> = page.rows.iter().map(|row| row.id.0).collect();
        assert_eq!((rows, page.total), expected(&all, &ask), "{ask:?}");
    }
    let elsewhere = TaskFilter {
        tenant: Some(foreign),
        ..TaskFilter::default()
    };
    let page = fixture.store.backups(cluster, &elsewhere).await.unwrap();
    assert_eq!((page.rows.len(), page.total), (0, 0), "of another cluster");
}
