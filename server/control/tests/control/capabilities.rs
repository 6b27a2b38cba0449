//! Engines that can do less: what they cannot do is refused before it is asked of them.

use crate::{
    fake::Fake,
    fake_opener::FakeOpener,
    stage::{LOCAL, Stage, backup_in, eventually, global_admin, operator, viewer},
};
use async_trait::async_trait;
use control::{Console, ConsoleParts, ErrorKind};
use domain::{
    TenantId, backup::BackupKind, capability::Capabilities, clock::Clock, cluster::NewCluster,
    job::JobState, recovery::RecoveryPlan, recovery::RecoveryRequest,
};
use engine::{
    BackupSpec, Engine, EngineError, EngineJobId, EngineOpener, EngineSettings, JobReport,
    Observation, RecoverySpec, SqlResult, TenantKey, VerifyReport,
};
use std::sync::Arc;

/// What an engine is made unable to do.
type Unable = fn(&mut Capabilities);

/// The fake, with some capabilities taken away.
struct Lesser {
    fake: Arc<Fake>,
    unable: Unable,
}

#[async_trait]
impl Engine for Lesser {
    fn capabilities(&self) -> Capabilities {
        let mut left = self.fake.capabilities();
        (self.unable)(&mut left);
        left
    }

    fn version(&self) -> String {
        self.fake.version()
    }

    fn destination(&self) -> String {
        self.fake.destination()
    }

    async fn observe(&self) -> Result<Observation, EngineError> {
        self.fake.observe().await
    }

    async fn create_tenant(&self, name: &str) -> Result<TenantKey, EngineError> {
        self.fake.create_tenant(name).await
    }

    async fn start_archive(&self, tenant: &TenantKey) -> Result<(), EngineError> {
        self.fake.start_archive(tenant).await
    }

    async fn stop_archive(&self, tenant: &TenantKey, reason: &str) -> Result<(), EngineError> {
        self.fake.stop_archive(tenant, reason).await
    }

    async fn start_backup(&self, spec: &BackupSpec) -> Result<EngineJobId, EngineError> {
        self.fake.start_backup(spec).await
    }

    async fn plan_recovery(&self, spec: &RecoverySpec) -> Result<RecoveryPlan, EngineError> {
        self.fake.plan_recovery(spec).await
    }

    async fn start_recovery(&self, spec: &RecoverySpec) -> Result<EngineJobId, EngineError> {
        self.fake.start_recovery(spec).await
    }

    async fn find_job(&self, token: &str) -> Result<Option<EngineJobId>, EngineError> {
        self.fake.find_job(token).await
    }

    async fn job(&self, id: &EngineJobId) -> Result<JobReport, EngineError> {
        self.fake.job(id).await
    }

    async fn cancel_job(&self, id: &EngineJobId) -> Result<(), EngineError> {
        self.fake.cancel_job(id).await
    }

    async fn run_sql(&self, tenant: &TenantKey, sql: &str) -> Result<Vec<SqlResult>, EngineError> {
        self.fake.run_sql(tenant, sql).await
    }

    async fn verify(&self, tenant: Option<&TenantKey>) -> Result<VerifyReport, EngineError> {
        self.fake.verify(tenant).await
    }

    async fn shut_down(&self) {
        self.fake.shut_down().await;
    }
}

struct LesserOpener {
    opener: FakeOpener,
    unable: Unable,
}

#[async_trait]
impl EngineOpener for LesserOpener {
    async fn open(&self, settings: &EngineSettings) -> Result<Arc<dyn Engine>, EngineError> {
        self.opener.open(settings).await?;
        Ok(Arc::new(Lesser {
            fake: Arc::clone(&self.opener.0),
            unable: self.unable,
        }))
    }
}

