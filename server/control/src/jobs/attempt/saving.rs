//! What an attempt writes about its task; refused as soon as another attempt holds it.

use super::{ATTEMPTS_MAX, Attempt, Step, Trouble};
use crate::{error::chain, jobs::queue::pause_ns};
use domain::job::{JobEvent, JobKind};
use store::{JobFacts, JobPatch, Lease, StoreError};

impl Attempt {
    pub(super) async fn job_failed(
        &mut self,
        why: &str,
        facts: Option<JobFacts>,
    ) -> Result<Step, Trouble> {
        self.final_patch(JobEvent::Fail, facts, Some(why.to_owned()))
            .await
    }

    pub(super) async fn end(
        &mut self,
        event: JobEvent,
        facts: Option<JobFacts>,
    ) -> Result<Step, Trouble> {
        self.final_patch(event, facts, None).await
    }

    async fn final_patch(
        &mut self,
        event: JobEvent,
        facts: Option<JobFacts>,
        failure: Option<String>,
    ) -> Result<Step, Trouble> {
        let Some(state) = self.job.state.after(event) else {
            tracing::error!(
                job.id = self.job.id.0,
                "{:?} does not follow {:?}",
                event,
                self.job.state
            );
            return Ok(Step::Wait);
        };
        let patch = JobPatch {
            state: Some(state),
            ended: Some(self.inner.now()),
            facts,
            failure: failure.clone(),
            lease: Some(Lease::Release),
            ..JobPatch::default()
        };
        if !self.patch(&patch, Marks::Changed).await? {
            // Somebody changed its state meanwhile, as by asking to cancel it.
            return Ok(Step::Again);
        }
        self.job.state = state;
        match failure {
            Some(why) => tracing::error!(
                job.id = self.job.id.0,
                cluster.name = self.handle.name,
                "a task failed: {why}"
            ),
            None => tracing::info!(job.id = self.job.id.0, "a task ended as {}", state.code()),
        }
        Ok(Step::Done)
    }

    pub(super) async fn fail(&mut self, why: &str) -> Result<(), Trouble> {
        self.job_failed(why, None).await?;
        Ok(())
    }

    /// Puts the task back into the queue, or fails it when it was begun often enough.
    pub(super) async fn give_back(&mut self, why: &str) -> Result<(), Trouble> {
        let attempts = self.job.attempts;
        if attempts >= ATTEMPTS_MAX {
            return self
                .fail(&format!("{why} (begun {attempts} times); start it again"))
                .await;
        }
        let patch = JobPatch {
            // A task that is being canceled keeps its state; the next attempt asks again.
            state: self.job.state.after(JobEvent::Requeue),
            engine_job_id: self.lost.then_some(None),
            not_before: Some(self.inner.now().plus_ns(pause_ns(attempts))),
            lease: Some(Lease::Release),
            ..JobPatch::default()
        };
        tracing::warn!(job.id = self.job.id.0, "given back to the queue: {why}");
        self.patch(&patch, Marks::Changed).await?;
        Err(Trouble::LeaseLost)
    }

    /// The process ends: whoever comes next may continue at once.
    pub(super) async fn release(&mut self) {
        let patch = JobPatch {
            lease: Some(Lease::Release),
            ..JobPatch::default()
        };
        if let Err(Trouble::Console(error)) = self.patch(&patch, Marks::Same).await {
            tracing::warn!(
                job.id = self.job.id.0,
                "giving a task back failed: {}",
                chain(&error)
            );
        }
    }

    /// Fails the task of an attempt that panicked.
    pub(crate) async fn panicked(mut self) {
        let why = "the console stumbled over it; this is a defect, see the log";
        // When this fails too, the lease expires and another attempt is made.
        if self.refresh().await.is_ok() && self.fail(why).await.is_err() {
            tracing::error!(
                job.id = self.job.id.0,
                "a panicked task could not be failed"
            );
        }
    }

    pub(super) async fn patch(&self, patch: &JobPatch, marks: Marks) -> Result<bool, Trouble> {
        let (job, owner) = (&self.job, self.owner.as_str());
        self.inner
            .store
            .change(async |change| {
                let done = change
                    .patch_job(job.id, job.state, Some(owner), patch)
                    .await?;
                if done && marks == Marks::Changed && job.order.kind() == JobKind::DataBackup {
                    change.period_changed(job.cluster).await?;
                }
                Ok::<_, StoreError>(done)
            })
            .await
            .map_err(Trouble::from)
    }
}

/// Whether the marks on the calendar change with a task.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Marks {
    Changed,
    Same,
}
