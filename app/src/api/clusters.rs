//! Clusters: the list, everything at the top of one's page, and adding one.

use super::ApiError;
use domain::{
    ClusterId, Scn,
    cluster::{ClusterSummary, NewCluster},
    page,
};
use leptos::{prelude::*, server_fn::codec::Json};

#[cfg(feature = "ssr")]
use super::caller::{global_admin, viewer};

/// Every cluster that the caller may look at, with its basic information.
#[server(input = Json)]
pub async fn list() -> Result<Vec<ClusterSummary>, ApiError> {
    Ok(viewer()?.clusters().await?)
}

/// Basic information and recovery period of one cluster.
#[server(input = Json)]
pub async fn overview(cluster: String) -> Result<page::Overview, ApiError> {
    Ok(viewer()?.overview(&cluster).await?)
}

/// Makes an embedded cluster.
#[server(input = Json)]
pub async fn create(cluster: NewCluster) -> Result<ClusterId, ApiError> {
    Ok(global_admin()?.create_cluster(&cluster).await?)
}

/// The console's clock, from which filters count.
#[server(input = Json)]
pub async fn now() -> Result<Scn, ApiError> {
    Ok(viewer()?.now())
}
