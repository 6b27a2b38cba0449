//! Recovery: rebuilding a tenant, under a new name, as of a moment.

use crate::{
    BackupSetId, JobId, Revision, Scn, TenantId,
    backup::BackupKind,
    job::{JobState, Progress},
    placement::Placement,
    second_backup::Place,
};
use serde::{Deserialize, Serialize};

/// What a person asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryRequest {
    /// The tenant to recover.
    pub tenant: TenantId,
    /// Every commit at or before it is in the result, none after it.
    pub until: Scn,
    /// Name of the tenant to make.
    pub new_name: String,
    /// Which copy of the backups to read; `None` takes the first where that can be read and reaches the
    /// moment, else the second.
    #[serde(default)]
    pub place: Option<Place>,
    /// Where the new tenant is placed; `None` leaves it to the engine, which places it like its source.
    #[serde(default)]
    pub placement: Option<Placement>,
}

/// One backup set that a recovery reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedSet {
    /// Number of the set.
    pub id: BackupSetId,
    /// Full or incremental.
    pub kind: BackupKind,
    /// When it was taken.
    pub taken: Scn,
    /// Bytes to read.
    pub stored_bytes: u64,
}

/// How exactly the result is the state at the chosen moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// Nothing committed by the moment is missing, and nothing later is in the result.
    Exact,
    /// What other programs commit between two looks counts from the second: nothing committed later than the
    /// moment is in the result, and everything committed by `after` is.
    Within {
        /// What another program committed between it and the chosen moment may be missing.
        after: Scn,
    },
}

/// What one statement of a recovery, or of cleaning up after one, is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepKind {
    /// Make a unit specification.
    CreateUnit,
    /// Make a resource pool.
    CreatePool,
    /// Prepare the session.
    SetSession,
    /// Recover the tenant.
    Restore,
    /// Make the recovered tenant writable.
    Activate,
    /// Remove what is there of the tenant.
    DropTenant,
    /// Remove a resource pool.
    DropPool,
    /// Remove a unit specification.
    DropUnit,
}

impl StepKind {
    /// What the page calls it.
    pub const fn label(self) -> &'static str {
        match self {
            StepKind::CreateUnit => "Create the unit specification",
            StepKind::CreatePool => "Create the resource pool",
            StepKind::SetSession => "Prepare the session",
            StepKind::Restore => "Recover the tenant",
            StepKind::Activate => "Activate the tenant",
            StepKind::DropTenant => "Drop what is left of the tenant",
            StepKind::DropPool => "Drop the resource pool",
            StepKind::DropUnit => "Drop the unit specification",
        }
    }
}

/// One statement that is sent to the cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedStep {
    /// What it is for.
    pub what: StepKind,
    /// Its text, with what is secret left out.
    pub statement: String,
}

/// What a recovery would read and reach; shown before anything starts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryPlan {
    /// The moment asked for.
    pub until: Scn,
    /// The copy of the backups that is read.
    #[serde(default)]
    pub place: Place,
    /// Sets to apply in order: a full one, then incremental ones.
    pub sets: Vec<PlannedSet>,
    /// Log round to replay.
    pub round: i64,
    /// Log from here.
    pub log_from: Scn,
    /// Log files to read.
    pub log_files: u32,
    /// Bytes of log to read.
    pub log_bytes: u64,
    /// Commits to replay.
    pub commits: u64,
    /// The last commit that will be in the result, or the set's own state when none follows it.
    pub target_scn: Scn,
    /// How exactly the result is the state at `until`.
    pub precision: Precision,
    /// Size of the tenant to make.
    pub result_bytes: u64,
    /// Estimated milliseconds for the whole; absent without any earlier measurement.
    pub estimate_ms: Option<u64>,
    /// The statements in the order in which they are sent; empty where the engine needs none.
    #[serde(default)]
    pub steps: Vec<PlannedStep>,
}

impl RecoveryPlan {
    /// Commits to replay; nothing where a cluster recovers by itself, which counts none.
    pub fn known_commits(&self) -> Option<u64> {
        (self.commits > 0 || self.steps.is_empty()).then_some(self.commits)
    }
}

/// The proof that a recovered tenant equals its source at the target commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryProof {
    /// State digest that the log recorded for the target commit, hexadecimal.
    pub expected_digest: String,
    /// State digest computed from the recovered pages, hexadecimal.
    pub computed_digest: String,
    /// The last commit in the result.
    pub target_scn: Scn,
    /// Pages of the result.
    pub pages: u64,
    /// What SQLite's own check answered; `ok` when sound.
    pub quick_check: String,
}

/// One row of "Recovery Tasks".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryJob {
    /// Task number.
    pub id: JobId,
    /// Cluster whose backup is read.
    pub source_cluster: String,
    /// Tenant whose backup is read.
    pub source_tenant: String,
    /// Its number.
    pub source_tenant_id: TenantId,
    /// Cluster that gets the new tenant.
    pub destination_cluster: String,
    /// Name of the new tenant.
    pub destination_tenant: String,
    /// The moment asked for.
    pub until: Scn,
    /// When it was asked for.
    pub created: Scn,
    /// When work began.
    pub started: Option<Scn>,
    /// When it ended.
    pub ended: Option<Scn>,
    /// Where it stands.
    pub state: JobState,
    /// How far it is; `phase` is the status text while it runs.
    pub progress: Progress,
    /// The proof, once complete.
    pub proof: Option<RecoveryProof>,
    /// Why it failed, and what to do.
    pub failure: Option<String>,
    /// Version of this row.
    pub rev: Revision,
}
