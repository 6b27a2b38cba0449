//! An index that gives tasks of one state, kind of backup and source in the order of pages, so that a page that
//! filters by them reads nothing that it does not count.

use crate::steps::{drop_index, index};
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Equal columns first, then the order.
const EXACT: (&str, &[&str]) = (
    "job_page_exact",
    &[
        "cluster_id",
        "kind",
        "state",
        "asked",
        "source",
        "created",
        "id",
    ],
);

/// What it replaces: it had to be read past every task of a state to find those of one kind of backup.
const REPLACED: (&str, &[&str]) = (
    "job_page_state",
    &[
        "cluster_id",
        "kind",
        "state",
        "created",
        "id",
        "asked",
        "source",
    ],
);

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        index(manager, "job", EXACT.0, EXACT.1).await?;
        drop_index(manager, "job", REPLACED.0).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        index(manager, "job", REPLACED.0, REPLACED.1).await?;
        drop_index(manager, "job", EXACT.0).await
    }
}
