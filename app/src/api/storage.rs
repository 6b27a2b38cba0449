//! Storages of a cluster: as they are, and how the sizes there came about.

use super::ApiError;
use domain::{Scn, TenantId, storage::StorageState, trend::StorageTrend};
use leptos::{prelude::*, server_fn::codec::Json};

#[cfg(feature = "ssr")]
use super::caller::viewer;

/// The destinations of a cluster, the first one first.
#[server(input = Json)]
pub async fn states(cluster: String) -> Result<Vec<StorageState>, ApiError> {
    Ok(viewer()?.storages(&cluster).await?)
}

/// Sizes of a cluster, or of one of its tenants, in a time.
#[server(input = Json)]
pub async fn trend(
    cluster: String,
    tenant: Option<TenantId>,
    since: Scn,
    until: Scn,
) -> Result<StorageTrend, ApiError> {
    let time = (since, until);
    Ok(viewer()?.storage_trend(&cluster, tenant, time).await?)
}

/// Sizes of every cluster that the caller may look at in the last seven days, by its name; few points each.
#[server(input = Json)]
pub async fn trends() -> Result<Vec<(String, StorageTrend)>, ApiError> {
    Ok(viewer()?.all_trends().await?)
}
