//! Second copies as the console knows them: where the engine is told they go, and what they promise.

use crate::stage::{LOCAL, Stage, eventually, operator, viewer};
use control::{Console, Error};
use domain::{
    BackupSetId, Scn, StorageId, TenantId,
    backup::{BackupKind, BackupMethod, BackupSet},
    page::{TaskFilter, TenantPeriod},
    recoverable::{GapCause, LogSpan},
    recovery::RecoveryRequest,
    second_backup::{LogCycle, Place, SecondLog, SecondLogState},
    storage::{StorageKind, StorageSettings},
    strategy::{
        CleanupSettings, Cycle, Schedule, SecondSettings, StrategySettings, Thresholds, TimeOfDay,
    },
};
use engine::SecondObservation;
use std::collections::BTreeMap;
use store::{KnownStrategy, NewStrategy, Store, StoreError};

fn storage(name: &str, directory: &str) -> StorageSettings {
    StorageSettings {
        name: name.to_owned(),
        kind: StorageKind::File,
        directory: directory.to_owned(),
        object: None,
        capacity_percent: 80,
    }
}

fn settings(second: &str) -> StrategySettings {
    let at = TimeOfDay { hour: 2, minute: 0 };
    StrategySettings {
        method: BackupMethod::Physical,
        storage: storage("first", "backup/local"),
        schedule: Schedule {
            cycle: Cycle::Week,
            days: BTreeMap::from([(1, BackupKind::Full)]),
            at,
            zone: "UTC".to_owned(),
        },
        start_log_backup: true,
        cleanup: CleanupSettings {
            enabled: false,
            retention_days: 7,
            at,
        },
        thresholds: Thresholds::default(),
        second: Some(SecondSettings {
            data: true,
            log_cycle: LogCycle::Hourly,
            retention_days: None,
            limit_bytes_per_s: None,
            storage: storage("second", second),
        }),
    }
}

/// Gives cluster `local` a strategy with a second backup.
async fn with_second(store: &Store, directory: &str) -> KnownStrategy {
    let cluster = store.cluster(LOCAL).await.unwrap().unwrap().cluster.id;
    let settings = settings(directory);
    let at = Scn(1);
    let second = &settings.second.as_ref().unwrap().storage;
    let written = store.change(async |change| {
        // The cluster's own destination may be a configuration already.
        let configs = change.storage_configs().await?;
        let first: StorageId = match configs.first() {
            Some(known) => known.id,
            None => change.add_storage(&settings.storage, at).await?,
        };
        let new = NewStrategy {
            cluster,
            settings: settings.clone(),
            storage: first,
            second_storage: Some(change.add_storage(second, at).await?),
            at,
            by: "tester".to_owned(),
        };
        change.add_strategy(&new).await
    });
    let _: domain::StrategyId = written.await.unwrap();
    store.strategy(cluster).await.unwrap().unwrap()
}

fn copy(sets: &[(i64, Scn)], span: Option<(Scn, Scn)>) -> SecondObservation {
    let set = |(id, at): &(i64, Scn)| BackupSet {
        id: BackupSetId(*id),
        kind: BackupKind::Full,
        base: None,
        round: 1,
        min_restore_scn: *at,
        started: *at,
        finished: *at,
        stored_bytes: 4000,
        raw_bytes: 8192,
    };
    let span = span.map(|(start, end)| LogSpan {
        round: 1,
        start,
        end,
        cause: GapCause::FirstStart,
        note: String::new(),
    });
    SecondObservation {
        known: true,
        sets: sets.iter().map(set).collect(),
        arrived: Vec::new(),
        checkpoint: span.as_ref().map(|span| span.end),
        spans: span.into_iter().collect(),
        data_bytes: 4000,
        log_bytes: 500,
        directory: "/second/clog".to_owned(),
    }
}

async fn period(console: &Console) -> TenantPeriod {
    let overview = viewer(console).overview(LOCAL).await.unwrap();
    overview.period.tenants[0].clone()
}

async fn rows(console: &Console) -> Vec<SecondLog> {
    let page = viewer(console)
        .second_logs(LOCAL, &TaskFilter::default())
        .await;
    page.unwrap().rows
}

