//! Log backup: its tasks, Start and Stop.

use super::ApiError;
use domain::{
    TenantId,
    archive::LogArchive,
    page::{Page, TaskFilter},
};
use leptos::{prelude::*, server_fn::codec::Json};

#[cfg(feature = "ssr")]
use super::caller::{operator, viewer};

/// One page of log backup tasks.
#[server(input = Json)]
pub async fn list(cluster: String, filter: TaskFilter) -> Result<Page<LogArchive>, ApiError> {
    Ok(viewer()?.archives(&cluster, &filter).await?)
}

/// Starts log backup of a tenant in a new round.
#[server(input = Json)]
pub async fn start(cluster: String, tenant: TenantId) -> Result<(), ApiError> {
    Ok(operator()?.start_log_backup(&cluster, tenant).await?)
}

/// Stops log backup of a tenant; `reason` is shown on the gap that follows.
#[server(input = Json)]
pub async fn stop(cluster: String, tenant: TenantId, reason: String) -> Result<(), ApiError> {
    Ok(operator()?
        .stop_log_backup(&cluster, tenant, &reason)
        .await?)
}
