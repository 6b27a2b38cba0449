//! Retention: which backups a promise still needs, and which have expired.
//!
//! The promise is a recovery window: every moment since `keep_from` that can be recovered to now can be
//! recovered to after a cleanup. So the newest full set at or before `keep_from` and everything after it
//! stay, and one usable full set stays however old it is. [`Backups::decide`] is that rule.

mod decision;

pub use decision::{Backups, Decision, StoredLog, StoredSet};

use crate::{BackupSetId, JobId, Scn, recoverable::RecoverableRange, second_backup::Place};
use serde::{Deserialize, Serialize};

/// Fewest days of retention.
pub const RETENTION_DAYS_MIN: u32 = 1;
/// Most days of retention.
pub const RETENTION_DAYS_MAX: u32 = 3650;

/// A thing at a destination that a cleanup decides about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stored {
    /// A backup set.
    Set(BackupSetId),
    /// Log of a round between two moments.
    Log {
        /// The round.
        round: i64,
        /// Its first moment.
        start: Scn,
        /// Its last moment.
        end: Scn,
    },
}

/// Why a thing stays.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeptBecause {
    /// It lies inside the window, or between the window and the set that the window begins with.
    Window,
    /// It is the newest full set at or before the window's start whose log reaches the window.
    BaseOfWindow,
    /// A kept set builds on it.
    BaseOf(BackupSetId),
    /// It is the last usable full set, or builds on it.
    LastUsable,
    /// It is log that continues a kept set.
    Continues(BackupSetId),
    /// A task that runs reads or writes it; says which.
    InUse(String),
    /// It is being written, or log backup goes on from it.
    Unfinished,
    /// It does not read, and what stays is not all newer.
    Damaged,
}

impl KeptBecause {
    /// The reason in words for people.
    pub fn words(&self) -> String {
        match self {
            KeptBecause::Window => "needed for the days to keep".to_owned(),
            KeptBecause::BaseOfWindow => "the days to keep begin with it".to_owned(),
            KeptBecause::BaseOf(set) => format!("set {set} builds on it"),
            KeptBecause::LastUsable => {
                "the last full set that can be used, or part of it".to_owned()
            }
            KeptBecause::Continues(set) => format!("it continues set {set}"),
            KeptBecause::InUse(by) => format!("in use: {by}"),
            KeptBecause::Unfinished => "log backup goes on from it".to_owned(),
            KeptBecause::Damaged => "it does not read, and older backups stay".to_owned(),
        }
    }
}

/// A thing that stays, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The thing.
    pub what: Stored,
    /// Bytes of it.
    pub bytes: u64,
    /// Why.
    pub because: KeptBecause,
}

/// A thing that would go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expired {
    /// The thing.
    pub what: Stored,
    /// Bytes of it.
    pub bytes: u64,
}

/// What a cleanup would do to one tenant's backups at one place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CleanupPlan {
    /// Which copy.
    pub place: Place,
    /// Every moment since then stays recoverable.
    pub keep_from: Scn,
    /// What would go, sets first, each ascending.
    pub expired: Vec<Expired>,
    /// What stays, and why.
    pub kept: Vec<Kept>,
    /// Moments that can be recovered to now and could not afterwards.
    pub lost: Vec<RecoverableRange>,
}

/// What cleanups of a whole cluster would remove, summed up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CleanupSum {
    /// Every moment since then stays recoverable.
    pub keep_from: Scn,
    /// Tenants that were asked about.
    pub tenants: u32,
    /// Tenants that were not, because there are too many.
    pub left_out: u32,
    /// Sets and pieces of log that would go.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// What an order to clean up now has begun.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CleanupsBegun {
    /// The tasks.
    pub tasks: Vec<JobId>,
    /// For each tenant that is left out: its name, why, and what to do, in a sentence without an end.
    pub skipped: Vec<String>,
}

impl CleanupPlan {
    /// Bytes that would be freed.
    pub fn expired_bytes(&self) -> u64 {
        self.expired.iter().map(|each| each.bytes).sum()
    }
}
