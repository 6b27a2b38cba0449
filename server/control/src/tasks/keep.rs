//! Keeping a cluster: open it, look at it again and again, and try again when that fails.

use super::observe;
use crate::{console::Inner, error::Error, handle::ClusterHandle};
use engine::Engine;
use std::{sync::Arc, time::Duration};
use store::Opened;
use tokio::sync::oneshot;

/// Pause between looks while something runs or somebody just did something.
const LIVELY: Duration = Duration::from_millis(500);
/// Pause between looks otherwise.
const CALM: Duration = Duration::from_secs(1);
/// Longest pause after failures.
const FAILED_MAX: Duration = Duration::from_secs(60);

/// Keeps a cluster until the console stops; `tried` is told after the first try.
pub(crate) async fn run(inner: Arc<Inner>, handle: Arc<ClusterHandle>, tried: oneshot::Sender<()>) {
    let mut tried = Some(tried);
    let mut failures = 0;
    while !inner.is_stopping() {
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
                after_failures(failures)
            }
        };
        if let Some(tried) = tried.take() {
            // Nobody waiting any more is fine.
            let _ = tried.send(());
        }
        tokio::select! {
            () = inner.stopped() => {}
            () = handle.look.notified() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
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
        let engine = inner.opener.open(&handle.settings).await?;
        let facts = opened(&*engine);
        inner
            .store
            .change(async |change| {
                change.cluster_opened(handle.id, &facts).await?;
                Ok::<_, Error>(())
            })
            .await?;
        handle.opened(engine);
        // Tasks from before may go on now.
        inner.queue.notify_one();
    }
    observe::look(inner, handle).await
}

async fn told(inner: &Inner, handle: &ClusterHandle, error: &Error) {
    if let Err(worse) = observe::blind(inner, handle, &error.to_string()).await {
        tracing::error!(
            cluster.name = handle.name,
            "the fault \"{error}\" could not be written down: {}",
            crate::error::chain(&worse)
        );
    }
}

/// 1, 2, 4, … 60 seconds.
fn after_failures(failures: u32) -> Duration {
    let doubled = Duration::from_secs(1) * 2u32.pow(failures.saturating_sub(1).min(6));
    doubled.min(FAILED_MAX)
}
