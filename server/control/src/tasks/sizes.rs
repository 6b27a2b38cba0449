//! Sizes over time: sampled every half hour and after each task that changes them, and thinned out as they age.
//!
//! A sample tells what was observed at the destination. While a cluster cannot be looked at, or its destination
//! is away, there is none: time without samples is a gap and never a zero.

use crate::{
    console::Inner,
    error::{Error, chain},
    handle::ClusterHandle,
};
use domain::{
    ClusterId, Scn, TenantId,
    scn::{NS_PER_DAY, NS_PER_SECOND},
    second_backup::Place,
    storage::StorageState,
    trend::{self, SAMPLE_NS, TrendPoint},
};
use std::{collections::HashMap, sync::Arc, time::Duration};
use store::TenantSizes;

/// How often it is seen whether something is due.
const LOOK: Duration = Duration::from_secs(1);
/// What was observed longer ago than this is no sample.
const FRESH_NS: u64 = 60 * NS_PER_SECOND;
/// How often old samples are thinned out.
const THIN_NS: u64 = NS_PER_DAY;

/// What the sampler knows of a cluster.
#[derive(Debug, Clone, Copy, Default)]
struct Course {
    sampled: Option<Scn>,
    thinned: Option<Scn>,
}

/// Samples until the console stops.
pub(crate) async fn run(inner: Arc<Inner>) {
    let mut courses: HashMap<ClusterId, Course> = HashMap::new();
    while !inner.is_stopping() {
        for handle in inner.handles() {
            let course = courses.entry(handle.id).or_default();
            if let Err(error) = tend(&inner, &handle, course).await {
                tracing::warn!(
                    cluster.name = handle.name,
                    "sizes could not be recorded: {}",
                    chain(&error)
                );
            }
        }
        inner.pause(LOOK).await;
    }
}

async fn tend(inner: &Inner, handle: &ClusterHandle, course: &mut Course) -> Result<(), Error> {
    let now = inner.now();
    let wanted = handle.wanted_sample();
    if wanted.is_none() && !is_due(now, course.sampled, SAMPLE_NS) {
        return Ok(());
    }
    if course.sampled.is_none() {
        // Before a restart, or by another server on the same control database.
        course.sampled = inner.store.last_sample(handle.id).await?;
        if wanted.is_none() && !is_due(now, course.sampled, SAMPLE_NS) {
            return Ok(());
        }
    }
    if !sample(inner, handle, wanted, now).await? {
        return Ok(());
    }
    course.sampled = Some(now);
    if let Some(wanted) = wanted {
        handle.sampled(wanted);
    }
    if is_due(now, course.thinned, THIN_NS) {
        thin(inner, handle.id, now).await?;
        course.thinned = Some(now);
    }
    Ok(())
}

/// Whether something done at `done` is to be done again; also when the clock was set back since.
fn is_due(now: Scn, done: Option<Scn>, every_ns: u64) -> bool {
    done.is_none_or(|done| now < done || now.since_ns(done) >= every_ns)
}

/// Records the sizes as last observed; `false` while they are not known, or not since `wanted`.
async fn sample(
    inner: &Inner,
    handle: &ClusterHandle,
    wanted: Option<Scn>,
    now: Scn,
) -> Result<bool, Error> {
    let Some(known) = inner.store.cluster(&handle.name).await? else {
        return Ok(false);
    };
    let observed = known.cluster.observed.filter(|observed| {
        wanted.is_none_or(|wanted| *observed >= wanted || now < wanted)
            && now.since_ns(*observed) <= FRESH_NS
    });
    if known.cluster.fault.is_some() || observed.is_none() {
        return Ok(false);
    }
    let storages = inner.store.storages(handle.id).await?;
    let Some(room) = room(&storages) else {
        return Ok(false);
    };
    let sizes = inner.store.tenant_sizes(handle.id).await?;
    let samples = samples(&sizes, room, now);
    inner
        .store
        .change(async |change| {
            change.add_samples(handle.id, &samples).await?;
            Ok::<_, Error>(())
        })
        .await?;
    Ok(true)
}

/// Room of the first destination: total and free, as far as it tells. `None` while it is away: then what is
/// known of sizes is of before.
fn room(storages: &[StorageState]) -> Option<(Option<u64>, Option<u64>)> {
    match storages.iter().find(|state| state.place == Place::First) {
        // An engine that tells nothing of its destination is not blamed for it.
        None => Some((None, None)),
        Some(state) if state.fault.is_some() && state.free_bytes.is_none() => None,
        Some(state) if state.identity_changed => None,
        Some(state) => Some((state.total_bytes, state.free_bytes)),
    }
}

