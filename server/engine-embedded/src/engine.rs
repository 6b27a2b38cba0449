//! The embedded engine as the console sees it: the port's calls, each a few lines over the parts.

use crate::{
    archiver::{self, Command},
    cluster::{ClusterIdentity, Home, HomeError, new_identity},
    destination::Destination,
    history::History,
    jobs::Jobs,
    observe,
    recovery::RecoveryError,
    sql,
    tenant::Tenant,
    verify,
    watcher::Watcher,
};
use async_trait::async_trait;
use domain::{
    Scn,
    backup::BackupMethod,
    capability::{ArchiveScope, Capabilities, Expiry, RecoverTo},
    clock::Clock,
    recovery::{RecoveryPlan, RecoveryProof},
};
use engine::{
    BackupSpec, Engine, EngineError, EngineErrorKind, EngineJobId, EngineSettings, JobReport,
    Observation, RecoverySpec, SqlResult, TenantKey, VerifyReport,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::mpsc, sync::oneshot, task::spawn_blocking};
use uuid::Uuid;

/// Orders that may wait for one archiver.
const COMMANDS_MAX: usize = 16;
/// How often the destination is listed to notice files that somebody removed.
const LIST_PAUSE: Duration = Duration::from_secs(30);
/// First SQLite without the defect that could lose pages when two connections reset the log.
const SQLITE_MIN: i32 = 3_051_003;

/// One cluster of SQLite tenants.
pub struct EmbeddedEngine {
    pub(crate) inner: Arc<Inner>,
}

/// What tasks of the engine share.
pub(crate) struct Inner {
    pub(crate) name: String,
    pub(crate) home: Home,
    pub(crate) identity: Mutex<ClusterIdentity>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) destination: Arc<Destination>,
    tenants: Mutex<BTreeMap<Uuid, Arc<Tenant>>>,
    /// Tenant directories that do not open, with why.
    pub(crate) faulty: Mutex<Vec<(PathBuf, String)>>,
    /// Names that a running creation or recovery will use.
    reserved: Mutex<BTreeSet<String>>,
    pub(crate) jobs: Jobs,
    watcher: Watcher,
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

impl EmbeddedEngine {
    /// Opens the cluster in `settings.home`, making it when it is new, and begins to archive every tenant's log.
    ///
    /// Fails when the home is used by another process, or when a new cluster's destination cannot be
    /// used. A known cluster whose destination is out of reach opens, and its log waits.
    pub async fn open(
        settings: &EngineSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, EngineError> {
        let settings = settings.clone();
        let opened = spawn_blocking(move || open_home(&settings, clock)).await;
        let inner = opened.map_err(|error| protocol("opening", "cluster", error.to_string()))??;
        let inner = Arc::new(inner(Watcher::start()));
        for dir in inner
            .home
            .tenant_dirs()
            .map_err(|error| home_error("opening", &inner.name, &error))?
        {
            let opening = Arc::clone(&inner);
            let tenant = spawn_blocking(move || {
                let opened = opening.open_tenant(dir)?;
                // Known before the first question; where the destination is away, the archiver tries again.
                if let Err(error) = crate::round::load(&opened.0) {
                    tracing::warn!(tenant = %opened.0.name(), %error, "what is durable could not be read yet");
                }
                Some(opened)
            })
            .await;
            if let Ok(Some((tenant, commands))) = tenant {
                inner.run_tenant(tenant, commands);
            }
        }
        tokio::spawn(list_destination(Arc::downgrade(&inner)));
        Ok(Arc::new(EmbeddedEngine { inner }))
    }

    /// Recovers `tenant` as of `until` into a new file at `path` instead of a new tenant.
    pub async fn recover_to_file(
        &self,
        tenant: &TenantKey,
        until: Scn,
        path: &Path,
    ) -> Result<RecoveryProof, EngineError> {
        let (tenant, path) = (self.inner.tenant(tenant)?, path.to_owned());
        let job = crate::job::Job::new(Arc::clone(&self.inner.clock));
        blocking("recovery", move || {
            let name = tenant.name();
            crate::restore::to_file(&tenant, until, &path, &job)
                .map_err(|error| recovery_error(&name, &error))
        })
        .await
    }
}

type Unwatched = Box<dyn FnOnce(Watcher) -> Inner + Send>;

fn open_home(settings: &EngineSettings, clock: Arc<dyn Clock>) -> Result<Unwatched, EngineError> {
    let version = rusqlite::version_number();
    if version < SQLITE_MIN {
        return Err(protocol(
            "opening",
            &settings.name,
            format!("SQLite {version} is older than {SQLITE_MIN} and can lose data"),
        ));
    }
    let (home, mut identity) = Home::open(&settings.home, &settings.name, Uuid::new_v4())
        .map_err(|error| home_error("opening", &settings.name, &error))?;
    let destination = Destination::new(
        settings.destination.clone(),
        identity.destination,
        Arc::clone(&clock),
    );
    if identity.destination.is_none() {
        destination.get().map_err(|error| {
            EngineError::new(
                EngineErrorKind::Rejected,
                "opening",
                settings.name.clone(),
                error.to_string(),
            )
        })?;
        identity.destination = destination.uuid();
        home.write_identity(&identity)
            .map_err(|error| home_error("opening", &settings.name, &error))?;
    }
    let name = settings.name.clone();
    Ok(Box::new(move |watcher| Inner {
        name,
        home,
        identity: Mutex::new(identity),
        jobs: Jobs::new(Arc::clone(&clock)),
        clock,
        destination: Arc::new(destination),
        tenants: Mutex::default(),
        faulty: Mutex::default(),
        reserved: Mutex::default(),
        watcher,
    }))
}

impl Inner {
    /// The tenants, by identity.
    pub(crate) fn tenants(&self) -> Vec<Arc<Tenant>> {
        lock(&self.tenants).values().cloned().collect()
    }

