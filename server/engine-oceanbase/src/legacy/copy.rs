//! Copies to the second destination, followed to their end.

use super::{
    backup::phased, engine::LegacyEngine, facts::SECOND_COPY, memory::Number, rows::numbered,
    statement::LegacyStatement, views::LegacyView,
};
use crate::{failure::Call, session::BadValue, session::Row, statement::masked};
use ::engine::{EngineError, EngineJobId, EngineJobState, JobReport};
use domain::BackupSetId;

/// Bytes of a macro block, the unit of data backup.
const MACRO_BLOCK_BYTES: u64 = 2 << 20;

/// What is copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CopyOf {
    /// A set by `BS_KEY`.
    Set(i64),
    /// Log.
    Log,
}

impl CopyOf {
    pub(super) fn running(self) -> LegacyView {
        match self {
            CopyOf::Set(_) => LegacyView::SetCopies,
            CopyOf::Log => LegacyView::LogCopies,
        }
    }

    pub(super) fn ended(self) -> LegacyView {
        match self {
            CopyOf::Set(_) => LegacyView::SetCopyHistory,
            CopyOf::Log => LegacyView::LogCopyHistory,
        }
    }
}

/// The number of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CopyId {
    pub(super) of: CopyOf,
    /// `JOB_ID`; `None` where everything was there already.
    pub(super) job: Option<Number>,
    pub(super) tenant: i64,
}

impl CopyId {
    pub(super) fn text(self) -> EngineJobId {
        let of = match self.of {
            CopyOf::Set(set) => format!("set-{set}"),
            CopyOf::Log => "log".to_owned(),
        };
        let job = self
            .job
            .map_or_else(|| "none".to_owned(), |job| job.to_string());
        EngineJobId(format!("cluster-copy:{of}:{job}:{}", self.tenant))
    }

    pub(super) fn read(id: &EngineJobId) -> Option<Self> {
        let mut parts = id.0.strip_prefix("cluster-copy:")?.split(':');
        let of = match parts.next()? {
            "log" => CopyOf::Log,
            set => CopyOf::Set(set.strip_prefix("set-")?.parse().ok()?),
        };
        let job = match parts.next()? {
            "none" => None,
            job => Some(Number::read(job)?),
        };
        let tenant = parts.next()?.parse().ok()?;
        parts.next().is_none().then_some(CopyId { of, job, tenant })
    }

    /// What the memory calls its cancellation.
    fn name(self, job: i64) -> String {
        match self.of {
            CopyOf::Set(_) => format!("copy of sets {job}"),
            CopyOf::Log => format!("copy of log {job}"),
        }
    }
}

impl LegacyEngine {
    /// Where a copy stands.
    pub(super) async fn copy_report(&self, id: CopyId) -> Result<JobReport, EngineError> {
        let subject = id.text().0;
        let call = self.call("second backup", &subject);
        let Some(number) = id.job else {
            return self.copied(call, id, "there was nothing to copy").await;
        };
        let of_it = format!("WHERE {}", number.condition("JOB_ID"));
        // It moves from the first to the second, so this order never misses it.
        let running = self.rows(call, id.of.running(), &of_it).await?;
        let ended = self.rows(call, id.of.ended(), &of_it).await?;
        let bad = |value: BadValue| call.bad_value(&value);
        let in_progress = numbered(&running, "JOB_ID", number).map_err(bad)?;
        let over = numbered(&ended, "JOB_ID", number).map_err(bad)?;
        match (in_progress, over) {
            // With a number that is only known to come after another, the lower one is it.
            (Some((job, row)), over) if over.is_none_or(|(ended, _)| job < ended) => {
                self.copying(call, id, job, row).await
            }
            (_, Some((job, row))) => self.copy_ended(call, id, job, row).await,
            _ if matches!(number, Number::After(_)) => {
                Ok(phased(EngineJobState::Running, "Preparing"))
            }
            _ => Err(call.not_found("the cluster has no such copy any more")),
        }
    }

    async fn copying(
        &self,
        call: Call<'_>,
        id: CopyId,
        job: i64,
        row: Row<'_>,
    ) -> Result<JobReport, EngineError> {
        let status = row.text_or_empty("STATUS");
        let is_canceling = status == "CANCEL" || self.memory.is_given_up(&id.name(job));
        let state = match is_canceling {
            true => EngineJobState::Canceling,
            false => EngineJobState::Running,
        };
        let mut report = phased(state, phase(&status));
        if let CopyOf::Set(set) = id.of {
            report.set = Some(BackupSetId(set));
            let of_it = format!("WHERE JOB_ID = {job} AND TENANT_ID = {}", id.tenant);
            let tasks = self.rows(call, LegacyView::SetCopyTasks, &of_it).await?;
            let sum = |column| {
                let bytes = tasks.iter().map(|task| task.unsigned(column));
                bytes.sum::<Result<u64, BadValue>>()
            };
            let bad = |value: BadValue| call.bad_value(&value);
            let total = sum("TOTAL_MACRO_BLOCK_COUNT").map_err(bad)?;
            let done = sum("FINISH_MACRO_BLOCK_COUNT").map_err(bad)?.min(total);
            report.progress.total_bytes = total * MACRO_BLOCK_BYTES;
            report.progress.done_bytes = done * MACRO_BLOCK_BYTES;
        }
        Ok(report)
    }

