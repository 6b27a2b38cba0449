//! The JSON of the commands' API, which is also what `--json` prints. Fields are added, never renamed.
//!
//! Moments are RFC 3339 in UTC with nine digits, so that they can be given back to `--at` unchanged.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use domain::{
    Scn, TenantId, backup::BackupJob, job::JobState, page::TenantPeriod, recovery::RecoveryJob,
    second_backup::Place,
};
use serde::{Deserialize, Serialize};

/// The sort of a refusal that passes by itself in a moment.
pub const NOT_YET: &str = "not_yet";

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What sort of refusal: `not_found`, `invalid`, `conflict`, `not_yet`, `forbidden`, `unavailable`, `internal`;
    /// `usage` for what was typed, and `failed` for a task or a check that ended badly.
    pub kind: String,
    /// One sentence with the way forward.
    pub message: String,
    /// The number of the request, with which the server's log says more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
}

impl Problem {
    /// A problem of `kind`.
    pub fn new(kind: &str, message: impl Into<String>) -> Self {
        Problem {
            kind: kind.to_owned(),
            message: message.into(),
            request: super::request::current().map(|id| id.to_string()),
        }
    }

    /// This problem as an HTTP answer.
    pub fn answer(self, status: StatusCode) -> Response {
        (status, Json(Trouble { error: self })).into_response()
    }
}

/// A document that is a problem.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble {
    /// The problem.
    pub error: Problem,
}

/// A tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// `online`, `offline` or `faulty`.
    pub state: String,
    /// Bytes of its data.
    pub size_bytes: u64,
    /// Its data file; any SQLite program may open it.
    pub data_file: Option<String>,
    /// Something to know about it.
    pub note: Option<String>,
}

impl From<domain::tenant::Tenant> for Tenant {
    fn from(tenant: domain::tenant::Tenant) -> Self {
        Tenant {
            id: tenant.id.0,
            name: tenant.name,
            state: tenant.state.code().to_owned(),
            size_bytes: tenant.size_bytes,
            data_file: tenant.data_file,
            note: tenant.note,
        }
    }
}

/// The tenants of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenants {
    /// The cluster.
    pub cluster: String,
    /// Its tenants, by name.
    pub tenants: Vec<Tenant>,
}

/// A task: a data backup or a recovery.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Its number, the ID column of the page.
    pub id: i64,
    /// `data_backup` or `recovery`.
    pub kind: String,
    /// `queued`, `starting`, `running`, `canceling`, `completed`, `failed` or `canceled`.
    pub state: String,
    /// The tenant that is backed up, or whose backups are read.
    pub tenant: String,
    /// When it was asked for.
    pub created: String,
    /// When work began.
    pub started: Option<String>,
    /// When it ended.
    pub ended: Option<String>,
    /// How far it is.
    pub progress: Progress,
    /// Why it failed, and what to do.
    pub failure: Option<String>,
    /// What a data backup made.
    pub backup: Option<BackupResult>,
    /// What a recovery makes.
    pub recovery: Option<RecoveryResult>,
}

/// How far a task is; all zero before it is known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// What is being done, in words.
    pub phase: String,
    /// Bytes done of `total_bytes`.
    pub done_bytes: u64,
    /// Bytes to do; zero while unknown.
    pub total_bytes: u64,
    /// Bytes per second lately.
    pub rate_bytes_per_s: u64,
    /// Milliseconds left, when they can be told.
    pub eta_ms: Option<u64>,
}

impl Progress {
    /// Whole percent, 0 to 100; absent while the total is unknown.
    pub fn percent(&self) -> Option<u8> {
        let known = domain::job::Progress {
            done_bytes: self.done_bytes,
            total_bytes: self.total_bytes,
            ..Default::default()
        };
        known.percent()
    }
}

impl From<domain::job::Progress> for Progress {
    fn from(progress: domain::job::Progress) -> Self {
        Progress {
            phase: progress.phase,
            done_bytes: progress.done_bytes,
            total_bytes: progress.total_bytes,
            rate_bytes_per_s: progress.rate_bytes_per_s,
            eta_ms: progress.eta_ms,
        }
    }
}

/// The proof that a recovered tenant equals its source at the target commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proof {
    /// State digest that the log recorded for the target commit, hexadecimal.
    pub expected_digest: String,
    /// State digest computed from the recovered pages, hexadecimal.
    pub computed_digest: String,
    /// The last commit in the result.
    pub target_scn: String,
    /// Pages of the result.
    pub pages: u64,
    /// What SQLite's own check answered; `ok` when sound.
    pub quick_check: String,
}