    pub(crate) fn tenant(&self, key: &TenantKey) -> Result<Arc<Tenant>, EngineError> {
        let uuid = Uuid::parse_str(&key.0).ok();
        uuid.and_then(|uuid| lock(&self.tenants).get(&uuid).cloned())
            .ok_or_else(|| {
                EngineError::new(
                    EngineErrorKind::NotFound,
                    "looking up",
                    key.to_string(),
                    "there is no such tenant",
                )
            })
    }

    /// Opens what lies in `dir`; notes it as faulty when that fails.
    pub(crate) fn open_tenant(
        self: &Arc<Self>,
        dir: PathBuf,
    ) -> Option<(Arc<Tenant>, mpsc::Receiver<Command>)> {
        let (sender, commands) = mpsc::channel(COMMANDS_MAX);
        let cluster = lock(&self.identity).uuid;
        let (destination, clock) = (Arc::clone(&self.destination), Arc::clone(&self.clock));
        match Tenant::open(dir.clone(), cluster, destination, clock, sender) {
            Ok(tenant) => Some((tenant, commands)),
            Err(error) => {
                tracing::error!(directory = %dir.display(), %error, "tenant cannot be opened");
                lock(&self.faulty).push((dir, error.to_string()));
                None
            }
        }
    }

    /// Puts an opened tenant into service.
    pub(crate) fn run_tenant(
        self: &Arc<Self>,
        tenant: Arc<Tenant>,
        commands: mpsc::Receiver<Command>,
    ) {
        lock(&self.tenants).insert(tenant.uuid(), Arc::clone(&tenant));
        self.watcher.watch(&tenant);
        tokio::spawn(archiver::run(tenant, commands));
    }

