//! The port between the console and whatever runs a cluster.
//!
//! [`Engine`] is what use cases call; adapters implement it and never call each other. A pure
//! description of facts and orders: no page, no job queue, no control database is known here.

#[cfg(feature = "conformance")]
pub mod conformance;
mod error;
mod job;
mod observation;
mod wanted;

pub use error::{EngineError, EngineErrorKind};
pub use job::{EngineJobId, EngineJobState, JobReport};
pub use observation::{
    ArchiveObservation, FoundCluster, Observation, SecondObservation, SqlResult, TenantObservation,
    VerifyReport,
};
pub use wanted::{Applied, WantedSettings};

use async_trait::async_trait;
use domain::{
    BackupSetId, Scn,
    backup::BackupKind,
    capability::{Capabilities, EngineKind},
    endpoint::{ConnectionReport, Endpoint},
    placement::{Placement, Resources},
    recovery::{PlannedStep, RecoveryPlan},
    retention::CleanupPlan,
    second_backup::Place,
    storage::ProbeReport,
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// The engine's own identity of a tenant. Survives a rename; a re-created tenant gets another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantKey(pub String);

impl std::fmt::Display for TenantKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// An order for a data backup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupSpec {
    /// The console's own mark of this order; an engine never runs two jobs for one token.
    pub token: String,
    /// The tenant.
    pub tenant: TenantKey,
    /// What to make. An incremental one without a usable base becomes a full one and says so.
    pub kind: BackupKind,
}

/// An order for a recovery, or the question what one would read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoverySpec {
    /// The console's own mark of this order; an engine never runs two jobs for one token.
    pub token: String,
    /// The tenant whose backups are read.
    pub tenant: TenantKey,
    /// Every commit at or before it is in the result, none after it.
    pub until: Scn,
    /// Name of the tenant to make.
    pub new_name: String,
    /// Which copy to read; `None` leaves it to the engine, which takes the first where that can be
    /// read and reaches the moment, else the second.
    pub place: Option<Place>,
    /// Where the new tenant is placed; `None` leaves it to the engine, which places it like its source.
    /// Engines without placement ignore it.
    pub placement: Option<Placement>,
}

/// What to copy to the second destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyWhat {
    /// A set, and every set it builds on that is not there yet.
    Set(BackupSetId),
    /// Every log file that is not there yet.
    Log,
}

/// An order to copy to the second destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopySpec {
    /// The console's own mark of this order; an engine never runs two jobs for one token.
    pub token: String,
    /// The tenant.
    pub tenant: TenantKey,
    /// What.
    pub what: CopyWhat,
    /// Most bytes per second; `None` means as fast as it goes.
    pub limit_bytes_per_s: Option<u64>,
}

/// An order to remove what has expired, or the question what that would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CleanupSpec {
    /// The console's own mark of this order; an engine never runs two jobs for one token.
    pub token: String,
    /// The tenant.
    pub tenant: TenantKey,
    /// Which copy.
    pub place: Place,
    /// Every moment since then that can be recovered to stays so.
    pub keep_from: Scn,
}

