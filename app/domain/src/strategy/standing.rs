//! How scheduling of a cluster stands: from its strategy and the runs of it, and from nothing else.

use super::{BackupStrategy, RunKind, RunOutcome, ScheduleRun};
use crate::cluster::ScheduleStatus;

/// Runs skipped one after another that make an exception of scheduling; a single one is none.
pub const SKIPPED_MAX: usize = 2;

/// How scheduling stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The status.
    pub status: ScheduleStatus,
    /// Why it is an exception, or why the first run is still to come though its time has passed.
    pub reason: Option<String>,
}

/// How scheduling stands after `runs`, newest first; those of data backups decide, others are passed over.
///
/// A failed run is an exception until a later one succeeds, or until it counts as completed because its
/// failed tasks were tried again with success. A run that is missed, canceled or running says nothing about scheduling; one that is skipped
/// does when it happens again.
pub fn standing<'a>(
    strategy: Option<&BackupStrategy>,
    runs: impl IntoIterator<Item = &'a ScheduleRun>,
) -> Standing {
    let Some(strategy) = strategy else {
        return plain(ScheduleStatus::None);
    };
    if strategy.paused {
        return plain(ScheduleStatus::Paused);
    }
    let mut skipped: Vec<&ScheduleRun> = Vec::new();
    let mut missed = None;
    let mut running = false;
    let of_data = runs
        .into_iter()
        .filter(|run| run.kind == RunKind::DataBackup);
    for run in of_data {
        match run.outcome {
            RunOutcome::Completed => return plain(ScheduleStatus::Normal),
            RunOutcome::Failed => return exception(failed(run)),
            RunOutcome::Skipped => {
                skipped.push(run);
                if skipped.len() == SKIPPED_MAX {
                    return exception(repeated(skipped[0]));
                }
            }
            RunOutcome::Running => running = true,
            RunOutcome::Missed => missed = missed.or(Some(run)),
            RunOutcome::Canceled => {}
        }
    }
    if running {
        return plain(ScheduleStatus::Normal);
    }
    let last = skipped.first().copied().or(missed);
    Standing {
        status: ScheduleStatus::Waiting,
        reason: last.map(|run| format!("The run due at {} was not made: {}", due(run), cause(run))),
    }
}

fn plain(status: ScheduleStatus) -> Standing {
    Standing {
        status,
        reason: None,
    }
}

fn exception(reason: String) -> Standing {
    Standing {
        status: ScheduleStatus::Abnormal,
        reason: Some(reason),
    }
}

fn failed(run: &ScheduleRun) -> String {
    format!("The run due at {} failed: {}", due(run), cause(run))
}

fn repeated(run: &ScheduleRun) -> String {
    format!(
        "The last {SKIPPED_MAX} runs were skipped, the newest one due at {}: {}",
        due(run),
        cause(run)
    )
}

fn due(run: &ScheduleRun) -> String {
    format!("{} UTC", run.due.display_seconds())
}

fn cause(run: &ScheduleRun) -> &str {
    let told = run.cause.as_deref().filter(|cause| !cause.is_empty());
    told.unwrap_or(match run.outcome {
        RunOutcome::Missed => "the console was not running then",
        _ => "no cause is known; its tasks may tell more",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Revision, RunId, Scn, backup::BackupKind, strategy::test_settings};
    use RunOutcome::{Canceled, Completed, Failed, Missed, Running, Skipped};

    fn strategy(paused: bool) -> BackupStrategy {
        BackupStrategy {
            id: crate::StrategyId(1),
            settings: test_settings(),
            paused,
            created: Scn(1),
            modified: Scn(1),
            rev: Revision(1),
        }
    }

    fn run(kind: RunKind, outcome: RunOutcome) -> ScheduleRun {
        ScheduleRun {
            id: RunId(1),
            kind,
            backup: Some(BackupKind::Full),
            due: Scn::parse_rfc3339("2026-11-26T02:00:00Z").unwrap(),
            started: Scn(2),
            ended: None,
            outcome,
            cause: (outcome != Completed).then(|| "disk full".to_owned()),
            tasks: Vec::new(),
            rev: Revision(1),
        }
    }

    /// Status and reason after these outcomes, newest first.
    fn after(outcomes: &[RunOutcome]) -> (ScheduleStatus, Option<String>) {
        let each = |outcome: &RunOutcome| run(RunKind::DataBackup, *outcome);
        let runs: Vec<ScheduleRun> = outcomes.iter().map(each).collect();
        let standing = standing(Some(&strategy(false)), &runs);
        (standing.status, standing.reason)
    }

    fn status(outcomes: &[RunOutcome]) -> ScheduleStatus {
        after(outcomes).0
    }

    #[test]
    fn without_a_strategy_or_while_it_is_paused_runs_do_not_matter() {
        let failed = [run(RunKind::DataBackup, Failed)];
        assert_eq!(standing(None, &failed).status, ScheduleStatus::None);
        let paused = strategy(true);
        assert_eq!(
            standing(Some(&paused), &failed).status,
            ScheduleStatus::Paused
        );
    }

    #[test]
    fn the_newest_run_that_says_something_decides() {
        use ScheduleStatus::{Abnormal, Normal, Waiting};
        assert_eq!(status(&[]), Waiting);
        assert_eq!(status(&[Completed]), Normal);
        assert_eq!(status(&[Running]), Normal);
        assert_eq!(status(&[Failed, Completed]), Abnormal);
        assert_eq!(status(&[Completed, Failed]), Normal);
        assert_eq!(status(&[Running, Failed]), Abnormal);
        assert_eq!(status(&[Canceled, Failed]), Abnormal);
        assert_eq!(status(&[Missed, Completed]), Normal);
        assert_eq!(status(&[Missed, Failed]), Abnormal);
        assert_eq!(status(&[Missed]), Waiting);
        assert_eq!(status(&[Skipped, Completed]), Normal);
        assert_eq!(status(&[Skipped, Skipped, Completed]), Abnormal);
        assert_eq!(status(&[Skipped, Completed, Skipped]), Normal);
    }

    #[test]
    fn an_exception_says_why_and_ends_with_a_successful_retry() {
        let (status, reason) = after(&[Failed]);
        assert_eq!(status, ScheduleStatus::Abnormal);
        let reason = reason.unwrap();
        assert!(
            reason.contains("2026-11-26 02:00:00 UTC") && reason.contains("disk full"),
            "{reason}"
        );
        // Its failed tasks were tried again.
        assert_eq!(after(&[Completed, Failed]), (ScheduleStatus::Normal, None));
        assert!(after(&[Missed]).1.unwrap().contains("was not made"));
    }

    #[test]
    fn runs_of_other_kinds_do_not_matter() {
        let cleanup = [run(RunKind::Cleanup, Failed)];
        let standing = standing(Some(&strategy(false)), &cleanup);
        assert_eq!(standing.status, ScheduleStatus::Waiting);
    }
}
