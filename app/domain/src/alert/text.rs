//! What people read about the rules, in one table per language.

use super::rule::RuleId;

/// A language that the texts exist in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// English.
    #[default]
    English,
}

/// What people read about a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    /// Its name, the column "Alert Type".
    pub name: &'static str,
    /// When it speaks.
    pub condition: &'static str,
    /// What it means for recoveries.
    pub impact: &'static str,
    /// What is probably behind it, most probable first.
    pub causes: &'static [&'static str],
    /// What to do, in order.
    pub advice: &'static [&'static str],
}

/// The texts of a rule.
pub const fn text(rule: RuleId, language: Language) -> Text {
    match language {
        Language::English => english(rule),
    }
}

const fn english(rule: RuleId) -> Text {
    match rule {
        RuleId::LogDelay | RuleId::RangeStopped | RuleId::GapInLog | RuleId::LogBackupStopped => {
            log(rule)
        }
        RuleId::StorageFull
        | RuleId::StorageSizeFailed
        | RuleId::StorageSizeTimeout
        | RuleId::DestinationChanged
        | RuleId::StorageUnreachable => storage(rule),
        RuleId::DataBackupFailed
        | RuleId::DataBackupTimeout
        | RuleId::NoSuccess
        | RuleId::SecondBackupFailed
        | RuleId::ScheduleFailed
        | RuleId::ProgressStalled
        | RuleId::CleanupFailed
        | RuleId::SchedulingPaused => tasks(rule),
        _ => machine(rule),
    }
}

const fn log(rule: RuleId) -> Text {
    match rule {
        RuleId::LogDelay => Text {
            name: "Log backup is late",
            condition: "The log at the destination ends longer ago than the log delay threshold of the strategy (1 h without one).",
            impact: "If the data file were lost now, everything committed since the log checkpoint would be lost with it. The tenant itself works as usual.",
            causes: &[
                "The destination does not answer, is slow, or is full.",
                "More is committed than the destination can take.",
                "The tenant's log cannot be read.",
            ],
            advice: &[
                "Open Log Backup Tasks and read the note of the tenant: it names the obstacle.",
                "If the destination is the obstacle, bring it back or make room; log backup catches up by itself.",
                "If the delay only grows while much is written, use a faster destination, or raise the threshold if the delay is acceptable.",
            ],
        },
        RuleId::RangeStopped => Text {
            name: "Recoverable range does not grow",
            condition: "Log backup is on, and the last recoverable moment of the tenant has been more than 10 minutes ago.",
            impact: "The tenant cannot be recovered to any moment of the time since then.",
            causes: &[
                "Log backup is interrupted.",
                "A new round of log has begun and has no full data backup yet, so that its log cannot be used.",
                "The destination does not take log.",
            ],
            advice: &[
                "Read the tenant's note under Log Backup Tasks.",
                "If the round has no data backup, look under Data Backup Tasks why; take a full one with Back up Now.",
                "Bring the destination back if it is the obstacle.",
            ],
        },
        RuleId::GapInLog => Text {
            name: "Gap in the log",
            condition: "Between two recoverable ranges of the tenant there is a gap that ended within a day and that no person asked for.",
            impact: "The moments inside the gap cannot be recovered to, now or later. Moments before and after it can.",
            causes: &[
                "Log was lost while the console was not running, or the destination was away longer than the log could wait.",
                "The data file was replaced by another one.",
                "Log at the destination was deleted or damaged.",
            ],
            advice: &[
                "Open the gap in the calendar: it names its cause.",
                "See that a full data backup exists after the gap; take one with Back up Now if not.",
                "Remove the cause: keep the console running, let nothing else delete files at the destination.",
            ],
        },
        _ => Text {
            name: "Log backup is stopped",
            condition: "Log backup of a tenant in service is stopped.",
            impact: "What is committed while it is stopped cannot be recovered, and no data backup can be made.",
            causes: &["A person stopped it; the note says who and why."],
            advice: &[
                "If the reason is gone, start it under Log Backup Tasks; a full data backup follows by itself.",
                "If it is to stay stopped, mask this reminder.",
            ],
        },
    }
}

