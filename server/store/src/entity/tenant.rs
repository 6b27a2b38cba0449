//! Rows of `tenant`: tenants as last observed.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tenant")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    pub(crate) cluster_id: i64,
    pub(crate) engine_key: String,
    pub(crate) name: String,
    pub(crate) state: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) data_file: Option<String>,
    pub(crate) size_bytes: i64,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) note: Option<String>,
    pub(crate) data_bytes: i64,
    pub(crate) log_bytes: i64,
    pub(crate) rev: i64,
}

impl ActiveModelBehavior for ActiveModel {}
