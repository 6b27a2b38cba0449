//! The page's side of copies and cleanups, and of tasks of any kind.

use super::tasks::{name, names, progress};
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
    task::Task,
};
use sea_orm::ConnectionTrait;
use std::collections::HashMap;

impl Store {
    /// A page of tasks of one kind.
    pub async fn tasks(
        &self,
        cluster: ClusterId,
        kind: JobKind,
        ask: &TaskFilter,
    ) -> Result<Page<Task>> {
        let page = self.job_page(&[cluster], kind, ask).await?;
        Ok(page.slice.page(
            task_rows(&self.db, page.rows).await?,
            page.total,
            page.total_unfiltered,
        ))
    }

    /// A task of any kind.
    pub async fn task(&self, cluster: ClusterId, id: JobId) -> Result<Option<Task>> {
        let rows = self.any_row(cluster, id).await?;
        Ok(task_rows(&self.db, rows).await?.pop())
    }
}

/// Rows of tasks of any kind, in the order given.
pub(crate) async fn task_rows(
    db: &impl ConnectionTrait,
    rows: Vec<job::Model>,
) -> Result<Vec<Task>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let names = names(db, rows.iter().map(|row| row.tenant_id)).await?;
    rows.into_iter().map(|row| task(row, &names)).collect()
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
