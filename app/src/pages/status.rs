//! The one map from a state to its badge. Every page takes words, tones and icons from here.

use crate::language::{t, told};
use crate::ui::badge::{Look, Tone};
use domain::{
    archive::ArchiveState,
    backup::BackupJob,
    cluster::ScheduleStatus,
    job::{JobKind, JobState},
    recovery::RecoveryJob,
    second_backup::SecondLogState,
    strategy::RunOutcome,
    task::{Task, state_label},
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
    look(t(status.label()), tone, icon)
}

/// State of a task, in the words of the task tables.
pub fn job(state: JobState) -> Look {
    match state {
        JobState::Queued => look(t("Starting"), Tone::Wait, "s-wait"),
        JobState::Starting => look(t("Initializing"), Tone::Wait, "s-wait"),
        JobState::Running => look(t("In Progress"), Tone::Info, "s-run"),
        JobState::Canceling => look(t("Canceling"), Tone::Wait, "s-cancel"),
        JobState::Completed => look(t("Completed"), Tone::Ok, "s-ok"),
        JobState::Failed => look(t("Failed"), Tone::Bad, "s-bad"),
        JobState::Canceled => look(t("Canceled"), Tone::Mute, "s-cancel"),
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
        look.text = told(&task.progress.phase);
    }
    look
}

/// State of a task of any kind, in the words of its table.
pub fn task(task: &Task) -> Look {
    job_of(task.kind, task.state)
}

/// State of a task of a kind, in the words of its table.
pub fn job_of(kind: JobKind, state: JobState) -> Look {
    let mut look = job(state);
    t(state_label(kind, state)).clone_into(&mut look.text);
    if state == JobState::Canceling && matches!(kind, JobKind::SecondData | JobKind::SecondLog) {
        look.icon = "s-clean";
    }
    look
}

/// State of a tenant's second log backup.
pub fn second_log(state: SecondLogState) -> Look {
    let (tone, icon) = match state {
        SecondLogState::InProgress => (Tone::Info, "s-run"),
        SecondLogState::Stopped => (Tone::Mute, "s-stop"),
        SecondLogState::Unknown => (Tone::Mute, "s-unknown"),
    };
    look(t(state.label()), tone, icon)
}

/// What became of a run of the schedule.
pub fn run(outcome: RunOutcome) -> Look {
    let (tone, icon) = match outcome {
        RunOutcome::Running => (Tone::Info, "s-run"),
        RunOutcome::Completed => (Tone::Ok, "s-ok"),
        RunOutcome::Failed => (Tone::Bad, "s-bad"),
        RunOutcome::Canceled => (Tone::Mute, "s-cancel"),
        RunOutcome::Missed => (Tone::Warn, "s-warn"),
        RunOutcome::Skipped => (Tone::Mute, "s-stop"),
    };
    look(t(outcome.label()), tone, icon)
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
    look(&told(state.label()), tone, icon)
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
