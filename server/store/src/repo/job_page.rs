//! One page of tasks out of a million: the numbers of its rows come from an index alone, and only then the rows.
//!
//! What one index does not give in order is asked for in parts (`filter`), so that nothing has to be sorted; rows are
//! counted up to a limit.

use super::filter::{self, Slice};
use crate::{
    Store,
    convert::{scn, scn_column, word},
    entity::job,
    error::{During, Result},
};
use domain::{
    ClusterId, JobId, Scn, TenantId,
    job::{JobKind, JobState},
    page::{TOTAL_MAX, TaskFilter},
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, FromQueryResult, Order, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait, Select,
    sea_query::{Asterisk, Expr, ExprTrait, Query},
};

/// Most failed and running data backups that the calendar marks.
const MARKED_MAX: u64 = 1000;

/// Rows are counted so far, which tells that there are more than [`TOTAL_MAX`].
const COUNTED_MAX: u64 = TOTAL_MAX + 1;

/// Rows of a page, and how many match with and without the filter, each up to the limit and one more.
pub(crate) struct JobPage {
    pub(crate) rows: Vec<job::Model>,
    pub(crate) slice: Slice,
    pub(crate) total: u64,
    pub(crate) total_unfiltered: u64,
}

/// A data backup that failed or is not final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarkedBackup {
    /// Number.
    pub id: JobId,
    /// The tenant that was to be backed up.
    pub tenant: TenantId,
    /// Where it stands.
    pub state: JobState,
    /// When it was asked for.
    pub created: Scn,
    /// When work began.
    pub started: Option<Scn>,
}

#[derive(FromQueryResult)]
struct MarkedRow {
    id: i64,
    tenant_id: i64,
    state: String,
    created: i64,
    started: Option<i64>,
}

/// A task's place in the order of pages.
type Place = (i64, i64);

impl Store {
    /// One page of tasks of one kind, of some clusters together.
    pub(crate) async fn job_page(
        &self,
        clusters: &[ClusterId],
        kind: JobKind,
        ask: &TaskFilter,
    ) -> Result<JobPage> {
        let all = clusters.iter().map(|one| filter::all_jobs(*one, kind));
        let mut page = JobPage {
            rows: Vec::new(),
            slice: Slice::of(ask),
            total: 0,
            total_unfiltered: self.count_parts(all).await?,
        };
        let mut parts = Vec::new();
        for cluster in clusters {
            // Asking by tenant leaves the cluster out, so the tenant has to be one of it.
            if let Some(tenant) = ask.tenant
                && self.tenant(*cluster, tenant).await?.is_none()
            {
                continue;
            }
            parts.extend(filter::job_parts(*cluster, kind, ask));
        }
        page.total = self.count_parts(parts.iter().cloned()).await?;
        let (from, rows) = (page.slice.offset(), page.slice.limit());
        if from >= Ord::min(page.total, TOTAL_MAX) {
            return Ok(page);
        }
        let order = if ask.ascending {
            Order::Asc
        } else {
            Order::Desc
        };
        let places = if parts.len() == 1 {
            self.places(parts, &order, (from, rows)).await?
        } else {
            // Only what all parts have in front of the page tells where it begins.
            let mut places = self.places(parts, &order, (0, from + rows)).await?;
            let skipped = usize::try_from(from).unwrap_or(usize::MAX);
            places.drain(..Ord::min(skipped, places.len()));
            places
        };
        page.rows = self.jobs_at(&places).await?;
        Ok(page)
    }

    /// Data backups since `since` that failed or are not final, newest first, for the calendar.
    pub async fn marked_backups(
        &self,
        cluster: ClusterId,
        since: Scn,
    ) -> Result<Vec<MarkedBackup>> {
        let marked = JobState::ALL.into_iter();
        let marked = marked.filter(|state| *state == JobState::Failed || !state.is_final());
        let ask = TaskFilter {
            since: Some(since),
            states: marked.collect(),
            ..TaskFilter::default()
        };
        let parts = filter::job_parts(cluster, JobKind::DataBackup, &ask);
        let places = self.places(parts, &Order::Desc, (0, MARKED_MAX)).await?;
        let rows = job::Entity::find()
            .select_only()
            .columns([
                job::Column::Id,
                job::Column::TenantId,
                job::Column::State,
                job::Column::Created,
                job::Column::Started,
            ])
            .filter(job::COLUMN.id.is_in(places.iter().map(|(_, id)| *id)))
            .order_by_desc(job::COLUMN.id)
            .into_model::<MarkedRow>()
            .all(&self.db)
            .await
            .during("reading data backups to mark")?;
        rows.into_iter().map(marked_backup).collect()
    }

    /// How many rows match one of the parts, up to the limit.
    async fn count_parts(&self, parts: impl Iterator<Item = Condition>) -> Result<u64> {
        let mut counted = 0;
        for part in parts {
            if counted < COUNTED_MAX {
                counted += self.count_jobs(part, COUNTED_MAX - counted).await?;
            }
        }
        Ok(counted)
    }

