//! What pages are made of: the picture of a cluster as it is stored, kept in memory so that reading a page does not
//! read every backup set there is.
//!
//! It is never newer than the control database: the observer hands it over once it is saved. Whoever reads a page
//! asks the database for the revision of the cluster's observations first and accepts nothing older.

use crate::{console::Inner, error::Error, handle::ClusterHandle};
use domain::{
    BackupSetId, Revision, Scn, TenantId,
    backup::{BackupKind, BackupSet},
    page::{Marker, MarkerKind, TenantPeriod},
    recoverable::{self, Gap, RecoverableRange, SetPoint},
    second_backup::Place,
};
use std::{
    collections::HashMap,
    ops::Deref,
    sync::{Arc, OnceLock},
    time::Duration,
};
use store::TenantPicture;
use tokio::sync::watch;

/// Most marks of sets on the calendar; the newest ones are shown.
const SET_MARKS_MAX: usize = 2000;
/// Most recoverable ranges of a tenant that a page gets, and gaps between them; the newest ones.
/// Whether a moment can be recovered is always decided with all of them.
const RANGES_MAX: usize = 1000;
/// How long a reader waits for the observer to hand over what it has just saved.
const HAND_OVER_MAX: Duration = Duration::from_millis(50);
/// How often a picture is read again when it changes while it is read.
const READS_MAX: usize = 3;

/// The picture of a cluster.
#[derive(Debug)]
pub(crate) struct Shown {
    /// The revision of the observations in it.
    pub(crate) rev: Revision,
    /// The tenants, by name.
    pub(crate) tenants: Vec<Arc<ShownTenant>>,
    marks: OnceLock<Vec<Marker>>,
    names: OnceLock<HashMap<TenantId, String>>,
}

/// A tenant with what follows from its picture, worked out once.
#[derive(Debug)]
pub(crate) struct ShownTenant {
    picture: TenantPicture,
    ranges: OnceLock<Vec<RecoverableRange>>,
    period: OnceLock<TenantPeriod>,
    last_set: OnceLock<Option<Scn>>,
}

impl Deref for ShownTenant {
    type Target = TenantPicture;

    fn deref(&self) -> &TenantPicture {
        &self.picture
    }
}

impl ShownTenant {
    fn new(picture: TenantPicture) -> Self {
        ShownTenant {
            picture,
            ranges: OnceLock::new(),
            period: OnceLock::new(),
            last_set: OnceLock::new(),
        }
    }

    /// The moments it can be recovered to.
    pub(crate) fn ranges(&self) -> &[RecoverableRange] {
        self.ranges.get_or_init(|| ranges(&self.picture))
    }

    /// When its newest set was complete.
    pub(crate) fn last_set(&self) -> Option<Scn> {
        let finished = || self.sets.iter().map(|set| set.finished).max();
        *self.last_set.get_or_init(finished)
    }

    /// Its part of the Available Recovery Period.
    pub(crate) fn period(&self) -> TenantPeriod {
        self.period.get_or_init(|| self.work_out_period()).clone()
    }

    fn work_out_period(&self) -> TenantPeriod {
        let ranges = self.ranges();
        TenantPeriod {
            tenant: self.id,
            name: self.facts.name.clone(),
            state: self.facts.state,
            gaps: newest(gaps(self, ranges), RANGES_MAX),
            ranges: newest(ranges.to_vec(), RANGES_MAX),
            checkpoint: self.archive.as_ref().and_then(|archive| archive.checkpoint),
        }
    }
}

impl Shown {
    fn new(rev: Revision, tenants: Vec<Arc<ShownTenant>>) -> Self {
        Shown {
            rev,
            tenants,
            marks: OnceLock::new(),
            names: OnceLock::new(),
        }
    }

    /// The name of a tenant; its number while it is too new to be in the picture.
    pub(crate) fn name_of(&self, tenant: TenantId) -> String {
        let names = self.names.get_or_init(|| {
            let names = self.tenants.iter();
            names
                .map(|tenant| (tenant.id, tenant.facts.name.clone()))
                .collect()
        });
        names
            .get(&tenant)
            .cloned()
            .unwrap_or_else(|| tenant.to_string())
    }

