//! One attempt at a task: begin it at the engine, or find it again, and follow it to its end.
//!
//! The engine is the truth about what runs. An order is never sent before the engine was asked
//! whether it knows the order's token already; so a lost reply or a crash starts nothing twice.

mod saving;

use self::saving::Marks;
use super::queue::{Claimed, LEASE_NS};
use crate::{
    console::Inner,
    error::{Error, chain},
    handle::{ClusterHandle, answer},
    tasks::observe,
};
use domain::{
    JobId,
    job::{JobEvent, JobState, Progress},
    size,
    tenant::Tenant,
};
use engine::{
    BackupSpec, CleanupSpec, CopySpec, CopyWhat, Engine, EngineError, EngineErrorKind, EngineJobId,
    EngineJobState, JobReport, RecoverySpec, TenantKey,
};
use std::{sync::Arc, time::Duration};
use store::{Job, JobFacts, JobPatch, Lease, Order, StoreError};
use tracing::Instrument;

/// How often the engine is asked where a task stands.
const POLL: Duration = Duration::from_millis(50);
/// Progress is saved at every twelfth poll, so at most every 600 ms.
const SAVE_EVERY: u32 = 12;
/// How often the lease is prolonged, whatever the attempt is waiting for.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// How often a task is begun at most.
const ATTEMPTS_MAX: u32 = 5;
/// Transient failures in a row before the task is given back to the queue.
const TROUBLES_MAX: u32 = 10;
/// Longest pause after a transient failure.
const TROUBLE_PAUSE_MAX: Duration = Duration::from_secs(5);
/// Polls to wait until a reported set is seen at the destination.
const PRESENT_POLLS: u32 = 200;

/// An attempt. A clone shares nothing that changes.
#[derive(Clone)]
pub(crate) struct Attempt {
    inner: Arc<Inner>,
    handle: Arc<ClusterHandle>,
    engine: Arc<dyn Engine>,
    job: Job,
    owner: String,
    /// What was saved last.
    saved: Option<JobFacts>,
    polls: u32,
    cancel_asked: bool,
    absent_polls: u32,
    /// Whether the engine does not know its number any more.
    lost: bool,
}

/// What comes after a step.
enum Step {
    /// Ask again at once.
    Again,
    /// Ask again after a pause.
    Wait,
    /// The attempt is over.
    Done,
}

/// What keeps a step from happening.
enum Trouble {
    /// Another attempt holds the task.
    LeaseLost,
    /// The engine refused or did not answer.
    Engine(EngineError),
    /// The console itself failed.
    Console(Error),
}

impl From<EngineError> for Trouble {
    fn from(error: EngineError) -> Self {
        Trouble::Engine(error)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Trouble::Console(Error::Store(error))
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Trouble::Console(error)
    }
}

impl Attempt {
    /// An attempt at a task that was just claimed.
    pub(crate) fn new(
        inner: Arc<Inner>,
        handle: Arc<ClusterHandle>,
        engine: Arc<dyn Engine>,
        claimed: Claimed,
    ) -> Self {
        Attempt {
            inner,
            handle,
            engine,
            job: claimed.job,
            owner: claimed.owner,
            saved: None,
            polls: 0,
            cancel_asked: false,
            absent_polls: 0,
            lost: false,
        }
    }

    /// The task.
    pub(crate) fn task(&self) -> JobId {
        self.job.id
    }

    /// Works until the task is final, given back, or held by another attempt.
    pub(crate) async fn run(self) {
        let span = tracing::info_span!(
            "attempt",
            job.id = self.job.id.0,
            job.kind = self.job.order.kind().code(),
            cluster.name = self.handle.name,
            tenant.name = self.handle.tenant_name(self.job.tenant),
            attempt = self.job.attempts,
        );
        self.work().instrument(span).await;
    }

    async fn work(mut self) {
        let at_work = self.handle.attempt();
        let held = hold(Arc::clone(&self.inner), self.job.id, self.owner.clone());
        tokio::select! {
            // First, so that an attempt that has just ended its task is not told that it lost it.
            biased;
            () = self.course() => {}
            () = held => tracing::warn!(
                job.id = self.job.id.0,
                "another attempt holds the task; this one ends"
            ),
        }
        drop(at_work);
        self.handle.nudge(self.inner.now());
        self.handle.want_sample(self.inner.now());
        self.inner.queue.notify_one();
    }

