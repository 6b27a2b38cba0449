//! Rows of `verification`: that a tenant's backups were read back, and what was found.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "verification")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    pub(crate) cluster_id: i64,
    pub(crate) tenant_id: i64,
    pub(crate) at: i64,
    #[sea_orm(column_type = "Text")]
    pub(crate) actor: String,
    pub(crate) sets: i64,
    pub(crate) log_files: i64,
    pub(crate) bytes: i64,
    pub(crate) faults: i64,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) first_fault: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
