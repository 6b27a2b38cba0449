//! Counts and ages for whoever operates the console, and whether the database can be written.

use crate::{
    Store,
    convert::{count, scn},
    entity::{job, revision},
    error::{During, Result},
};
use domain::{
    ClusterId, Scn,
    job::{JobKind, JobState},
};
use sea_orm::{
    EntityTrait, ExprTrait, QueryFilter, QuerySelect, SqliteTransactionMode, TransactionOptions,
    TransactionTrait, sea_query::Expr,
};
use std::collections::HashMap;

/// How many tasks of a cluster are of one kind and in one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskCount {
    /// Cluster.
    pub cluster: ClusterId,
    /// The kind's code.
    pub kind: String,
    /// The state's code.
    pub state: String,
    /// How many.
    pub count: u64,
}

impl Store {
    /// Every task there is, counted. Reads an index as long as the table.
    pub async fn task_counts(&self) -> Result<Vec<TaskCount>> {
        let rows: Vec<(i64, String, String, i64)> = job::Entity::find()
            .select_only()
            .column(job::Column::ClusterId)
            .column(job::Column::Kind)
            .column(job::Column::State)
            .column_as(Expr::col(job::Column::Id).count(), "count")
            .group_by(job::Column::ClusterId)
            .group_by(job::Column::Kind)
            .group_by(job::Column::State)
            .into_tuple()
            .all(&self.db)
            .await
            .during("counting tasks by state")?;
        rows.into_iter()
            .map(|(cluster, kind, state, tasks)| {
                Ok(TaskCount {
                    cluster: ClusterId(cluster),
                    kind,
                    state,
                    count: count("count of tasks", tasks)?,
                })
            })
            .collect()
    }

    /// When the task that waits longest in each of these clusters was asked for.
    pub async fn oldest_queued(&self, clusters: &[ClusterId]) -> Result<HashMap<ClusterId, Scn>> {
        let rows: Vec<(i64, i64)> = job::Entity::find()
            .select_only()
            .column(job::Column::ClusterId)
            .column_as(Expr::col(job::Column::Created).min(), "oldest")
            .filter(job::COLUMN.cluster_id.is_in(clusters.iter().map(|id| id.0)))
            // Every kind there is, so that the index leads to this state past all others.
            .filter(job::COLUMN.kind.is_in(JobKind::ALL.map(JobKind::code)))
            .filter(job::COLUMN.state.eq(JobState::Queued.code()))
            .group_by(job::Column::ClusterId)
            .into_tuple()
            .all(&self.db)
            .await
            .during("looking for the oldest task that waits")?;
        rows.into_iter()
            .map(|(cluster, oldest)| Ok((ClusterId(cluster), scn("job.created", oldest)?)))
            .collect()
    }

    /// Writes to the database and changes nothing: fails as any change would.
    pub async fn probe(&self) -> Result<()> {
        let during = "trying whether it can be written";
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        let tx = self
            .writer
            .begin_with_options(options)
            .await
            .during(during)?;
        revision::Entity::update_many()
            .col_expr(
                revision::Column::Value,
                Expr::col(revision::Column::Value).add(0),
            )
            .exec(&tx)
            .await
            .during(during)?;
        tx.commit().await.during(during)
    }
}