    async fn count_jobs(&self, condition: Condition, limit: u64) -> Result<u64> {
        let matching = job::Entity::find()
            .select_only()
            .column(job::Column::Id)
            .filter(condition)
            .limit(limit)
            .into_query();
        let count = Query::select()
            .expr_as(Expr::col(Asterisk).count(), "count")
            .from_subquery(matching, "matching")
            .to_owned();
        let row = sea_orm::ConnectionTrait::query_one(&self.db, &count)
            .await
            .during("counting tasks")?;
        let counted = row.map(|row| row.try_get::<i64>("", "count")).transpose();
        let counted = counted.during("counting tasks")?.unwrap_or_default();
        crate::convert::count("count of tasks", counted)
    }

    /// The places of the first `limit` rows that match one of the parts, in order; of each part some are skipped.
    async fn places(
        &self,
        parts: Vec<Condition>,
        order: &Order,
        (skip, limit): (u64, u64),
    ) -> Result<Vec<Place>> {
        let mut places: Vec<Place> = Vec::new();
        for part in parts {
            let found = place_query(part, order)
                .offset(skip)
                .limit(limit)
                .into_tuple::<Place>()
                .all(&self.db)
                .await
                .during("looking for tasks")?;
            places.extend(found);
        }
        places.sort_unstable();
        if *order == Order::Desc {
            places.reverse();
        }
        places.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(places)
    }

    /// The rows at these places, in their order.
    async fn jobs_at(&self, places: &[Place]) -> Result<Vec<job::Model>> {
        let mut rows = job::Entity::find()
            .filter(job::COLUMN.id.is_in(places.iter().map(|(_, id)| *id)))
            .all(&self.db)
            .await
            .during("listing tasks")?;
        let at = |id: i64| places.iter().position(|(_, other)| *other == id);
        rows.sort_by_key(|row| at(row.id));
        Ok(rows)
    }
}

fn place_query(part: Condition, order: &Order) -> Select<job::Entity> {
    job::Entity::find()
        .select_only()
        .column(job::Column::Created)
        .column(job::Column::Id)
        .filter(part)
        .order_by(job::COLUMN.created, order.clone())
        .order_by(job::COLUMN.id, order.clone())
}

fn marked_backup(row: MarkedRow) -> Result<MarkedBackup> {
    Ok(MarkedBackup {
        id: JobId(row.id),
        tenant: TenantId(row.tenant_id),
        state: word("job.state", &row.state, JobState::from_code)?,
        created: scn("job.created", row.created)?,
        started: row.started.map(|at| scn("job.started", at)).transpose()?,
    })
}

/// The condition that a task was asked for in this time.
pub(crate) fn asked_between(since: Option<Scn>, until: Option<Scn>) -> Condition {
    let created = job::Column::Created;
    Condition::all()
        .add_option(since.map(|at| created.gte(scn_column(at))))
        .add_option(until.map(|at| created.lt(scn_column(at))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::backup::{BackupKind, TaskSource};
    use sea_orm::{ConnectionTrait, DbBackend, Statement};

    /// Every combination of what pages filter by.
    fn filters() -> Vec<TaskFilter> {
        let mut filters = Vec::new();
        for bits in 0..32 {
            let has = |bit: u32| bits & (1 << bit) != 0;
            filters.push(TaskFilter {
                since: has(0).then_some(Scn(5)),
                states: has(1)
                    .then_some(vec![JobState::Completed, JobState::Failed])
                    .unwrap_or_default(),
                tenant: has(2).then_some(TenantId(1)),
                kind: has(3).then_some(BackupKind::Full),
                source: has(4).then_some(TaskSource::Cluster),
                ..TaskFilter::default()
            });
        }
        filters
    }

    #[tokio::test]
    async fn every_page_comes_out_of_one_index_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", dir.path().join("control.db").display());
        let store = Store::connect(&url).await.unwrap();
        migration::up(store.connection()).await.unwrap();
        for (kind, filter) in JobKind::ALL
            .into_iter()
            .flat_map(|kind| filters().into_iter().map(move |filter| (kind, filter)))
        {
            for part in filter::job_parts(ClusterId(1), kind, &filter) {
                let query = place_query(part, &Order::Desc).build(DbBackend::Sqlite);
                let sql = format!("EXPLAIN QUERY PLAN {}", query.sql);
                let values = query.values.unwrap();
                let explain = Statement::from_sql_and_values(DbBackend::Sqlite, sql, values);
                let rows = store.db.query_all_raw(explain).await.unwrap();
                let told =
                    |row: &sea_orm::QueryResult| row.try_get::<String>("", "detail").unwrap();
                let plan: Vec<String> = rows.iter().map(told).collect();
                let index = match (&filter.tenant, &plan[..]) {
                    (Some(_), [one]) => one.contains("COVERING INDEX job_page_tenant (tenant_id=? AND kind=?"),
                    (None, [one]) if plain(kind, &filter) => one.contains("COVERING INDEX job_page (cluster_id=? AND kind=?"),
                    (None, [one]) => one.contains(
                        "COVERING INDEX job_page_exact (cluster_id=? AND kind=? AND state=? AND asked=? AND source=?",
                    ),
                    _ => false,
                };
                assert!(index, "{kind:?} {filter:?}: {plan:?}");
            }
        }
    }

    fn plain(kind: JobKind, filter: &TaskFilter) -> bool {
        let is_backup = kind == JobKind::DataBackup;
        filter.states.is_empty()
            && !(is_backup && (filter.kind.is_some() || filter.source.is_some()))
    }
}
