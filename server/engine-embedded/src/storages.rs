//! What is known of the destinations themselves: how much room they have, and why one cannot be used now.
//!
//! A look runs beside everything else and may hang with a dead file server; who asks gets what the last one
//! found, and hears when no answer comes.

use crate::{destination::Destination, registry::Inner};
use domain::{Scn, scn::NS_PER_SECOND, second_backup::Place, storage::StorageState};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};
use storage::{StorageError, identity_at};
use tokio::task::{JoinHandle, spawn_blocking};

/// How often the destinations are looked at.
const LOOK_PAUSE: Duration = Duration::from_secs(2);
/// After how long without an answer a destination counts as out of reach.
const ANSWER_NS: u64 = 15 * NS_PER_SECOND;
/// Below so many free bytes a destination counts as full: the next log file may not fit.
const FULL_BYTES: u64 = 8 << 20;

/// What the last looks found.
#[derive(Default)]
pub(crate) struct Storages(Mutex<BTreeMap<Place, Seen>>);

#[derive(Clone)]
struct Seen {
    state: StorageState,
    /// When a look began that has not ended.
    asked: Option<Scn>,
}

impl Storages {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Place, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The destinations in use as last seen, the first one first.
    pub(crate) fn states(&self, used: &[(Place, Arc<Destination>)], now: Scn) -> Vec<StorageState> {
        let known = self.lock();
        let seen = used.iter().filter_map(|(place, destination)| {
            let seen = known.get(place).filter(|seen| seen.is_of(destination));
            Some(seen?.clone().told(now))
        });
        seen.collect()
    }

    /// Notes that a look begins; `false` while the last one has not ended.
    fn begin(&self, place: Place, destination: &Destination, now: Scn) -> bool {
        let mut known = self.lock();
        let is_asked = |seen: &Seen| seen.is_of(destination) && seen.asked.is_some();
        if known.get(&place).is_some_and(is_asked) {
            return false;
        }
        let before = known.remove(&place).filter(|seen| seen.is_of(destination));
        let seen = Seen {
            state: before.map_or_else(|| unknown(place, destination), |seen| seen.state),
            asked: Some(now),
        };
        known.insert(place, seen);
        true
    }

    fn end(&self, state: StorageState) {
        // What stands there may be another destination by now.
        if let Some(seen) = self.lock().get_mut(&state.place)
            && seen.state.location == state.location
        {
            *seen = Seen { state, asked: None };
        }
    }
}

impl Seen {
    fn is_of(&self, destination: &Destination) -> bool {
        self.state.location == destination.path().display().to_string()
    }

    fn told(self, now: Scn) -> StorageState {
        match self.asked {
            Some(asked) if now.since_ns(asked) > ANSWER_NS => StorageState {
                total_bytes: None,
                free_bytes: None,
                fault: Some(format!(
                    "it has not answered since {}; check the disk or the connection to its file server",
                    asked.display_seconds()
                )),
                ..self.state
            },
            _ => self.state,
        }
    }
}

fn unknown(place: Place, destination: &Destination) -> StorageState {
    StorageState {
        place,
        location: destination.path().display().to_string(),
        total_bytes: None,
        free_bytes: None,
        fault: None,
        identity_changed: false,
    }
}

fn state(place: Place, destination: &Destination) -> StorageState {
    let blank = unknown(place, destination);
    let space = destination.get().and_then(|dest| dest.capacity());
    let (space, fault) = match space {
        Ok(space) => (space, None),
        Err(error) => (None, Some(error)),
    };
    let Some(error) = fault else {
        return StorageState {
            total_bytes: space.map(|space| space.total_bytes),
            free_bytes: space.map(|space| space.free_bytes),
            fault: space.and_then(lacking),
            ..blank
        };
    };
    StorageState {
        identity_changed: is_another(&error, destination),
        fault: Some(error.to_string()),
        ..blank
    }
}

