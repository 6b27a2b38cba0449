//! What a person has typed, as it is, and the settings that follow from it.

use domain::{
    backup::{BackupKind, BackupMethod},
    second_backup::LogCycle,
    storage::{
        AccessKey, CAPACITY_PERCENT_DEFAULT, ObjectAccess, StorageKeys, StorageKind,
        StorageSettings,
    },
    strategy::{
        CleanupSettings, Cycle, MONTH_DAYS_MAX, Schedule, SecondSettings, StrategySettings,
        Thresholds, TimeOfDay, label,
    },
    validate::Violation,
};
use std::collections::BTreeMap;

/// Bytes per second of one unit of the speed limit's field.
const LIMIT_UNIT: u64 = 1 << 20;

/// A storage as it is typed. The key is not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct StorageDraft {
    /// Name.
    pub name: String,
    /// Directory.
    pub directory: String,
    /// What is behind it.
    pub kind: StorageKind,
    /// Host of an object storage.
    pub endpoint: String,
    /// Name of its key.
    pub access_id: String,
    /// The key; empty keeps the one that is known.
    pub key: String,
    /// Region of an S3 bucket.
    pub region: String,
    /// Number of a COS account.
    pub app_id: String,
    /// Percent.
    pub capacity: String,
}

impl std::fmt::Debug for StorageDraft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StorageDraft")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}

impl StorageDraft {
    /// A storage to change.
    pub fn of(settings: &StorageSettings) -> StorageDraft {
        StorageDraft {
            name: settings.name.clone(),
            directory: settings.directory.clone(),
            kind: settings.kind,
            capacity: settings.capacity_percent.to_string(),
            ..StorageDraft::empty()
        }
        .reached(settings.object.clone().unwrap_or_default())
    }

    /// One that nothing is typed of.
    pub fn empty() -> StorageDraft {
        let text = String::new;
        StorageDraft {
            name: text(),
            directory: text(),
            kind: StorageKind::File,
            endpoint: text(),
            access_id: text(),
            key: text(),
            region: text(),
            app_id: text(),
            capacity: CAPACITY_PERCENT_DEFAULT.to_string(),
        }
    }

    fn reached(self, object: ObjectAccess) -> StorageDraft {
        StorageDraft {
            endpoint: object.endpoint,
            access_id: object.access_id,
            region: object.region,
            app_id: object.app_id,
            ..self
        }
    }

    /// The key that was typed, if one was and there can be one.
    pub fn key(&self) -> Option<AccessKey> {
        let given = self.kind.is_object() && !self.key.is_empty();
        given.then(|| AccessKey(self.key.clone()))
    }

    /// How the object storage is reached; what another kind needs is left out.
    fn object(&self) -> Option<ObjectAccess> {
        let of = |kind: StorageKind, text: &String| match self.kind == kind {
            true => text.trim().to_owned(),
            false => String::new(),
        };
        self.kind.is_object().then(|| ObjectAccess {
            endpoint: self.endpoint.trim().to_owned(),
            access_id: self.access_id.trim().to_owned(),
            region: of(StorageKind::S3, &self.region),
            app_id: of(StorageKind::Cos, &self.app_id),
        })
    }

    /// What it says; `prefix` comes before the labels of its fields.
    pub fn settings(&self, prefix: &str, wrong: &mut Vec<Violation>) -> StorageSettings {
        let field = format!("{prefix}{}", label::CAPACITY);
        let percent = number(&field, &self.capacity, wrong);
        StorageSettings {
            name: self.name.trim().to_owned(),
            kind: self.kind,
            directory: self.directory.trim().to_owned(),
            object: self.object(),
            // What is beyond is refused where limits are.
            capacity_percent: u8::try_from(percent).unwrap_or(u8::MAX),
        }
    }
}

/// Everything that is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// Kind of data backup.
    pub method: BackupMethod,
    /// The first storage.
    pub storage: StorageDraft,
    /// What the days count in.
    pub cycle: Cycle,
    /// The days of the week.
    pub week: BTreeMap<u8, BackupKind>,
    /// The days of the month.
    pub month: BTreeMap<u8, BackupKind>,
    /// Time of day.
    pub at: String,
    /// Zone.
    pub zone: String,
    /// Whether log backup is started too.
    pub log_backup: bool,
    /// Whether expired backups are removed.
    pub cleanup: bool,
    /// Days of retention.
    pub retention: String,
    /// Time of day of the cleanup.
    pub cleanup_at: String,
    /// Minutes.
    pub timeout: String,
    /// Seconds.
    pub log_delay: String,
    /// Days.
    pub no_success: String,
    /// Whether a second copy is kept.
    pub second: bool,
    /// Whether data backups are copied.
    pub second_data: bool,
    /// How often log is copied.
    pub log_cycle: LogCycle,
    /// Days of retention of the copy; nothing for as long as the first.
    pub second_retention: String,
    /// MB per second; nothing for no limit.
    pub limit: String,
    /// The second storage.
    pub second_storage: StorageDraft,
}

