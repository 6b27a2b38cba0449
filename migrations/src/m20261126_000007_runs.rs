//! The runs of schedules, what tasks did step by step, when they moved last, and which one they try again.

use crate::steps::{add_columns, drop_columns, drop_tables, index, table, unique_index};
use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const COLUMNS: [&str; 2] = ["moved", "retry_of"];
/// Indexes of `job`, each with its columns.
const INDEXES: [(&str, &[&str]); 3] = [
    ("job_retry", &["retry_of"]),
    ("job_copy_set", &["tenant_id", "copy_set"]),
    ("job_set", &["tenant_id", "set_id"]),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        add_columns(
            manager,
            "job",
            vec![
                ("moved", big_integer_null("moved")),
                ("retry_of", big_integer_null("retry_of")),
            ],
        )
        .await?;
        for (name, columns) in INDEXES {
            index(manager, "job", name, columns).await?;
        }
        manager.create_table(steps(manager)).await?;
        index(manager, "job_step", "job_step_at", &["at"]).await?;
        manager.create_table(runs(manager)).await?;
        unique_index(
            manager,
            "schedule_run",
            "schedule_run_due",
            &["strategy_id", "kind", "due"],
        )
        .await?;
        for (name, columns) in [
            ("schedule_run_listed", &["cluster_id", "kind", "due"][..]),
            ("schedule_run_open", &["outcome"]),
        ] {
            index(manager, "schedule_run", name, columns).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["schedule_run", "job_step"]).await?;
        for (name, _) in INDEXES {
            if manager.has_index("job", name).await? {
                let mut drop = Index::drop();
                manager
                    .drop_index(drop.name(name).table("job").to_owned())
                    .await?;
            }
        }
        drop_columns(manager, "job", &COLUMNS).await
    }
}

fn steps(manager: &SchemaManager<'_>) -> TableCreateStatement {
    table(manager, "job_step")
        .col(big_integer("job_id"))
        .col(integer("seq"))
        .col(big_integer("at"))
        .col(text("text"))
        .primary_key(Index::create().col("job_id").col("seq"))
        .foreign_key(
            ForeignKey::create()
                .name("job_step_of_job")
                .from("job_step", "job_id")
                .to("job", "id"),
        )
        .to_owned()
}

/// Runs outlive their strategy: the history stays when that is deleted.
fn runs(manager: &SchemaManager<'_>) -> TableCreateStatement {
    table(manager, "schedule_run")
        .col(big_pk_auto("id"))
        .col(big_integer("cluster_id"))
        .col(big_integer("strategy_id"))
        .col(string_len("kind", 16))
        .col(string_len_null("backup", 16))
        .col(big_integer("due"))
        .col(big_integer("started"))
        .col(big_integer_null("ended"))
        .col(string_len("outcome", 16))
        .col(text_null("cause"))
        .col(big_integer("rev"))
        .foreign_key(
            ForeignKey::create()
                .name("schedule_run_of_cluster")
                .from("schedule_run", "cluster_id")
                .to("cluster", "id"),
        )
        .to_owned()
}
