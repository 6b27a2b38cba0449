//! The suite that every engine must pass, whatever it drives.
//!
//! An engine's own tests call [`run`] with a [`Rig`] that knows how to write to a tenant of that
//! kind and how to let time pass (really, or on a simulated clock).

use crate::{
    BackupSpec, CleanupSpec, CopySpec, CopyWhat, Engine, EngineError, EngineErrorKind, EngineJobId,
    EngineJobState, JobReport, RecoverySpec, TenantKey, TenantObservation, VerifyReport,
};
use async_trait::async_trait;
use domain::{
    Scn,
    archive::ArchiveState,
    backup::BackupKind,
    capability::{ArchiveScope, Expiry, RecoverTo},
    placement::violations,
    recoverable::{self, SetPoint, Verdict},
    recovery::RecoveryPlan,
    retention::{KeptBecause, Stored},
    second_backup::Place,
};
use std::path::PathBuf;

/// Times a condition is looked at before it is taken as never becoming true.
const LOOKS_MAX: u32 = 1500;

/// What the suite needs besides the engine.
#[async_trait]
pub trait Rig: Sync {
    /// Commits something to a tenant.
    async fn write(&self, engine: &dyn Engine, tenant: &TenantKey);
    /// Lets about 20 ms of the engine's time pass.
    async fn pause(&self);
    /// The engine's now.
    fn now(&self) -> Scn;
    /// An empty place for second copies, for engines that keep them.
    fn second(&self) -> Option<PathBuf> {
        None
    }
    /// A tenant with log backup in progress, for clusters whose tenants others make.
    async fn given_tenant(&self) -> Option<TenantKey> {
        None
    }
    /// Whether a recovery is proven by a digest, and backups can be verified.
    fn proves(&self) -> bool {
        true
    }
}

/// Runs the whole suite on an empty cluster. Panics with what is wrong.
pub async fn run(engine: &dyn Engine, rig: &dyn Rig) {
    let suite = Suite { engine, rig };
    suite.strangers_are_not_found().await;
    let tenant = match rig.given_tenant().await {
        Some(tenant) => tenant,
        None => suite.tenants_are_made_once().await,
    };
    suite.log_advances_while_idle(&tenant).await;
    suite.backups_appear_as_sets(&tenant).await;
    suite.recoveries_reach_what_they_promise(&tenant).await;
    suite.copies_do_without_the_first(&tenant).await;
    suite.stopping_the_log_makes_a_gap(&tenant).await;
    suite.cleanups_keep_their_promise(&tenant).await;
    suite.verification_finds_nothing(&tenant).await;
}

struct Suite<'a> {
    engine: &'a dyn Engine,
    rig: &'a dyn Rig,
}

