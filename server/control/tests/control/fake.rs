//! A small engine in memory, for tests: it does what it is told, and fails as it is told.

use async_trait::async_trait;
use domain::{
    BackupSetId, Scn,
    archive::ArchiveState,
    backup::{BackupKind, BackupMethod, BackupSet},
    capability::{Ability, ArchiveScope, Capabilities, Expiry, RecoverTo},
    clock::Clock,
    placement::{Placement, Resources},
    recoverable::{GapCause, LogSpan},
    recovery::{PlannedStep, Precision, RecoveryPlan},
    retention::{CleanupPlan, Expired, Stored},
    second_backup::Place,
    storage::{ProbeReport, ProbeStep, StorageKind, StorageState},
    strategy::Drift,
    tenant::TenantState,
};
use engine::{
    Applied, ArchiveObservation, BackupSpec, CleanupSpec, Engine, EngineError, EngineErrorKind,
    EngineJobId, EngineJobState, FoundCluster, JobReport, Observation, RecoverySpec, SqlResult,
    TenantKey, TenantObservation, VerifyReport, WantedSettings,
};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};

/// What the engine is told to do wrong, and what it has seen.
#[derive(Default)]
pub(crate) struct World {
    /// Orders that are accepted but whose reply is lost.
    pub(crate) lose_replies: u32,
    /// Questions about jobs that are not answered.
    pub(crate) deaf: u32,
    /// Questions about jobs wait as long as it is set.
    pub(crate) stuck: bool,
    /// Looks that end in a panic.
    pub(crate) panics: u32,
    /// Times that opening fails.
    pub(crate) closed: u32,
    /// The number of a job is the token of its order, and a result is found again after a crash.
    pub(crate) revives: bool,
    /// Jobs do not end while it is set.
    pub(crate) hold: bool,
    /// What jobs end with, if they fail.
    pub(crate) failure: Option<String>,
    /// What orders are refused with.
    pub(crate) refusal: Option<String>,
    /// New tenants come without a backup set.
    pub(crate) bare: bool,
    /// The log does not go on.
    pub(crate) frozen: bool,
    /// What a test of a storage finds; nothing at all in an empty directory unless it is set.
    pub(crate) probe: Option<ProbeReport>,
    /// Where second copies go.
    pub(crate) second: Option<PathBuf>,
    /// What a second storage is refused with.
    pub(crate) second_refusal: Option<String>,
    /// How often it was told where second copies go.
    pub(crate) seconds: u32,
    /// Why its destination cannot be changed.
    pub(crate) fixed: Option<String>,
    /// It keeps destinations and retention by itself, and is told what the strategy says of them.
    pub(crate) keeps_settings: bool,
    /// What it was told last, and how often that was sent.
    pub(crate) wanted: Option<WantedSettings>,
    pub(crate) applies: u32,
    /// What becomes of it when it is sent.
    pub(crate) applied: Vec<Applied>,
    /// Where it is not so.
    pub(crate) drift: Vec<Drift>,
    /// The destinations that were tested.
    pub(crate) probed: Vec<PathBuf>,
    /// What it has for new tenants; tenants are placed as soon as it has any.
    pub(crate) resources: Option<Resources>,
    /// The placements of the recoveries accepted, in order.
    pub(crate) placements: Vec<Option<Placement>>,
    /// What failed recoveries left.
    pub(crate) leftovers: Vec<PlannedStep>,
    /// The destinations it was opened with.
    pub(crate) destinations: Vec<PathBuf>,
    /// Tokens of the orders accepted, in order.
    pub(crate) accepted: Vec<String>,
    /// Numbers of the jobs that were asked to stop.
    pub(crate) canceled: Vec<String>,
    /// Orders for a data backup that came while one of the same tenant ran.
    pub(crate) overlaps: u32,
    /// How often it was looked at.
    pub(crate) looks: u32,
    /// What reading backups back finds.
    pub(crate) faults: Vec<String>,
    /// How often SQL was run.
    pub(crate) statements: u32,
    /// Engines that are open now, and the most there were at once.
    pub(crate) open: u32,
    pub(crate) most_open: u32,
    /// What is told of the destinations and of the clock.
    pub(crate) storages: Vec<StorageState>,
    pub(crate) clock_back_ns: u64,
    /// Clusters found at every destination, and the identities that were adopted.
    pub(crate) found: Vec<FoundCluster>,
    pub(crate) adopted: Vec<String>,
    /// What the engine says which cluster it is.
    pub(crate) identity: Option<String>,
    pub(crate) tenants: BTreeMap<String, TenantObservation>,
    jobs: BTreeMap<String, FakeJob>,
    /// What jobs left on media, by token.
    results: BTreeMap<String, FakeJob>,
    numbers: i64,
}

