//! Rows of `audit`: who changed what, and when.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    pub(crate) at: i64,
    #[sea_orm(column_type = "Text")]
    pub(crate) actor: String,
    pub(crate) operation: String,
    pub(crate) cluster_id: Option<i64>,
    #[sea_orm(column_type = "Text")]
    pub(crate) subject: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) detail: String,
    pub(crate) rev: i64,
    pub(crate) address: Option<String>,
    pub(crate) result: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) cause: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) was: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) became: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