impl Draft {
    /// Settings to change.
    pub fn of(settings: &StrategySettings) -> Draft {
        let schedule = &settings.schedule;
        let days = |cycle: Cycle| match schedule.cycle == cycle {
            true => schedule.days.clone(),
            false => BTreeMap::new(),
        };
        let second = settings.second.as_ref();
        let retention = second.and_then(|second| second.retention_days);
        let limit = second.and_then(|second| second.limit_bytes_per_s);
        Draft {
            method: settings.method,
            storage: StorageDraft::of(&settings.storage),
            cycle: schedule.cycle,
            week: days(Cycle::Week),
            month: days(Cycle::Month),
            at: schedule.at.to_string(),
            zone: schedule.zone.clone(),
            log_backup: settings.start_log_backup,
            cleanup: settings.cleanup.enabled,
            retention: settings.cleanup.retention_days.to_string(),
            cleanup_at: settings.cleanup.at.to_string(),
            timeout: settings.thresholds.data_backup_timeout_min.to_string(),
            log_delay: settings.thresholds.log_delay_s.to_string(),
            no_success: settings.thresholds.no_success_days.to_string(),
            second: second.is_some(),
            second_data: second.is_none_or(|second| second.data),
            log_cycle: second.map_or(LogCycle::Daily, |second| second.log_cycle),
            second_retention: retention.map_or_else(String::new, |days| days.to_string()),
            limit: limit.map_or_else(String::new, |limit| limit.div_ceil(LIMIT_UNIT).to_string()),
            second_storage: second.map_or_else(StorageDraft::empty, |second| {
                StorageDraft::of(&second.storage)
            }),
        }
    }

    /// The days of the chosen cycle.
    pub fn days(&self) -> &BTreeMap<u8, BackupKind> {
        match self.cycle {
            Cycle::Week => &self.week,
            Cycle::Month => &self.month,
        }
    }

    /// The same, to change.
    pub fn days_mut(&mut self) -> &mut BTreeMap<u8, BackupKind> {
        match self.cycle {
            Cycle::Week => &mut self.week,
            Cycle::Month => &mut self.month,
        }
    }

    /// Whether another day may be chosen.
    pub fn takes_more_days(&self) -> bool {
        self.cycle == Cycle::Week || self.month.len() < MONTH_DAYS_MAX
    }

    /// The schedule, as far as it can be read.
    pub fn schedule(&self) -> Option<Schedule> {
        if self.days().is_empty() || self.zone.trim().is_empty() {
            return None;
        }
        Some(Schedule {
            cycle: self.cycle,
            days: self.days().clone(),
            at: self.at.parse().ok()?,
            zone: self.zone.trim().to_owned(),
        })
    }

    /// The settings, or every field that cannot be read. Limits are the server's to check.
    pub fn settings(&self) -> Result<StrategySettings, Vec<Violation>> {
        let wrong = &mut Vec::new();
        let settings = StrategySettings {
            method: self.method,
            storage: self.storage.settings("", wrong),
            schedule: Schedule {
                cycle: self.cycle,
                days: self.days().clone(),
                at: time(label::TIME, &self.at, wrong),
                zone: self.zone.trim().to_owned(),
            },
            start_log_backup: self.log_backup,
            cleanup: CleanupSettings {
                enabled: self.cleanup,
                retention_days: number(label::RETENTION, &self.retention, wrong),
                at: time(label::CLEANUP_TIME, &self.cleanup_at, wrong),
            },
            thresholds: Thresholds {
                data_backup_timeout_min: number(label::TIMEOUT, &self.timeout, wrong),
                log_delay_s: number(label::LOG_DELAY, &self.log_delay, wrong),
                no_success_days: number(label::NO_SUCCESS, &self.no_success, wrong),
            },
            second: self.second.then(|| self.second_settings(wrong)),
        };
        match wrong.is_empty() {
            true => Ok(settings),
            false => Err(std::mem::take(wrong)),
        }
    }

    /// The keys that were typed.
    pub fn keys(&self) -> StorageKeys {
        let second = self.second.then(|| self.second_storage.key());
        StorageKeys {
            first: self.storage.key(),
            second: second.flatten(),
        }
    }

    fn second_settings(&self, wrong: &mut Vec<Violation>) -> SecondSettings {
        let mut given = |field: &str, text: &str| {
            let is_given = !text.trim().is_empty();
            is_given.then(|| number(field, text, wrong))
        };
        let retention_days = given(label::SECOND_RETENTION, &self.second_retention);
        let limit = given(label::SECOND_LIMIT, &self.limit);
        SecondSettings {
            data: self.second_data,
            log_cycle: self.log_cycle,
            retention_days,
            limit_bytes_per_s: limit.map(|units| u64::from(units) * LIMIT_UNIT),
            storage: self.second_storage.settings(label::SECOND_PREFIX, wrong),
        }
    }
}