    /// Keeps `name` for a tenant to come; refused when it is in use.
    pub(crate) fn reserve(
        self: &Arc<Self>,
        operation: &'static str,
        name: &str,
    ) -> Result<Reservation, EngineError> {
        domain::validate::name("tenant", name)
            .map_err(|violation| rejected(operation, name, violation.to_string()))?;
        if self.tenants().iter().any(|tenant| tenant.name() == name) {
            return Err(rejected(
                operation,
                name,
                "a tenant of this name exists; give another name",
            ));
        }
        if !lock(&self.reserved).insert(name.to_owned()) {
            return Err(rejected(
                operation,
                name,
                "this name is kept for a recovery in progress; give another name",
            ));
        }
        Ok(Reservation {
            inner: Arc::clone(self),
            name: name.to_owned(),
        })
    }
}

/// Notices files that disappeared from the destination, so that ranges never promise what is gone.
async fn list_destination(inner: std::sync::Weak<Inner>) {
    loop {
        tokio::time::sleep(LIST_PAUSE).await;
        let Some(inner) = inner.upgrade() else { return };
        for tenant in inner.tenants() {
            // An unreachable destination changes nothing here; the archiver tells about it.
            let _ = spawn_blocking(move || {
                let before = tenant.history().clone();
                let listed = tenant
                    .destination
                    .get()
                    .and_then(|dest| History::load(&dest, &tenant.keys));
                if let Ok(listed) = listed {
                    tenant.history().forget_missing(&before, &listed);
                }
            })
            .await;
        }
    }
}

#[async_trait]
impl Engine for EmbeddedEngine {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            methods: vec![BackupMethod::Physical],
            incremental: true,
            log_archive: ArchiveScope::Tenant,
            recover_to: RecoverTo::AnyInstant,
            cancel_backup: true,
            cancel_recovery: true,
            expiry: Expiry::EngineByPolicy,
            second_backup: false,
            placement: false,
        }
    }

    fn version(&self) -> String {
        format!("SQLite {}", rusqlite::version())
    }

    fn destination(&self) -> String {
        self.inner.destination.path().display().to_string()
    }

    async fn observe(&self) -> Result<Observation, EngineError> {
        let inner = Arc::clone(&self.inner);
        blocking("observation", move || Ok(observe::observe(&inner))).await
    }

    async fn create_tenant(&self, name: &str) -> Result<TenantKey, EngineError> {
        let operation = "creation";
        let reservation = self.inner.reserve(operation, name)?;
        let (inner, name) = (Arc::clone(&self.inner), name.to_owned());
        let (tenant, commands) = blocking(operation, move || {
            let uuid = Uuid::new_v4();
            let identity = new_identity(&name, uuid, inner.clock.now())
                .map_err(|violation| rejected(operation, &name, violation.to_string()))?;
            let failed = |error: &HomeError| home_error(operation, &name, error);
            let built = inner
                .home
                .begin_tenant(&uuid.to_string())
                .map_err(|error| failed(&error))?;
            let dir = inner
                .home
                .publish_tenant(&built, &identity)
                .map_err(|error| failed(&error))?;
            inner.open_tenant(dir).ok_or_else(|| {
                protocol(
                    operation,
                    &name,
                    "the new tenant does not open; see the server's log",
                )
            })
        })
        .await?;
        let key = TenantKey(tenant.uuid().to_string());
        self.inner.run_tenant(tenant, commands);
        drop(reservation);
        Ok(key)
    }

    async fn start_archive(&self, tenant: &TenantKey) -> Result<(), EngineError> {
        self.order("start of log backup", tenant, |reply| Command::Start {
            reply,
        })
        .await
    }

    async fn stop_archive(&self, tenant: &TenantKey, reason: &str) -> Result<(), EngineError> {
        let reason = reason.to_owned();
        self.order("stop of log backup", tenant, |reply| Command::Stop {
            reason,
            reply,
        })
        .await
    }

    async fn start_backup(&self, spec: &BackupSpec) -> Result<EngineJobId, EngineError> {
        crate::orders::start_backup(&self.inner, spec)
    }

    async fn plan_recovery(&self, spec: &RecoverySpec) -> Result<RecoveryPlan, EngineError> {
        drop(self.inner.reserve("recovery", &spec.new_name)?);
        let (tenant, until) = (self.inner.tenant(&spec.tenant)?, spec.until);
        blocking("recovery", move || {
            crate::restore::plan(&tenant, until)
                .map_err(|error| recovery_error(&tenant.name(), &error))
        })
        .await
    }

    async fn start_recovery(&self, spec: &RecoverySpec) -> Result<EngineJobId, EngineError> {
        crate::orders::start_recovery(&self.inner, spec)
    }

    async fn find_job(&self, token: &str) -> Result<Option<EngineJobId>, EngineError> {
        Ok(self
            .inner
            .jobs
            .find(token)
            .or_else(|| crate::orders::find_result(&self.inner, token)))
    }

    async fn job(&self, id: &EngineJobId) -> Result<JobReport, EngineError> {
        self.inner.jobs.report(id)
    }

    async fn cancel_job(&self, id: &EngineJobId) -> Result<(), EngineError> {
        self.inner.jobs.cancel(id)
    }

    async fn run_sql(&self, tenant: &TenantKey, text: &str) -> Result<Vec<SqlResult>, EngineError> {
        let (tenant, text) = (self.inner.tenant(tenant)?, text.to_owned());
        blocking("SQL", move || {
            sql::run(&tenant, &text)
                .map_err(|error| rejected("SQL", &tenant.name(), error.to_string()))
        })
        .await
    }

    async fn verify(&self, tenant: Option<&TenantKey>) -> Result<VerifyReport, EngineError> {
        let tenants = match tenant {
            Some(key) => vec![self.inner.tenant(key)?],
            None => self.inner.tenants(),
        };
        blocking("verification", move || {
            let mut report = VerifyReport::default();
            for tenant in tenants {
                verify::verify(&tenant, &mut report).map_err(|error| {
                    EngineError::new(
                        EngineErrorKind::Unreachable,
                        "verification",
                        tenant.name(),
                        error.to_string(),
                    )
                })?;
            }
            Ok(report)
        })
        .await
    }

    async fn shut_down(&self) {
        let mut endings = Vec::new();
        for tenant in self.inner.tenants() {
            let (reply, ended) = oneshot::channel();
            if tenant
                .commands
                .send(Command::ShutDown { reply })
                .await
                .is_ok()
            {
                endings.push(ended);
            }
        }
        for ended in endings {
            // An archiver that is gone has nothing left to end.
            let _ = ended.await;
        }
        // Other programs find the files as if we had never opened them.
        lock(&self.inner.tenants).clear();
    }
}