    async fn course(&mut self) {
        let mut troubles = 0;
        loop {
            if self.inner.is_stopping() {
                return self.release().await;
            }
            let trouble = match self.step().await {
                Ok(Step::Done) => return,
                Ok(Step::Again) => continue,
                Ok(Step::Wait) => {
                    troubles = 0;
                    self.pause(POLL).await;
                    continue;
                }
                Err(trouble) => trouble,
            };
            troubles += 1;
            match self.overcome(trouble, troubles).await {
                Ok(()) => {}
                Err(Trouble::LeaseLost) => return,
                Err(_) => return self.release().await,
            }
            if self.job.state.is_final() || self.job.state == JobState::Queued {
                return;
            }
            let pause = Duration::from_millis(250) * 2u32.pow(troubles.min(5));
            self.pause(pause.min(TROUBLE_PAUSE_MAX)).await;
        }
    }

    /// Decides about a failure: endure it, fail the task, or give it back.
    async fn overcome(&mut self, trouble: Trouble, troubles: u32) -> Result<(), Trouble> {
        match trouble {
            Trouble::LeaseLost => Err(Trouble::LeaseLost),
            Trouble::Engine(error) if error.kind.is_transient() => {
                if troubles == 1 {
                    tracing::warn!(
                        job.id = self.job.id.0,
                        cluster.name = self.handle.name,
                        "{error}; trying again"
                    );
                    self.note(&format!("No answer, trying again: {error}"))
                        .await;
                }
                if troubles < TROUBLES_MAX {
                    return Ok(());
                }
                self.give_back(&error.to_string()).await
            }
            Trouble::Engine(error) => self.fail(&error.message).await,
            Trouble::Console(error @ Error::NotFound { .. }) => self.fail(&error.to_string()).await,
            Trouble::Console(error) => {
                tracing::error!(
                    job.id = self.job.id.0,
                    "saving a task failed: {}",
                    chain(&error)
                );
                if troubles < TROUBLES_MAX {
                    return Ok(());
                }
                Err(Trouble::Console(error))
            }
        }
    }

    async fn step(&mut self) -> Result<Step, Trouble> {
        self.refresh().await?;
        match self.job.engine_job_id.clone() {
            None => self.begin().await,
            Some(id) => self.follow(&EngineJobId(id)).await,
        }
    }

    /// Reads the task anew: somebody may have asked to cancel it, or taken it over.
    async fn refresh(&mut self) -> Result<(), Trouble> {
        match self.inner.store.job(self.job.id).await? {
            Some(job) if job.lease_owner.as_deref() == Some(&self.owner) => self.job = job,
            _ => return Err(Trouble::LeaseLost),
        }
        Ok(())
    }

    /// Finds the order at the engine, or sends it.
    async fn begin(&mut self) -> Result<Step, Trouble> {
        let engine = Arc::clone(&self.engine);
        let token = self.job.token.clone();
        let found = answer("looking for a task", &token, engine.find_job(&token)).await?;
        if found.is_none() && self.job.state == JobState::Canceling {
            // Nothing was begun, so nothing has to be cleaned up.
            return self.end(JobEvent::ConfirmCanceled, None).await;
        }
        let id = match found {
            Some(id) => id,
            None => self.send().await?,
        };
        tracing::info!(
            job.id = self.job.id.0,
            engine.job_id = id.0,
            "the engine works on it"
        );
        self.accepted(&id).await?;
        Ok(Step::Again)
    }

    async fn send(&self) -> Result<EngineJobId, Trouble> {
        let tenant = self
            .inner
            .store
            .tenant(self.job.cluster, self.job.tenant)
            .await?;
        let Some(tenant) = tenant else {
            return Err(Error::NotFound {
                what: "tenant",
                id: self.job.tenant.to_string(),
            }
            .into());
        };
        let key = TenantKey(tenant.engine_key.clone());
        let token = self.job.token.clone();
        let id = match &self.job.order {
            Order::Backup { asked, .. } => {
                let spec = BackupSpec {
                    token,
                    tenant: key,
                    kind: *asked,
                };
                answer("data backup", &tenant.name, self.engine.start_backup(&spec)).await?
            }
            Order::Recovery {
                until,
                new_name,
                place,
                placement,
            } => {
                let spec = RecoverySpec {
                    token,
                    tenant: key,
                    until: *until,
                    new_name: new_name.clone(),
                    place: *place,
                    placement: placement.clone(),
                };
                answer("recovery", &tenant.name, self.engine.start_recovery(&spec)).await?
            }
            Order::SecondData { set } => self.send_copy(&tenant, CopyWhat::Set(*set)).await?,
            Order::SecondLog => self.send_copy(&tenant, CopyWhat::Log).await?,
            Order::Cleanup { place, keep_from } => {
                let spec = CleanupSpec {
                    token,
                    tenant: key,
                    place: *place,
                    keep_from: *keep_from,
                };
                answer("cleanup", &tenant.name, self.engine.start_cleanup(&spec)).await?
            }
        };
        Ok(id)
    }

