//! A managed cluster at run time: its engine, if it is open, and what wakes its observer.

use crate::{due::Due, error::Error, feed::Told, measure, shown::Slot, tasks::observe::Eye};
use domain::{BackupSetId, ClusterId, Scn, TenantId};
use engine::{Engine, EngineError, EngineErrorKind, EngineSettings};
use std::{
    future::Future,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Notify, watch};
use tracing::{Instrument, field};

/// How long an engine may take to answer a question or accept an order.
const ANSWER_MAX: Duration = Duration::from_secs(60);
/// How long the observer looks more often after somebody did something.
const EAGER_NS: u64 = 10 * domain::scn::NS_PER_SECOND;

/// One managed cluster of this process.
pub(crate) struct ClusterHandle {
    /// Its number.
    pub(crate) id: ClusterId,
    /// Its name.
    pub(crate) name: String,
    /// What its engine is opened with.
    settings: Mutex<EngineSettings>,
    /// What the observer knows; locked while it looks.
    pub(crate) eye: tokio::sync::Mutex<Eye>,
    /// What pages are made of; nothing before the first look.
    pub(crate) shown: Slot,
    /// Held while that is read from the control database.
    pub(crate) reading: tokio::sync::Mutex<()>,
    /// What pages were told of it lately.
    pub(crate) told: tokio::sync::Mutex<Told>,
    /// Wakes the observer.
    pub(crate) look: Notify,
    /// Attempts at tasks that run here now.
    attempts: AtomicUsize,
    /// Whether it was tried once to open it.
    tried: watch::Sender<bool>,
    engine: Mutex<Option<Arc<dyn Engine>>>,
    eager_until: AtomicU64,
    /// Telling the engine where second copies go. Until it knows, what it says of them is nothing.
    pub(crate) second: Due,
    /// Telling the engine what the strategy says of settings that the cluster keeps.
    pub(crate) wanted: Due,
    /// Since when sizes are worth a sample, in ns; 0 while they are not.
    sample_wanted: AtomicU64,
    /// Whether the console has let go of it.
    removed: AtomicBool,
}

impl ClusterHandle {
    /// A cluster whose engine is not open yet, unless it is given.
    pub(crate) fn new(
        id: ClusterId,
        settings: EngineSettings,
        engine: Option<Arc<dyn Engine>>,
    ) -> Self {
        ClusterHandle {
            id,
            name: settings.name.clone(),
            settings: Mutex::new(settings),
            eye: tokio::sync::Mutex::default(),
            shown: Slot::new(None),
            reading: tokio::sync::Mutex::default(),
            told: tokio::sync::Mutex::default(),
            look: Notify::new(),
            attempts: AtomicUsize::new(0),
            tried: watch::Sender::new(false),
            engine: Mutex::new(engine),
            eager_until: AtomicU64::new(0),
            second: Due::now(),
            wanted: Due::now(),
            sample_wanted: AtomicU64::new(0),
            removed: AtomicBool::new(false),
        }
    }

    /// What its engine is opened with.
    pub(crate) fn settings(&self) -> EngineSettings {
        locked(&self.settings).clone()
    }

    /// From the next opening on its backups go elsewhere.
    pub(crate) fn set_destination(&self, destination: PathBuf) {
        locked(&self.settings).destination = destination;
    }

    /// The engine, if it is open.
    pub(crate) fn engine_if_open(&self) -> Option<Arc<dyn Engine>> {
        self.slot().clone()
    }

    /// The engine, or why there is none.
    pub(crate) fn engine(&self) -> Result<Arc<dyn Engine>, Error> {
        self.engine_if_open().ok_or_else(|| {
            Error::Unavailable(format!(
                "cluster {} is not open; its page says why, and it is tried again by itself",
                self.name
            ))
        })
    }

    /// Takes the opened engine into service.
    pub(crate) fn opened(&self, engine: Arc<dyn Engine>) {
        *self.slot() = Some(engine);
    }

    /// Takes the engine out of service, to end it.
    pub(crate) fn take_engine(&self) -> Option<Arc<dyn Engine>> {
        self.slot().take()
    }

    /// Notes that the console has let go of it.
    pub(crate) fn set_removed(&self) {
        self.removed.store(true, Ordering::Relaxed);
    }

    /// Whether it has.
    pub(crate) fn is_removed(&self) -> bool {
        self.removed.load(Ordering::Relaxed)
    }

    /// Notes that opening was tried.
    pub(crate) fn set_tried(&self) {
        self.tried.send_replace(true);
    }