fn number(field: &str, text: &str, wrong: &mut Vec<Violation>) -> u32 {
    text.trim().parse().unwrap_or_else(|_| {
        wrong.push(Violation::new(field, text, "use a whole number"));
        0
    })
}

fn time(field: &str, text: &str, wrong: &mut Vec<Violation>) -> TimeOfDay {
    text.trim().parse().unwrap_or_else(|_| {
        wrong.push(Violation::new(field, text, "use 00:00 to 23:59"));
        TimeOfDay { hour: 0, minute: 0 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> StrategySettings {
        let storage = |name: &str, directory: &str| StorageSettings {
            name: name.to_owned(),
            kind: StorageKind::File,
            directory: directory.to_owned(),
            object: None,
            capacity_percent: 80,
        };
        StrategySettings {
            method: BackupMethod::Physical,
            storage: storage("first", "/backup"),
            schedule: Schedule {
                cycle: Cycle::Week,
                days: [(7, BackupKind::Full)].into(),
                at: TimeOfDay { hour: 2, minute: 0 },
                zone: "UTC".to_owned(),
            },
            start_log_backup: true,
            cleanup: CleanupSettings {
                enabled: true,
                retention_days: 7,
                at: TimeOfDay {
                    hour: 5,
                    minute: 30,
                },
            },
            thresholds: Thresholds::default(),
            second: Some(SecondSettings {
                data: true,
                log_cycle: LogCycle::Hourly,
                retention_days: None,
                limit_bytes_per_s: Some(3 << 20),
                storage: storage("second", "/copies"),
            }),
        }
    }

    #[test]
    fn what_is_not_touched_stays_what_it_was() {
        let mut all = settings();
        assert_eq!(Draft::of(&all).settings(), Ok(all.clone()));
        all.second = None;
        all.schedule.cycle = Cycle::Month;
        all.schedule.days = [(31, BackupKind::Incremental)].into();
        assert_eq!(Draft::of(&all).settings(), Ok(all));
    }

    #[test]
    fn an_object_storage_is_what_its_kind_needs_and_its_key_stands_beside() {
        let mut all = settings();
        all.storage.kind = StorageKind::S3;
        all.storage.directory = "bucket/base".to_owned();
        all.storage.object = Some(ObjectAccess {
            endpoint: "s.example.com".to_owned(),
            access_id: "me".to_owned(),
            region: "us-east-1".to_owned(),
            app_id: String::new(),
        });
        let mut draft = Draft::of(&all);
        assert_eq!(draft.settings(), Ok(all));
        assert_eq!(draft.keys(), StorageKeys::default());
        draft.storage.key = "s3cr3t".to_owned();
        assert_eq!(draft.keys().first, Some(AccessKey("s3cr3t".to_owned())));
        assert!(!format!("{draft:?}").contains("s3cr3t"));
        draft.storage.kind = StorageKind::Oss;
        let object = draft.settings().unwrap().storage.object.unwrap();
        assert_eq!(object.region, "");
        draft.storage.kind = StorageKind::File;
        assert_eq!(draft.settings().unwrap().storage.object, None);
        assert_eq!(draft.keys(), StorageKeys::default());
    }

    #[test]
    fn what_cannot_be_read_is_told_with_what_was_typed() {
        let mut draft = Draft::of(&settings());
        draft.retention = "seven".to_owned();
        draft.at = "25:00".to_owned();
        draft.second_storage.capacity = "much".to_owned();
        draft.limit = "-1".to_owned();
        let wrong = draft.settings().unwrap_err();
        let told: Vec<(&str, &str)> = wrong
            .iter()
            .map(|wrong| (&*wrong.field, &*wrong.value))
            .collect();
        let capacity = format!("{}{}", label::SECOND_PREFIX, label::CAPACITY);
        assert_eq!(
            told,
            [
                (label::TIME, "25:00"),
                (label::RETENTION, "seven"),
                (label::SECOND_LIMIT, "-1"),
                (&*capacity, "much"),
            ]
        );
        // Nothing of a second backup that is switched off stands in the way.
        draft.second = false;
        assert_eq!(draft.settings().unwrap_err().len(), 2);
        assert_eq!(draft.schedule(), None);
    }

    #[test]
    fn the_days_of_a_cycle_are_kept_while_another_one_is_looked_at() {
        let mut draft = Draft::of(&settings());
        draft.cycle = Cycle::Month;
        assert!(draft.days().is_empty() && draft.schedule().is_none());
        for day in 1..=10 {
            assert!(draft.takes_more_days());
            draft.days_mut().insert(day, BackupKind::Full);
        }
        assert!(!draft.takes_more_days());
        draft.cycle = Cycle::Week;
        assert_eq!(draft.days().len(), 1);
    }
}
