//! Holds: what of a tenant's backups is being read at a destination, so that no cleanup removes it.
//!
//! A hold is taken together with the choice of what to read, under the lock under which a cleanup decides:
//! what is chosen is not decided against, and what was decided against is not chosen.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// What somebody reads.
#[derive(Debug, Clone, Default)]
pub(crate) struct Claim {
    /// Who, in words: `a recovery reads it`.
    by: String,
    everything: bool,
    sets: BTreeSet<i64>,
    /// Stretches of log: round, first and last transaction.
    log: Vec<(i64, u64, u64)>,
    /// All log from this transaction of this round on, and of later rounds.
    log_since: Option<(i64, u64)>,
}

impl Claim {
    /// Of nothing yet; `by` says who reads, in words.
    pub(crate) fn by(by: &str) -> Self {
        Claim {
            by: by.to_owned(),
            ..Claim::default()
        }
    }

    /// All sets and all log.
    pub(crate) fn everything(mut self) -> Self {
        self.everything = true;
        self
    }

    /// These sets too.
    pub(crate) fn sets(mut self, sets: impl IntoIterator<Item = i64>) -> Self {
        self.sets.extend(sets);
        self
    }

    /// The log of these transactions too; files may be merged meanwhile, so it does not go by their names.
    pub(crate) fn log(mut self, round: i64, first: u64, last: u64) -> Self {
        self.log.push((round, first, last));
        self
    }

    /// All log from this transaction on too, and that of later rounds.
    pub(crate) fn log_since(mut self, round: i64, txn: u64) -> Self {
        self.log_since = Some((round, txn));
        self
    }

    pub(crate) fn has_set(&self, set: i64) -> bool {
        self.everything || self.sets.contains(&set)
    }

    pub(crate) fn has_log(&self, round: i64, first: u64, last: u64) -> bool {
        let overlaps =
            |held: &(i64, u64, u64)| held.0 == round && first <= held.2 && held.1 <= last;
        let is_later = |since: (i64, u64)| (round, last) >= since;
        self.everything || self.log.iter().any(overlaps) || self.log_since.is_some_and(is_later)
    }

    /// Who reads, in words.
    pub(crate) fn who(&self) -> &str {
        &self.by
    }
}

#[derive(Default)]
struct Claims {
    next: u64,
    held: BTreeMap<u64, Claim>,
}

/// The holds of one tenant at one destination.
#[derive(Default)]
pub(crate) struct Holds {
    claims: Mutex<Claims>,
    /// Held while small log files are merged, and while a cleanup decides: one would take what the other reads.
    merging: Mutex<()>,
    cleaning: AtomicBool,
}

/// A hold; ends when dropped.
pub(crate) struct Hold {
    holds: Arc<Holds>,
    number: u64,
}

impl Drop for Hold {
    fn drop(&mut self) {
        lock(&self.holds.claims).held.remove(&self.number);
    }
}

/// The right to change what cleanups have removed; one at a time has it, until it is dropped.
pub(crate) struct Cleaning(Arc<Holds>);

impl Drop for Cleaning {
    fn drop(&mut self) {
        self.0.cleaning.store(false, Ordering::Release);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Holds {
    /// Chooses what to read and holds it, in one step.
    pub(crate) fn take<T, E>(
        self: &Arc<Self>,
        choose: impl FnOnce() -> Result<(Claim, T), E>,
    ) -> Result<(Hold, T), E> {
        let mut claims = lock(&self.claims);
        let (claim, chosen) = choose()?;
        let number = claims.next;
        claims.next += 1;
        claims.held.insert(number, claim);
        let hold = Hold {
            holds: Arc::clone(self),
            number,
        };
        Ok((hold, chosen))
    }

    /// Decides with all holds in sight, while nobody takes another one.
    pub(crate) fn decide<T>(&self, decide: impl FnOnce(&[&Claim]) -> T) -> T {
        let claims = lock(&self.claims);
        let held: Vec<&Claim> = claims.held.values().collect();
        decide(&held)
    }

    /// Keeps others from merging log files, or from deciding about them.
    pub(crate) fn merging(&self) -> MutexGuard<'_, ()> {
        lock(&self.merging)
    }

    /// Begins a cleanup; `None` while another one runs.
    pub(crate) fn begin_cleaning(self: &Arc<Self>) -> Option<Cleaning> {
        let was_free = !self.cleaning.swap(true, Ordering::AcqRel);
        was_free.then(|| Cleaning(Arc::clone(self)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_counts_until_it_is_dropped_and_by_transactions() {
        let holds = Arc::new(Holds::default());
        let claim = Claim::by("a recovery reads it").sets([3]).log(2, 10, 20);
        let (hold, ()) = holds.take(|| Ok::<_, ()>((claim, ()))).unwrap();
        let held = |set: i64, log: (i64, u64, u64)| {
            holds.decide(|claims| {
                let log = claims.iter().any(|it| it.has_log(log.0, log.1, log.2));
                (claims.iter().any(|it| it.has_set(set)), log)
            })
        };
        assert_eq!(held(3, (2, 1, 10)), (true, true));
        assert_eq!(held(4, (2, 1, 9)), (false, false));
        assert_eq!(held(4, (1, 10, 20)), (false, false));
        drop(hold);
        assert_eq!(held(3, (2, 1, 10)), (false, false));
    }

    #[test]
    fn log_since_a_transaction_is_held_in_later_rounds_too() {
        let claim = Claim::by("a data backup needs it").log_since(2, 7);
        assert!(claim.has_log(2, 1, 7) && claim.has_log(3, 1, 1));
        assert!(!claim.has_log(2, 1, 6) && !claim.has_log(1, 1, 100));
        assert!(Claim::by("a verification reads it").everything().has_set(1));
    }

    #[test]
    fn one_cleanup_at_a_time() {
        let holds = Arc::new(Holds::default());
        let first = holds.begin_cleaning().unwrap();
        assert!(holds.begin_cleaning().is_none());
        drop(first);
        assert!(holds.begin_cleaning().is_some());
    }
}
