//! The course of a job inside an engine.

use domain::{BackupSetId, Scn, backup::BackupKind, job::Progress, recovery::RecoveryProof};

/// The engine's own number of a job.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EngineJobId(pub String);

/// Where a job stands inside the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EngineJobState {
    /// Works.
    Running,
    /// Stops and cleans up.
    Canceling,
    /// Done; the result is on media.
    Completed,
    /// Ended without a result; nothing is left behind.
    Failed,
    /// Ended because it was asked to; nothing is left behind.
    Canceled,
}

/// What an engine tells about a job.
#[derive(Debug, Clone, PartialEq)]
pub struct JobReport {
    /// Where it stands.
    pub state: EngineJobState,
    /// How far it is.
    pub progress: Progress,
    /// The set made or being made.
    pub set: Option<BackupSetId>,
    /// What a data backup makes in fact.
    pub actual: Option<BackupKind>,
    /// Why that differs from what was asked for.
    pub actual_reason: Option<String>,
    /// The earliest moment the set can be recovered to.
    pub min_restore_scn: Option<Scn>,
    /// Directory of the set, or data file of the recovered tenant.
    pub location: Option<String>,
    /// The proof of a recovery.
    pub proof: Option<RecoveryProof>,
    /// What a copy or a cleanup did, in words for people: `3 sets and 120 log files removed, 1.2 GB`.
    pub outcome: Option<String>,
    /// Why it failed, and what to do.
    pub failure: Option<String>,
}

impl JobReport {
    /// A job that has just begun.
    pub fn running() -> Self {
        JobReport {
            state: EngineJobState::Running,
            progress: Progress::default(),
            set: None,
            actual: None,
            actual_reason: None,
            min_restore_scn: None,
            location: None,
            proof: None,
            outcome: None,
            failure: None,
        }
    }
}
