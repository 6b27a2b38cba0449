//! Rows of `secret`: secrets of others, sealed before they come here.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "secret")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    pub(crate) purpose: String,
    pub(crate) owner: String,
    pub(crate) key_id: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) sealed: String,
    pub(crate) created: i64,
}

impl ActiveModelBehavior for ActiveModel {}
