//! What follows from the end of a task: a set that was made is copied to the second destination.

use super::queue;
use crate::{console::Inner, error::Error};
use domain::{BackupSetId, backup::Trigger, job::JobKind};
use store::{Change, Job, NewJob, Order};

/// Queues the copy of a set that a data backup has just made, if the strategy wants one. Part of the change
/// that ends the backup, so it happens once however often that is tried.
pub(crate) async fn backed_up(
    change: &Change,
    inner: &Inner,
    job: &Job,
    set: BackupSetId,
) -> Result<(), Error> {
    if job.order.kind() != JobKind::DataBackup || !is_wanted(change, job).await? {
        return Ok(());
    }
    let new = NewJob {
        cluster: job.cluster,
        tenant: job.tenant,
        order: Order::SecondData { set },
        trigger: Trigger::Follow,
        token: queue::token(),
        created: inner.now(),
        run: None,
    };
    let open = change.unfinished(job.cluster).await?;
    let step = match queue::enqueue(change, open.len(), &new).await {
        Ok(id) => format!("Task {id} copies the set to the second destination"),
        // The backup itself is done; that must not depend on the length of the queue.
        Err(Error::Conflict(why)) => format!("The set is not copied: {why}"),
        Err(error) => return Err(error),
    };
    change.add_last_step(job.id, inner.now(), &step).await?;
    Ok(())
}

async fn is_wanted(change: &Change, job: &Job) -> Result<bool, Error> {
    let known = change.strategy(job.cluster).await?;
    Ok(known.is_some_and(|known| {
        let strategy = &known.strategy;
        let second = strategy.settings.second.as_ref();
        !strategy.paused && second.is_some_and(|second| second.data)
    }))
}
