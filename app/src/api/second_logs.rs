//! Second log backup: one row for each tenant whose log is or was copied.

use super::ApiError;
use domain::{
    page::{Page, TaskFilter},
    second_backup::SecondLog,
};
use leptos::{prelude::*, server_fn::codec::Json};

#[cfg(feature = "ssr")]
use super::caller::viewer;

/// One page of second log backup tasks.
#[server(input = Json)]
pub async fn list(cluster: String, filter: TaskFilter) -> Result<Page<SecondLog>, ApiError> {
    Ok(viewer()?.second_logs(&cluster, &filter).await?)
}
