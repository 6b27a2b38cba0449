//! The life of a task: which states exist and which steps between them are legal.

use crate::Scn;
use serde::{Deserialize, Serialize};

/// What a task does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// Makes a backup set.
    DataBackup,
    /// Rebuilds a tenant as of a moment.
    Recovery,
    /// Copies a backup set to the second destination.
    SecondData,
    /// Copies archived log to the second destination.
    SecondLog,
    /// Removes expired backups.
    Cleanup,
}

impl JobKind {
    /// Every kind.
    pub const ALL: [JobKind; 5] = [
        JobKind::DataBackup,
        JobKind::Recovery,
        JobKind::SecondData,
        JobKind::SecondLog,
        JobKind::Cleanup,
    ];

    /// What people call a task of this kind.
    pub const fn label(self) -> &'static str {
        match self {
            JobKind::DataBackup => "data backup",
            JobKind::Recovery => "recovery",
            JobKind::SecondData => "second data backup",
            JobKind::SecondLog => "second log backup",
            JobKind::Cleanup => "cleanup",
        }
    }

    /// The stored form.
    pub const fn code(self) -> &'static str {
        match self {
            JobKind::DataBackup => "data_backup",
            JobKind::Recovery => "recovery",
            JobKind::SecondData => "second_data",
            JobKind::SecondLog => "second_log",
            JobKind::Cleanup => "cleanup",
        }
    }

    /// Reads [`JobKind::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        JobKind::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Recorded, no worker has it yet. UI: Starting.
    Queued,
    /// A worker has it; the engine has not answered yet. UI: Initializing.
    Starting,
    /// The engine works on it. UI: In Progress.
    Running,
    /// Somebody asked to stop it; the engine is cleaning up.
    Canceling,
    /// Done, result proven present.
    Completed,
    /// Ended without a result, for a reason given.
    Failed,
    /// Ended because somebody asked; nothing is left behind.
    Canceled,
}

/// What may happen to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobEvent {
    /// A worker took it.
    Claim,
    /// The engine accepted it.
    Accepted,
    /// Somebody asked to stop it.
    Cancel,
    /// The engine finished it.
    Complete,
    /// It cannot be done.
    Fail,
    /// The engine confirms that it stopped and cleaned up.
    ConfirmCanceled,
    /// Its worker died or the engine lost it; it will be tried again.
    Requeue,
}

impl JobState {
    /// Every state, in the order of a task's life.
    pub const ALL: [JobState; 7] = [
        JobState::Queued,
        JobState::Starting,
        JobState::Running,
        JobState::Canceling,
        JobState::Completed,
        JobState::Failed,
        JobState::Canceled,
    ];

    /// The state after `event`, or `None` when that step is not legal here.
    pub const fn after(self, event: JobEvent) -> Option<JobState> {
        use JobEvent as E;
        use JobState as S;
        Some(match (self, event) {
            (S::Queued, E::Claim) => S::Starting,
            (S::Starting, E::Accepted) => S::Running,
            (S::Queued, E::Cancel) => S::Canceled,
            (S::Starting | S::Running, E::Cancel) => S::Canceling,
            (S::Starting | S::Running | S::Canceling, E::Complete) => S::Completed,
            (S::Queued | S::Starting | S::Running | S::Canceling, E::Fail) => S::Failed,
            (S::Canceling, E::ConfirmCanceled) => S::Canceled,
            (S::Starting | S::Running, E::Requeue) => S::Queued,
            _ => return None,
        })
    }

    /// Whether nothing can happen to it any more.
    pub const fn is_final(self) -> bool {
        matches!(
            self,
            JobState::Completed | JobState::Failed | JobState::Canceled
        )
    }

    /// The stored and wire form.
    pub const fn code(self) -> &'static str {
        match self {
            JobState::Queued => "queued",
            JobState::Starting => "starting",
            JobState::Running => "running",
            JobState::Canceling => "canceling",
            JobState::Completed => "completed",
            JobState::Failed => "failed",
            JobState::Canceled => "canceled",
        }
    }

    /// Reads [`JobState::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        JobState::ALL.into_iter().find(|state| state.code() == code)
    }
}