const fn storage(rule: RuleId) -> Text {
    match rule {
        RuleId::StorageFull => Text {
            name: "Storage is nearly full",
            condition: "The used share of the storage is at or above the threshold of its configuration (80 % by default). From 95 % on it is critical.",
            impact: "When it is full, data backups fail and log backup waits; after that moments are lost.",
            causes: &[
                "Backups are kept longer than the storage is large.",
                "Cleanup of expired backups is off or fails.",
                "Something else fills the same storage.",
            ],
            advice: &[
                "Look at the storage trend: it says since when and how fast.",
                "Enlarge the storage, or shorten the retention in the strategy and let the cleanup run.",
                "Move what does not belong there.",
            ],
        },
        RuleId::StorageSizeFailed => Text {
            name: "Storage size cannot be read",
            condition: "The storage was asked for its size again and again, without an answer that could be used.",
            impact: "Nobody would be called before it is full. The storage trend has a gap.",
            causes: &[
                "The console has no right to ask for it.",
                "The file system or the network share has a fault.",
            ],
            advice: &[
                "Test the storage in the form of the strategy: it names the step that fails.",
                "Check the mount and its rights on the console's machine.",
            ],
        },
        RuleId::StorageSizeTimeout => Text {
            name: "Storage size takes too long",
            condition: "The storage did not tell its size in time.",
            impact: "Nobody would be called before it is full. Slow answers also slow down backups and recoveries.",
            causes: &[
                "The storage or the network to it is overloaded.",
                "A network share hangs.",
            ],
            advice: &[
                "Check the connection between this machine and the storage.",
                "Test the storage in the form of the strategy and compare the times of the steps.",
            ],
        },
        RuleId::DestinationChanged => Text {
            name: "Another destination is at the address",
            condition: "The identity found at the address is not that of the destination that backups went to so far.",
            impact: "The backups so far may be out of reach, and new ones are not written, so that the two are not mixed.",
            causes: &[
                "Another disk or share is mounted there.",
                "The directory was moved, restored from a copy, or made anew.",
            ],
            advice: &[
                "Mount the right disk or share at the address; backups go on by themselves.",
                "If the old destination is gone for good, change the storage in the strategy.",
            ],
        },
        _ => Text {
            name: "Storage cannot be used",
            condition: "The destination could not be read or written at the last look.",
            impact: "Neither data nor log backups arrive. Log waits at the tenant for a while; recoveries need the other copy.",
            causes: &[
                "The disk or share is not mounted, or the network to it is down.",
                "Rights were changed, or it became read-only.",
                "It is full.",
            ],
            advice: &[
                "Read the fault in the summary: it names what was tried.",
                "Bring the storage back; backups catch up by themselves.",
                "If that takes long, start a full backup to another storage by changing the strategy.",
            ],
        },
    }
}

