//! Tenants of a cluster.

use super::ApiError;
use domain::{TenantId, tenant::Tenant};
use leptos::{prelude::*, server_fn::codec::Json};

#[cfg(feature = "ssr")]
use super::caller::{operator, viewer};

/// The tenants of a cluster, also those that are gone and left backups.
#[server(input = Json)]
pub async fn list(cluster: String) -> Result<Vec<Tenant>, ApiError> {
    Ok(viewer()?.tenants(&cluster).await?)
}

/// Makes an empty tenant; its log backup begins at once.
#[server(input = Json)]
pub async fn create(cluster: String, name: String) -> Result<TenantId, ApiError> {
    Ok(operator()?.create_tenant(&cluster, &name).await?)
}