    /// Whether opening was tried.
    pub(crate) fn was_tried(&self) -> bool {
        *self.tried.borrow()
    }

    /// Waits until opening was tried once.
    pub(crate) async fn first_try(&self) {
        let mut tried = self.tried.subscribe();
        // The sender is this handle's own, so waiting cannot fail.
        let _ = tried.wait_for(|tried| *tried).await;
    }

    /// Counts an attempt at a task until the answer is dropped, however the attempt ends.
    pub(crate) fn attempt(self: &Arc<Self>) -> AtWork {
        self.attempts.fetch_add(1, Ordering::Relaxed);
        AtWork(Arc::clone(self))
    }

    /// Makes the observer look now, and more often for a while.
    pub(crate) fn nudge(&self, now: Scn) {
        self.eager_until
            .store(now.plus_ns(EAGER_NS).0, Ordering::Relaxed);
        self.look.notify_one();
    }

    /// Notes that a task has changed sizes, so that they are sampled once they were observed.
    pub(crate) fn want_sample(&self, now: Scn) {
        self.sample_wanted.store(now.0, Ordering::Relaxed);
    }

    /// Since when a sample is wanted, if one is.
    pub(crate) fn wanted_sample(&self) -> Option<Scn> {
        match self.sample_wanted.load(Ordering::Relaxed) {
            0 => None,
            since => Some(Scn(since)),
        }
    }

    /// Notes that the sample wanted since then was taken. A later wish stays.
    pub(crate) fn sampled(&self, wanted: Scn) {
        let taken =
            self.sample_wanted
                .compare_exchange(wanted.0, 0, Ordering::Relaxed, Ordering::Relaxed);
        // An error is such a later wish.
        let _ = taken;
    }

    /// Whether the observer should look more often.
    pub(crate) fn is_lively(&self, now: Scn) -> bool {
        self.attempts.load(Ordering::Relaxed) > 0
            || now.0 < self.eager_until.load(Ordering::Relaxed)
    }

    /// The name of a tenant as pages show it; its number before the first look.
    pub(crate) fn tenant_name(&self, tenant: TenantId) -> String {
        let shown = self.shown.borrow();
        let name = shown.as_ref().map(|shown| shown.name_of(tenant));
        name.unwrap_or_else(|| tenant.to_string())
    }

    /// Whether the last look found this set of the tenant usable.
    pub(crate) async fn has_set(&self, tenant: TenantId, set: BackupSetId) -> bool {
        self.eye.lock().await.has_set(tenant, set)
    }

    /// Whether the last look found a usable copy of this set.
    pub(crate) async fn has_copy(&self, tenant: TenantId, set: BackupSetId) -> bool {
        self.eye.lock().await.has_copy(tenant, set)
    }

    /// Whether the last look found a tenant of this name.
    pub(crate) async fn has_tenant(&self, name: &str) -> bool {
        self.eye.lock().await.has_tenant(name)
    }

    fn slot(&self) -> MutexGuard<'_, Option<Arc<dyn Engine>>> {
        locked(&self.engine)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .expect("invariant: nothing panics while it holds a lock of the handle")
}

/// An attempt that runs.
pub(crate) struct AtWork(Arc<ClusterHandle>);

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.attempts.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Waits for an engine's answer, but not for ever: silence is an unreachable cluster.
pub(crate) async fn answer<T>(
    operation: &'static str,
    subject: &str,
    call: impl Future<Output = Result<T, EngineError>>,
) -> Result<T, EngineError> {
    answer_within(ANSWER_MAX, operation, subject, call).await
}

/// The same with another limit.
pub(crate) async fn answer_within<T>(
    limit: Duration,
    operation: &'static str,
    subject: &str,
    call: impl Future<Output = Result<T, EngineError>>,
) -> Result<T, EngineError> {
    let span = tracing::debug_span!("engine_call", operation, duration_ms = field::Empty);
    let begun = tokio::time::Instant::now();
    let answered = tokio::time::timeout(limit, call.instrument(span.clone())).await;
    let took = begun.elapsed();
    measure::engine_call(operation, took);
    span.record("duration_ms", took.as_secs_f64() * 1000.0);
    let outcome = match &answered {
        Ok(Ok(_)) => "answered",
        Ok(Err(_)) => "refused",
        Err(_) => "silent",
    };
    span.in_scope(|| tracing::debug!("{outcome}"));
    match answered {
        Ok(answer) => answer,
        Err(_) => Err(EngineError::new(
            EngineErrorKind::Unreachable,
            operation,
            subject,
            format!("no answer within {} s", limit.as_secs()),
        )),
    }
}
