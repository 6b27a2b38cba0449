//! Looking at a cluster and writing down what changed.

use super::{
    diff::{self, Edit, PeriodChange},
    new_round, second_copies,
    storages::Media,
};
use crate::{
    console::Inner,
    error::Error,
    handle::{ClusterHandle, answer},
};
use domain::{
    BackupSetId, ClusterId, Revision, Scn, TenantId,
    scn::NS_PER_SECOND,
    strategy::{DRIFT_MAX, Drift},
    tenant::TenantState,
};
use engine::{Observation, TenantObservation};
use std::collections::HashSet;
use store::{Change, StoreError, TenantPicture};

/// Growing ranges are told to pages as often as this; the checkpoint is told at once.
const GROWTH_TOLD_NS: u64 = 10 * NS_PER_SECOND;
/// A look that changes nothing is written down as often as this.
const SEEN_TOLD_NS: u64 = 10 * NS_PER_SECOND;

/// What the observer of a cluster knows. It is the only one that writes observations, so its picture
/// equals the stored one.
#[derive(Debug, Default)]
pub(crate) struct Eye {
    picture: Option<Vec<TenantPicture>>,
    media: Option<Media>,
    fault: Option<String>,
    told: Scn,
    growth_told: Scn,
    /// Where the cluster was not what its strategy says, as it is stored.
    drift: Option<Vec<Drift>>,
    /// Copies at the second destination as last seen, by the engine's identity of the tenant.
    copies: HashSet<(String, BackupSetId)>,
}

impl Eye {
    /// Whether this set of the tenant is usable.
    pub(crate) fn has_set(&self, tenant: TenantId, set: BackupSetId) -> bool {
        self.picture
            .iter()
            .flatten()
            .any(|picture| picture.id == tenant && picture.sets.iter().any(|known| known.id == set))
    }

    /// Whether a usable copy of this set is at the second destination.
    pub(crate) fn has_copy(&self, tenant: TenantId, set: BackupSetId) -> bool {
        let mut tenants = self.picture.iter().flatten();
        tenants
            .find(|picture| picture.id == tenant)
            .is_some_and(|found| self.copies.contains(&(found.facts.engine_key.clone(), set)))
    }

    /// Whether a tenant of this name is there.
    pub(crate) fn has_tenant(&self, name: &str) -> bool {
        let mut tenants = self.picture.iter().flatten();
        tenants.any(|found| found.facts.name == name && found.facts.state != TenantState::Offline)
    }
}

/// Looks at a cluster once and writes what changed, in one transaction.
pub(crate) async fn look(inner: &Inner, handle: &ClusterHandle) -> Result<(), Error> {
    let engine = handle.engine()?;
    let mut eye = handle.eye.lock().await;
    if handle.is_removed() {
        return Ok(());
    }
    let mut seen = answer("observation", &handle.name, engine.observe()).await?;
    // A copy that still runs for a strategy that is gone ends by what the engine sees.
    eye.copies = copies(&seen);
    if !handle.second.is_settled() {
        // The engine does not know where second copies are, so what it says of them is nothing.
        second_copies::unknown(&mut seen);
    }
    let known = match eye.picture.take() {
        Some(picture) => picture,
        None => inner.store.picture(handle.id).await?,
    };
    let media = match eye.media.take() {
        Some(media) => media,
        None => stored_media(inner, handle).await?,
    };
    let drifted = match eye.drift.take() {
        Some(drift) => drift,
        None => stored_drift(inner, handle).await?,
    };
    seen.drift.truncate(DRIFT_MAX);
    if !handle.wanted.is_settled() {
        // It was not told what is wanted, so what it says of that is nothing.
        seen.drift.clone_from(&drifted);
    }
    let drift_changed = seen.drift != drifted;
    let (edits, period) = diff::edits(&known, &seen);
    let now = inner.now();
    let media_edits = media.edits(&seen.storages, seen.clock_back_ns, now);
    let tell_growth = period == PeriodChange::Grown && is_due(now, eye.growth_told, GROWTH_TOLD_NS);
    let tell_period = period == PeriodChange::Structure || tell_growth;
    let tell_seen = eye.fault.is_some() || is_due(now, eye.told, SEEN_TOLD_NS);
    if edits.is_empty() && media_edits.is_empty() && !drift_changed && !tell_seen {
        eye.picture = Some(known);
        eye.media = Some(media);
        eye.drift = Some(drifted);
    } else {
        // When this fails the picture stays empty and is read from the store at the next look.
        let rev = inner
            .store
            .change(async |change| {
                media_edits.write(change, handle.id, now).await?;
                if drift_changed {
                    change.cluster_drift(handle.id, &seen.drift).await?;
                }
                write(change, handle.id, &seen, &edits, tell_period).await
            })
            .await?;
        eye.media = Some(media.after(media_edits, now));
        eye.drift = Some(seen.drift);
        eye.fault = None;
        eye.told = now;
        if tell_period {
            eye.growth_told = now;
        }
        eye.picture = after(inner, handle.id, known, &edits).await?;
        if let Some(picture) = &eye.picture {
            handle.show(rev, picture);
        }
    }
    if engine.capabilities().backs_up_new_rounds {
        let picture = eye.picture.as_deref().unwrap_or_default();
        new_round::back_up(inner, handle.id, picture).await?;
    }
    Ok(())
}