/// Whether a task stands still: the engine has it, and its progress has not moved for `limit_ns` nanoseconds.
/// `moved` is when it moved last; a moment after `now` means that the clock was set back, and says nothing.
pub fn stands_still(state: JobState, moved: Option<Scn>, now: Scn, limit_ns: u64) -> bool {
    matches!(state, JobState::Running | JobState::Canceling)
        && moved.is_some_and(|moved| now.since_ns(moved) >= limit_ns)
}

/// How far a task is. All zero before it is known.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// What is being done, in words: `Copying pages`, `Replaying logs`.
    pub phase: String,
    /// Bytes done of `total_bytes`.
    pub done_bytes: u64,
    /// Bytes to do; zero while unknown.
    pub total_bytes: u64,
    /// Bytes per second lately.
    pub rate_bytes_per_s: u64,
    /// Milliseconds left, when they can be told.
    pub eta_ms: Option<u64>,
}

impl Progress {
    /// Whether `later` is further on, or at something else.
    pub fn has_moved(&self, later: &Progress) -> bool {
        self.phase != later.phase
            || self.done_bytes != later.done_bytes
            || self.total_bytes != later.total_bytes
    }

    /// Whole percent, 0 to 100; `None` while the total is unknown.
    pub fn percent(&self) -> Option<u8> {
        if self.total_bytes == 0 {
            return None;
        }
        let percent = u128::from(self.done_bytes) * 100 / u128::from(self.total_bytes);
        Some(u8::try_from(percent.min(100)).unwrap_or(100))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [JobEvent; 7] = [
        JobEvent::Claim,
        JobEvent::Accepted,
        JobEvent::Cancel,
        JobEvent::Complete,
        JobEvent::Fail,
        JobEvent::ConfirmCanceled,
        JobEvent::Requeue,
    ];

    #[test]
    fn final_states_never_change() {
        for state in JobState::ALL.into_iter().filter(|s| s.is_final()) {
            for event in EVENTS {
                assert_eq!(state.after(event), None, "{state:?} {event:?}");
            }
        }
    }

    #[test]
    fn every_state_can_reach_an_end_and_only_canceling_ends_canceled_after_work_began() {
        for state in JobState::ALL.into_iter().filter(|s| !s.is_final()) {
            assert_eq!(state.after(JobEvent::Fail), Some(JobState::Failed));
        }
        assert_eq!(JobState::Running.after(JobEvent::ConfirmCanceled), None);
        assert_eq!(JobState::Queued.after(JobEvent::Complete), None);
        assert_eq!(JobState::Canceling.after(JobEvent::Requeue), None);
    }

    #[test]
    fn only_what_the_engine_works_on_stands_still() {
        let (moved, limit) = (Some(Scn(100)), 50);
        let still = |state, now| stands_still(state, moved, Scn(now), limit);
        assert!(!still(JobState::Running, 149));
        assert!(still(JobState::Running, 150) && still(JobState::Canceling, 150));
        assert!(!still(JobState::Queued, 999) && !still(JobState::Failed, 999));
        assert!(!still(JobState::Running, 20), "the clock was set back");
        assert!(!stands_still(JobState::Running, None, Scn(999), limit));
    }

    #[test]
    fn a_new_rate_is_no_movement() {
        let before = Progress {
            done_bytes: 5,
            ..Progress::default()
        };
        let rate = Progress {
            rate_bytes_per_s: 9,
            ..before.clone()
        };
        assert!(!before.has_moved(&rate));
        let further = Progress {
            done_bytes: 6,
            ..before.clone()
        };
        assert!(before.has_moved(&further));
    }

    #[test]
    fn codes_read_back() {
        for state in JobState::ALL {
            assert_eq!(JobState::from_code(state.code()), Some(state));
        }
        assert_eq!(JobState::from_code("doing"), None);
    }

    #[test]
    fn percent_is_bounded_and_unknown_without_a_total() {
        let progress = |done, total| Progress {
            done_bytes: done,
            total_bytes: total,
            ..Progress::default()
        };
        assert_eq!(progress(5, 0).percent(), None);
        assert_eq!(progress(0, 3).percent(), Some(0));
        assert_eq!(progress(2, 3).percent(), Some(66));
        assert_eq!(progress(9, 3).percent(), Some(100));
        assert_eq!(progress(u64::MAX, u64::MAX).percent(), Some(100));
    }
}