struct FakeJob {
    token: String,
    tenant: String,
    makes: Makes,
    report: JobReport,
}

enum Makes {
    Set(BackupKind),
    Tenant(String),
    /// Room at the destination.
    Room,
}

impl World {
    /// What a crash of the engine loses.
    pub(crate) fn forget_jobs(&mut self) {
        self.jobs.clear();
    }

    fn number(&mut self) -> i64 {
        self.numbers += 1;
        self.numbers
    }
}

pub(crate) struct Fake {
    world: Mutex<World>,
    clock: Arc<dyn Clock>,
}

impl Fake {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Fake {
            world: Mutex::default(),
            clock,
        }
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    fn add_tenant(&self, name: &str) -> TenantKey {
        let now = self.clock.now();
        let mut world = self.world();
        let key = format!("k{}", world.number());
        let mut tenant = TenantObservation {
            key: TenantKey(key.clone()),
            name: name.to_owned(),
            state: TenantState::Online,
            data_file: Some(format!("{name}.db")),
            size_bytes: 8192,
            note: None,
            archive: ArchiveObservation {
                state: ArchiveState::Doing,
                round: 1,
                started: Some(now),
                checkpoint: Some(now),
                host: "fake".to_owned(),
                directory: format!("log/{name}"),
                note: None,
            },
            history_known: true,
            sets: Vec::new(),
            spans: vec![span(1, now)],
            data_bytes: 0,
            log_bytes: 0,
            second: None,
        };
        if !world.bare {
            let id = world.number();
            tenant.sets.push(set(id, 1, BackupKind::Full, now));
        }
        world.tenants.insert(key.clone(), tenant);
        TenantKey(key)
    }

    fn accept(
        &self,
        token: &str,
        tenant: &TenantKey,
        makes: Makes,
    ) -> Result<EngineJobId, EngineError> {
        let mut world = self.world();
        if let Some(refusal) = &world.refusal {
            let refusal = refusal.clone();
            return Err(error(EngineErrorKind::Rejected, &refusal));
        }
        let overlaps = world.jobs.values().any(|job| {
            matches!((&job.makes, &makes), (Makes::Set(_), Makes::Set(_)))
                && job.tenant == tenant.0
                && job.report.state == EngineJobState::Running
        });
        world.overlaps += u32::from(overlaps);
        let id = match world.revives {
            true => token.to_owned(),
            false => format!("e{}", world.number()),
        };
        world.accepted.push(token.to_owned());
        world.jobs.insert(
            id.clone(),
            FakeJob {
                token: token.to_owned(),
                tenant: tenant.0.clone(),
                makes,
                report: JobReport::running(),
            },
        );
        if world.lose_replies > 0 {
            world.lose_replies -= 1;
            return Err(error(EngineErrorKind::Unreachable, "the line went dead"));
        }
        Ok(EngineJobId(id))
    }

