//! What a strategy may be: everything that is wrong with one, field by field, and what is allowed and unwise.

use super::{
    Cycle, MONTH_DAYS_MAX, Schedule, SecondSettings, StrategySettings, Thresholds, TimeOfDay, label,
};
use crate::{
    backup::{BackupKind, BackupMethod},
    capability::Capabilities,
    retention::{RETENTION_DAYS_MAX, RETENTION_DAYS_MIN},
    storage::{self, StorageSettings},
    validate::Violation,
};
use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};

/// Most minutes that a data backup may be allowed to run: a week.
pub const TIMEOUT_MIN_MAX: u32 = 10_080;
/// Most seconds that log backup may be allowed to be behind: a day.
pub const LOG_DELAY_S_MAX: u32 = 86_400;
/// Most days that may be allowed to pass without a successful data backup.
pub const NO_SUCCESS_DAYS_MAX: u32 = 365;
/// Slowest copying that may be asked for, in bytes per second: slower ones never catch up with anything.
pub const LIMIT_BYTES_PER_S_MIN: u64 = 65_536;

/// Something that is allowed and that a person should think about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// The field's label.
    pub field: String,
    /// What will happen, as a sentence.
    pub text: String,
}

/// Everything that is wrong with `settings` for a cluster that can do `able`; empty when nothing is. The zone
/// is not looked at, for that takes the tables of all zones.
pub fn violations(settings: &StrategySettings, able: &Capabilities) -> Vec<Violation> {
    let mut found = method(settings, able);
    found.extend(kind(&settings.storage, "", able));
    found.extend(storage::violations(&settings.storage, ""));
    found.extend(schedule(&settings.schedule));
    if !able.incremental && has(&settings.schedule, BackupKind::Incremental) {
        let given = BackupKind::Incremental.label();
        let allowed = "this cluster makes full backups only";
        found.push(Violation::new(label::DAYS, given, allowed));
    }
    let cleanup = &settings.cleanup;
    found.extend(days(label::RETENTION, cleanup.retention_days));
    found.extend(time(label::CLEANUP_TIME, cleanup.at));
    found.extend(thresholds(&settings.thresholds));
    if let Some(second) = &settings.second {
        found.extend(second_violations(second, settings, able));
    }
    found
}

fn method(settings: &StrategySettings, able: &Capabilities) -> Vec<Violation> {
    let mut found = Vec::new();
    let method = settings.method;
    if !able.methods.contains(&method) {
        let known: Vec<&str> = able.methods.iter().map(|method| method.label()).collect();
        let allowed = format!("this cluster can make: {}", known.join(", "));
        found.push(Violation::new(label::METHOD, method.label(), allowed));
    }
    if method == BackupMethod::Physical && !settings.start_log_backup {
        let allowed = "a physical backup is worth something only with its log; switch it on";
        found.push(Violation::new(label::LOG_BACKUP, "off", allowed));
    }
    if method == BackupMethod::Logical && has(&settings.schedule, BackupKind::Incremental) {
        let given = BackupKind::Incremental.label();
        let allowed = "logical backups are always full ones";
        found.push(Violation::new(label::DAYS, given, allowed));
    }
    found
}

/// What is wrong with the kind of a storage for a cluster.
pub fn kind(storage: &StorageSettings, prefix: &str, able: &Capabilities) -> Option<Violation> {
    let known = &able.storages;
    (!known.contains(&storage.kind)).then(|| {
        let known: Vec<&str> = known.iter().map(|kind| kind.label()).collect();
        let field = format!("{prefix}{}", label::STORAGE_KIND);
        let allowed = format!("this cluster can use: {}", known.join(", "));
        Violation::new(&field, storage.kind.label(), allowed)
    })
}

/// What is wrong with the days and the time of a schedule.
pub fn schedule(schedule: &Schedule) -> Vec<Violation> {
    let last = schedule.cycle.last_day();
    let mut found = Vec::new();
    if schedule.days.is_empty() {
        found.push(Violation::new(label::DAYS, "", "choose at least one day"));
    }
    let wrong = |day: &&u8| !(1..=last).contains(*day);
    for day in schedule.days.keys().filter(wrong) {
        let allowed = format!("use days from 1 to {last}");
        found.push(Violation::new(label::DAYS, &day.to_string(), allowed));
    }
    if schedule.cycle == Cycle::Month && schedule.days.len() > MONTH_DAYS_MAX {
        let given = schedule.days.len().to_string();
        let allowed = format!("choose at most {MONTH_DAYS_MAX} days of the month");
        found.push(Violation::new(label::DAYS, &given, allowed));
    }
    found.extend(time(label::TIME, schedule.at));
    found
}

fn time(field: &str, at: TimeOfDay) -> Option<Violation> {
    let wrong = at.hour > 23 || at.minute > 59;
    wrong.then(|| Violation::new(field, &at.to_string(), "use 00:00 to 23:59"))
}

fn thresholds(of: &Thresholds) -> Vec<Violation> {
    let limits = [
        (
            label::TIMEOUT,
            of.data_backup_timeout_min,
            TIMEOUT_MIN_MAX,
            "minutes",
        ),
        (label::LOG_DELAY, of.log_delay_s, LOG_DELAY_S_MAX, "seconds"),
        (
            label::NO_SUCCESS,
            of.no_success_days,
            NO_SUCCESS_DAYS_MAX,
            "days",
        ),
    ];
    let each = limits.map(|(field, value, max, unit)| number(field, value, 1, max, unit));
    each.into_iter().flatten().collect()
}

