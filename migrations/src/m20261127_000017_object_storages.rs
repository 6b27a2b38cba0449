//! Object storages: how they are reached; the key is a row of `secret`. And where a cluster is not what its strategy says.

use crate::steps::{add_columns, drop_columns};
use sea_orm_migration::{prelude::*, schema::*};

/// What a configuration has besides its directory.
const OBJECT: [&str; 5] = ["endpoint", "access_id", "region", "app_id", "access_key"];

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = vec![
            ("endpoint", text_null("endpoint")),
            ("access_id", text_null("access_id")),
            ("region", text_null("region")),
            ("app_id", text_null("app_id")),
            ("access_key", big_integer_null("access_key")),
        ];
        add_columns(manager, "storage_config", columns).await?;
        let endpoint = vec![("endpoint", text_null("endpoint"))];
        add_columns(manager, "storage_test", endpoint).await?;
        add_columns(manager, "cluster", vec![("drift", text_null("drift"))]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_columns(manager, "cluster", &["drift"]).await?;
        drop_columns(manager, "storage_test", &["endpoint"]).await?;
        drop_columns(manager, "storage_config", &OBJECT).await
    }
}
