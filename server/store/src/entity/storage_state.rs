//! Rows of `storage_state`: the destinations of a cluster as last observed.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "storage_state")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) cluster_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) place: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) location: String,
    pub(crate) total_bytes: Option<i64>,
    pub(crate) free_bytes: Option<i64>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) fault: Option<String>,
    /// 1 where another destination stands there, else 0.
    pub(crate) identity_changed: i32,
    pub(crate) told: i64,
    pub(crate) rev: i64,
}

impl ActiveModelBehavior for ActiveModel {}
