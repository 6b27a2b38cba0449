//! What is at the second destinations: backup sets and log of each tenant.

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
        create_copy(manager).await?;
        manager
            .create_table(
                table(manager, "second_set")
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
                    .foreign_key(&mut of_tenant("second_set_of_tenant", "second_set"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                table(manager, "second_span")
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
                    .foreign_key(&mut of_tenant("second_span_of_tenant", "second_span"))
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["second_span", "second_set", "second_copy"]).await
    }
}

fn of_tenant(name: &str, table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(name)
        .from(table, "tenant_id")
        .to("tenant", "id")
        .to_owned()
}

/// One row for each tenant that has second copies.
async fn create_copy(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table(manager, "second_copy")
                .col(big_integer("tenant_id").primary_key())
                .col(big_integer("cluster_id"))
                .col(string_len("state", 16))
                .col(big_integer("data_bytes"))
                .col(big_integer("log_bytes"))
                .col(big_integer_null("checkpoint_scn"))
                .col(big_integer_null("started"))
                .col(text("directory"))
                .col(big_integer("rev"))
                .foreign_key(&mut of_tenant("second_copy_of_tenant", "second_copy"))
                .to_owned(),
        )
        .await?;
    index(
        manager,
        "second_copy",
        "second_copy_rev",
        &["cluster_id", "rev"],
    )
    .await
}
