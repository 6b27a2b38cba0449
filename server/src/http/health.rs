//! `/healthz`: whether the console can read its own database.

use axum::{Json, extract::State, http::StatusCode, response::IntoResponse};
use control::Console;
use domain::access::{Actor, Role};

/// Answers 200 with the version, or 503 with the reason.
pub async fn health(State(console): State<Console>) -> impl IntoResponse {
    let actor = Actor::new("health check", Role::Viewer);
    let looked = match console.viewer(&actor) {
        Ok(viewer) => viewer.clusters().await.map(|clusters| clusters.len()),
        Err(error) => Err(error),
    };
    match looked {
        Ok(clusters) => (
            StatusCode::OK,
            Json(serde_json::json!({
                "status": "ok", "version": env!("CARGO_PKG_VERSION"), "clusters": clusters,
            })),
        ),
        Err(error) => {
            tracing::error!("the health check failed: {}", control::chain(&error));
            (
                StatusCode::SERVICE_UNAVAILABLE,
                Json(serde_json::json!({ "status": "failing", "reason": error.to_string() })),
            )
        }
    }
}
