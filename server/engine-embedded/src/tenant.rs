//! One tenant: its identity, its files, what is durable of it, and the door to its archiver.

use crate::{
    archiver::Command,
    cluster::HomeLock,
    commit::Head,
    destination::Destination,
    files::{OpenError, TenantConnection, TenantFiles},
    history::History,
    holds::Holds,
    job::Job,
    keys::TenantKeys,
    page_map::PageMap,
    snapshot::Snapshot,
    stamp::Stamps,
};
use domain::{
    Scn, archive::ArchiveState, clock::Clock, recovery::RecoveryProof, second_backup::Place,
};
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, Weak, atomic::AtomicBool,
    },
};
use tokio::sync::{Notify, mpsc, oneshot};
use uuid::Uuid;

/// `.engine/tenant.json`: who the tenant is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Identity {
    pub(crate) format: u32,
    pub(crate) uuid: Uuid,
    pub(crate) name: String,
    pub(crate) created: Scn,
    /// Present when the tenant is the result of a recovery.
    pub(crate) recovered: Option<Recovered>,
    /// Why log backup is stopped; absent while it should run.
    pub(crate) archive_stopped: Option<String>,
}

/// Where a recovered tenant came from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Recovered {
    /// The console's mark of the order.
    pub(crate) token: String,
    pub(crate) source: Uuid,
    /// The copy of the backups that was read.
    #[serde(default)]
    pub(crate) place: Place,
    pub(crate) until: Scn,
    pub(crate) proof: RecoveryProof,
}

impl Identity {
    fn path(dir: &Path) -> PathBuf {
        dir.join(".engine/tenant.json")
    }

    pub(crate) fn read(dir: &Path) -> io::Result<Self> {
        let bytes = fs::read(Self::path(dir))?;
        serde_json::from_slice(&bytes).map_err(io::Error::other)
    }

    /// Writes it so that a crash leaves the old or the new one.
    pub(crate) fn write(&self, dir: &Path) -> io::Result<()> {
        let path = Self::path(dir);
        let json = serde_json::to_vec_pretty(self).map_err(io::Error::other)?;
        crate::durable::replace_file(&path, &json)
    }
}

/// Log archiving as it stands.
#[derive(Debug, Clone)]
pub(crate) struct ArchiveStatus {
    pub(crate) state: ArchiveState,
    pub(crate) note: Option<String>,
}

/// An opened tenant.
pub(crate) struct Tenant {
    pub(crate) dir: PathBuf,
    pub(crate) cluster: Uuid,
    identity: Mutex<Identity>,
    pub(crate) keys: TenantKeys,
    pub(crate) files: Arc<TenantFiles>,
    pub(crate) stamps: Arc<Stamps>,
    pub(crate) destination: Arc<Destination>,
    history: Mutex<History>,
    status: Mutex<ArchiveStatus>,
    /// The one connection through which the engine itself writes.
    pub(crate) writer: Mutex<Option<TenantConnection>>,
    /// Rung when the log may have grown.
    pub(crate) wake: Notify,
    pub(crate) commands: mpsc::Sender<Command>,
    /// Held for reading by whoever reads log at the destination; parts of merged log are deleted only without them.
    pub(crate) reading: RwLock<()>,
    /// What of its backups is being read, so that no cleanup removes it.
    pub(crate) holds: Arc<Holds>,
    /// Whether a data backup runs.
    pub(crate) backing_up: AtomicBool,
    /// The data backup that runs; it holds a snapshot, and so the log.
    backup: Mutex<Weak<Job>>,
    /// Whether what an earlier process left half-made at the destination is gone. Only once: later, what is
    /// half-made there is being made.
    pub(crate) cleaned: AtomicBool,
    /// Nobody else opens the home while anything still works on this tenant.
    _lock: HomeLock,
}

/// What an exact snapshot comes with.
pub(crate) type SnapshotAnswer = Result<(Snapshot, Head, PageMap), String>;

impl Tenant {
    /// Opens the tenant in `dir`; its archiver listens at the other end of `commands`.
    pub(crate) fn open(
        dir: PathBuf,
        cluster: Uuid,
        destination: Arc<Destination>,
        clock: Arc<dyn Clock>,
        commands: mpsc::Sender<Command>,
        lock: HomeLock,
    ) -> Result<Arc<Self>, OpenError> {
        let identity = Identity::read(&dir).map_err(|source| OpenError::Io {
            path: Identity::path(&dir).display().to_string(),
            source,
        })?;
        let files = TenantFiles::open(&dir.join("data.db"))?;
        let stamps = Arc::new(Stamps::new(clock));
        Ok(Arc::new(Tenant {
            keys: TenantKeys::new(cluster, identity.uuid),
            dir,
            cluster,
            identity: Mutex::new(identity),
            files,
            stamps,
            destination,
            history: Mutex::default(),
            status: Mutex::new(ArchiveStatus {
                state: ArchiveState::Beginning,
                note: None,
            }),
            writer: Mutex::new(None),
            wake: Notify::new(),
            commands,
            reading: RwLock::new(()),
            holds: Arc::default(),
            backing_up: AtomicBool::new(false),
            backup: Mutex::default(),
            cleaned: AtomicBool::new(false),
            _lock: lock,
        }))
    }

    /// Notes the data backup that runs.
    pub(crate) fn note_backup(&self, job: &Arc<Job>) {
        *lock(&self.backup) = Arc::downgrade(job);
    }

    /// Cancels the data backup that runs, if there is one.
    pub(crate) fn cancel_backup(&self, why: &str) {
        if let Some(job) = lock(&self.backup).upgrade()
            && !job.is_canceled()
        {
            tracing::warn!(tenant = %self.name(), why, "the data backup is canceled");
            job.cancel();
        }
    }

    pub(crate) fn identity(&self) -> Identity {
        lock(&self.identity).clone()
    }

    pub(crate) fn name(&self) -> String {
        lock(&self.identity).name.clone()
    }

    pub(crate) fn uuid(&self) -> Uuid {
        lock(&self.identity).uuid
    }

    /// Notes durably whether log backup is stopped, and why.
    pub(crate) fn set_archive_stopped(&self, reason: Option<String>) -> io::Result<()> {
        let mut identity = lock(&self.identity);
        let changed = Identity {
            archive_stopped: reason,
            ..identity.clone()
        };
        changed.write(&self.dir)?;
        *identity = changed;
        Ok(())
    }

    /// What is durable at the destination.
    pub(crate) fn history(&self) -> MutexGuard<'_, History> {
        lock(&self.history)
    }

    pub(crate) fn status(&self) -> ArchiveStatus {
        lock(&self.status).clone()
    }

    pub(crate) fn set_status(&self, state: ArchiveState, note: Option<String>) {
        *lock(&self.status) = ArchiveStatus { state, note };
    }

    /// Keeps log at the destination from being deleted while it is read.
    pub(crate) fn read_log(&self) -> RwLockReadGuard<'_, ()> {
        self.reading.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes of a page.
    pub(crate) fn page_size(&self) -> rusqlite::Result<u32> {
        self.files
            .connect()?
            .query_row("PRAGMA page_size", [], |row| row.get(0))
    }

    /// Staged log of this tenant.
    pub(crate) fn staging_dir(&self) -> PathBuf {
        self.dir.join(".engine/staging")
    }

    /// An exact snapshot from the archiver, which alone knows where the log stands.
    pub(crate) async fn snapshot(&self) -> SnapshotAnswer {
        let (reply, answer) = oneshot::channel();
        let gone = || "log backup is not in progress".to_owned();
        self.commands
            .send(Command::Snapshot { reply })
            .await
            .map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
