//! Rows of `cluster`: managed clusters. `password` is a row of `secret`.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "cluster")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) engine: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) version: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) capabilities: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) destination: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) home_dir: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) destination_dir: String,
    pub(crate) created: i64,
    pub(crate) observed: Option<i64>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) fault: Option<String>,
    pub(crate) period_rev: i64,
    pub(crate) rev: i64,
    pub(crate) identity: Option<String>,
    pub(crate) clock_back_ns: Option<i64>,
    pub(crate) observed_rev: i64,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) addresses: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) account: Option<String>,
    pub(crate) password: Option<i64>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) drift: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
