//! Commands about storages: how they are, how sizes came about, and clusters rebuilt from one.

use super::{
    commands::{Answer, Refusal, actor, find},
    storage_shape::{self as shape, RebuildOrder, Rebuilt, StorageOrder, StorageReport},
};
use axum::{
    Json, Router,
    extract::{Path, State},
    routing::post,
};
use control::{Console, Rebuild};
use domain::scn::NS_PER_DAY;

/// Most days that are told about.
const DAYS_MAX: u64 = 400;

/// The routes. What is about no cluster begins with a name that no cluster can have.
pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/-/admin/rebuild", post(rebuild))
        .route("/{cluster}/storage", post(storage))
}

async fn rebuild(
    State(console): State<Console>,
    Json(order): Json<RebuildOrder>,
) -> Answer<Rebuilt> {
    let order = Rebuild {
        from: order.from,
        cluster: order.cluster,
        name: order.name,
        dry_run: order.dry_run,
    };
    let rebuilt = console.global_admin(&actor())?.rebuild(&order).await?;
    Ok(Json(rebuilt.into()))
}

async fn storage(
    State(console): State<Console>,
    Path(cluster): Path<String>,
    Json(order): Json<StorageOrder>,
) -> Answer<StorageReport> {
    if !(1..=DAYS_MAX).contains(&order.days) {
        return Err(Refusal::invalid(format!(
            "{} days cannot be told about; give 1 to {DAYS_MAX}",
            order.days
        )));
    }
    let tenant = match &order.tenant {
        Some(name) => Some(find(&console, &cluster, name).await?),
        None => None,
    };
    let viewer = console.viewer(&actor())?;
    let now = viewer.now();
    let time = (now.minus_ns(order.days * NS_PER_DAY), now);
    let trend = viewer.storage_trend(&cluster, tenant, time).await?;
    Ok(Json(shape::StorageReport::new(
        cluster,
        order.tenant,
        trend,
    )))
}
