//! What an attempt writes about its task; refused as soon as another attempt holds it.

use super::{ATTEMPTS_MAX, Attempt, Step, Trouble};
use crate::{
    error::{Error, chain},
    jobs::{
        follow,
        queue::{self, pause_ns},
    },
};
use domain::{
    job::{JobEvent, JobKind, JobState},
    scn::NS_PER_SECOND,
};
use store::{Change, JobFacts, JobPatch, Lease};

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
        let step = last_step(state, failure.as_deref(), facts.as_ref());
        let patch = JobPatch {
            state: Some(state),
            ended: Some(self.inner.now()),
            facts,
            failure: failure.clone(),
            lease: Some(Lease::Release),
            ..JobPatch::default()
        };
        if !self.patch(&patch, Marks::Changed, Some(&step)).await? {
            // Somebody changed its state meanwhile, as by asking to cancel it.
            return Ok(Step::Again);
        }
        self.job.state = state;
        if self.job.run.is_some() {
            self.inner.schedule.notify_one();
        }
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
        let pause = pause_ns(attempts);
        let step = format!(
            "Given back to the queue, to go on in {} s: {why}",
            pause / NS_PER_SECOND
        );
        let patch = JobPatch {
            // A task that is being canceled keeps its state; the next attempt asks again.
            state: self.job.state.after(JobEvent::Requeue),
            engine_job_id: self.lost.then_some(None),
            not_before: Some(self.inner.now().plus_ns(pause)),
            lease: Some(Lease::Release),
            ..JobPatch::default()
        };
        tracing::warn!(job.id = self.job.id.0, "given back to the queue: {why}");
        self.patch(&patch, Marks::Changed, Some(&step)).await?;
        Err(Trouble::LeaseLost)
    }

    /// The process ends: whoever comes next may continue at once.
    pub(super) async fn release(&mut self) {
        let patch = JobPatch {
            lease: Some(Lease::Release),
            ..JobPatch::default()
        };
        if let Err(Trouble::Console(error)) = self.patch(&patch, Marks::Same, None).await {
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

    /// Changes the task, and adds `step` to its log with it. `false` when it does not stand as it did.
    pub(super) async fn patch(
        &self,
        patch: &JobPatch,
        marks: Marks,
        step: Option<&str>,
    ) -> Result<bool, Trouble> {
        let (job, owner) = (&self.job, self.owner.as_str());
        let done = self.inner.store.change(async |change| {
            let done = change
                .patch_job(job.id, job.state, Some(owner), patch)
                .await?;
            if !done {
                return Ok(false);
            }
            if marks == Marks::Changed && job.order.kind() == JobKind::DataBackup {
                change.period_changed(job.cluster).await?;
            }
            let ends = patch.state.filter(|state| state.is_final());
            match (ends, step) {
                (Some(state), step) => self.ended(change, state, patch, step).await?,
                (None, Some(step)) => change.add_step(job.id, self.inner.now(), step).await?,
                (None, None) => {}
            }
            Ok::<_, Error>(true)
        });
        done.await.map_err(Trouble::from)
    }

    /// What belongs to the end of a task, in the same change.
    async fn ended(
        &self,
        change: &Change,
        state: JobState,
        patch: &JobPatch,
        step: Option<&str>,
    ) -> Result<(), Error> {
        let (inner, job) = (&self.inner, &self.job);
        if let Some(step) = step {
            change.add_last_step(job.id, inner.now(), step).await?;
        }
        queue::ended(change, job).await?;
        let set = patch.facts.as_ref().and_then(|facts| facts.set);
        if state == JobState::Completed
            && let Some(set) = set
        {
            follow::backed_up(change, inner, job, set).await?;
        }
        Ok(())
    }

    /// Adds a step to the log, if that is possible.
    pub(super) async fn note(&self, step: &str) {
        let (id, now) = (self.job.id, self.inner.now());
        let noted = self
            .inner
            .store
            .change(async |change| change.add_step(id, now, step).await);
        if let Err(error) = noted.await {
            tracing::warn!(
                job.id = id.0,
                "a step could not be noted: {}",
                chain(&error)
            );
        }
    }
}

fn last_step(state: JobState, failure: Option<&str>, facts: Option<&JobFacts>) -> String {
    match (state, failure) {
        (_, Some(why)) => format!("Failed: {why}"),
        (JobState::Canceled, None) => "Canceled; what it had made is removed".to_owned(),
        (_, None) => match facts.and_then(|facts| facts.outcome.as_deref()) {
            Some(outcome) => format!("Completed: {outcome}"),
            None => "Completed; the result is in place".to_owned(),
        },
    }
}

/// Whether the marks on the calendar change with a task.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Marks {
    Changed,
    Same,
}
