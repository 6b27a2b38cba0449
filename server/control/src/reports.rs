//! What the page shows above its tables, made from stored observations only.

use crate::{access::Viewer, console::Inner, error::Error};
use domain::{
    BackupSetId, JobId, Scn,
    archive::{ArchiveState, LogArchive},
    backup::{BackupJob, BackupKind, BackupSet},
    cluster::{Cluster, ClusterSummary, ScheduleStatus},
    page::{Marker, MarkerKind, Overview, Page, Period, TaskFilter, TenantPeriod},
    recoverable::{self, Gap, RecoverableRange, SetPoint},
    recovery::RecoveryJob,
    scn::NS_PER_DAY,
    second_backup::Place,
    tenant::{Tenant, TenantState},
};
use store::{KnownCluster, TenantPicture};

/// Days that the calendar can show marks of.
const MARKED_DAYS: u64 = 40;
/// Most marks of sets on the calendar; the newest ones are shown.
const SET_MARKS_MAX: usize = 2000;
/// Most recoverable ranges of a tenant that a page gets, and gaps between them; the newest ones.
/// Whether a moment can be recovered is always decided with all of them.
const RANGES_MAX: usize = 1000;

impl Viewer {
    /// Every cluster with its basic information, by name.
    pub async fn clusters(&self) -> Result<Vec<ClusterSummary>, Error> {
        let inner = &self.console.inner;
        let mut summaries = Vec::new();
        for known in inner.store.clusters().await? {
            let picture = inner.store.picture(known.cluster.id).await?;
            summaries.push(summarize(inner, known.cluster, &picture).await?);
        }
        Ok(summaries)
    }

    /// Everything above the task tables of a cluster.
    pub async fn overview(&self, cluster: &str) -> Result<Overview, Error> {
        let inner = &self.console.inner;
        // Read first: what changes meanwhile comes again with the feed instead of being missed.
        let rev = inner.store.revision().await?;
        let known = known(inner, cluster).await?;
        let picture = inner.store.picture(known.cluster.id).await?;
        Ok(Overview {
            period: period_of(inner, &known.cluster, &picture).await?,
            summary: summarize(inner, known.cluster, &picture).await?,
            now: inner.now(),
            rev,
        })
    }

    /// The tenants of a cluster, by name.
    pub async fn tenants(&self, cluster: &str) -> Result<Vec<Tenant>, Error> {
        let inner = &self.console.inner;
        let id = inner.handle(cluster)?.id;
        let picture = inner.store.picture(id).await?;
        Ok(picture.iter().map(TenantPicture::tenant).collect())
    }

    /// A page of "Data Backup Tasks".
    pub async fn backups(
        &self,
        cluster: &str,
        filter: &TaskFilter,
    ) -> Result<Page<BackupJob>, Error> {
        let inner = &self.console.inner;
        let id = inner.handle(cluster)?.id;
        Ok(inner.store.backups(id, filter).await?)
    }

    /// A page of "Log Backup Tasks".
    pub async fn archives(
        &self,
        cluster: &str,
        filter: &TaskFilter,
    ) -> Result<Page<LogArchive>, Error> {
        let inner = &self.console.inner;
        let id = inner.handle(cluster)?.id;
        Ok(inner.store.archives(id, filter).await?)
    }

    /// A page of "Recovery Tasks".
    pub async fn recoveries(
        &self,
        cluster: &str,
        filter: &TaskFilter,
    ) -> Result<Page<RecoveryJob>, Error> {
        let inner = &self.console.inner;
        let id = inner.handle(cluster)?.id;
        Ok(inner.store.recoveries(id, filter).await?)
    }

    /// One data backup task.
    pub async fn backup(&self, cluster: &str, task: JobId) -> Result<BackupJob, Error> {
        let inner = &self.console.inner;
        let id = inner.handle(cluster)?.id;
        let found = inner.store.backup(id, task).await?;
        found.ok_or_else(|| no_task("data backup task", task))
    }

