//! Rows of `alert`: one per continuing fault.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "alert")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    pub(crate) cluster_id: Option<i64>,
    pub(crate) rule: String,
    pub(crate) object_key: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) object: String,
    pub(crate) level: i32,
    pub(crate) status: String,
    pub(crate) generated: i64,
    pub(crate) last_generated: i64,
    pub(crate) clear_since: Option<i64>,
    pub(crate) recovered: Option<i64>,
    pub(crate) masked_until: Option<i64>,
    #[sea_orm(column_type = "Text")]
    pub(crate) summary: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) measured: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) threshold: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub(crate) labels: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) ended_because: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) masked_by: Option<String>,
    pub(crate) rev: i64,
}

impl ActiveModelBehavior for ActiveModel {}
