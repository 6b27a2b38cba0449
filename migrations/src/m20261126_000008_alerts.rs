//! Alerts, when backups were read back, the channels that messages go out by, and the messages on their way.

use crate::steps::{drop_tables, index, table, unique_index};
use sea_orm_migration::{prelude::*, schema::*};

#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(alert_table(manager)).await?;
        index(manager, "alert", "alert_status", &["status"]).await?;
        index(manager, "alert", "alert_rev", &["cluster_id", "rev"]).await?;
        let generated = ["cluster_id", "generated"];
        index(manager, "alert", "alert_generated", &generated).await?;
        let object = ["cluster_id", "rule", "object_key"];
        index(manager, "alert", "alert_object", &object).await?;
        let mut watch = table(manager, "alert_watch");
        watch.col(big_integer("id").primary_key());
        watch.col(big_integer("evaluated"));
        manager.create_table(watch).await?;
        manager.create_table(verification_table(manager)).await?;
        let tenant = ["cluster_id", "tenant_id", "at"];
        index(manager, "verification", "verification_tenant", &tenant).await?;
        manager.create_table(channel_table(manager)).await?;
        unique_index(manager, "channel", "channel_name", &["name"]).await?;
        manager.create_table(delivery_table(manager)).await?;
        index(
            manager,
            "delivery",
            "delivery_channel",
            &["state", "channel_id", "id"],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = [
            "delivery",
            "channel",
            "verification",
            "alert_watch",
            "alert",
        ];
        drop_tables(manager, &tables).await
    }
}

fn alert_table(manager: &SchemaManager<'_>) -> TableCreateStatement {
    let mut table = table(manager, "alert");
    table
        .col(big_pk_auto("id"))
        .col(big_integer_null("cluster_id"))
        .col(string_len("rule", 64))
        .col(string_len("object_key", 96))
        .col(text("object"))
        .col(integer("level"))
        .col(string_len("status", 16))
        .col(big_integer("generated"))
        .col(big_integer("last_generated"))
        .col(big_integer_null("clear_since"))
        .col(big_integer_null("recovered"))
        .col(big_integer_null("masked_until"));
    // What people read.
    table
        .col(text("summary"))
        .col(text_null("measured"))
        .col(text_null("threshold"))
        .col(text("labels"))
        .col(text_null("ended_because"))
        .col(text_null("masked_by"))
        .col(big_integer("rev"))
        .foreign_key(
            ForeignKey::create()
                .name("alert_of_cluster")
                .from("alert", "cluster_id")
                .to("cluster", "id"),
        );
    table
}

fn verification_table(manager: &SchemaManager<'_>) -> TableCreateStatement {
    let mut table = table(manager, "verification");
    table
        .col(big_pk_auto("id"))
        .col(big_integer("cluster_id"))
        .col(big_integer("tenant_id"))
        .col(big_integer("at"))
        .col(text("actor"))
        .col(big_integer("sets"))
        .col(big_integer("log_files"))
        .col(big_integer("bytes"))
        .col(big_integer("faults"))
        .col(text_null("first_fault"))
        .foreign_key(
            ForeignKey::create()
                .name("verification_of_tenant")
                .from("verification", "tenant_id")
                .to("tenant", "id"),
        );
    table
}

fn channel_table(manager: &SchemaManager<'_>) -> TableCreateStatement {
    let mut table = table(manager, "channel");
    table
        .col(big_pk_auto("id"))
        .col(string_len("name", 64))
        .col(string_len("kind", 16))
        // Both sealed: the address holds a secret too.
        .col(text("url"))
        .col(text_null("secret"))
        .col(text("host"))
        .col(text("levels"))
        .col(text_null("clusters"))
        .col(integer_null("every_min"))
        .col(integer("enabled"))
        .col(big_integer("created"))
        .col(big_integer_null("last_sent"))
        .col(big_integer_null("failing_since"))
        .col(text_null("fault"))
        .col(big_integer("rev"));
    table
}

fn delivery_table(manager: &SchemaManager<'_>) -> TableCreateStatement {
    let mut table = table(manager, "delivery");
    table
        .col(big_pk_auto("id"))
        .col(big_integer("channel_id"))
        .col(string_len("state", 16))
        .col(text("message"))
        .col(big_integer("created"))
        .col(integer("attempts"))
        .col(big_integer("not_before"))
        .col(big_integer_null("lease_until"))
        .col(big_integer_null("ended"))
        .col(text_null("failure"))
        .foreign_key(
            ForeignKey::create()
                .name("delivery_of_channel")
                .from("delivery", "channel_id")
                .to("channel", "id"),
        );
    table
}
