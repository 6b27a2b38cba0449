//! [`::engine::Engine`] for OceanBase before 4.0: what it can do, and each call led to the part that answers it.

use super::{backup::BackupId, copy::CopyId, engine::LegacyEngine, restore::RestoreId};
use crate::address;
use ::engine::{
    BackupSpec, CopySpec, Engine, EngineError, EngineJobId, JobReport, Observation, RecoverySpec,
    SqlResult, TenantKey, VerifyReport, unsupported,
};
use async_trait::async_trait;
use domain::{
    backup::BackupMethod,
    capability::{Ability, ArchiveScope, Capabilities, Expiry, RecoverTo},
    recovery::RecoveryPlan,
    storage::ProbeReport,
};
use std::path::Path;

#[async_trait]
impl Engine for LegacyEngine {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            methods: vec![BackupMethod::Physical],
            incremental: true,
            log_archive: ArchiveScope::Cluster,
            recover_to: RecoverTo::AnyInstant,
            cancel_backup: true,
            cancel_recovery: true,
            expiry: Expiry::EngineByPolicy,
            second_backup: true,
            // Like the source; its units have other limits than those of 4.0 and later.
            placement: false,
            change_destination: Ability::No(
                "An OceanBase cluster before 4.0 has one destination for all of its tenants, and takes \
                 none a second time."
                    .to_owned(),
            ),
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
            keeps_settings: false,
            plan_cleanup: Ability::No(
                "OceanBase removes expired backups by its own policy, and does not tell beforehand \
                 which."
                    .to_owned(),
            ),
        }
    }

    fn identity(&self) -> Option<String> {
        let (name, number) = &self.cluster;
        let is_known = !name.is_empty() && !number.is_empty();
        is_known.then(|| format!("oceanbase:{name}:{number}"))
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
        let call = self.call("observation", &self.name);
        let look = self.look(call).await?;
        look.told().map_err(|value| call.bad_value(&value))
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

    async fn find_job(&self, token: &str) -> Result<Option<EngineJobId>, EngineError> {
        self.job_of(self.call("search for a job", token), token)
            .await
    }

    async fn job(&self, id: &EngineJobId) -> Result<JobReport, EngineError> {
        match (BackupId::read(id), CopyId::read(id), RestoreId::read(id)) {
            (Some(backup), _, _) => self.backup_report(backup).await,
            (_, Some(copy), _) => self.copy_report(copy).await,
            (_, _, Some(restore)) => self.restore_report(&restore).await,
            _ => Err(self.no_such_job(id)),
        }
    }

    async fn cancel_job(&self, id: &EngineJobId) -> Result<(), EngineError> {
        match (BackupId::read(id), CopyId::read(id), RestoreId::read(id)) {
            (Some(backup), _, _) => self.cancel_backup(backup).await,
            (_, Some(copy), _) => self.cancel_copy(copy).await,
            (_, _, Some(restore)) => self.cancel_restore(&restore).await,
            _ => Err(self.no_such_job(id)),
        }
    }

    async fn run_sql(&self, tenant: &TenantKey, _: &str) -> Result<Vec<SqlResult>, EngineError> {
        Err(unsupported("SQL", &tenant.0))
    }

    async fn verify(&self, tenant: Option<&TenantKey>) -> Result<VerifyReport, EngineError> {
        let subject = tenant.map_or("all tenants", |tenant| &tenant.0);
        Err(unsupported("verification", subject))
    }

    async fn use_second(&self, destination: Option<&Path>) -> Result<(), EngineError> {
        self.use_destination(destination).await
    }

    async fn probe_storage(&self, destination: &Path) -> Result<ProbeReport, EngineError> {
        Ok(address::probe(self.version, destination))
    }

    async fn start_copy(&self, spec: &CopySpec) -> Result<EngineJobId, EngineError> {
        self.begin_copy(spec).await
    }

    async fn shut_down(&self) {}
}

impl LegacyEngine {
    fn no_such_job(&self, id: &EngineJobId) -> EngineError {
        self.call("job", &id.0)
            .not_found("no job of this cluster has such a number")
    }
}
