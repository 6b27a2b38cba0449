//! When a schedule is due: the next runs that the form shows, and the runs that the server begins.
//!
//! Both are the same function of the same schedule. Zones are known to the server alone; the browser has
//! the types and asks for the rest.

use crate::{Scn, backup::BackupKind};
use serde::{Deserialize, Serialize};

#[cfg(feature = "zones")]
mod zones;

#[cfg(feature = "zones")]
pub use zones::{
    DUE_DAYS_MAX, OCCURRENCES_MAX, daily, due, hourly, next_runs, planned, violations, zone_names,
};

/// One due moment of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Occurrence {
    /// When.
    pub at: Scn,
    /// What is to be made.
    pub kind: BackupKind,
}

/// A due moment as the form and the page show it before it comes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedRun {
    /// When.
    pub at: Scn,
    /// What is to be made.
    pub kind: BackupKind,
    /// The same on the wall clock of the schedule's zone: `Mon 2026-11-30 02:00 UTC+01:00`.
    pub wall: String,
    /// Why it is not at the time of day that was asked for; absent when it is.
    pub note: Option<String>,
}
