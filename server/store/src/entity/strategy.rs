//! Rows of `strategy`: the backup strategies of clusters.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "strategy")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    #[sea_orm(unique)]
    pub(crate) cluster_id: i64,
    pub(crate) storage_id: i64,
    pub(crate) second_storage_id: Option<i64>,
    #[sea_orm(column_type = "Text")]
    pub(crate) settings: String,
    pub(crate) paused_at: Option<i64>,
    pub(crate) created: i64,
    pub(crate) modified: i64,
    #[sea_orm(column_type = "Text")]
    pub(crate) modified_by: String,
    pub(crate) rev: i64,
}

impl ActiveModelBehavior for ActiveModel {}
