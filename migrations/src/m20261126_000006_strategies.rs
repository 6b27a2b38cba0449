//! Storage configurations, the backup strategies of clusters, and which storages passed a test.

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
                table(manager, "storage_config")
                    .col(big_pk_auto("id"))
                    .col(string_len_uniq("name", 64))
                    .col(string_len("kind", 16))
                    .col(text("directory"))
                    .col(integer("capacity_percent"))
                    .col(big_integer("created"))
                    .col(big_integer("rev"))
                    .to_owned(),
            )
            .await?;
        create_strategy(manager).await?;
        create_storage_test(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["storage_test", "strategy", "storage_config"]).await
    }
}

async fn create_strategy(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table(manager, "strategy")
                .col(big_pk_auto("id"))
                .col(big_integer_uniq("cluster_id"))
                .col(big_integer("storage_id"))
                .col(big_integer_null("second_storage_id"))
                .col(text("settings"))
                .col(big_integer_null("paused_at"))
                .col(big_integer("created"))
                .col(big_integer("modified"))
                .col(text("modified_by"))
                .col(big_integer("rev"))
                .foreign_key(
                    ForeignKey::create()
                        .name("strategy_of_cluster")
                        .from("strategy", "cluster_id")
                        .to("cluster", "id"),
                )
                .foreign_key(
                    ForeignKey::create()
                        .name("strategy_storage")
                        .from("strategy", "storage_id")
                        .to("storage_config", "id"),
                )
                .foreign_key(
                    ForeignKey::create()
                        .name("strategy_second_storage")
                        .from("strategy", "second_storage_id")
                        .to("storage_config", "id"),
                )
                .to_owned(),
        )
        .await
}

async fn create_storage_test(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .create_table(
            table(manager, "storage_test")
                .col(big_pk_auto("id"))
                .col(big_integer("cluster_id"))
                .col(string_len("kind", 16))
                .col(text("directory"))
                .col(integer("empty"))
                .col(text_null("identity"))
                .col(big_integer("at"))
                .col(text("actor"))
                .to_owned(),
        )
        .await?;
    index(
        manager,
        "storage_test",
        "storage_test_cluster",
        &["cluster_id", "at"],
    )
    .await
}
