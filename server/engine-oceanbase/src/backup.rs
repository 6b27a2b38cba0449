//! Data backups: begun once, found again, followed to their end.

use crate::{
    engine::OceanBaseEngine,
    failure::Call,
    session::{BadValue, Row, SqlFailure, Table},
    statement::{Statement, masked},
    views::View,
};
use ::engine::{BackupSpec, EngineError, EngineErrorKind, EngineJobId, EngineJobState, JobReport};
use domain::{BackupSetId, backup::BackupKind, job::Progress};

/// Bytes of a macro block, the unit of data backup.
const MACRO_BLOCK_BYTES: u64 = 2 << 20;

/// The number of a data backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BackupId {
    pub(crate) tenant: i64,
    pub(crate) job: i64,
}

impl BackupId {
    pub(crate) fn text(self) -> EngineJobId {
        EngineJobId(format!("backup:{}:{}", self.tenant, self.job))
    }

    pub(crate) fn read(id: &EngineJobId) -> Option<Self> {
        let (tenant, job) = id.0.strip_prefix("backup:")?.split_once(':')?;
        Some(BackupId {
            tenant: tenant.parse().ok()?,
            job: job.parse().ok()?,
        })
    }
}

/// What the description of a job begun for `token` is.
pub(crate) fn mark(token: &str) -> String {
    format!("tidemark {token}")
}

impl OceanBaseEngine {
    /// Begins a data backup, unless the token has one already.
    pub(crate) async fn begin_backup(&self, spec: &BackupSpec) -> Result<EngineJobId, EngineError> {
        let call = self.call("data backup", &spec.tenant.0);
        let (tenant, name) = self.tenant_name(call, &spec.tenant).await?;
        let mark = mark(&spec.token);
        if let Some(known) = self.backup_of(call, &mark).await? {
            return Ok(known.text());
        }
        let before = self.newest(call, tenant).await?.unwrap_or_default();
        let order = Statement::Backup {
            tenant: name,
            kind: spec.kind,
            mark: mark.clone(),
        };
        let sent = self.send(call, &order).await?;
        if let Err(failure) = &sent
            && !failure.is_open()
        {
            return Err(refused(call, failure));
        }
        // Whether or not the answer came: what was begun has a row that was not there before.
        let begun = match self.backup_of(call, &mark).await? {
            Some(known) => Some(known.job),
            None => self
                .newest(call, tenant)
                .await?
                .filter(|newest| *newest > before),
        };
        match (begun, sent) {
            (Some(job), _) => Ok(BackupId { tenant, job }.text()),
            (None, Err(failure)) => Err(call.failed(&failure)),
            (None, Ok(())) => Err(call.error(
                EngineErrorKind::Protocol,
                "the cluster accepted the backup, but shows no job of it",
            )),
        }
    }

    /// The job with this description.
    pub(crate) async fn backup_of(
        &self,
        call: Call<'_>,
        mark: &str,
    ) -> Result<Option<BackupId>, EngineError> {
        let of_it = format!("WHERE TENANT_ID <> 1 AND {}", call.is("DESCRIPTION", mark)?);
        for view in [View::Jobs, View::JobHistory] {
            if !self.columns.has_column(view, "DESCRIPTION") {
                continue;
            }
            let table = self.rows(call, view, &of_it).await?;
            if let Some(row) = table.first() {
                return id_of(row).map(Some).map_err(|value| call.bad_value(&value));
            }
        }
        Ok(None)
    }

    /// The newest job of a tenant, running or ended.
    async fn newest(&self, call: Call<'_>, tenant: i64) -> Result<Option<i64>, EngineError> {
        let newest = format!("WHERE TENANT_ID = {tenant} ORDER BY JOB_ID DESC LIMIT 1");
        let mut found = None;
        for view in [View::Jobs, View::JobHistory] {
            let table = self.rows(call, view, &newest).await?;
            let job = table.first().map(|row| row.number("JOB_ID")).transpose();
            found = found.max(job.map_err(|value| call.bad_value(&value))?);
        }
        Ok(found)
    }

    /// Where a data backup stands.
    pub(crate) async fn backup_report(&self, id: BackupId) -> Result<JobReport, EngineError> {
        let subject = id.text().0;
        let call = self.call("data backup", &subject);
        let of_it = format!("WHERE TENANT_ID = {} AND JOB_ID = {}", id.tenant, id.job);
        // It moves from the first to the second, so this order never misses it.
        for view in [View::Jobs, View::JobHistory] {
            let table = self.rows(call, view, &of_it).await?;
            let Some(row) = table.first() else {
                continue;
            };
            let mut report = report_of(row).map_err(|value| call.bad_value(&value))?;
            match report.state {
                EngineJobState::Running | EngineJobState::Canceling => {
                    let tasks = self.rows(call, View::Tasks, &of_it).await?;
                    if let Some(task) = tasks.first() {
                        let progress = progress_of(task);
                        report.progress = progress.map_err(|value| call.bad_value(&value))?;
                    }
                }
                EngineJobState::Completed => self.complete(call, id, &mut report).await?,
                EngineJobState::Failed | EngineJobState::Canceled => {}
            }
            return Ok(report);
        }
        Err(call.not_found("the cluster has no such job any more"))
    }

