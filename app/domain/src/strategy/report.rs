//! What the page and the commands are told about a strategy, and what they ask for.

use super::{BackupStrategy, Difference, Drift, StrategySettings, TimeOfDay, check::Warning};
use crate::{
    Revision, Scn,
    backup::BackupMethod,
    capability::{Ability, Expiry},
    cluster::ScheduleStatus,
    schedule::PlannedRun,
    storage::{StorageConfig, StorageKind},
};
use serde::{Deserialize, Serialize};

/// Runs that are shown before they come.
pub const PREVIEW_RUNS: usize = 5;
/// Time of day that a new strategy proposes.
pub const FIRST_TIME: TimeOfDay = TimeOfDay { hour: 2, minute: 0 };

/// A strategy as the page shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrategyReport {
    /// The strategy; its directories are absolute.
    pub strategy: BackupStrategy,
    /// Who changed it last.
    pub modified_by: String,
    /// Since when it is paused.
    pub paused_at: Option<Scn>,
    /// The next runs; none while it is paused.
    pub next: Vec<PlannedRun>,
    /// What a person should think about.
    pub warnings: Vec<Warning>,
    /// How scheduling stands.
    pub status: ScheduleStatus,
    /// Why it is an exception.
    pub reason: Option<String>,
    /// Where the cluster has other settings than it says, as far as was seen; at most [`super::DRIFT_MAX`].
    pub drift: Vec<Drift>,
}

/// A storage configuration, and the clusters that use it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StorageUse {
    /// The configuration; its directory is absolute.
    pub config: StorageConfig,
    /// Names of the clusters whose backups go there.
    pub first_of: Vec<String>,
    /// Names of the clusters whose second copies go there.
    pub second_of: Vec<String>,
}

/// What the form begins with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrategyForm {
    /// The present settings, or what is proposed for a new strategy.
    pub settings: StrategySettings,
    /// Version of the present strategy; absent for a new one.
    pub rev: Option<Revision>,
    /// Kinds of data backup that the cluster can make.
    pub methods: Vec<BackupMethod>,
    /// Whether incremental data backup exists.
    pub incremental: bool,
    /// Whether a second copy can be kept.
    pub second: bool,
    /// Whether the storage directory can be another one.
    pub change_destination: Ability,
    /// What the cluster's backups can be kept in.
    pub kinds: Vec<StorageKind>,
    /// Who removes expired backups.
    pub expiry: Expiry,
    /// Storage configurations to choose from.
    pub storages: Vec<StorageUse>,
    /// Names of the zones there are.
    pub zones: Vec<String>,
}

/// A strategy that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrategySaved {
    /// The strategy.
    pub strategy: BackupStrategy,
    /// What changed; empty for a new one, and for one that was written already.
    pub changes: Vec<Difference>,
    /// What a person should know about what was begun with it.
    pub notes: Vec<String>,
}

/// What becomes of log backup when a strategy is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogBackupEnd {
    /// It goes on.
    Keep,
    /// It is stopped for all tenants.
    Stop,
}
