//! Rows of `login`: sessions of users. The token itself is kept by the browser only.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "login")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    pub(crate) token: String,
    pub(crate) account_id: i64,
    pub(crate) created: i64,
    pub(crate) seen: i64,
    pub(crate) address: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) agent: String,
}

impl ActiveModelBehavior for ActiveModel {}