impl EmbeddedEngine {
    async fn order(
        &self,
        operation: &'static str,
        key: &TenantKey,
        command: impl FnOnce(oneshot::Sender<Result<(), String>>) -> Command,
    ) -> Result<(), EngineError> {
        let tenant = self.inner.tenant(key)?;
        let (reply, answer) = oneshot::channel();
        let gone = || {
            EngineError::new(
                EngineErrorKind::Unreachable,
                operation,
                tenant.name(),
                "the engine is shutting down",
            )
        };
        tenant
            .commands
            .send(command(reply))
            .await
            .map_err(|_| gone())?;
        let answer = answer.await.map_err(|_| gone())?;
        answer.map_err(|problem| rejected(operation, &tenant.name(), problem))
    }
}

/// Runs blocking work; a panic in it is a defect, told as such.
pub(crate) async fn blocking<T: Send + 'static>(
    operation: &'static str,
    work: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
) -> Result<T, EngineError> {
    spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(protocol(operation, "the engine", error.to_string())))
}

pub(crate) fn rejected(
    operation: &'static str,
    subject: &str,
    message: impl Into<String>,
) -> EngineError {
    EngineError::new(EngineErrorKind::Rejected, operation, subject, message)
}

fn protocol(operation: &'static str, subject: &str, message: impl Into<String>) -> EngineError {
    EngineError::new(EngineErrorKind::Protocol, operation, subject, message)
}

fn home_error(operation: &'static str, subject: &str, error: &HomeError) -> EngineError {
    EngineError::new(
        EngineErrorKind::Rejected,
        operation,
        subject,
        error.to_string(),
    )
}

pub(crate) fn recovery_error(tenant: &str, error: &RecoveryError) -> EngineError {
    let kind = match error {
        RecoveryError::Storage(error) if error.is_transient() => EngineErrorKind::Unreachable,
        _ => EngineErrorKind::Rejected,
    };
    EngineError::new(kind, "recovery", tenant, error.to_string())
}
