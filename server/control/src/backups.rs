//! Data backups: back up now, and canceling of tasks.

use crate::{access::Operator, audit::Entry, error::Error, jobs::queue, reports::known};
use domain::{
    ClusterId, JobId, TenantId,
    archive::ArchiveState,
    backup::{BackupKind, BackupsBegun, TaskSource, Trigger},
    capability::Capabilities,
    job::{JobEvent, JobKind, JobState},
    tenant::TenantState,
};
use store::{Job, JobPatch, NewJob, Order, TenantPicture};

impl Operator {
    /// Enqueues a data backup of one tenant, or with `None` of every tenant in service that can be
    /// backed up; the answer says why the others are left out.
    ///
    /// Where the console itself is making the full backup of a new log round, that task is the
    /// answer: a second set beside it would hold nothing more.
    pub async fn back_up_now(
        &self,
        cluster: &str,
        tenant: Option<TenantId>,
        kind: BackupKind,
    ) -> Result<BackupsBegun, Error> {
        let inner = self.inner();
        let handle = self.handle(cluster)?;
        let known = known(inner, &handle).await?;
        check_kind(&known.cluster.capabilities, kind)?;
        let picture = inner.store.picture(handle.id).await?;
        let (chosen, source) = match tenant {
            Some(id) => (vec![named(&picture, id)?], TaskSource::Tenant),
            None => (present(&picture, cluster)?, TaskSource::Cluster),
        };
        let order = Order::Backup {
            asked: kind,
            source,
        };
        let begun = inner
            .store
            .change(async |change| {
                let open = change.unfinished(handle.id).await?;
                let (free, mut begun) = sorted(&chosen, &open);
                if begun.tasks.is_empty() && free.is_empty() {
                    let why = begun.skipped.join("; ");
                    return Err(match chosen.iter().all(|tenant| is_starting(tenant)) {
                        true => Error::NotYet(why),
                        false => Error::Conflict(why),
                    });
                }
                for (at, tenant) in free.into_iter().enumerate() {
                    let new = self.new_backup(handle.id, tenant.id, &order);
                    begun
                        .tasks
                        .push(queue::enqueue(change, open.len() + at, &new).await?);
                    let entry = Entry {
                        operation: "data backup",
                        cluster: handle.id,
                        subject: &tenant.facts.name,
                        detail: kind.code(),
                    };
                    entry.write(change, inner, &self.actor).await?;
                }
                Ok::<_, Error>(begun)
            })
            .await?;
        inner.queue.notify_one();
        handle.nudge(inner.now());
        Ok(begun)
    }

    fn new_backup(&self, cluster: ClusterId, tenant: TenantId, order: &Order) -> NewJob {
        NewJob {
            cluster,
            tenant,
            order: order.clone(),
            trigger: Trigger::Manual,
            token: queue::token(),
            created: self.inner().now(),
            run: None,
        }
    }

    /// Asks a task to stop. What it made so far is removed.
    pub async fn cancel(&self, cluster: &str, task: JobId) -> Result<(), Error> {
        let inner = self.inner();
        let handle = self.handle(cluster)?;
        let capabilities = known(inner, &handle).await?.cluster.capabilities;
        inner
            .store
            .change(async |change| {
                let found = change.job(task).await?;
                let Some(job) = found.filter(|job| job.cluster == handle.id) else {
                    return Err(Error::NotFound {
                        what: "task",
                        id: task.to_string(),
                    });
                };
                let now = inner.now();
                let next = canceled(&job, &capabilities)?;
                let by = &self.actor.name;
                if next.is_final() {
                    let step = format!("Canceled by {by} before it was begun");
                    queue::drop_queued(change, &job, now, &step).await?;
                } else {
                    let patch = JobPatch {
                        state: Some(next),
                        ..JobPatch::default()
                    };
                    change.patch_job(job.id, job.state, None, &patch).await?;
                    let step = format!("{by} asked to cancel it");
                    change.add_step(job.id, now, &step).await?;
                }
                if job.order.kind() == JobKind::DataBackup {
                    change.period_changed(handle.id).await?;
                }
                let entry = Entry {
                    operation: "cancel",
                    cluster: handle.id,
                    subject: &task.to_string(),
                    detail: job.order.kind().code(),
                };
                entry.write(change, inner, &self.actor).await
            })
            .await?;
        inner.schedule.notify_one();
        handle.nudge(inner.now());
        Ok(())
    }
}

