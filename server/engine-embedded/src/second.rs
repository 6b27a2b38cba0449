//! The second destination of a cluster, and what is there of each tenant.
//!
//! It has the layout of the first one, so whoever loses the first can use it in its place. What tells
//! them apart is one object of the cluster there, `second.json`; see [`crate::second_claim`].

use crate::{
    absent::Archived, copy_record::Record, destination::Destination, history::History,
    holds::Holds, keys::TenantKeys, pace::Pace, survey,
};
use engine::SecondObservation;
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, Ordering},
    },
};
use storage::{Dest, StorageError};
use uuid::Uuid;

/// The second destination while it is used.
pub(crate) struct Second {
    cluster: Uuid,
    destination: Arc<Destination>,
    copies: Mutex<BTreeMap<Uuid, Arc<SecondCopy>>>,
    /// What all that is copied to it keeps to.
    pub(crate) pace: Pace,
    ended: AtomicBool,
    /// Whether it was listed since it is used.
    listed: AtomicBool,
    /// Whether what an earlier process left of cleanups there is done.
    resumed: AtomicBool,
}

/// What is at the second destination of one tenant.
pub(crate) struct SecondCopy {
    uuid: Uuid,
    name: String,
    keys: TenantKeys,
    destination: Arc<Destination>,
    history: Mutex<History>,
    reading: RwLock<()>,
    holds: Arc<Holds>,
    /// Held by the one that copies.
    copying: Mutex<()>,
    /// What was copied; absent until it was read.
    record: Mutex<Option<Record>>,
    /// Whether what an earlier process left half-written there is gone.
    pub(crate) cleaned: AtomicBool,
}

impl Second {
    pub(crate) fn new(cluster: Uuid, destination: Destination) -> Arc<Self> {
        Arc::new(Second {
            cluster,
            destination: Arc::new(destination),
            copies: Mutex::default(),
            pace: Pace::default(),
            ended: AtomicBool::new(false),
            listed: AtomicBool::new(false),
            resumed: AtomicBool::new(false),
        })
    }

    pub(crate) fn destination(&self) -> &Arc<Destination> {
        &self.destination
    }

    pub(crate) fn path(&self) -> &Path {
        self.destination.path()
    }

    /// It is not used any more; what is being copied ends.
    pub(crate) fn end(&self) {
        self.ended.store(true, Ordering::Release);
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// What is there of a tenant, as far as it was looked at.
    pub(crate) fn known(&self, tenant: Uuid) -> Option<Arc<SecondCopy>> {
        lock(&self.copies).get(&tenant).cloned()
    }

    /// What is there of a tenant; to be read if that did not happen yet.
    pub(crate) fn of(&self, tenant: &dyn Archived) -> Arc<SecondCopy> {
        self.take_up(tenant.uuid(), tenant.name())
    }

    pub(crate) fn take_up(&self, uuid: Uuid, name: String) -> Arc<SecondCopy> {
        let mut copies = lock(&self.copies);
        let copy = copies.entry(uuid).or_insert_with(|| {
            Arc::new(SecondCopy {
                uuid,
                name,
                keys: TenantKeys::new(self.cluster, uuid),
                destination: Arc::clone(&self.destination),
                history: Mutex::default(),
                reading: RwLock::new(()),
                holds: Arc::default(),
                copying: Mutex::new(()),
                record: Mutex::default(),
                cleaned: AtomicBool::new(false),
            })
        });
        Arc::clone(copy)
    }

    /// Everything that was looked at.
    pub(crate) fn copies(&self) -> Vec<Arc<SecondCopy>> {
        lock(&self.copies).values().cloned().collect()
    }

    /// Makes what is known equal to what is there: of the given tenants, and of those that are only there.
    pub(crate) fn look(&self, tenants: &[Arc<dyn Archived>]) -> Result<(), StorageError> {
        let dest = self.destination.get()?;
        for tenant in tenants {
            self.of(&**tenant);
        }
        for directory in dest.list_dirs(&self.cluster.to_string())? {
            let Ok(uuid) = Uuid::parse_str(&directory) else {
                continue;
            };
            if self.known(uuid).is_none() {
                let keys = TenantKeys::new(self.cluster, uuid);
                let history = History::load(&dest, &keys)?;
                self.take_up(uuid, survey::name_of(&dest, &keys, &history, uuid));
            }
        }
        for copy in self.copies() {
            survey::refresh(&*copy)?;
            copy.read_record(&dest)?;
        }
        self.listed.store(true, Ordering::Release);
        Ok(())
    }

    /// Whether every tenant that has something there is known.
    pub(crate) fn is_listed(&self) -> bool {
        self.listed.load(Ordering::Acquire)
    }

    /// Does what is left of an earlier process, until it is done once.
    pub(crate) fn resume_once(&self, resume: impl FnOnce(Vec<Arc<dyn Archived>>) -> bool) {
        if !self.resumed.load(Ordering::Acquire) {
            let copies = self.copies().into_iter().map(|it| it as Arc<dyn Archived>);
            self.resumed
                .store(resume(copies.collect()), Ordering::Release);
        }
    }

    /// Whether everything there was read.
    pub(crate) fn is_known(&self, tenants: &[Arc<dyn Archived>]) -> bool {
        let is_known = |uuid: Uuid| {
            let copy = self.known(uuid);
            copy.is_some_and(|copy| copy.history().known)
        };
        tenants.iter().all(|tenant| is_known(tenant.uuid()))
    }

    /// What is there of a tenant, for the console.
    pub(crate) fn observed(&self, tenant: Uuid) -> SecondObservation {
        let directory = self
            .path()
            .join(TenantKeys::new(self.cluster, tenant).log());
        let copy = self.known(tenant);
        let nothing = Mutex::default();
        let history = lock(copy.as_ref().map_or(&nothing, |copy| &copy.history));
        let (data_bytes, log_bytes) = history.stored_bytes();
        SecondObservation {
            known: history.known,
            sets: history.usable_sets(),
            arrived: Vec::new(),
            spans: history.spans(),
            data_bytes,
            log_bytes,
            checkpoint: history.checkpoint_scn(),
            directory: directory.display().to_string(),
        }
    }
}

impl SecondCopy {
    /// The right to copy; `None` while another job has it.
    pub(crate) fn try_copying(&self) -> Option<MutexGuard<'_, ()>> {
        match self.copying.try_lock() {
            Ok(right) => Some(right),
            Err(std::sync::TryLockError::Poisoned(broken)) => Some(broken.into_inner()),
            Err(std::sync::TryLockError::WouldBlock) => None,
        }
    }

    /// What was copied, as far as it was read.
    pub(crate) fn record(&self) -> MutexGuard<'_, Option<Record>> {
        lock(&self.record)
    }

    /// Reads what was copied by earlier processes, once.
    pub(crate) fn read_record(&self, dest: &Dest) -> Result<(), StorageError> {
        if self.record().is_some() {
            return Ok(());
        }
        let record = Record::load(dest, &self.keys)?;
        self.record().get_or_insert(record);
        Ok(())
    }
}

impl Archived for SecondCopy {
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
        lock(&self.history)
    }

    fn read_log(&self) -> RwLockReadGuard<'_, ()> {
        self.reading.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn holds(&self) -> &Arc<Holds> {
        &self.holds
    }

    fn nobody_reads(&self) -> Option<RwLockWriteGuard<'_, ()>> {
        self.reading.try_write().ok()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
