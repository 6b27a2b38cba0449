//! Tenants that are not in service: their files cannot be used or are gone, but their backups can.
//!
//! A recovery or a verification needs a tenant's identity, its keys and its history, and nothing of
//! its data file. [`Archived`] is that much of a tenant, in service or not.

use crate::{
    destination::Destination, history::History, holds::Holds, keys::TenantKeys, tenant::Tenant,
};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};
use uuid::Uuid;

/// A tenant as far as its backups are concerned.
pub(crate) trait Archived: Send + Sync {
    /// Who it is.
    fn uuid(&self) -> Uuid;
    /// Its name.
    fn name(&self) -> String;
    /// Where its backups lie.
    fn keys(&self) -> &TenantKeys;
    /// What they lie at.
    fn destination(&self) -> &Arc<Destination>;
    /// What is durable there.
    fn history(&self) -> MutexGuard<'_, History>;
    /// Keeps log at the destination from being deleted while it is read.
    fn read_log(&self) -> RwLockReadGuard<'_, ()>;
    /// Keeps readers away while log is deleted; `None` while somebody reads.
    fn nobody_reads(&self) -> Option<RwLockWriteGuard<'_, ()>>;
    /// What of its backups is being read, so that no cleanup removes it.
    fn holds(&self) -> &Arc<Holds>;
}

impl Archived for Tenant {
    fn uuid(&self) -> Uuid {
        self.uuid()
    }

    fn name(&self) -> String {
        self.name()
    }

    fn keys(&self) -> &TenantKeys {
        &self.keys
    }

    fn destination(&self) -> &Arc<Destination> {
        &self.destination
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history()
    }

    fn read_log(&self) -> RwLockReadGuard<'_, ()> {
        self.read_log()
    }

    fn nobody_reads(&self) -> Option<RwLockWriteGuard<'_, ()>> {
        self.reading.try_write().ok()
    }

    fn holds(&self) -> &Arc<Holds> {
        &self.holds
    }
}

/// Why a tenant is not in service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Absence {
    /// Its directory is there and does not open.
    Faulty { dir: PathBuf, problem: String },
    /// Only its backups are left; `hint` tells of a directory that may be what remains of it.
    Gone { hint: Option<String> },
}

/// A tenant that is not in service.
pub(crate) struct Absent {
    uuid: Uuid,
    name: String,
    keys: TenantKeys,
    destination: Arc<Destination>,
    history: Mutex<History>,
    reading: RwLock<()>,
    holds: Arc<Holds>,
    pub(crate) absence: Absence,
}

impl Absent {
    pub(crate) fn new(
        (uuid, name): (Uuid, String),
        cluster: Uuid,
        destination: Arc<Destination>,
        history: History,
        absence: Absence,
    ) -> Arc<Self> {
        Arc::new(Absent {
            uuid,
            name,
            keys: TenantKeys::new(cluster, uuid),
            destination,
            history: Mutex::new(history),
            reading: RwLock::new(()),
            holds: Arc::default(),
            absence,
        })
    }

    /// Its data file, where there may still be one.
    pub(crate) fn data_file(&self) -> Option<PathBuf> {
        match &self.absence {
            Absence::Faulty { dir, .. } => Some(dir.join("data.db")),
            Absence::Gone { .. } => None,
        }
    }

    /// Whether its name is still its own. The name of one that is gone may be given again.
    pub(crate) fn keeps_name(&self) -> bool {
        matches!(self.absence, Absence::Faulty { .. })
    }

    /// What is the matter with it, and the way forward.
    pub(crate) fn note(&self) -> String {
        match &self.absence {
            Absence::Faulty { dir, problem } => format!(
                "{problem}; put right what is in {} and restart Tidemark, or recover it to a new tenant from its backups",
                shown(dir)
            ),
            Absence::Gone { hint } => format!(
                "the cluster has no files of this tenant any more{}; recover it to a new tenant from its backups",
                hint.as_deref()
                    .map(|hint| format!(" ({hint})"))
                    .unwrap_or_default()
            ),
        }
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

impl Archived for Absent {
    fn uuid(&self) -> Uuid {
        self.uuid
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn keys(&self) -> &TenantKeys {
        &self.keys
    }

    fn destination(&self) -> &Arc<Destination> {
        &self.destination
    }

    fn history(&self) -> MutexGuard<'_, History> {
        self.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_log(&self) -> RwLockReadGuard<'_, ()> {
        self.reading.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn nobody_reads(&self) -> Option<RwLockWriteGuard<'_, ()>> {
        self.reading.try_write().ok()
    }

    fn holds(&self) -> &Arc<Holds> {
        &self.holds
    }
}
