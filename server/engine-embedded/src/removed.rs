//! What cleanups have removed of a tenant's backups: a note at the destination that outlives the objects.
//!
//! `cleanup.json` first names what goes, and from then on none of it is part of any history, whether the objects
//! are still there or not. They are deleted next, and then the names go too. What stays for good are the greatest
//! numbers ever used and the stretches of log that were cut out of rounds which are still there: so a number is
//! never used again, and a missing beginning is told as what it is.

use crate::{history::History, keys::TenantKeys};
use domain::Scn;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use storage::{Dest, StorageError};

/// `cleanup.json`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Removed {
    pub(crate) format: u32,
    /// Greatest number of a round when something was removed last.
    pub(crate) greatest_round: i64,
    /// Greatest number of a set then.
    pub(crate) greatest_set: i64,
    /// For each round that is still there: stretches of transactions whose log is removed, ascending.
    pub(crate) cuts: BTreeMap<i64, Vec<Cut>>,
    /// What is removed and may still be there.
    pub(crate) pending: Option<Pending>,
    /// The cleanup that ended last.
    pub(crate) last: Option<Ended>,
}

/// A stretch of transactions whose log is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Cut {
    pub(crate) first: u64,
    pub(crate) last: u64,
}

/// What one cleanup removes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Pending {
    /// The console's mark of the order.
    pub(crate) token: String,
    /// When it was decided.
    pub(crate) decided: Scn,
    /// The moment since which everything stays recoverable.
    pub(crate) keep_from: Scn,
    /// Sets that go, by number.
    pub(crate) sets: Vec<i64>,
    /// Rounds that go as a whole.
    pub(crate) rounds: Vec<i64>,
    /// Log files that go.
    pub(crate) log_files: u64,
    /// The objects, in the order in which they are deleted.
    pub(crate) objects: Vec<Going>,
}

/// An object, or everything below a directory, that goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Going {
    pub(crate) key: String,
    pub(crate) is_directory: bool,
    pub(crate) bytes: u64,
}

/// A cleanup that ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ended {
    /// The console's mark of the order.
    pub(crate) token: String,
    /// What it did, in words.
    pub(crate) outcome: String,
}

impl Removed {
    /// Reads it; none yet is an empty one.
    pub(crate) fn load(dest: &Dest, keys: &TenantKeys) -> Result<Self, StorageError> {
        match dest.get_manifest(&keys.cleanup()) {
            Err(error) if error.is_not_found() => Ok(Removed::default()),
            read => read,
        }
    }

    /// Makes it durable, in the place of an earlier one.
    pub(crate) fn write(&self, dest: &Dest, keys: &TenantKeys) -> Result<(), StorageError> {
        dest.replace_manifest(&keys.cleanup(), self)
    }

    /// Stretches of a round that are removed.
    pub(crate) fn cuts_of(&self, round: i64) -> &[Cut] {
        self.cuts.get(&round).map_or(&[], Vec::as_slice)
    }

    /// Adds a stretch to what is removed of `round`.
    pub(crate) fn cut(&mut self, round: i64, cut: Cut) {
        let cuts = self.cuts.entry(round).or_default();
        cuts.push(cut);
        cuts.sort_unstable();
        let mut merged: Vec<Cut> = Vec::with_capacity(cuts.len());
        for cut in cuts.drain(..) {
            match merged.last_mut() {
                Some(last) if cut.first <= last.last.saturating_add(1) => {
                    last.last = last.last.max(cut.last);
                }
                _ => merged.push(cut),
            }
        }
        *cuts = merged;
    }
}

/// Whether all of `first..=last` lies in one removed stretch.
pub(crate) fn is_cut(cuts: &[Cut], first: u64, last: u64) -> bool {
    cuts.iter()
        .any(|cut| cut.first <= first && last <= cut.last)
}

/// Transactions of `first..=last` that no cleanup removed.
pub(crate) fn not_cut(cuts: &[Cut], first: u64, last: u64) -> u64 {
    let all = (last + 1).saturating_sub(first);
    let inside = |cut: &Cut| (cut.last.min(last) + 1).saturating_sub(cut.first.max(first));
    all - cuts.iter().map(inside).sum::<u64>()
}

impl History {
    /// Takes over what is removed, and leaves it out.
    pub(crate) fn set_removed(&mut self, removed: Removed) {
        self.greatest_round = self.greatest_round.max(removed.greatest_round);
        self.greatest_set = self.greatest_set.max(removed.greatest_set);
        if let Some(pending) = &removed.pending {
            self.gone_sets.extend(&pending.sets);
            self.gone_rounds.extend(&pending.rounds);
        }
        self.removed = removed;
        self.leave_out();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_that_touch_become_one_and_the_rest_is_counted() {
        let mut removed = Removed::default();
        for (first, last) in [(21, 30), (1, 10), (11, 12)] {
            removed.cut(1, Cut { first, last });
        }
        let cuts = removed.cuts_of(1);
        let expected = [
            Cut { first: 1, last: 12 },
            Cut {
                first: 21,
                last: 30,
            },
        ];
        assert_eq!(cuts, expected);
        assert!(is_cut(cuts, 3, 12) && !is_cut(cuts, 12, 21));
        assert_eq!(not_cut(cuts, 1, 12), 0);
        assert_eq!(not_cut(cuts, 5, 25), 8);
        assert_eq!(not_cut(cuts, 13, 20), 8);
        assert!(removed.cuts_of(2).is_empty());
    }
}
