//! The one map from a state to its badge. Every page takes words, tones and icons from here.

use crate::ui::badge::{Look, Tone};
use domain::{
    archive::ArchiveState, backup::BackupJob, cluster::ScheduleStatus, job::JobState,
    recovery::RecoveryJob,
};

fn look(text: &str, tone: Tone, icon: &'static str) -> Look {
    Look {
        text: text.to_owned(),
        tone,
        icon,
    }
}

/// State of a cluster's scheduling.
pub fn schedule(status: ScheduleStatus) -> Look {
    let (tone, icon) = match status {
        ScheduleStatus::None => (Tone::Mute, "s-none"),
        ScheduleStatus::Waiting => (Tone::Wait, "s-wait"),
        ScheduleStatus::Normal => (Tone::Info, "s-on"),
        ScheduleStatus::Paused => (Tone::Warn, "s-pause"),
        ScheduleStatus::Abnormal => (Tone::Bad, "s-bad"),
    };
    look(status.label(), tone, icon)
}

/// State of a task, in the words of the task tables.
pub fn job(state: JobState) -> Look {
    match state {
        JobState::Queued => look("Starting", Tone::Wait, "s-wait"),
        JobState::Starting => look("Initializing", Tone::Wait, "s-wait"),
        JobState::Running => look("In Progress", Tone::Info, "s-run"),
        JobState::Canceling => look("Canceling", Tone::Wait, "s-cancel"),
        JobState::Completed => look("Completed", Tone::Ok, "s-ok"),
        JobState::Failed => look("Failed", Tone::Bad, "s-bad"),
        JobState::Canceled => look("Canceled", Tone::Mute, "s-cancel"),
    }
}

/// State of a data backup task.
pub fn backup(task: &BackupJob) -> Look {
    job(task.state)
}

/// State of a recovery task: while it runs, its phase.
pub fn recovery(task: &RecoveryJob) -> Look {
    let mut look = job(task.state);
    if task.state == JobState::Running && !task.progress.phase.is_empty() {
        look.text.clone_from(&task.progress.phase);
    }
    look
}

/// State of a tenant's log backup.
pub fn archive(state: &ArchiveState) -> Look {
    let (tone, icon) = match state {
        ArchiveState::Prepare | ArchiveState::Beginning => (Tone::Wait, "s-wait"),
        ArchiveState::Doing => (Tone::Info, "s-run"),
        ArchiveState::Interrupted => (Tone::Bad, "s-broken"),
        ArchiveState::Stopping => (Tone::Wait, "s-stop"),
        ArchiveState::Stop => (Tone::Mute, "s-stop"),
        ArchiveState::Unknown(_) => (Tone::Mute, "s-unknown"),
    };
    look(state.label(), tone, icon)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_nobody_knows_is_shown_as_it_came() {
        let look = archive(&ArchiveState::Unknown("DOING_WAIT".to_owned()));
        assert_eq!(
            (look.text.as_str(), look.tone, look.icon),
            ("DOING_WAIT", Tone::Mute, "s-unknown")
        );
    }

    #[test]
    fn every_task_state_has_its_own_word() {
        let mut words: Vec<String> = JobState::ALL.map(|state| job(state).text).to_vec();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), JobState::ALL.len());
    }
}
