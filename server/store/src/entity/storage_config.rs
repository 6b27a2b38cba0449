//! Rows of `storage_config`: named destinations.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "storage_config")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    #[sea_orm(unique)]
    pub(crate) name: String,
    pub(crate) kind: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) directory: String,
    pub(crate) capacity_percent: i32,
    pub(crate) created: i64,
    pub(crate) rev: i64,
}

impl ActiveModelBehavior for ActiveModel {}
