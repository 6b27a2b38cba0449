//! The destinations as they are, sizes over time, and which cluster is which at a destination.

use crate::steps::{add_columns, drop_columns, drop_tables, index, table, unique_index};
use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const COLUMNS: [&str; 2] = ["identity", "clock_back_ns"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        add_columns(
            manager,
            "cluster",
            vec![
                ("identity", string_len_null("identity", 64)),
                ("clock_back_ns", big_integer_null("clock_back_ns")),
            ],
        )
        .await?;
        unique_index(manager, "cluster", "cluster_identity", &["identity"]).await?;
        manager
            .create_table(
                table(manager, "storage_state")
                    .col(big_integer("cluster_id"))
                    .col(string_len("place", 16))
                    .col(text("location"))
                    .col(big_integer_null("total_bytes"))
                    .col(big_integer_null("free_bytes"))
                    .col(text_null("fault"))
                    .col(integer("identity_changed"))
                    .col(big_integer("told"))
                    .col(big_integer("rev"))
                    .primary_key(Index::create().col("cluster_id").col("place"))
                    .foreign_key(&mut of_cluster("storage_state_of_cluster", "storage_state"))
                    .to_owned(),
            )
            .await?;
        create_samples(manager).await?;
        index(manager, "job", "job_ended", &["cluster_id", "ended"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_index(Index::drop().name("job_ended").table("job").to_owned())
            .await?;
        drop_tables(manager, &["size_sample", "storage_state"]).await?;
        manager
            .drop_index(
                Index::drop()
                    .name("cluster_identity")
                    .table("cluster")
                    .to_owned(),
            )
            .await?;
        drop_columns(manager, "cluster", &COLUMNS).await
    }
}

async fn create_samples(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table(manager, "size_sample")
                .col(big_integer("cluster_id"))
                .col(big_integer("tenant_id"))
                .col(big_integer("at"))
                .col(big_integer("data_bytes"))
                .col(big_integer("log_bytes"))
                .col(big_integer_null("second_data_bytes"))
                .col(big_integer_null("second_log_bytes"))
                .col(big_integer_null("storage_total_bytes"))
                .col(big_integer_null("storage_free_bytes"))
                .primary_key(Index::create().col("cluster_id").col("tenant_id").col("at"))
                .foreign_key(&mut of_cluster("size_sample_of_cluster", "size_sample"))
                .to_owned(),
        )
        .await
}

fn of_cluster(name: &str, table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(name)
        .from(table, "cluster_id")
        .to("cluster", "id")
        .to_owned()
}