    /// Every job that runs is done, and the engine is killed before anybody hears of it.
    pub(crate) fn finish_and_crash(&self) {
        let ids: Vec<String> = self.world().jobs.keys().cloned().collect();
        for id in ids {
            let mut world = self.world();
            let job = world.jobs.get_mut(&id).unwrap();
            job.report.state = EngineJobState::Completed;
            drop(world);
            self.publish(&id);
            let mut world = self.world();
            let job = world.jobs.remove(&id).unwrap();
            world.results.insert(job.token.clone(), job);
        }
    }

    /// One step of a job that is looked at.
    fn work(&self, id: &str) -> Option<JobReport> {
        let mut world = self.world();
        let (hold, failure) = (world.hold, world.failure.clone());
        let job = world.jobs.get_mut(id)?;
        match job.report.state {
            EngineJobState::Canceling => job.report.state = EngineJobState::Canceled,
            EngineJobState::Running => {
                let progress = &mut job.report.progress;
                progress.phase = "Copying pages".to_owned();
                progress.total_bytes = 8000;
                if progress.done_bytes < 6000 {
                    progress.done_bytes += 2000;
                } else if let Some(failure) = failure {
                    job.report.failure = Some(failure);
                    job.report.state = EngineJobState::Failed;
                } else if !hold {
                    progress.done_bytes = 8000;
                    job.report.state = EngineJobState::Completed;
                }
            }
            EngineJobState::Completed | EngineJobState::Failed | EngineJobState::Canceled => {}
        }
        let done = job.report.state == EngineJobState::Completed && job.report.location.is_none();
        drop(world);
        if done {
            self.publish(id);
        }
        let world = self.world();
        world.jobs.get(id).map(|job| job.report.clone())
    }

    /// Makes what a completed job has to make.
    fn publish(&self, id: &str) {
        let now = self.clock.now();
        let mut world = self.world();
        let number = world.number();
        let job = world.jobs.get_mut(id).unwrap();
        job.report.location = Some("made".to_owned());
        match &job.makes {
            Makes::Set(kind) => {
                let (tenant, kind) = (job.tenant.clone(), *kind);
                job.report.set = Some(BackupSetId(number));
                job.report.actual = Some(kind);
                job.report.min_restore_scn = Some(now);
                let tenant = world.tenants.get_mut(&tenant).unwrap();
                let round = tenant.archive.round;
                tenant.sets.push(set(number, round, kind, now));
            }
            Makes::Tenant(name) => {
                let name = name.clone();
                drop(world);
                self.add_tenant(&name);
            }
            Makes::Room => {
                job.report.outcome = Some("1 set and 2 log files removed, 4 KB".to_owned());
            }
        }
    }
}

fn span(round: i64, start: Scn) -> LogSpan {
    LogSpan {
        round,
        start,
        end: start,
        cause: match round {
            1 => GapCause::FirstStart,
            _ => GapCause::StoppedByPerson,
        },
        note: String::new(),
    }
}

fn set(id: i64, round: i64, kind: BackupKind, at: Scn) -> BackupSet {
    BackupSet {
        id: BackupSetId(id),
        kind,
        base: None,
        round,
        min_restore_scn: at,
        started: at,
        finished: at,
        stored_bytes: 4000,
        raw_bytes: 8192,
    }
}

pub(crate) fn error(kind: EngineErrorKind, message: &str) -> EngineError {
    EngineError::new(kind, "order", "fake", message)
}

#[async_trait]
impl Engine for Fake {
    fn capabilities(&self) -> Capabilities {
        let placement = self.world().resources.is_some();
        let keeps = self.world().keeps_settings;
        Capabilities {
            methods: vec![BackupMethod::Physical],
            incremental: true,
            log_archive: ArchiveScope::Tenant,
            recover_to: RecoverTo::AnyInstant,
            cancel_backup: true,
            cancel_recovery: true,
            expiry: match keeps {
                true => Expiry::EngineByPolicy,
                false => Expiry::ConsoleDeletesSets,
            },
            second_backup: true,
            placement,
            change_destination: match &self.world().fixed {
                Some(reason) => Ability::No(reason.clone()),
                None => Ability::Yes,
            },
            create_tenant: Ability::Yes,
            verify: Ability::Yes,
            backs_up_new_rounds: true,
            back_up: Ability::Yes,
            plan_cleanup: Ability::Yes,
            storages: match keeps {
                true => StorageKind::ALL.to_vec(),
                false => vec![StorageKind::File],
            },
            keeps_settings: keeps,
        }
    }