impl Suite<'_> {
    async fn observed(&self, tenant: &TenantKey) -> TenantObservation {
        let seen = self.engine.observe().await.expect("observation");
        let found = seen.tenants.into_iter().find(|seen| &seen.key == tenant);
        found.expect("the tenant is observed")
    }

    async fn wait(
        &self,
        what: &str,
        tenant: &TenantKey,
        is_so: impl Fn(&TenantObservation) -> bool,
    ) {
        for _ in 0..LOOKS_MAX {
            if is_so(&self.observed(tenant).await) {
                return;
            }
            self.rig.pause().await;
        }
        panic!("never: {what}; {:?}", self.observed(tenant).await);
    }

    /// Begins a recovery; one that a cluster puts off for a while is asked for again, as the console does.
    async fn recover(&self, spec: &RecoverySpec) -> EngineJobId {
        for _ in 0..LOOKS_MAX {
            match self.engine.start_recovery(spec).await {
                Err(error) if error.kind.is_transient() => self.rig.pause().await,
                other => return other.expect("accepted"),
            }
        }
        panic!("never accepted: {spec:?}");
    }

    async fn finish(&self, id: &EngineJobId) -> JobReport {
        for _ in 0..LOOKS_MAX {
            let report = self.engine.job(id).await.expect("a job's report");
            if !matches!(
                report.state,
                EngineJobState::Running | EngineJobState::Canceling
            ) {
                return report;
            }
            self.rig.pause().await;
        }
        panic!("job {id:?} never ended");
    }

    async fn strangers_are_not_found(&self) {
        let stranger = TenantKey("no such tenant".to_owned());
        let error = self
            .engine
            .start_archive(&stranger)
            .await
            .expect_err("no such tenant");
        assert_eq!(error.kind, EngineErrorKind::NotFound);
        let job = EngineJobId("no such job".to_owned());
        assert_eq!(
            self.engine.job(&job).await.expect_err("no such job").kind,
            EngineErrorKind::NotFound
        );
        assert_eq!(
            self.engine
                .find_job("no such token")
                .await
                .expect("an answer"),
            None
        );
    }

    async fn tenants_are_made_once(&self) -> TenantKey {
        let tenant = self
            .engine
            .create_tenant("conform")
            .await
            .expect("a tenant");
        let seen = self.engine.observe().await.expect("observation");
        assert!(seen.complete, "all that have backups are told about");
        for bad in ["conform", "1conform", "con-form", "../conform", "c"] {
            let error = self.engine.create_tenant(bad).await.expect_err(bad);
            assert_eq!(error.kind, EngineErrorKind::Rejected, "{bad}: {error}");
        }
        assert_eq!(self.observed(&tenant).await.name, "conform");
        tenant
    }

    async fn log_advances_while_idle(&self, tenant: &TenantKey) {
        if self.engine.capabilities().log_archive == ArchiveScope::None {
            return;
        }
        self.wait("log backup in progress", tenant, |seen| {
            seen.archive.state == ArchiveState::Doing
        })
        .await;
        let from = self.rig.now();
        self.wait("the checkpoint advances", tenant, |seen| {
            seen.archive.checkpoint > Some(from)
        })
        .await;
        assert!(
            self.observed(tenant).await.history_known,
            "a checkpoint is only told by who looked at the backups"
        );
        assert!(
            self.observed(tenant).await.archive.checkpoint <= Some(self.rig.now()),
            "not beyond now"
        );
        let error = self
            .engine
            .start_archive(tenant)
            .await
            .expect_err("it runs already");
        assert_eq!(error.kind, EngineErrorKind::Rejected);
    }

    async fn backups_appear_as_sets(&self, tenant: &TenantKey) {
        let first = self
            .back_up(tenant, "conform-1", BackupKind::Incremental)
            .await;
        assert_eq!(
            first.actual,
            Some(BackupKind::Full),
            "there is nothing to build on"
        );
        assert!(first.actual_reason.is_some(), "and it says so");
        self.rig.write(self.engine, tenant).await;
        if self.engine.capabilities().incremental {
            let second = self
                .back_up(tenant, "conform-2", BackupKind::Incremental)
                .await;
            assert_eq!(
                second.actual,
                Some(BackupKind::Incremental),
                "{:?}",
                second.actual_reason
            );
        }
        let again = self
            .engine
            .find_job("conform-1")
            .await
            .expect("an answer")
            .expect("the job");
        let spec = self.backup_spec(tenant, "conform-1", BackupKind::Full);
        assert_eq!(
            self.engine.start_backup(&spec).await.expect("accepted"),
            again,
            "one job for one token"
        );
        let sets = self.observed(tenant).await.sets;
        assert!(
            sets.iter()
                .any(|set| Some(set.id) == first.set && set.kind == BackupKind::Full),
            "{sets:?}"
        );
    }

    fn backup_spec(&self, tenant: &TenantKey, token: &str, kind: BackupKind) -> BackupSpec {
        BackupSpec {
            token: token.to_owned(),
            tenant: tenant.clone(),
            kind,
        }
    }

    async fn back_up(&self, tenant: &TenantKey, token: &str, kind: BackupKind) -> JobReport {
        let spec = self.backup_spec(tenant, token, kind);
        let id = self
            .engine
            .start_backup(&spec)
            .await
            .expect("the backup is accepted");
        let report = self.finish(&id).await;
        assert_eq!(
            report.state,
            EngineJobState::Completed,
            "{:?}",
            report.failure
        );
        report
    }

    async fn recoveries_reach_what_they_promise(&self, tenant: &TenantKey) {
        self.rig.write(self.engine, tenant).await;
        let until = match self.engine.capabilities().recover_to {
            RecoverTo::AnyInstant => self.rig.now(),
            RecoverTo::SetInstantsOnly => {
                self.observed(tenant)
                    .await
                    .sets
                    .last()
                    .expect("a set")
                    .min_restore_scn
            }
        };
        self.wait("the moment is durable", tenant, |seen| {
            let points: Vec<SetPoint> = seen
                .sets
                .iter()
                .map(|set| SetPoint {
                    id: set.id,
                    round: set.round,
                    min_restore_scn: set.min_restore_scn,
                })
                .collect();
            let ranges = recoverable::ranges(&points, &seen.spans);
            matches!(
                recoverable::verdict(&ranges, until),
                Verdict::Recoverable(_)
            )
        })
        .await;
        let spec = |token: &str, until, name: &str| RecoverySpec {
            token: token.to_owned(),
            tenant: tenant.clone(),
            until,
            new_name: name.to_owned(),
            place: None,
            placement: None,
        };
        let future = until.plus_ns(3_600_000_000_000);
        for refused in [
            spec("r-1", future, "conform_b"),
            spec("r-2", Scn(1), "conform_b"),
            spec("r-3", until, &self.observed(tenant).await.name),
        ] {
            let error = self
                .engine
                .plan_recovery(&refused)
                .await
                .expect_err("refused");
            assert_eq!(error.kind, EngineErrorKind::Rejected, "{error}");
            assert!(self.engine.start_recovery(&refused).await.is_err());
        }
        let good = spec("r-4", until, "conform_b");
        let plan = self.engine.plan_recovery(&good).await.expect("a plan");
        assert!(
            plan.target_scn <= until && !plan.sets.is_empty(),
            "{plan:?}"
        );
        self.placement_is_told_where_there_is_one(&good, &plan)
            .await;
        let id = self.recover(&good).await;
        let report = self.finish(&id).await;
        assert_eq!(
            report.state,
            EngineJobState::Completed,
            "{:?}",
            report.failure
        );
        if self.rig.proves() {
            let proof = report.proof.expect("a proof");
            assert_eq!(proof.expected_digest, proof.computed_digest);
            assert_eq!(proof.target_scn, plan.target_scn);
        }
        let names = self.engine.observe().await.expect("observation").tenants;
        assert!(names.iter().any(|seen| seen.name == "conform_b"));
    }

    /// Who places tenants tells with what, by which statements, and that nothing is left of what never began.
    async fn placement_is_told_where_there_is_one(&self, spec: &RecoverySpec, plan: &RecoveryPlan) {
        let resources = self.engine.resources(&spec.tenant).await;
        let left = self.engine.leftovers(spec).await;
        if self.engine.capabilities().placement {
            let resources = resources.expect("resources");
            let like = resources.suggested.as_ref().expect("one like the source");
            assert_eq!(violations(like, &resources), []);
            assert!(!plan.steps.is_empty(), "{plan:?}");
            assert_eq!(left.expect("a look"), []);
            let removed = self.engine.remove_leftovers(spec).await;
            assert_eq!(removed.expect("nothing to do"), []);
        } else {
            for error in [resources.err(), left.err()] {
                let error = error.expect("refused");
                assert_eq!(error.kind, EngineErrorKind::Unsupported, "{error}");
            }
            // Who recovers by itself sends no statements.
            assert!(plan.steps.is_empty() || !self.rig.proves(), "{plan:?}");
        }
    }

    async fn copies_do_without_the_first(&self, tenant: &TenantKey) {
        let capable = self.engine.capabilities().second_backup;
        let Some(path) = self.rig.second().filter(|_| capable) else {
            return;
        };
        let spec = |token: &str, what| CopySpec {
            token: token.to_owned(),
            tenant: tenant.clone(),
            what,
            limit_bytes_per_s: None,
        };
        let log = spec("conform-log", CopyWhat::Log);
        let error = self.engine.start_copy(&log).await.expect_err("nowhere to");
        assert_eq!(error.kind, EngineErrorKind::Rejected, "{error}");
        assert!(self.engine.verify_second(Some(tenant)).await.is_err());
        assert_eq!(self.observed(tenant).await.second, None);
        let taken = self.engine.use_second(Some(&path)).await;
        taken.expect("an empty place is taken into use");
        let set = self.observed(tenant).await.sets.pop().expect("a set");
        for spec in [spec("conform-set", CopyWhat::Set(set.id)), log] {
            let id = self.engine.start_copy(&spec).await.expect("accepted");
            let report = self.finish(&id).await;
            assert_eq!(
                report.state,
                EngineJobState::Completed,
                "{:?}",
                report.failure
            );
            assert!(report.outcome.is_some(), "it says what it did");
            let again = self.engine.start_copy(&spec).await.expect("accepted");
            assert_eq!(again, id, "one job for one token");
        }
        let second = self
            .observed(tenant)
            .await
            .second
            .expect("it is told about");
        assert!(second.known && second.sets.contains(&set), "{second:?}");
        assert!(second.data_bytes >= set.stored_bytes, "{second:?}");
        let recovery = RecoverySpec {
            token: "r-second".to_owned(),
            tenant: tenant.clone(),
            until: set.min_restore_scn,
            new_name: "conform_c".to_owned(),
            place: Some(Place::Second),
            placement: None,
        };
        let plan = self.engine.plan_recovery(&recovery).await.expect("a plan");
        assert_eq!(plan.place, Place::Second);
        let id = self.recover(&recovery).await;
        let report = self.finish(&id).await;
        assert_eq!(
            report.state,
            EngineJobState::Completed,
            "{:?}",
            report.failure
        );
        if self.rig.proves() {
            let proof = report.proof.expect("a proof");
            assert_eq!(proof.expected_digest, proof.computed_digest);
        }
        self.sound(self.engine.verify_second(Some(tenant)).await);
        self.engine.use_second(None).await.expect("given up");
        assert_eq!(self.observed(tenant).await.second, None);
    }

    async fn stopping_the_log_makes_a_gap(&self, tenant: &TenantKey) {
        if self.engine.capabilities().log_archive == ArchiveScope::None {
            return;
        }
        let round = self.observed(tenant).await.archive.round;
        self.engine
            .stop_archive(tenant, "conformance")
            .await
            .expect("stopped");
        self.wait("stopped", tenant, |seen| {
            seen.archive.state == ArchiveState::Stop
        })
        .await;
        self.rig.write(self.engine, tenant).await;
        self.engine.start_archive(tenant).await.expect("started");
        self.wait("in progress again", tenant, |seen| {
            seen.archive.state == ArchiveState::Doing && seen.archive.round == round + 1
        })
        .await;
        assert!(
            self.observed(tenant).await.spans.len() >= 2,
            "the rounds stay apart"
        );
    }

    /// The full set just made is all that moments since then need, so everything before it goes.
    async fn cleanups_keep_their_promise(&self, tenant: &TenantKey) {
        let capabilities = self.engine.capabilities();
        let deletes = capabilities.expiry == Expiry::ConsoleDeletesSets;
        if !deletes || !capabilities.plan_cleanup.is_yes() {
            return;
        }
        let made = self.back_up(tenant, "clean-1", BackupKind::Full).await.set;
        let made = made.expect("its number");
        self.rig.write(self.engine, tenant).await;
        let promised = self.rig.now();
        self.wait("the moment is durable", tenant, |seen| {
            seen.archive.checkpoint >= Some(promised)
        })
        .await;
        let before = self.observed(tenant).await;
        let spec = CleanupSpec {
            token: "clean-2".to_owned(),
            tenant: tenant.clone(),
            place: Place::First,
            keep_from: promised,
        };
        let plan = self.engine.plan_cleanup(&spec).await.expect("a plan");
        let goes = |id| plan.expired.iter().any(|it| it.what == Stored::Set(id));
        let older = before.sets.iter().filter(|set| set.id != made);
        assert!(older.clone().count() > 0 && older.clone().all(|set| goes(set.id)));
        assert!(
            plan.kept
                .iter()
                .any(|it| it.what == Stored::Set(made) && it.because == KeptBecause::BaseOfWindow)
        );
        assert!(!plan.lost.is_empty(), "moments before it are given up");
        assert!(
            plan.lost.iter().all(|range| range.end < promised),
            "{plan:?}"
        );
        assert_eq!(self.observed(tenant).await.sets, before.sets, "only asked");
        self.clean(&spec).await;
        let after = self.observed(tenant).await;
        assert_eq!(after.sets.len(), 1, "{:?}", after.sets);
        assert!(after.data_bytes < before.data_bytes, "room was made");
        let recovery = RecoverySpec {
            token: "clean-4".to_owned(),
            tenant: tenant.clone(),
            until: promised,
            new_name: "conform_clean".to_owned(),
            place: None,
            placement: None,
        };
        let plan = self.engine.plan_recovery(&recovery).await;
        assert!(plan.is_ok(), "what was promised: {plan:?}");
        let again = CleanupSpec {
            token: "clean-3".to_owned(),
            ..spec
        };
        let plan = self.engine.plan_cleanup(&again).await.expect("a plan");
        assert!(plan.expired.is_empty() && plan.lost.is_empty(), "{plan:?}");
        self.clean(&again).await;
        assert_eq!(self.observed(tenant).await.sets, after.sets);
    }

    async fn clean(&self, spec: &CleanupSpec) {
        let id = self.engine.start_cleanup(spec).await.expect("accepted");
        let report = self.finish(&id).await;
        assert_eq!(
            report.state,
            EngineJobState::Completed,
            "{:?}",
            report.failure
        );
        assert!(report.outcome.is_some(), "it tells what it did");
        let again = self.engine.start_cleanup(spec).await.expect("accepted");
        assert_eq!(again, id, "one job for one token");
    }

    async fn verification_finds_nothing(&self, tenant: &TenantKey) {
        self.sound(self.engine.verify(Some(tenant)).await);
    }

    /// Whoever can read everything back finds it sound.
    fn sound(&self, report: Result<VerifyReport, EngineError>) {
        let report = match report {
            Err(error) if error.kind == EngineErrorKind::Unsupported => {
                assert!(!self.rig.proves(), "who proves can also verify");
                return;
            }
            report => report.expect("a report"),
        };
        assert!(report.faults.is_empty(), "{:?}", report.faults);
        assert!(report.sets > 0, "something was read");
    }
}
