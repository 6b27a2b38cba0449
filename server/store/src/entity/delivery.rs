//! Rows of `delivery`: messages on their way, arrived, and given up.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "delivery")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    pub(crate) channel_id: i64,
    pub(crate) state: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) message: String,
    pub(crate) created: i64,
    pub(crate) attempts: i32,
    pub(crate) not_before: i64,
    pub(crate) lease_until: Option<i64>,
    pub(crate) ended: Option<i64>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) failure: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
