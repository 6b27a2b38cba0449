//! Clusters: what the list and the top of the page say about one.

use crate::{
    ClusterId, Revision, Scn,
    capability::{Capabilities, EngineKind},
    endpoint::{Access, Endpoint},
};
use serde::{Deserialize, Serialize};

/// State of scheduling (UI: Status), not of any single backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleStatus {
    /// No strategy.
    None,
    /// A strategy whose first run is still to come.
    Waiting,
    /// Scheduling is on.
    Normal,
    /// A person paused it.
    Paused,
    /// The latest scheduled run failed.
    Abnormal,
}

impl ScheduleStatus {
    /// The specification's label.
    pub const fn label(self) -> &'static str {
        match self {
            ScheduleStatus::None => "No Backup Strategy",
            ScheduleStatus::Waiting => "Pending Backup Scheduling",
            ScheduleStatus::Normal => "In Progress",
            ScheduleStatus::Paused => "Paused",
            ScheduleStatus::Abnormal => "Scheduling Exception",
        }
    }
}

/// A managed cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cluster {
    /// Number in the control database.
    pub id: ClusterId,
    /// Unique name; part of the page's address.
    pub name: String,
    /// What runs it.
    pub engine: EngineKind,
    /// Version of the database behind it, such as `SQLite 3.51.3`.
    pub version: String,
    /// What can be done with it.
    pub capabilities: Capabilities,
    /// Where its backups go, as people write it.
    pub destination: String,
    /// Where its server listens; absent for clusters that are the console's own files.
    #[serde(default)]
    pub endpoint: Option<Endpoint>,
    /// When it was last observed.
    pub observed: Option<Scn>,
    /// Why the last look at it failed.
    pub fault: Option<String>,
    /// Version of this row.
    pub rev: Revision,
}

/// The basic information of a cluster, and its line in the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterSummary {
    /// The cluster.
    pub cluster: Cluster,
    /// Status of scheduling.
    pub status: ScheduleStatus,
    /// Why scheduling is an exception, or its first run is still to come though its time has passed.
    pub status_reason: Option<String>,
    /// Version of the strategy, if there is one.
    pub strategy_rev: Option<Revision>,
    /// Whether the strategy keeps a second copy.
    pub second_backup: bool,
    /// Settings of the cluster that are not what the strategy says.
    #[serde(default)]
    pub drift: u32,
    /// Tenants online.
    pub tenants: u32,
    /// Bytes of all backup sets and logs at the destination.
    pub backup_file_bytes: u64,
    /// When the newest data backup was complete, of which tenants' newest sets.
    pub last_data_backup: Option<Scn>,
    /// Tenants with at least one usable set.
    pub tenants_backed_up: u32,
    /// The oldest of the checkpoints of tenants that archive.
    pub log_checkpoint: Option<Scn>,
    /// The tenant that has it.
    pub log_checkpoint_tenant: Option<String>,
    /// Tenants whose log backup is not in progress.
    pub log_not_running: u32,
    /// Start of the union of recoverable ranges.
    pub recoverable_from: Option<Scn>,
    /// End of the union of recoverable ranges.
    pub recoverable_until: Option<Scn>,
    /// Data backups and recoveries that are not final.
    pub tasks_active: u32,
}

/// A cluster to make.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct NewCluster {
    /// Its name.
    pub name: String,
    /// What runs it.
    #[serde(default)]
    pub engine: EngineKind,
    /// How it is reached; only for clusters that are servers elsewhere.
    #[serde(default)]
    pub access: Option<Access>,
    /// Directory for its backups; absent means the default below the console's home. Only for embedded clusters.
    pub destination: Option<String>,
    /// Name of a tenant to make at once. Only for embedded clusters.
    pub first_tenant: Option<String>,
}
