//! What is measured while the console works, for whoever operates it: counts, ages, times. No role is asked for,
//! as it is about the process and not for a person; names of clusters and tenants are in it.

use crate::{
    console::{Console, Inner},
    error::{Error, chain},
    shown::ShownTenant,
};
use domain::{
    ClusterId, Scn, archive::ArchiveState, second_backup::Place, storage::StorageState,
    tenant::TenantState,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};
use store::TaskCount;
use tokio::time::Instant;

/// Upper bounds of the ranges that durations are counted in, in seconds.
pub const BOUNDS_S: [f64; 10] = [0.002, 0.005, 0.02, 0.05, 0.2, 0.5, 2.0, 10.0, 60.0, 600.0];
/// Most tenants that are measured one by one.
const TENANTS_MAX: usize = 2000;
/// Counting all tasks takes a while when there are a million; it is done at most this often, beside the answer.
const COUNT_EVERY: Duration = Duration::from_secs(30);
/// Counts older than this are no answer.
const COUNTED_AGE_MAX: Duration = Duration::from_secs(300);

/// How long something takes: how often within each of [`BOUNDS_S`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Histogram {
    /// Durations up to each bound and above the one before.
    pub counts: [u64; BOUNDS_S.len()],
    /// All durations, also those above every bound.
    pub count: u64,
    /// Their sum in seconds.
    pub sum_s: f64,
}

impl Histogram {
    /// Counts a duration.
    pub fn add(&mut self, took: Duration) {
        let seconds = took.as_secs_f64();
        if let Some(at) = BOUNDS_S.iter().position(|bound| seconds <= *bound) {
            self.counts[at] += 1;
        }
        self.count += 1;
        self.sum_s += seconds;
    }
}

/// How long engines take to answer, by operation: of this process, whichever console asked.
static CALLS: Mutex<BTreeMap<&'static str, Histogram>> = Mutex::new(BTreeMap::new());

fn calls() -> MutexGuard<'static, BTreeMap<&'static str, Histogram>> {
    CALLS
        .lock()
        .expect("invariant: nothing panics while it counts a call")
}

/// Notes how long an engine took.
pub(crate) fn engine_call(operation: &'static str, took: Duration) {
    calls().entry(operation).or_default().add(took);
}

/// Counts of tasks, and when they were made.
#[derive(Debug, Default)]
pub(crate) struct Counted {
    known: Mutex<Option<(Instant, Vec<TaskCount>)>>,
    /// Held while they are made.
    counting: tokio::sync::Mutex<()>,
}

impl Counted {
    fn known(&self) -> MutexGuard<'_, Option<(Instant, Vec<TaskCount>)>> {
        self.known
            .lock()
            .expect("invariant: nothing panics while it holds the counts")
    }

    /// The counts, unless they are older than `age`.
    fn within(&self, age: Duration) -> Option<Vec<TaskCount>> {
        let known = self.known();
        let fresh = known.as_ref().filter(|(at, _)| at.elapsed() < age);
        fresh.map(|(_, tasks)| tasks.clone())
    }
}

/// A cluster, measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterMeasure {
    /// Number.
    pub id: ClusterId,
    /// Name.
    pub name: String,
    /// Whether its engine is open.
    pub open: bool,
    /// When it was last observed.
    pub observed: Option<Scn>,
    /// When the task that waits longest was asked for.
    pub oldest_queued: Option<Scn>,
}

/// A tenant, measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantMeasure {
    /// Name of its cluster.
    pub cluster: String,
    /// Name.
    pub name: String,
    /// Everything up to then is at the destination; absent when its log backup is not meant to run.
    pub checkpoint: Option<Scn>,
    /// When its newest set was complete.
    pub last_backup: Option<Scn>,
    /// Bytes of its sets.
    pub data_bytes: u64,
    /// Bytes of its log.
    pub log_bytes: u64,
}

/// A destination of a cluster, measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageMeasure {
    /// Name of the cluster.
    pub cluster: String,
    /// Which of its destinations.
    pub place: Place,
    /// Size of what is behind it, if that is known.
    pub total_bytes: Option<u64>,
    /// Room in it, if that is known.
    pub free_bytes: Option<u64>,
    /// Whether it can be used.
    pub usable: bool,
}

/// A duty in the background, measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DutyMeasure {
    /// A noun: `observation`.
    pub name: &'static str,
    /// The cluster it is for, if for one.
    pub cluster: Option<String>,
    /// When it last went round.
    pub last: Scn,
    /// How often it stumbled.
    pub falls: u32,
}

