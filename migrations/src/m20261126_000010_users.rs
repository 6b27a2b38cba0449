//! Users, what they may do, where they are signed in; and what the audit says beside who did what.

use crate::steps::{add_columns, drop_columns, drop_tables, index, table, unique_index};
use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const AUDIT_COLUMNS: [&str; 5] = ["address", "result", "cause", "was", "became"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(account(manager)).await?;
        unique_index(manager, "account", "account_name", &["name_key"]).await?;
        index(manager, "account", "account_link", &["link"]).await?;
        manager
            .create_table(
                table(manager, "account_grant")
                    .col(big_integer("account_id"))
                    .col(big_integer("cluster_id"))
                    .col(string_len("role", 16))
                    .primary_key(Index::create().col("account_id").col("cluster_id"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                table(manager, "login")
                    .col(big_pk_auto("id"))
                    .col(string_len("token", 64))
                    .col(big_integer("account_id"))
                    .col(big_integer("created"))
                    .col(big_integer("seen"))
                    .col(string_len("address", 64))
                    .col(text("agent"))
                    .to_owned(),
            )
            .await?;
        unique_index(manager, "login", "login_token", &["token"]).await?;
        index(manager, "login", "login_account", &["account_id"]).await?;
        let mut result = string_len("result", 16);
        add_columns(
            manager,
            "audit",
            vec![
                ("address", string_len_null("address", 64)),
                ("result", result.default("ok").to_owned()),
                ("cause", text_null("cause")),
                ("was", text_null("was")),
                ("became", text_null("became")),
            ],
        )
        .await?;
        index(manager, "audit", "audit_cluster", &["cluster_id", "id"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.has_index("audit", "audit_cluster").await? {
            manager
                .drop_index(
                    Index::drop()
                        .name("audit_cluster")
                        .table("audit")
                        .to_owned(),
                )
                .await?;
        }
        drop_columns(manager, "audit", &AUDIT_COLUMNS).await?;
        drop_tables(manager, &["login", "account_grant", "account"]).await
    }
}

fn account(manager: &SchemaManager<'_>) -> TableCreateStatement {
    table(manager, "account")
        .col(big_pk_auto("id"))
        .col(string_len("name", 64))
        .col(string_len("name_key", 64))
        .col(text_null("password"))
        .col(string_len_null("everywhere", 16))
        .col(string_len("state", 16))
        .col(integer("failures"))
        .col(big_integer_null("locked_until"))
        .col(string_len_null("link", 64))
        .col(big_integer_null("link_until"))
        .col(big_integer("created"))
        .col(big_integer_null("signed_in"))
        .to_owned()
}
