//! Strategies as a person makes, changes, pauses, resumes and deletes them.

use crate::{
    dice::Dice,
    process::{LOCAL, Process},
};
use control::Error;
use domain::{
    backup::BackupKind,
    second_backup::LogCycle,
    storage::{StorageKind, StorageSettings},
    strategy::{
        CleanupSettings, Cycle, LogBackupEnd, Schedule, SecondSettings, StrategySettings, TimeOfDay,
    },
};

/// Zones whose clocks differ, one of which changes them.
const ZONES: [&str; 4] = ["UTC", "Europe/Berlin", "Asia/Kolkata", "Pacific/Apia"];

/// Makes a strategy, or does something with the one there is.
pub(crate) async fn change(process: &Process, dice: &mut Dice) -> Result<(), Error> {
    let (admin, operator) = (process.admin(), process.operator());
    let form = process.viewer().strategy_form(LOCAL).await?;
    let choice = dice.below(7);
    let settings = settings(dice, form.settings);
    let test = &settings.second;
    if let Some(second) = test {
        admin.test_storage(LOCAL, &second.storage, true).await?;
    }
    match (form.rev, choice) {
        (None, _) => admin.create_strategy(LOCAL, &settings).await.map(drop),
        (Some(rev), 0) => {
            let log = dice.pick(&[LogBackupEnd::Keep, LogBackupEnd::Stop]);
            admin.delete_strategy(LOCAL, rev, log).await.map(drop)
        }
        (Some(_), 1) => operator.pause_strategy(LOCAL).await,
        (Some(_), 2 | 3) => operator.resume_strategy(LOCAL).await,
        (Some(rev), _) => {
            let done = admin.modify_strategy(LOCAL, rev, &settings).await;
            done.map(drop)
        }
    }
}

/// The settings as they are proposed, with another schedule, cleanup and second backup.
fn settings(dice: &mut Dice, proposed: StrategySettings) -> StrategySettings {
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
        storage: StorageSettings {
            name: "second".to_owned(),
            kind: StorageKind::File,
            directory: "/second".to_owned(),
            object: None,
            capacity_percent: 80,
        },
    });
    StrategySettings {
        schedule: Schedule {
            cycle: Cycle::Week,
            days,
            at: time(dice),
            zone: dice.pick(&ZONES).to_owned(),
        },
        cleanup: CleanupSettings {
            enabled: !dice.once_in(4),
            retention_days: 2,
            at: time(dice),
        },
        second,
        ..proposed
    }
}

fn time(dice: &mut Dice) -> TimeOfDay {
    TimeOfDay {
        hour: u8::try_from(dice.below(24)).unwrap(),
        minute: u8::try_from(dice.below(60)).unwrap(),
    }
}
