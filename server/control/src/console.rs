//! The console: what is behind every page, command and task of one process.

use crate::{
    demo,
    error::{Error, chain},
    handle::ClusterHandle,
    jobs::worker,
    measure::Counted,
    notify::{Outbound, send},
    readiness::Tried,
    refusals::{self, Refusals},
    secret::{KeyPlace, Secrets},
    sign_in::SignIn,
    tasks::{
        alerting, forget, keep,
        pulse::{self, Pulse},
        schedule, sizes,
        supervise::{Duty, supervise},
    },
};
use domain::{Scn, clock::Clock};
use engine::{EngineOpener, EngineSettings};
use std::{
    collections::BTreeMap,
    future::Future,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, atomic::AtomicU64},
    time::Duration,
};
use store::{KnownCluster, Store};
use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};

/// How long a start waits for the known clusters to open; the rest open later.
const OPEN_WAIT: Duration = Duration::from_secs(20);
/// How long an end waits for tasks to finish what they are at.
const END_WAIT: Duration = Duration::from_secs(10);

/// What a console is made of.
pub struct ConsoleParts {
    /// The control database; its schema must be up to date.
    pub store: Store,
    /// Opens engines.
    pub opener: Arc<dyn EngineOpener>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Directory that clusters and backups are put below.
    pub home: PathBuf,
    /// Whether no other process uses the control database, so that what an earlier one held is free.
    pub alone: bool,
    /// Where the key comes from that seals secrets.
    pub key: KeyPlace,
    /// Sends messages about alerts.
    pub outbound: Arc<dyn Outbound>,
}

/// The console. Cheap to clone; all clones are one.
#[derive(Clone)]
pub struct Console {
    pub(crate) inner: Arc<Inner>,
}

/// What all clones share.
pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) opener: Arc<dyn EngineOpener>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) home: PathBuf,
    /// Seals and opens what others entrust to the console.
    pub(crate) secrets: Secrets,
    /// Wakes the worker.
    pub(crate) queue: Notify,
    /// Wakes the scheduler: a strategy changed, or a task of a run ended.
    pub(crate) schedule: Notify,
    /// Wakes the sender of messages.
    pub(crate) outbox: Notify,
    /// Sends messages about alerts.
    pub(crate) outbound: Arc<dyn Outbound>,
    /// When this process evaluated the alerts last; 0 before the first time.
    pub(crate) evaluated: AtomicU64,
    /// Held while a cluster is added, so that two of one name cannot be.
    pub(crate) adding: tokio::sync::Mutex<()>,
    /// What signing in needs.
    pub(crate) sign_in: SignIn,
    /// Refused calls that are not recorded yet.
    pub(crate) refusals: Refusals,
    clusters: Mutex<BTreeMap<String, Arc<ClusterHandle>>>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
    /// Signs of life of the duties.
    pulses: Mutex<Vec<Arc<Pulse>>>,
    /// The last count of all tasks.
    pub(crate) counted: Counted,
    /// The last try of the database.
    pub(crate) tried: tokio::sync::Mutex<Tried>,
    stop: watch::Sender<bool>,
}

impl Console {
    /// Begins, and waits until the known clusters are open, but not for ever.
    pub async fn start(parts: ConsoleParts) -> Result<Console, Error> {
        let console = Console::begin(parts).await?;
        console.settle().await;
        Ok(console)
    }

    /// Takes the known clusters in, and begins to open and observe them and to work on the queue.
    pub async fn begin(parts: ConsoleParts) -> Result<Console, Error> {
        let (store, clock) = (parts.store.clone(), Arc::clone(&parts.clock));
        let secrets = Secrets::start(store, clock, parts.key).await?;
        let inner = Arc::new(Inner {
            secrets,
            store: parts.store,
            opener: parts.opener,
            clock: parts.clock,
            home: parts.home,
            queue: Notify::new(),
            schedule: Notify::new(),
            outbox: Notify::new(),
            outbound: parts.outbound,
            evaluated: AtomicU64::new(0),
            adding: tokio::sync::Mutex::default(),
            sign_in: SignIn::default(),
            refusals: Refusals::default(),
            clusters: Mutex::default(),
            tasks: Mutex::default(),
            pulses: Mutex::default(),
            counted: Counted::default(),
            tried: tokio::sync::Mutex::default(),
            stop: watch::Sender::new(false),
        });
        if parts.alone {
            inner.store.free_leases().await?;
            let free = inner
                .store
                .change(async |change| change.free_deliveries().await);
            free.await?;
        }
        for known in inner.store.clusters().await? {
            let handle = ClusterHandle::new(known.cluster.id, inner.settings(&known), None);
            inner.adopt(&Arc::new(handle));
        }
        let duty = |name| Duty {
            name,
            cluster: None,
        };
        inner.supervise(duty("work on the task queue"), worker::run);
        inner.supervise(duty("schedule"), schedule::run);
        inner.supervise(duty("record of refused calls"), refusals::run);
        inner.supervise(
            duty("removal of old sessions and audit entries"),
            forget::run,
        );
        inner.supervise(duty("alerting"), alerting::run);
        inner.supervise(duty("sending of messages"), send::run);
        inner.supervise(duty("sampling of sizes"), sizes::run);
        Ok(Console { inner })
    }

