//! Data backups: one of the whole cluster, begun once for all the tenants that want it, followed to its end.

use super::{
    engine::{LegacyEngine, Turn},
    memory::{Asked, Number, Order},
    statement::LegacyStatement,
    views::LegacyView,
};
use crate::{failure::Call, session::BadValue, session::Row, session::Table};
use ::engine::{BackupSpec, EngineError, EngineErrorKind, EngineJobId, EngineJobState, JobReport};
use domain::{BackupSetId, backup::BackupKind, job::Progress};

/// Bytes of a macro block, the unit of data backup.
const MACRO_BLOCK_BYTES: u64 = 2 << 20;

/// A tenant's part of a data backup of the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BackupId {
    /// `BS_KEY`, the same for every tenant.
    pub(super) key: Number,
    pub(super) tenant: i64,
}

impl BackupId {
    pub(super) fn text(self) -> EngineJobId {
        EngineJobId(format!("cluster-backup:{}:{}", self.key, self.tenant))
    }

    pub(super) fn read(id: &EngineJobId) -> Option<Self> {
        let (key, tenant) = id.0.strip_prefix("cluster-backup:")?.split_once(':')?;
        Some(BackupId {
            key: Number::read(key)?,
            tenant: tenant.parse().ok()?,
        })
    }
}

/// A data backup that runs.
struct Running {
    key: i64,
    kind: BackupKind,
    with_tenant: bool,
}

fn kind_of(row: Row<'_>) -> Option<BackupKind> {
    match row.text("BACKUP_TYPE") {
        Some("I") => Some(BackupKind::Incremental),
        Some("D") => Some(BackupKind::Full),
        _ => None,
    }
}

/// What the memory calls the cancellation of a backup.
fn name_of(key: i64) -> String {
    format!("backup {key}")
}

impl LegacyEngine {
    /// Begins a data backup of the cluster, joins the one that was begun for other tenants, or finds the token's own.
    pub(super) async fn begin_backup(&self, spec: &BackupSpec) -> Result<EngineJobId, EngineError> {
        let call = self.call("data backup", &spec.tenant.0);
        let tenant = self.tenant_id(call, &spec.tenant).await?;
        let mut turn = self.turn.lock().await;
        if let Some(known) = self.remembered(call, &spec.token).await? {
            return Ok(known);
        }
        if let Some(running) = self.running_backup(call, tenant).await? {
            let own = match *turn {
                Turn {
                    backup: Some(before),
                    ..
                } => self.backup_after(call, before).await?,
                _ => None,
            };
            let refusal = cannot_join(&running, own == Some(running.key), spec.kind);
            return match refusal {
                None => Ok(self.known_backup(spec, Number::Is(running.key), tenant)),
                Some(why) => Err(call.error(EngineErrorKind::Unreachable, why)),
            };
        }
        let before = self.newest_backup(call).await?;
        self.memory
            .note(&spec.token, Order::Sent(before, Asked::Backup(tenant)));
        let former = turn.backup.replace(before);
        let order = LegacyStatement::Backup { kind: spec.kind };
        let sent = self.send(call, &order).await?;
        if let Err(failure) = &sent
            && !failure.is_open()
        {
            turn.backup = former;
            self.memory.forget(&spec.token);
            return Err(match failure.is_code(9040) {
                true => self.not_archiving(call, failure.to_string()).await,
                false => call.failed(failure),
            });
        }
        match (self.backup_after(call, before).await?, sent) {
            (Some(key), _) => Ok(self.known_backup(spec, Number::Is(key), tenant)),
            // Accepted: whatever number it gets, it is the next one.
            (None, Ok(())) => Ok(self.known_backup(spec, Number::After(before), tenant)),
            (None, Err(failure)) => Err(call.failed(&failure)),
        }
    }

    fn known_backup(&self, spec: &BackupSpec, key: Number, tenant: i64) -> EngineJobId {
        let id = BackupId { key, tenant }.text();
        self.memory.note(&spec.token, Order::Known(id.clone()));
        id
    }

    /// The refusal of a backup for want of log backup; one that may begin by itself is worth another try.
    async fn not_archiving(&self, call: Call<'_>, said: String) -> EngineError {
        let kind = match self.archive_status(call).await.as_deref() {
            Ok("STOP" | "STOPPING") => EngineErrorKind::Rejected,
            _ => EngineErrorKind::Unreachable,
        };
        let why = format!("{said}; log backup of the cluster has to be in progress first");
        call.error(kind, why)
    }

    /// The first backup after a number, running or ended.
    pub(super) async fn backup_after(
        &self,
        call: Call<'_>,
        before: i64,
    ) -> Result<Option<i64>, EngineError> {
        let first = format!("WHERE BS_KEY > {before} ORDER BY BS_KEY LIMIT 1");
        let mut found: Option<i64> = None;
        for view in [LegacyView::Progress, LegacyView::Sets] {
            let key = self.key_of(call, view, &first).await?;
            found = found.into_iter().chain(key).min();
        }
        Ok(found)
    }

