//! The embedded engine as the console sees it: the port's calls, each a few lines over the parts.

use crate::{
    absent::Archived,
    archiver::Command,
    clock::WatchedClock,
    cluster::{ClusterIdentity, Home, HomeError, new_identity},
    destination::Destination,
    files::{OpenError, TenantFiles},
    found,
    recovery::RecoveryError,
    registry::{self, Inner},
    sources::Sources,
    storages, survey,
    tenant::Tenant,
    verify,
    watcher::Watcher,
};
use async_trait::async_trait;
use domain::{
    Scn,
    backup::BackupMethod,
    capability::{Ability, ArchiveScope, Capabilities, Expiry, RecoverTo},
    clock::Clock,
    recovery::{RecoveryPlan, RecoveryProof},
    retention::CleanupPlan,
    storage::ProbeReport,
};
use engine::{
    BackupSpec, CleanupSpec, CopySpec, Engine, EngineError, EngineErrorKind, EngineJobId,
    EngineSettings, FoundCluster, JobReport, Observation, RecoverySpec, SqlResult, TenantKey,
    VerifyReport,
};
use std::{path::Path, sync::Arc, time::Duration};
use storage::{Dest, StorageError};
use tokio::{sync::oneshot, task::spawn_blocking};
use uuid::Uuid;

/// First SQLite without the defect that could lose pages when two connections reset the log.
const SQLITE_MIN: i32 = 3_051_003;

/// How long opening waits for the first look at the destinations.
const FIRST_LOOK_MAX: Duration = Duration::from_secs(15);

/// One cluster of SQLite tenants.
pub struct EmbeddedEngine {
    pub(crate) inner: Arc<Inner>,
}

impl Drop for EmbeddedEngine {
    /// Without [`Engine::shut_down`] the newest log waits beside its tenant for the next start. The
    /// home stays locked until whatever works on a tenant at this moment has ended.
    fn drop(&mut self) {
        // Closed first: a copy that ends for this reason keeps what it has for the next start.
        self.inner.close();
        self.inner.jobs.cancel_all();
    }
}

