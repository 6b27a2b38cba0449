//! The page's side of tasks: rows of the three task tables.

use super::{clusters, filter, filter::Slice, links, picture::method_from_code};
use crate::{
    Store,
    convert::{count, impossible, scn, scn_opt, word, word_opt},
    entity::{job, log_archive, tenant},
    error::{During, Result},
};
use domain::{
    BackupSetId, ClusterId, JobId, Revision, TenantId,
    archive::{ArchiveState, LogArchive},
    backup::{BackupJob, BackupKind, TaskSource, Trigger},
    job::{JobKind, JobState, Progress},
    page::{Page, TaskFilter},
    recovery::RecoveryJob,
};
use sea_orm::{
    ConnectionTrait, EntityTrait, Order, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use std::collections::{HashMap, hash_map::Entry};

impl Store {
    /// A page of data backup tasks.
    pub async fn backups(&self, cluster: ClusterId, ask: &TaskFilter) -> Result<Page<BackupJob>> {
        let page = self.job_page(&[cluster], JobKind::DataBackup, ask).await?;
        let rows = backup_rows(&self.db, page.rows).await?;
        Ok(page.slice.page(rows, page.total, page.total_unfiltered))
    }

    /// A page of recovery tasks of some clusters together.
    pub async fn recoveries(
        &self,
        clusters: &[ClusterId],
        ask: &TaskFilter,
    ) -> Result<Page<RecoveryJob>> {
        let page = self.job_page(clusters, JobKind::Recovery, ask).await?;
        let rows = recovery_rows(&self.db, page.rows).await?;
        Ok(page.slice.page(rows, page.total, page.total_unfiltered))
    }

    /// A page of log backup tasks; there is one row per tenant.
    pub async fn archives(&self, cluster: ClusterId, ask: &TaskFilter) -> Result<Page<LogArchive>> {
        let slice = Slice::of(ask);
        let matching = log_archive::Entity::find().filter(filter::archives(cluster, ask));
        let all =
            log_archive::Entity::find().filter(filter::archives(cluster, &TaskFilter::default()));
        let total = matching.clone().count(&self.db).await;
        let total_unfiltered = all.count(&self.db).await;
        let rows = matching
            .order_by(log_archive::COLUMN.started, direction(ask))
            .order_by_asc(log_archive::COLUMN.tenant_id)
            .offset(slice.offset())
            .limit(slice.limit())
            .all(&self.db)
            .await
            .during("listing log backup tasks")?;
        Ok(slice.page(
            archive_rows(&self.db, rows).await?,
            total.during("counting log backup tasks")?,
            total_unfiltered.during("counting log backup tasks")?,
        ))
    }

    /// One data backup task.
    pub async fn backup(&self, cluster: ClusterId, id: JobId) -> Result<Option<BackupJob>> {
        let rows = self.job_row(cluster, JobKind::DataBackup, id).await?;
        Ok(backup_rows(&self.db, rows).await?.pop())
    }

    /// One recovery task.
    pub async fn recovery(&self, cluster: ClusterId, id: JobId) -> Result<Option<RecoveryJob>> {
        let rows = self.job_row(cluster, JobKind::Recovery, id).await?;
        Ok(recovery_rows(&self.db, rows).await?.pop())
    }

    async fn job_row(
        &self,
        cluster: ClusterId,
        kind: JobKind,
        id: JobId,
    ) -> Result<Vec<job::Model>> {
        job::Entity::find()
            .filter(filter::all_jobs(cluster, kind))
            .filter(job::COLUMN.id.eq(id.0))
            .all(&self.db)
            .await
            .during("reading a task")
    }

    /// The row of a task of any kind, if it is there.
    pub(crate) async fn any_row(&self, cluster: ClusterId, id: JobId) -> Result<Vec<job::Model>> {
        job::Entity::find()
            .filter(job::COLUMN.cluster_id.eq(cluster.0))
            .filter(job::COLUMN.id.eq(id.0))
            .all(&self.db)
            .await
            .during("reading a task")
    }
}

pub(crate) fn direction(ask: &TaskFilter) -> Order {
    if ask.ascending {
        Order::Asc
    } else {
        Order::Desc
    }
}

/// The names of tenants, by their numbers.
pub(crate) async fn names(
    db: &impl ConnectionTrait,
    ids: impl Iterator<Item = i64>,
) -> Result<HashMap<i64, String>> {
    let rows = tenant::Entity::find()
        .filter(tenant::COLUMN.id.is_in(ids))
        .all(db)
        .await
        .during("reading tenants' names")?;
    Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
}

/// The name of a tenant among them.
pub(crate) fn name(names: &HashMap<i64, String>, tenant: i64) -> Result<String> {
    names
        .get(&tenant)
        .cloned()
        .ok_or_else(|| impossible("tenant_id", tenant))
}

/// Rows of log backup tasks, in the order given.
pub(crate) async fn archive_rows(
    db: &impl ConnectionTrait,
    rows: Vec<log_archive::Model>,
) -> Result<Vec<LogArchive>> {
    let names = names(db, rows.iter().map(|row| row.tenant_id)).await?;
    rows.into_iter()
        .map(|row| {
            Ok(LogArchive {
                tenant: TenantId(row.tenant_id),
                tenant_name: name(&names, row.tenant_id)?,
                method: word("log_archive.method", &row.method, method_from_code)?,
                host: row.host,
                checkpoint_scn: scn_opt("log_archive.checkpoint_scn", row.checkpoint_scn)?,
                directory: row.directory,
                started: scn_opt("log_archive.started", row.started)?,
                round: row.round,
                state: ArchiveState::from_code(&row.state),
                note: row.note,
                rev: Revision(row.rev),
            })
        })
        .collect()
}

/// Rows of data backup tasks, in the order given.
pub(crate) async fn backup_rows(
    db: &impl ConnectionTrait,
    rows: Vec<job::Model>,
) -> Result<Vec<BackupJob>> {
    let names = names(db, rows.iter().map(|row| row.tenant_id)).await?;
    let mut copies = links::copies(db, &rows).await?;
    rows.into_iter()
        .map(|row| {
            let set = row.set_id.map(|set| (row.tenant_id, set));
            let asked = row.asked.as_deref().unwrap_or_default();
            let source = row.source.as_deref().unwrap_or_default();
            Ok(BackupJob {
                id: JobId(row.id),
                tenant: TenantId(row.tenant_id),
                tenant_name: name(&names, row.tenant_id)?,
                asked: word("job.asked", asked, BackupKind::from_code)?,
                actual: word_opt("job.actual", row.actual.as_deref(), BackupKind::from_code)?,
                source: word("job.source", source, TaskSource::from_code)?,
                trigger: word("job.caused_by", &row.caused_by, Trigger::from_code)?,
                created: scn("job.created", row.created)?,
                started: scn_opt("job.started", row.started)?,
                ended: scn_opt("job.ended", row.ended)?,
                state: word("job.state", &row.state, JobState::from_code)?,
                progress: progress(&row)?,
                min_restore_scn: scn_opt("job.min_restore_scn", row.min_restore_scn)?,
                set: row.set_id.map(BackupSetId),
                actual_reason: row.actual_reason,
                directory: row.location,
                failure: row.failure,
                moved: scn_opt("job.moved", row.moved)?,
                second: set.and_then(|set| copies.remove(&set)),
                rev: Revision(row.rev),
            })
        })
        .collect()
}

/// Rows of recovery tasks, in the order given.
pub(crate) async fn recovery_rows(
    db: &impl ConnectionTrait,
    rows: Vec<job::Model>,
) -> Result<Vec<RecoveryJob>> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let names = names(db, rows.iter().map(|row| row.tenant_id)).await?;
    let mut clusters = HashMap::new();
    for row in &rows {
        if let Entry::Vacant(place) = clusters.entry(row.cluster_id) {
            let head = clusters::head(db, ClusterId(row.cluster_id)).await?;
            let head = head.ok_or_else(|| impossible("cluster_id", row.cluster_id))?;
            place.insert(head.name);
        }
    }
    rows.into_iter()
        .map(|row| {
            let cluster = clusters[&row.cluster_id].clone();
            recovery_row(row, &names, &cluster)
        })
        .collect()
}