    /// Waits until every known cluster was tried once; one that takes long opens later.
    pub async fn settle(&self) {
        let all = async {
            for handle in self.inner.handles() {
                self.inner.first_try(&handle).await;
            }
        };
        if tokio::time::timeout(OPEN_WAIT, all).await.is_err() {
            tracing::warn!("some clusters are still opening; starting without waiting for them");
        }
    }

    /// Makes the demonstration cluster, if it is missing, and begins its workload.
    pub async fn start_demo(&self) -> Result<(), Error> {
        demo::start(self).await
    }

    /// Stops every task, gives running tasks back to the queue, and ends the engines
    /// and the control database cleanly.
    pub async fn shut_down(&self) {
        self.inner.stop.send_replace(true);
        let tasks = std::mem::take(&mut *lock(&self.inner.tasks));
        for mut task in tasks {
            if tokio::time::timeout(END_WAIT, &mut task).await.is_err() {
                tracing::warn!("a task did not end in time; its work goes on at the next start");
                task.abort();
            }
        }
        for handle in self.inner.handles() {
            if let Some(engine) = handle.take_engine() {
                engine.shut_down().await;
            }
        }
        if let Err(error) = self.inner.store.close().await {
            tracing::warn!("{}", chain(&error));
        }
    }
}

impl Inner {
    /// Now.
    pub(crate) fn now(&self) -> Scn {
        self.clock.now()
    }

    /// The cluster of this name, whoever asks. Handles of roles have their own way, which looks at the role.
    pub(crate) fn any_cluster(&self, name: &str) -> Option<Arc<ClusterHandle>> {
        lock(&self.clusters).get(name).cloned()
    }

    /// Every cluster.
    pub(crate) fn handles(&self) -> Vec<Arc<ClusterHandle>> {
        lock(&self.clusters).values().cloned().collect()
    }

    /// Takes a cluster in and begins to open and observe it.
    pub(crate) fn adopt(self: &Arc<Self>, handle: &Arc<ClusterHandle>) {
        lock(&self.clusters).insert(handle.name.clone(), Arc::clone(handle));
        let duty = Duty {
            name: "observation",
            cluster: Some(Arc::clone(handle)),
        };
        let handle = Arc::clone(handle);
        self.supervise(duty, move |inner| keep::run(inner, Arc::clone(&handle)));
    }

    /// Lets go of a cluster that is not the console's any more.
    pub(crate) async fn dismiss(&self, handle: &ClusterHandle) {
        lock(&self.clusters).remove(&handle.name);
        handle.set_removed();
        handle.look.notify_one();
        if let Some(engine) = handle.take_engine() {
            engine.shut_down().await;
        }
    }

    /// Waits until opening a cluster was tried once, or the console is ending.
    pub(crate) async fn first_try(&self, handle: &ClusterHandle) {
        tokio::select! {
            () = self.stopped() => {}
            () = handle.first_try() => {}
        }
    }

    /// Runs a duty until the console stops; when it panics it is told and begun again.
    pub(crate) fn supervise<Work>(
        self: &Arc<Self>,
        duty: Duty,
        begin: impl Fn(Arc<Inner>) -> Work + Send + 'static,
    ) where
        Work: Future<Output = ()> + Send + 'static,
    {
        let inner = Arc::clone(self);
        let cluster = duty.cluster.as_ref();
        let cluster = cluster.map(|handle| (handle.id, handle.name.clone()));
        let pulse = Arc::new(Pulse::new(duty.name, cluster, self.now()));
        lock(&self.pulses).push(Arc::clone(&pulse));
        self.spawn(async move {
            let again = Arc::clone(&inner);
            let ended = Arc::clone(&inner);
            supervise(inner, duty, &pulse, move || begin(Arc::clone(&again))).await;
            lock(&ended.pulses).retain(|other| !Arc::ptr_eq(other, &pulse));
        });
    }

    /// The signs of life of the duties that run.
    pub(crate) fn pulses(&self) -> Vec<Arc<Pulse>> {
        lock(&self.pulses).clone()
    }

    /// Runs a task until it ends by itself after [`Inner::stopped`].
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        lock(&self.tasks).push(tokio::spawn(task));
    }

    /// Whether the process is ending.
    pub(crate) fn is_stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Waits until the process is ending. Duties wait here between two rounds, so it is their sign of life too.
    pub(crate) async fn stopped(&self) {
        pulse::beat(self.now());
        let mut stop = self.stop.subscribe();
        // An error means that the console is gone, which is an end too.
        let _ = stop.wait_for(|stop| *stop).await;
    }

    /// Waits, but not longer than until the process is ending.
    pub(crate) async fn pause(&self, time: Duration) {
        tokio::select! {
            () = self.stopped() => {}
            () = tokio::time::sleep(time) => {}
        }
    }

    /// What the engine of a known cluster is opened with.
    pub(crate) fn settings(&self, known: &KnownCluster) -> EngineSettings {
        EngineSettings {
            kind: known.cluster.engine,
            name: known.cluster.name.clone(),
            // Opened when it is needed, so that a secret that cannot be opened keeps nothing else from starting.
            server: None,
            // Stored paths below the home are relative, so that the home can be moved.
            home: self.home.join(&known.home_dir),
            destination: self.home.join(&known.destination_dir),
            adopt: None,
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex
        .lock()
        .expect("invariant: nothing panics while it holds this lock")
}
