//! Forgetting a cluster: every row about it but the audit's.

use crate::{
    Change,
    entity::{
        account_grant, alert, backup_set, cluster, job, job_step, log_archive, log_span,
        schedule_run, second_copy, second_set, second_span, size_sample, storage_state,
        storage_test, strategy, tenant, verification,
    },
    error::{During, Result},
};
use domain::ClusterId;
use sea_orm::{
    ColumnTrait, EntityTrait, QueryFilter,
    sea_query::{Query, SelectStatement, SimpleExpr},
};

const DURING: &str = "removing a cluster";

/// Deletes the rows of tables whose column is one of the answers.
macro_rules! delete {
    ($change:ident, $column:ident in $ids:expr; $($table:ident),*) => {$(
        $table::Entity::delete_many()
            .filter($table::Column::$column.in_subquery($ids))
            .exec(&$change.tx)
            .await
            .during(DURING)?;
    )*};
    ($change:ident, $column:ident = $id:expr; $($table:ident),*) => {$(
        $table::Entity::delete_many()
            .filter($table::Column::$column.eq($id))
            .exec(&$change.tx)
            .await
            .during(DURING)?;
    )*};
}

impl Change {
    /// Removes a cluster with its tenants, tasks, strategy, alerts and sizes. What the audit says of it stays, and so do
    /// storage configurations.
    pub async fn remove_cluster(&self, id: ClusterId) -> Result<()> {
        self.touch();
        let jobs = of_cluster(
            job::Entity,
            job::Column::Id,
            job::Column::ClusterId.eq(id.0),
        );
        delete!(self, JobId in jobs; job_step);
        let tenants = || {
            of_cluster(
                tenant::Entity,
                tenant::Column::Id,
                tenant::Column::ClusterId.eq(id.0),
            )
        };
        delete!(self, TenantId in tenants(); backup_set, log_archive, log_span, second_copy, second_set, second_span, verification);
        // Tenants after what is theirs.
        delete!(self, ClusterId = id.0; job, schedule_run, size_sample, storage_state, tenant, strategy, storage_test, alert, account_grant);
        delete!(self, Id = id.0; cluster);
        Ok(())
    }
}

fn of_cluster(
    table: impl EntityTrait,
    column: impl ColumnTrait,
    condition: SimpleExpr,
) -> SelectStatement {
    Query::select()
        .column(column)
        .from(table)
        .and_where(condition)
        .to_owned()
}
