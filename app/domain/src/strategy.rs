//! The backup strategy: what a person decides about a cluster's backups, and the runs that follow from it.

use crate::{
    JobId, Revision, RunId, Scn, StrategyId,
    backup::{BackupKind, BackupMethod},
    second_backup::LogCycle,
    storage::StorageSettings,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub mod check;
pub mod difference;
pub mod drift;
pub mod label;
mod report;
mod standing;

pub use difference::Difference;
pub use drift::{DRIFT_MAX, Drift, Setting};
pub use report::{
    FIRST_TIME, LogBackupEnd, PREVIEW_RUNS, StorageUse, StrategyForm, StrategyReport, StrategySaved,
};
pub use standing::{SKIPPED_MAX, Standing, standing};

/// Most days that a monthly schedule may name.
pub const MONTH_DAYS_MAX: usize = 10;

/// What repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cycle {
    /// Days 1 (Monday) to 7 (Sunday).
    Week,
    /// Days 1 to 31 of the month; one that a month does not have is left out in it.
    Month,
}

impl Cycle {
    /// Every cycle.
    pub const ALL: [Cycle; 2] = [Cycle::Week, Cycle::Month];

    /// The form's label.
    pub const fn label(self) -> &'static str {
        match self {
            Cycle::Week => "Week",
            Cycle::Month => "Month",
        }
    }

    /// The last day that it may have.
    pub const fn last_day(self) -> u8 {
        match self {
            Cycle::Week => 7,
            Cycle::Month => 31,
        }
    }
}

/// A time of day, on the wall clock of a schedule's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay {
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
}

impl std::fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}:{:02}", self.hour, self.minute)
    }
}

impl From<TimeOfDay> for String {
    fn from(at: TimeOfDay) -> String {
        at.to_string()
    }
}

/// A text that should be a time of day and is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a time of day; use 00:00 to 23:59")]
pub struct BadTime(String);

impl TryFrom<String> for TimeOfDay {
    type Error = BadTime;

    fn try_from(text: String) -> Result<Self, BadTime> {
        text.parse()
    }
}

impl std::str::FromStr for TimeOfDay {
    type Err = BadTime;

    /// Reads `02:00`, also with seconds that are zero as some browsers send them.
    fn from_str(text: &str) -> Result<Self, BadTime> {
        let whole = text
            .strip_suffix(":00")
            .filter(|rest| rest.contains(':'))
            .unwrap_or(text);
        let part = |text: &str, end: u8| {
            let digits = (1..=2).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            let value = text.parse().ok().filter(|value| *value < end);
            value.filter(|_| digits)
        };
        let time = whole.split_once(':').and_then(|(hour, minute)| {
            Some(TimeOfDay {
                hour: part(hour, 24)?,
                minute: part(minute, 60)?,
            })
        });
        time.ok_or_else(|| BadTime(text.to_owned()))
    }
}

/// When data backups are made.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Schedule {
    /// What the days count in.
    pub cycle: Cycle,
    /// For each chosen day what is made on it.
    pub days: BTreeMap<u8, BackupKind>,
    /// At what time.
    pub at: TimeOfDay,
    /// IANA name of the zone whose wall clock counts, such as `Europe/Berlin`.
    pub zone: String,
}

/// Removal of expired backups.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CleanupSettings {
    /// Whether expired backups are removed at all.
    pub enabled: bool,
    /// Every moment of so many days stays recoverable.
    pub retention_days: u32,
    /// At what time, on the schedule's wall clock, each day.
    pub at: TimeOfDay,
}

/// When a person is called.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Thresholds {
    /// Minutes a data backup may run.
    pub data_backup_timeout_min: u32,
    /// Seconds the log backup may be behind.
    pub log_delay_s: u32,
    /// Days without a successful data backup.
    pub no_success_days: u32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Thresholds {
            data_backup_timeout_min: 60,
            log_delay_s: 3600,
            no_success_days: 9,
        }
    }
}

/// The copy at another destination.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SecondSettings {
    /// Whether each successful data backup is copied.
    pub data: bool,
    /// How often log is copied.
    pub log_cycle: LogCycle,
    /// Days that every moment stays recoverable from the copy; absent keeps as long as the first.
    pub retention_days: Option<u32>,
    /// Most bytes per second that copying reads; absent means as fast as it goes.
    pub limit_bytes_per_s: Option<u64>,
    /// Where to.
    pub storage: StorageSettings,
}

/// Everything a person decides; the fields of the form.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct StrategySettings {
    /// Physical or logical.
    pub method: BackupMethod,
    /// Where backups go.
    pub storage: StorageSettings,
    /// When data backups are made.
    pub schedule: Schedule,
    /// Whether log backup is started too. Physical backups need it.
    pub start_log_backup: bool,
    /// Removal of expired backups.
    pub cleanup: CleanupSettings,
    /// When a person is called.
    pub thresholds: Thresholds,
    /// The copy at another destination, if one is kept.
    pub second: Option<SecondSettings>,
}

