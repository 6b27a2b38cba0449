//! Rows of `account`: users who may sign in.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "account")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) name_key: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) password: Option<String>,
    pub(crate) everywhere: Option<String>,
    pub(crate) state: String,
    pub(crate) failures: i32,
    pub(crate) locked_until: Option<i64>,
    pub(crate) link: Option<String>,
    pub(crate) link_until: Option<i64>,
    pub(crate) created: i64,
    pub(crate) signed_in: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}
