//! The commands' API about tasks of every kind and the runs of schedules.

use super::{
    commands::{Answer, Refusal, actor, find},
    task_shape::{History, HistoryAsked, Listed, TaskList, TasksAsked},
};
use axum::{
    Json,
    extract::{Path, Query, State},
};
use control::Console;
use domain::{
    JobId,
    job::{JobKind, JobState},
    page::TaskFilter,
    strategy::RunKind,
};

/// Reads one of a list of words, or names all of them.
fn word<T>(
    what: &str,
    text: &str,
    read: fn(&str) -> Option<T>,
    all: &[&str],
) -> Result<T, Refusal> {
    let allowed = all.join(", ");
    read(text).ok_or_else(|| {
        Refusal::invalid(format!(
            "{what} \"{text}\" is not known; use one of {allowed}"
        ))
    })
}

pub(super) async fn tasks(
    State(console): State<Console>,
    Path(cluster): Path<String>,
    Query(asked): Query<TasksAsked>,
) -> Answer<TaskList> {
    let kinds = JobKind::ALL.map(JobKind::code);
    let kind = word("kind", &asked.kind, JobKind::from_code, &kinds)?;
    let states = JobState::ALL.map(JobState::code);
    let state = asked.state.as_deref();
    let state = state.map(|state| word("state", state, JobState::from_code, &states));
    let tenant = match &asked.tenant {
        Some(name) => Some(find(&console, &cluster, name).await?),
        None => None,
    };
    let filter = TaskFilter {
        states: state.transpose()?.into_iter().collect(),
        tenant,
        page: asked.page,
        size: asked.size,
        ..TaskFilter::default()
    };
    let viewer = console.viewer(&actor())?;
    Ok(Json(viewer.tasks(&cluster, kind, &filter).await?.into()))
}

pub(super) async fn task(
    State(console): State<Console>,
    Path((cluster, id)): Path<(String, i64)>,
) -> Answer<Listed> {
    let viewer = console.viewer(&actor())?;
    let task = viewer.task(&cluster, JobId(id)).await?;
    let steps = viewer.steps(&cluster, task.id).await?;
    Ok(Json(Listed::new(task, steps)))
}

pub(super) async fn retry(
    State(console): State<Console>,
    Path((cluster, id)): Path<(String, i64)>,
) -> Answer<Listed> {
    let again = console
        .operator(&actor())?
        .retry(&cluster, JobId(id))
        .await?;
    let viewer = console.viewer(&actor())?;
    let task = viewer.task(&cluster, again).await?;
    let steps = viewer.steps(&cluster, again).await?;
    Ok(Json(Listed::new(task, steps)))
}

pub(super) async fn cancel(
    State(console): State<Console>,
    Path((cluster, id)): Path<(String, i64)>,
) -> Answer<Listed> {
    console
        .operator(&actor())?
        .cancel(&cluster, JobId(id))
        .await?;
    task(State(console), Path((cluster, id))).await
}

pub(super) async fn history(
    State(console): State<Console>,
    Path(cluster): Path<String>,
    Query(asked): Query<HistoryAsked>,
) -> Answer<History> {
    let kinds = RunKind::ALL.map(RunKind::code);
    let kind = word("kind", &asked.kind, RunKind::from_code, &kinds)?;
    let filter = TaskFilter {
        page: asked.page,
        size: asked.size,
        ..TaskFilter::default()
    };
    let viewer = console.viewer(&actor())?;
    let page = viewer.schedule_history(&cluster, kind, &filter).await?;
    Ok(Json(page.into()))
}
