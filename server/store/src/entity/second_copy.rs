//! Rows of `second_copy`: what is at the second destination of each tenant as last observed.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "second_copy")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) tenant_id: i64,
    pub(crate) cluster_id: i64,
    pub(crate) state: String,
    pub(crate) data_bytes: i64,
    pub(crate) log_bytes: i64,
    pub(crate) checkpoint_scn: Option<i64>,
    pub(crate) started: Option<i64>,
    #[sea_orm(column_type = "Text")]
    pub(crate) directory: String,
    pub(crate) rev: i64,
}

impl ActiveModelBehavior for ActiveModel {}
