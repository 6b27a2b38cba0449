//! Who changed what, and when.

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
                table(manager, "audit")
                    .col(big_pk_auto("id"))
                    .col(big_integer("at"))
                    .col(text("actor"))
                    .col(string_len("operation", 64))
                    .col(big_integer_null("cluster_id"))
                    .col(text("subject"))
                    .col(text("detail"))
                    .col(big_integer("rev"))
                    .to_owned(),
            )
            .await?;
        index(manager, "audit", "audit_at", &["at"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["audit"]).await
    }
}
