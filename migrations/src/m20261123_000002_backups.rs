//! What is at the destinations: backup sets and log.

use crate::steps::{drop_tables, index, table};
use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                table(manager, "backup_set")
                    .col(big_integer("tenant_id"))
                    .col(big_integer("set_id"))
                    .col(string_len("kind", 16))
                    .col(big_integer_null("base"))
                    .col(big_integer("round"))
                    .col(big_integer("min_restore_scn"))
                    .col(big_integer("started"))
                    .col(big_integer("finished"))
                    .col(big_integer("stored_bytes"))
                    .col(big_integer("raw_bytes"))
                    .primary_key(Index::create().col("tenant_id").col("set_id"))
                    .foreign_key(&mut of_tenant("backup_set_of_tenant", "backup_set"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                table(manager, "log_span")
                    .col(big_integer("tenant_id"))
                    .col(big_integer("round"))
                    .col(big_integer("start_scn"))
                    .col(big_integer("end_scn"))
                    .col(string_len("cause", 32))
                    .col(text("note"))
                    .primary_key(
                        Index::create()
                            .col("tenant_id")
                            .col("round")
                            .col("start_scn"),
                    )
                    .foreign_key(&mut of_tenant("log_span_of_tenant", "log_span"))
                    .to_owned(),
            )
            .await?;
        create_archive(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["log_archive", "log_span", "backup_set"]).await
    }
}

fn of_tenant(name: &str, table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(name)
        .from(table, "tenant_id")
        .to("tenant", "id")
        .to_owned()
}

async fn create_archive(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table(manager, "log_archive")
                .col(big_integer("tenant_id").primary_key())
                .col(big_integer("cluster_id"))
                .col(string_len("method", 16))
                .col(text("host"))
                .col(big_integer_null("checkpoint_scn"))
                .col(text("directory"))
                .col(big_integer_null("started"))
                .col(big_integer("round"))
                // Of any length: what an engine says and this program does not know is kept as it is.
                .col(text("state"))
                .col(text_null("note"))
                .col(big_integer("rev"))
                .foreign_key(&mut of_tenant("log_archive_of_tenant", "log_archive"))
                .to_owned(),
        )
        .await?;
    index(
        manager,
        "log_archive",
        "log_archive_rev",
        &["cluster_id", "rev"],
    )
    .await
}
