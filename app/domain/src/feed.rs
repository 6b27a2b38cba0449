//! What changed since a revision: the cheap question a page asks every few seconds.

use crate::{
    Revision, Scn, alert::AlertCounts, archive::LogArchive, backup::BackupJob,
    cluster::ClusterSummary, page::Period, recovery::RecoveryJob, second_backup::SecondLog,
    task::Task,
};
use serde::{Deserialize, Serialize};

/// Most rows of each kind in one answer; the next question gets the rest.
pub const FEED_ROWS_MAX: u64 = 200;

/// Changes of one cluster after a revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delta {
    /// Ask from here next time. Grows; never skips a row.
    pub rev: Revision,
    /// The server's now.
    pub now: Scn,
    /// Whether something runs: the page asks every 2 s, else every 20 s.
    pub active: bool,
    /// The basic information, if any part of it changed.
    pub summary: Option<ClusterSummary>,
    /// The recovery period, if any part of it changed.
    pub period: Option<Period>,
    /// Data backup tasks that are new or changed.
    pub backups: Vec<BackupJob>,
    /// Log backup rows that are new or changed.
    pub archives: Vec<LogArchive>,
    /// Recovery tasks that are new or changed.
    pub recoveries: Vec<RecoveryJob>,
    /// Second data backups and cleanups that are new or changed.
    pub tasks: Vec<Task>,
    /// Second log backup rows that are new or changed.
    pub second_logs: Vec<SecondLog>,
    /// How many alerts are active, if any alert changed.
    pub alerts: Option<AlertCounts>,
}
