//! Rows of `schedule_run`: the due moments of strategies and what became of each.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "schedule_run")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    pub(crate) cluster_id: i64,
    pub(crate) strategy_id: i64,
    pub(crate) kind: String,
    pub(crate) backup: Option<String>,
    pub(crate) due: i64,
    pub(crate) started: i64,
    pub(crate) ended: Option<i64>,
    pub(crate) outcome: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) cause: Option<String>,
    pub(crate) rev: i64,
}

impl ActiveModelBehavior for ActiveModel {}