fn request(tenant: TenantId, until: Scn, place: Option<Place>) -> RecoveryRequest {
    RecoveryRequest {
        tenant,
        until,
        new_name: "orders_2".to_owned(),
        place,
        placement: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_engine_does_not_know_the_second_destination_what_is_known_of_it_stays() {
    let (stage, console, _) = Stage::with_tenant().await;
    console.shut_down().await;
    with_second(&stage.store().await, "copies").await;
    let now = domain::clock::Clock::now(&*stage.clock);
    let set_second = |second| {
        let mut world = stage.fake.world();
        world.frozen = true;
        world.tenants.values_mut().next().unwrap().second = second;
    };
    set_second(Some(copy(&[(7, now)], Some((now, now.plus_ns(5))))));
    let console = stage.console().await;
    eventually("known", async || {
        let rows = rows(&console).await;
        (rows.first()?.state == SecondLogState::InProgress).then_some(())
    })
    .await;
    assert_eq!(
        stage.fake.world().second,
        Some(stage.dir.path().join("copies"))
    );
    let ranges = period(&console).await.ranges;
    console.shut_down().await;
    // After the next start it is refused, and the engine tells of no second copies.
    set_second(None);
    stage.fake.world().second_refusal = Some("its disk is not there".to_owned());
    let console = stage.console().await;
    let row = eventually("unknown", async || {
        let row = rows(&console).await.pop()?;
        (row.state == SecondLogState::Unknown).then_some(row)
    })
    .await;
    assert!(row.note.unwrap().contains("its disk is not there"));
    assert_eq!(row.last_backed_up, Some(now.plus_ns(5)));
    assert_eq!(period(&console).await.ranges, ranges);
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn moments_of_both_copies_are_recoverable_and_stay_so_when_the_first_is_lost() {
    let (stage, console, tenant) = Stage::with_tenant().await;
    console.shut_down().await;
    let strategy = with_second(&stage.store().await, "/copies").await;
    let now = domain::clock::Clock::now(&*stage.clock);
    let ago = |seconds: u64| now.minus_ns(seconds * 1_000_000_000);
    {
        let mut world = stage.fake.world();
        world.frozen = true;
        let seen = world.tenants.values_mut().next().unwrap();
        seen.sets[0].min_restore_scn = ago(100);
        seen.spans[0] = LogSpan {
            start: ago(200),
            end: ago(50),
            ..seen.spans[0].clone()
        };
        seen.second = Some(copy(&[(7, ago(300))], Some((ago(310), ago(80)))));
    }
    let console = stage.console().await;
    let ranges = async || {
        let period = period(&console).await;
        let ranges = period.ranges.iter();
        ranges
            .map(|range| (range.start, range.end))
            .collect::<Vec<_>>()
    };
    eventually("both known", async || {
        (ranges().await == [(ago(300), ago(50))]).then_some(())
    })
    .await;
    let row = rows(&console).await.remove(0);
    assert_eq!(row.state, SecondLogState::InProgress);
    assert_eq!(
        (row.last_backed_up, row.started),
        (Some(ago(80)), Some(ago(310)))
    );
    assert_eq!(
        (row.tenant, row.directory.as_str(), row.log_bytes),
        (tenant, "/second/clog", 500)
    );

    // One copy alone is asked for: its own moments count.
    let operator = operator(&console);
    let plan = async |until, place| {
        operator
            .plan_recovery(LOCAL, &request(tenant, until, place))
            .await
    };
    plan(ago(290), None).await.unwrap();
    plan(ago(290), Some(Place::Second)).await.unwrap();
    for refused in [(ago(290), Place::First), (ago(60), Place::Second)] {
        let error = plan(refused.0, Some(refused.1)).await.unwrap_err();
        assert!(matches!(error, Error::Invalid(_)), "{error}");
    }

    // The first copy is lost, and the round that has no set now does not get one either.
    {
        let mut world = stage.fake.world();
        world.refusal = Some("not now".to_owned());
        let seen = world.tenants.values_mut().next().unwrap();
        seen.sets.clear();
        seen.spans.clear();
    }
    eventually("the second copy alone", async || {
        (ranges().await == [(ago(300), ago(80))]).then_some(())
    })
    .await;
    // The second cannot be looked at: what is known of it stays, and the row says so.
    let set_second = |second| {
        let mut world = stage.fake.world();
        world.tenants.values_mut().next().unwrap().second = second;
    };
    set_second(Some(SecondObservation {
        known: false,
        ..copy(&[], None)
    }));
    eventually("unknown", async || {
        let row = rows(&console).await.remove(0);
        (row.state == SecondLogState::Unknown && row.note.is_some()).then_some(())
    })
    .await;
    assert_eq!(ranges().await, [(ago(300), ago(80))]);
    // Kept no more: nothing can be recovered from it, and the row tells what there was.
    set_second(None);
    let store = stage.store().await;
    let removed = store.change(async |change| change.remove_strategy(&strategy).await);
    let _: Result<(), StoreError> = removed.await;
    eventually("nothing left", async || {
        ranges().await.is_empty().then_some(())
    })
    .await;
    let row = rows(&console).await.remove(0);
    assert_eq!(
        (row.state, row.last_backed_up),
        (SecondLogState::Stopped, Some(ago(80)))
    );
    assert!(row.note.unwrap().contains("no second backup"));
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gap_is_told_with_the_cause_that_either_copy_knows() {
    let (stage, console, _) = Stage::with_tenant().await;
    console.shut_down().await;
    with_second(&stage.store().await, "/copies").await;
    let now = domain::clock::Clock::now(&*stage.clock);
    let ago = |seconds: u64| now.minus_ns(seconds * 1_000_000_000);
    {
        let mut world = stage.fake.world();
        world.frozen = true;
        let seen = world.tenants.values_mut().next().unwrap();
        seen.sets[0].min_restore_scn = ago(90);
        seen.spans[0] = LogSpan {
            start: ago(100),
            end: ago(50),
            cause: GapCause::StoppedByPerson,
            ..seen.spans[0].clone()
        };
        seen.second = Some(copy(&[(7, ago(300))], Some((ago(310), ago(200)))));
    }
    let console = stage.console().await;
    let gaps = eventually("the gap", async || {
        let gaps = period(&console).await.gaps;
        (!gaps.is_empty()).then_some(gaps)
    })
    .await;
    assert_eq!(gaps.len(), 1);
    assert_eq!((gaps[0].since, gaps[0].until), (ago(200), Some(ago(90))));
    assert_eq!(gaps[0].cause, GapCause::StoppedByPerson);
    console.shut_down().await;
}
