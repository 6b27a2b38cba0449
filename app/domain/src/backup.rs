//! Data backup: kinds, sets, and the tasks that make them.

use crate::{
    BackupSetId, JobId, Revision, Scn, TenantId, job::JobState, job::Progress, task::SecondOf,
};
use serde::{Deserialize, Serialize};

/// What a backup is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupMethod {
    /// Pages or blocks, and logs.
    Physical,
    /// Statements and rows.
    Logical,
}

impl BackupMethod {
    /// The specification's label.
    pub const fn label(self) -> &'static str {
        match self {
            BackupMethod::Physical => "Physical Backup",
            BackupMethod::Logical => "Logical Backup",
        }
    }
}

/// How much a data backup reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BackupKind {
    /// Everything.
    Full,
    /// What changed since an earlier set.
    Incremental,
}

impl BackupKind {
    /// Every kind.
    pub const ALL: [BackupKind; 2] = [BackupKind::Full, BackupKind::Incremental];

    /// The specification's label.
    pub const fn label(self) -> &'static str {
        match self {
            BackupKind::Full => "Full",
            BackupKind::Incremental => "Incremental",
        }
    }

    /// The stored and wire form.
    pub const fn code(self) -> &'static str {
        match self {
            BackupKind::Full => "full",
            BackupKind::Incremental => "incremental",
        }
    }

    /// Reads [`BackupKind::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "full" => Some(BackupKind::Full),
            "incremental" => Some(BackupKind::Incremental),
            _ => None,
        }
    }
}

/// The result of a data backup on its destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupSet {
    /// Number within the tenant, ascending.
    pub id: BackupSetId,
    /// What it holds in fact, whatever was asked for.
    pub kind: BackupKind,
    /// The set it builds on; absent for a full one.
    pub base: Option<BackupSetId>,
    /// The log round it belongs to.
    pub round: i64,
    /// The earliest moment it can be recovered to (its minimum restore SCN).
    pub min_restore_scn: Scn,
    /// When its backup began.
    pub started: Scn,
    /// When it was complete on the destination.
    pub finished: Scn,
    /// Bytes on the destination.
    pub stored_bytes: u64,
    /// Bytes of the data it stands for.
    pub raw_bytes: u64,
}

/// What caused a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// A person, in the page or on the command line.
    Manual,
    /// The console itself: the first full backup of a new log round.
    NewRound,
    /// The backup strategy's schedule.
    Schedule,
    /// The end of another task: a set was made and is to be copied.
    Follow,
    /// A person, trying a failed task again.
    Retry,
}

impl Trigger {
    /// The stored and wire form.
    pub const fn code(self) -> &'static str {
        match self {
            Trigger::Manual => "manual",
            Trigger::NewRound => "new_round",
            Trigger::Schedule => "schedule",
            Trigger::Follow => "follow",
            Trigger::Retry => "retry",
        }
    }

    /// Reads [`Trigger::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "manual" => Some(Trigger::Manual),
            "new_round" => Some(Trigger::NewRound),
            "schedule" => Some(Trigger::Schedule),
            "follow" => Some(Trigger::Follow),
            "retry" => Some(Trigger::Retry),
            _ => None,
        }
    }
}

/// Whether a task backs up a whole cluster or one tenant; the column "Backup Task Source".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskSource {
    /// Every tenant of the cluster was backed up together.
    Cluster,
    /// One tenant was backed up.
    Tenant,
}

impl TaskSource {
    /// Every source.
    pub const ALL: [TaskSource; 2] = [TaskSource::Cluster, TaskSource::Tenant];

    /// The specification's label.
    pub const fn label(self) -> &'static str {
        match self {
            TaskSource::Cluster => "Cluster backup",
            TaskSource::Tenant => "Tenant backup",
        }
    }

    /// The stored and wire form.
    pub const fn code(self) -> &'static str {
        match self {
            TaskSource::Cluster => "cluster",
            TaskSource::Tenant => "tenant",
        }
    }

    /// Reads [`TaskSource::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "cluster" => Some(TaskSource::Cluster),
            "tenant" => Some(TaskSource::Tenant),
            _ => None,
        }
    }
}

/// What an order to back up now has begun.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BackupsBegun {
    /// The tasks.
    pub tasks: Vec<JobId>,
    /// For each tenant that is left out: its name, why, and what to do, in a sentence without an end.
    pub skipped: Vec<String>,
}

/// One row of "Data Backup Tasks".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupJob {
    /// Task number.
    pub id: JobId,
    /// The tenant's number.
    pub tenant: TenantId,
    /// The tenant's name.
    pub tenant_name: String,
    /// What was asked for.
    pub asked: BackupKind,
    /// What was made in fact; absent until the engine knows. Differs from `asked` when no base was usable.
    pub actual: Option<BackupKind>,
    /// Why `actual` differs from `asked`.
    pub actual_reason: Option<String>,
    /// The set made; absent until there is one.
    pub set: Option<BackupSetId>,
    /// Cluster or tenant backup.
    pub source: TaskSource,
    /// What caused it.
    pub trigger: Trigger,
    /// When it was asked for.
    pub created: Scn,
    /// When work began.
    pub started: Option<Scn>,
    /// When it ended, however it ended.
    pub ended: Option<Scn>,
    /// Where it stands.
    pub state: JobState,
    /// How far it is, while it runs.
    pub progress: Progress,
    /// The earliest moment the set can be recovered to, once complete.
    pub min_restore_scn: Option<Scn>,
    /// Directory of the set, once complete.
    pub directory: Option<String>,
    /// Why it failed, and what to do.
    pub failure: Option<String>,
    /// When its progress moved last.
    #[serde(default)]
    pub moved: Option<Scn>,
    /// The copy of its set, where one was begun.
    #[serde(default)]
    pub second: Option<SecondOf>,
    /// Version of this row.
    pub rev: Revision,
}