/// One kind of cluster, driven.
///
/// Orders are accepted quickly and run inside the engine; their course is asked for with
/// [`Engine::job`]. Every call may be repeated.
#[async_trait]
pub trait Engine: Send + Sync + 'static {
    /// What it can do for this cluster.
    fn capabilities(&self) -> Capabilities;

    /// Its identity where its backups are, for [`EngineSettings::adopt`]; `None` where there is no such thing.
    fn identity(&self) -> Option<String> {
        None
    }

    /// The database behind it, such as `SQLite 3.51.3`.
    fn version(&self) -> String;

    /// Where backups go, as people write it.
    fn destination(&self) -> String;

    /// Everything worth knowing now: tenants, sets, log. Facts at the destination, not intentions.
    /// Tenants whose data cannot be used, or of which only backups are left, are told about with them.
    async fn observe(&self) -> Result<Observation, EngineError>;

    /// Makes an empty tenant and begins to archive its log.
    /// `Rejected` when the name is taken or reserved by a running recovery.
    async fn create_tenant(&self, name: &str) -> Result<TenantKey, EngineError>;

    /// Begins archiving: a new round. `Rejected` when it runs already.
    async fn start_archive(&self, tenant: &TenantKey) -> Result<(), EngineError>;

    /// Ends the round after everything committed so far is durable. `reason` explains the gap later.
    async fn stop_archive(&self, tenant: &TenantKey, reason: &str) -> Result<(), EngineError>;

    /// Begins a data backup. `Rejected` when one of this tenant runs or its log backup is stopped,
    /// `Unreachable` while that begins or is interrupted.
    async fn start_backup(&self, spec: &BackupSpec) -> Result<EngineJobId, EngineError>;

    /// What a recovery would read and reach, also for a tenant that is not in service. `Rejected` with
    /// the nearest possible moments when `until` is not recoverable, or when the new name is taken;
    /// `Unreachable` while its backups cannot be read.
    async fn plan_recovery(&self, spec: &RecoverySpec) -> Result<RecoveryPlan, EngineError>;

    /// Begins a recovery; refuses what [`Engine::plan_recovery`] refuses. The name is reserved at once.
    async fn start_recovery(&self, spec: &RecoverySpec) -> Result<EngineJobId, EngineError>;

    /// What the cluster has for a tenant recovered from this one, which need not be in service any more.
    async fn resources(&self, tenant: &TenantKey) -> Result<Resources, EngineError> {
        Err(unsupported("placement", &tenant.0))
    }

    /// What a recovery that failed or was canceled left in the cluster, as the statements that would remove it,
    /// in order. Removes nothing. Only what that order made is named: never a tenant that can be used.
    /// `Rejected` while the recovery is not over.
    async fn leftovers(&self, spec: &RecoverySpec) -> Result<Vec<PlannedStep>, EngineError> {
        Err(unsupported("clean-up", &spec.new_name))
    }

    /// Removes what [`Engine::leftovers`] tells, and answers with what it sent. Each statement is sent only after a
    /// look that shows that its object is still a left-over; what is gone already is passed over.
    async fn remove_leftovers(&self, spec: &RecoverySpec) -> Result<Vec<PlannedStep>, EngineError> {
        Err(unsupported("clean-up", &spec.new_name))
    }

    /// The job begun for `token`, also when it is known only by what it left on media.
    async fn find_job(&self, token: &str) -> Result<Option<EngineJobId>, EngineError>;

    /// Where a job stands. `NotFound` when the engine lost it, as after a crash.
    async fn job(&self, id: &EngineJobId) -> Result<JobReport, EngineError>;

    /// Asks a job to stop and clean up; its report tells when it has.
    async fn cancel_job(&self, id: &EngineJobId) -> Result<(), EngineError>;

    /// Runs SQL text, one or more statements, and answers with the rows of each.
    /// A transaction still open at the end of the text is rolled back and told as an error.
    async fn run_sql(&self, tenant: &TenantKey, sql: &str) -> Result<Vec<SqlResult>, EngineError>;

    /// Reads every set and log file of a tenant (or, with `None`, of all) back and checks every checksum.
    async fn verify(&self, tenant: Option<&TenantKey>) -> Result<VerifyReport, EngineError>;

    /// The same for the copies at the second destination. `Rejected` without one.
    async fn verify_second(&self, tenant: Option<&TenantKey>) -> Result<VerifyReport, EngineError> {
        let subject = tenant.map_or("all tenants", |tenant| &tenant.0);
        Err(unsupported("verification of second copies", subject))
    }

    /// Where second copies go from now on; `None` ends it and leaves what is there. To be called after each
    /// opening. `Rejected` when it is the first destination, or belongs to something else.
    async fn use_second(&self, destination: Option<&Path>) -> Result<(), EngineError> {
        match destination {
            None => Ok(()),
            Some(path) => Err(unsupported("second backup", &path.display().to_string())),
        }
    }

    /// What the strategy says from now on about settings that the cluster keeps by itself; `None` leaves them
    /// alone. Only remembers it: sends and reads nothing. To be called after each opening.
    fn want(&self, settings: Option<WantedSettings>) {
        let _ = settings;
    }

    /// Sends what the cluster lacks of the settings that it was told with [`Engine::want`], and answers with what
    /// was sent and what became of it; empty where everything is right already. Never stops a round of log: what
    /// would need that is told as a failure.
    async fn apply_wanted(&self) -> Result<Vec<Applied>, EngineError> {
        Ok(Vec::new())
    }

    /// Writes, reads, lists and removes a probe object at what may become a destination; of servers elsewhere the
    /// destination is an address (`file:///backup`), and they may test it only when it is set. A failed step is
    /// part of the report, not an error.
    async fn probe_storage(&self, directory: &Path) -> Result<ProbeReport, EngineError> {
        Err(unsupported("test", &directory.display().to_string()))
    }

    /// Begins to copy; resumes what an earlier order began. `Rejected` without a second destination.
    async fn start_copy(&self, spec: &CopySpec) -> Result<EngineJobId, EngineError> {
        Err(unsupported("second backup", &spec.tenant.0))
    }

    /// What a cleanup would remove and keep, and why. Removes nothing.
    async fn plan_cleanup(&self, spec: &CleanupSpec) -> Result<CleanupPlan, EngineError> {
        Err(unsupported("cleanup", &spec.tenant.0))
    }

    /// Begins to remove what [`Engine::plan_cleanup`] tells, as it is when the job gets to it.
    async fn start_cleanup(&self, spec: &CleanupSpec) -> Result<EngineJobId, EngineError> {
        Err(unsupported("cleanup", &spec.tenant.0))
    }

    /// Ends cleanly: everything committed so far becomes durable at the destination.
    async fn shut_down(&self);
}

