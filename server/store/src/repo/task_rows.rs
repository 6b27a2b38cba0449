//! The page's side of copies and cleanups, and of tasks of any kind.

use super::{
    filter::Slice,
    tasks::{name, names, progress},
};
use crate::{
    Store,
    convert::{impossible, scn, scn_opt, word, word_opt},
    entity::job,
    error::Result,
};
use domain::{
    BackupSetId, ClusterId, JobId, Revision, RunId, TenantId,
    backup::{BackupKind, Trigger},
    job::{JobKind, JobState},
    page::{Page, TaskFilter},
    second_backup::Place,
    task::{CleanupJob, SecondDataJob, Task},
};
use std::collections::HashMap;

impl Store {
    /// A page of tasks of one kind.
    pub async fn tasks(
        &self,
        cluster: ClusterId,
        kind: JobKind,
        ask: &TaskFilter,
    ) -> Result<Page<Task>> {
        let (rows, slice, totals) = self.job_page(cluster, kind, ask).await?;
        self.page(rows, slice, totals, task).await
    }

    /// A task of any kind.
    pub async fn task(&self, cluster: ClusterId, id: JobId) -> Result<Option<Task>> {
        let rows = self.any_row(cluster, id).await?;
        let totals = (1, 1);
        let page = self.page(rows, Slice::of(&TaskFilter::default()), totals, task);
        Ok(page.await?.rows.pop())
    }

    /// A page of second data backups.
    pub async fn second_data(
        &self,
        cluster: ClusterId,
        ask: &TaskFilter,
    ) -> Result<Page<SecondDataJob>> {
        let (rows, slice, totals) = self.job_page(cluster, JobKind::SecondData, ask).await?;
        self.page(rows, slice, totals, second_data).await
    }

    /// A page of cleanups.
    pub async fn cleanups(&self, cluster: ClusterId, ask: &TaskFilter) -> Result<Page<CleanupJob>> {
        let (rows, slice, totals) = self.job_page(cluster, JobKind::Cleanup, ask).await?;
        self.page(rows, slice, totals, cleanup).await
    }

    async fn page<T>(
        &self,
        rows: Vec<job::Model>,
        slice: Slice,
        totals: (u64, u64),
        read: fn(job::Model, &HashMap<i64, String>) -> Result<T>,
    ) -> Result<Page<T>> {
        let names = names(&self.db, rows.iter().map(|row| row.tenant_id)).await?;
        let rows: Result<Vec<T>> = rows.into_iter().map(|row| read(row, &names)).collect();
        Ok(slice.page(rows?, totals.0, totals.1))
    }
}

fn task(row: job::Model, names: &HashMap<i64, String>) -> Result<Task> {
    Ok(Task {
        id: JobId(row.id),
        kind: word("job.kind", &row.kind, JobKind::from_code)?,
        tenant: TenantId(row.tenant_id),
        tenant_name: name(names, row.tenant_id)?,
        trigger: word("job.caused_by", &row.caused_by, Trigger::from_code)?,
        created: scn("job.created", row.created)?,
        started: scn_opt("job.started", row.started)?,
        ended: scn_opt("job.ended", row.ended)?,
        state: word("job.state", &row.state, JobState::from_code)?,
        progress: progress(&row)?,
        moved: scn_opt("job.moved", row.moved)?,
        attempts: u32::try_from(row.attempts)
            .map_err(|_| impossible("job.attempts", row.attempts))?,
        asked: word_opt("job.asked", row.asked.as_deref(), BackupKind::from_code)?,
        set: row.copy_set.or(row.set_id).map(BackupSetId),
        place: word_opt("job.place", row.place.as_deref(), Place::from_code)?,
        keep_from: scn_opt("job.keep_from", row.keep_from)?,
        until: scn_opt("job.until_scn", row.until_scn)?,
        new_name: row.new_name,
        directory: row.location,
        outcome: row.outcome,
        failure: row.failure,
        run: row.run_id.map(RunId),
        retry_of: row.retry_of.map(JobId),
        rev: Revision(row.rev),
    })
}

fn second_data(row: job::Model, names: &HashMap<i64, String>) -> Result<SecondDataJob> {
    let task = task(row, names)?;
    Ok(SecondDataJob {
        id: task.id,
        tenant: task.tenant,
        tenant_name: task.tenant_name,
        set: task
            .set
            .ok_or_else(|| impossible("job.copy_set", "nothing"))?,
        created: task.created,
        started: task.started,
        ended: task.ended,
        directory: task.directory,
        state: task.state,
        progress: task.progress,
        failure: task.failure,
        rev: task.rev,
    })
}

fn cleanup(row: job::Model, names: &HashMap<i64, String>) -> Result<CleanupJob> {
    let task = task(row, names)?;
    Ok(CleanupJob {
        id: task.id,
        tenant: task.tenant,
        tenant_name: task.tenant_name,
        place: task.place.unwrap_or_default(),
        keep_from: task
            .keep_from
            .ok_or_else(|| impossible("job.keep_from", "nothing"))?,
        created: task.created,
        started: task.started,
        ended: task.ended,
        state: task.state,
        progress: task.progress,
        outcome: task.outcome,
        failure: task.failure,
        rev: task.rev,
    })
}
