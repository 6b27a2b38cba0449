//! A console with its engine, clock and control database, and how tests wait.

use crate::{fake::Fake, fake_opener::FakeOpener, outside::Receivers};
use control::{Admin, Console, ConsoleParts, GlobalAdmin, Operator, Viewer, secret::KeyPlace};
use domain::{
    JobId, Scn, TenantId,
    access::{Actor, Role},
    backup::BackupJob,
    clock::Clock,
    cluster::NewCluster,
    job::JobState,
    scn::{NS_PER_DAY, NS_PER_SECOND},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use store::Store;
use tokio::time::Instant;

/// Name of the cluster on every stage.
pub(crate) const LOCAL: &str = "local";
/// Longest wait for anything.
const WAIT_MAX: Duration = Duration::from_secs(20);

/// Goes on as real time does, and can be moved on.
pub(crate) struct TestClock {
    began: Instant,
    offset: AtomicU64,
}

impl TestClock {
    pub(crate) fn step_back_s(&self, seconds: u64) {
        self.offset
            .fetch_sub(seconds * NS_PER_SECOND, Ordering::Relaxed);
    }

    pub(crate) fn advance_s(&self, seconds: u64) {
        self.offset
            .fetch_add(seconds * NS_PER_SECOND, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Scn {
        let base = Scn::parse_rfc3339("2026-11-20T08:00:00Z").unwrap();
        let passed = u64::try_from(self.began.elapsed().as_nanos()).unwrap();
        base.plus_ns(passed + self.offset.load(Ordering::Relaxed))
    }
}

pub(crate) struct Stage {
    pub(crate) clock: Arc<TestClock>,
    pub(crate) fake: Arc<Fake>,
    pub(crate) receivers: Arc<Receivers>,
    pub(crate) dir: tempfile::TempDir,
}

impl Stage {
    pub(crate) fn new() -> Stage {
        let clock = Arc::new(TestClock {
            began: Instant::now(),
            offset: AtomicU64::new(NS_PER_DAY),
        });
        Stage {
            fake: Arc::new(Fake::new(Arc::<TestClock>::clone(&clock))),
            clock,
            receivers: Arc::default(),
            dir: tempfile::tempdir().unwrap(),
        }
    }

    /// A stage with a console, cluster `local` and one tenant `orders` that has a set.
    pub(crate) async fn with_tenant() -> (Stage, Console, TenantId) {
        let stage = Stage::new();
        let console = stage.console().await;
        let new = NewCluster {
            name: LOCAL.to_owned(),
            destination: None,
            first_tenant: Some("orders".to_owned()),
            ..NewCluster::default()
        };
        global_admin(&console).create_cluster(&new).await.unwrap();
        let tenant = viewer(&console).tenants(LOCAL).await.unwrap()[0].id;
        (stage, console, tenant)
    }

    /// The file of the control database.
    pub(crate) fn database(&self) -> std::path::PathBuf {
        self.dir.path().join("control.db")
    }

    /// Changes the control database behind the console's back.
    pub(crate) fn tamper(&self, sql: &str) {
        let database = rusqlite::Connection::open(self.database()).unwrap();
        database
            .busy_timeout(Duration::from_secs(10))
            .and_then(|()| database.execute_batch(sql))
            .unwrap();
    }

    pub(crate) async fn store(&self) -> Store {
        let file = self.database();
        let store = Store::connect(&format!("sqlite://{}", file.display()))
            .await
            .unwrap();
        migration::up(store.connection()).await.unwrap();
        store
    }

    /// A console on this stage's control database, as after a start of the process.
    pub(crate) async fn console(&self) -> Console {
        self.console_of(false).await
    }

    /// One that knows that no other process uses the control database.
    pub(crate) async fn console_alone(&self) -> Console {
        self.console_of(true).await
    }

    async fn console_of(&self, alone: bool) -> Console {
        Console::start(ConsoleParts {
            store: self.store().await,
            opener: Arc::new(FakeOpener(Arc::clone(&self.fake))),
            clock: Arc::<TestClock>::clone(&self.clock),
            home: self.dir.path().to_owned(),
            alone,
            key: KeyPlace::File(self.dir.path().join("secret.key")),
            outbound: Arc::<Receivers>::clone(&self.receivers),
        })
        .await
        .unwrap()
    }
}

pub(crate) fn actor(role: Role) -> Actor {
    Actor::new("tester", role)
}

pub(crate) fn viewer(console: &Console) -> Viewer {
    console.viewer(&actor(Role::Viewer)).unwrap()
}

pub(crate) fn operator(console: &Console) -> Operator {
    console.operator(&actor(Role::Operator)).unwrap()
}

pub(crate) fn global_admin(console: &Console) -> GlobalAdmin {
    console.global_admin(&actor(Role::Admin)).unwrap()
}

pub(crate) fn admin(console: &Console) -> Admin {
    console.admin(&actor(Role::Admin)).unwrap()
}

/// Asks again and again until there is an answer.
pub(crate) async fn eventually<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + WAIT_MAX;
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(Instant::now() < end, "never happened: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Waits until a data backup task stands in `state`.
pub(crate) async fn backup_in(console: &Console, id: JobId, state: JobState) -> BackupJob {
    let viewer = viewer(console);
    eventually(&format!("task {id} {state:?}"), async || {
        let job = viewer.backup(LOCAL, id).await.unwrap();
        assert!(
            job.state == state || !job.state.is_final(),
            "{:?} {:?}",
            job.state,
            job.failure
        );
        (job.state == state).then_some(job)
    })
    .await
}
