//! Telling the engine where second copies go: after each opening, and whenever the strategy changes.

use crate::{
    console::Inner,
    error::{Error, chain},
    handle::{ClusterHandle, answer_within},
    strategies::{keys, places},
};
use domain::{ClusterId, job::JobKind, scn::NS_PER_SECOND};
use engine::{Engine, EngineError};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// How long an engine may take to take a storage in; while it does, its cluster is not looked at.
const TAKE_MAX: Duration = Duration::from_secs(10);
/// Pause before a storage that could not be used is tried again.
const AGAIN_NS: u64 = 20 * NS_PER_SECOND;

/// Does what is due, or leaves it due: then it is tried again with a later look at the cluster.
pub(crate) async fn keep_up(inner: &Inner, handle: &ClusterHandle) {
    if let Some(engine) = handle.engine_if_open()
        && handle.second.take(inner.now())
    {
        tell(inner, handle, &*engine).await;
    }
}

/// Tells an engine before it is taken into service, so that no copy finds it without its second storage.
pub(crate) async fn tell(inner: &Inner, handle: &ClusterHandle, engine: &dyn Engine) {
    match apply(inner, handle.id, engine).await {
        Ok(true) => {
            handle.second.tell("");
        }
        Ok(false) => handle.second.from(inner.now().plus_ns(NS_PER_SECOND)),
        Err(error) => {
            handle.second.from(inner.now().plus_ns(AGAIN_NS));
            if handle.second.tell(&error.to_string()) {
                tracing::error!(
                    cluster.name = handle.name,
                    "the second storage cannot be used: {}",
                    chain(&error)
                );
            }
        }
    }
}

/// Whether the engine knows now what the strategy says. It is let go of a second storage only when no copy
/// to it runs.
async fn apply(inner: &Inner, cluster: ClusterId, engine: &dyn Engine) -> Result<bool, Error> {
    let wanted = wanted(inner, cluster).await?;
    if wanted.is_none() && copies(inner, cluster).await? {
        return Ok(false);
    }
    hand(engine, wanted.as_deref()).await?;
    Ok(true)
}

async fn wanted(inner: &Inner, cluster: ClusterId) -> Result<Option<PathBuf>, Error> {
    let Some(second) = inner.store.second_storage(cluster).await? else {
        return Ok(None);
    };
    let mut clusters = inner.store.clusters().await?.into_iter();
    let is_remote =
        clusters.any(|known| known.cluster.id == cluster && known.cluster.engine.is_remote());
    let key = keys::open(inner, second.id).await?;
    let target = places::target(inner, is_remote, &second.settings, key.as_ref());
    Ok(Some(target))
}

async fn copies(inner: &Inner, cluster: ClusterId) -> Result<bool, Error> {
    let open = inner.store.unfinished(cluster).await?;
    let is_copy = |kind| matches!(kind, JobKind::SecondData | JobKind::SecondLog);
    Ok(open.iter().any(|job| is_copy(job.order.kind())))
}

/// A destination without what may open it.
fn shown(destination: &Path) -> String {
    let text = destination.display().to_string();
    match text.split_once('?') {
        Some((place, _)) if place.contains("://") => place.to_owned(),
        _ => text,
    }
}

/// Hands a second storage to the engine, or with `None` takes it away.
pub(crate) async fn hand(engine: &dyn Engine, directory: Option<&Path>) -> Result<(), EngineError> {
    let subject = directory.map_or_else(|| "none".to_owned(), shown);
    let use_second = engine.use_second(directory);
    answer_within(TAKE_MAX, "use of a second storage", &subject, use_second).await
}