impl EmbeddedEngine {
    /// Opens the cluster in `settings.home`, making it when it is new, and begins to archive every tenant's log.
    ///
    /// Fails when the home is used by another process, or when a new cluster's destination cannot be
    /// used. A known cluster whose destination is out of reach opens, and its log waits. A cluster that is
    /// adopted must have something at the destination, and its home must be new or its own.
    pub async fn open(
        settings: &EngineSettings,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>, EngineError> {
        let (name, settings) = (settings.name.clone(), settings.clone());
        let watched = WatchedClock::new(clock);
        let (home, destination) = {
            let clock = Arc::<WatchedClock>::clone(&watched);
            blocking("opening", move || open_home(&settings, clock)).await?
        };
        let inner = Inner::new(name, home, destination, watched, Watcher::start());
        // Dropped on any way out of here, it ends what was begun.
        let engine = Arc::new(EmbeddedEngine {
            inner: Arc::clone(&inner),
        });
        for dir in inner
            .home
            .tenant_dirs()
            .map_err(|error| home_error("opening", &inner.name, &error))?
        {
            let opening = Arc::clone(&inner);
            let opened = spawn_blocking(move || {
                let opened = opening.open_tenant(dir)?;
                know(&opened.0);
                Some(opened)
            });
            if let Ok(Some(opened)) = opened.await {
                inner.run_tenant(opened);
            }
        }
        let looking = Arc::clone(&inner);
        // What is not found now is found as soon as the destination is there.
        let _ = spawn_blocking(move || survey::first(&looking)).await;
        tokio::spawn(survey::run(Arc::downgrade(&inner)));
        // One that does not answer is told of by those who ask later.
        let _ = tokio::time::timeout(FIRST_LOOK_MAX, storages::look(&inner)).await;
        tokio::spawn(storages::run(Arc::downgrade(&inner)));
        Ok(engine)
    }

    /// The clusters whose backups are at the destination in `dir`. Changes nothing there.
    pub async fn survey(dir: &Path) -> Result<Vec<FoundCluster>, EngineError> {
        const OPERATION: &str = "survey";
        let dir = dir.to_owned();
        blocking(OPERATION, move || {
            found::survey(&dir)
                .map_err(|error| storage_error(OPERATION, &dir.display().to_string(), &error))
        })
        .await
    }

    /// Recovers `tenant` as of `until` into a new file at `path` instead of a new tenant.
    pub async fn recover_to_file(
        &self,
        tenant: &TenantKey,
        until: Scn,
        path: &Path,
    ) -> Result<RecoveryProof, EngineError> {
        let (sources, path) = (Sources::of(&self.inner, tenant)?, path.to_owned());
        let job = crate::job::Job::new(Arc::clone(&self.inner.clock));
        blocking("recovery", move || {
            sources
                .with(None, |_, copy| {
                    crate::restore::to_file(copy, until, &path, &job)
                })
                .map_err(|error| recovery_error(&sources.tenant().name(), &error))
        })
        .await
    }
}

/// Reads what is durable of a tenant before anybody asks; where the destination is away, it is tried again.
fn know(tenant: &Tenant) {
    let Err(error) = crate::round::load(tenant) else {
        return;
    };
    // A destination that cannot be tidied up, because it is read-only, can still be recovered from.
    if let Err(still) = survey::ensure_known(tenant) {
        tracing::warn!(tenant = %tenant.name(), %error, %still, "what is durable could not be read yet");
    }
}

type OpenedHome = ((Home, ClusterIdentity), Destination);

fn open_home(settings: &EngineSettings, clock: Arc<dyn Clock>) -> Result<OpenedHome, EngineError> {
    let version = rusqlite::version_number();
    if version < SQLITE_MIN {
        return Err(protocol(
            "opening",
            &settings.name,
            format!("SQLite {version} is older than {SQLITE_MIN} and can lose data"),
        ));
    }
    let failed = |error: HomeError| home_error("opening", &settings.name, &error);
    let adopted = settings
        .adopt
        .as_deref()
        .map(|adopt| adoptable(settings, adopt));
    let adopted = adopted.transpose()?;
    let uuid = adopted
        .as_ref()
        .map_or_else(Uuid::new_v4, |(uuid, _)| *uuid);
    let (home, mut identity) = Home::open(&settings.home, &settings.name, uuid).map_err(failed)?;
    if let Some((adopted, dest)) = adopted {
        if identity.uuid != adopted {
            let path = settings.home.display().to_string();
            let found = identity.uuid;
            return Err(failed(HomeError::Another {
                path,
                found,
                adopted,
            }));
        }
        // Backups go on where they were found, be it a second copy until now.
        identity.destination = Some(dest.uuid());
        identity.name.clone_from(&settings.name);
        home.write_identity(&identity).map_err(failed)?;
    }
    let path = settings.destination.clone();
    let destination = Destination::new(path, identity.destination, clock);
    if identity.destination.is_none() {
        // A new cluster must be able to write; one that has backups there may have to read them only.
        destination
            .get()
            .and_then(|dest| dest.check_writable())
            .map_err(|error| rejected("opening", &settings.name, error.to_string()))?;
        identity.destination = destination.uuid();
        home.write_identity(&identity).map_err(failed)?;
    }
    Ok(((home, identity), destination))
}

/// The identity to adopt, if something of it is at the destination.
fn adoptable(settings: &EngineSettings, adopt: &str) -> Result<(Uuid, Dest), EngineError> {
    const OPERATION: &str = "adoption";
    let subject = &settings.name;
    let uuid = Uuid::parse_str(adopt)
        .map_err(|_| rejected(OPERATION, subject, format!("\"{adopt}\" is no identity")))?;
    let failed = |error: StorageError| storage_error(OPERATION, subject, &error);
    let dest = Dest::open_existing(&settings.destination).map_err(failed)?;
    match found::is_at(&dest, uuid).map_err(failed)? {
        true => Ok((uuid, dest)),
        false => Err(rejected(
            OPERATION,
            subject,
            format!(
                "{} holds nothing of cluster {uuid}; survey it anew, or give the directory that does",
                dest.display()
            ),
        )),
    }
}

fn storage_error(operation: &'static str, subject: &str, error: &StorageError) -> EngineError {
    let kind = match error.is_transient() {
        true => EngineErrorKind::Unreachable,
        false => EngineErrorKind::Rejected,
    };
    EngineError::new(kind, operation, subject, error.to_string())
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
            expiry: Expiry::ConsoleDeletesSets,
            second_backup: true,
            placement: false,
            change_destination: Ability::No(
                "An embedded cluster keeps the destination it was made with; make another cluster \
                 to use another one."
                    .to_owned(),
            ),
            create_tenant: Ability::Yes,
            verify: Ability::Yes,
            backs_up_new_rounds: true,
            back_up: Ability::Yes,
            plan_cleanup: Ability::Yes,
            storages: vec![domain::storage::StorageKind::File],
            keeps_settings: false,
        }
    }

    fn identity(&self) -> Option<String> {
        Some(self.inner.cluster().to_string())
    }

    fn version(&self) -> String {
        format!("SQLite {}", rusqlite::version())
    }

    fn destination(&self) -> String {
        self.inner.destination.path().display().to_string()
    }

    async fn observe(&self) -> Result<Observation, EngineError> {
        let inner = Arc::clone(&self.inner);
        blocking("observation", move || Ok(crate::observe::observe(&inner))).await
    }

    async fn create_tenant(&self, name: &str) -> Result<TenantKey, EngineError> {
        let operation = "creation";
        let reservation = self.inner.reserve(operation, name)?;
        let (inner, name) = (Arc::clone(&self.inner), name.to_owned());
        let opened = blocking(operation, move || make_tenant(&inner, &name)).await?;
        let key = TenantKey(opened.0.uuid().to_string());
        self.inner.run_tenant(opened);
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
        let sources = Sources::of(&self.inner, &spec.tenant)?;
        let (place, until) = (spec.place, spec.until);
        blocking("recovery", move || {
            sources
                .with(place, |place, copy| {
                    crate::restore::plan(copy, place, until)
                })
                .map_err(|error| recovery_error(&sources.tenant().name(), &error))
        })
        .await
    }

    async fn start_recovery(&self, spec: &RecoverySpec) -> Result<EngineJobId, EngineError> {
        crate::orders::start_recovery(&self.inner, spec).await
    }

    async fn find_job(&self, token: &str) -> Result<Option<EngineJobId>, EngineError> {
        Ok(self
            .inner
            .jobs
            .find(token)
            .or_else(|| crate::orders::find_result(&self.inner, token))
            .or_else(|| crate::cleanup_orders::find_result(&self.inner, token))
            .or_else(|| crate::copy_order::find_result(&self.inner, token)))
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
            crate::sql::run(&tenant, &text)
                .map_err(|error| rejected("SQL", &tenant.name(), error.to_string()))
        })
        .await
    }

    async fn verify(&self, tenant: Option<&TenantKey>) -> Result<VerifyReport, EngineError> {
        let tenants = match tenant {
            Some(key) => vec![self.inner.archived(key)?],
            None => self.inner.archived_tenants(),
        };
        verify_all(tenants).await
    }

    async fn verify_second(&self, tenant: Option<&TenantKey>) -> Result<VerifyReport, EngineError> {
        let Some(second) = self.inner.second() else {
            return Err(rejected(
                "verification",
                &self.inner.name,
                "no second destination is used; turn second backup on, or verify the first copy",
            ));
        };
        let tenants = match tenant {
            Some(key) => vec![self.inner.archived(key)?],
            None => self.inner.archived_tenants(),
        };
        let copies = tenants
            .iter()
            .map(|tenant| second.of(&**tenant) as Arc<dyn Archived>);
        verify_all(copies.collect()).await
    }

    async fn use_second(&self, destination: Option<&Path>) -> Result<(), EngineError> {
        let (inner, path) = (Arc::clone(&self.inner), destination.map(Path::to_owned));
        blocking("use of a second destination", move || {
            crate::second_claim::use_second(&inner, path.as_deref())
        })
        .await
    }

    async fn start_copy(&self, spec: &CopySpec) -> Result<EngineJobId, EngineError> {
        crate::copy_order::start_copy(&self.inner, spec)
    }

    async fn probe_storage(&self, directory: &Path) -> Result<ProbeReport, EngineError> {
        let (clock, directory) = (Arc::clone(&self.inner.clock), directory.to_owned());
        blocking("test", move || Ok(storage::probe(&directory, &*clock))).await
    }

    async fn plan_cleanup(&self, spec: &CleanupSpec) -> Result<CleanupPlan, EngineError> {
        crate::cleanup_orders::plan_cleanup(&self.inner, spec).await
    }

    async fn start_cleanup(&self, spec: &CleanupSpec) -> Result<EngineJobId, EngineError> {
        crate::cleanup_orders::start_cleanup(&self.inner, spec)
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
        self.inner.close();
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

/// Reads everything of `tenants` back.
async fn verify_all(tenants: Vec<Arc<dyn Archived>>) -> Result<VerifyReport, EngineError> {
    blocking("verification", move || {
        let mut report = VerifyReport::default();
        for tenant in tenants {
            verify::verify(&*tenant, &mut report).map_err(|error| {
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

/// Makes an empty tenant, all at once.
fn make_tenant(inner: &Arc<Inner>, name: &str) -> Result<registry::Opened, EngineError> {
    const OPERATION: &str = "creation";
    let failed = |error: HomeError| home_error(OPERATION, name, &error);
    let uuid = Uuid::new_v4();
    let identity = new_identity(name, uuid, inner.clock.now())
        .map_err(|violation| rejected(OPERATION, name, violation.to_string()))?;
    let built = inner.home.begin_tenant(&uuid.to_string()).map_err(failed)?;
    let made = TenantFiles::create(&built.join("data.db"))
        .map_err(|error: OpenError| rejected(OPERATION, name, error.to_string()))
        .and_then(|()| inner.home.publish_tenant(&built, &identity).map_err(failed));
    if made.is_err() {
        inner.home.discard(&built);
    }
    inner.open_tenant(made?).ok_or_else(|| {
        protocol(
            OPERATION,
            name,
            "the new tenant does not open; see the server's log",
        )
    })
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
    let kind = match error.is_transient() {
        true => EngineErrorKind::Unreachable,
        false => EngineErrorKind::Rejected,
    };
    EngineError::new(kind, "recovery", tenant, error.to_string())
}
