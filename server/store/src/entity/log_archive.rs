//! Rows of `log_archive`: log archiving of each tenant as last observed.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "log_archive")]
pub(crate) struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub(crate) tenant_id: i64,
    pub(crate) cluster_id: i64,
    pub(crate) method: String,
    #[sea_orm(column_type = "Text")]
    pub(crate) host: String,
    pub(crate) checkpoint_scn: Option<i64>,
    #[sea_orm(column_type = "Text")]
    pub(crate) directory: String,
    pub(crate) started: Option<i64>,
    pub(crate) round: i64,
    pub(crate) state: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) note: Option<String>,
    pub(crate) rev: i64,
}

impl ActiveModelBehavior for ActiveModel {}
