//! What the page shows above its tables, made from stored observations only.

use crate::{
    access::Viewer,
    console::Inner,
    error::Error,
    handle::ClusterHandle,
    shown::{Shown, ShownTenant},
    strategies,
};
use domain::{
    ClusterId, JobId, Scn, TenantId,
    access::Role,
    archive::{ArchiveState, LogArchive},
    backup::BackupJob,
    cluster::{Cluster, ClusterSummary, ScheduleStatus},
    page::{Marker, MarkerKind, Overview, Page, Period, TaskFilter, TenantPeriod},
    recovery::RecoveryJob,
    scn::NS_PER_DAY,
    tenant::{Tenant, TenantState},
};
use std::sync::Arc;
use store::{KnownCluster, MarkedBackup};

/// Days that the calendar can show marks of.
const MARKED_DAYS: u64 = 40;

impl Viewer {
    /// Every cluster that the actor may look at, with its basic information, by name.
    pub async fn clusters(&self) -> Result<Vec<ClusterSummary>, Error> {
        let inner = &self.console.inner;
        let mut summaries = Vec::new();
        for known in self.seen().await? {
            let shown = shown(inner, &known).await?;
            summaries.push(summarize(inner, known, &shown).await?);
        }
        Ok(summaries)
    }

    /// Everything above the task tables of a cluster.
    pub async fn overview(&self, cluster: &str) -> Result<Overview, Error> {
        let inner = &self.console.inner;
        // Read first: what changes meanwhile comes again with the feed instead of being missed.
        let rev = inner.store.revision().await?;
        let handle = self.handle(cluster)?;
        let known = known(inner, &handle).await?;
        let shown = inner.shown(&handle, known.observed_rev).await?;
        Ok(Overview {
            role: self.role_in(handle.id),
            period: period_of(inner, &known.cluster, &shown).await?,
            summary: summarize(inner, known, &shown).await?,
            now: inner.now(),
            rev,
        })
    }

    fn role_in(&self, cluster: ClusterId) -> Role {
        let role = self.actor.grants.in_cluster(cluster);
        role.unwrap_or(Role::Viewer)
    }

    /// What the Available Recovery Period of one tenant consists of, and the console's now; nothing while the
    /// tenant has not been observed.
    pub async fn period(
        &self,
        cluster: &str,
        tenant: TenantId,
    ) -> Result<(Option<TenantPeriod>, Scn), Error> {
        let inner = &self.console.inner;
        let handle = self.handle(cluster)?;
        let known = known(inner, &handle).await?;
        let shown = inner.shown(&handle, known.observed_rev).await?;
        let found = shown.tenants.iter().find(|shown| shown.id == tenant);
        Ok((found.map(|tenant| tenant.period()), inner.now()))
    }

    /// The tenants of a cluster, by name.
    pub async fn tenants(&self, cluster: &str) -> Result<Vec<Tenant>, Error> {
        let inner = &self.console.inner;
        let id = self.handle(cluster)?.id;
        Ok(inner.store.tenants(id).await?)
    }

    /// A page of "Data Backup Tasks".
    pub async fn backups(
        &self,
        cluster: &str,
        filter: &TaskFilter,
    ) -> Result<Page<BackupJob>, Error> {
        let inner = &self.console.inner;
        let id = self.handle(cluster)?.id;
        Ok(inner.store.backups(id, filter).await?)
    }

    /// A page of "Log Backup Tasks".
    pub async fn archives(
        &self,
        cluster: &str,
        filter: &TaskFilter,
    ) -> Result<Page<LogArchive>, Error> {
        let inner = &self.console.inner;
        let id = self.handle(cluster)?.id;
        Ok(inner.store.archives(id, filter).await?)
    }

    /// A page of "Recovery Tasks".
    pub async fn recoveries(
        &self,
        cluster: &str,
        filter: &TaskFilter,
    ) -> Result<Page<RecoveryJob>, Error> {
        let inner = &self.console.inner;
        let id = self.handle(cluster)?.id;
        Ok(inner.store.recoveries(&[id], filter).await?)
    }

    /// A page of the recovery tasks of every cluster that the actor may look at.
    pub async fn all_recoveries(&self, filter: &TaskFilter) -> Result<Page<RecoveryJob>, Error> {
        let seen = self.seen_ids().await?;
        Ok(self.console.inner.store.recoveries(&seen, filter).await?)
    }

    /// The clusters that the actor may look at, by name.
    pub(crate) async fn seen(&self) -> Result<Vec<KnownCluster>, Error> {
        let mut known = self.console.inner.store.clusters().await?;
        known.retain(|known| self.actor.grants.in_cluster(known.cluster.id).is_some());
        Ok(known)
    }

    /// Their identities.
    pub(crate) async fn seen_ids(&self) -> Result<Vec<ClusterId>, Error> {
        let seen = self.seen().await?;
        Ok(seen.iter().map(|known| known.cluster.id).collect())
    }

    /// One data backup task.
    pub async fn backup(&self, cluster: &str, task: JobId) -> Result<BackupJob, Error> {
        let inner = &self.console.inner;
        let id = self.handle(cluster)?.id;
        let found = inner.store.backup(id, task).await?;
        found.ok_or_else(|| no_task("data backup task", task))
    }

