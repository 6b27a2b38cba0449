//! What copies and cleanups add to the queue, and which run of a schedule a task belongs to.

use crate::steps::{add_columns, drop_columns, index};
use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const COLUMNS: [&str; 5] = ["run_id", "place", "keep_from", "copy_set", "outcome"];

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
                ("run_id", big_integer_null("run_id")),
                ("place", string_len_null("place", 16)),
                ("keep_from", big_integer_null("keep_from")),
                ("copy_set", big_integer_null("copy_set")),
                ("outcome", text_null("outcome")),
            ],
        )
        .await?;
        index(manager, "job", "job_run", &["run_id"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_index(Index::drop().name("job_run").table("job").to_owned())
            .await?;
        drop_columns(manager, "job", &COLUMNS).await
    }
}