/// The refusal of an engine that cannot do `operation` at all.
pub fn unsupported(operation: &'static str, subject: &str) -> EngineError {
    EngineError::new(
        EngineErrorKind::Unsupported,
        operation,
        subject,
        "this kind of cluster cannot do it",
    )
}

/// How a server is reached. The password is not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerAccess {
    /// Addresses and account.
    pub endpoint: Endpoint,
    /// Password.
    pub password: String,
}

impl std::fmt::Debug for ServerAccess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerAccess")
            .field("endpoint", &self.endpoint)
            .finish_non_exhaustive()
    }
}

/// What is needed to open an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineSettings {
    /// What runs the cluster.
    pub kind: EngineKind,
    /// The cluster's name.
    pub name: String,
    /// How its server is reached; absent for clusters that are the console's own files.
    pub server: Option<ServerAccess>,
    /// Directory of the cluster's own files; of no meaning for servers elsewhere.
    pub home: PathBuf,
    /// Directory its backups go to; of no meaning for servers elsewhere.
    pub destination: PathBuf,
    /// Identity of a cluster whose backups are at the destination and whose home is lost: it is taken on
    /// instead of making a new one. Without meaning for a home that has an identity already.
    pub adopt: Option<String>,
}

/// Opens engines; made where the binary is wired together, so that use cases name none.
#[async_trait]
pub trait EngineOpener: Send + Sync + 'static {
    /// Opens a cluster, creating its home and preparing its destination when they are new.
    async fn open(&self, settings: &EngineSettings) -> Result<Arc<dyn Engine>, EngineError>;

    /// Tries step by step what the console needs of a server: reach it, sign in, see what is to be backed up. A
    /// failed step is part of the report, not an error.
    async fn try_server(
        &self,
        kind: EngineKind,
        server: &ServerAccess,
    ) -> Result<ConnectionReport, EngineError> {
        let _ = kind;
        let subject = server.endpoint.to_string();
        Err(unsupported("test of a connection", &subject))
    }

    /// The clusters whose backups are at a destination, for a console that knows nothing of them.
    async fn survey(
        &self,
        kind: EngineKind,
        destination: &Path,
    ) -> Result<Vec<FoundCluster>, EngineError> {
        let _ = kind;
        Err(unsupported("survey", &destination.display().to_string()))
    }
}
