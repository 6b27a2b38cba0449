//! A cluster in a temporary directory, and the questions tests ask of it.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "support of tests; each test binary uses a part of it"
)]

use domain::{
    Scn,
    archive::ArchiveState,
    backup::BackupKind,
    capability::EngineKind,
    clock::Clock,
    recoverable::{self, RecoverableRange, SetPoint},
};
use engine::{
    BackupSpec, Engine, EngineError, EngineJobId, EngineJobState, EngineSettings, JobReport,
    TenantKey, TenantObservation,
};
use engine_embedded::EmbeddedEngine;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

/// How long a test waits for something that should happen soon.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Real time, which a test may move ahead.
#[derive(Default)]
pub struct LabClock {
    ahead_ns: AtomicU64,
}

impl Clock for LabClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "these tests run against real time, as other programs write too"
    )]
    fn now(&self) -> Scn {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        Scn(u64::try_from(since.as_nanos()).unwrap() + self.ahead_ns.load(Ordering::Relaxed))
    }
}

pub struct Lab {
    pub dir: tempfile::TempDir,
    engine: Option<Arc<EmbeddedEngine>>,
    clock: Arc<LabClock>,
    number: AtomicU32,
}

impl Lab {
    pub async fn open() -> Self {
        Self::open_in(tempfile::tempdir().unwrap()).await.unwrap()
    }

    pub async fn open_in(dir: tempfile::TempDir) -> Result<Self, EngineError> {
        let clock = Arc::new(LabClock::default());
        let engine = EmbeddedEngine::open(&settings(&dir), clock.clone()).await?;
        Ok(Lab {
            dir,
            engine: Some(engine),
            clock,
            number: AtomicU32::new(0),
        })
    }

    /// A second engine on the same home.
    pub async fn open_again(&self) -> Result<Arc<EmbeddedEngine>, EngineError> {
        EmbeddedEngine::open(&settings(&self.dir), self.clock.clone()).await
    }

    pub fn engine(&self) -> &EmbeddedEngine {
        self.engine.as_ref().expect("the engine is open")
    }

    /// Ends cleanly and lets every file go.
    pub async fn close(&mut self) {
        if let Some(engine) = self.engine.take() {
            engine.shut_down().await;
        }
    }

    /// Lets the engine go without ending it.
    pub fn abandon(&mut self) {
        self.engine = None;
    }

    /// Ends cleanly and opens the same home.
    pub async fn reopen(&mut self) {
        self.close().await;
        // The home's lock is free once the last task of the old engine is gone.
        wait_until("the home's lock", async || {
            match EmbeddedEngine::open(&settings(&self.dir), self.clock.clone()).await {
                Ok(engine) => {
                    self.engine = Some(engine);
                    true
                }
                Err(error) if error.message.contains("used by another") => false,
                Err(error) => panic!("{error}"),
            }
        })
        .await;
    }

    /// Moves the clock ahead.
    pub fn advance(&self, ns: u64) {
        self.clock.ahead_ns.fetch_add(ns, Ordering::Relaxed);
    }

    /// Moves the clock back, by no more than it was moved ahead.
    pub fn set_back(&self, ns: u64) {
        self.clock.ahead_ns.fetch_sub(ns, Ordering::Relaxed);
    }

    /// Moves the clock ahead to the start of the next minute, so that what follows falls into one.
    pub fn turn_minute(&self) {
        const MINUTE_NS: u64 = 60_000_000_000;
        self.advance(MINUTE_NS - self.now().0 % MINUTE_NS);
    }

    pub fn now(&self) -> Scn {
        self.clock.now()
    }

    pub async fn tenant_named(&self, name: &str) -> TenantObservation {
        let observed = self.engine().observe().await.unwrap();
        observed
            .tenants
            .into_iter()
            .find(|tenant| tenant.name == name)
            .expect("the tenant exists")
    }

