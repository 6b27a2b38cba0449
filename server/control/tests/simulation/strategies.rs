//! Strategies as a person would make them.

use crate::{
    dice::Dice,
    process::{LOCAL, Process},
};
use domain::{
    Scn,
    backup::{BackupKind, BackupMethod},
    second_backup::LogCycle,
    storage::{StorageKind, StorageSettings},
    strategy::{
        CleanupSettings, Cycle, Schedule, SecondSettings, StrategySettings, Thresholds, TimeOfDay,
    },
};
use store::{KnownStrategy, NewStrategy, StoreError};

/// Zones whose clocks differ, one of which changes them.
const ZONES: [&str; 4] = ["UTC", "Europe/Berlin", "Asia/Kolkata", "Pacific/Apia"];

/// Makes a strategy, or changes, pauses, resumes or deletes the one there is.
pub(crate) async fn change(process: &Process, dice: &mut Dice, at: Scn) -> Result<(), StoreError> {
    let store = &process.store;
    let cluster = store.cluster(LOCAL).await?.unwrap().cluster.id;
    let settings = settings(dice);
    let choice = dice.below(6);
    store
        .change(async |change| {
            let known = change.strategy(cluster).await?;
            let Some(known) = known else {
                let storage = change.add_storage(&storage(dice, "first"), at).await?;
                let second_storage = change.add_storage(&storage_of_second(dice), at).await?;
                let new = NewStrategy {
                    cluster,
                    settings,
                    storage,
                    second_storage: Some(second_storage),
                    at,
                    by: "tester".to_owned(),
                };
                return change.add_strategy(&new).await.map(|_| ());
            };
            match choice {
                0 => change.remove_strategy(&known).await,
                1 | 2 => {
                    let paused = known.paused_at.is_none().then_some(at);
                    change.pause_strategy(&known, paused, (at, "tester")).await
                }
                _ => {
                    let new = modified(&known, settings, at);
                    change.modify_strategy(known.strategy.id, &new).await
                }
            }
        })
        .await
}

fn modified(known: &KnownStrategy, settings: StrategySettings, at: Scn) -> NewStrategy {
    NewStrategy {
        cluster: known.cluster,
        settings,
        storage: known.storage,
        second_storage: known.second_storage,
        at,
        by: "tester".to_owned(),
    }
}

fn storage(dice: &mut Dice, name: &str) -> StorageSettings {
    let number = dice.below(u64::MAX / 4096);
    StorageSettings {
        name: format!("{name}_{number}"),
        kind: StorageKind::File,
        directory: format!("/{name}/{number}"),
        capacity_percent: 80,
    }
}

fn storage_of_second(dice: &mut Dice) -> StorageSettings {
    storage(dice, "second")
}

fn settings(dice: &mut Dice) -> StrategySettings {
    let mut days: std::collections::BTreeMap<u8, BackupKind> = (1..=7)
        .filter(|_| !dice.once_in(4))
        .map(|day| (day, BackupKind::Incremental))
        .collect();
    days.insert(1, BackupKind::Full);
    let second = (!dice.once_in(3)).then(|| SecondSettings {
        data: !dice.once_in(4),
        log_cycle: dice.pick(&[LogCycle::Hourly, LogCycle::Daily]),
        retention_days: dice.pick(&[None, Some(3)]),
        limit_bytes_per_s: dice.pick(&[None, Some(1 << 20)]),
        storage: storage_of_second(dice),
    });
    StrategySettings {
        method: BackupMethod::Physical,
        storage: storage(dice, "first"),
        schedule: Schedule {
            cycle: Cycle::Week,
            days,
            at: time(dice),
            zone: dice.pick(&ZONES).to_owned(),
        },
        start_log_backup: true,
        cleanup: CleanupSettings {
            enabled: !dice.once_in(4),
            retention_days: 2,
            at: time(dice),
        },
        thresholds: Thresholds::default(),
        second,
    }
}

fn time(dice: &mut Dice) -> TimeOfDay {
    TimeOfDay {
        hour: u8::try_from(dice.below(24)).unwrap(),
        minute: u8::try_from(dice.below(60)).unwrap(),
    }
}