const fn tasks(rule: RuleId) -> Text {
    match rule {
        RuleId::DataBackupFailed => Text {
            name: "Data backup failed",
            condition: "The newest data backup of the tenant that came to an end failed. The alert stays until a later one succeeds.",
            impact: "Earlier backups and the log are as they were. Recoveries take longer, because more log has to be replayed.",
            causes: &[
                "The destination did not take the data.",
                "Log backup was interrupted meanwhile.",
                "The data file has damaged pages.",
            ],
            advice: &[
                "View the cause of the task under Data Backup Tasks.",
                "Remove it, then retry the task or use Back up Now.",
                "If you know about it and it can wait, mask this alert until then.",
            ],
        },
        RuleId::DataBackupTimeout => Text {
            name: "Data backup runs too long",
            condition: "A running data backup takes longer than the timeout of the strategy (60 min without one).",
            impact: "None yet. The next scheduled backup is skipped if this one still runs.",
            causes: &[
                "The tenant has grown.",
                "The destination or the machine is slow, or the speed is limited.",
            ],
            advice: &[
                "Look at the rate and the time left of the task.",
                "If it ends well, raise the timeout in the strategy.",
                "If it does not get on, cancel it and look at the destination.",
            ],
        },
        RuleId::NoSuccess => Text {
            name: "No successful data backup for days",
            condition: "The newest successful data backup is older than the days of the strategy (9 without one).",
            impact: "Recoveries to late moments have to replay all log since then: they take long, and one damaged log file breaks them.",
            causes: &[
                "No strategy makes backups, or its days are too far apart.",
                "Every backup since then failed, was skipped or was missed.",
            ],
            advice: &[
                "Look at the newest tasks under Data Backup Tasks and at the scheduling history.",
                "Take a backup with Back up Now.",
                "Make a strategy, or more days in it.",
            ],
        },
        RuleId::SecondBackupFailed => Text {
            name: "Second backup failed",
            condition: "The newest copy of data or log to the second destination failed. The alert stays until a later one succeeds.",
            impact: "The first copy is complete. If it were lost, the second one would be behind.",
            causes: &[
                "The second destination does not answer or is full.",
                "A file of the first copy could not be read.",
            ],
            advice: &[
                "View the cause of the second backup task.",
                "Remove it, then retry the task; copying goes on where it ended.",
            ],
        },
        RuleId::ScheduleFailed => Text {
            name: "Scheduled backup was not made",
            condition: "The newest scheduled data backup failed or was missed, or two in a row were skipped.",
            impact: "The cluster is not backed up as its strategy promises.",
            causes: &[
                "A task of the run failed.",
                "The console was not running when it was due.",
                "An earlier backup was still running, or log backup was stopped.",
            ],
            advice: &[
                "Open the scheduling history: the run names its cause.",
                "Remove it, then use Back up Now; the next run proves that it is gone.",
            ],
        },
        RuleId::ProgressStalled => Text {
            name: "Task stands still",
            condition: "A running task has not got on for 15 minutes.",
            impact: "It may never end, and keeps others of the same tenant from beginning.",
            causes: &[
                "The source or the destination does not answer.",
                "The machine is overloaded or out of memory.",
            ],
            advice: &[
                "Look at the steps of the task.",
                "Check the destination; if it answers and nothing moves, cancel the task and retry it.",
            ],
        },
        RuleId::CleanupFailed => Text {
            name: "Cleanup failed",
            condition: "The newest cleanup task failed. The alert stays until a later one succeeds.",
            impact: "Expired backups stay and fill the storage. Nothing that is needed was removed.",
            causes: &["The destination did not allow files to be removed, or did not answer."],
            advice: &[
                "View the cause of the cleanup task.",
                "Check the rights at the destination; the next cleanup goes on where this one ended.",
            ],
        },
        _ => Text {
            name: "Scheduling is paused",
            condition: "A person paused the strategy of the cluster.",
            impact: "No data backup is begun by itself. Log backup goes on.",
            causes: &["A person paused it; the audit says who and when."],
            advice: &[
                "Start scheduling again when the reason is gone.",
                "If it is to stay paused, mask this reminder.",
            ],
        },
    }
}