fn check_kind(capabilities: &Capabilities, kind: BackupKind) -> Result<(), Error> {
    if kind == BackupKind::Incremental && !capabilities.incremental {
        return Err(Error::invalid(
            "Backup Type",
            kind.label(),
            "this cluster makes full backups only",
        ));
    }
    Ok(())
}

/// The tenant of this number, if it is there.
pub(crate) fn named(picture: &[TenantPicture], id: TenantId) -> Result<&TenantPicture, Error> {
    picture
        .iter()
        .find(|tenant| tenant.id == id)
        .ok_or_else(|| Error::NotFound {
            what: "tenant",
            id: id.to_string(),
        })
}

/// The tenants that are there, also those whose data cannot be used.
fn present<'a>(
    picture: &'a [TenantPicture],
    cluster: &str,
) -> Result<Vec<&'a TenantPicture>, Error> {
    let present: Vec<&TenantPicture> = picture
        .iter()
        .filter(|tenant| tenant.facts.state != TenantState::Offline)
        .collect();
    if present.is_empty() {
        return Err(Error::Conflict(format!(
            "cluster {cluster} has no tenant online; create one first"
        )));
    }
    Ok(present)
}

/// The tenants to enqueue a task for, beside the tasks to join and the reasons of all others.
fn sorted<'a>(
    chosen: &[&'a TenantPicture],
    open: &[Job],
) -> (Vec<&'a TenantPicture>, BackupsBegun) {
    let mut free = Vec::new();
    let mut begun = BackupsBegun::default();
    for tenant in chosen {
        if let Some(why) = not_archiving(tenant) {
            begun.skipped.push(why);
        } else if let Some(own) = queue::own_backup_of(open, tenant.id) {
            begun.tasks.push(own.id);
        } else if let Some(job) = queue::backup_of(open, tenant.id) {
            begun.skipped.push(format!(
                "data backup task {} of tenant {} is not finished; wait for it or cancel it",
                job.id, tenant.facts.name
            ));
        } else {
            free.push(*tenant);
        }
    }
    (free, begun)
}

/// Whether it can be backed up in a moment, without anybody doing anything.
fn is_starting(tenant: &TenantPicture) -> bool {
    let state = tenant.archive.as_ref().map(|archive| &archive.state);
    tenant.facts.state == TenantState::Online
        && matches!(state, Some(ArchiveState::Prepare | ArchiveState::Beginning))
}

/// Why a tenant cannot be backed up: a set is only worth something with the log that continues it.
pub(crate) fn not_archiving(tenant: &TenantPicture) -> Option<String> {
    let name = &tenant.facts.name;
    let state = tenant.archive.as_ref().map(|archive| &archive.state);
    Some(match (tenant.facts.state, state) {
        (TenantState::Online, Some(ArchiveState::Doing)) => return None,
        (TenantState::Offline, _) => format!("tenant {name} is offline"),
        (TenantState::Faulty, _) => {
            let note = tenant.facts.note.as_deref().unwrap_or("see its note");
            format!("the data of tenant {name} cannot be used: {note}")
        }
        (TenantState::Online, Some(ArchiveState::Stop) | None) => {
            format!("log backup of tenant {name} is Stopped; start it under Log Backup Tasks first")
        }
        (TenantState::Online, Some(ArchiveState::Prepare | ArchiveState::Beginning)) => {
            format!("log backup of tenant {name} is Starting; try again in a moment")
        }
        (TenantState::Online, Some(other)) => format!(
            "log backup of tenant {name} is {}; see its note under Log Backup Tasks",
            other.label()
        ),
    })
}

/// The state of a task after somebody asked to stop it, or why that cannot be.
fn canceled(job: &Job, capabilities: &Capabilities) -> Result<JobState, Error> {
    let kind = job.order.kind();
    let what = kind.label();
    let possible = match kind {
        JobKind::Recovery => capabilities.cancel_recovery,
        JobKind::DataBackup | JobKind::SecondData | JobKind::SecondLog | JobKind::Cleanup => {
            capabilities.cancel_backup
        }
    };
    let Some(next) = job.state.after(JobEvent::Cancel) else {
        return Err(Error::Conflict(match job.state.is_final() {
            true => format!(
                "task {} has ended already; there is nothing to cancel",
                job.id
            ),
            false => format!("task {} is being canceled already", job.id),
        }));
    };
    if !possible && !next.is_final() {
        return Err(Error::Conflict(format!(
            "this cluster cannot cancel a {what} that has begun; wait for its end"
        )));
    }
    Ok(next)
}
