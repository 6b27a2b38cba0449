//! The queue's rules: which task may be claimed, and what an order must not collide with.

use crate::{console::Inner, error::Error, handle::ClusterHandle};
use domain::{
    JobId, Scn, TenantId,
    backup::Trigger,
    job::{JobEvent, JobKind, JobState},
    scn::NS_PER_SECOND,
};
use std::collections::HashSet;
use store::{Change, Claim, Job, JobPatch, Lease, NewJob, Order, PAUSE_MAX_NS, UNFINISHED_MAX};
use uuid::Uuid;

/// How long a task stays with an attempt that is not heard of.
pub(crate) const LEASE_NS: u64 = 10 * NS_PER_SECOND;
/// How often the pause of a second before a task is begun again is doubled at most.
const PAUSE_DOUBLINGS_MAX: u32 = 5;
/// Data backups that run at once in a cluster.
const BACKUPS_MAX: usize = 2;
/// Copies of each sort that run at once in a cluster.
const COPIES_MAX: usize = 2;
/// Recoveries that run at once in a cluster.
const RECOVERIES_MAX: usize = 2;

/// A task that this process works on now.
pub(crate) struct Claimed {
    /// The task as it is after the claim.
    pub(crate) job: Job,
    /// The mark of this attempt: whatever it writes is refused once another attempt holds the task.
    pub(crate) owner: String,
}

/// Claims the next task of a cluster that is free, within the limits and not `held` by this process:
/// an attempt that runs here keeps its task, whatever the clock says about its lease.
pub(crate) async fn claim(
    inner: &Inner,
    handle: &ClusterHandle,
    held: &HashSet<JobId>,
) -> Result<Option<Claimed>, Error> {
    let now = inner.now();
    // First without a change: most often there is nothing to claim.
    let open = inner.store.unfinished(handle.id).await?;
    if next(&open, held, now).is_none() {
        return Ok(None);
    }
    inner
        .store
        .change(async |change| {
            let open = change.unfinished(handle.id).await?;
            let Some(job) = next(&open, held, now) else {
                return Ok(None);
            };
            take(change, job, now).await
        })
        .await
}

async fn take(change: &Change, job: &Job, now: Scn) -> Result<Option<Claimed>, Error> {
    // Only a task that has to be begun counts as an attempt; continuing one does not.
    let (to, counts) = match job.state.after(JobEvent::Claim) {
        Some(starting) => (starting, 1),
        None => (job.state, 0),
    };
    let owner = Uuid::new_v4().to_string();
    let terms = Claim {
        now,
        until: now.plus_ns(LEASE_NS),
        counts,
    };
    if !change.claim(job, to, &owner, terms).await? {
        return Ok(None);
    }
    if job.order.kind() == JobKind::DataBackup {
        change.period_changed(job.cluster).await?;
    }
    let step = match counts {
        1 => format!("Attempt {} begins", job.attempts + 1),
        _ => "Taken up again where it is".to_owned(),
    };
    change.add_step(job.id, now, &step).await?;
    let job = Job {
        state: to,
        attempts: job.attempts + counts,
        lease_owner: Some(owner.clone()),
        ..job.clone()
    };
    Ok(Some(Claimed { job, owner }))
}

/// The oldest task that may be claimed now.
fn next<'a>(open: &'a [Job], held: &HashSet<JobId>, now: Scn) -> Option<&'a Job> {
    open.iter()
        .filter(|job| !held.contains(&job.id) && is_free(job, now))
        .find(|job| job.state != JobState::Queued || has_room(open, job))
}

fn is_free(job: &Job, now: Scn) -> bool {
    job.is_due(now) && job.lease_until.is_none_or(|until| until <= now)
}

/// How long a task waits that has been begun `attempts` times.
pub(crate) fn pause_ns(attempts: u32) -> u64 {
    (NS_PER_SECOND << attempts.min(PAUSE_DOUBLINGS_MAX)).min(PAUSE_MAX_NS)
}

