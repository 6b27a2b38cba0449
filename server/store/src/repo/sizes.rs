//! Sizes over time, and what happened beside them.

use crate::{
    Change, Store,
    convert::{column, count, impossible, scn, scn_column, word},
    entity::{audit, job, second_copy, size_sample, tenant},
    error::{During, Result},
};
use domain::{
    ClusterId, Scn, TenantId,
    job::{JobKind, JobState},
    second_backup::SecondLogState,
    trend::{TrendEvent, TrendEventKind, TrendPoint},
};
use sea_orm::{ActiveValue::Set, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use std::collections::HashMap;

/// Most samples of one series that are read; the newest ones.
const SAMPLES_MAX: u64 = 20_000;
/// Rows of one statement: every backend takes so many values.
const ROWS_MAX: usize = 100;
/// What stands for the whole cluster in place of a tenant's number.
const WHOLE: i64 = 0;

/// Sizes of one tenant now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TenantSizes {
    /// The tenant.
    pub tenant: TenantId,
    /// Bytes of its sets at the first destination.
    pub data_bytes: u64,
    /// Bytes of its log there.
    pub log_bytes: u64,
    /// Bytes of its sets and of its log at the second destination, while that can be looked at.
    pub second: Option<(u64, u64)>,
}

impl Store {
    /// What the tenants of a cluster have at its first destination, as last observed.
    pub async fn tenant_sizes(&self, cluster: ClusterId) -> Result<Vec<TenantSizes>> {
        let rows = tenant::Entity::find()
            .filter(tenant::COLUMN.cluster_id.eq(cluster.0))
            .order_by_asc(tenant::COLUMN.id)
            .all(&self.db)
            .await
            .during("reading sizes")?;
        let seconds = self.second_sizes(cluster).await?;
        let sizes = rows.into_iter().map(|row| {
            Ok(TenantSizes {
                tenant: TenantId(row.id),
                second: seconds.get(&row.id).copied(),
                data_bytes: count("tenant.data_bytes", row.data_bytes)?,
                log_bytes: count("tenant.log_bytes", row.log_bytes)?,
            })
        });
        sizes.collect()
    }

    async fn second_sizes(&self, cluster: ClusterId) -> Result<HashMap<i64, (u64, u64)>> {
        let rows = second_copy::Entity::find()
            .filter(second_copy::COLUMN.cluster_id.eq(cluster.0))
            .filter(second_copy::COLUMN.state.ne(SecondLogState::Unknown.code()))
            .all(&self.db)
            .await
            .during("reading sizes of second copies")?;
        let size = |value: i64| count("second_copy.bytes", value);
        rows.into_iter()
            .map(|row| Ok((row.tenant_id, (size(row.data_bytes)?, size(row.log_bytes)?))))
            .collect()
    }

    /// When the sizes of a cluster were sampled last.
    pub async fn last_sample(&self, cluster: ClusterId) -> Result<Option<Scn>> {
        let row = size_sample::Entity::find()
            .filter(size_sample::COLUMN.cluster_id.eq(cluster.0))
            .filter(size_sample::COLUMN.tenant_id.eq(WHOLE))
            .order_by_desc(size_sample::COLUMN.at)
            .one(&self.db)
            .await
            .during("reading the last sample")?;
        row.map(|row| scn("size_sample.at", row.at)).transpose()
    }

    /// The samples of a tenant, or of the whole cluster, in a time, ascending.
    pub async fn samples(
        &self,
        cluster: ClusterId,
        tenant: Option<TenantId>,
        (since, until): (Scn, Scn),
    ) -> Result<Vec<TrendPoint>> {
        let mut rows = size_sample::Entity::find()
            .filter(size_sample::COLUMN.cluster_id.eq(cluster.0))
            .filter(size_sample::COLUMN.tenant_id.eq(number(tenant)))
            .filter(size_sample::COLUMN.at.gte(scn_column(since)))
            .filter(size_sample::COLUMN.at.lte(scn_column(until)))
            .order_by_desc(size_sample::COLUMN.at)
            .limit(SAMPLES_MAX)
            .all(&self.db)
            .await
            .during("reading samples")?;
        rows.reverse();
        rows.iter().map(point).collect()
    }

    /// Whose sizes were sampled: tenants, and `None` for the whole cluster.
    pub async fn sampled(&self, cluster: ClusterId) -> Result<Vec<Option<TenantId>>> {
        let ids: Vec<i64> = size_sample::Entity::find()
            .filter(size_sample::COLUMN.cluster_id.eq(cluster.0))
            .select_only()
            .column(size_sample::Column::TenantId)
            .distinct()
            .order_by_asc(size_sample::COLUMN.tenant_id)
            .into_tuple()
            .all(&self.db)
            .await
            .during("reading whose sizes were sampled")?;
        let tenant = |id| (id != WHOLE).then_some(TenantId(id));
        Ok(ids.into_iter().map(tenant).collect())
    }

