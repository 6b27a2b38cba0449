//! The cluster as an engine: each call may be late, lost or refused.

use crate::world::{Makes, World, error, span};
use async_trait::async_trait;
use domain::{
    archive::ArchiveState,
    backup::BackupMethod,
    capability::{Ability, ArchiveScope, Capabilities, Expiry, RecoverTo},
    clock::Clock,
    recovery::{Precision, RecoveryPlan},
    retention::CleanupPlan,
    storage::{ProbeReport, ProbeStep},
};
use engine::{
    BackupSpec, CleanupSpec, CopySpec, CopyWhat, Engine, EngineError, EngineErrorKind, EngineJobId,
    EngineOpener, EngineSettings, JobReport, Observation, RecoverySpec, SqlResult, TenantKey,
    VerifyReport,
};
use std::{path::Path, sync::Arc, time::Duration};

/// Opens the one cluster again and again.
pub(crate) struct Opener(pub(crate) Arc<World>);

#[async_trait]
impl EngineOpener for Opener {
    async fn open(&self, _: &EngineSettings) -> Result<Arc<dyn Engine>, EngineError> {
        let mut state = self.0.state();
        if state.faults.closed > 0 {
            state.faults.closed -= 1;
            let text = "the disk is not mounted";
            return Err(error(EngineErrorKind::Unreachable, text));
        }
        drop(state);
        Ok(Arc::new(Cluster(Arc::clone(&self.0))))
    }
}

struct Cluster(Arc<World>);

impl Cluster {
    /// What happens on the way to the cluster. Counts as a reading of the clock, so that a process may be
    /// killed at each call.
    async fn way(&self) -> Result<(), EngineError> {
        let now = self.0.clock.now();
        let slow = self.0.state().faults.slow_ms;
        if slow > 0 {
            tokio::time::sleep(Duration::from_millis(slow)).await;
        } else {
            tokio::task::yield_now().await;
        }
        let mut state = self.0.state();
        if state.faults.deaf > 0 {
            state.faults.deaf -= 1;
            return Err(error(EngineErrorKind::Unreachable, "no answer"));
        }
        if now < state.faults.away_until {
            return Err(error(EngineErrorKind::Unreachable, "out of reach"));
        }
        Ok(())
    }
}

