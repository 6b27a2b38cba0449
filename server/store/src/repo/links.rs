//! Links between tasks: which one tries another again, and which ones copy the set of a data backup.

use super::jobs::{self, Job};
use crate::{
    Change,
    convert::word,
    entity::job,
    error::{During, Result},
};
use domain::{
    BackupSetId, JobId, TenantId,
    job::{JobKind, JobState},
    task::SecondOf,
};
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use std::collections::HashMap;

/// Most tasks that copy the sets of one page of data backups that are looked at.
const COPIES_MAX: u64 = 1000;

impl Change {
    /// Notes that a task tries another one again.
    pub async fn mark_retry(&self, id: JobId, of: JobId) -> Result<()> {
        job::Entity::update_many()
            .set(job::ActiveModel {
                retry_of: Set(Some(of.0)),
                rev: Set(self.take_rev()),
                ..Default::default()
            })
            .filter(job::COLUMN.id.eq(id.0))
            .exec(&self.tx)
            .await
            .during("linking a task")?;
        Ok(())
    }

    /// The task that tries this one again, if there is one.
    pub async fn retry_of(&self, of: JobId) -> Result<Option<Job>> {
        let row = job::Entity::find()
            .filter(job::COLUMN.retry_of.eq(of.0))
            .order_by_desc(job::COLUMN.id)
            .one(&self.tx)
            .await
            .during("looking for the task that tries another again")?;
        row.map(jobs::read).transpose()
    }

    /// Gives the data backup that made a set a new revision: its link to copies changed.
    pub async fn copies_changed(&self, tenant: TenantId, set: BackupSetId) -> Result<()> {
        job::Entity::update_many()
            .set(job::ActiveModel {
                rev: Set(self.take_rev()),
                ..Default::default()
            })
            .filter(job::COLUMN.tenant_id.eq(tenant.0))
            .filter(job::COLUMN.set_id.eq(set.0))
            .filter(job::COLUMN.kind.eq(JobKind::DataBackup.code()))
            .exec(&self.tx)
            .await
            .during("telling about the copy of a set")?;
        Ok(())
    }
}

/// The copies of the sets that these data backups made, by tenant and set.
pub(crate) async fn copies(
    db: &impl ConnectionTrait,
    rows: &[job::Model],
) -> Result<HashMap<(i64, i64), SecondOf>> {
    let sets: Vec<(i64, i64)> = rows
        .iter()
        .filter_map(|row| Some((row.tenant_id, row.set_id?)))
        .collect();
    if sets.is_empty() {
        return Ok(HashMap::new());
    }
    let found: Vec<(i64, i64, Option<i64>, String)> = job::Entity::find()
        .select_only()
        .columns([
            job::Column::Id,
            job::Column::TenantId,
            job::Column::CopySet,
            job::Column::State,
        ])
        .filter(job::COLUMN.tenant_id.is_in(sets.iter().map(|set| set.0)))
        .filter(job::COLUMN.copy_set.is_in(sets.iter().map(|set| set.1)))
        .order_by_desc(job::COLUMN.id)
        .limit(COPIES_MAX)
        .into_tuple()
        .all(db)
        .await
        .during("reading the copies of sets")?;
    let mut copies: HashMap<(i64, i64), SecondOf> = HashMap::new();
    for (id, tenant, set, state) in found {
        let state = word("job.state", &state, JobState::from_code)?;
        let copy = copies
            .entry((tenant, set.unwrap_or_default()))
            .or_insert_with(|| SecondOf {
                copied: false,
                tasks: Vec::new(),
            });
        copy.copied |= state == JobState::Completed;
        copy.tasks.push(JobId(id));
    }
    Ok(copies)
}
