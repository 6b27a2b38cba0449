//! What alerts are decided by: tasks that ended well or failed, and how far running ones are.

use super::jobs::open_codes;
use crate::{
    Store,
    convert::{count, scn, word},
    entity::job,
    error::{During, Result},
};
use domain::{
    ClusterId, JobId, Revision, Scn, TenantId,
    alert::Ended,
    job::{JobKind, JobState},
};
use sea_orm::{EntityTrait, QueryFilter, QueryOrder, QuerySelect};

/// Most tasks in one answer; the next question gets the rest.
pub const ENDED_MAX: u64 = 1_000;
/// Most running tasks of a cluster that are watched.
const RUNNING_MAX: u64 = 1_000;

/// How far a running task is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunningTask {
    /// Number.
    pub id: JobId,
    /// Whose.
    pub tenant: TenantId,
    /// Kind.
    pub kind: JobKind,
    /// When work began.
    pub started: Scn,
    /// What is being done, in words.
    pub phase: String,
    /// Bytes done.
    pub done_bytes: u64,
}

impl Store {
    /// The newest task of a kind of a tenant that ended well or failed.
    pub async fn last_ended(&self, tenant: TenantId, kind: JobKind) -> Result<Option<Ended>> {
        let row = job::Entity::find()
            .filter(job::COLUMN.tenant_id.eq(tenant.0))
            .filter(job::COLUMN.kind.eq(kind.code()))
            .filter(job::COLUMN.state.is_in(decided()))
            .order_by_desc(job::COLUMN.id)
            .one(&self.db)
            .await
            .during("looking for the last task")?;
        row.map(ended).transpose()
    }

    /// The tasks of a cluster that ended well or failed and changed after `since`, by revision; at most
    /// [`ENDED_MAX`] of each kind.
    pub async fn ended_since(
        &self,
        cluster: ClusterId,
        kind: JobKind,
        since: Revision,
    ) -> Result<Vec<(TenantId, Revision, Ended)>> {
        let rows = job::Entity::find()
            .filter(job::COLUMN.cluster_id.eq(cluster.0))
            .filter(job::COLUMN.kind.eq(kind.code()))
            .filter(job::COLUMN.rev.gt(since.0))
            .filter(job::COLUMN.state.is_in(decided()))
            .order_by_asc(job::COLUMN.rev)
            .limit(ENDED_MAX)
            .all(&self.db)
            .await
            .during("looking for ended tasks")?;
        rows.into_iter()
            .map(|row| Ok((TenantId(row.tenant_id), Revision(row.rev), ended(row)?)))
            .collect()
    }

    /// The tasks of a cluster that have begun and are not final.
    pub async fn running_tasks(&self, cluster: ClusterId) -> Result<Vec<RunningTask>> {
        let states = open_codes().filter(|code| *code != JobState::Queued.code());
        let rows = job::Entity::find()
            .filter(job::COLUMN.cluster_id.eq(cluster.0))
            .filter(job::COLUMN.state.is_in(states))
            .filter(job::COLUMN.started.is_not_null())
            .order_by_asc(job::COLUMN.id)
            .limit(RUNNING_MAX)
            .all(&self.db)
            .await
            .during("reading running tasks")?;
        rows.into_iter()
            .map(|row| {
                Ok(RunningTask {
                    id: JobId(row.id),
                    tenant: TenantId(row.tenant_id),
                    kind: word("job.kind", &row.kind, JobKind::from_code)?,
                    started: scn("job.started", row.started.unwrap_or(-1))?,
                    phase: row.phase,
                    done_bytes: count("job.done_bytes", row.done_bytes)?,
                })
            })
            .collect()
    }
}

fn decided() -> [&'static str; 2] {
    [JobState::Completed.code(), JobState::Failed.code()]
}

fn ended(row: job::Model) -> Result<Ended> {
    let failed = row.state == JobState::Failed.code();
    Ok(Ended {
        id: JobId(row.id),
        kind: word("job.kind", &row.kind, JobKind::from_code)?,
        at: scn("job.ended", row.ended.unwrap_or(row.created))?,
        failure: failed.then(|| {
            row.failure
                .unwrap_or_else(|| "no reason was given".to_owned())
        }),
    })
}