    /// Tasks of a cluster, or of one of its tenants, that were completed or failed in a time: the newest, ascending.
    pub async fn ended_tasks(
        &self,
        cluster: ClusterId,
        tenant: Option<TenantId>,
        (since, until): (Scn, Scn),
        limit: u64,
    ) -> Result<Vec<TrendEvent>> {
        let states = [JobState::Completed, JobState::Failed].map(JobState::code);
        let mut found = job::Entity::find()
            .filter(job::COLUMN.cluster_id.eq(cluster.0))
            .filter(job::COLUMN.ended.gte(scn_column(since)))
            .filter(job::COLUMN.ended.lte(scn_column(until)))
            .filter(job::COLUMN.state.is_in(states));
        if let Some(tenant) = tenant {
            found = found.filter(job::COLUMN.tenant_id.eq(tenant.0));
        }
        let mut rows = found
            .order_by_desc(job::COLUMN.ended)
            .limit(limit)
            .all(&self.db)
            .await
            .during("reading ended tasks")?;
        rows.reverse();
        let names = self.tenant_names(&rows).await?;
        rows.iter().map(|row| ended(row, &names)).collect()
    }

    async fn tenant_names(&self, rows: &[job::Model]) -> Result<HashMap<i64, String>> {
        let ids = rows.iter().map(|row| row.tenant_id);
        let tenants = tenant::Entity::find()
            .filter(tenant::COLUMN.id.is_in(ids))
            .all(&self.db)
            .await
            .during("reading tenants' names")?;
        Ok(tenants.into_iter().map(|row| (row.id, row.name)).collect())
    }

    /// Entries of the audit with one of these operations in a time, each with when, what, to what and more: the
    /// newest, ascending.
    pub async fn audited_between(
        &self,
        cluster: ClusterId,
        operations: &[&str],
        (since, until): (Scn, Scn),
        limit: u64,
    ) -> Result<Vec<crate::Audit>> {
        let mut rows = audit::Entity::find()
            .filter(audit::COLUMN.cluster_id.eq(cluster.0))
            .filter(audit::COLUMN.operation.is_in(operations.iter().copied()))
            .filter(audit::COLUMN.at.gte(scn_column(since)))
            .filter(audit::COLUMN.at.lte(scn_column(until)))
            .order_by_desc(audit::COLUMN.id)
            .limit(limit)
            .all(&self.db)
            .await
            .during("reading the audit")?;
        rows.reverse();
        rows.into_iter().map(super::audit::entry).collect()
    }
}

impl Change {
    /// Records sizes.
    pub async fn add_samples(
        &self,
        cluster: ClusterId,
        samples: &[(Option<TenantId>, TrendPoint)],
    ) -> Result<()> {
        self.touch();
        for part in samples.chunks(ROWS_MAX) {
            let rows = part
                .iter()
                .map(|(tenant, point)| row(cluster, *tenant, point));
            size_sample::Entity::insert_many(rows)
                .exec_without_returning(&self.tx)
                .await
                .during("recording sizes")?;
        }
        Ok(())
    }

    /// Forgets samples of a tenant or of the whole cluster.
    pub async fn remove_samples(
        &self,
        cluster: ClusterId,
        tenant: Option<TenantId>,
        at: &[Scn],
    ) -> Result<()> {
        self.touch();
        for part in at.chunks(ROWS_MAX) {
            size_sample::Entity::delete_many()
                .filter(size_sample::COLUMN.cluster_id.eq(cluster.0))
                .filter(size_sample::COLUMN.tenant_id.eq(number(tenant)))
                .filter(
                    size_sample::COLUMN
                        .at
                        .is_in(part.iter().copied().map(scn_column)),
                )
                .exec(&self.tx)
                .await
                .during("thinning samples out")?;
        }
        Ok(())
    }
}

fn number(tenant: Option<TenantId>) -> i64 {
    tenant.map_or(WHOLE, |tenant| tenant.0)
}

fn row(
    cluster: ClusterId,
    tenant: Option<TenantId>,
    point: &TrendPoint,
) -> size_sample::ActiveModel {
    size_sample::ActiveModel {
        cluster_id: Set(cluster.0),
        tenant_id: Set(number(tenant)),
        at: Set(scn_column(point.at)),
        data_bytes: Set(column(point.data_bytes)),
        log_bytes: Set(column(point.log_bytes)),
        second_data_bytes: Set(point.second_data_bytes.map(column)),
        second_log_bytes: Set(point.second_log_bytes.map(column)),
        storage_total_bytes: Set(point.storage_total_bytes.map(column)),
        storage_free_bytes: Set(point.storage_free_bytes.map(column)),
    }
}

fn point(row: &size_sample::Model) -> Result<TrendPoint> {
    let size = |value: i64| count("size_sample.bytes", value);
    let maybe = |value: Option<i64>| value.map(size).transpose();
    Ok(TrendPoint {
        at: scn("size_sample.at", row.at)?,
        data_bytes: size(row.data_bytes)?,
        log_bytes: size(row.log_bytes)?,
        second_data_bytes: maybe(row.second_data_bytes)?,
        second_log_bytes: maybe(row.second_log_bytes)?,
        storage_total_bytes: maybe(row.storage_total_bytes)?,
        storage_free_bytes: maybe(row.storage_free_bytes)?,
    })
}

fn ended(row: &job::Model, names: &HashMap<i64, String>) -> Result<TrendEvent> {
    let kind = word("job.kind", &row.kind, JobKind::from_code)?;
    let state = word("job.state", &row.state, JobState::from_code)?;
    let at = row.ended.ok_or_else(|| impossible("job.ended", "none"))?;
    Ok(TrendEvent {
        at: scn("job.ended", at)?,
        kind: match state {
            JobState::Completed => TrendEventKind::Completed(kind),
            _ => TrendEventKind::Failed(kind),
        },
        tenant: names.get(&row.tenant_id).cloned().unwrap_or_default(),
    })
}