    /// One recovery task.
    pub async fn recovery(&self, cluster: &str, task: JobId) -> Result<RecoveryJob, Error> {
        let inner = &self.console.inner;
        let id = inner.handle(cluster)?.id;
        let found = inner.store.recovery(id, task).await?;
        found.ok_or_else(|| no_task("recovery task", task))
    }
}

fn no_task(what: &'static str, id: JobId) -> Error {
    Error::NotFound {
        what,
        id: id.to_string(),
    }
}

/// The stored cluster of this name.
pub(crate) async fn known(inner: &Inner, name: &str) -> Result<KnownCluster, Error> {
    let found = inner.store.cluster(name).await?;
    found.ok_or_else(|| inner.no_cluster(name))
}

/// The basic information of a cluster.
pub(crate) async fn summarize(
    inner: &Inner,
    cluster: Cluster,
    picture: &[TenantPicture],
) -> Result<ClusterSummary, Error> {
    let active = inner.store.unfinished_count(cluster.id).await?;
    let active = u32::try_from(active).unwrap_or(u32::MAX);
    Ok(summary(cluster, picture, active))
}

/// The Available Recovery Period of a cluster.
pub(crate) async fn period_of(
    inner: &Inner,
    cluster: &Cluster,
    picture: &[TenantPicture],
) -> Result<Period, Error> {
    let since = inner.now().minus_ns(MARKED_DAYS * NS_PER_DAY);
    let jobs = inner.store.marked_backups(cluster.id, since).await?;
    Ok(Period {
        tenants: picture.iter().map(tenant_period).collect(),
        markers: markers(picture, &jobs, since),
    })
}

fn summary(cluster: Cluster, picture: &[TenantPicture], tasks_active: u32) -> ClusterSummary {
    let online: Vec<&TenantPicture> = picture
        .iter()
        .filter(|tenant| tenant.facts.state == TenantState::Online)
        .collect();
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let oldest = online
        .iter()
        .filter_map(|tenant| Some((running_checkpoint(tenant)?, &tenant.facts.name)))
        .min();
    let ranges = recoverable::union(picture.iter().flat_map(ranges).collect());
    ClusterSummary {
        cluster,
        // No strategies exist yet, so scheduling is never anything else.
        status: ScheduleStatus::None,
        tenants: number(online.len()),
        backup_file_bytes: picture
            .iter()
            .map(|tenant| tenant.facts.data_bytes + tenant.facts.log_bytes)
            .sum(),
        last_data_backup: online
            .iter()
            .flat_map(|tenant| &tenant.sets)
            .map(|set| set.finished)
            .max(),
        tenants_backed_up: number(online.iter().filter(|t| !t.sets.is_empty()).count()),
        log_checkpoint: oldest.map(|(checkpoint, _)| checkpoint),
        log_checkpoint_tenant: oldest.map(|(_, name)| name.clone()),
        log_not_running: number(online.iter().filter(|tenant| !archives(tenant)).count()),
        recoverable_from: ranges.first().map(|range| range.start),
        recoverable_until: ranges.last().map(|range| range.end),
        tasks_active,
    }
}

fn archives(tenant: &TenantPicture) -> bool {
    tenant
        .archive
        .as_ref()
        .is_some_and(|archive| archive.state == ArchiveState::Doing)
}

/// The checkpoint of a tenant whose archiving is meant to run, also while it is interrupted.
fn running_checkpoint(tenant: &TenantPicture) -> Option<Scn> {
    let archive = tenant.archive.as_ref()?;
    match archive.state {
        ArchiveState::Stop | ArchiveState::Stopping => None,
        _ => archive.checkpoint,
    }
}

/// The recoverable ranges of a tenant, from whichever copy.
pub(crate) fn ranges(tenant: &TenantPicture) -> Vec<RecoverableRange> {
    let first = ranges_of(tenant, Place::First);
    match tenant.second {
        None => first,
        // Each copy by itself: a set of one is not continued by log of the other.
        Some(_) => {
            let second = ranges_of(tenant, Place::Second);
            recoverable::union(first.into_iter().chain(second).collect())
        }
    }
}

