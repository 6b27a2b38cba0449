//! Trying a task again that failed or was canceled.

use super::queue;
use crate::{
    access::Operator,
    audit::Entry,
    backups::{named, not_archiving},
    error::Error,
};
use domain::{
    JobId,
    backup::Trigger,
    job::{JobKind, JobState},
    tenant::TenantState,
};
use store::{Change, Job, NewJob, Order, TenantPicture};

impl Operator {
    /// Tries a task again that failed or was canceled: a new task with the same order, which the answer
    /// names. Asked twice, the answer is the same. The run of the schedule that the task belongs to goes on.
    pub async fn retry(&self, cluster: &str, task: JobId) -> Result<JobId, Error> {
        let inner = self.inner();
        let handle = self.handle(cluster)?;
        let picture = inner.store.picture(handle.id).await?;
        let id = inner
            .store
            .change(async |change| {
                let found = change.job(task).await?;
                let Some(job) = found.filter(|job| job.cluster == handle.id) else {
                    return Err(Error::NotFound {
                        what: "task",
                        id: task.to_string(),
                    });
                };
                if let Some(again) = tried_again(change, &job).await? {
                    return Ok(again);
                }
                let open = change.unfinished(handle.id).await?;
                check(&job, &open, &picture)?;
                let id = self.enqueue_again(change, &job, open.len()).await?;
                let entry = Entry {
                    operation: "retry",
                    cluster: handle.id,
                    subject: &task.to_string(),
                    detail: &format!("{} as task {id}", job.order.kind().code()),
                };
                entry.write(change, inner, &self.actor).await?;
                Ok(id)
            })
            .await?;
        inner.queue.notify_one();
        inner.schedule.notify_one();
        handle.nudge(inner.now());
        Ok(id)
    }

    async fn enqueue_again(&self, change: &Change, job: &Job, open: usize) -> Result<JobId, Error> {
        let now = self.inner().now();
        let new = NewJob {
            cluster: job.cluster,
            tenant: job.tenant,
            order: job.order.clone(),
            trigger: Trigger::Retry,
            token: queue::token(),
            created: now,
            run: job.run,
        };
        let id = queue::enqueue(change, open, &new).await?;
        change.mark_retry(id, job.id).await?;
        let step = format!("It tries task {} again", job.id);
        change.add_step(id, now, &step).await?;
        let step = format!("{} tries it again as task {id}", self.actor.name);
        change.add_last_step(job.id, now, &step).await?;
        if let Some(run) = job.run {
            change.reopen_run(run).await?;
        }
        Ok(id)
    }
}

/// The task that tries this one again now, as after a double click. One that has ended is refused: it is
/// the one to try again.
async fn tried_again(change: &Change, job: &Job) -> Result<Option<JobId>, Error> {
    let Some(again) = change.retry_of(job.id).await? else {
        return Ok(None);
    };
    match again.state {
        state if !state.is_final() => Ok(Some(again.id)),
        JobState::Completed => Err(Error::Conflict(format!(
            "task {} was tried again as task {}, which is complete; there is nothing left to do",
            job.id, again.id
        ))),
        _ => Err(Error::Conflict(format!(
            "task {} was tried again already; retry task {} instead",
            job.id, again.id
        ))),
    }
}

/// Refuses what has not ended badly, and what would collide with something that is there.
fn check(job: &Job, open: &[Job], picture: &[TenantPicture]) -> Result<(), Error> {
    let kind = job.order.kind();
    if !matches!(job.state, JobState::Failed | JobState::Canceled) {
        return Err(Error::Conflict(match job.state.is_final() {
            true => format!("task {} is complete; there is nothing to retry", job.id),
            false => format!(
                "task {} has not ended; wait for its end or cancel it",
                job.id
            ),
        }));
    }
    if let Some(other) = queue::same_as(open, job.tenant, &job.order) {
        return Err(Error::Conflict(format!(
            "{} task {} does the same and is not finished; wait for it or cancel it",
            kind.label(),
            other.id
        )));
    }
    let tenant = named(picture, job.tenant)?;
    if kind == JobKind::DataBackup
        && let Some(why) = not_archiving(tenant)
    {
        return Err(Error::Conflict(why));
    }
    if let Order::Recovery { new_name, .. } = &job.order
        && picture
            .iter()
            .any(|other| other.facts.name == *new_name && other.facts.state != TenantState::Offline)
    {
        return Err(Error::Conflict(format!(
            "a tenant {new_name} exists now; initiate a new recovery under another name"
        )));
    }
    Ok(())
}
