//! Rows of `job_step`: what a task did, in words, in order.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "job_step")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) job_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) seq: i32,
    pub(crate) at: i64,
    #[sea_orm(column_type = "Text")]
    pub(crate) text: String,
}

impl ActiveModelBehavior for ActiveModel {}
