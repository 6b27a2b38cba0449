//! Keeping a cluster: open it, look at it again and again, and try again when that fails.

use super::{observe, second, supervise::doubled, wanted};
use crate::{
    console::Inner,
    error::{Error, chain},
    handle::{ClusterHandle, answer_within},
    reports::known,
    servers, strategies,
};
use domain::{ClusterId, Scn};
use engine::{Engine, EngineError, EngineOpener, EngineSettings};
use std::{sync::Arc, time::Duration};
use store::{KnownCluster, Opened};

/// Pause between looks while something runs or somebody just did something.
const LIVELY: Duration = Duration::from_millis(500);
/// Pause between looks otherwise.
const CALM: Duration = Duration::from_secs(1);
/// Longest pause after failures.
const FAILED_MAX: Duration = Duration::from_secs(15);
/// How long opening may take: every page of every tenant may have to be read.
const OPEN_MAX: Duration = Duration::from_secs(1800);

/// Keeps a cluster until the console stops or lets go of it.
pub(crate) async fn run(inner: Arc<Inner>, handle: Arc<ClusterHandle>) {
    let mut failures = 0;
    while !inner.is_stopping() && !handle.is_removed() {
        let pause = match tend(&inner, &handle).await {
            Ok(()) => {
                failures = 0;
                if handle.is_lively(inner.now()) {
                    LIVELY
                } else {
                    CALM
                }
            }
            Err(error) => {
                failures += 1;
                told(&inner, &handle, &error).await;
                doubled(failures).min(FAILED_MAX)
            }
        };
        handle.set_tried();
        tokio::select! {
            () = inner.stopped() => {}
            () = handle.look.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Opens an engine, but does not wait for ever: silence is an unreachable cluster.
pub(crate) async fn open(
    opener: &dyn EngineOpener,
    settings: &EngineSettings,
) -> Result<Arc<dyn Engine>, EngineError> {
    open_within(OPEN_MAX, opener, settings).await
}

async fn open_within(
    limit: Duration,
    opener: &dyn EngineOpener,
    settings: &EngineSettings,
) -> Result<Arc<dyn Engine>, EngineError> {
    answer_within(limit, "opening", &settings.name, opener.open(settings)).await
}

/// What an open engine says about itself.
pub(crate) fn opened(engine: &dyn Engine) -> Opened {
    Opened {
        version: engine.version(),
        capabilities: engine.capabilities(),
        destination: engine.destination(),
    }
}

async fn tend(inner: &Inner, handle: &ClusterHandle) -> Result<(), Error> {
    if handle.engine_if_open().is_none() {
        strategies::ensure_own(inner, handle).await?;
        let settings = EngineSettings {
            server: servers::access(inner, &known(inner, handle).await?).await?,
            ..handle.settings()
        };
        let engine = open(&*inner.opener, &settings).await?;
        if let Err(error) = written(inner, handle, &*engine).await {
            // It is opened anew at the next try, and two of them must never work on the same tenants.
            engine.shut_down().await;
            return Err(error);
        }
        handle.second.take(Scn(u64::MAX));
        second::tell(inner, handle, &*engine).await;
        handle.wanted.take(Scn(u64::MAX));
        wanted::tell(inner, handle, &*engine).await;
        handle.opened(engine);
        // Tasks from before may go on now.
        inner.queue.notify_one();
    }
    second::keep_up(inner, handle).await;
    wanted::keep_up(inner, handle).await;
    observe::look(inner, handle).await
}

/// Takes the engine out of service, so that it is opened anew where the cluster's backups go from now on.
pub(crate) async fn moved(inner: &Inner, handle: &ClusterHandle, directory: &str) {
    handle.set_destination(inner.home.join(directory));
    open_anew(handle).await;
}

/// Takes the engine out of service, so that it is opened anew.
pub(crate) async fn open_anew(handle: &ClusterHandle) {
    if let Some(engine) = handle.take_engine() {
        engine.shut_down().await;
    }
    handle.look.notify_one();
}

async fn written(inner: &Inner, handle: &ClusterHandle, engine: &dyn Engine) -> Result<(), Error> {
    let (facts, identity) = (opened(engine), engine.identity());
    let known = known_as(inner, Some(handle.id), &handle.name, identity.as_deref()).await?;
    inner
        .store
        .change(async |change| {
            change.cluster_opened(handle.id, &facts).await?;
            if let Some(identity) = identity.filter(|found| known.as_ref() != Some(found)) {
                change.cluster_identity(handle.id, &identity).await?;
            }
            Ok::<_, Error>(())
        })
        .await
}

/// The identity that cluster `id` is known by. Refuses one that another cluster has: its home is a copy.
pub(crate) async fn known_as(
    inner: &Inner,
    id: Option<ClusterId>,
    name: &str,
    identity: Option<&str>,
) -> Result<Option<String>, Error> {
    let (own, others): (Vec<_>, Vec<_>) = inner
        .store
        .clusters()
        .await?
        .into_iter()
        .partition(|known| Some(known.cluster.id) == id);
    let is_same =
        |known: &&KnownCluster| identity.is_some() && known.identity.as_deref() == identity;
    match others.iter().find(is_same) {
        Some(other) => Err(Error::Conflict(format!(
            "cluster {name} is the same one as {}: its home is a copy, and two of them would write \
             over each other's backups; remove the copy",
            other.cluster.name
        ))),
        None => Ok(own.into_iter().next().and_then(|known| known.identity)),
    }
}

async fn told(inner: &Inner, handle: &ClusterHandle, error: &Error) {
    let causes = chain(error);
    if let Err(worse) = observe::blind(inner, handle, &error.to_string(), &causes).await {
        tracing::error!(
            cluster.name = handle.name,
            "the fault \"{causes}\" could not be written down: {}",
            chain(&worse)
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::capability::EngineKind;
    use engine::EngineErrorKind;

    struct Silent;

    #[async_trait::async_trait]
    impl EngineOpener for Silent {
        async fn open(&self, _: &EngineSettings) -> Result<Arc<dyn Engine>, EngineError> {
            std::future::pending().await
        }
    }

    #[tokio::test]
    async fn an_engine_that_never_opens_is_out_of_reach_after_a_while() {
        let settings = EngineSettings {
            kind: EngineKind::Embedded,
            name: "local".to_owned(),
            server: None,
            home: "home".into(),
            destination: "backup".into(),
            adopt: None,
        };
        let limit = Duration::from_millis(1);
        let Err(error) = open_within(limit, &Silent, &settings).await else {
            panic!("it opened");
        };
        assert_eq!(error.kind, EngineErrorKind::Unreachable);
        assert!(error.to_string().contains("opening of local"), "{error}");
    }
}