/// A console whose cluster is unable to do something, and its three tenants.
async fn console(stage: &Stage, unable: Unable) -> (Console, Vec<TenantId>) {
    let console = Console::start(ConsoleParts {
        store: stage.store().await,
        opener: Arc::new(LesserOpener {
            opener: FakeOpener(Arc::clone(&stage.fake)),
            unable,
        }),
        clock: Arc::<crate::stage::TestClock>::clone(&stage.clock),
        home: stage.dir.path().to_owned(),
        alone: false,
        key: control::secret::KeyPlace::File(stage.dir.path().join("secret.key")),
        outbound: Arc::<crate::outside::Receivers>::clone(&stage.receivers),
    })
    .await
    .unwrap();
    let new = NewCluster {
        name: LOCAL.to_owned(),
        ..NewCluster::default()
    };
    global_admin(&console).create_cluster(&new).await.unwrap();
    let mut tenants = Vec::new();
    for name in ["orders", "payments", "stock"] {
        tenants.push(operator(&console).create_tenant(LOCAL, name).await.unwrap());
    }
    (console, tenants)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_without_incremental_backups_is_never_asked_for_one() {
    let stage = Stage::new();
    let (console, tenants) = console(&stage, |left| left.incremental = false).await;
    for tenant in [Some(tenants[0]), None] {
        let refused = operator(&console)
            .back_up_now(LOCAL, tenant, BackupKind::Incremental)
            .await
            .unwrap_err();
        let ErrorKind::Invalid(wrong) = refused.kind() else {
            panic!("{refused}");
        };
        assert_eq!(wrong.len(), 1);
        assert_eq!(wrong[0].field, "Backup Type");
        assert!(wrong[0].allowed.contains("full backups only"), "{refused}");
    }
    assert!(stage.fake.world().accepted.is_empty());
    let begun = operator(&console)
        .back_up_now(LOCAL, Some(tenants[0]), BackupKind::Full)
        .await
        .unwrap();
    backup_in(&console, begun.tasks[0], JobState::Completed).await;
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_cannot_be_canceled_any_more_goes_on_to_its_end() {
    let stage = Stage::new();
    let (console, tenants) = console(&stage, |left| left.cancel_backup = false).await;
    stage.fake.world().hold = true;
    let operator = operator(&console);
    let mut tasks = Vec::new();
    for tenant in tenants {
        let begun = operator
            .back_up_now(LOCAL, Some(tenant), BackupKind::Full)
            .await
            .unwrap();
        tasks.extend(begun.tasks);
    }
    // Two run at once; the third has not begun and needs no engine to be canceled.
    backup_in(&console, tasks[0], JobState::Running).await;
    backup_in(&console, tasks[1], JobState::Running).await;
    operator.cancel(LOCAL, tasks[2]).await.unwrap();
    backup_in(&console, tasks[2], JobState::Canceled).await;

    let refused = operator.cancel(LOCAL, tasks[0]).await.unwrap_err();
    let ErrorKind::Conflict(text) = refused.kind() else {
        panic!("{refused}");
    };
    assert!(text.contains("cannot cancel a data backup"), "{text}");
    stage.fake.world().hold = false;
    backup_in(&console, tasks[0], JobState::Completed).await;
    backup_in(&console, tasks[1], JobState::Completed).await;
    {
        let world = stage.fake.world();
        assert!(world.canceled.is_empty(), "{:?}", world.canceled);
        assert_eq!(world.accepted.len(), 2);
    }
    console.shut_down().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recovery_that_cannot_be_canceled_any_more_goes_on_to_its_end() {
    let stage = Stage::new();
    let (console, tenants) = console(&stage, |left| left.cancel_recovery = false).await;
    stage.fake.world().hold = true;
    let request = RecoveryRequest {
        tenant: tenants[0],
        until: stage.clock.now(),
        new_name: "copy".to_owned(),
        place: None,
        placement: None,
    };
    let operator = operator(&console);
    let task = operator.initiate_recovery(LOCAL, &request).await.unwrap();
    let viewer = viewer(&console);
    let reaches = async |state: JobState| {
        eventually(&format!("{state:?}"), async || {
            let job = viewer.recovery(LOCAL, task).await.unwrap();
            (job.state == state).then_some(())
        })
        .await;
    };
    reaches(JobState::Running).await;
    let refused = operator.cancel(LOCAL, task).await.unwrap_err();
    assert!(
        refused.to_string().contains("cannot cancel a recovery"),
        "{refused}"
    );
    // A backup of the same cluster can be: the two are told apart.
    let begun = operator
        .back_up_now(LOCAL, Some(tenants[1]), BackupKind::Full)
        .await
        .unwrap();
    backup_in(&console, begun.tasks[0], JobState::Running).await;
    operator.cancel(LOCAL, begun.tasks[0]).await.unwrap();
    backup_in(&console, begun.tasks[0], JobState::Canceled).await;
    stage.fake.world().hold = false;
    reaches(JobState::Completed).await;
    console.shut_down().await;
}
