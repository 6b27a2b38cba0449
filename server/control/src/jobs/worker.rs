//! The worker: claims tasks of open clusters and runs an attempt at each.

use super::{
    attempt::Attempt,
    queue::{self, Claimed},
};
use crate::{console::Inner, error::chain, handle::ClusterHandle};
use domain::JobId;
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};
use tokio::task::{Id, JoinError, JoinSet};

/// How often the queue is looked at when nothing wakes the worker; leases expire unannounced.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Works until the console stops.
pub(crate) async fn run(inner: Arc<Inner>) {
    let mut worker = Worker {
        inner,
        running: JoinSet::new(),
        attempts: HashMap::new(),
    };
    worker.work().await;
}

struct Worker {
    inner: Arc<Inner>,
    running: JoinSet<()>,
    attempts: HashMap<Id, Attempt>,
}

impl Worker {
    async fn work(&mut self) {
        let inner = Arc::clone(&self.inner);
        while !inner.is_stopping() {
            // Registered before looking, so that a task enqueued meanwhile is not missed.
            let woken = inner.queue.notified();
            self.claim_all().await;
            tokio::select! {
                () = inner.stopped() => {}
                () = woken => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
                Some(ended) = self.running.join_next_with_id() => self.ended(ended).await,
            }
        }
        // Attempts see the stop by themselves and give their tasks back.
        while let Some(ended) = self.running.join_next_with_id().await {
            self.ended(ended).await;
        }
    }

    async fn claim_all(&mut self) {
        for handle in self.inner.handles() {
            let Some(engine) = handle.engine_if_open() else {
                continue;
            };
            loop {
                match queue::claim(&self.inner, &handle, &self.held()).await {
                    Ok(Some(claimed)) => self.begin(&handle, &engine, claimed),
                    Ok(None) => break,
                    Err(error) => {
                        tracing::error!(
                            cluster.name = handle.name,
                            "claiming a task failed: {}",
                            chain(&error)
                        );
                        break;
                    }
                }
            }
        }
    }

    /// The tasks that this process works on.
    fn held(&self) -> HashSet<JobId> {
        self.attempts.values().map(Attempt::task).collect()
    }

    fn begin(
        &mut self,
        handle: &Arc<ClusterHandle>,
        engine: &Arc<dyn engine::Engine>,
        claimed: Claimed,
    ) {
        let attempt = Attempt::new(
            Arc::clone(&self.inner),
            Arc::clone(handle),
            Arc::clone(engine),
            claimed,
        );
        let id = self.running.spawn(attempt.clone().run()).id();
        self.attempts.insert(id, attempt);
    }

    async fn ended(&mut self, ended: Result<(Id, ()), JoinError>) {
        let (id, panicked) = match ended {
            Ok((id, ())) => (id, false),
            Err(error) => (error.id(), error.is_panic()),
        };
        if let Some(attempt) = self.attempts.remove(&id)
            && panicked
        {
            attempt.panicked().await;
        }
    }
}
