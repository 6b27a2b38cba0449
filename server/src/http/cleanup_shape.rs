//! What the command for cleanups sends and gets. Keys are added, never renamed.

use super::shape::Range;
use domain::{
    Scn,
    retention::{CleanupPlan, KeptBecause, Stored},
};
use serde::{Deserialize, Serialize};

/// An order for a cleanup, or the question what one would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CleanupOrder {
    /// Only this tenant.
    pub tenant: Option<String>,
    /// Every moment of so many days stays recoverable.
    pub keep_days: u32,
    /// The second copies instead of the first.
    pub second: bool,
    /// Only tell.
    pub dry_run: bool,
}

/// What cleanups remove, and the tasks that do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cleanups {
    /// One for each tenant.
    pub plans: Vec<PlannedCleanup>,
    /// Numbers of the tasks; none when it was only asked.
    pub tasks: Vec<i64>,
    /// For each tenant that is left out why.
    pub skipped: Vec<String>,
}

/// What a cleanup of one tenant does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedCleanup {
    /// The tenant's name.
    pub tenant: String,
    /// `first` or `second` copy.
    pub place: String,
    /// Every moment since then stays recoverable.
    pub keep_from: String,
    /// Bytes that go.
    pub expired_bytes: u64,
    /// What goes.
    pub expired: Vec<Thing>,
    /// What stays.
    pub kept: Vec<Thing>,
    /// Moments that can be recovered to now and could not afterwards.
    pub lost: Vec<Range>,
}

/// A backup set, or a stretch of log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thing {
    /// Number of the set; absent for log.
    pub set: Option<i64>,
    /// Round of the log; absent for a set.
    pub round: Option<i64>,
    /// First moment of the log.
    pub start: Option<String>,
    /// Last moment of the log.
    pub end: Option<String>,
    /// Bytes.
    pub bytes: u64,
    /// Why it stays, in words; absent for what goes.
    pub why: Option<String>,
}

impl Thing {
    fn new(what: &Stored, bytes: u64, because: Option<&KeptBecause>) -> Self {
        let (set, log) = match what {
            Stored::Set(set) => (Some(set.0), None),
            Stored::Log { round, start, end } => (None, Some((*round, *start, *end))),
        };
        Thing {
            set,
            round: log.map(|log| log.0),
            start: log.map(|log| log.1.to_rfc3339()),
            end: log.map(|log| log.2.to_rfc3339()),
            bytes,
            why: because.map(KeptBecause::words),
        }
    }
}

impl PlannedCleanup {
    /// The plan of a tenant.
    pub fn new(tenant: &str, plan: &CleanupPlan) -> Self {
        let expired = plan.expired.iter();
        let kept = plan.kept.iter();
        PlannedCleanup {
            tenant: tenant.to_owned(),
            place: plan.place.code().to_owned(),
            keep_from: plan.keep_from.to_rfc3339(),
            expired_bytes: plan.expired_bytes(),
            expired: expired
                .map(|it| Thing::new(&it.what, it.bytes, None))
                .collect(),
            kept: kept
                .map(|it| Thing::new(&it.what, it.bytes, Some(&it.because)))
                .collect(),
            lost: plan.lost.iter().map(|it| range(it.start, it.end)).collect(),
        }
    }
}

fn range(start: Scn, end: Scn) -> Range {
    Range {
        start: start.to_rfc3339(),
        end: end.to_rfc3339(),
    }
}
