//! Clusters: the list, everything at the top of one's page, adding, changing and removing one.

use super::ApiError;
use domain::{
    ClusterId, Scn,
    capability::EngineKind,
    cluster::{ClusterSummary, NewCluster},
    endpoint::{Access, ConnectionReport},
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

/// Adds a cluster: makes an embedded one, or takes in a server elsewhere.
#[server(input = Json)]
pub async fn create(cluster: NewCluster) -> Result<ClusterId, ApiError> {
    Ok(global_admin()?.create_cluster(&cluster).await?)
}

/// Tries step by step whether a server can be used as a cluster. `cluster` is the one whose password is used when none is
/// given.
#[server(input = Json)]
pub async fn test_connection(
    engine: EngineKind,
    access: Access,
    cluster: Option<String>,
) -> Result<ConnectionReport, ApiError> {
    let admin = global_admin()?;
    Ok(admin
        .test_connection(engine, &access, cluster.as_deref())
        .await?)
}

/// Changes how a cluster is reached.
#[server(input = Json)]
pub async fn modify(cluster: String, access: Access) -> Result<(), ApiError> {
    Ok(global_admin()?.modify_cluster(&cluster, &access).await?)
}

/// Forgets a cluster; what it has stays where it is.
#[server(input = Json)]
pub async fn remove(cluster: String) -> Result<(), ApiError> {
    Ok(global_admin()?.remove_cluster(&cluster).await?)
}

/// The console's clock, from which filters count.
#[server(input = Json)]
pub async fn now() -> Result<Scn, ApiError> {
    Ok(viewer()?.now())
}
