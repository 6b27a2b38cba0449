//! Two consoles on one control database: whatever is due is done once.

use crate::{
    fake_opener::FakeOpener,
    outside::Receivers,
    stage::{LOCAL, Stage, TestClock, admin, eventually, global_admin, viewer},
};
use control::{Console, ConsoleParts, secret::KeyPlace};
use domain::{
    backup::BackupKind,
    cluster::NewCluster,
    job::{JobKind, JobState},
    page::TaskFilter,
    strategy::{Cycle, RunKind, RunOutcome, Schedule, TimeOfDay},
};
use std::{collections::BTreeSet, sync::Arc};
use store::Store;

/// Days on which both of them wake up late.
const DAYS: usize = 6;

async fn store(stage: &Stage) -> Store {
    match std::env::var("TEST_DATABASE_URL") {
        Ok(url) => Store::connect(&url).await.unwrap(),
        Err(_) => stage.store().await,
    }
}

async fn console(stage: &Stage) -> Console {
    Console::start(ConsoleParts {
        store: store(stage).await,
        opener: Arc::new(FakeOpener(Arc::clone(&stage.fake))),
        clock: Arc::<TestClock>::clone(&stage.clock),
        home: stage.dir.path().to_owned(),
        alone: false,
        key: KeyPlace::File(stage.dir.path().join("secret.key")),
        outbound: Arc::<Receivers>::clone(&stage.receivers),
    })
    .await
    .unwrap()
}

async fn founded(stage: &Stage) {
    if std::env::var("TEST_DATABASE_URL").is_ok() {
        let store = store(stage).await;
        migration::down(store.connection()).await.unwrap();
        migration::up(store.connection()).await.unwrap();
    }
    let console = console(stage).await;
    let new = NewCluster {
        name: LOCAL.to_owned(),
        destination: None,
        first_tenant: Some("orders".to_owned()),
        ..NewCluster::default()
    };
    global_admin(&console).create_cluster(&new).await.unwrap();
    let form = viewer(&console).strategy_form(LOCAL).await.unwrap();
    let mut settings = form.settings;
    settings.schedule = Schedule {
        cycle: Cycle::Week,
        days: (1..=7).map(|day| (day, BackupKind::Full)).collect(),
        at: TimeOfDay { hour: 6, minute: 0 },
        zone: "UTC".to_owned(),
    };
    settings.cleanup.enabled = false;
    let saved = admin(&console).create_strategy(LOCAL, &settings).await;
    saved.unwrap();
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_due_is_done_once() {
    let stage = Stage::new();
    founded(&stage).await;
    for day in 1..=DAYS {
        stage.clock.advance_s(86_400);
        let (one, other) = tokio::join!(console(&stage), console(&stage));
        let filter = TaskFilter {
            size: 50,
            ..TaskFilter::default()
        };
        let runs = eventually("the run of the day ends", async || {
            let kind = RunKind::DataBackup;
            let page = viewer(&one).schedule_history(LOCAL, kind, &filter).await;
            let rows = page.unwrap().rows;
            let ended = rows.iter().all(|run| run.outcome != RunOutcome::Running);
            (ended && rows.len() >= day).then_some(rows)
        })
        .await;
        let due: BTreeSet<_> = runs.iter().map(|run| run.due).collect();
        assert_eq!((runs.len(), due.len()), (day, day), "{runs:?}");
        let looking = viewer(&other);
        let tasks = looking.tasks(LOCAL, JobKind::DataBackup, &filter);
        let tasks = tasks.await.unwrap().rows;
        let scheduled = tasks.iter().filter(|task| task.run.is_some()).count();
        assert_eq!(scheduled, day, "{tasks:?}");
        assert!(tasks.iter().all(|task| task.state == JobState::Completed));
        let ((), ()) = tokio::join!(one.shut_down(), other.shut_down());
    }
    assert_eq!(stage.fake.world().overlaps, 0);
}
