//! Data backups: back up now, and canceling of tasks.

use crate::{
    access::{Entry, Operator},
    error::Error,
    jobs::queue,
    reports::known,
};
use domain::{
    JobId, TenantId,
    archive::ArchiveState,
    backup::{BackupKind, TaskSource, Trigger},
    capability::Capabilities,
    job::{JobEvent, JobKind},
    tenant::TenantState,
};
use store::{Job, JobPatch, NewJob, Order, TenantPicture};

impl Operator {
    /// Enqueues a data backup of one tenant, or with `None` of every tenant online.
    ///
    /// Where the console itself is making the full backup of a new log round, that task is the
    /// answer: a second set beside it would hold nothing more.
    pub async fn back_up_now(
        &self,
        cluster: &str,
        tenant: Option<TenantId>,
        kind: BackupKind,
    ) -> Result<Vec<JobId>, Error> {
        let inner = self.inner();
        let handle = self.handle(cluster)?;
        let known = known(inner, cluster).await?;
        check_kind(&known.cluster.capabilities, kind)?;
        let picture = inner.store.picture(handle.id).await?;
        let (chosen, source) = match tenant {
            Some(id) => (vec![named(&picture, id)?], TaskSource::Tenant),
            None => (online(&picture, cluster)?, TaskSource::Cluster),
        };
        check_archiving(&chosen)?;
        let ids = inner
            .store
            .change(async |change| {
                let open = change.unfinished(handle.id).await?;
                let (mut ids, rest) = join_own(&chosen, &open);
                let (busy, free): (Vec<&TenantPicture>, Vec<&TenantPicture>) = rest
                    .iter()
                    .partition(|tenant| queue::backup_of(&open, tenant.id).is_some());
                if ids.is_empty() && free.is_empty() {
                    return Err(unfinished_backups(&busy, &open));
                }
                for tenant in free {
                    let new = NewJob {
                        cluster: handle.id,
                        tenant: tenant.id,
                        order: Order::Backup {
                            asked: kind,
                            source,
                        },
                        trigger: Trigger::Manual,
                        token: queue::token(),
                        created: inner.now(),
                    };
                    ids.push(queue::enqueue(change, open.len() + ids.len(), &new).await?);
                    let entry = Entry {
                        operation: "data backup",
                        cluster: handle.id,
                        subject: &tenant.facts.name,
                        detail: kind.code(),
                    };
                    entry.write(change, inner, &self.actor).await?;
                }
                Ok::<_, Error>(ids)
            })
            .await?;
        inner.queue.notify_one();
        handle.nudge(inner.now());
        Ok(ids)
    }

    /// Asks a data backup or recovery to stop. What it made so far is removed.
    pub async fn cancel(&self, cluster: &str, task: JobId) -> Result<(), Error> {
        let inner = self.inner();
        let handle = self.handle(cluster)?;
        let capabilities = known(inner, cluster).await?.cluster.capabilities;
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
                let patch = cancel_patch(&job, &capabilities, inner.now())?;
                change.patch_job(job.id, job.state, None, &patch).await?;
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

fn online<'a>(
    picture: &'a [TenantPicture],
    cluster: &str,
) -> Result<Vec<&'a TenantPicture>, Error> {
    let online: Vec<&TenantPicture> = picture
        .iter()
        .filter(|tenant| tenant.facts.state == TenantState::Online)
        .collect();
    if online.is_empty() {
        return Err(Error::Conflict(format!(
            "cluster {cluster} has no tenant online; create one first"
        )));
    }
    Ok(online)
}

/// A data backup is only worth something with the log that continues it.
fn check_archiving(tenants: &[&TenantPicture]) -> Result<(), Error> {
    let mut reasons = Vec::new();
    for tenant in tenants {
        let name = &tenant.facts.name;
        let state = tenant.archive.as_ref().map(|archive| &archive.state);
        reasons.push(match (tenant.facts.state, state) {
            (TenantState::Online, Some(ArchiveState::Doing)) => continue,
            (TenantState::Offline, _) => format!("tenant {name} is offline"),
            (TenantState::Faulty, _) => {
                let note = tenant.facts.note.as_deref().unwrap_or("see its note");
                format!("the data of tenant {name} cannot be used: {note}")
            }
            (TenantState::Online, Some(ArchiveState::Stop) | None) => format!(
                "log backup of tenant {name} is Stopped; start it under Log Backup Tasks first"
            ),
            (TenantState::Online, Some(ArchiveState::Prepare | ArchiveState::Beginning)) => {
                format!("log backup of tenant {name} is Starting; try again in a moment")
            }
            (TenantState::Online, Some(other)) => format!(
                "log backup of tenant {name} is {}; see its note under Log Backup Tasks",
                other.label()
            ),
        });
    }
    match reasons.is_empty() {
        true => Ok(()),
        false => Err(Error::Conflict(reasons.join("; "))),
    }
}

/// The full backups that the console is making by itself, and the tenants without one.
fn join_own<'a>(
    chosen: &[&'a TenantPicture],
    open: &[Job],
) -> (Vec<JobId>, Vec<&'a TenantPicture>) {
    let own = |tenant: &TenantPicture| queue::own_backup_of(open, tenant.id);
    let ids = chosen.iter().filter_map(|tenant| Some(own(tenant)?.id));
    let rest = chosen.iter().filter(|tenant| own(tenant).is_none());
    (ids.collect(), rest.copied().collect())
}

fn unfinished_backups(busy: &[&TenantPicture], open: &[Job]) -> Error {
    let reasons: Vec<String> = busy
        .iter()
        .filter_map(|tenant| {
            let job = queue::backup_of(open, tenant.id)?;
            Some(format!(
                "data backup task {} of tenant {} is not finished; wait for it or cancel it",
                job.id, tenant.facts.name
            ))
        })
        .collect();
    Error::Conflict(reasons.join("; "))
}

fn cancel_patch(
    job: &Job,
    capabilities: &Capabilities,
    now: domain::Scn,
) -> Result<JobPatch, Error> {
    let (possible, what) = match job.order.kind() {
        JobKind::DataBackup => (capabilities.cancel_backup, "data backup"),
        JobKind::Recovery => (capabilities.cancel_recovery, "recovery"),
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
    Ok(JobPatch {
        state: Some(next),
        ended: next.is_final().then_some(now),
        ..JobPatch::default()
    })
}
