//! The JSON of the commands about strategies; also what `--json` prints. Fields are added, never renamed.

use domain::{
    schedule::PlannedRun,
    storage::{ProbeReport, StorageKeys, StorageSettings},
    strategy::{Drift, Schedule, StorageUse, StrategyReport, StrategySaved, StrategySettings},
};
use serde::{Deserialize, Serialize};

/// A strategy to write. What `strategy show --json` and `strategy template` print is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetOrder {
    /// Version of the strategy that it was made from; absent or null makes a new one.
    pub rev: Option<i64>,
    /// Everything a person decides.
    pub settings: StrategySettings,
    /// Keys of object storages; those that are absent stay as they are. Never printed.
    #[serde(default, skip_serializing_if = "is_none")]
    pub keys: StorageKeys,
}

fn is_none(keys: &StorageKeys) -> bool {
    *keys == StorageKeys::default()
}

/// A strategy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Strategy {
    /// Its version.
    pub rev: i64,
    /// Everything a person decided.
    pub settings: StrategySettings,
    /// `No Backup Strategy`, `Pending Backup Scheduling`, `In Progress`, `Paused` or `Scheduling Exception`.
    pub status: String,
    /// Why scheduling is an exception.
    pub status_reason: Option<String>,
    /// Since when it is paused.
    pub paused_at: Option<String>,
    /// When it was made.
    pub created: String,
    /// When it was changed last.
    pub modified: String,
    /// By whom.
    pub modified_by: String,
    /// The next runs.
    pub next: Vec<Run>,
    /// What a person should think about: field and sentence.
    pub warnings: Vec<Advice>,
    /// Where the cluster has other settings than it says.
    #[serde(default)]
    pub drift: Vec<Drift>,
}

impl From<StrategyReport> for Strategy {
    fn from(report: StrategyReport) -> Self {
        let strategy = report.strategy;
        Strategy {
            rev: strategy.rev.0,
            settings: strategy.settings,
            status: report.status.label().to_owned(),
            status_reason: report.reason,
            paused_at: report.paused_at.map(|at| at.to_rfc3339()),
            created: strategy.created.to_rfc3339(),
            modified: strategy.modified.to_rfc3339(),
            modified_by: report.modified_by,
            drift: report.drift,
            next: report.next.into_iter().map(Into::into).collect(),
            warnings: report
                .warnings
                .into_iter()
                .map(|warning| Advice {
                    field: warning.field,
                    text: warning.text,
                })
                .collect(),
        }
    }
}

/// Something a person should think about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advice {
    /// Label of the field.
    pub field: String,
    /// What will happen.
    pub text: String,
}

/// A run that is to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// When.
    pub at: String,
    /// On the wall clock of the schedule's zone.
    pub wall: String,
    /// `full` or `incremental`.
    pub kind: String,
    /// Why it is not at the time of day that was asked for.
    pub note: Option<String>,
}

impl From<PlannedRun> for Run {
    fn from(run: PlannedRun) -> Self {
        Run {
            at: run.at.to_rfc3339(),
            wall: run.wall,
            kind: run.kind.code().to_owned(),
            note: run.note,
        }
    }
}

/// The schedule whose next runs are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewOrder {
    /// It need not be saved.
    pub schedule: Schedule,
}

/// Runs that are to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// In order.
    pub next: Vec<Run>,
}

/// A strategy that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// Its version now.
    pub rev: i64,
    /// Its settings now.
    pub settings: StrategySettings,
    /// What changed, one field each; empty for a new one.
    pub changes: Vec<String>,
    /// What was begun with it.
    pub notes: Vec<String>,
}

impl From<StrategySaved> for Saved {
    fn from(saved: StrategySaved) -> Self {
        Saved {
            rev: saved.strategy.rev.0,
            settings: saved.strategy.settings,
            changes: saved.changes.iter().map(ToString::to_string).collect(),
            notes: saved.notes,
        }
    }
}

/// A strategy to delete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteOrder {
    /// Its version; absent means whichever it is.
    pub rev: Option<i64>,
    /// Whether log backup of all tenants is stopped too.
    pub stop_log_backup: bool,
}

/// What deleting did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleted {
    /// What was stopped, and what could not be.
    pub notes: Vec<String>,
}

/// A storage to try.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestOrder {
    /// The storage.
    pub storage: StorageSettings,
    /// Whether it is to hold second copies, so that nothing else may be there.
    pub must_be_empty: bool,
}

/// What trying it found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tested {
    /// Whether every step succeeded.
    pub passed: bool,
    /// The steps and what else was found.
    #[serde(flatten)]
    pub report: ProbeReport,
}

/// Storage configurations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Storages {
    /// By name.
    pub storages: Vec<Storage>,
}

/// A storage configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Storage {
    /// What it is.
    #[serde(flatten)]
    pub settings: StorageSettings,
    /// Clusters whose backups go there.
    pub first_of: Vec<String>,
    /// Clusters whose second copies go there.
    pub second_of: Vec<String>,
}

impl From<StorageUse> for Storage {
    fn from(used: StorageUse) -> Self {
        Storage {
            settings: used.config.settings,
            first_of: used.first_of,
            second_of: used.second_of,
        }
    }
}

/// Another name for a storage configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenameOrder {
    /// Its name.
    pub name: String,
    /// The other name.
    pub new_name: String,
}