    async fn copy_ended(
        &self,
        call: Call<'_>,
        id: CopyId,
        job: i64,
        row: Row<'_>,
    ) -> Result<JobReport, EngineError> {
        let result = row
            .number("RESULT")
            .map_err(|value| call.bad_value(&value))?;
        let is_given_up = self.memory.is_given_up(&id.name(job));
        if row.text("STATUS") == Some("CANCEL") || (result != 0 && is_given_up) {
            return Ok(phased(EngineJobState::Canceled, ""));
        }
        if result != 0 {
            let said = row.text("COMMENT").filter(|comment| !comment.is_empty());
            let why = said.map_or_else(
                || format!("the cluster ended it with result {result}"),
                |comment| format!("{comment} (result {result})"),
            );
            return Ok(JobReport {
                failure: Some(why),
                ..phased(EngineJobState::Failed, "")
            });
        }
        self.copied(call, id, "copied for all tenants of the cluster")
            .await
    }

    /// A copy is complete when it is told about at the second destination, not when its job has ended.
    async fn copied(
        &self,
        call: Call<'_>,
        id: CopyId,
        how: &str,
    ) -> Result<JobReport, EngineError> {
        let place = masked(&self.second().unwrap_or_default());
        let CopyOf::Set(set) = id.of else {
            return Ok(JobReport {
                outcome: Some(format!("log: {how}")),
                location: Some(place),
                ..phased(EngineJobState::Completed, "")
            });
        };
        let of_it = format!(
            "WHERE TENANT_ID = {} AND BS_KEY = {set} AND COPY_ID = {SECOND_COPY}",
            id.tenant
        );
        let copies = self.rows(call, LegacyView::Sets, &of_it).await?;
        let row = copies
            .iter()
            .find(|row| row.text("FILE_STATUS") == Some("AVAILABLE"));
        let Some(row) = row else {
            let why = "the cluster ended the copy, and tells of no usable copy of this set";
            return Ok(JobReport {
                set: Some(BackupSetId(set)),
                failure: Some(why.to_owned()),
                ..phased(EngineJobState::Failed, "")
            });
        };
        let bytes = row
            .unsigned("OUTPUT_BYTES")
            .map_err(|value| call.bad_value(&value))?;
        let mut report = phased(EngineJobState::Completed, "");
        report.progress.done_bytes = bytes;
        report.progress.total_bytes = bytes;
        Ok(JobReport {
            set: Some(BackupSetId(set)),
            outcome: Some(format!("set {set}: {how}")),
            location: Some(place),
            ..report
        })
    }

    /// Asks the cluster to stop a copy, which ends it for every tenant.
    pub(super) async fn cancel_copy(&self, id: CopyId) -> Result<(), EngineError> {
        let subject = id.text().0;
        let call = self.call("cancellation of a second backup", &subject);
        let _turn = self.turn.lock().await;
        let Some(number) = id.job else {
            return Ok(());
        };
        let of_it = format!("WHERE {}", number.condition("JOB_ID"));
        let running = self.rows(call, id.of.running(), &of_it).await?;
        let found = numbered(&running, "JOB_ID", number);
        let found = found.map_err(|value| call.bad_value(&value))?;
        let Some((job, _)) = found else {
            // It ended before.
            return Ok(());
        };
        let order = match id.of {
            CopyOf::Set(_) => LegacyStatement::CancelCopyOfSets,
            CopyOf::Log => LegacyStatement::CancelCopyOfLog,
        };
        self.memory.give_up(id.name(job));
        let sent = self.send(call, &order).await?;
        sent.map_err(|failure| {
            if !failure.is_open() {
                self.memory.keep(&id.name(job));
            }
            call.failed(&failure)
        })
    }
}

/// The steps of a copy in words; a word of another version as it came.
fn phase(status: &str) -> &str {
    match status {
        "SCHEDULE" => "Preparing",
        "BACKUP" | "DOING" => "Copying",
        "CLEAN" | "FINISH" => "Finishing",
        "CANCEL" => "Canceling",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_copies_read_back() {
        for of in [CopyOf::Set(3), CopyOf::Log] {
            for job in [None, Some(Number::Is(9)), Some(Number::After(8))] {
                let id = CopyId {
                    of,
                    job,
                    tenant: 1002,
                };
                assert_eq!(CopyId::read(&id.text()), Some(id));
            }
        }
        for stranger in ["cluster-copy:log:1", "cluster-copy:set-x:1:2", "copy"] {
            assert_eq!(CopyId::read(&EngineJobId(stranger.to_owned())), None);
        }
    }
}
