//! The commands' API about backup strategies and storage configurations.

use super::{
    commands::{Answer, actor},
    strategy_shape::{
        DeleteOrder, Deleted, Preview, PreviewOrder, RenameOrder, Saved, SetOrder, Storages,
        Strategy, TestOrder, Tested,
    },
};
use axum::{
    Json, Router,
    extract::{Path, State},
    routing::{get, post},
};
use control::{Console, Error};
use domain::{Revision, strategy::LogBackupEnd};

/// The routes below `/{cluster}/strategy`.
pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route("/{cluster}/strategy", get(show).post(set))
        .route("/{cluster}/strategy/template", get(template))
        .route("/{cluster}/strategy/preview", post(preview))
        .route("/{cluster}/strategy/pause", post(pause))
        .route("/{cluster}/strategy/resume", post(resume))
        .route("/{cluster}/strategy/delete", post(delete))
        .route("/{cluster}/strategy/test-storage", post(test_storage))
        .route("/{cluster}/strategy/storages", get(storages).post(rename))
        .route(
            "/{cluster}/strategy/storages/{name}/remove",
            post(remove_storage),
        )
}

async fn shown(console: &Console, cluster: &str) -> Result<Strategy, Error> {
    let viewer = console.viewer(&actor())?;
    let found = viewer.strategy(cluster).await?;
    let report = found.ok_or_else(|| Error::NotFound {
        what: "backup strategy of cluster",
        id: cluster.to_owned(),
    })?;
    Ok(report.into())
}

async fn show(State(console): State<Console>, Path(cluster): Path<String>) -> Answer<Strategy> {
    Ok(Json(shown(&console, &cluster).await?))
}

async fn set(
    State(console): State<Console>,
    Path(cluster): Path<String>,
    Json(order): Json<SetOrder>,
) -> Answer<Saved> {
    let admin = console.admin(&actor())?;
    let saved = match order.rev {
        None => {
            admin
                .create_strategy_with(&cluster, &order.settings, &order.keys)
                .await?
        }
        Some(rev) => {
            let rev = Revision(rev);
            admin
                .modify_strategy_with(&cluster, rev, &order.settings, &order.keys)
                .await?
        }
    };
    Ok(Json(saved.into()))
}

async fn template(State(console): State<Console>, Path(cluster): Path<String>) -> Answer<SetOrder> {
    let form = console.viewer(&actor())?.strategy_form(&cluster).await?;
    Ok(Json(SetOrder {
        rev: form.rev.map(|rev| rev.0),
        settings: form.settings,
        keys: Default::default(),
    }))
}

async fn preview(
    State(console): State<Console>,
    Path(_): Path<String>,
    Json(order): Json<PreviewOrder>,
) -> Answer<Preview> {
    let next = console.viewer(&actor())?.preview(&order.schedule).await?;
    Ok(Json(Preview {
        next: next.into_iter().map(Into::into).collect(),
    }))
}

async fn pause(State(console): State<Console>, Path(cluster): Path<String>) -> Answer<Strategy> {
    console.operator(&actor())?.pause_strategy(&cluster).await?;
    Ok(Json(shown(&console, &cluster).await?))
}

async fn resume(State(console): State<Console>, Path(cluster): Path<String>) -> Answer<Strategy> {
    console
        .operator(&actor())?
        .resume_strategy(&cluster)
        .await?;
    Ok(Json(shown(&console, &cluster).await?))
}

async fn delete(
    State(console): State<Console>,
    Path(cluster): Path<String>,
    Json(order): Json<DeleteOrder>,
) -> Answer<Deleted> {
    let rev = match order.rev {
        Some(rev) => Revision(rev),
        None => Revision(shown(&console, &cluster).await?.rev),
    };
    let log = match order.stop_log_backup {
        true => LogBackupEnd::Stop,
        false => LogBackupEnd::Keep,
    };
    let admin = console.admin(&actor())?;
    let notes = admin.delete_strategy(&cluster, rev, log).await?;
    Ok(Json(Deleted { notes }))
}

async fn test_storage(
    State(console): State<Console>,
    Path(cluster): Path<String>,
    Json(order): Json<TestOrder>,
) -> Answer<Tested> {
    let admin = console.admin(&actor())?;
    let report = admin
        .test_storage(&cluster, &order.storage, order.must_be_empty)
        .await?;
    Ok(Json(Tested {
        passed: report.passed(),
        report,
    }))
}

async fn storages(State(console): State<Console>, Path(_): Path<String>) -> Answer<Storages> {
    let used = console.viewer(&actor())?.storage_configs().await?;
    Ok(Json(Storages {
        storages: used.into_iter().map(Into::into).collect(),
    }))
}

async fn rename(
    State(console): State<Console>,
    Path(cluster): Path<String>,
    Json(order): Json<RenameOrder>,
) -> Answer<Storages> {
    let admin = console.admin(&actor())?;
    admin
        .rename_storage(&cluster, &order.name, &order.new_name)
        .await?;
    storages(State(console), Path(cluster)).await
}

async fn remove_storage(
    State(console): State<Console>,
    Path((cluster, name)): Path<(String, String)>,
) -> Answer<Storages> {
    console
        .global_admin(&actor())?
        .remove_storage(&name)
        .await?;
    storages(State(console), Path(cluster)).await
}