    fn identity(&self) -> Option<String> {
        self.world().identity.clone()
    }

    fn version(&self) -> String {
        "Fake 1".to_owned()
    }

    fn destination(&self) -> String {
        "memory".to_owned()
    }

    async fn observe(&self) -> Result<Observation, EngineError> {
        let now = self.clock.now();
        let mut world = self.world();
        if world.panics > 0 {
            world.panics -= 1;
            drop(world);
            panic!("the lens is cracked");
        }
        world.looks += 1;
        if !world.frozen {
            for tenant in world.tenants.values_mut() {
                if tenant.archive.state == ArchiveState::Doing {
                    tenant.archive.checkpoint = Some(now);
                    tenant.spans.last_mut().unwrap().end = now;
                }
            }
        }
        Ok(Observation {
            taken: now,
            complete: true,
            tenants: world.tenants.values().cloned().collect(),
            storages: world.storages.clone(),
            clock_back_ns: world.clock_back_ns,
            drift: world.drift.clone(),
        })
    }

    async fn create_tenant(&self, name: &str) -> Result<TenantKey, EngineError> {
        Ok(self.add_tenant(name))
    }

    async fn start_archive(&self, tenant: &TenantKey) -> Result<(), EngineError> {
        let now = self.clock.now();
        let mut world = self.world();
        let tenant = world.tenants.get_mut(&tenant.0).unwrap();
        tenant.archive.state = ArchiveState::Doing;
        tenant.archive.round += 1;
        tenant.archive.started = Some(now);
        let round = tenant.archive.round;
        tenant.spans.push(span(round, now));
        Ok(())
    }

    async fn stop_archive(&self, tenant: &TenantKey, reason: &str) -> Result<(), EngineError> {
        let mut world = self.world();
        let tenant = world.tenants.get_mut(&tenant.0).unwrap();
        tenant.archive.state = ArchiveState::Stop;
        tenant.archive.note = Some(reason.to_owned());
        Ok(())
    }

    async fn start_backup(&self, spec: &BackupSpec) -> Result<EngineJobId, EngineError> {
        self.accept(&spec.token, &spec.tenant, Makes::Set(spec.kind))
    }

    async fn use_second(&self, destination: Option<&Path>) -> Result<(), EngineError> {
        let mut world = self.world();
        if let (Some(_), Some(refusal)) = (destination, &world.second_refusal) {
            let refusal = refusal.clone();
            return Err(error(EngineErrorKind::Rejected, &refusal));
        }
        world.seconds += 1;
        world.second = destination.map(Path::to_owned);
        Ok(())
    }

    fn want(&self, settings: Option<WantedSettings>) {
        self.world().wanted = settings;
    }

    async fn apply_wanted(&self) -> Result<Vec<Applied>, EngineError> {
        let mut world = self.world();
        if let Some(refusal) = &world.refusal {
            return Err(error(EngineErrorKind::Unreachable, refusal));
        }
        world.applies += 1;
        world.drift.clear();
        Ok(world.applied.clone())
    }

    async fn probe_storage(&self, at: &Path) -> Result<ProbeReport, EngineError> {
        self.world().probed.push(at.to_owned());
        Ok(self.world().probe.clone().unwrap_or_else(|| ProbeReport {
            steps: vec![ProbeStep {
                name: "Write a probe object".to_owned(),
                failure: None,
                took_ms: 1,
            }],
            empty: true,
            ..ProbeReport::default()
        }))
    }