fn days(field: &str, value: u32) -> Option<Violation> {
    number(field, value, RETENTION_DAYS_MIN, RETENTION_DAYS_MAX, "days")
}

fn number(field: &str, value: u32, min: u32, max: u32, unit: &str) -> Option<Violation> {
    let wrong = !(min..=max).contains(&value);
    wrong.then(|| {
        let allowed = format!("use {min} to {max} {unit}");
        Violation::new(field, &value.to_string(), allowed)
    })
}

fn second_violations(
    second: &SecondSettings,
    settings: &StrategySettings,
    able: &Capabilities,
) -> Vec<Violation> {
    let mut found = Vec::new();
    if !able.second_backup {
        let allowed = "this cluster cannot keep a second copy; switch it off";
        found.push(Violation::new(label::SECOND, "on", allowed));
    }
    found.extend(kind(&second.storage, label::SECOND_PREFIX, able));
    found.extend(storage::violations(&second.storage, label::SECOND_PREFIX));
    found.extend(distinct(&second.storage, &settings.storage));
    if let Some(value) = second.retention_days {
        found.extend(days(label::SECOND_RETENTION, value));
    }
    if let Some(limit) = second
        .limit_bytes_per_s
        .filter(|limit| *limit < LIMIT_BYTES_PER_S_MIN)
    {
        let allowed = format!("use at least {LIMIT_BYTES_PER_S_MIN} bytes per second, or none");
        found.push(Violation::new(
            label::SECOND_LIMIT,
            &limit.to_string(),
            allowed,
        ));
    }
    found
}

/// A copy beside its original is lost with it.
fn distinct(second: &StorageSettings, first: &StorageSettings) -> Vec<Violation> {
    let mut found = Vec::new();
    if second.name == first.name && !second.name.is_empty() {
        let field = format!("{}{}", label::SECOND_PREFIX, label::STORAGE_NAME);
        let allowed = "the first storage has this name; the second one needs its own";
        found.push(Violation::new(&field, &second.name, allowed));
    }
    if !storage::same_service(second, first) {
        return found;
    }
    let (inner, outer) = (&second.directory, &first.directory);
    let allowed = if storage::same_directory(inner, outer) {
        "the first storage is here; the copy needs another place"
    } else if storage::is_within(inner, outer) {
        "it lies within the first storage; the copy needs a place outside of it"
    } else if storage::is_within(outer, inner) {
        "the first storage lies within it; the copy needs a place beside it"
    } else {
        return found;
    };
    let field = format!("{}{}", label::SECOND_PREFIX, label::DIRECTORY);
    found.push(Violation::new(&field, inner, allowed));
    found
}

fn has(schedule: &Schedule, kind: BackupKind) -> bool {
    schedule.days.values().any(|each| *each == kind)
}

/// What is allowed and unwise about `settings` that are otherwise right.
pub fn warnings(settings: &StrategySettings) -> Vec<Warning> {
    let mut found = Vec::new();
    let mut warn = |field: &str, text: String| {
        found.push(Warning {
            field: field.to_owned(),
            text,
        });
    };
    let Some(distance) = longest_distance(&settings.schedule, None) else {
        return found;
    };
    let fulls = longest_distance(&settings.schedule, Some(BackupKind::Full));
    if fulls.is_none() {
        warn(
            label::DAYS,
            "No day makes a full backup. Every set would build on one old full set: recoveries \
             become slower, and nothing can ever expire."
                .to_owned(),
        );
    }
    if settings.schedule.cycle == Cycle::Month && settings.schedule.days.keys().all(|day| *day > 28)
    {
        warn(
            label::DAYS,
            "Short months do not have these days; no data backup is made in them.".to_owned(),
        );
    }
    let no_success = settings.thresholds.no_success_days;
    if no_success < distance {
        warn(
            label::NO_SUCCESS,
            format!(
                "Runs are up to {distance} days apart, so this alert would be raised although every \
                 run succeeds."
            ),
        );
    }
    if let (true, Some(fulls)) = (settings.cleanup.enabled, fulls) {
        let retention = settings.cleanup.retention_days;
        if retention < fulls {
            warn(
                label::RETENTION,
                format!(
                    "Full backups are up to {fulls} days apart. To keep {retention} days recoverable, \
                     up to {} days of backups have to stay.",
                    fulls + retention
                ),
            );
        }
    }
    found
}

/// Longest distance in days between two days of the schedule (of one kind, or of any): the time that one
/// backup may have to last. `None` when there is no such day.
pub fn longest_distance(schedule: &Schedule, kind: Option<BackupKind>) -> Option<u32> {
    // Nine years have every length of month beside every other, and two leap days.
    const DAYS: usize = 9 * 366;
    let start = NaiveDate::from_ymd_opt(2023, 1, 1)?;
    let mut last = None;
    let mut longest = None;
    for (number, day) in (0u32..).zip(start.iter_days().take(DAYS)) {
        let of_cycle = match schedule.cycle {
            Cycle::Week => day.weekday().number_from_monday(),
            Cycle::Month => day.day(),
        };
        let chosen = u8::try_from(of_cycle)
            .ok()
            .and_then(|day| schedule.days.get(&day));
        if chosen.is_some_and(|each| kind.is_none_or(|kind| kind == *each)) {
            let distance = last.map(|last| number - last);
            longest = longest.max(distance);
            last = Some(number);
        }
    }
    longest
}

#[cfg(test)]
mod tests;