/// Why nothing can be written though it is there. Without numbers: they stand beside it.
fn lacking(space: storage::Capacity) -> Option<String> {
    if space.read_only {
        return Some(
            "its file system is mounted read-only; backups there can be recovered from, but no \
             log and no data backup goes there until it is mounted writable"
                .to_owned(),
        );
    }
    (space.free_bytes < FULL_BYTES).then(|| {
        "it is full; log waits beside the tenants until there is space again, and data backups \
         fail: free some space there"
            .to_owned()
    })
}

/// Whether another destination stands where the one used so far was; an empty mount point is none.
fn is_another(error: &StorageError, destination: &Destination) -> bool {
    let found = || identity_at(destination.path()).ok().flatten();
    matches!(error, StorageError::Swapped { .. })
        && found().is_some_and(|found| Some(found) != destination.uuid())
}

/// Looks again and again until the engine is gone.
pub(crate) async fn run(inner: Weak<Inner>) {
    loop {
        tokio::time::sleep(LOOK_PAUSE).await;
        let Some(inner) = inner.upgrade().filter(|inner| !inner.is_closed()) else {
            return;
        };
        drop(begin(&inner));
    }
}

/// Looks at every destination once.
pub(crate) async fn look(inner: &Arc<Inner>) {
    for look in begin(inner) {
        // A panic in it is logged by the runtime, and the next look tells what is there.
        let _ = look.await;
    }
}

/// Begins to look at each destination that is not being looked at: one that hangs keeps no other from it.
fn begin(inner: &Arc<Inner>) -> Vec<JoinHandle<()>> {
    let mut looks = Vec::new();
    for (place, destination) in inner.destinations() {
        if inner.storages.begin(place, &destination, inner.clock.now()) {
            let inner = Arc::clone(inner);
            looks.push(spawn_blocking(move || {
                inner.storages.end(state(place, &destination));
            }));
        }
    }
    looks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_that_does_not_end_is_told_after_a_while_and_no_second_one_begins() {
        let temp = tempfile::tempdir().unwrap();
        let destination = |name: &str| {
            let clock = Arc::new(crate::testing::StepClock::new());
            let known = Some(uuid::Uuid::new_v4());
            Destination::new(temp.path().join(name), known, clock)
        };
        let (destination, other) = (Arc::new(destination("away")), destination("other"));
        let used = [(Place::First, Arc::clone(&destination))];
        let storages = Storages::default();
        let at = |seconds: u64| Scn(seconds * NS_PER_SECOND);
        assert_eq!(storages.states(&used, at(1)), []);
        assert!(storages.begin(Place::First, &destination, at(1)));
        assert!(!storages.begin(Place::First, &destination, at(3)));
        assert_eq!(storages.states(&used, at(16))[0].fault, None);
        let fault = storages.states(&used, at(17))[0].fault.clone().unwrap();
        assert!(
            fault.contains("has not answered since 1970-01-01 00:00:01"),
            "{fault}"
        );
        storages.end(state(Place::First, &destination));
        let fault = storages.states(&used, at(18))[0].fault.clone().unwrap();
        assert!(fault.contains("does not exist"), "{fault}");
        assert!(storages.begin(Place::First, &destination, at(19)));

        // Another one at the same place begins anew, and the end of the old look is not its own.
        assert!(storages.begin(Place::First, &other, at(20)));
        storages.end(state(Place::First, &destination));
        assert_eq!(storages.states(&used, at(20)), []);
        let used = [(Place::First, Arc::new(other))];
        assert_eq!(storages.states(&used, at(20))[0].fault, None);
    }

    #[test]
    fn a_full_and_a_read_only_storage_are_told_without_numbers() {
        let space = |free_bytes, read_only| storage::Capacity {
            total_bytes: 1 << 40,
            free_bytes,
            read_only,
        };
        assert_eq!(lacking(space(FULL_BYTES, false)), None);
        let full = lacking(space(FULL_BYTES - 1, false)).unwrap();
        assert_eq!(full, lacking(space(0, false)).unwrap());
        assert!(
            full.contains("full") && full.contains("free some space"),
            "{full}"
        );
        assert!(lacking(space(1 << 30, true)).unwrap().contains("read-only"));
    }
}
