//! `/healthz`: whether the process lives. `/readyz`: whether it can do its work, check by check.

use super::client::ClientAddress;
use axum::{
    Extension, Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use control::Console;
use serde::Serialize;

/// Answers 200 with the version; asks nobody.
pub async fn alive() -> impl IntoResponse {
    Json(serde_json::json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }))
}

/// What `/readyz` answers.
#[derive(Serialize)]
struct Ready {
    status: &'static str,
    checks: Vec<Told>,
}

/// One check.
#[derive(Serialize)]
struct Told {
    name: &'static str,
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Answers 200 when every check holds, else 503. Reasons, which name clusters, are for this machine only.
pub async fn ready(
    State(console): State<Console>,
    client: Option<Extension<ClientAddress>>,
) -> Response {
    let local = client.is_some_and(|client| client.local);
    let checks = console.readiness().await;
    let good = checks.iter().all(|check| check.failure.is_none());
    let checks = checks.into_iter().map(|check| Told {
        name: check.name,
        ok: check.failure.is_none(),
        reason: check.failure.filter(|_| local),
    });
    let ready = Ready {
        status: if good { "ready" } else { "not ready" },
        checks: checks.collect(),
    };
    let status = if good {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(ready)).into_response()
}