fn copies(seen: &Observation) -> HashSet<(String, BackupSetId)> {
    let second = |tenant: &TenantObservation| -> Vec<(String, BackupSetId)> {
        let of = tenant.second.iter();
        let usable = of
            .clone()
            .flat_map(|second| second.sets.iter().map(|set| set.id));
        let arrived = of.flat_map(|second| second.arrived.iter().copied());
        let all = usable.chain(arrived);
        all.map(|set| (tenant.key.0.clone(), set)).collect()
    };
    seen.tenants.iter().flat_map(second).collect()
}

async fn stored_media(inner: &Inner, handle: &ClusterHandle) -> Result<Media, Error> {
    let known = inner.store.cluster(&handle.name).await?;
    let back_ns = known.map_or(0, |known| known.clock_back_ns);
    Ok(Media::stored(
        inner.store.storages(handle.id).await?,
        back_ns,
    ))
}

async fn stored_drift(inner: &Inner, handle: &ClusterHandle) -> Result<Vec<Drift>, Error> {
    let known = inner.store.cluster(&handle.name).await?;
    Ok(known.map(|known| known.drift).unwrap_or_default())
}

/// Whether something told at `told` is to be told again; also when the clock was set back since.
fn is_due(now: Scn, told: Scn, every_ns: u64) -> bool {
    now < told || now.since_ns(told) >= every_ns
}

/// Writes down why a cluster cannot be looked at, and logs `causes`, once per reason.
pub(crate) async fn blind(
    inner: &Inner,
    handle: &ClusterHandle,
    fault: &str,
    causes: &str,
) -> Result<(), Error> {
    let mut eye = handle.eye.lock().await;
    if eye.fault.as_deref() == Some(fault) {
        return Ok(());
    }
    tracing::error!(cluster.name = handle.name, "{causes}");
    inner
        .store
        .change(async |change| {
            change.cluster_fault(handle.id, fault).await?;
            Ok::<_, Error>(())
        })
        .await?;
    eye.fault = Some(fault.to_owned());
    Ok(())
}

async fn write(
    change: &Change,
    cluster: ClusterId,
    seen: &Observation,
    edits: &[Edit],
    tell_period: bool,
) -> Result<Revision, StoreError> {
    for edit in edits {
        write_one(change, cluster, edit).await?;
    }
    if tell_period {
        change.period_changed(cluster).await?;
    }
    change.cluster_observed(cluster, seen.taken).await
}

async fn write_one(change: &Change, cluster: ClusterId, edit: &Edit) -> Result<(), StoreError> {
    match edit {
        Edit::AddTenant(seen) => {
            let (id, _) = change
                .add_tenant(cluster, &diff::tenant_facts(seen))
                .await?;
            change
                .set_archive(cluster, id, &diff::archive_facts(seen))
                .await?;
            for set in &seen.sets {
                change.add_set(id, set).await?;
            }
            for span in &seen.spans {
                change.set_span(id, span).await?;
            }
            if let Some(seen) = &seen.second {
                second_copies::add(change, cluster, id, seen).await?;
            }
            Ok(())
        }
        Edit::Tenant(id, facts) => change.set_tenant(*id, facts).await.map(|_| ()),
        Edit::Archive(id, facts) => change.set_archive(cluster, *id, facts).await,
        Edit::AddSet(id, set) => change.add_set(*id, set).await,
        Edit::RemoveSet(id, set) => change.remove_set(*id, *set).await,
        Edit::Span(id, span) => change.set_span(*id, span).await,
        Edit::RemoveSpan(id, span) => change.remove_span(*id, span).await,
        Edit::Second(id, facts) => change.set_second(cluster, *id, facts).await,
        Edit::AddSecondSet(id, set) => change.add_second_set(*id, set).await,
        Edit::RemoveSecondSet(id, set) => change.remove_second_set(*id, *set).await,
        Edit::SecondSpan(id, span) => change.set_second_span(*id, span).await,
        Edit::RemoveSecondSpan(id, span) => change.remove_second_span(*id, span).await,
    }
}

/// The picture after the edits: made here when that is simple, else read.
async fn after(
    inner: &Inner,
    cluster: ClusterId,
    mut known: Vec<TenantPicture>,
    edits: &[Edit],
) -> Result<Option<Vec<TenantPicture>>, Error> {
    for edit in edits {
        let (id, apply): (TenantId, &dyn Fn(&mut TenantPicture)) = match edit {
            Edit::Tenant(id, facts) => (*id, &|known| known.facts = facts.clone()),
            Edit::Archive(id, facts) => (*id, &|known| known.archive = Some(facts.clone())),
            Edit::Span(id, span) => (*id, &|known| grow(known, span)),
            _ => return Ok(Some(inner.store.picture(cluster).await?)),
        };
        if let Some(tenant) = known.iter_mut().find(|tenant| tenant.id == id) {
            apply(tenant);
        }
    }
    Ok(Some(known))
}

fn grow(known: &mut TenantPicture, span: &domain::recoverable::LogSpan) {
    let same =
        |old: &domain::recoverable::LogSpan| old.round == span.round && old.start == span.start;
    match known.spans.iter_mut().find(|old| same(old)) {
        Some(old) => *old = span.clone(),
        None => known.spans.push(span.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_back_does_not_silence_the_observer() {
        let told = Scn(100 * NS_PER_SECOND);
        let after = |seconds: u64| Scn(seconds * NS_PER_SECOND);
        assert!(!is_due(after(109), told, SEEN_TOLD_NS));
        assert!(is_due(after(110), told, SEEN_TOLD_NS));
        assert!(is_due(after(40), told, SEEN_TOLD_NS));
    }
}
