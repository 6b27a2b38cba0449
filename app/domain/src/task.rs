//! Tasks of every kind as lists show them: their rows, their steps, and the words for their states.

use crate::{
    BackupSetId, JobId, Revision, RunId, Scn, TenantId,
    backup::{BackupKind, Trigger},
    job::{JobKind, JobState, Progress},
    second_backup::Place,
};
use serde::{Deserialize, Serialize};

/// Most steps that are kept of one task.
pub const STEPS_MAX: usize = 200;

/// What is the same for a task of any kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Task number.
    pub id: JobId,
    /// What it does.
    pub kind: JobKind,
    /// The tenant's number.
    pub tenant: TenantId,
    /// The tenant's name.
    pub tenant_name: String,
    /// What caused it.
    pub trigger: Trigger,
    /// When it was asked for.
    pub created: Scn,
    /// When work began.
    pub started: Option<Scn>,
    /// When it ended, however it ended.
    pub ended: Option<Scn>,
    /// Where it stands.
    pub state: JobState,
    /// How far it is, while it runs.
    pub progress: Progress,
    /// When its progress moved last.
    pub moved: Option<Scn>,
    /// How often it was begun.
    pub attempts: u32,
    /// Kind of data backup asked for.
    pub asked: Option<BackupKind>,
    /// The set that it makes or copies.
    pub set: Option<BackupSetId>,
    /// Which copy a cleanup removes from, or a recovery reads.
    pub place: Option<Place>,
    /// Since when every moment stays recoverable, for a cleanup.
    pub keep_from: Option<Scn>,
    /// The moment of a recovery.
    pub until: Option<Scn>,
    /// The name that a recovery makes.
    pub new_name: Option<String>,
    /// Directory of the set or its copy, or data file of the recovered tenant.
    pub directory: Option<String>,
    /// What a copy or a cleanup did, in words.
    pub outcome: Option<String>,
    /// Why it failed, and what to do.
    pub failure: Option<String>,
    /// The run of the schedule that it belongs to.
    pub run: Option<RunId>,
    /// The task that it tries again.
    pub retry_of: Option<JobId>,
    /// Version of this row.
    pub rev: Revision,
}

impl Task {
    /// The word for its state in the list of its kind.
    pub const fn state_label(&self) -> &'static str {
        state_label(self.kind, self.state)
    }
}

/// The word for a state in the list of a kind of tasks.
pub const fn state_label(kind: JobKind, state: JobState) -> &'static str {
    match kind {
        JobKind::SecondData | JobKind::SecondLog => copy_label(state),
        JobKind::Cleanup => cleanup_label(state),
        JobKind::DataBackup | JobKind::Recovery => task_label(state),
    }
}

/// The copy of a data backup's set: the link from its row to the tasks of its second backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondOf {
    /// Whether a task copied it completely.
    pub copied: bool,
    /// The tasks that copied or copy it, newest first.
    pub tasks: Vec<JobId>,
}

/// One step of a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Number within the task, from 1.
    pub seq: u32,
    /// When.
    pub at: Scn,
    /// What happened, as a person reads it.
    pub text: String,
}

/// The word for a state in the lists of data backups and recoveries.
pub const fn task_label(state: JobState) -> &'static str {
    match state {
        JobState::Queued => "Starting",
        JobState::Starting => "Initializing",
        JobState::Running => "In Progress",
        JobState::Canceling => "Canceling",
        JobState::Completed => "Completed",
        JobState::Failed => "Failed",
        JobState::Canceled => "Canceled",
    }
}

/// The word for a state in the lists of second backups.
pub const fn copy_label(state: JobState) -> &'static str {
    match state {
        JobState::Queued | JobState::Starting => "Scheduling",
        JobState::Canceling => "Cleaning",
        other => task_label(other),
    }
}

/// The word for a state in the list of cleanups.
pub const fn cleanup_label(state: JobState) -> &'static str {
    match state {
        JobState::Queued | JobState::Starting => "Pending",
        JobState::Running => "Executing",
        other => task_label(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_list_has_its_own_words() {
        assert_eq!(task_label(JobState::Starting), "Initializing");
        assert_eq!(copy_label(JobState::Starting), "Scheduling");
        assert_eq!(copy_label(JobState::Canceling), "Cleaning");
        assert_eq!(copy_label(JobState::Running), "In Progress");
        assert_eq!(cleanup_label(JobState::Queued), "Pending");
        assert_eq!(cleanup_label(JobState::Running), "Executing");
        assert_eq!(cleanup_label(JobState::Failed), "Failed");
    }
}