/// Whether a queued task may begin beside those that run.
fn has_room(open: &[Job], job: &Job) -> bool {
    let running = || {
        open.iter().filter(|other| {
            other.state != JobState::Queued && other.order.kind() == job.order.kind()
        })
    };
    match job.order {
        Order::Backup { .. } => {
            running().count() < BACKUPS_MAX && running().all(|other| other.tenant != job.tenant)
        }
        Order::Recovery { .. } => running().count() < RECOVERIES_MAX,
        Order::SecondData { .. } | Order::SecondLog => {
            running().count() < COPIES_MAX && running().all(|other| other.tenant != job.tenant)
        }
        Order::Cleanup { .. } => running().next().is_none(),
    }
}

/// The unfinished data backup of a tenant, if there is one.
pub(crate) fn backup_of(open: &[Job], tenant: TenantId) -> Option<&Job> {
    open.iter()
        .find(|job| job.tenant == tenant && job.order.kind() == JobKind::DataBackup)
}

/// The unfinished task that does the same to the same tenant, if there is one.
pub(crate) fn same_as<'a>(open: &'a [Job], tenant: TenantId, order: &Order) -> Option<&'a Job> {
    open.iter().find(|job| {
        let same = match (&job.order, order) {
            (Order::SecondData { set }, Order::SecondData { set: other }) => set == other,
            (Order::Cleanup { place, .. }, Order::Cleanup { place: other, .. }) => place == other,
            (
                Order::Recovery { new_name, .. },
                Order::Recovery {
                    new_name: other, ..
                },
            ) => new_name == other,
            (one, other) => one.kind() == other.kind(),
        };
        same && (job.tenant == tenant || order.kind() == JobKind::Recovery)
    })
}

/// The unfinished full backup that the console began by itself for a tenant's new log round.
pub(crate) fn own_backup_of(open: &[Job], tenant: TenantId) -> Option<&Job> {
    backup_of(open, tenant)
        .filter(|job| job.trigger == Trigger::NewRound && job.state != JobState::Canceling)
}

/// The unfinished recovery that will make a tenant of this name, if there is one.
pub(crate) fn recovery_to<'a>(open: &'a [Job], name: &str) -> Option<&'a Job> {
    open.iter()
        .find(|job| matches!(&job.order, Order::Recovery { new_name, .. } if new_name == name))
}

/// Puts a task into the queue; too many unfinished ones are refused.
pub(crate) async fn enqueue(change: &Change, open: usize, new: &NewJob) -> Result<JobId, Error> {
    if u64::try_from(open).unwrap_or(u64::MAX) >= UNFINISHED_MAX {
        return Err(Error::Conflict(format!(
            "{UNFINISHED_MAX} tasks of this cluster are not finished; wait for them or cancel some"
        )));
    }
    let id = change.enqueue(new).await?;
    if new.order.kind() == JobKind::DataBackup {
        change.period_changed(new.cluster).await?;
    }
    if let Order::SecondData { set } = new.order {
        change.copies_changed(new.tenant, set).await?;
    }
    let step = format!("Queued {}", because(new.trigger));
    change.add_step(id, new.created, &step).await?;
    Ok(id)
}

const fn because(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Manual => "by a person",
        Trigger::NewRound => "by the console, as the first full backup of a new log round",
        Trigger::Schedule => "by the schedule",
        Trigger::Follow => "by the console, because a set was made",
        Trigger::Retry => "by a person who tries a task again",
    }
}

/// Ends a task that nobody has begun; `step` tells why.
pub(crate) async fn drop_queued(
    change: &Change,
    job: &Job,
    now: Scn,
    step: &str,
) -> Result<(), Error> {
    let patch = JobPatch {
        state: job.state.after(JobEvent::Cancel),
        ended: Some(now),
        lease: Some(Lease::Release),
        ..JobPatch::default()
    };
    change.patch_job(job.id, job.state, None, &patch).await?;
    change.add_last_step(job.id, now, step).await?;
    ended(change, job).await
}

/// What is told elsewhere when a task ends.
pub(crate) async fn ended(change: &Change, job: &Job) -> Result<(), Error> {
    if let Order::SecondData { set } = job.order {
        change.copies_changed(job.tenant, set).await?;
    }
    Ok(())
}

/// A mark for an order, unique for ever: it must not be found on media from before this database.
pub(crate) fn token() -> String {
    Uuid::new_v4().to_string()
}