    async fn send_copy(&self, tenant: &Tenant, what: CopyWhat) -> Result<EngineJobId, Trouble> {
        let known = self.inner.store.strategy(self.job.cluster).await?;
        let second = known.and_then(|known| known.strategy.settings.second);
        let spec = CopySpec {
            token: self.job.token.clone(),
            tenant: TenantKey(tenant.engine_key.clone()),
            what,
            limit_bytes_per_s: second.and_then(|second| second.limit_bytes_per_s),
        };
        let id = answer("second backup", &tenant.name, self.engine.start_copy(&spec)).await?;
        Ok(id)
    }

    async fn accepted(&mut self, id: &EngineJobId) -> Result<(), Trouble> {
        let now = self.inner.now();
        let patch = JobPatch {
            // A task that is being canceled stays so; only its number at the engine is new.
            state: self.job.state.after(JobEvent::Accepted),
            engine_job_id: Some(Some(id.0.clone())),
            started: self.job.started.is_none().then_some(now),
            moved: Some(now),
            lease: Some(Lease::Until(now.plus_ns(LEASE_NS))),
            ..JobPatch::default()
        };
        // Not saved when somebody canceled it meanwhile; then the next step finds it by its token.
        let step = format!("The engine works on it, as {}", id.0);
        self.patch(&patch, Marks::Changed, Some(&step)).await?;
        Ok(())
    }

    /// Asks the engine where the task stands, and saves the answer.
    async fn follow(&mut self, id: &EngineJobId) -> Result<Step, Trouble> {
        if self.job.state == JobState::Canceling && !self.cancel_asked {
            match answer("canceling", &id.0, self.engine.cancel_job(id)).await {
                Err(error) if error.kind.is_transient() => return Err(error.into()),
                Err(error) => tracing::warn!(job.id = self.job.id.0, "{error}"),
                Ok(()) => {}
            }
            self.cancel_asked = true;
        }
        let report = match answer("looking at a task", &id.0, self.engine.job(id)).await {
            Err(error) if error.kind == EngineErrorKind::NotFound => {
                return self.vanished(id).await;
            }
            other => other?,
        };
        match report.state {
            EngineJobState::Running | EngineJobState::Canceling => self.goes_on(report).await,
            EngineJobState::Completed => self.completed(report).await,
            EngineJobState::Failed => {
                let why = report.failure.clone();
                let why = why.unwrap_or_else(|| "the engine gave no reason".to_owned());
                self.job_failed(&why, Some(facts(report))).await
            }
            EngineJobState::Canceled if self.job.state == JobState::Canceling => {
                self.end(JobEvent::ConfirmCanceled, Some(facts(report)))
                    .await
            }
            EngineJobState::Canceled => {
                let why = "the engine stopped it without being asked to; start it again";
                self.job_failed(why, Some(facts(report))).await
            }
        }
    }

    /// The engine does not know its number any more, as after a crash.
    async fn vanished(&mut self, id: &EngineJobId) -> Result<Step, Trouble> {
        let token = self.job.token.clone();
        let engine = Arc::clone(&self.engine);
        let found = answer("looking for a task", &token, engine.find_job(&token)).await?;
        if let Some(found) = found {
            if found != *id {
                self.accepted(&found).await?;
                return Ok(Step::Again);
            }
            // The same number: looking for it may have brought back a result that is on media.
            match answer("looking at a task", &id.0, engine.job(id)).await {
                Err(error) if error.kind == EngineErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
                Ok(_) => return Ok(Step::Wait),
            }
        }
        if self.job.state == JobState::Canceling {
            return self.end(JobEvent::ConfirmCanceled, None).await;
        }
        self.lost = true;
        self.give_back("the engine does not know the task any more, as after a crash")
            .await?;
        Ok(Step::Done)
    }

