//! The durable queue: data backups and recoveries.

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
        manager.create_table(job_table(manager)).await?;
        for (name, columns) in [
            ("job_rev", &["cluster_id", "kind", "rev"][..]),
            ("job_created", &["cluster_id", "kind", "created"]),
            ("job_state", &["cluster_id", "state"]),
            ("job_tenant", &["tenant_id", "kind"]),
        ] {
            index(manager, "job", name, columns).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_tables(manager, &["job"]).await
    }
}

fn job_table(manager: &SchemaManager<'_>) -> TableCreateStatement {
    let mut table = table(manager, "job");
    table
        .col(big_pk_auto("id"))
        .col(big_integer("cluster_id"))
        .col(big_integer("tenant_id"))
        .col(string_len("kind", 16))
        .col(string_len("state", 16))
        .col(string_len_uniq("token", 64));
    // What was asked for.
    table
        .col(string_len("caused_by", 16))
        .col(string_len_null("source", 16))
        .col(string_len_null("asked", 16))
        .col(big_integer_null("until_scn"))
        .col(string_len_null("new_name", 64));
    // What the engine tells.
    table
        .col(text_null("engine_job_id"))
        .col(string_len_null("actual", 16))
        .col(text_null("actual_reason"))
        .col(big_integer_null("set_id"))
        .col(big_integer_null("min_restore_scn"))
        .col(text_null("location"))
        .col(text("phase"))
        .col(big_integer("done_bytes"))
        .col(big_integer("total_bytes"))
        .col(big_integer("rate_bytes_per_s"))
        .col(big_integer_null("eta_ms"))
        .col(text_null("proof"))
        .col(text_null("failure"));
    // The worker's own columns.
    table
        .col(integer("attempts"))
        .col(big_integer("not_before"))
        .col(string_len_null("lease_owner", 64))
        .col(big_integer_null("lease_until"));
    table
        .col(big_integer("created"))
        .col(big_integer_null("started"))
        .col(big_integer_null("ended"))
        .col(big_integer("rev"))
        .foreign_key(
            ForeignKey::create()
                .name("job_of_cluster")
                .from("job", "cluster_id")
                .to("cluster", "id"),
        )
        .foreign_key(
            ForeignKey::create()
                .name("job_of_tenant")
                .from("job", "tenant_id")
                .to("tenant", "id"),
        );
    table
}
