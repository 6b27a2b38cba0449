//! What the tasks of an engine share: its tenants, in service and not, and the names it keeps.

use crate::{
    absent::{Absence, Absent, Archived},
    archiver::{self, Command},
    clock::WatchedClock,
    cluster::{ClusterIdentity, Home},
    crowd::Crowd,
    destination::Destination,
    engine::rejected,
    history::History,
    jobs::Jobs,
    second::Second,
    storages::Storages,
    tenant::{Identity, Tenant},
    watcher::Watcher,
};
use domain::{clock::Clock, second_backup::Place};
use engine::{EngineError, EngineErrorKind, TenantKey};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{
    sync::{Notify, mpsc},
    task::AbortHandle,
};
use uuid::Uuid;

/// Orders that may wait for one archiver.
const COMMANDS_MAX: usize = 16;

/// An opened tenant, and where its archiver hears of orders.
pub(crate) type Opened = (Arc<Tenant>, mpsc::Receiver<Command>);

/// What tasks of the engine share.
pub(crate) struct Inner {
    pub(crate) name: String,
    pub(crate) home: Home,
    pub(crate) identity: Mutex<ClusterIdentity>,
    pub(crate) clock: Arc<dyn Clock>,
    /// The same clock, asked how far it was set back.
    pub(crate) watched: Arc<WatchedClock>,
    pub(crate) destination: Arc<Destination>,
    /// What is known of the destinations themselves.
    pub(crate) storages: Storages,
    pub(crate) jobs: Jobs,
    /// The second destination, while one is used.
    second: Mutex<Option<Arc<Second>>>,
    /// Rung when the destinations should be looked at soon.
    pub(crate) look_soon: Arc<Notify>,
    /// Held while one is taken into use or given up.
    pub(crate) choosing_second: Mutex<()>,
    tenants: Mutex<BTreeMap<Uuid, Arc<Tenant>>>,
    /// How many they are, for each of them.
    crowd: Arc<Crowd>,
    /// Tenants that are not in service.
    absent: Mutex<BTreeMap<Uuid, Arc<Absent>>>,
    /// Directories that do not say whose they are, with why.
    nameless: Mutex<Vec<(PathBuf, String)>>,
    /// Names that a running creation or recovery will use.
    reserved: Mutex<BTreeSet<String>>,
    archivers: Mutex<Vec<AbortHandle>>,
    watcher: Watcher,
    /// Whether the destination was searched for tenants of which only backups are left.
    surveyed: AtomicBool,
    /// Whether the cluster's name is at the destination.
    named: AtomicBool,
    closed: AtomicBool,
}

/// A name kept for a tenant to come; free again when dropped.
pub(crate) struct Reservation {
    inner: Arc<Inner>,
    name: String,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        lock(&self.inner.reserved).remove(&self.name);
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    pub(crate) fn new(
        name: String,
        (home, identity): (Home, ClusterIdentity),
        destination: Destination,
        watched: Arc<WatchedClock>,
        watcher: Watcher,
    ) -> Arc<Self> {
        let clock: Arc<dyn Clock> = Arc::<WatchedClock>::clone(&watched);
        Arc::new(Inner {
            name,
            home,
            identity: Mutex::new(identity),
            jobs: Jobs::new(Arc::clone(&clock)),
            clock,
            watched,
            destination: Arc::new(destination),
            second: Mutex::default(),
            look_soon: Arc::default(),
            choosing_second: Mutex::default(),
            storages: Storages::default(),
            tenants: Mutex::default(),
            crowd: Arc::default(),
            absent: Mutex::default(),
            nameless: Mutex::default(),
            reserved: Mutex::default(),
            archivers: Mutex::default(),
            watcher,
            surveyed: AtomicBool::new(false),
            named: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        })
    }

    /// Identity of the cluster.
    pub(crate) fn cluster(&self) -> Uuid {
        lock(&self.identity).uuid
    }

    /// The second destination, while one is used.
    pub(crate) fn second(&self) -> Option<Arc<Second>> {
        lock(&self.second).clone()
    }