fn recovery_row(
    row: job::Model,
    names: &HashMap<i64, String>,
    cluster: &str,
) -> Result<RecoveryJob> {
    let proof = row.proof.as_deref().map(serde_json::from_str).transpose();
    Ok(RecoveryJob {
        id: JobId(row.id),
        source_cluster: cluster.to_owned(),
        source_tenant: name(names, row.tenant_id)?,
        source_tenant_id: TenantId(row.tenant_id),
        destination_cluster: cluster.to_owned(),
        until: scn("job.until_scn", row.until_scn.unwrap_or(-1))?,
        created: scn("job.created", row.created)?,
        started: scn_opt("job.started", row.started)?,
        ended: scn_opt("job.ended", row.ended)?,
        state: word("job.state", &row.state, JobState::from_code)?,
        progress: progress(&row)?,
        destination_tenant: row.new_name.unwrap_or_default(),
        proof: proof.map_err(|error| impossible("job.proof", error))?,
        failure: row.failure,
        rev: Revision(row.rev),
    })
}

/// How far a task is.
pub(crate) fn progress(row: &job::Model) -> Result<Progress> {
    Ok(Progress {
        phase: row.phase.clone(),
        done_bytes: count("job.done_bytes", row.done_bytes)?,
        total_bytes: count("job.total_bytes", row.total_bytes)?,
        rate_bytes_per_s: count("job.rate_bytes_per_s", row.rate_bytes_per_s)?,
        eta_ms: row.eta_ms.map(|ms| count("job.eta_ms", ms)).transpose()?,
    })
}
