//! The revision counter, clusters and their tenants.

use crate::steps::{drop_tables, table, unique_index};
use sea_orm_migration::{prelude::*, schema::*, sea_orm::ConnectionTrait};

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
                table(manager, "revision")
                    .col(big_integer("id").primary_key())
                    .col(big_integer("value"))
                    .to_owned(),
            )
            .await?;
        begin_counting(manager).await?;
        manager
            .create_table(
                table(manager, "cluster")
                    .col(big_pk_auto("id"))
                    .col(string_len_uniq("name", 64))
                    .col(string_len("engine", 32))
                    .col(text("version"))
                    .col(text("capabilities"))
                    .col(text("destination"))
                    .col(text("home_dir"))
                    .col(text("destination_dir"))
                    .col(big_integer("created"))
                    .col(big_integer_null("observed"))
                    .col(text_null("fault"))
                    .col(big_integer("period_rev"))
                    .col(big_integer("rev"))
                    .to_owned(),
            )
            .await?;
        create_tenant(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["tenant", "cluster", "revision"]).await
    }
}

/// The counter's only row; one that counts already is left alone.
async fn begin_counting(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let look = Query::select().column("id").from("revision").to_owned();
    if manager.get_connection().query_one(&look).await?.is_some() {
        return Ok(());
    }
    let insert = Query::insert()
        .into_table("revision")
        .columns(["id", "value"])
        .values_panic([1i64.into(), 0i64.into()])
        .to_owned();
    manager.execute(insert).await
}

async fn create_tenant(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table(manager, "tenant")
                .col(big_pk_auto("id"))
                .col(big_integer("cluster_id"))
                .col(string_len("engine_key", 191))
                .col(string_len("name", 64))
                .col(string_len("state", 16))
                .col(text_null("data_file"))
                .col(big_integer("size_bytes"))
                .col(text_null("note"))
                .col(big_integer("data_bytes"))
                .col(big_integer("log_bytes"))
                .col(big_integer("rev"))
                .foreign_key(
                    ForeignKey::create()
                        .name("tenant_of_cluster")
                        .from("tenant", "cluster_id")
                        .to("cluster", "id"),
                )
                .to_owned(),
        )
        .await?;
    unique_index(
        manager,
        "tenant",
        "tenant_identity",
        &["cluster_id", "engine_key"],
    )
    .await
}
