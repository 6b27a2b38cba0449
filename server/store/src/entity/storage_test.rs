//! Rows of `storage_test`: which storages passed a test, for a while.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "storage_test")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    pub(crate) cluster_id: i64,
    pub(crate) kind: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) directory: String,
    pub(crate) empty: i32,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) identity: Option<String>,
    pub(crate) at: i64,
    #[sea_orm(column_type = "Text")]
    pub(crate) actor: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) endpoint: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
