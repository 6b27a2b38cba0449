//! Clusters that are servers elsewhere: where they listen and who signs in. The password is a row of `secret`.

use crate::steps::{add_columns, drop_columns};
use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = vec![
            ("addresses", text_null("addresses")),
            ("account", text_null("account")),
            ("password", big_integer_null("password")),
        ];
        add_columns(manager, "cluster", columns).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_columns(manager, "cluster", &["addresses", "account", "password"]).await
    }
}