    /// The newest number of a backup, running or ended; 0 before the first.
    async fn newest_backup(&self, call: Call<'_>) -> Result<i64, EngineError> {
        let newest = "ORDER BY BS_KEY DESC LIMIT 1";
        let mut found = 0;
        for view in [LegacyView::Progress, LegacyView::Sets, LegacyView::Jobs] {
            let key = self.key_of(call, view, newest).await?;
            found = found.max(key.unwrap_or_default());
        }
        Ok(found)
    }

    async fn key_of(
        &self,
        call: Call<'_>,
        view: LegacyView,
        rest: &str,
    ) -> Result<Option<i64>, EngineError> {
        let table = self.rows(call, view, rest).await?;
        let key = table.first().map(|row| row.number("BS_KEY"));
        key.transpose().map_err(|value| call.bad_value(&value))
    }

    async fn running_backup(
        &self,
        call: Call<'_>,
        tenant: i64,
    ) -> Result<Option<Running>, EngineError> {
        let running = format!("WHERE STATUS = 'RUNNING' AND TENANT_ID IN (1, {tenant})");
        let table = self.rows(call, LegacyView::Progress, &running).await?;
        let read = || -> Result<Option<Running>, BadValue> {
            let Some(row) = table.first() else {
                return Ok(None);
            };
            let is_tenant = |row: Row<'_>| row.number("TENANT_ID").ok() == Some(tenant);
            Ok(Some(Running {
                key: row.number("BS_KEY")?,
                kind: kind_of(row).unwrap_or(BackupKind::Full),
                with_tenant: table.iter().any(is_tenant),
            }))
        };
        read().map_err(|value| call.bad_value(&value))
    }

    /// Where a tenant's part of a data backup stands.
    pub(super) async fn backup_report(&self, id: BackupId) -> Result<JobReport, EngineError> {
        let subject = id.text().0;
        let call = self.call("data backup", &subject);
        let key = match id.key {
            Number::Is(key) => key,
            Number::After(before) => match self.backup_after(call, before).await? {
                Some(key) => key,
                None => return Ok(phased(EngineJobState::Running, "Preparing")),
            },
        };
        let (of_key, own) = (
            format!("WHERE BS_KEY = {key}"),
            format!("TENANT_ID = {}", id.tenant),
        );
        let both = format!("{of_key} AND TENANT_ID IN (1, {})", id.tenant);
        // Rows leave the first before those of the second end, so this order never misses the end.
        let progress = self.rows(call, LegacyView::Progress, &both).await?;
        let first = format!("{of_key} AND {own} AND COPY_ID = 0");
        let set = self.rows(call, LegacyView::Sets, &first).await?;
        let jobs = format!("{of_key} AND {own}");
        let job = self.rows(call, LegacyView::Jobs, &jobs).await?;
        let given_up = self.memory.is_given_up(&name_of(key));
        let report = report_of(key, &progress, (set.first(), job.first()), given_up);
        let report = report.map_err(|value| call.bad_value(&value))?;
        let Some(mut report) = report else {
            return match given_up {
                true => Ok(phased(EngineJobState::Canceled, "")),
                false => Err(call.not_found("the cluster has no such backup of this tenant")),
            };
        };
        if report.state == EngineJobState::Failed {
            report.failure = Some(self.why_failed(call).await);
        }
        Ok(report)
    }

    /// Before 4.0 no view says why a backup failed; what is known is whether it lost its log backup.
    async fn why_failed(&self, call: Call<'_>) -> String {
        match self.archive_status(call).await {
            Ok(status) if status != "DOING" => format!(
                "log backup of the cluster is not in progress ({status}), and a data backup needs it; \
                 start it again"
            ),
            _ => "the cluster gives no reason in its views; look into the log of its root service"
                .to_owned(),
        }
    }

    /// Asks the cluster to stop a data backup, which ends it for every tenant.
    pub(super) async fn cancel_backup(&self, id: BackupId) -> Result<(), EngineError> {
        let subject = id.text().0;
        let call = self.call("cancellation of a data backup", &subject);
        let _turn = self.turn.lock().await;
        let running = self.running_backup(call, id.tenant).await?;
        let is_it = |running: &Running| match id.key {
            Number::Is(key) => key == running.key,
            Number::After(before) => running.key > before,
        };
        let Some(running) = running.filter(is_it) else {
            // It ended before.
            return Ok(());
        };
        let name = name_of(running.key);
        self.memory.give_up(name.clone());
        match self.send(call, &LegacyStatement::CancelBackup).await? {
            Ok(()) => Ok(()),
            // 9049: it ended meanwhile.
            Err(failure) if failure.is_code(9049) => {
                self.memory.keep(&name);
                Ok(())
            }
            Err(failure) if failure.is_code(9041) => {
                self.memory.keep(&name);
                let why = format!("{failure}; it cannot be stopped while it begins or ends");
                Err(call.error(EngineErrorKind::Unreachable, why))
            }
            Err(failure) => {
                if !failure.is_open() {
                    self.memory.keep(&name);
                }
                Err(call.failed(&failure))
            }
        }
    }
}

