//! A tenant in a temporary directory with nobody following it, for the tests inside this crate.

use crate::{
    archiver::Command,
    cluster::{Home, new_identity},
    destination::Destination,
    files::TenantFiles,
    follower::Follower,
    round::open_round,
    staging::Stretch,
    tenant::Tenant,
};
use domain::{Scn, clock::Clock};
use rusqlite::Connection;
use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use storage::Dest;
use tokio::sync::mpsc;
use uuid::Uuid;

/// How long a test waits for something that should happen soon.
const WAIT_MAX: Duration = Duration::from_secs(20);
/// Any moment will do as the first.
const BEGIN: u64 = 1_790_000_000_000_000_000;

/// From just before a look at the clock to the moment it tells.
pub(crate) const LOOK_NS: u64 = 999;

type OnLook = Box<dyn Fn(Scn) + Send>;

/// A clock that moves by a microsecond a look, and as tests say.
pub(crate) struct StepClock {
    ns: AtomicU64,
    on_look: Mutex<Option<OnLook>>,
}

impl StepClock {
    pub(crate) fn new() -> Self {
        StepClock {
            ns: AtomicU64::new(BEGIN),
            on_look: Mutex::default(),
        }
    }

    pub(crate) fn set_back(&self, by: Duration) {
        self.ns.fetch_sub(by.as_nanos() as u64, Ordering::Relaxed);
    }

    /// Does something at every look, just before the time that is told.
    pub(crate) fn on_look(&self, act: impl Fn(Scn) + Send + 'static) {
        *self.on_look.lock().unwrap() = Some(Box::new(act));
    }
}

impl Clock for StepClock {
    fn now(&self) -> Scn {
        let before = self.ns.fetch_add(LOOK_NS + 1, Ordering::Relaxed);
        if let Some(act) = &*self.on_look.lock().unwrap() {
            act(Scn(before));
        }
        Scn(before + LOOK_NS)
    }
}

pub(crate) struct Bench {
    pub(crate) tenant: Arc<Tenant>,
    pub(crate) clock: Arc<StepClock>,
    _commands: mpsc::Receiver<Command>,
    dir: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(StepClock::new());
        let (home, cluster) =
            Home::open(&dir.path().join("home"), "local", Uuid::new_v4()).unwrap();
        let built = home.begin_tenant("new").unwrap();
        TenantFiles::create(&built.join("data.db")).unwrap();
        let identity = new_identity("orders", Uuid::new_v4(), clock.now()).unwrap();
        let tenant_dir = home.publish_tenant(&built, &identity).unwrap();
        let destination = Destination::new(dir.path().join("backup"), None, clock.clone());
        let (sender, commands) = mpsc::channel(1);
        let tenant = Tenant::open(
            tenant_dir,
            cluster.uuid,
            Arc::new(destination),
            clock.clone(),
            sender,
            home.lock(),
        )
        .unwrap();
        Bench {
            tenant,
            clock,
            _commands: commands,
            dir,
        }
    }

    pub(crate) fn dest(&self) -> Dest {
        self.tenant.destination.get().unwrap()
    }

    /// A connection such as any program makes, which leaves copying the log to others.
    pub(crate) fn guest(&self) -> Connection {
        let guest = Connection::open(self.tenant.files.path()).unwrap();
        guest.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
        guest
    }

    /// A follower in the round that goes on, or in a new one.
    pub(crate) fn follow(&self) -> Follower {
        open_round(&self.tenant, None).unwrap()
    }

    /// Log of `commits` commits to a table `t`, copied and cut off.
    pub(crate) fn stretch(&self, follower: &mut Follower, commits: u32) -> Stretch {
        let guest = self.guest();
        guest
            .execute_batch("CREATE TABLE IF NOT EXISTS t (v)")
            .unwrap();
        for n in 0..commits {
            guest.execute("INSERT INTO t VALUES (?1)", [n]).unwrap();
        }
        let step = follower.step().unwrap().unwrap();
        let dir = self.tenant.staging_dir();
        follower
            .staging()
            .rotate(&dir, step.complete_until)
            .unwrap()
    }

    /// The keys of all segments at the destination.
    pub(crate) fn segment_keys(&self) -> Vec<String> {
        let entries = self.dest().list(&self.tenant.keys.log()).unwrap();
        let keys = entries.into_iter().map(|entry| entry.key);
        keys.filter(|key| key.ends_with(".seg")).collect()
    }

    /// Writes over what is at the destination, as damage or a person would.
    pub(crate) fn overwrite(&self, key: &str, bytes: &[u8]) {
        std::fs::write(self.destination_dirs().0.join(key), bytes).unwrap();
    }

    /// Where the destination is; and where it is not, while it is away.
    pub(crate) fn destination_dirs(&self) -> (PathBuf, PathBuf) {
        (self.dir.path().join("backup"), self.dir.path().join("away"))
    }
}

/// Asks until it is so; fails with what was waited for.
pub(crate) async fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(WAIT_MAX, async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert!(waited.await.is_ok(), "waited {WAIT_MAX:?} for: {what}");
}