    /// Uses this second destination from now on, and gives the one used so far.
    pub(crate) fn set_second(&self, second: Option<Arc<Second>>) -> Option<Arc<Second>> {
        std::mem::replace(&mut *lock(&self.second), second)
    }

    /// The tenants in service, by identity.
    pub(crate) fn tenants(&self) -> Vec<Arc<Tenant>> {
        lock(&self.tenants).values().cloned().collect()
    }

    /// The tenants that are not in service, by identity.
    pub(crate) fn absent(&self) -> Vec<Arc<Absent>> {
        lock(&self.absent).values().cloned().collect()
    }

    /// All tenants, as far as their backups are concerned.
    pub(crate) fn archived_tenants(&self) -> Vec<Arc<dyn Archived>> {
        let online = self.tenants().into_iter().map(|it| it as Arc<dyn Archived>);
        let absent = self.absent().into_iter().map(|it| it as Arc<dyn Archived>);
        online.chain(absent).collect()
    }

    /// Whether a tenant of this identity is known.
    pub(crate) fn has(&self, uuid: Uuid) -> bool {
        lock(&self.tenants).contains_key(&uuid) || lock(&self.absent).contains_key(&uuid)
    }

    /// The tenant in service that `key` names.
    pub(crate) fn tenant(&self, key: &TenantKey) -> Result<Arc<Tenant>, EngineError> {
        let uuid = Uuid::parse_str(&key.0).ok();
        if let Some(tenant) = uuid.and_then(|uuid| lock(&self.tenants).get(&uuid).cloned()) {
            return Ok(tenant);
        }
        match uuid.and_then(|uuid| lock(&self.absent).get(&uuid).cloned()) {
            Some(absent) => Err(rejected("use", &absent.name(), absent.note())),
            None => Err(unknown(key)),
        }
    }

    /// The tenant that `key` names, in service or not, as far as its backups are concerned.
    pub(crate) fn archived(&self, key: &TenantKey) -> Result<Arc<dyn Archived>, EngineError> {
        let uuid = Uuid::parse_str(&key.0).map_err(|_| unknown(key))?;
        if let Some(tenant) = lock(&self.tenants).get(&uuid) {
            return Ok(Arc::clone(tenant) as Arc<dyn Archived>);
        }
        match lock(&self.absent).get(&uuid) {
            Some(absent) => Ok(Arc::clone(absent) as Arc<dyn Archived>),
            None => Err(unknown(key)),
        }
    }

    /// Opens what lies in `dir`; notes a tenant as out of service when that fails.
    pub(crate) fn open_tenant(self: &Arc<Self>, dir: PathBuf) -> Option<Opened> {
        let (sender, commands) = mpsc::channel(COMMANDS_MAX);
        let (destination, clock) = (Arc::clone(&self.destination), Arc::clone(&self.clock));
        let home = self.home.lock();
        match Tenant::open(
            dir.clone(),
            self.cluster(),
            destination,
            clock,
            sender,
            home,
        ) {
            Ok(tenant) => Some((tenant, commands)),
            Err(error) => {
                tracing::error!(directory = %dir.display(), %error, "tenant cannot be opened");
                self.note_faulty(dir, error.to_string());
                None
            }
        }
    }

    fn note_faulty(&self, dir: PathBuf, problem: String) {
        match Identity::read(&dir) {
            Ok(identity) => self.note_absent(Absent::new(
                (identity.uuid, identity.name),
                self.cluster(),
                Arc::clone(&self.destination),
                History::default(),
                Absence::Faulty { dir, problem },
            )),
            Err(_) => lock(&self.nameless).push((dir, problem)),
        }
    }

    /// Takes up a tenant that is not in service.
    pub(crate) fn note_absent(&self, absent: Arc<Absent>) {
        if !self.is_closed() {
            lock(&self.absent).insert(absent.uuid(), absent);
        }
    }

