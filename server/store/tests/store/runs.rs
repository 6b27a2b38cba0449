//! Runs of schedules, steps of tasks, and the links between tasks.

use crate::fixture::{Fixture, backup, fresh};
use domain::{
    BackupSetId, ClusterId, JobId, RunId, Scn, StrategyId, TenantId,
    backup::{BackupKind, Trigger},
    job::{JobKind, JobState},
    page::TaskFilter,
    strategy::{RunKind, RunOutcome},
    task::STEPS_MAX,
};
use sea_orm::{ConnectionTrait, Statement};
use store::{JobFacts, JobPatch, NewJob, NewRun, Order, StoreError};

const STRATEGY: StrategyId = StrategyId(7);

fn run(cluster: ClusterId, due: u64, outcome: RunOutcome) -> NewRun {
    NewRun {
        cluster,
        strategy: STRATEGY,
        kind: RunKind::DataBackup,
        backup: Some(BackupKind::Full),
        due: Scn(due),
        started: Scn(due + 5),
        outcome,
        cause: (outcome == RunOutcome::Missed).then(|| "nobody was there".to_owned()),
    }
}

async fn add(fixture: &Fixture, new: &NewRun) -> Option<RunId> {
    let store = &fixture.store;
    let added = store.change(async |change| change.add_run(new).await);
    added.await.unwrap()
}

async fn end(fixture: &Fixture, id: JobId, state: JobState, patch: JobPatch) {
    let patch = JobPatch {
        state: Some(state),
        ended: Some(Scn(90)),
        ..patch
    };
    let store = &fixture.store;
    let ended =
        store.change(async |change| change.patch_job(id, JobState::Queued, None, &patch).await);
    assert!(ended.await.unwrap());
}

async fn with_tenant() -> (Fixture, ClusterId, TenantId) {
    let fixture = fresh().await;
    let cluster = fixture.cluster("local").await;
    let tenant = fixture.tenant(cluster, "orders").await;
    (fixture, cluster, tenant)
}

#[tokio::test]
async fn a_moment_has_one_run_and_a_second_writer_is_told_so() {
    let (fixture, cluster, _) = with_tenant().await;
    let new = run(cluster, 10, RunOutcome::Running);
    let id = add(&fixture, &new).await.unwrap();
    assert_eq!(add(&fixture, &new).await, None);
    let other_kind = NewRun {
        kind: RunKind::Cleanup,
        ..new.clone()
    };
    assert!(add(&fixture, &other_kind).await.is_some());
    // What is written past the question is refused by the table itself, and can be told apart.
    let sql = format!(
        "INSERT INTO schedule_run (cluster_id, strategy_id, kind, due, started, outcome, rev) \
         VALUES ({cluster}, {STRATEGY}, 'data_backup', 10, 10, 'running', 1)"
    );
    let db = fixture.store.connection();
    let raw = Statement::from_string(db.get_database_backend(), sql);
    let source = db.execute_raw(raw).await.unwrap_err();
    let refused = StoreError::Query {
        operation: "recording a run",
        source,
    };
    assert!(refused.is_taken());
    let page = fixture
        .store
        .runs(cluster, RunKind::DataBackup, &TaskFilter::default())
        .await
        .unwrap();
    assert_eq!((page.total, page.rows[0].id), (1, id));
}

#[tokio::test]
async fn missed_moments_are_taken_back_and_the_others_stay() {
    let (fixture, cluster, _) = with_tenant().await;
    for (due, outcome) in [
        (10, RunOutcome::Missed),
        (20, RunOutcome::Completed),
        (30, RunOutcome::Missed),
        (40, RunOutcome::Skipped),
    ] {
        add(&fixture, &run(cluster, due, outcome)).await;
    }
    let (store, kind) = (&fixture.store, RunKind::DataBackup);
    assert_eq!(store.missed_after(STRATEGY, Scn(15)).await.unwrap(), 1);
    let newest = store.newest_run(STRATEGY, kind, Scn(35)).await.unwrap();
    assert_eq!(newest, Some(Scn(30)));
    let back = store.change(async |change| change.unmiss(STRATEGY, Scn(15)).await);
    assert_eq!(back.await.unwrap(), 1);
    let there = store.run_moments(STRATEGY, kind, Scn(10), Scn(40)).await;
    let there: Vec<u64> = there.unwrap().into_iter().map(|due| due.0).collect();
    assert_eq!(there, [20, 40]);
    let filter = TaskFilter {
        since: Some(Scn(15)),
        until: Some(Scn(40)),
        ..TaskFilter::default()
    };
    let page = store.runs(cluster, kind, &filter).await.unwrap();
    assert_eq!((page.total, page.total_unfiltered), (1, 3));
    assert_eq!(
        page.rows[0].ended,
        Some(Scn(25)),
        "it ended as it was found"
    );
}