    /// Adds what the set of a completed backup tells.
    async fn complete(
        &self,
        call: Call<'_>,
        id: BackupId,
        report: &mut JobReport,
    ) -> Result<(), EngineError> {
        let Some(set) = report.set else {
            return Ok(());
        };
        let of_it = format!(
            "WHERE TENANT_ID = {} AND BACKUP_SET_ID = {}",
            id.tenant, set.0
        );
        let table = self.rows(call, View::Sets, &of_it).await?;
        let Some(row) = table.first() else {
            return Ok(());
        };
        let bad = |value: BadValue| call.bad_value(&value);
        report.min_restore_scn = row.scn("MIN_RESTORE_SCN").map_err(bad)?;
        let bytes = row.unsigned("INPUT_BYTES").map_err(bad)?;
        report.progress.done_bytes = bytes;
        report.progress.total_bytes = bytes;
        Ok(())
    }

    pub(crate) async fn rows(
        &self,
        call: Call<'_>,
        view: View,
        rest: &str,
    ) -> Result<Table, EngineError> {
        let table = self.reads.read(&self.columns.select(view, rest)).await;
        table.map_err(|failure| call.failed(&failure))
    }

    /// Asks a data backup to stop.
    pub(crate) async fn cancel_backup(&self, id: BackupId) -> Result<(), EngineError> {
        let subject = id.text().0;
        let call = self.call("cancellation of a data backup", &subject);
        let key = ::engine::TenantKey(id.tenant.to_string());
        let (_, tenant) = self.tenant_name(call, &key).await?;
        self.must(call, &Statement::CancelBackup { tenant }).await
    }
}

/// A refusal whose cause may pass by itself is told as such.
fn refused(call: Call<'_>, failure: &SqlFailure) -> EngineError {
    if failure.is_code(9040)
        && failure
            .to_string()
            .contains("log archive status is not doing")
    {
        let why = format!("{failure}; log backup has to be in progress first");
        return call.rejected(why);
    }
    call.failed(failure)
}

fn id_of(row: Row<'_>) -> Result<BackupId, BadValue> {
    Ok(BackupId {
        tenant: row.number("TENANT_ID")?,
        job: row.number("JOB_ID")?,
    })
}

fn report_of(row: Row<'_>) -> Result<JobReport, BadValue> {
    let status = row.text_or_empty("STATUS");
    let state = match status.as_str() {
        "COMPLETED" => EngineJobState::Completed,
        "FAILED" => EngineJobState::Failed,
        "CANCELED" => EngineJobState::Canceled,
        "CANCELING" => EngineJobState::Canceling,
        // INIT, DOING, and whatever a later version calls the steps between.
        _ => EngineJobState::Running,
    };
    let actual = match row.text("BACKUP_TYPE") {
        Some("INC") => Some(BackupKind::Incremental),
        Some("FULL") => Some(BackupKind::Full),
        _ => None,
    };
    let set = row.number("BACKUP_SET_ID")?;
    let failure = (state == EngineJobState::Failed).then(|| match row.text("COMMENT") {
        Some(comment) if !comment.is_empty() => comment.to_owned(),
        _ => format!(
            "the cluster gives no reason (result {})",
            row.text_or_empty("RESULT")
        ),
    });
    Ok(JobReport {
        state,
        progress: Progress {
            phase: phase(&status).to_owned(),
            ..Progress::default()
        },
        set: (set > 0).then_some(BackupSetId(set)),
        actual,
        actual_reason: (actual == Some(BackupKind::Full)).then(|| {
            "where no earlier set can be built on, the cluster makes a full one".to_owned()
        }),
        location: row.text("PATH").map(masked),
        failure,
        ..JobReport::running()
    })
}

fn progress_of(task: Row<'_>) -> Result<Progress, BadValue> {
    let blocks = |column| Ok::<u64, BadValue>(task.unsigned(column)? * MACRO_BLOCK_BYTES);
    let total = blocks("MACRO_BLOCK_COUNT")?;
    Ok(Progress {
        phase: phase(&task.text_or_empty("STATUS")).to_owned(),
        done_bytes: blocks("FINISH_MACRO_BLOCK_COUNT")?.min(total),
        total_bytes: total,
        ..Progress::default()
    })
}

/// The steps of a data backup in words; a word of a later version as it came.
fn phase(status: &str) -> &str {
    match status {
        "INIT" => "Preparing",
        "DOING" => "Backing up",
        "BACKUP_SYS_META" | "BACKUP_USER_META" | "BACKUP_META_FINISH" => "Backing up metadata",
        "BACKUP_FUSE_TABLET_META" => "Merging metadata",
        "BACKUP_DATA_SYS" | "BACKUP_SYS_DATA" => "Backing up system data",
        "BACKUP_DATA_MINOR" => "Backing up minor data",
        "BACKUP_DATA_MAJOR" => "Backing up major data",
        "BACKUP_USER_DATA" => "Backing up user data",
        "PREPARE_BACKUP_LOG" | "BEFORE_BACKUP_LOG" | "BACKUP_LOG" => "Backing up logs",
        "CANCELING" => "Canceling",
        other => other,
    }
}