/// Why an order cannot be part of the backup that runs.
fn cannot_join(running: &Running, is_own: bool, asked: BackupKind) -> Option<String> {
    let waits = "it is tried again when that has ended";
    if !is_own {
        return Some(format!(
            "a backup of the whole cluster that this console did not begin is running (number {}); {waits}",
            running.key
        ));
    }
    if !running.with_tenant {
        return Some(format!(
            "the running backup of the cluster began without this tenant; {waits}"
        ));
    }
    let fits = asked == BackupKind::Incremental || running.kind == BackupKind::Full;
    (!fits).then(|| format!("an incremental backup of the cluster is running; {waits}"))
}

/// What the rows of one tenant say; `None` where there are none.
fn report_of(
    key: i64,
    progress: &Table,
    (set, job): (Option<Row<'_>>, Option<Row<'_>>),
    given_up: bool,
) -> Result<Option<JobReport>, BadValue> {
    let is_running = |row: Row<'_>| row.text("STATUS") == Some("RUNNING");
    let own = progress
        .iter()
        .find(|row| row.text("TENANT_ID") != Some("1"));
    let status = match (set, job) {
        // The set counts once the whole backup is over: until then the cluster may still take it back.
        _ if progress.iter().any(is_running) => "DOING",
        (Some(row), _) => row.text("STATUS").unwrap_or_default(),
        (None, Some(row)) => row.text("STATUS").unwrap_or_default(),
        (None, None) => return Ok(None),
    };
    let state = match status {
        "SUCCESS" | "COMPLETED" => EngineJobState::Completed,
        "FAILED" if given_up => EngineJobState::Canceled,
        "FAILED" => EngineJobState::Failed,
        _ if given_up => EngineJobState::Canceling,
        _ => EngineJobState::Running,
    };
    let actual = set.or(own).or(job).and_then(kind_of);
    let mut report = phased(state, "Backing up");
    if let Some(row) = own {
        let blocks = |column| Ok::<u64, BadValue>(row.unsigned(column)? * MACRO_BLOCK_BYTES);
        let total = blocks("MACRO_BLOCK_COUNT")?;
        report.progress.total_bytes = total;
        report.progress.done_bytes = blocks("FINISH_MACRO_BLOCK_COUNT")?.min(total);
    }
    if state == EngineJobState::Completed {
        report.progress.phase = String::new();
        let bytes = job.map_or(Ok(0), |row| row.unsigned("INPUT_BYTES"))?;
        report.progress.done_bytes = bytes;
        report.progress.total_bytes = bytes;
        report.min_restore_scn = set.map_or(Ok(None), |row| row.micros("START_TIME"))?;
    }
    Ok(Some(JobReport {
        set: Some(BackupSetId(key)),
        actual,
        actual_reason: (actual == Some(BackupKind::Full)).then(|| {
            "where no earlier set can be built on, the cluster makes a full one".to_owned()
        }),
        ..report
    }))
}

/// A report of a state and what is being done.
pub(super) fn phased(state: EngineJobState, phase: &str) -> JobReport {
    JobReport {
        state,
        progress: Progress {
            phase: phase.to_owned(),
            ..Progress::default()
        },
        ..JobReport::running()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants_of_one_backup_share_its_number() {
        for key in [Number::Is(5), Number::After(4)] {
            let id = BackupId { key, tenant: 1002 };
            assert_eq!(BackupId::read(&id.text()), Some(id));
        }
        let stranger = EngineJobId("backup:5:1002".to_owned());
        assert_eq!(BackupId::read(&stranger), None);
    }

    #[test]
    fn only_what_serves_the_order_is_joined() {
        use BackupKind::{Full, Incremental};
        let running = |kind, with_tenant| Running {
            key: 7,
            kind,
            with_tenant,
        };
        assert_eq!(cannot_join(&running(Full, true), true, Full), None);
        assert_eq!(cannot_join(&running(Full, true), true, Incremental), None);
        for (running, is_own, asked) in [
            (running(Full, true), false, Full),
            (running(Full, false), true, Full),
            (running(Incremental, true), true, Full),
        ] {
            assert!(cannot_join(&running, is_own, asked).is_some());
        }
    }
}