/// Everything that is measured.
#[derive(Debug, Clone, PartialEq)]
pub struct Measures {
    /// When.
    pub now: Scn,
    /// Tasks by cluster, kind and state, as they were counted last, at most five minutes ago.
    pub tasks: Vec<TaskCount>,
    /// Clusters by name.
    pub clusters: Vec<ClusterMeasure>,
    /// Tenants online, up to a limit.
    pub tenants: Vec<TenantMeasure>,
    /// Tenants beyond that limit.
    pub tenants_left_out: usize,
    /// Destinations.
    pub storages: Vec<StorageMeasure>,
    /// Duties.
    pub duties: Vec<DutyMeasure>,
    /// How long engines take to answer, by operation.
    pub calls: Vec<(&'static str, Histogram)>,
}

impl Console {
    /// Measures: a number of queries that depends on the number of clusters only.
    pub async fn measures(&self) -> Result<Measures, Error> {
        let inner = &self.inner;
        let mut measures = Measures {
            now: inner.now(),
            tasks: self.task_counts().await?,
            clusters: Vec::new(),
            tenants: Vec::new(),
            tenants_left_out: 0,
            storages: Vec::new(),
            duties: self.duties(),
            calls: calls()
                .iter()
                .map(|(name, times)| (*name, times.clone()))
                .collect(),
        };
        let known = inner.store.clusters().await?;
        let ids: Vec<ClusterId> = known.iter().map(|known| known.cluster.id).collect();
        let oldest = inner.store.oldest_queued(&ids).await?;
        for known in known {
            let Some(handle) = inner.any_cluster(&known.cluster.name) else {
                continue;
            };
            let shown = inner.shown(&handle, known.observed_rev).await?;
            let online = shown
                .tenants
                .iter()
                .filter(|tenant| tenant.facts.state == TenantState::Online);
            for tenant in online {
                if measures.tenants.len() < TENANTS_MAX {
                    measures.tenants.push(tenant_measure(&handle.name, tenant));
                } else {
                    measures.tenants_left_out += 1;
                }
            }
            let storages = inner.store.storages(known.cluster.id).await?;
            let storages = storages.into_iter();
            let storages = storages.map(|state| storage_measure(&handle.name, &state));
            measures.storages.extend(storages);
            measures.clusters.push(ClusterMeasure {
                id: known.cluster.id,
                name: known.cluster.name,
                open: handle.engine_if_open().is_some(),
                observed: known.cluster.observed,
                oldest_queued: oldest.get(&known.cluster.id).copied(),
            });
        }
        Ok(measures)
    }

    /// What was counted last. Whoever finds it old has it counted anew for the next one and does not wait.
    async fn task_counts(&self) -> Result<Vec<TaskCount>, Error> {
        let inner = &self.inner;
        let Some(known) = inner.counted.within(COUNTED_AGE_MAX) else {
            return inner.count_tasks().await;
        };
        if inner.counted.within(COUNT_EVERY).is_none() {
            let inner = Arc::clone(inner);
            // Ends by itself; an end of the console waits for the connection that it uses.
            tokio::spawn(async move {
                if let Err(error) = inner.count_tasks().await {
                    tracing::warn!("{}", chain(&error));
                }
            });
        }
        Ok(known)
    }

    /// The duties in the background.
    pub(crate) fn duties(&self) -> Vec<DutyMeasure> {
        let pulses = self.inner.pulses();
        let duties = pulses.iter().map(|pulse| DutyMeasure {
            name: pulse.name,
            cluster: pulse.cluster.as_ref().map(|(_, name)| name.clone()),
            last: pulse.last(),
            falls: pulse.falls(),
        });
        duties.collect()
    }
}

impl Inner {
    /// Counts all tasks, or waits for whoever is counting them.
    async fn count_tasks(&self) -> Result<Vec<TaskCount>, Error> {
        let _counting = self.counted.counting.lock().await;
        if let Some(tasks) = self.counted.within(COUNT_EVERY) {
            return Ok(tasks);
        }
        let tasks = self.store.task_counts().await?;
        *self.counted.known() = Some((Instant::now(), tasks.clone()));
        Ok(tasks)
    }
}

fn storage_measure(cluster: &str, state: &StorageState) -> StorageMeasure {
    StorageMeasure {
        cluster: cluster.to_owned(),
        place: state.place,
        total_bytes: state.total_bytes,
        free_bytes: state.free_bytes,
        usable: state.fault.is_none(),
    }
}

fn tenant_measure(cluster: &str, tenant: &ShownTenant) -> TenantMeasure {
    let archive = tenant.archive.as_ref();
    let meant = archive
        .filter(|archive| !matches!(archive.state, ArchiveState::Stop | ArchiveState::Stopping));
    TenantMeasure {
        cluster: cluster.to_owned(),
        name: tenant.facts.name.clone(),
        checkpoint: meant.and_then(|archive| archive.checkpoint),
        last_backup: tenant.last_set(),
        data_bytes: tenant.facts.data_bytes,
        log_bytes: tenant.facts.log_bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_counted_within_its_bound_and_above_all_of_them() {
        let mut times = Histogram::default();
        for ms in [1, 2, 3, 700_000] {
            times.add(Duration::from_millis(ms));
        }
        assert_eq!((times.counts[0], times.counts[1], times.count), (2, 1, 4));
        assert!((times.sum_s - 700.006).abs() < 1e-9);
    }
}
