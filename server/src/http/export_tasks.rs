//! Task tables as CSV files: what the page shows with the same filters, read and sent a page at a time.

use super::export::cell;
use axum::{
    Extension, Router,
    body::{Body, Bytes},
    extract::{Path, Query, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use control::{Console, ErrorKind, Viewer};
use domain::{
    BackupSetId, Scn, TenantId,
    access::Actor,
    archive::LogArchive,
    backup::{BackupKind, TaskSource},
    job::{JobKind, JobState},
    page::{PAGE_SIZE_MAX, TOTAL_MAX, TaskFilter},
    second_backup::SecondLog,
    task::Task,
};
use futures_util::stream;
use serde::Deserialize;
use std::io;

/// The route.
pub fn routes(console: Console) -> Router {
    Router::new()
        .route("/clusters/{cluster}/export/{table}", get(export))
        .with_state(console)
}

/// Which table.
#[derive(Debug, Clone, Copy)]
enum Table {
    Tasks(JobKind),
    Log,
    SecondLog,
}

impl Table {
    fn of(code: &str) -> Option<Table> {
        match code {
            "log" => Some(Table::Log),
            "second_logs" => Some(Table::SecondLog),
            code => JobKind::from_code(code).map(Table::Tasks),
        }
    }

    fn head(self) -> &'static str {
        match self {
            Table::Tasks(_) => {
                "id,kind,tenant,started_by,asked,set,copy,created,started,ended,state,\
                 done_bytes,destination_tenant,recover_to,directory,result,cause\r\n"
            }
            Table::Log => {
                "tenant,method,host,last_backed_up,directory,started,round,state,note\r\n"
            }
            Table::SecondLog => "tenant,last_backed_up,directory,started,bytes,state,note\r\n",
        }
    }
}

/// The filters, as the page writes them; moments in ns since the epoch.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    since: Option<u64>,
    until: Option<u64>,
    states: Option<String>,
    tenant: Option<i64>,
    kind: Option<String>,
    source: Option<String>,
    set: Option<i64>,
    text: Option<String>,
    oldest: Option<bool>,
}

impl Asked {
    fn filter(&self) -> TaskFilter {
        let states = self.states.as_deref().unwrap_or_default().split('.');
        TaskFilter {
            since: self.since.map(Scn),
            until: self.until.map(Scn),
            states: states.filter_map(JobState::from_code).collect(),
            tenant: self.tenant.map(TenantId),
            kind: self.kind.as_deref().and_then(BackupKind::from_code),
            source: self.source.as_deref().and_then(TaskSource::from_code),
            set: self.set.map(BackupSetId),
            text: self.text.clone(),
            ascending: self.oldest.unwrap_or_default(),
            page: 1,
            size: PAGE_SIZE_MAX,
        }
    }
}

/// Where the way through the pages is.
struct Way {
    viewer: Viewer,
    cluster: String,
    table: Table,
    filter: TaskFilter,
}

async fn export(
    State(console): State<Console>,
    Extension(actor): Extension<Actor>,
    Path((cluster, table)): Path<(String, String)>,
    Query(asked): Query<Asked>,
) -> Response {
    let Some(table) = Table::of(&table) else {
        return (StatusCode::NOT_FOUND, "there is no such table\n").into_response();
    };
    let viewer = match console.viewer(&actor) {
        Ok(viewer) => viewer,
        Err(error) => return refused(&error),
    };
    // Whoever may not see the cluster learns it before the first line.
    if let Err(error) = viewer.tenants(&cluster).await {
        return refused(&error);
    }
    let name = format!("attachment; filename=\"tidemark-{cluster}-tasks.csv\"");
    let Ok(file) = HeaderValue::try_from(name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let way = Way {
        viewer,
        cluster,
        table,
        filter: asked.filter(),
    };
    let head = stream::once(async move { Ok(Bytes::from_static(table.head().as_bytes())) });
    let rows = stream::try_unfold(Some(way), next);
    let body = Body::from_stream(stream::StreamExt::chain(head, rows));
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/csv; charset=utf-8"),
        ),
        (header::CONTENT_DISPOSITION, file),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, body).into_response()
}

fn refused(error: &control::Error) -> Response {
    let status = match error.kind() {
        ErrorKind::NotFound { .. } | ErrorKind::Forbidden => StatusCode::NOT_FOUND,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, format!("{error}\n")).into_response()
}

/// The next page of lines; nothing after the last.
async fn next(way: Option<Way>) -> io::Result<Option<(Bytes, Option<Way>)>> {
    let Some(mut way) = way else {
        return Ok(None);
    };
    let lines = page(&way).await.map_err(|error| {
        tracing::error!("tasks could not be sent: {}", control::chain(&error));
        io::Error::other(error)
    })?;
    let sent = u64::from(way.filter.page) * u64::from(way.filter.size);
    let is_last = lines.len() < way.filter.size as usize || sent >= TOTAL_MAX;
    way.filter.page += 1;
    Ok(Some((lines.concat().into(), (!is_last).then_some(way))))
}

async fn page(way: &Way) -> Result<Vec<String>, control::Error> {
    let (viewer, cluster, filter) = (&way.viewer, &way.cluster, &way.filter);
    Ok(match way.table {
        Table::Tasks(kind) => {
            let rows = viewer.tasks(cluster, kind, filter).await?.rows;
            rows.iter().map(task).collect()
        }
        Table::Log => {
            let rows = viewer.archives(cluster, filter).await?.rows;
            rows.iter().map(log).collect()
        }
        Table::SecondLog => {
            let rows = viewer.second_logs(cluster, filter).await?.rows;
            rows.iter().map(second_log).collect()
        }
    })
}

fn line(cells: &[String]) -> String {
    let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
    format!("{}\r\n", cells.join(","))
}

fn moment(at: Option<Scn>) -> String {
    at.map(Scn::to_rfc3339).unwrap_or_default()
}

fn or_empty(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

fn task(task: &Task) -> String {
    line(&[
        task.id.to_string(),
        task.kind.code().to_owned(),
        task.tenant_name.clone(),
        task.trigger.code().to_owned(),
        or_empty(task.asked.map(BackupKind::code)),
        task.set.map_or_else(String::new, |set| set.to_string()),
        or_empty(task.place.map(domain::second_backup::Place::code)),
        moment(Some(task.created)),
        moment(task.started),
        moment(task.ended),
        task.state_label().to_owned(),
        task.progress.done_bytes.to_string(),
        or_empty(task.new_name.as_deref()),
        moment(task.until),
        or_empty(task.directory.as_deref()),
        or_empty(task.outcome.as_deref()),
        or_empty(task.failure.as_deref()),
    ])
}

fn log(row: &LogArchive) -> String {
    line(&[
        row.tenant_name.clone(),
        row.method.label().to_owned(),
        row.host.clone(),
        moment(row.checkpoint_scn),
        row.directory.clone(),
        moment(row.started),
        row.round.to_string(),
        row.state.label().to_owned(),
        or_empty(row.note.as_deref()),
    ])
}

fn second_log(row: &SecondLog) -> String {
    line(&[
        row.tenant_name.clone(),
        moment(row.last_backed_up),
        row.directory.clone(),
        moment(row.started),
        row.log_bytes.to_string(),
        row.state.label().to_owned(),
        or_empty(row.note.as_deref()),
    ])
}
