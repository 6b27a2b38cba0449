//! The conditions of the rules about destinations.

use super::{
    Level,
    conditions::{cut, moot},
    evaluate::{Hit, Verdict},
    state::{ClusterFacts, SizeReading, StorageFacts},
};
use crate::Scn;

/// From here on a full storage is critical.
const NEARLY_FULL_PERCENT: u8 = 95;

/// A storage is fuller than allowed.
pub(super) fn storage_full(_: &ClusterFacts, storage: &StorageFacts, _: Scn) -> Verdict {
    let SizeReading::Used(percent) = storage.size else {
        return Verdict::Unknown;
    };
    if percent < storage.capacity_percent {
        return Verdict::Clear;
    }
    let mut hit = Hit::new(format!("{percent} % of {} are used.", storage.location))
        .measured(
            format!("{percent} %"),
            format!("{} %", storage.capacity_percent),
        )
        .with("Copy", storage.place.label());
    if percent >= NEARLY_FULL_PERCENT {
        hit.level = Some(Level::Critical);
    }
    hit.into()
}

/// The size of a storage could not be read.
pub(super) fn size_failed(_: &ClusterFacts, storage: &StorageFacts, _: Scn) -> Verdict {
    // One that cannot be used at all is told by its own rule.
    if storage.fault.is_some() {
        return Verdict::Unknown;
    }
    match &storage.size {
        SizeReading::Failed(why) => unread(storage, why).into(),
        SizeReading::Used(_) => Verdict::Clear,
        SizeReading::NotTold => moot("the storage does not tell its size"),
        SizeReading::TimedOut(_) => Verdict::Unknown,
    }
}

/// Reading the size of a storage took too long.
pub(super) fn size_timed_out(_: &ClusterFacts, storage: &StorageFacts, _: Scn) -> Verdict {
    if storage.fault.is_some() {
        return Verdict::Unknown;
    }
    match &storage.size {
        SizeReading::TimedOut(why) => unread(storage, why).into(),
        SizeReading::Used(_) => Verdict::Clear,
        SizeReading::NotTold => moot("the storage does not tell its size"),
        SizeReading::Failed(_) => Verdict::Unknown,
    }
}

fn unread(storage: &StorageFacts, why: &str) -> Hit {
    Hit::new(format!(
        "The size of {} could not be read: {}",
        storage.location,
        cut(why)
    ))
    .with("Copy", storage.place.label())
}

/// A storage cannot be used.
pub(super) fn storage_unusable(_: &ClusterFacts, storage: &StorageFacts, _: Scn) -> Verdict {
    match &storage.fault {
        None => Verdict::Clear,
        Some(fault) => Hit::new(format!(
            "{} cannot be used: {}",
            storage.location,
            cut(fault)
        ))
        .with("Copy", storage.place.label())
        .into(),
    }
}

/// Another destination was found where backups go.
pub(super) fn another_destination(_: &ClusterFacts, storage: &StorageFacts, _: Scn) -> Verdict {
    // What cannot be read has not shown its identity.
    match (storage.identity_changed, &storage.fault) {
        (true, _) => Hit::new(format!(
            "At {} there is another destination than the one that backups went to so far.",
            storage.location
        ))
        .with("Copy", storage.place.label())
        .into(),
        (false, Some(_)) => Verdict::Unknown,
        (false, None) => Verdict::Clear,
    }
}