    async fn goes_on(&mut self, report: JobReport) -> Result<Step, Trouble> {
        self.polls = self.polls.wrapping_add(1);
        let facts = facts(report);
        let is_new = self.saved.as_ref() != Some(&facts);
        // Against what is stored: a new attempt must not take an old standstill for movement.
        let before = &self.job.progress;
        let phase = (before.phase != facts.progress.phase).then(|| phase_step(&facts.progress));
        let is_time = self.saved.is_none() || self.polls.is_multiple_of(SAVE_EVERY);
        if is_new && (is_time || phase.is_some()) {
            let now = self.inner.now();
            let patch = JobPatch {
                facts: Some(facts.clone()),
                moved: before.has_moved(&facts.progress).then_some(now),
                lease: Some(Lease::Until(now.plus_ns(LEASE_NS))),
                ..JobPatch::default()
            };
            if self.patch(&patch, Marks::Same, phase.as_deref()).await? {
                self.saved = Some(facts);
            }
        }
        Ok(Step::Wait)
    }

    /// The engine says it is done; it counts when the result is seen at the destination.
    async fn completed(&mut self, report: JobReport) -> Result<Step, Trouble> {
        observe::look(&self.inner, &self.handle).await?;
        let Some(missing) = self.missing(&report).await else {
            return self.end(JobEvent::Complete, Some(facts(report))).await;
        };
        self.absent_polls += 1;
        if self.absent_polls <= PRESENT_POLLS {
            return Ok(Step::Wait);
        }
        self.job_failed(&missing, Some(facts(report))).await
    }

    /// What should be there now and is not, as the failure of the task.
    async fn missing(&self, report: &JobReport) -> Option<String> {
        let (tenant, handle) = (self.job.tenant, &self.handle);
        match &self.job.order {
            Order::Backup { .. } => {
                let set = report.set?;
                (!handle.has_set(tenant, set).await).then(|| {
                    format!(
                        "the engine reported set {set} as complete, but it is not usable at the \
                         destination; look at the destination and back up again"
                    )
                })
            }
            Order::SecondData { set } => (!handle.has_copy(tenant, *set).await).then(|| {
                format!(
                    "the engine reported the copy of set {set} as complete, but it is not usable at \
                     the second destination; look at that destination and retry the task"
                )
            }),
            Order::Recovery { new_name, .. } => (!handle.has_tenant(new_name).await).then(|| {
                format!(
                    "the engine reported the recovery as complete, but there is no tenant \
                     {new_name}; look at the cluster and recover again"
                )
            }),
            // The engine's own word is all there is about a moving end of log, and about what is gone.
            Order::SecondLog | Order::Cleanup { .. } => None,
        }
    }

    async fn pause(&self, time: Duration) {
        self.inner.pause(time).await;
    }
}

/// Prolongs the lease of a task again and again; ends when another attempt holds it.
async fn hold(inner: Arc<Inner>, task: JobId, owner: String) {
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        let until = inner.now().plus_ns(LEASE_NS);
        match inner.store.prolong(task, &owner, until).await {
            Ok(true) => {}
            Ok(false) => return,
            // What the attempt writes is refused should somebody else take it over meanwhile.
            Err(error) => tracing::warn!(
                job.id = task.0,
                "its lease could not be prolonged: {}",
                chain(&error)
            ),
        }
    }
}

/// `Copying pages: 12 MB of 3 GB, 118 MB/s`.
fn phase_step(progress: &Progress) -> String {
    let phase = match progress.phase.as_str() {
        "" => "Going on",
        phase => phase,
    };
    let mut text = phase.to_owned();
    if progress.total_bytes > 0 {
        let (done, total) = (progress.done_bytes, progress.total_bytes);
        text.push_str(&format!(
            ": {} of {}",
            size::bytes(done),
            size::bytes(total)
        ));
    }
    if progress.rate_bytes_per_s > 0 {
        text.push_str(&format!(", {}/s", size::bytes(progress.rate_bytes_per_s)));
    }
    text
}

fn facts(report: JobReport) -> JobFacts {
    JobFacts {
        progress: report.progress,
        set: report.set,
        actual: report.actual,
        actual_reason: report.actual_reason,
        min_restore_scn: report.min_restore_scn,
        location: report.location,
        proof: report.proof,
        outcome: report.outcome,
    }
}
