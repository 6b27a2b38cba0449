//! The commands' API under `/cli/v1`: thin handlers over the same console that the pages use.

use super::{
    admin, alerts, cleanup,
    shape::{self, Problem},
    storage, strategies, tasks,
};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use control::{Console, ErrorKind};
use domain::{
    JobId, Scn, TenantId,
    access::{Actor, Role},
    backup::BackupKind,
    recovery::RecoveryRequest,
};

/// Longest SQL text that is taken.
pub const SQL_BYTES_MAX: usize = 1 << 20;

/// The routes.
pub fn routes(console: Console) -> Router {
    Router::new()
        .route("/{cluster}/tenants", get(tenants).post(create_tenant))
        .route("/{cluster}/tenants/{tenant}/ranges", get(ranges))
        .route("/{cluster}/tenants/{tenant}/sql", post(sql))
        .route("/{cluster}/backups", post(back_up))
        .route("/{cluster}/backups/{id}", get(backup))
        .route("/{cluster}/recoveries", post(recover))
        .route("/{cluster}/recoveries/{id}", get(recovery))
        .route("/{cluster}/verify", post(verify))
        .route("/{cluster}/tasks", get(tasks::tasks))
        .route("/{cluster}/tasks/{id}", get(tasks::task))
        .route("/{cluster}/tasks/{id}/retry", post(tasks::retry))
        .route("/{cluster}/tasks/{id}/cancel", post(tasks::cancel))
        .route("/{cluster}/history", get(tasks::history))
        .route("/{cluster}/alerts", get(alerts::alerts))
        .route("/{cluster}/alerts/{id}", get(alerts::alert))
        .route("/{cluster}/alerts/{id}/mask", post(alerts::mask))
        .route("/{cluster}/alerts/{id}/unmask", post(alerts::unmask))
        .route(
            "/{cluster}/channels",
            get(alerts::channels).post(alerts::add_channel),
        )
        .route(
            "/{cluster}/channels/{name}/modify",
            post(alerts::modify_channel),
        )
        .route(
            "/{cluster}/channels/{name}/enable",
            post(alerts::enable_channel),
        )
        .route(
            "/{cluster}/channels/{name}/disable",
            post(alerts::disable_channel),
        )
        .route(
            "/{cluster}/channels/{name}/test",
            post(alerts::test_channel),
        )
        .route(
            "/{cluster}/channels/{name}/remove",
            post(alerts::remove_channel),
        )
        .merge(admin::routes())
        .merge(strategies::routes())
        .merge(storage::routes())
        .route("/{cluster}/cleanups", post(cleanup::clean_up))
        .with_state(console)
}

/// A refusal on its way out.
pub(super) struct Refusal(pub(super) StatusCode, pub(super) Problem);

impl Refusal {
    /// What was given cannot be meant.
    pub(super) fn invalid(message: String) -> Self {
        Refusal(
            StatusCode::UNPROCESSABLE_ENTITY,
            Problem::new("invalid", message),
        )
    }

    /// Something of ours broke.
    pub(super) fn internal(error: &dyn std::error::Error) -> Self {
        let causes = control::chain(error);
        tracing::error!("a command failed inside the server: {causes}");
        let problem = Problem::new("internal", error.to_string());
        Refusal(StatusCode::INTERNAL_SERVER_ERROR, problem)
    }
}

impl From<control::Error> for Refusal {
    fn from(error: control::Error) -> Self {
        let (status, kind) = match error.kind() {
            ErrorKind::NotFound { .. } => (StatusCode::NOT_FOUND, "not_found"),
            ErrorKind::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid"),
            ErrorKind::Conflict(_) if matches!(error, control::Error::NotYet(_)) => {
                (StatusCode::CONFLICT, shape::NOT_YET)
            }
            ErrorKind::Conflict(_) => (StatusCode::CONFLICT, "conflict"),
            ErrorKind::Forbidden => (StatusCode::FORBIDDEN, "forbidden"),
            ErrorKind::Unavailable(_) => {
                tracing::warn!("a command has to wait: {}", control::chain(&error));
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
            }
            ErrorKind::Internal(_) => {
                let causes = control::chain(&error);
                tracing::error!("a command failed inside the console: {causes}");
                (StatusCode::INTERNAL_SERVER_ERROR, "internal")
            }
        };
        Refusal(status, Problem::new(kind, error.to_string()))
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Refusal(StatusCode::NOT_FOUND, problem)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.1.answer(self.0)
    }
}

pub(super) type Answer<T> = Result<Json<T>, Refusal>;

/// Who acts when a command does; the token file is readable by the owner of the server only.
pub(super) fn actor() -> Actor {
    Actor::new("command line", Role::Admin)
}

/// The tenant of this name.
pub(super) async fn find(
    console: &Console,
    cluster: &str,
    tenant: &str,
) -> Result<TenantId, Refusal> {
    let tenants = console.viewer(&actor())?.tenants(cluster).await?;
    Ok(shape::tenant_id(&tenants, cluster, tenant)?)
}