#[tokio::test]
async fn an_open_run_has_its_tasks_with_how_they_ended() {
    let (fixture, cluster, tenant) = with_tenant().await;
    let id = add(&fixture, &run(cluster, 10, RunOutcome::Running)).await;
    let task = |created| NewJob {
        run: id,
        ..backup(cluster, tenant, created)
    };
    let (one, two) = (
        fixture.enqueue(&task(1)).await,
        fixture.enqueue(&task(2)).await,
    );
    let failed = JobPatch {
        failure: Some("full".to_owned()),
        ..JobPatch::default()
    };
    end(&fixture, one, JobState::Failed, failed).await;
    let store = &fixture.store;
    let linked = store.change(async |change| {
        change.mark_retry(two, one).await?;
        change.retry_of(one).await
    });
    assert_eq!(linked.await.unwrap().map(|job| job.id), Some(two));
    let open = store.open_runs().await.unwrap();
    let tasks: Vec<_> = open[0]
        .tasks
        .iter()
        .map(|task| {
            (
                task.job.id,
                task.job.state,
                task.failure.as_deref(),
                task.retry_of,
            )
        })
        .collect();
    assert_eq!(
        tasks,
        [
            (one, JobState::Failed, Some("full"), None),
            (two, JobState::Queued, None, Some(one)),
        ]
    );
    let shown = store.task(cluster, two).await.unwrap().unwrap();
    assert_eq!((shown.retry_of, shown.run), (Some(one), id));
}

#[tokio::test]
async fn steps_are_numbered_bounded_and_the_end_has_always_room() {
    let (fixture, cluster, tenant) = with_tenant().await;
    let id = fixture.enqueue(&backup(cluster, tenant, 1)).await;
    let store = &fixture.store;
    let added = store.change(async |change| {
        for number in 0..STEPS_MAX + 20 {
            let text = format!("step {number} {}", "x".repeat(700));
            change.add_step(id, Scn(number as u64), &text).await?;
        }
        change.add_last_step(id, Scn(999), "Completed").await
    });
    added.await.unwrap();
    let steps = store.steps(id).await.unwrap();
    assert_eq!(steps.len(), STEPS_MAX - 1);
    assert!(steps.iter().zip(1..).all(|(step, seq)| step.seq == seq));
    assert_eq!(steps.last().unwrap().text, "Completed");
    assert!(steps[STEPS_MAX - 3].text.contains("left out"), "{steps:?}");
    assert_eq!(steps[0].text.chars().count(), 500);
    let forgotten = store.change(async |change| change.forget_steps(Scn(100)).await);
    assert_eq!(forgotten.await.unwrap(), 100);
    assert_eq!(store.steps(id).await.unwrap()[0].at, Scn(100));
}

#[tokio::test]
async fn a_data_backup_names_the_tasks_that_copy_its_set() {
    let (fixture, cluster, tenant) = with_tenant().await;
    let other = fixture.tenant(cluster, "stock").await;
    let made = fixture.enqueue(&backup(cluster, tenant, 1)).await;
    let facts = JobFacts {
        set: Some(BackupSetId(5)),
        ..JobFacts::default()
    };
    let patch = JobPatch {
        facts: Some(facts),
        ..JobPatch::default()
    };
    end(&fixture, made, JobState::Completed, patch).await;
    let before = fixture.store.backup(cluster, made).await.unwrap().unwrap();
    assert_eq!(before.second, None);
    let copy = |tenant, created| NewJob {
        order: Order::SecondData {
            set: BackupSetId(5),
        },
        trigger: Trigger::Follow,
        token: format!("copy {tenant} {created}"),
        ..backup(cluster, tenant, created)
    };
    let first = fixture.enqueue(&copy(tenant, 2)).await;
    fixture.enqueue(&copy(other, 3)).await;
    end(&fixture, first, JobState::Canceled, JobPatch::default()).await;
    let again = fixture.enqueue(&copy(tenant, 4)).await;
    end(&fixture, again, JobState::Completed, JobPatch::default()).await;
    let store = &fixture.store;
    let told = store.change(async |change| change.copies_changed(tenant, BackupSetId(5)).await);
    told.await.unwrap();
    let after = store.backup(cluster, made).await.unwrap().unwrap();
    let second = after.second.unwrap();
    assert_eq!((second.copied, second.tasks), (true, vec![again, first]));
    assert!(after.rev > before.rev, "pages that follow are told");
    let of_set = TaskFilter {
        set: Some(BackupSetId(5)),
        ..TaskFilter::default()
    };
    let rows = store.tasks(cluster, JobKind::SecondData, &of_set).await;
    let rows = rows.unwrap().rows;
    assert_eq!(
        (rows.len(), rows[0].id, rows[0].set),
        (3, again, Some(BackupSetId(5)))
    );
    // A copy is not what makes a set.
    let rows = store.tasks(cluster, JobKind::DataBackup, &of_set).await;
    assert_eq!(rows.unwrap().total, 1);
}
