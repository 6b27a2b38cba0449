//! Cleanups: what one would remove, and removing it now.

use super::ApiError;
use domain::{
    TenantId,
    retention::{CleanupPlan, CleanupSum, CleanupsBegun},
    second_backup::Place,
};
use leptos::{prelude::*, server_fn::codec::Json};

#[cfg(feature = "ssr")]
use super::caller::{admin, viewer};

/// What a cleanup of one tenant would remove and keep, and why. Asks the engine; removes nothing.
#[server(input = Json)]
pub async fn plan(
    cluster: String,
    tenant: TenantId,
    keep_days: u32,
    place: Place,
) -> Result<CleanupPlan, ApiError> {
    let viewer = viewer()?;
    let plan = viewer.plan_cleanup(&cluster, tenant, keep_days, place);
    Ok(plan.await?)
}

/// What cleanups of all tenants would remove, summed up; removes nothing.
#[server(input = Json)]
pub async fn sum(cluster: String, keep_days: u32) -> Result<CleanupSum, ApiError> {
    Ok(viewer()?.sum_cleanup(&cluster, keep_days).await?)
}

/// Removes what has expired of one tenant, or of every tenant, now.
#[server(input = Json)]
pub async fn clean_up_now(
    cluster: String,
    tenant: Option<TenantId>,
    keep_days: u32,
    place: Place,
) -> Result<CleanupsBegun, ApiError> {
    let admin = admin()?;
    let begun = admin.clean_up_now(&cluster, tenant, keep_days, place);
    Ok(begun.await?)
}