async fn tenants(
    State(console): State<Console>,
    Path(cluster): Path<String>,
) -> Answer<shape::Tenants> {
    let tenants = console.viewer(&actor())?.tenants(&cluster).await?;
    Ok(Json(shape::Tenants {
        cluster,
        tenants: tenants.into_iter().map(Into::into).collect(),
    }))
}

async fn create_tenant(
    State(console): State<Console>,
    Path(cluster): Path<String>,
    Json(order): Json<shape::TenantOrder>,
) -> Answer<shape::Tenant> {
    let id = console
        .operator(&actor())?
        .create_tenant(&cluster, &order.name)
        .await?;
    let tenants = console.viewer(&actor())?.tenants(&cluster).await?;
    let made = tenants
        .into_iter()
        .find(|tenant| tenant.id == id)
        .ok_or_else(|| {
            Problem::new(
                "internal",
                format!("tenant \"{}\" was made but is not listed", order.name),
            )
        })?;
    Ok(Json(made.into()))
}

async fn ranges(
    State(console): State<Console>,
    Path((cluster, tenant)): Path<(String, String)>,
) -> Answer<shape::Ranges> {
    let id = find(&console, &cluster, &tenant).await?;
    let (period, now) = console.viewer(&actor())?.period(&cluster, id).await?;
    let period = period.ok_or_else(|| {
        let sentence =
            format!("tenant \"{tenant}\" has not been observed yet; ask again in a second");
        Problem::new("not_found", sentence)
    })?;
    Ok(Json(shape::Ranges::new(&cluster, period, now)))
}

async fn sql(
    State(console): State<Console>,
    Path((cluster, tenant)): Path<(String, String)>,
    Json(order): Json<shape::SqlOrder>,
) -> Answer<shape::SqlAnswers> {
    let id = find(&console, &cluster, &tenant).await?;
    let results = console
        .operator(&actor())?
        .run_sql(&cluster, id, &order.sql)
        .await?;
    Ok(Json(shape::SqlAnswers {
        results: results.into_iter().map(Into::into).collect(),
    }))
}

async fn back_up(
    State(console): State<Console>,
    Path(cluster): Path<String>,
    Json(order): Json<shape::BackupOrder>,
) -> Answer<shape::Tasks> {
    let id = find(&console, &cluster, &order.tenant).await?;
    let viewer = console.viewer(&actor())?;
    let less_is_possible = viewer
        .overview(&cluster)
        .await?
        .summary
        .cluster
        .capabilities
        .incremental;
    let kind = if order.full || !less_is_possible {
        BackupKind::Full
    } else {
        BackupKind::Incremental
    };
    let begun = console
        .operator(&actor())?
        .back_up_now(&cluster, Some(id), kind)
        .await?;
    let mut tasks = Vec::with_capacity(begun.tasks.len());
    for job in begun.tasks {
        tasks.push(viewer.backup(&cluster, job).await?.into());
    }
    Ok(Json(shape::Tasks {
        tasks,
        skipped: begun.skipped,
    }))
}

async fn backup(
    State(console): State<Console>,
    Path((cluster, id)): Path<(String, i64)>,
) -> Answer<shape::Task> {
    Ok(Json(
        console
            .viewer(&actor())?
            .backup(&cluster, JobId(id))
            .await?
            .into(),
    ))
}

async fn recover(
    State(console): State<Console>,
    Path(cluster): Path<String>,
    Json(order): Json<shape::RecoveryOrder>,
) -> Answer<shape::Task> {
    let until =
        Scn::parse_rfc3339(&order.at).map_err(|bad| Refusal::invalid(format!("at {bad}")))?;
    let tenant = find(&console, &cluster, &order.tenant).await?;
    let request = RecoveryRequest {
        tenant,
        until,
        new_name: order.new_name,
        place: order.from,
        placement: None,
    };
    let id = console
        .operator(&actor())?
        .initiate_recovery(&cluster, &request)
        .await?;
    Ok(Json(
        console
            .viewer(&actor())?
            .recovery(&cluster, id)
            .await?
            .into(),
    ))
}

async fn recovery(
    State(console): State<Console>,
    Path((cluster, id)): Path<(String, i64)>,
) -> Answer<shape::Task> {
    let viewer = console.viewer(&actor())?;
    let mut task: shape::Task = viewer.recovery(&cluster, JobId(id)).await?.into();
    if task.is_completed()
        && let Some(result) = &mut task.recovery
    {
        let tenants = viewer.tenants(&cluster).await?;
        result.data_file = shape::tenant_named(&tenants, &result.new_tenant)
            .and_then(|tenant| tenant.data_file.clone());
    }
    Ok(Json(task))
}

async fn verify(
    State(console): State<Console>,
    Path(cluster): Path<String>,
    Json(order): Json<shape::VerifyOrder>,
) -> Answer<shape::Verified> {
    let tenant = match &order.tenant {
        Some(name) => Some(find(&console, &cluster, name).await?),
        None => None,
    };
    Ok(Json(
        console
            .operator(&actor())?
            .verify(&cluster, tenant, order.from)
            .await?
            .into(),
    ))
}