const fn machine(rule: RuleId) -> Text {
    match rule {
        RuleId::ProcessDead => Text {
            name: "Backup process is gone",
            condition: "A process that backups of the cluster need is not running.",
            impact: "Nothing is backed up or recovered until it runs again.",
            causes: &["The process ended or its machine is down."],
            advice: &["Start it again and read its log for the reason."],
        },
        RuleId::NeverVerified => Text {
            name: "Backups were not read back",
            condition: "The backups of the tenant have not been read back and checked for 30 days.",
            impact: "Damage at the destination would be found only when a recovery needs the damaged file.",
            causes: &["Nobody asked for it."],
            advice: &[
                "Run `tidemark verify --tenant NAME`: every set and log file is read back and checked.",
                "Better still, recover the tenant under another name and look at its data.",
            ],
        },
        RuleId::VerifyFailed => Text {
            name: "Backups are damaged",
            condition: "The last time the backups of the tenant were read back, faults were found.",
            impact: "Moments that need a damaged file cannot be recovered to from this copy.",
            causes: &[
                "The storage lost or changed data.",
                "Files at the destination were deleted or overwritten by others.",
            ],
            advice: &[
                "Take a full data backup now: it needs none of the damaged files.",
                "If a second copy is kept, read that back and recover from it.",
                "Check the storage; then run `tidemark verify` again. The alert ends when it finds nothing.",
            ],
        },
        RuleId::ClockStep => Text {
            name: "Clock was set back",
            condition: "The machine's clock was seen to be set back by 10 seconds or more.",
            impact: "Commits keep their order; their times run ahead of the clock until it has caught up. Schedules follow the new time.",
            causes: &[
                "A person set the clock.",
                "Time synchronisation was off for long, or a machine was resumed.",
            ],
            advice: &[
                "Check the time synchronisation of the machine.",
                "When recovering to a moment around the step, compare it with the commits named in the plan.",
            ],
        },
        RuleId::ClusterUnreachable => Text {
            name: "Cluster cannot be looked at",
            condition: "The cluster has not been looked at for more than 3 minutes.",
            impact: "It is not known whether it is backed up. What is shown of it is old.",
            causes: &[
                "Its files or its destination cannot be opened.",
                "It is opening, which takes long with large tenants.",
            ],
            advice: &[
                "Read the fault on the cluster's page: it names the file or the operation.",
                "It is tried again by itself; nothing has to be restarted.",
            ],
        },
        RuleId::TenantFaulty => Text {
            name: "Tenant's data cannot be used",
            condition: "The data file of the tenant is damaged, missing, or not readable.",
            impact: "The tenant is out of service. Its backups are not touched.",
            causes: &[
                "The file was deleted, replaced or damaged.",
                "Rights were changed.",
            ],
            advice: &[
                "Read the tenant's note: it names the file and what is wrong with it.",
                "If it cannot be repaired, recover the tenant under another name with Initiate Recovery.",
            ],
        },
        RuleId::ConsoleWasDown => Text {
            name: "Console was not running",
            condition: "More than 15 minutes passed between two evaluations of the alerts, with a start of the console between them.",
            impact: "Nothing was watched meanwhile, and scheduled backups of that time were missed.",
            causes: &["The process or the machine was stopped."],
            advice: &[
                "Look at the calendar: gaps of that time are shown with their cause.",
                "Let a service manager start the console with the machine, and have a channel of the kind ping watched from outside.",
            ],
        },
        _ => Text {
            name: "Notifications do not arrive",
            condition: "Messages of a channel could not be delivered for more than 5 minutes.",
            impact: "Nobody is called through this channel. Alerts on the pages are complete.",
            causes: &[
                "The receiver does not answer, or refuses the address.",
                "This machine cannot reach it.",
            ],
            advice: &[
                "Run `tidemark channel test NAME`: it tells what the receiver answers.",
                "Correct the address by removing the channel and adding it again.",
            ],
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_rule_has_its_own_complete_text() {
        let mut names = BTreeSet::new();
        for rule in RuleId::ALL {
            let text = text(*rule, Language::English);
            assert!(names.insert(text.name), "{} twice", text.name);
            assert!(!text.causes.is_empty() && !text.advice.is_empty());
            let sentences = [text.condition, text.impact];
            for sentence in sentences.iter().chain(text.causes).chain(text.advice) {
                assert!(sentence.ends_with('.'), "{sentence}");
            }
        }
    }
}
