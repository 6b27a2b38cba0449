//! Commands about the console itself: its key, and copies of its database.

use super::{
    commands::{Answer, Refusal, actor},
    shape::{self, Problem},
};
use crate::{
    compose::SystemClock,
    self_copy::{Copying, Manifest},
};
use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use control::Console;
use domain::clock::Clock;

/// The routes; no cluster can be named as they begin.
pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/-/admin/rotate-key", post(rotate_key))
        .route("/-/admin/backup-self", post(backup_self))
}

async fn rotate_key(
    State(console): State<Console>,
    Json(order): Json<shape::KeyOrder>,
) -> Answer<shape::KeyChanged> {
    let rotated = console
        .global_admin(&actor())?
        .rotate_key(order.forget)
        .await?;
    Ok(Json(shape::KeyChanged {
        key_id: rotated.key_id,
        resealed: rotated.resealed,
        forgotten: rotated.forgotten,
    }))
}

async fn backup_self(
    State(console): State<Console>,
    Json(order): Json<shape::CopyOrder>,
) -> Answer<Manifest> {
    let failed = |error: crate::self_copy::CopyError| {
        Refusal(
            StatusCode::CONFLICT,
            Problem::new("conflict", control::chain(&error)),
        )
    };
    if !order.file.is_absolute() {
        return Err(Refusal::invalid(
            "the copy's file has to be named with its whole path".to_owned(),
        ));
    }
    let copying = Copying::begin(&order.file).map_err(failed)?;
    let copied = console
        .global_admin(&actor())?
        .copy_database(copying.part())
        .await?;
    // Reading it once more takes a while.
    let finished =
        tokio::task::spawn_blocking(move || copying.finish(copied.key_ids, SystemClock.now()));
    let finished = finished.await.map_err(|error| Refusal::internal(&error))?;
    Ok(Json(finished.map_err(failed)?))
}
