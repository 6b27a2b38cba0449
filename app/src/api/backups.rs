//! Data backups: the tasks, one of them, Back up Now, and Cancel.

use super::ApiError;
use domain::{
    JobId, TenantId,
    backup::{BackupJob, BackupKind, BackupsBegun},
    page::{Page, TaskFilter},
};
use leptos::{prelude::*, server_fn::codec::Json};

#[cfg(feature = "ssr")]
use super::caller::{operator, viewer};

/// One page of data backup tasks.
#[server(input = Json)]
pub async fn list(cluster: String, filter: TaskFilter) -> Result<Page<BackupJob>, ApiError> {
    Ok(viewer()?.backups(&cluster, &filter).await?)
}

/// One data backup task.
#[server(input = Json)]
pub async fn one(cluster: String, id: JobId) -> Result<BackupJob, ApiError> {
    Ok(viewer()?.backup(&cluster, id).await?)
}

/// Backs up one tenant, or every tenant online that can be, now.
#[server(input = Json)]
pub async fn back_up_now(
    cluster: String,
    tenant: Option<TenantId>,
    kind: BackupKind,
) -> Result<BackupsBegun, ApiError> {
    Ok(operator()?.back_up_now(&cluster, tenant, kind).await?)
}

/// Cancels a data backup or a recovery.
#[server(input = Json)]
pub async fn cancel(cluster: String, id: JobId) -> Result<(), ApiError> {
    Ok(operator()?.cancel(&cluster, id).await?)
}