impl From<domain::recovery::RecoveryProof> for Proof {
    fn from(proof: domain::recovery::RecoveryProof) -> Self {
        Proof {
            expected_digest: proof.expected_digest,
            computed_digest: proof.computed_digest,
            target_scn: moment(proof.target_scn),
            pages: proof.pages,
            quick_check: proof.quick_check,
        }
    }
}

/// What a data backup made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupResult {
    /// `full` or `incremental`, as asked for.
    pub asked: String,
    /// The same as it became; differs when no earlier set was usable.
    pub actual: Option<String>,
    /// Why it differs.
    pub actual_reason: Option<String>,
    /// Number of the set.
    pub set: Option<i64>,
    /// The earliest moment the set can be recovered to.
    pub recoverable_from: Option<String>,
    /// Directory of the set.
    pub directory: Option<String>,
}

/// What a recovery makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryResult {
    /// The moment asked for.
    pub until: String,
    /// Name of the new tenant.
    pub new_tenant: String,
    /// Its data file, once it is there.
    pub data_file: Option<String>,
    /// The proof that it equals the source at that moment, once complete.
    pub proof: Option<Proof>,
}

impl Task {
    /// Whether nothing can happen to it any more.
    pub fn is_final(&self) -> bool {
        JobState::from_code(&self.state).is_some_and(JobState::is_final)
    }

    /// Whether it did what was asked.
    pub fn is_completed(&self) -> bool {
        self.state == JobState::Completed.code()
    }
}

impl From<BackupJob> for Task {
    fn from(job: BackupJob) -> Self {
        Task {
            id: job.id.0,
            kind: domain::job::JobKind::DataBackup.code().to_owned(),
            state: job.state.code().to_owned(),
            tenant: job.tenant_name,
            created: moment(job.created),
            started: job.started.map(moment),
            ended: job.ended.map(moment),
            progress: job.progress.into(),
            failure: job.failure,
            backup: Some(BackupResult {
                asked: job.asked.code().to_owned(),
                actual: job.actual.map(|kind| kind.code().to_owned()),
                actual_reason: job.actual_reason,
                set: job.set.map(|set| set.0),
                recoverable_from: job.min_restore_scn.map(moment),
                directory: job.directory,
            }),
            recovery: None,
        }
    }
}

impl From<RecoveryJob> for Task {
    fn from(job: RecoveryJob) -> Self {
        Task {
            id: job.id.0,
            kind: domain::job::JobKind::Recovery.code().to_owned(),
            state: job.state.code().to_owned(),
            tenant: job.source_tenant,
            created: moment(job.created),
            started: job.started.map(moment),
            ended: job.ended.map(moment),
            progress: job.progress.into(),
            failure: job.failure,
            backup: None,
            recovery: Some(RecoveryResult {
                until: moment(job.until),
                new_tenant: job.destination_tenant,
                data_file: None,
                proof: job.proof.map(Proof::from),
            }),
        }
    }
}

/// Tasks just asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tasks {
    /// The tasks.
    pub tasks: Vec<Task>,
    /// For each tenant that is left out: why, and what to do.
    #[serde(default)]
    pub skipped: Vec<String>,
}

/// A server that has begun to serve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Serving {
    /// Where pages can be opened.
    pub url: String,
    /// Its home.
    pub home: String,
    /// While there is no user: the link that makes the first administrator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_run: Option<String>,
}

/// The moments a tenant can be recovered to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ranges {
    /// The cluster.
    pub cluster: String,
    /// The tenant.
    pub tenant: String,
    /// The server's now.
    pub now: String,
    /// The ranges, ascending.
    pub ranges: Vec<Range>,
    /// The time between them, and why.
    pub gaps: Vec<Gap>,
    /// Everything committed at or before it is durable at the destination.
    pub checkpoint: Option<String>,
    /// How far the checkpoint is behind now.
    pub log_delay_ms: Option<u64>,
}

/// Moments from `start` to `end`, both included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// First recoverable moment.
    pub start: String,
    /// Last recoverable moment.
    pub end: String,
}

/// Time that cannot be recovered to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The last recoverable moment before it.
    pub since: String,
    /// The first one after it; absent while it lasts.
    pub until: Option<String>,
    /// Why, as one word.
    pub cause: String,
    /// Why, in words.
    pub note: String,
}

