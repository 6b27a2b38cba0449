//! Tasks of every kind: lists, one task, its steps, trying it again; and the runs of schedules.

use super::ApiError;
use domain::{
    JobId,
    job::JobKind,
    page::{Page, TaskFilter},
    strategy::{RunKind, ScheduleRun},
    task::{Step, Task},
};
use leptos::{prelude::*, server_fn::codec::Json};

#[cfg(feature = "ssr")]
use super::caller::{operator, viewer};

/// One page of tasks of one kind.
#[server(input = Json)]
pub async fn list(
    cluster: String,
    kind: JobKind,
    filter: TaskFilter,
) -> Result<Page<Task>, ApiError> {
    Ok(viewer()?.tasks(&cluster, kind, &filter).await?)
}

/// One task of any kind.
#[server(input = Json)]
pub async fn one(cluster: String, id: JobId) -> Result<Task, ApiError> {
    Ok(viewer()?.task(&cluster, id).await?)
}

/// What a task did, step by step.
#[server(input = Json)]
pub async fn steps(cluster: String, id: JobId) -> Result<Vec<Step>, ApiError> {
    Ok(viewer()?.steps(&cluster, id).await?)
}

/// Tries a task again that failed or was canceled.
#[server(input = Json)]
pub async fn retry(cluster: String, id: JobId) -> Result<JobId, ApiError> {
    Ok(operator()?.retry(&cluster, id).await?)
}

/// One page of a scheduling history.
#[server(input = Json)]
pub async fn history(
    cluster: String,
    kind: RunKind,
    filter: TaskFilter,
) -> Result<Page<ScheduleRun>, ApiError> {
    Ok(viewer()?.schedule_history(&cluster, kind, &filter).await?)
}
