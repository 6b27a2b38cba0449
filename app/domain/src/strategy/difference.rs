//! What differs between two strategies, field by field, as people read it. Nothing in it is a secret.

use super::{Cycle, Schedule, SecondSettings, StrategySettings, label};
use crate::storage::StorageSettings;
use serde::{Deserialize, Serialize};

/// A field that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The field's label.
    pub field: String,
    /// What it was; empty where there was none.
    pub before: String,
    /// What it is.
    pub after: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = |text: &str| match text {
            "" => "none".to_owned(),
            text => text.to_owned(),
        };
        let (before, after) = (shown(&self.before), shown(&self.after));
        write!(f, "{}: {before} -> {after}", self.field)
    }
}

/// Every field in which `after` differs from `before`; empty when they are the same.
pub fn differences(before: &StrategySettings, after: &StrategySettings) -> Vec<Difference> {
    let (before, after) = (fields(before), fields(after));
    let mut found = Vec::new();
    for (field, value) in &after {
        let old = before.iter().find(|(other, _)| other == field);
        let old = old.map_or("", |(_, value)| value);
        if old != value {
            found.push(difference(field, old, value));
        }
    }
    let gone = before
        .iter()
        .filter(|(field, _)| !after.iter().any(|(other, _)| other == field));
    found.extend(gone.map(|(field, value)| difference(field, value, "")));
    found
}

fn difference(field: &str, before: &str, after: &str) -> Difference {
    Difference {
        field: field.to_owned(),
        before: before.to_owned(),
        after: after.to_owned(),
    }
}

/// Every field with its label and its value, in the order of the form.
pub fn fields(of: &StrategySettings) -> Vec<(String, String)> {
    let mut found = vec![(label::METHOD.to_owned(), of.method.label().to_owned())];
    found.extend(storage(&of.storage, ""));
    let schedule = &of.schedule;
    let (cleanup, thresholds) = (&of.cleanup, &of.thresholds);
    let plain = [
        (label::CYCLE, schedule.cycle.label().to_owned()),
        (label::DAYS, days_text(schedule)),
        (label::TIME, schedule.at.to_string()),
        (label::ZONE, schedule.zone.clone()),
        (label::LOG_BACKUP, on(of.start_log_backup)),
        (label::CLEANUP, on(cleanup.enabled)),
        (label::RETENTION, format!("{} days", cleanup.retention_days)),
        (label::CLEANUP_TIME, cleanup.at.to_string()),
        (
            label::TIMEOUT,
            format!("{} minutes", thresholds.data_backup_timeout_min),
        ),
        (
            label::LOG_DELAY,
            format!("{} seconds", thresholds.log_delay_s),
        ),
        (
            label::NO_SUCCESS,
            format!("{} days", thresholds.no_success_days),
        ),
        (label::SECOND, on(of.second.is_some())),
    ];
    found.extend(plain.map(|(field, value)| (field.to_owned(), value)));
    found.extend(of.second.iter().flat_map(second));
    found
}

fn second(of: &SecondSettings) -> Vec<(String, String)> {
    let retention = of.retention_days.map(|days| format!("{days} days"));
    let limit = of
        .limit_bytes_per_s
        .map(|limit| format!("{limit} bytes per second"));
    let plain = [
        (label::SECOND_DATA, on(of.data)),
        (label::SECOND_LOG, of.log_cycle.label().to_owned()),
        (
            label::SECOND_RETENTION,
            retention.unwrap_or_else(|| "as the first copy".to_owned()),
        ),
        (
            label::SECOND_LIMIT,
            limit.unwrap_or_else(|| "no limit".to_owned()),
        ),
    ];
    let mut found: Vec<(String, String)> =
        plain.map(|(field, value)| (field.to_owned(), value)).into();
    found.extend(storage(&of.storage, label::SECOND_PREFIX));
    found
}

fn storage(of: &StorageSettings, prefix: &str) -> Vec<(String, String)> {
    let mut found = vec![
        (label::STORAGE_NAME, of.name.clone()),
        (label::STORAGE_KIND, of.kind.label().to_owned()),
        (label::DIRECTORY, of.directory.clone()),
        (label::CAPACITY, format!("{} %", of.capacity_percent)),
    ];
    if let Some(object) = &of.object {
        let of_service = [
            (label::ENDPOINT, &object.endpoint),
            (label::ACCESS_ID, &object.access_id),
            (label::REGION, &object.region),
            (label::APP_ID, &object.app_id),
        ];
        let given = of_service
            .into_iter()
            .filter(|(_, value)| !value.is_empty());
        found.extend(given.map(|(field, value)| (field, value.clone())));
    }
    let labelled = found.into_iter();
    labelled
        .map(|(field, value)| (format!("{prefix}{field}"), value))
        .collect()
}

fn on(is: bool) -> String {
    (if is { "on" } else { "off" }).to_owned()
}

/// The days with what is made on them: `Mon Incremental, Sun Full`.
pub fn days_text(schedule: &Schedule) -> String {
    let days = schedule.days.iter().map(|(day, kind)| {
        let name = day_name(schedule.cycle, *day);
        format!("{name} {}", kind.label())
    });
    days.collect::<Vec<String>>().join(", ")
}

/// What a day of a cycle is called: `Mon`, `31`.
pub fn day_name(cycle: Cycle, day: u8) -> String {
    const WEEK: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let of_week = WEEK.get(usize::from(day).wrapping_sub(1));
    match (cycle, of_week) {
        (Cycle::Week, Some(name)) => (*name).to_owned(),
        _ => day.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{backup::BackupKind, strategy::test_settings};

    fn texts(before: &StrategySettings, after: &StrategySettings) -> Vec<String> {
        differences(before, after)
            .iter()
            .map(Difference::to_string)
            .collect()
    }

    #[test]
    fn the_same_differs_in_nothing_and_every_change_is_named() {
        let before = test_settings();
        assert_eq!(differences(&before, &before), []);
        let mut after = before.clone();
        after.schedule.at.hour = 3;
        after.schedule.days.insert(1, BackupKind::Full);
        after.storage.capacity_percent = 90;
        assert_eq!(
            texts(&before, &after),
            [
                "Capacity alert threshold: 80 % -> 90 %",
                "Scheduling days: Sun Full -> Mon Full, Sun Full",
                "Scheduling time: 02:00 -> 03:00",
            ]
        );
    }

    #[test]
    fn a_second_backup_that_comes_or_goes_is_told_with_its_fields() {
        let before = test_settings();
        let mut after = before.clone();
        after.second = Some(SecondSettings {
            data: true,
            log_cycle: crate::second_backup::LogCycle::Daily,
            retention_days: None,
            limit_bytes_per_s: None,
            storage: before.storage.clone(),
        });
        let came = texts(&before, &after);
        assert_eq!(came.len(), 9);
        assert_eq!(came[0], "Second backup: off -> on");
        assert!(
            came.contains(&"Second storage: Storage directory: none -> /backup".to_owned()),
            "{came:?}"
        );
        assert_eq!(texts(&after, &before).len(), 9);
    }
}