impl Ranges {
    /// What the page's period says about one tenant.
    pub fn new(cluster: &str, period: TenantPeriod, now: Scn) -> Self {
        Ranges {
            cluster: cluster.to_owned(),
            tenant: period.name,
            now: moment(now),
            ranges: period
                .ranges
                .iter()
                .map(|range| Range {
                    start: moment(range.start),
                    end: moment(range.end),
                })
                .collect(),
            gaps: period
                .gaps
                .into_iter()
                .map(|gap| Gap {
                    since: moment(gap.since),
                    until: gap.until.map(moment),
                    cause: gap.cause.code().to_owned(),
                    note: gap.note,
                })
                .collect(),
            checkpoint: period.checkpoint.map(moment),
            log_delay_ms: period.checkpoint.map(|scn| now.since_ns(scn) / 1_000_000),
        }
    }
}

/// An order for a data backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupOrder {
    /// The tenant's name.
    pub tenant: String,
    /// Everything, even where less would do.
    pub full: bool,
}

/// An order for a recovery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryOrder {
    /// Name of the tenant whose backups are read.
    pub tenant: String,
    /// The moment.
    pub at: String,
    /// Name of the tenant to make.
    pub new_name: String,
    /// The copy to read: `first` or `second`; absent leaves it to the cluster.
    #[serde(default)]
    pub from: Option<Place>,
}

/// SQL to run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlOrder {
    /// One or more statements.
    pub sql: String,
}

/// What statements answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SqlAnswers {
    /// One for each statement.
    pub results: Vec<SqlAnswer>,
}

/// What one statement answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SqlAnswer {
    /// Column names; empty for a statement that gives no rows.
    pub columns: Vec<String>,
    /// Values as text; null is NULL.
    pub rows: Vec<Vec<Option<String>>>,
    /// Rows that it inserted, updated or deleted.
    pub changes: u64,
    /// The moment of its commit.
    pub committed: Option<String>,
}

impl From<engine::SqlResult> for SqlAnswer {
    fn from(result: engine::SqlResult) -> Self {
        SqlAnswer {
            columns: result.columns,
            rows: result.rows,
            changes: result.changes,
            committed: result.committed.map(moment),
        }
    }
}

/// What to verify.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifyOrder {
    /// Only this tenant.
    pub tenant: Option<String>,
    /// The copy to read: `first` or `second`.
    #[serde(default)]
    pub from: Place,
}

/// What reading everything back found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// Backup sets read.
    pub sets: u64,
    /// Log files read.
    pub log_files: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Everything wrong; empty when sound.
    pub faults: Vec<String>,
}

impl From<engine::VerifyReport> for Verified {
    fn from(report: engine::VerifyReport) -> Self {
        Verified {
            sets: report.sets,
            log_files: report.log_files,
            bytes: report.bytes,
            faults: report.faults,
        }
    }
}

/// A tenant to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantOrder {
    /// Its name.
    pub name: String,
}

/// Keys to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyOrder {
    /// Whether secrets whose key is lost are removed.
    pub forget: bool,
}

/// Keys that were changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyChanged {
    /// Name of the key from now on.
    pub key_id: String,
    /// Secrets sealed anew.
    pub resealed: usize,
    /// Secrets removed.
    pub forgotten: usize,
}

/// A copy of the control database to make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CopyOrder {
    /// The file, with its whole path on the server's machine.
    pub file: std::path::PathBuf,
}

pub(super) fn moment(scn: Scn) -> String {
    scn.to_rfc3339()
}

/// The tenant of this name: the one in service, else the newest one that was.
pub fn tenant_named<'a>(
    tenants: &'a [domain::tenant::Tenant],
    name: &str,
) -> Option<&'a domain::tenant::Tenant> {
    let rank = |tenant: &&domain::tenant::Tenant| {
        (
            tenant.state != domain::tenant::TenantState::Offline,
            tenant.id,
        )
    };
    tenants
        .iter()
        .filter(|tenant| tenant.name == name)
        .max_by_key(rank)
}

/// The number of [`tenant_named`], or the problem with the names there are.
pub fn tenant_id(
    tenants: &[domain::tenant::Tenant],
    cluster: &str,
    name: &str,
) -> Result<TenantId, Problem> {
    if let Some(tenant) = tenant_named(tenants, name) {
        return Ok(tenant.id);
    }
    let mut known: Vec<_> = tenants.iter().map(|tenant| tenant.name.as_str()).collect();
    known.dedup();
    let known = if known.is_empty() {
        "no tenant yet".to_owned()
    } else {
        known.join(", ")
    };
    Err(Problem::new(
        "not_found",
        format!("tenant \"{name}\" does not exist in cluster \"{cluster}\"; it has: {known}"),
    ))
}