    async fn tenant(&self, key: &TenantKey) -> TenantObservation {
        let observed = self.engine().observe().await.unwrap();
        observed
            .tenants
            .into_iter()
            .find(|tenant| &tenant.key == key)
            .expect("the tenant exists")
    }

    pub async fn wait_archiving(&self, key: &TenantKey) {
        wait_until("log backup in progress", async || {
            self.tenant(key).await.archive.state == ArchiveState::Doing
        })
        .await;
    }

    pub async fn wait_durable(&self, key: &TenantKey, until: Scn) {
        wait_until("log durable", async || {
            self.tenant(key).await.archive.checkpoint >= Some(until)
        })
        .await;
    }

    pub async fn back_up(&self, key: &TenantKey, kind: BackupKind) -> JobReport {
        let report = self.try_back_up(key, kind).await;
        assert_eq!(
            report.state,
            EngineJobState::Completed,
            "{:?}",
            report.failure
        );
        assert_eq!(report.actual, Some(kind), "{:?}", report.actual_reason);
        report
    }

    pub async fn try_back_up(&self, key: &TenantKey, kind: BackupKind) -> JobReport {
        let token = format!(
            "backup-{}-{}",
            self.now().0,
            self.number.fetch_add(1, Ordering::Relaxed)
        );
        let spec = BackupSpec {
            token,
            tenant: key.clone(),
            kind,
        };
        let id = self.engine().start_backup(&spec).await.unwrap();
        self.wait_job(&id).await
    }

    pub async fn wait_job(&self, id: &EngineJobId) -> JobReport {
        wait_until("the job's end", async || {
            !matches!(
                self.engine().job(id).await.unwrap().state,
                EngineJobState::Running | EngineJobState::Canceling
            )
        })
        .await;
        self.engine().job(id).await.unwrap()
    }

    /// Runs SQL and gives the SCN of its last commit.
    pub async fn sql(&self, key: &TenantKey, sql: &str) -> Scn {
        let results = self.engine().run_sql(key, sql).await.unwrap();
        results
            .iter()
            .filter_map(|result| result.committed)
            .max()
            .expect("something was committed")
    }

    pub fn ranges(&self, tenant: &TenantObservation) -> Vec<RecoverableRange> {
        let points: Vec<SetPoint> = tenant
            .sets
            .iter()
            .map(|set| SetPoint {
                id: set.id,
                round: set.round,
                min_restore_scn: set.min_restore_scn,
            })
            .collect();
        recoverable::ranges(&points, &tenant.spans)
    }

    /// Rows of table `t` as of a moment, read with the stock tool's library.
    pub async fn rows_at(&self, key: &TenantKey, at: Scn) -> i64 {
        self.try_rows_at(key, at).await.unwrap()
    }

    pub async fn try_rows_at(&self, key: &TenantKey, at: Scn) -> Result<i64, EngineError> {
        let path = self.dir.path().join(format!(
            "recovered-{}",
            self.number.fetch_add(1, Ordering::Relaxed)
        ));
        self.engine().recover_to_file(key, at, &path).await?;
        let connection = rusqlite::Connection::open(&path).unwrap();
        let exists: bool = connection
            .query_row(
                "SELECT count(*) > 0 FROM sqlite_schema WHERE name = 't'",
                [],
                |row| row.get(0),
            )
            .unwrap();
        Ok(if exists {
            connection
                .query_row("SELECT count(*) FROM t", [], |row| row.get(0))
                .unwrap()
        } else {
            0
        })
    }
}

fn settings(dir: &tempfile::TempDir) -> EngineSettings {
    EngineSettings {
        kind: EngineKind::Embedded,
        name: "local".to_owned(),
        server: None,
        home: dir.path().join("home"),
        destination: dir.path().join("backup"),
        adopt: None,
    }
}

/// Asks until it is so; fails with what was waited for.
pub async fn wait_until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let waited = tokio::time::timeout(WAIT_MAX, async {
        while !condition().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(waited.await.is_ok(), "waited {WAIT_MAX:?} for: {what}");
}