    /// Drops tenants out of service of which nothing is left.
    pub(crate) fn drop_forgotten(&self, is_forgotten: impl Fn(&Absent) -> bool) {
        lock(&self.absent).retain(|_, absent| !is_forgotten(absent));
    }

    /// What is the matter with a directory that is named like tenant `name` and does not say whose it is.
    pub(crate) fn nameless_directory(&self, name: &str) -> Option<String> {
        let is_named = |dir: &Path| {
            let file = dir.file_name().and_then(|file| file.to_str());
            file.and_then(|file| file.split_once('_'))
                .is_some_and(|(_, rest)| rest == name)
        };
        lock(&self.nameless)
            .iter()
            .find(|(dir, _)| is_named(dir))
            .map(|(dir, problem)| format!("{} may be what is left: {problem}", dir.display()))
    }

    /// Puts an opened tenant into service, unless the engine has ended meanwhile.
    pub(crate) fn run_tenant(self: &Arc<Self>, (tenant, commands): Opened) {
        // Held until the archiver is noted, so that whoever closes the engine finds it.
        let mut archivers = lock(&self.archivers);
        if self.is_closed() {
            return;
        }
        let count = {
            let mut tenants = lock(&self.tenants);
            tenants.insert(tenant.uuid(), Arc::clone(&tenant));
            tenants.len()
        };
        self.crowd.count(count);
        self.watcher.watch(&tenant);
        archivers.retain(|archiver| !archiver.is_finished());
        let work = archiver::run(tenant, Arc::clone(&self.crowd), commands);
        archivers.push(tokio::spawn(work).abort_handle());
    }

    /// Keeps `name` for a tenant to come; refused when it is in use.
    pub(crate) fn reserve(
        self: &Arc<Self>,
        operation: &'static str,
        name: &str,
    ) -> Result<Reservation, EngineError> {
        let refuse = |why: &str| Err(rejected(operation, name, why));
        domain::validate::name("tenant", name)
            .map_err(|violation| rejected(operation, name, violation.to_string()))?;
        if self.tenants().iter().any(|tenant| tenant.name() == name) {
            return refuse("a tenant of this name exists; give another name");
        }
        let keeps = |absent: &Arc<Absent>| absent.keeps_name() && absent.name() == name;
        if self.absent().iter().any(keeps) {
            return refuse(
                "a tenant of this name exists, though it cannot be used; give another name",
            );
        }
        if !lock(&self.reserved).insert(name.to_owned()) {
            return refuse("this name is kept for a recovery in progress; give another name");
        }
        Ok(Reservation {
            inner: Arc::clone(self),
            name: name.to_owned(),
        })
    }

    pub(crate) fn is_surveyed(&self) -> bool {
        self.surveyed.load(Ordering::Acquire)
    }

    pub(crate) fn set_surveyed(&self) {
        self.surveyed.store(true, Ordering::Release);
    }

    pub(crate) fn is_named(&self) -> bool {
        self.named.load(Ordering::Acquire)
    }

    pub(crate) fn set_named(&self) {
        self.named.store(true, Ordering::Release);
    }

    /// The destinations in use, each with the copy it holds.
    pub(crate) fn destinations(&self) -> Vec<(Place, Arc<Destination>)> {
        let second = self.second();
        let second = second.map(|second| (Place::Second, Arc::clone(second.destination())));
        [(Place::First, Arc::clone(&self.destination))]
            .into_iter()
            .chain(second)
            .collect()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// From now on nothing begins, and no tenant is known.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        let archivers = std::mem::take(&mut *lock(&self.archivers));
        drop(std::mem::take(&mut *lock(&self.tenants)));
        drop(std::mem::take(&mut *lock(&self.absent)));
        // Those that ended by order are not touched by it.
        archivers.iter().for_each(AbortHandle::abort);
    }
}

fn unknown(key: &TenantKey) -> EngineError {
    EngineError::new(
        EngineErrorKind::NotFound,
        "looking up",
        key.to_string(),
        "there is no such tenant",
    )
}