/// The strategy of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupStrategy {
    /// Number.
    pub id: StrategyId,
    /// What a person decided.
    pub settings: StrategySettings,
    /// Whether a person paused it.
    pub paused: bool,
    /// When it was made.
    pub created: Scn,
    /// When it was changed last. What was due before is not made up for.
    pub modified: Scn,
    /// Version; a change names the one it was made from.
    pub rev: Revision,
}

/// What a run of the schedule does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// Data backups of all tenants.
    DataBackup,
    /// Copying of archived log.
    SecondLog,
    /// Removal of expired backups.
    Cleanup,
}

impl RunKind {
    /// Every kind.
    pub const ALL: [RunKind; 3] = [RunKind::DataBackup, RunKind::SecondLog, RunKind::Cleanup];

    /// The stored form.
    pub const fn code(self) -> &'static str {
        match self {
            RunKind::DataBackup => "data_backup",
            RunKind::SecondLog => "second_log",
            RunKind::Cleanup => "cleanup",
        }
    }

    /// Reads [`RunKind::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        RunKind::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// What became of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// Its tasks are not all final.
    Running,
    /// All of its tasks succeeded.
    Completed,
    /// At least one task failed.
    Failed,
    /// The console was not running, or was too late.
    Missed,
    /// Something stood in its way; the cause says what.
    Skipped,
    /// A person canceled it.
    Canceled,
}

impl RunOutcome {
    /// Every outcome.
    pub const ALL: [RunOutcome; 6] = [
        RunOutcome::Running,
        RunOutcome::Completed,
        RunOutcome::Failed,
        RunOutcome::Missed,
        RunOutcome::Skipped,
        RunOutcome::Canceled,
    ];

    /// What the page calls it.
    pub const fn label(self) -> &'static str {
        match self {
            RunOutcome::Running => "In Progress",
            RunOutcome::Completed => "Completed",
            RunOutcome::Failed => "Failed",
            RunOutcome::Missed => "Missed",
            RunOutcome::Skipped => "Skipped",
            RunOutcome::Canceled => "Canceled",
        }
    }

    /// The stored form.
    pub const fn code(self) -> &'static str {
        match self {
            RunOutcome::Running => "running",
            RunOutcome::Completed => "completed",
            RunOutcome::Failed => "failed",
            RunOutcome::Missed => "missed",
            RunOutcome::Skipped => "skipped",
            RunOutcome::Canceled => "canceled",
        }
    }

    /// Reads [`RunOutcome::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        RunOutcome::ALL
            .into_iter()
            .find(|outcome| outcome.code() == code)
    }
}

/// One row of a scheduling history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduleRun {
    /// Number.
    pub id: RunId,
    /// What it does.
    pub kind: RunKind,
    /// What was to be made, for data backups.
    pub backup: Option<BackupKind>,
    /// The moment it was due.
    pub due: Scn,
    /// When it was begun, or found to be missed or skipped.
    pub started: Scn,
    /// When its last task ended.
    pub ended: Option<Scn>,
    /// What became of it.
    pub outcome: RunOutcome,
    /// Why it was missed, skipped or failed.
    pub cause: Option<String>,
    /// Its tasks.
    pub tasks: Vec<JobId>,
    /// Version of this row.
    pub rev: Revision,
}

/// A strategy as small as can be, for tests.
#[cfg(test)]
pub(crate) fn test_settings() -> StrategySettings {
    StrategySettings {
        method: BackupMethod::Physical,
        storage: StorageSettings {
            name: "first".to_owned(),
            kind: crate::storage::StorageKind::File,
            directory: "/backup".to_owned(),
            object: None,
            capacity_percent: 80,
        },
        schedule: Schedule {
            cycle: Cycle::Week,
            days: [(7, BackupKind::Full)].into(),
            at: TimeOfDay { hour: 2, minute: 0 },
            zone: "UTC".to_owned(),
        },
        start_log_backup: true,
        cleanup: CleanupSettings {
            enabled: false,
            retention_days: 7,
            at: TimeOfDay { hour: 4, minute: 0 },
        },
        thresholds: Thresholds::default(),
        second: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day_are_read_as_they_are_written() {
        for text in ["00:00", "02:05", "23:59"] {
            let time: TimeOfDay = text.parse().unwrap();
            assert_eq!(time.to_string(), text);
            assert_eq!(format!("{text}:00").parse(), Ok(time));
            let json = serde_json::to_string(&time).unwrap();
            assert_eq!(json, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<TimeOfDay>(&json).unwrap(), time);
        }
        for wrong in [
            "", "2", "24:00", "02:60", "02:00:30", "a:b", "+2:00", "002:00", "02:0:0:0",
        ] {
            let error = wrong.parse::<TimeOfDay>().unwrap_err();
            assert!(error.to_string().contains("23:59"), "{error}");
        }
    }

    #[test]
    fn settings_are_plain_json() {
        let json = serde_json::to_value(test_settings()).unwrap();
        assert_eq!(json["schedule"]["days"]["7"], "full");
        assert_eq!(json["schedule"]["at"], "02:00");
        assert_eq!(
            serde_json::from_value::<StrategySettings>(json).unwrap(),
            test_settings()
        );
    }
}
