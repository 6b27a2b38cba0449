//! Rows of `storage_config`: named destinations. `access_key` is a row of `secret`.

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
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) endpoint: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) access_id: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) region: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) app_id: Option<String>,
    pub(crate) access_key: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}
