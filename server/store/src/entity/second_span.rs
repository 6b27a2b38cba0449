//! Rows of `second_span`: unbroken stretches of log at the second destination as last observed.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "second_span")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) tenant_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) round: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) start_scn: i64,
    pub(crate) end_scn: i64,
    pub(crate) cause: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) note: String,
}

impl ActiveModelBehavior for ActiveModel {}
