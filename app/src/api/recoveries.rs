//! Recoveries: the tasks, one of them, the plan of one to be, and starting it.

use super::ApiError;
use domain::{
    JobId, TenantId,
    page::{Page, TaskFilter},
    placement::Resources,
    recovery::{PlannedStep, RecoveryJob, RecoveryPlan, RecoveryRequest},
};
use leptos::{prelude::*, server_fn::codec::Json};

#[cfg(feature = "ssr")]
use super::caller::{operator, viewer};

/// One page of recovery tasks.
#[server(input = Json)]
pub async fn list(cluster: String, filter: TaskFilter) -> Result<Page<RecoveryJob>, ApiError> {
    Ok(viewer()?.recoveries(&cluster, &filter).await?)
}

/// One page of the recovery tasks of all clusters.
#[server(input = Json)]
pub async fn everywhere(filter: TaskFilter) -> Result<Page<RecoveryJob>, ApiError> {
    Ok(viewer()?.all_recoveries(&filter).await?)
}

/// One recovery task.
#[server(input = Json)]
pub async fn one(cluster: String, id: JobId) -> Result<RecoveryJob, ApiError> {
    Ok(viewer()?.recovery(&cluster, id).await?)
}

/// What a recovery would read and reach; changes nothing.
#[server(input = Json)]
pub async fn plan(cluster: String, request: RecoveryRequest) -> Result<RecoveryPlan, ApiError> {
    Ok(operator()?.plan_recovery(&cluster, &request).await?)
}

/// Starts a recovery into a new tenant.
#[server(input = Json)]
pub async fn initiate(cluster: String, request: RecoveryRequest) -> Result<JobId, ApiError> {
    Ok(operator()?.initiate_recovery(&cluster, &request).await?)
}

/// What the cluster has for a tenant recovered from this one. Asks the engine.
#[server(input = Json)]
pub async fn room(cluster: String, tenant: TenantId) -> Result<Resources, ApiError> {
    Ok(operator()?.resources(&cluster, tenant).await?)
}

/// The statements that would remove what a failed or canceled recovery left; removes nothing.
#[server(input = Json)]
pub async fn leftovers(cluster: String, id: JobId) -> Result<Vec<PlannedStep>, ApiError> {
    Ok(operator()?.plan_leftovers(&cluster, id).await?)
}

/// Removes what a failed or canceled recovery left.
#[server(input = Json)]
pub async fn remove_leftovers(cluster: String, id: JobId) -> Result<Vec<PlannedStep>, ApiError> {
    Ok(operator()?.remove_leftovers(&cluster, id).await?)
}