/// The recoverable ranges of a tenant from one copy.
pub(crate) fn ranges_of(tenant: &TenantPicture, place: Place) -> Vec<RecoverableRange> {
    let (sets, spans) = match place {
        Place::First => (&*tenant.sets, &*tenant.spans),
        Place::Second => (tenant.second_sets(), tenant.second_spans()),
    };
    let points: Vec<SetPoint> = sets
        .iter()
        .map(|set| SetPoint {
            id: set.id,
            round: set.round,
            min_restore_scn: set.min_restore_scn,
        })
        .collect();
    recoverable::ranges(&points, spans)
}

/// The time between ranges, and why; log of either copy tells it.
fn gaps(tenant: &TenantPicture, ranges: &[RecoverableRange]) -> Vec<Gap> {
    match tenant.second_spans() {
        [] => recoverable::gaps(ranges, &tenant.spans),
        second => recoverable::gaps(ranges, &[&*tenant.spans, second].concat()),
    }
}

fn tenant_period(tenant: &TenantPicture) -> TenantPeriod {
    let ranges = ranges(tenant);
    TenantPeriod {
        tenant: tenant.id,
        name: tenant.facts.name.clone(),
        state: tenant.facts.state,
        gaps: newest(gaps(tenant, &ranges), RANGES_MAX),
        ranges: newest(ranges, RANGES_MAX),
        checkpoint: tenant
            .archive
            .as_ref()
            .and_then(|archive| archive.checkpoint),
    }
}

fn markers(picture: &[TenantPicture], jobs: &[BackupJob], since: Scn) -> Vec<Marker> {
    let sets = picture.iter().flat_map(|tenant| {
        let recent = tenant
            .sets
            .iter()
            .filter(|set| set.min_restore_scn >= since);
        recent.map(|set| set_marker(tenant, set))
    });
    let mut sets: Vec<Marker> = sets.collect();
    sets.sort_by_key(|marker| marker.at);
    let sets = newest(sets, SET_MARKS_MAX).into_iter();
    let mut markers: Vec<Marker> = sets.chain(jobs.iter().map(job_marker)).collect();
    markers.sort_by_key(|marker| (marker.at, marker.tenant));
    markers
}

/// The last `limit` of what is in ascending order.
fn newest<T>(mut all: Vec<T>, limit: usize) -> Vec<T> {
    all.drain(..all.len().saturating_sub(limit));
    all
}

fn set_marker(tenant: &TenantPicture, set: &BackupSet) -> Marker {
    Marker {
        tenant: tenant.id,
        tenant_name: tenant.facts.name.clone(),
        kind: match set.kind {
            BackupKind::Full => MarkerKind::Full,
            BackupKind::Incremental => MarkerKind::Incremental,
        },
        at: set.min_restore_scn,
        set: Some(set.id),
        full_set: full_set(&tenant.sets, set),
    }
}

fn job_marker(job: &BackupJob) -> Marker {
    Marker {
        tenant: job.tenant,
        tenant_name: job.tenant_name.clone(),
        kind: if job.state.is_final() {
            MarkerKind::Failed
        } else {
            MarkerKind::Running
        },
        at: job.started.unwrap_or(job.created),
        set: None,
        full_set: None,
    }
}

/// The full set that a chain begins with. A chain is never longer than there are sets.
fn full_set(sets: &[BackupSet], of: &BackupSet) -> Option<BackupSetId> {
    let mut at = of;
    for _ in sets {
        let Some(base) = at.base else {
            return Some(at.id);
        };
        at = sets.iter().find(|set| set.id == base)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_keeps_the_newest() {
        assert_eq!(newest(vec![1, 2, 3], 2), [2, 3]);
        assert_eq!(newest(vec![1, 2, 3], 9), [1, 2, 3]);
    }
}
