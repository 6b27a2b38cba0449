//! What operation at scale needs: sealed secrets, the revision of a cluster's observations, and indexes that
//! answer a page of tasks without reading the tasks that it does not show.

use crate::steps::{add_columns, drop_columns, drop_index, drop_tables, index, table};
use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

/// Indexes of `job` made here.
const INDEXES: [(&str, &[&str]); 3] = [
    // In the order that pages show, with everything that pages filter by.
    (
        "job_page",
        &[
            "cluster_id",
            "kind",
            "created",
            "id",
            "state",
            "asked",
            "source",
            "tenant_id",
        ],
    ),
    (
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
    ),
    (
        "job_page_tenant",
        &[
            "tenant_id",
            "kind",
            "created",
            "id",
            "state",
            "asked",
            "source",
        ],
    ),
];

/// Indexes that begin as the ones made here and so only cost.
const REPLACED: [(&str, &[&str]); 2] = [
    ("job_created", &["cluster_id", "kind", "created"]),
    ("job_tenant", &["tenant_id", "kind"]),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                table(manager, "secret")
                    .col(big_pk_auto("id"))
                    .col(string_len("purpose", 32))
                    .col(string_len("owner", 191))
                    .col(string_len("key_id", 16))
                    .col(text("sealed"))
                    .col(big_integer("created"))
                    .to_owned(),
            )
            .await?;
        let mut column = big_integer("observed_rev");
        add_columns(
            manager,
            "cluster",
            vec![("observed_rev", column.default(0).to_owned())],
        )
        .await?;
        for (name, columns) in INDEXES {
            index(manager, "job", name, columns).await?;
        }
        index(manager, "tenant", "tenant_rev", &["cluster_id", "rev"]).await?;
        for (name, _) in REPLACED {
            drop_index(manager, "job", name).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, columns) in REPLACED {
            index(manager, "job", name, columns).await?;
        }
        for (name, _) in INDEXES {
            drop_index(manager, "job", name).await?;
        }
        drop_index(manager, "tenant", "tenant_rev").await?;
        drop_columns(manager, "cluster", &["observed_rev"]).await?;
        drop_tables(manager, &["secret"]).await
    }
}