#[async_trait]
impl Engine for Cluster {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            methods: vec![BackupMethod::Physical],
            incremental: true,
            log_archive: ArchiveScope::Tenant,
            recover_to: RecoverTo::AnyInstant,
            cancel_backup: true,
            cancel_recovery: true,
            expiry: Expiry::ConsoleDeletesSets,
            second_backup: true,
            placement: false,
            change_destination: Ability::Yes,
            create_tenant: Ability::Yes,
            verify: Ability::Yes,
            backs_up_new_rounds: true,
            back_up: Ability::Yes,
            plan_cleanup: Ability::Yes,
            storages: vec![domain::storage::StorageKind::File],
            keeps_settings: false,
        }
    }

    fn version(&self) -> String {
        "World 1".to_owned()
    }

    fn destination(&self) -> String {
        "memory".to_owned()
    }

    async fn observe(&self) -> Result<Observation, EngineError> {
        self.way().await?;
        let now = self.0.now();
        let mut state = self.0.state();
        for tenant in state.tenants.values_mut() {
            if tenant.archive.state == ArchiveState::Doing {
                let end = tenant.archive.checkpoint.max(Some(now)).unwrap();
                tenant.archive.checkpoint = Some(end);
                tenant.spans.last_mut().unwrap().end = end;
            }
        }
        Ok(Observation {
            taken: now,
            complete: true,
            tenants: state.tenants.values().cloned().collect(),
            storages: Vec::new(),
            clock_back_ns: 0,
            drift: Vec::new(),
        })
    }

    async fn create_tenant(&self, name: &str) -> Result<TenantKey, EngineError> {
        self.way().await?;
        Ok(self.0.add_tenant(name))
    }

    async fn start_archive(&self, tenant: &TenantKey) -> Result<(), EngineError> {
        self.way().await?;
        let now = self.0.now();
        let mut state = self.0.state();
        let tenant = state.tenants.get_mut(&tenant.0).unwrap();
        if tenant.archive.state == ArchiveState::Doing {
            return Err(error(EngineErrorKind::Rejected, "it runs"));
        }
        let start = now.max(tenant.spans.last().unwrap().end.plus_ns(1));
        tenant.archive.state = ArchiveState::Doing;
        tenant.archive.round += 1;
        tenant.archive.started = Some(start);
        let round = tenant.archive.round;
        tenant.spans.push(span(round, start));
        state.log_started += 1;
        Ok(())
    }

    async fn stop_archive(&self, tenant: &TenantKey, reason: &str) -> Result<(), EngineError> {
        self.way().await?;
        let mut state = self.0.state();
        let tenant = state.tenants.get_mut(&tenant.0).unwrap();
        tenant.archive.state = ArchiveState::Stop;
        tenant.archive.note = Some(reason.to_owned());
        state.log_stopped += 1;
        Ok(())
    }

    async fn start_backup(&self, spec: &BackupSpec) -> Result<EngineJobId, EngineError> {
        self.way().await?;
        self.0
            .accept(&spec.token, &spec.tenant, Makes::Set(spec.kind))
    }

    async fn plan_recovery(&self, spec: &RecoverySpec) -> Result<RecoveryPlan, EngineError> {
        self.way().await?;
        Ok(RecoveryPlan {
            place: domain::second_backup::Place::First,
            until: spec.until,
            sets: Vec::new(),
            round: 1,
            log_from: spec.until,
            log_files: 1,
            log_bytes: 4000,
            commits: 1,
            target_scn: spec.until,
            precision: Precision::Exact,
            result_bytes: 8192,
            estimate_ms: None,
            steps: Vec::new(),
        })
    }

    async fn start_recovery(&self, spec: &RecoverySpec) -> Result<EngineJobId, EngineError> {
        self.way().await?;
        let makes = Makes::Tenant(spec.new_name.clone());
        self.0.accept(&spec.token, &spec.tenant, makes)
    }

    async fn find_job(&self, token: &str) -> Result<Option<EngineJobId>, EngineError> {
        self.way().await?;
        Ok(self.0.find(token))
    }

    async fn job(&self, id: &EngineJobId) -> Result<JobReport, EngineError> {
        self.way().await?;
        self.0.report(&id.0)
    }

    async fn cancel_job(&self, id: &EngineJobId) -> Result<(), EngineError> {
        self.way().await?;
        self.0.cancel(&id.0)
    }

    async fn run_sql(&self, _: &TenantKey, _: &str) -> Result<Vec<SqlResult>, EngineError> {
        Ok(Vec::new())
    }

    async fn verify(&self, _: Option<&TenantKey>) -> Result<VerifyReport, EngineError> {
        Ok(VerifyReport::default())
    }

    async fn use_second(&self, _: Option<&Path>) -> Result<(), EngineError> {
        Ok(())
    }

    async fn probe_storage(&self, _: &Path) -> Result<ProbeReport, EngineError> {
        self.way().await?;
        let step = ProbeStep {
            name: "Write a probe object".to_owned(),
            failure: None,
            took_ms: 1,
        };
        Ok(ProbeReport {
            steps: vec![step],
            empty: true,
            ..ProbeReport::default()
        })
    }

    async fn start_copy(&self, spec: &CopySpec) -> Result<EngineJobId, EngineError> {
        self.way().await?;
        let makes = match spec.what {
            CopyWhat::Set(set) => Makes::CopyOf(set),
            CopyWhat::Log => Makes::LogCopy,
        };
        self.0.accept(&spec.token, &spec.tenant, makes)
    }

    async fn plan_cleanup(&self, spec: &CleanupSpec) -> Result<CleanupPlan, EngineError> {
        self.way().await?;
        Ok(CleanupPlan {
            place: spec.place,
            keep_from: spec.keep_from,
            expired: Vec::new(),
            kept: Vec::new(),
            lost: Vec::new(),
        })
    }

    async fn start_cleanup(&self, spec: &CleanupSpec) -> Result<EngineJobId, EngineError> {
        self.way().await?;
        let makes = Makes::Removal(spec.place, spec.keep_from);
        self.0.accept(&spec.token, &spec.tenant, makes)
    }

    async fn shut_down(&self) {}
}
