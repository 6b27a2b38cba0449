//! Telling the engine what the strategy says of settings that the cluster keeps: after each opening, and whenever
//! the strategy changes. Nothing is sent to the cluster by that; somebody asks for it.

use crate::{
    console::Inner,
    error::{Error, chain},
    handle::ClusterHandle,
    strategies::{keys, places},
};
use domain::{ClusterId, scn::NS_PER_SECOND};
use engine::{Engine, WantedSettings};

/// Days of log in one piece.
const PIECE_DAYS: u8 = 1;
/// Pause before it is tried again.
const AGAIN_NS: u64 = 20 * NS_PER_SECOND;

/// Does what is due, or leaves it due: then it is tried again with a later look at the cluster.
pub(crate) async fn keep_up(inner: &Inner, handle: &ClusterHandle) {
    if let Some(engine) = handle.engine_if_open()
        && handle.wanted.take(inner.now())
    {
        tell(inner, handle, &*engine).await;
    }
}

/// Tells an engine.
pub(crate) async fn tell(inner: &Inner, handle: &ClusterHandle, engine: &dyn Engine) {
    if !engine.capabilities().keeps_settings {
        return;
    }
    match wanted(inner, handle.id).await {
        Ok(wanted) => {
            handle.wanted.tell("");
            engine.want(wanted);
        }
        Err(error) => {
            handle.wanted.from(inner.now().plus_ns(AGAIN_NS));
            if handle.wanted.tell(&error.to_string()) {
                tracing::error!(
                    cluster.name = handle.name,
                    "what the strategy wants of the cluster cannot be told: {}",
                    chain(&error)
                );
            }
        }
    }
}

async fn wanted(inner: &Inner, cluster: ClusterId) -> Result<Option<WantedSettings>, Error> {
    let Some(known) = inner.store.strategy(cluster).await? else {
        return Ok(None);
    };
    let settings = known.strategy.settings;
    let key = keys::open(inner, known.storage).await?;
    let target = places::target(inner, true, &settings.storage, key.as_ref());
    let cleanup = settings.cleanup;
    Ok(Some(WantedSettings {
        destination: target.to_string_lossy().into_owned(),
        piece_days: PIECE_DAYS,
        retention_days: cleanup.enabled.then_some(cleanup.retention_days),
    }))
}