/// One sample for each tenant, and their sum for the cluster.
fn samples(
    sizes: &[TenantSizes],
    (total, free): (Option<u64>, Option<u64>),
    at: Scn,
) -> Vec<(Option<TenantId>, TrendPoint)> {
    let blank = TrendPoint {
        at,
        storage_total_bytes: total,
        storage_free_bytes: free,
        ..TrendPoint::default()
    };
    let mut whole = blank;
    let mut samples = Vec::with_capacity(sizes.len() + 1);
    for size in sizes {
        whole.data_bytes += size.data_bytes;
        whole.log_bytes += size.log_bytes;
        let point = TrendPoint {
            data_bytes: size.data_bytes,
            log_bytes: size.log_bytes,
            second_data_bytes: size.second.map(|(data, _)| data),
            second_log_bytes: size.second.map(|(_, log)| log),
            ..blank
        };
        whole.second_data_bytes = sum(whole.second_data_bytes, point.second_data_bytes);
        whole.second_log_bytes = sum(whole.second_log_bytes, point.second_log_bytes);
        samples.push((Some(size.tenant), point));
    }
    samples.push((None, whole));
    samples
}

/// The sum of what is known; unknown where nothing is.
fn sum(all: Option<u64>, one: Option<u64>) -> Option<u64> {
    match (all, one) {
        (None, other) | (other, None) => other,
        (Some(all), Some(one)) => Some(all.saturating_add(one)),
    }
}

/// Removes the samples that are not kept any more, one series after the other.
async fn thin(inner: &Inner, cluster: ClusterId, now: Scn) -> Result<(), Error> {
    for tenant in inner.store.sampled(cluster).await? {
        let series = inner
            .store
            .samples(cluster, tenant, (Scn::ZERO, now))
            .await?;
        let gone = trend::superfluous(&series, now);
        if gone.is_empty() {
            continue;
        }
        inner
            .store
            .change(async |change| {
                change.remove_samples(cluster, tenant, &gone).await?;
                Ok::<_, Error>(())
            })
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_that_is_away_gives_no_sample_and_a_full_one_does() {
        let state = |free: Option<u64>, fault: Option<&str>| StorageState {
            place: Place::First,
            location: String::new(),
            total_bytes: free,
            free_bytes: free,
            fault: fault.map(str::to_owned),
            identity_changed: false,
        };
        assert_eq!(room(&[]), Some((None, None)));
        assert_eq!(room(&[state(Some(7), None)]), Some((Some(7), Some(7))));
        assert_eq!(
            room(&[state(Some(0), Some("full"))]),
            Some((Some(0), Some(0)))
        );
        assert_eq!(room(&[state(None, Some("away"))]), None);
        assert_eq!(room(&[state(None, None)]), Some((None, None)));
        let other = StorageState {
            identity_changed: true,
            ..state(Some(7), None)
        };
        assert_eq!(room(&[other]), None);
    }

    #[test]
    fn a_cluster_is_the_sum_of_its_tenants() {
        let size = |tenant, data_bytes, log_bytes| TenantSizes {
            tenant: TenantId(tenant),
            data_bytes,
            log_bytes,
            second: (tenant == 2).then_some((7, 3)),
        };
        let made = samples(
            &[size(1, 10, 1), size(2, 20, 2)],
            (Some(100), Some(60)),
            Scn(5),
        );
        let (tenant, whole) = made[2];
        assert_eq!((tenant, whole.data_bytes, whole.log_bytes), (None, 30, 3));
        assert_eq!(made[1].1.total_bytes(), 22);
        assert_eq!(
            (whole.second_data_bytes, whole.second_log_bytes),
            (Some(7), Some(3))
        );
        assert_eq!(made[0].1.second_log_bytes, None);
        assert!(
            made.iter()
                .all(|(_, it)| it.at == Scn(5) && it.storage_free_bytes == Some(60))
        );
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_silence_the_sampler() {
        let done = Some(Scn(10 * SAMPLE_NS));
        assert!(is_due(Scn(1), None, SAMPLE_NS));
        assert!(!is_due(Scn(11 * SAMPLE_NS - 1), done, SAMPLE_NS));
        assert!(is_due(Scn(11 * SAMPLE_NS), done, SAMPLE_NS));
        assert!(is_due(Scn(10 * SAMPLE_NS - 1), done, SAMPLE_NS));
    }
}