    /// One recovery task.
    pub async fn recovery(&self, cluster: &str, task: JobId) -> Result<RecoveryJob, Error> {
        let inner = &self.console.inner;
        let id = self.handle(cluster)?.id;
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

/// What is stored of a cluster.
pub(crate) async fn known(inner: &Inner, handle: &ClusterHandle) -> Result<KnownCluster, Error> {
    let found = inner.store.cluster(&handle.name).await?;
    found.ok_or_else(|| no_cluster(&handle.name))
}

fn no_cluster(name: &str) -> Error {
    Error::NotFound {
        what: "cluster",
        id: name.to_owned(),
    }
}

/// What is shown of a stored cluster, not older than that was read.
pub(crate) async fn shown(inner: &Inner, known: &KnownCluster) -> Result<Arc<Shown>, Error> {
    let handle = inner
        .any_cluster(&known.cluster.name)
        .ok_or_else(|| no_cluster(&known.cluster.name))?;
    inner.shown(&handle, known.observed_rev).await
}

/// The basic information of a cluster.
pub(crate) async fn summarize(
    inner: &Inner,
    cluster: KnownCluster,
    shown: &Shown,
) -> Result<ClusterSummary, Error> {
    let (drift, cluster) = (cluster.drift.len(), cluster.cluster);
    let active = inner.store.unfinished_count(cluster.id).await?;
    let active = u32::try_from(active).unwrap_or(u32::MAX);
    let known = inner.store.strategy(cluster.id).await?;
    let standing = strategies::standing_of(inner, known.as_ref()).await?;
    Ok(ClusterSummary {
        status: standing.status,
        status_reason: standing.reason,
        second_backup: known
            .as_ref()
            .is_some_and(|known| known.strategy.settings.second.is_some()),
        strategy_rev: known.map(|known| known.strategy.rev),
        drift: u32::try_from(drift).unwrap_or(u32::MAX),
        ..summary(cluster, shown, active)
    })
}

/// The Available Recovery Period of a cluster.
pub(crate) async fn period_of(
    inner: &Inner,
    cluster: &Cluster,
    shown: &Shown,
) -> Result<Period, Error> {
    let since = inner.now().minus_ns(MARKED_DAYS * NS_PER_DAY);
    let jobs = inner.store.marked_backups(cluster.id, since).await?;
    Ok(Period {
        tenants: shown.tenants.iter().map(|tenant| tenant.period()).collect(),
        markers: markers(shown, &jobs, since),
    })
}

fn summary(cluster: Cluster, shown: &Shown, tasks_active: u32) -> ClusterSummary {
    let tenants = &shown.tenants;
    let online: Vec<&Arc<ShownTenant>> = tenants
        .iter()
        .filter(|tenant| tenant.facts.state == TenantState::Online)
        .collect();
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let oldest = online
        .iter()
        .filter_map(|tenant| Some((running_checkpoint(tenant)?, &tenant.facts.name)))
        .min();
    // A tenant's ranges ascend.
    let first = tenants.iter().filter_map(|tenant| tenant.ranges().first());
    let last = tenants.iter().filter_map(|tenant| tenant.ranges().last());
    ClusterSummary {
        cluster,
        status: ScheduleStatus::None,
        status_reason: None,
        strategy_rev: None,
        second_backup: false,
        drift: 0,
        tenants: number(online.len()),
        backup_file_bytes: tenants
            .iter()
            .map(|tenant| tenant.facts.data_bytes + tenant.facts.log_bytes)
            .sum(),
        last_data_backup: online.iter().filter_map(|tenant| tenant.last_set()).max(),
        tenants_backed_up: number(online.iter().filter(|t| !t.sets.is_empty()).count()),
        log_checkpoint: oldest.map(|(checkpoint, _)| checkpoint),
        log_checkpoint_tenant: oldest.map(|(_, name)| name.clone()),
        log_not_running: number(online.iter().filter(|tenant| !archives(tenant)).count()),
        recoverable_from: first.map(|range| range.start).min(),
        recoverable_until: last.map(|range| range.end).max(),
        tasks_active,
    }
}

fn archives(tenant: &ShownTenant) -> bool {
    tenant
        .archive
        .as_ref()
        .is_some_and(|archive| archive.state == ArchiveState::Doing)
}

/// The checkpoint of a tenant whose archiving is meant to run, also while it is interrupted.
fn running_checkpoint(tenant: &ShownTenant) -> Option<Scn> {
    let archive = tenant.archive.as_ref()?;
    match archive.state {
        ArchiveState::Stop | ArchiveState::Stopping => None,
        _ => archive.checkpoint,
    }
}

fn markers(shown: &Shown, jobs: &[MarkedBackup], since: Scn) -> Vec<Marker> {
    let sets = shown.set_marks(since).cloned();
    let mut markers: Vec<Marker> = sets
        .chain(jobs.iter().map(|job| job_marker(shown, job)))
        .collect();
    markers.sort_by_key(|marker| (marker.at, marker.tenant));
    markers
}

fn job_marker(shown: &Shown, job: &MarkedBackup) -> Marker {
    Marker {
        tenant: job.tenant,
        tenant_name: shown.name_of(job.tenant),
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
