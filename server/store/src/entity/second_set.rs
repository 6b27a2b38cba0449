//! Rows of `second_set`: usable sets at the second destination as last observed.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "second_set")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) tenant_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) set_id: i64,
    pub(crate) kind: String,
    pub(crate) base: Option<i64>,
    pub(crate) round: i64,
    pub(crate) min_restore_scn: i64,
    pub(crate) started: i64,
    pub(crate) finished: i64,
    pub(crate) stored_bytes: i64,
    pub(crate) raw_bytes: i64,
}

impl ActiveModelBehavior for ActiveModel {}
