//! What an observation changes in the destinations that are stored: faults at once, room now and then.

use domain::{ClusterId, Scn, scn::NS_PER_SECOND, second_backup::Place, storage::StorageState};
use store::{Change, StoreError};

/// Room that changes little is told as often as this.
const ROOM_TOLD_NS: u64 = 60 * NS_PER_SECOND;
/// Room that changes by so much of the whole is told at once.
const ROOM_TOLD_PERCENT: u64 = 1;

/// A destination as it was told last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    state: StorageState,
    at: Scn,
}

/// What is known of a cluster's destinations and clock.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Media {
    told: Vec<Told>,
    clock_back_ns: u64,
}

/// What changes in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct MediaEdits {
    set: Vec<StorageState>,
    remove: Vec<Place>,
    clock_back_ns: Option<u64>,
}

impl Media {
    /// As it is stored; what was told before counts as long ago.
    pub(crate) fn stored(states: Vec<StorageState>, clock_back_ns: u64) -> Self {
        let told = |state| Told {
            state,
            at: Scn::ZERO,
        };
        Media {
            told: states.into_iter().map(told).collect(),
            clock_back_ns,
        }
    }

    /// What is to be written, given what was seen.
    pub(crate) fn edits(&self, seen: &[StorageState], clock_back_ns: u64, now: Scn) -> MediaEdits {
        let set = seen.iter().filter(|state| {
            let told = self
                .told
                .iter()
                .find(|told| told.state.place == state.place);
            told.is_none_or(|told| told.is_to_be_told(state, now))
        });
        let is_gone = |told: &&Told| seen.iter().all(|state| state.place != told.state.place);
        MediaEdits {
            set: set.cloned().collect(),
            remove: self
                .told
                .iter()
                .filter(is_gone)
                .map(|told| told.state.place)
                .collect(),
            clock_back_ns: (clock_back_ns != self.clock_back_ns).then_some(clock_back_ns),
        }
    }

    /// What is known once the edits are written.
    pub(crate) fn after(mut self, edits: MediaEdits, now: Scn) -> Self {
        let is_edited = |place: Place| {
            edits.remove.contains(&place) || edits.set.iter().any(|state| state.place == place)
        };
        self.told.retain(|told| !is_edited(told.state.place));
        let told = |state| Told { state, at: now };
        self.told.extend(edits.set.into_iter().map(told));
        self.clock_back_ns = edits.clock_back_ns.unwrap_or(self.clock_back_ns);
        self
    }
}

impl Told {
    fn is_to_be_told(&self, seen: &StorageState, now: Scn) -> bool {
        let told = &self.state;
        if told == seen {
            return false;
        }
        let but_room = |state: &StorageState| StorageState {
            free_bytes: state.free_bytes.map(|_| 0),
            ..state.clone()
        };
        if but_room(told) != but_room(seen) {
            return true;
        }
        let is_over = now < self.at || now.since_ns(self.at) >= ROOM_TOLD_NS;
        is_over || is_much(told, seen)
    }
}

fn is_much(told: &StorageState, seen: &StorageState) -> bool {
    let (Some(before), Some(after), Some(total)) =
        (told.free_bytes, seen.free_bytes, seen.total_bytes)
    else {
        return true;
    };
    let moved = u128::from(before.abs_diff(after)) * 100;
    moved >= u128::from(total) * u128::from(ROOM_TOLD_PERCENT)
}

impl MediaEdits {
    /// Whether there is nothing to write.
    pub(crate) fn is_empty(&self) -> bool {
        self.set.is_empty() && self.remove.is_empty() && self.clock_back_ns.is_none()
    }

    /// Writes them with everything else of `change`.
    pub(crate) async fn write(
        &self,
        change: &Change,
        cluster: ClusterId,
        now: Scn,
    ) -> Result<(), StoreError> {
        for state in &self.set {
            change.set_storage(cluster, state, now).await?;
        }
        for place in &self.remove {
            change.remove_storage(cluster, *place).await?;
        }
        match self.clock_back_ns {
            Some(back_ns) => change.cluster_clock_back(cluster, back_ns).await,
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(free: Option<u64>, fault: Option<&str>) -> StorageState {
        StorageState {
            place: Place::First,
            location: "/backup".to_owned(),
            total_bytes: free.map(|_| 10_000),
            free_bytes: free,
            fault: fault.map(str::to_owned),
            identity_changed: false,
        }
    }

    fn at(seconds: u64) -> Scn {
        Scn((1000 + seconds) * NS_PER_SECOND)
    }

    #[test]
    fn room_is_told_each_minute_or_when_it_changes_much_and_faults_at_once() {
        let media = Media::default();
        let first = media.edits(&[state(Some(5000), None)], 0, at(0));
        assert_eq!(first.set.len(), 1);
        let media = media.after(first, at(0));
        let told = |free, fault, seconds| {
            !media
                .edits(&[state(free, fault)], 0, at(seconds))
                .is_empty()
        };
        assert!(!told(Some(5000), None, 100), "nothing changed");
        assert!(!told(Some(4901), None, 59), "little changed");
        assert!(told(Some(4901), None, 60), "a minute later");
        assert!(
            told(Some(4900), None, 1) && told(Some(5100), None, 1),
            "one percent"
        );
        assert!(told(None, Some("away"), 1) && told(Some(5000), Some("full"), 1));
        let back = Scn(at(0).0 - NS_PER_SECOND);
        let edits = media.edits(&[state(Some(4999), None)], 0, back);
        assert!(
            !edits.is_empty(),
            "a clock that is set back silences nothing"
        );
    }

    #[test]
    fn a_destination_that_is_not_used_any_more_is_forgotten() {
        let second = StorageState {
            place: Place::Second,
            ..state(Some(1), None)
        };
        let media = Media::stored(vec![state(Some(1), None), second], 0);
        let edits = media.edits(&[state(Some(1), None)], 0, at(0));
        assert_eq!(
            (edits.set.len(), edits.remove.as_slice()),
            (0, &[Place::Second][..])
        );
        let media = media.after(edits, at(0));
        assert!(media.edits(&[state(Some(1), None)], 0, at(0)).is_empty());
    }

    #[test]
    fn a_step_of_the_clock_is_told_once() {
        let media = Media::default();
        let edits = media.edits(&[], 7, at(0));
        assert_eq!(edits.clock_back_ns, Some(7));
        assert!(media.after(edits, at(0)).edits(&[], 7, at(1)).is_empty());
    }
}