    /// The newest sets since a moment as marks on the calendar, ascending.
    pub(crate) fn set_marks(&self, since: Scn) -> impl Iterator<Item = &Marker> {
        let marks = self.marks.get_or_init(|| set_marks(&self.tenants));
        marks.iter().filter(move |mark| mark.at >= since)
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

impl ClusterHandle {
    /// Hands the saved picture over to pages. Tenants in which nothing changed keep what was worked out of them.
    pub(crate) fn show(&self, rev: Revision, picture: &[TenantPicture]) {
        let before = self.shown.borrow().clone();
        let kept: HashMap<TenantId, &Arc<ShownTenant>> = before
            .iter()
            .flat_map(|shown| &shown.tenants)
            .map(|tenant| (tenant.id, tenant))
            .collect();
        let tenants = picture.iter().map(|tenant| match kept.get(&tenant.id) {
            // Compared and not told: a look that saved its changes may not have got to hand them over.
            Some(same) if same.picture == *tenant => Arc::clone(same),
            _ => Arc::new(ShownTenant::new(tenant.clone())),
        });
        let next = Arc::new(Shown::new(rev, tenants.collect()));
        self.put(next);
    }

    /// Replaces what is shown, unless that is newer.
    fn put(&self, next: Arc<Shown>) {
        self.shown.send_if_modified(|shown| {
            let newer = shown.as_ref().is_none_or(|shown| shown.rev <= next.rev);
            if newer {
                *shown = Some(next);
            }
            newer
        });
    }
}

/// What [`ClusterHandle`] keeps for pages.
pub(crate) type Slot = watch::Sender<Option<Arc<Shown>>>;

impl Inner {
    /// The picture of a cluster, not older than `rev`, which the caller has just read.
    pub(crate) async fn shown(
        &self,
        handle: &ClusterHandle,
        rev: Revision,
    ) -> Result<Arc<Shown>, Error> {
        let fresh =
            |shown: &Option<Arc<Shown>>| shown.as_ref().is_some_and(|shown| shown.rev >= rev);
        let mut slot = handle.shown.subscribe();
        let observed = slot.borrow().is_some();
        if observed {
            // Saved and not yet handed over, most likely.
            let waiting = tokio::time::timeout(HAND_OVER_MAX, slot.wait_for(fresh)).await;
            if let Ok(Ok(shown)) = waiting
                && let Some(shown) = shown.clone()
            {
                return Ok(shown);
            }
        }
        let _reading = handle.reading.lock().await;
        let there = handle.shown.borrow().clone();
        match there {
            Some(shown) if shown.rev >= rev => Ok(shown),
            _ => self.read_picture(handle).await,
        }
    }

    /// Reads the picture as of one revision, if it stands still for that long.
    async fn read_picture(&self, handle: &ClusterHandle) -> Result<Arc<Shown>, Error> {
        let mut read = 0;
        loop {
            read += 1;
            let rev = self.store.observed_rev(handle.id).await?;
            let picture = self.store.picture(handle.id).await?;
            let tenants = picture
                .into_iter()
                .map(|tenant| Arc::new(ShownTenant::new(tenant)));
            let shown = Arc::new(Shown::new(rev, tenants.collect()));
            if self.store.observed_rev(handle.id).await? == rev {
                handle.put(Arc::clone(&shown));
                return Ok(shown);
            }
            if read >= READS_MAX {
                return Ok(shown);
            }
        }
    }
}

fn set_marks(tenants: &[Arc<ShownTenant>]) -> Vec<Marker> {
    let all = tenants
        .iter()
        .flat_map(|tenant| tenant.sets.iter().map(move |set| (tenant, set)));
    let mut all: Vec<(&Arc<ShownTenant>, &BackupSet)> = all.collect();
    let cut = all.len().saturating_sub(SET_MARKS_MAX);
    if cut > 0 {
        all.select_nth_unstable_by_key(cut, |(tenant, set)| {
            (set.min_restore_scn, tenant.id, set.id)
        });
    }
    let mut newest = all.split_off(cut);
    newest.sort_unstable_by_key(|(tenant, set)| (set.min_restore_scn, tenant.id, set.id));
    let marks = newest.into_iter();
    marks.map(|(tenant, set)| set_mark(tenant, set)).collect()
}

fn set_mark(tenant: &TenantPicture, set: &BackupSet) -> Marker {
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

/// The full set that a chain begins with. A chain is never longer than there are sets, which ascend by number.
fn full_set(sets: &[BackupSet], of: &BackupSet) -> Option<BackupSetId> {
    let mut at = of;
    for _ in sets {
        let Some(base) = at.base else {
            return Some(at.id);
        };
        let found = sets.binary_search_by_key(&base, |set| set.id).ok()?;
        at = &sets[found];
    }
    None
}

/// The last `limit` of what is in ascending order.
pub(crate) fn newest<T>(mut all: Vec<T>, limit: usize) -> Vec<T> {
    all.drain(..all.len().saturating_sub(limit));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_keeps_the_newest() {
        assert_eq!(newest(vec![1, 2, 3], 2), [2, 3]);
        assert_eq!(newest(vec![1, 2, 3], 9), [1, 2, 3]);
    }

    #[test]
    fn a_chain_leads_to_its_full_set_or_nowhere() {
        let set = |id, base: Option<i64>| BackupSet {
            id: BackupSetId(id),
            kind: BackupKind::Incremental,
            base: base.map(BackupSetId),
            round: 1,
            min_restore_scn: Scn(1),
            started: Scn(1),
            finished: Scn(1),
            stored_bytes: 1,
            raw_bytes: 1,
        };
        let sets = [
            set(1, None),
            set(3, Some(1)),
            set(7, Some(3)),
            set(9, Some(8)),
            set(10, Some(10)),
        ];
        let of = |at: usize| full_set(&sets, &sets[at]).map(|id| id.0);
        assert_eq!(
            [of(0), of(1), of(2), of(3), of(4)],
            [Some(1), Some(1), Some(1), None, None]
        );
    }
}
