//! What an engine tells about its cluster.

use crate::TenantKey;
use domain::{
    BackupSetId, Scn, archive::ArchiveState, backup::BackupSet, recoverable::LogSpan,
    storage::StorageState, strategy::Drift, tenant::TenantState,
};
use serde::Serialize;

/// A cluster as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// When it was looked at.
    pub taken: Scn,
    /// Whether every tenant that has backups is among them. False while the destination was never
    /// read: then a tenant that is not told about may still have all of its backups.
    pub complete: bool,
    /// Its tenants, by name.
    pub tenants: Vec<TenantObservation>,
    /// Its destinations, the first one first.
    pub storages: Vec<StorageState>,
    /// How far the clock was seen to be set back since the engine was opened, in ns; the engine's own
    /// time went on.
    pub clock_back_ns: u64,
    /// Where the cluster has other settings than [`crate::Engine::want`] told, by tenant.
    pub drift: Vec<Drift>,
}

/// A cluster found by what it left at a destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FoundCluster {
    /// Its identity, for [`crate::EngineSettings::adopt`].
    pub identity: String,
    /// Its name when it wrote there last; empty where nothing there tells.
    pub name: String,
    /// Names of its tenants.
    pub tenants: Vec<String>,
}

/// A tenant's second copies as they are now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondObservation {
    /// Whether the second destination could be looked at since it is used. While it could not, the rest
    /// says nothing.
    pub known: bool,
    /// Usable sets there.
    pub sets: Vec<BackupSet>,
    /// Sets that are there and cannot be recovered from until more of the log is there too.
    pub arrived: Vec<BackupSetId>,
    /// Log there.
    pub spans: Vec<LogSpan>,
    /// Bytes of all sets there.
    pub data_bytes: u64,
    /// Bytes of all log there.
    pub log_bytes: u64,
    /// Everything at or before it is there.
    pub checkpoint: Option<Scn>,
    /// Directory of the log there.
    pub directory: String,
}

/// A tenant as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantObservation {
    /// The engine's identity of it.
    pub key: TenantKey,
    /// Name.
    pub name: String,
    /// Whether it is in service.
    pub state: TenantState,
    /// Its data file, for engines whose tenants are files.
    pub data_file: Option<String>,
    /// Bytes of its data.
    pub size_bytes: u64,
    /// Something a person should know about it.
    pub note: Option<String>,
    /// Log archiving.
    pub archive: ArchiveObservation,
    /// Whether its backups could be looked at since the engine was opened. While they could not, what
    /// follows, and the round, start and checkpoint of its log, say nothing.
    pub history_known: bool,
    /// Usable sets: complete, with every set they build on. Ascending by number.
    pub sets: Vec<BackupSet>,
    /// Log at the destination.
    pub spans: Vec<LogSpan>,
    /// Bytes of all its sets at the destination.
    pub data_bytes: u64,
    /// Bytes of all its log at the destination.
    pub log_bytes: u64,
    /// Its second copies; `None` where none are kept.
    pub second: Option<SecondObservation>,
}

/// Log archiving of a tenant as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveObservation {
    /// State.
    pub state: ArchiveState,
    /// Current or last round; 0 before the first.
    pub round: i64,
    /// Start of that round.
    pub started: Option<Scn>,
    /// Everything at or before it is durable at the destination.
    pub checkpoint: Option<Scn>,
    /// Host that archives.
    pub host: String,
    /// Directory at the destination.
    pub directory: String,
    /// Why it is interrupted or who stopped it.
    pub note: Option<String>,
}

/// The outcome of one SQL statement.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SqlResult {
    /// Column names; empty for a statement that gives no rows.
    pub columns: Vec<String>,
    /// Values as text; `None` is NULL.
    pub rows: Vec<Vec<Option<String>>>,
    /// Rows that it inserted, updated or deleted.
    pub changes: u64,
    /// The SCN of its commit, when it committed something.
    pub committed: Option<Scn>,
}

/// What reading everything back found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct VerifyReport {
    /// Backup sets read.
    pub sets: u64,
    /// Log files read.
    pub log_files: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Everything wrong, each naming the file and what to do; empty when sound.
    pub faults: Vec<String>,
}
