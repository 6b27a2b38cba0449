//! seekdb, a single server of the OceanBase family: it has no tenants, so there is nothing to back up. It can be watched, and
//! its page says what is missing and why.

use crate::{
    engine::{NO_TENANTS, WITHOUT_TENANTS, read_comment},
    failure::Call,
    link::Link,
    session::Connector,
};
use ::engine::{
    BackupSpec, Engine, EngineError, EngineErrorKind, EngineJobId, JobReport, Observation,
    RecoverySpec, SqlResult, TenantKey, VerifyReport, unsupported,
};
use async_trait::async_trait;
use domain::{
    capability::{Ability, ArchiveScope, Capabilities, Expiry, RecoverTo},
    recovery::RecoveryPlan,
    validate::sentence,
};
use std::sync::Arc;

/// A server without tenants.
pub struct TenantlessEngine {
    name: String,
    connector: Arc<dyn Connector>,
    reads: Link,
    comment: String,
}

impl TenantlessEngine {
    /// Signs in and learns what the server calls itself. `Unsupported` for clusters with tenants.
    pub async fn open(name: &str, connector: Arc<dyn Connector>) -> Result<Self, EngineError> {
        let call = Call {
            operation: "opening",
            subject: name,
        };
        let reads = Link::new(Arc::clone(&connector));
        let comment = read_comment(&reads, call).await?;
        if !comment.contains(WITHOUT_TENANTS) {
            let why = format!("{comment} has tenants");
            return Err(call.error(EngineErrorKind::Unsupported, why));
        }
        Ok(TenantlessEngine {
            name: name.to_owned(),
            connector,
            reads,
            comment,
        })
    }

    fn cannot(&self, operation: &'static str) -> EngineError {
        EngineError::new(
            EngineErrorKind::Unsupported,
            operation,
            &self.name,
            NO_TENANTS,
        )
    }
}

#[async_trait]
impl Engine for TenantlessEngine {
    fn capabilities(&self) -> Capabilities {
        let no = || Ability::No(sentence(NO_TENANTS));
        Capabilities {
            methods: Vec::new(),
            incremental: false,
            log_archive: ArchiveScope::None,
            recover_to: RecoverTo::SetInstantsOnly,
            cancel_backup: false,
            cancel_recovery: false,
            expiry: Expiry::EngineByPolicy,
            second_backup: false,
            placement: false,
            back_up: no(),
            change_destination: no(),
            plan_cleanup: no(),
            create_tenant: no(),
            verify: no(),
            backs_up_new_rounds: false,
            storages: Vec::new(),
            keeps_settings: false,
        }
    }

    fn version(&self) -> String {
        self.comment.clone()
    }

    fn destination(&self) -> String {
        self.connector.address()
    }

    async fn observe(&self) -> Result<Observation, EngineError> {
        let call = Call {
            operation: "observation",
            subject: &self.name,
        };
        let table = self.reads.read("SELECT TIME_TO_USEC(NOW(6)) AS NOW_US");
        let table = table.await.map_err(|failure| call.failed(&failure))?;
        let now = table.first().map_or(Ok(None), |row| row.micros("NOW_US"));
        Ok(Observation {
            taken: now
                .map_err(|value| call.bad_value(&value))?
                .unwrap_or_default(),
            complete: true,
            tenants: Vec::new(),
            storages: Vec::new(),
            clock_back_ns: 0,
            drift: Vec::new(),
        })
    }

    async fn create_tenant(&self, _: &str) -> Result<TenantKey, EngineError> {
        Err(self.cannot("creation of a tenant"))
    }

    async fn start_archive(&self, _: &TenantKey) -> Result<(), EngineError> {
        Err(self.cannot("start of log backup"))
    }

    async fn stop_archive(&self, _: &TenantKey, _: &str) -> Result<(), EngineError> {
        Err(self.cannot("stop of log backup"))
    }

    async fn start_backup(&self, _: &BackupSpec) -> Result<EngineJobId, EngineError> {
        Err(self.cannot("data backup"))
    }

    async fn plan_recovery(&self, _: &RecoverySpec) -> Result<RecoveryPlan, EngineError> {
        Err(self.cannot("recovery"))
    }

    async fn start_recovery(&self, _: &RecoverySpec) -> Result<EngineJobId, EngineError> {
        Err(self.cannot("recovery"))
    }

    async fn find_job(&self, _: &str) -> Result<Option<EngineJobId>, EngineError> {
        Ok(None)
    }

    async fn job(&self, id: &EngineJobId) -> Result<JobReport, EngineError> {
        let why = "a server without tenants has no jobs";
        Err(EngineError::new(
            EngineErrorKind::NotFound,
            "job",
            &id.0,
            why,
        ))
    }

    async fn cancel_job(&self, id: &EngineJobId) -> Result<(), EngineError> {
        self.job(id).await.map(|_| ())
    }

    async fn run_sql(&self, tenant: &TenantKey, _: &str) -> Result<Vec<SqlResult>, EngineError> {
        Err(unsupported("SQL", &tenant.0))
    }

    async fn verify(&self, _: Option<&TenantKey>) -> Result<VerifyReport, EngineError> {
        Err(self.cannot("verification"))
    }

    async fn shut_down(&self) {}
}
