//! Rows of `channel`: where messages about alerts go. `url` and `secret` are sealed.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "channel")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) kind: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) url: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) secret: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub(crate) host: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) levels: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) clusters: Option<String>,
    pub(crate) every_min: Option<i32>,
    pub(crate) enabled: i32,
    pub(crate) created: i64,
    pub(crate) last_sent: Option<i64>,
    pub(crate) failing_since: Option<i64>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) fault: Option<String>,
    pub(crate) rev: i64,
}

impl ActiveModelBehavior for ActiveModel {}
