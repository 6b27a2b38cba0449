//! Rows of `job`: tasks of every kind, queued, running and ended.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "job")]
pub(crate) struct Model {
    #[sea_orm(primary_key)]
    pub(crate) id: i64,
    pub(crate) cluster_id: i64,
    pub(crate) tenant_id: i64,
    pub(crate) kind: String,
    pub(crate) state: String,
    pub(crate) token: String,
    pub(crate) caused_by: String,
    pub(crate) source: Option<String>,
    pub(crate) asked: Option<String>,
    pub(crate) until_scn: Option<i64>,
    pub(crate) new_name: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) engine_job_id: Option<String>,
    pub(crate) actual: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) actual_reason: Option<String>,
    pub(crate) set_id: Option<i64>,
    pub(crate) min_restore_scn: Option<i64>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) location: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub(crate) phase: String,
    pub(crate) done_bytes: i64,
    pub(crate) total_bytes: i64,
    pub(crate) rate_bytes_per_s: i64,
    pub(crate) eta_ms: Option<i64>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) proof: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) failure: Option<String>,
    pub(crate) attempts: i32,
    pub(crate) not_before: i64,
    pub(crate) lease_owner: Option<String>,
    pub(crate) lease_until: Option<i64>,
    pub(crate) created: i64,
    pub(crate) started: Option<i64>,
    pub(crate) ended: Option<i64>,
    pub(crate) rev: i64,
    pub(crate) run_id: Option<i64>,
    pub(crate) place: Option<String>,
    pub(crate) keep_from: Option<i64>,
    pub(crate) copy_set: Option<i64>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) outcome: Option<String>,
    pub(crate) moved: Option<i64>,
    pub(crate) retry_of: Option<i64>,
    #[sea_orm(column_type = "Text", nullable)]
    pub(crate) placement: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
