//! [`::engine::Engine`] for OceanBase: what it can do, and each call led to the part that answers it.

use crate::{
    address,
    backup::{self, BackupId},
    engine::OceanBaseEngine,
    leftovers,
    restore::RestoreId,
};
use ::engine::{
    Applied, BackupSpec, Engine, EngineError, EngineJobId, JobReport, Observation, RecoverySpec,
    SqlResult, TenantKey, VerifyReport, WantedSettings, unsupported,
};
use async_trait::async_trait;
use domain::{
    backup::BackupMethod,
    capability::{Ability, ArchiveScope, Capabilities, Expiry, RecoverTo},
    placement::Resources,
    recovery::{PlannedStep, RecoveryPlan},
    storage::ProbeReport,
};
use std::path::Path;

#[async_trait]
impl Engine for OceanBaseEngine {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            methods: vec![BackupMethod::Physical],
            incremental: true,
            log_archive: ArchiveScope::Tenant,
            recover_to: RecoverTo::AnyInstant,
            cancel_backup: true,
            cancel_recovery: self.version.can_cancel_restore(),
            expiry: Expiry::EngineByPolicy,
            second_backup: self.version.has_second_backup(),
            placement: true,
            change_destination: Ability::Yes,
            create_tenant: Ability::No(
                "Tenants of an OceanBase cluster are made by its own administrator, with their units and pools."
                    .to_owned(),
            ),
            verify: Ability::No(
                "OceanBase has no statement that reads a backup back without recovering it.".to_owned(),
            ),
            backs_up_new_rounds: false,
            back_up: Ability::Yes,
            storages: self.version.storage_kinds(),
            keeps_settings: true,
            plan_cleanup: Ability::No(
                "OceanBase removes expired backups by its own policy, and does not tell beforehand \
                 which."
                    .to_owned(),
            ),
        }
    }

    fn identity(&self) -> Option<String> {
        self.identity.clone()
    }

    fn version(&self) -> String {
        let mark = if self.is_simulated() {
            " (simulated)"
        } else {
            ""
        };
        format!("OceanBase {}{mark}", self.version)
    }

    fn destination(&self) -> String {
        self.connector.address()
    }

    async fn observe(&self) -> Result<Observation, EngineError> {
        self.observation().await
    }

    async fn create_tenant(&self, name: &str) -> Result<TenantKey, EngineError> {
        Err(unsupported("creation of a tenant", name))
    }

    async fn start_archive(&self, tenant: &TenantKey) -> Result<(), EngineError> {
        self.start_log(tenant).await
    }

    async fn stop_archive(&self, tenant: &TenantKey, _: &str) -> Result<(), EngineError> {
        self.stop_log(tenant).await
    }

    async fn start_backup(&self, spec: &BackupSpec) -> Result<EngineJobId, EngineError> {
        self.begin_backup(spec).await
    }

    async fn plan_recovery(&self, spec: &RecoverySpec) -> Result<RecoveryPlan, EngineError> {
        self.plan(spec).await
    }

    async fn start_recovery(&self, spec: &RecoverySpec) -> Result<EngineJobId, EngineError> {
        self.begin_restore(spec).await
    }

    async fn resources(&self, tenant: &TenantKey) -> Result<Resources, EngineError> {
        self.room(tenant).await
    }

    async fn leftovers(&self, spec: &RecoverySpec) -> Result<Vec<PlannedStep>, EngineError> {
        let left = self.left(spec).await?;
        Ok(left.iter().map(leftovers::shown).collect())
    }

    async fn remove_leftovers(&self, spec: &RecoverySpec) -> Result<Vec<PlannedStep>, EngineError> {
        self.remove_left(spec).await
    }

    async fn find_job(&self, token: &str) -> Result<Option<EngineJobId>, EngineError> {
        let call = self.call("search for a job", token);
        let mark = backup::mark(token);
        if let Some(found) = self.backup_of(call, &mark).await? {
            return Ok(Some(found.text()));
        }
        let found = self.restore_of(call, &mark).await?;
        Ok(found.map(|name| {
            let token = token.to_owned();
            RestoreId { token, name }.text()
        }))
    }

    async fn job(&self, id: &EngineJobId) -> Result<JobReport, EngineError> {
        match (BackupId::read(id), RestoreId::read(id)) {
            (Some(backup), _) => self.backup_report(backup).await,
            (_, Some(restore)) => self.restore_report(&restore).await,
            _ => Err(self
                .call("job", &id.0)
                .not_found("no job of this cluster has such a number")),
        }
    }

    async fn cancel_job(&self, id: &EngineJobId) -> Result<(), EngineError> {
        match (BackupId::read(id), RestoreId::read(id)) {
            (Some(backup), _) => self.cancel_backup(backup).await,
            (_, Some(restore)) => self.cancel_restore(&restore).await,
            _ => Err(self
                .call("job", &id.0)
                .not_found("no job of this cluster has such a number")),
        }
    }

    fn want(&self, settings: Option<WantedSettings>) {
        self.remember(settings);
    }

    async fn apply_wanted(&self) -> Result<Vec<Applied>, EngineError> {
        self.apply().await
    }

    async fn probe_storage(&self, destination: &Path) -> Result<ProbeReport, EngineError> {
        Ok(address::probe(self.version, destination))
    }

    async fn run_sql(&self, tenant: &TenantKey, _: &str) -> Result<Vec<SqlResult>, EngineError> {
        Err(unsupported("SQL", &tenant.0))
    }

    async fn verify(&self, tenant: Option<&TenantKey>) -> Result<VerifyReport, EngineError> {
        let subject = tenant.map_or("all tenants", |tenant| &tenant.0);
        Err(unsupported("verification", subject))
    }

    async fn shut_down(&self) {}
}