    async fn plan_recovery(&self, spec: &RecoverySpec) -> Result<RecoveryPlan, EngineError> {
        Ok(RecoveryPlan {
            until: spec.until,
            place: Place::First,
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
        let makes = Makes::Tenant(spec.new_name.clone());
        self.world().placements.push(spec.placement.clone());
        self.accept(&spec.token, &spec.tenant, makes)
    }

    async fn resources(&self, _: &TenantKey) -> Result<Resources, EngineError> {
        let resources = self.world().resources.clone();
        resources.ok_or_else(|| error(EngineErrorKind::Unsupported, "it has no zones"))
    }

    async fn leftovers(&self, _: &RecoverySpec) -> Result<Vec<PlannedStep>, EngineError> {
        Ok(self.world().leftovers.clone())
    }

    async fn remove_leftovers(&self, _: &RecoverySpec) -> Result<Vec<PlannedStep>, EngineError> {
        Ok(std::mem::take(&mut self.world().leftovers))
    }

    async fn find_job(&self, token: &str) -> Result<Option<EngineJobId>, EngineError> {
        let mut world = self.world();
        if let Some(result) = world.results.remove(token) {
            world.jobs.insert(token.to_owned(), result);
        }
        let found = world.jobs.iter().find(|(_, job)| job.token == token);
        Ok(found.map(|(id, _)| EngineJobId(id.clone())))
    }

    async fn job(&self, id: &EngineJobId) -> Result<JobReport, EngineError> {
        while self.world().stuck {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        {
            let mut world = self.world();
            if world.deaf > 0 {
                world.deaf -= 1;
                return Err(error(EngineErrorKind::Unreachable, "no answer"));
            }
        }
        self.work(&id.0)
            .ok_or_else(|| error(EngineErrorKind::NotFound, "no such job"))
    }

    async fn cancel_job(&self, id: &EngineJobId) -> Result<(), EngineError> {
        let mut world = self.world();
        world.canceled.push(id.0.clone());
        match world.jobs.get_mut(&id.0) {
            Some(job) if job.report.state == EngineJobState::Running => {
                job.report.state = EngineJobState::Canceling;
                Ok(())
            }
            Some(_) => Ok(()),
            None => Err(error(EngineErrorKind::NotFound, "no such job")),
        }
    }

    async fn run_sql(&self, _: &TenantKey, sql: &str) -> Result<Vec<SqlResult>, EngineError> {
        self.world().statements += 1;
        if sql.contains("nonsense") {
            let message = format!("near \"{sql}\": syntax error");
            return Err(error(EngineErrorKind::Rejected, &message));
        }
        Ok(Vec::new())
    }

    async fn verify(&self, _: Option<&TenantKey>) -> Result<VerifyReport, EngineError> {
        Ok(VerifyReport {
            sets: 1,
            faults: self.world().faults.clone(),
            ..VerifyReport::default()
        })
    }

    async fn plan_cleanup(&self, spec: &CleanupSpec) -> Result<CleanupPlan, EngineError> {
        let sets = self.world().tenants[&spec.tenant.0].sets.clone();
        let expired = sets
            .iter()
            .filter(|set| set.min_restore_scn < spec.keep_from);
        let expired = expired.map(|set| Expired {
            what: Stored::Set(set.id),
            bytes: set.stored_bytes,
        });
        Ok(CleanupPlan {
            place: spec.place,
            keep_from: spec.keep_from,
            expired: expired.collect(),
            kept: Vec::new(),
            lost: Vec::new(),
        })
    }

    async fn start_cleanup(&self, spec: &CleanupSpec) -> Result<EngineJobId, EngineError> {
        self.accept(&spec.token, &spec.tenant, Makes::Room)
    }

    async fn verify_second(&self, _: Option<&TenantKey>) -> Result<VerifyReport, EngineError> {
        Ok(VerifyReport::default())
    }

    async fn shut_down(&self) {
        self.world().open -= 1;
    }
}
