//! The schema of the control database, one file per step; touches nothing of ours.
//!
//! A step is frozen once it is published: later changes are later steps. Steps use no SQL of a
//! single backend, so that SQLite, PostgreSQL and MySQL all work, and may be run again after they were
//! interrupted anywhere (see `steps`).

mod m20261123_000001_clusters;
mod m20261123_000002_backups;
mod m20261123_000003_jobs;
mod m20261123_000004_audit;
mod m20261126_000005_more_jobs;
mod m20261126_000006_strategies;
mod m20261126_000007_runs;
mod m20261126_000008_alerts;
mod m20261126_000009_second;
mod m20261126_000010_users;
mod m20261126_000011_sizes;
mod m20261126_000013_operation;
mod m20261126_000014_job_exact;
mod m20261127_000015_placement;
mod m20261127_000016_servers;
mod m20261127_000017_object_storages;
mod steps;

use sea_orm_migration::prelude::*;
pub use sea_orm_migration::sea_orm::DatabaseConnection;

/// The steps in order.
pub(crate) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261123_000001_clusters::Migration),
            Box::new(m20261123_000002_backups::Migration),
            Box::new(m20261123_000003_jobs::Migration),
            Box::new(m20261123_000004_audit::Migration),
            Box::new(m20261126_000005_more_jobs::Migration),
            Box::new(m20261126_000006_strategies::Migration),
            Box::new(m20261126_000007_runs::Migration),
            Box::new(m20261126_000008_alerts::Migration),
            Box::new(m20261126_000009_second::Migration),
            Box::new(m20261126_000010_users::Migration),
            Box::new(m20261126_000011_sizes::Migration),
            Box::new(m20261126_000013_operation::Migration),
            Box::new(m20261126_000014_job_exact::Migration),
            Box::new(m20261127_000015_placement::Migration),
            Box::new(m20261127_000016_servers::Migration),
            Box::new(m20261127_000017_object_storages::Migration),
        ]
    }
}

/// Why the schema could not be brought up to date.
#[derive(Debug)]
pub enum MigrationError {
    /// A newer program has changed the schema; this one must not write to it.
    NewerSchema {
        /// The step that this program does not know.
        step: String,
    },
    /// A step failed.
    Step {
        /// Which direction: `up`, `down` or `look`.
        operation: &'static str,
        /// The cause.
        source: DbErr,
    },
}

impl std::fmt::Display for MigrationError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            MigrationError::NewerSchema { step } => write!(
                f,
                "the control database was written by a newer version (step {step} is not known \
                 here); start that version, or restore the database from before the update"
            ),
            MigrationError::Step { operation, .. } => write!(
                f,
                "changing the schema of the control database ({operation}) failed; check that \
                 the database can be reached and its user may create tables"
            ),
        }
    }
}

impl std::error::Error for MigrationError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            MigrationError::NewerSchema { .. } => None,
            MigrationError::Step { source, .. } => Some(source),
        }
    }
}

fn failed(operation: &'static str) -> impl FnOnce(DbErr) -> MigrationError {
    move |source| MigrationError::Step { operation, source }
}

/// Brings the schema up to date; does nothing when it is. Refuses a schema newer than this program.
pub async fn up(db: &DatabaseConnection) -> Result<(), MigrationError> {
    refuse_newer(db).await?;
    Migrator::up(db, None).await.map_err(failed("up"))
}

/// Takes every step back; all data of the control database are lost. For tests.
pub async fn down(db: &DatabaseConnection) -> Result<(), MigrationError> {
    refuse_newer(db).await?;
    Migrator::down(db, None).await.map_err(failed("down"))
}

/// Names of all steps this program knows, in order.
pub fn steps() -> Vec<String> {
    Migrator::migrations()
        .iter()
        .map(|step| step.name().to_owned())
        .collect()
}

async fn refuse_newer(db: &DatabaseConnection) -> Result<(), MigrationError> {
    let known = steps();
    let applied = Migrator::get_migration_models(db)
        .await
        .map_err(failed("look"))?;
    match applied
        .into_iter()
        .find(|row| !known.contains(&row.version))
    {
        Some(row) => Err(MigrationError::NewerSchema { step: row.version }),
        None => Ok(()),
    }
}

/// For tests of what happens with a schema that is newer than the program.
pub mod testing {
    use super::{DatabaseConnection, DbErr};
    use sea_orm_migration::sea_orm::{ConnectionTrait, ExprTrait, sea_query::Query};
    use sea_orm_migration::sea_query::Expr;

    /// Records a step as applied.
    pub async fn pretend_step(db: &DatabaseConnection, step: &str) -> Result<(), DbErr> {
        let insert = Query::insert()
            .into_table("seaql_migrations")
            .columns(["version", "applied_at"])
            .values_panic([step.into(), 0i64.into()])
            .to_owned();
        db.execute(&insert).await.map(|_| ())
    }

    /// Takes that back.
    pub async fn forget_step(db: &DatabaseConnection, step: &str) -> Result<(), DbErr> {
        let delete = Query::delete()
            .from_table("seaql_migrations")
            .and_where(Expr::col("version").eq(step))
            .to_owned();
        db.execute(&delete).await.map(|_| ())
    }
}
