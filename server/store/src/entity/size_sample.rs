//! Rows of `size_sample`: sizes at a moment, of a tenant or, as tenant 0, of the whole cluster.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "size_sample")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) cluster_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) tenant_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) at: i64,
    pub(crate) data_bytes: i64,
    pub(crate) log_bytes: i64,
    pub(crate) second_data_bytes: Option<i64>,
    pub(crate) second_log_bytes: Option<i64>,
    pub(crate) storage_total_bytes: Option<i64>,
    pub(crate) storage_free_bytes: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}
