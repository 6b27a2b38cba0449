//! The rules: what is watched, how grave it is, to which clusters it applies, and what ends an alert.
//!
//! Two choices differ from consoles that alert on events. A failed task is a *state*: its alert stays until a
//! later one succeeds, however long that takes, because five quiet minutes after a failure prove nothing;
//! whoever knows about it masks it. And what a person switched off on purpose is not alerted as a fault: a
//! reminder says that it is off. Log that is archived is watched with or without a strategy.
//!
//! Operations that went well (a backup begun by hand, say) are no alerts: tasks and audit tell them.

use super::{
    Level, conditions as is,
    evaluate::Verdict,
    state::{ChannelFacts, ClusterFacts, ConsoleFacts, StorageFacts, TenantFacts},
    storage_conditions as stored,
};
use crate::{
    Scn,
    backup::BackupMethod,
    capability::{ArchiveScope, Capabilities},
    scn::NS_PER_SECOND,
    size,
};

/// A threshold's alert is over when values below it were seen for so long without a break.
const CLEAR_NS: u64 = 300 * NS_PER_SECOND;
/// The same for how full a storage is.
const CAPACITY_CLEAR_NS: u64 = 2400 * NS_PER_SECOND;
/// An event's alert is over when it was not seen again for so long.
const QUIET_NS: u64 = 300 * NS_PER_SECOND;

macro_rules! rules {
    ($($(#[$doc:meta])* $name:ident = $code:literal),+ $(,)?) => {
        /// What can be wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum RuleId {
            $($(#[$doc])* $name),+
        }

        impl RuleId {
            /// Every rule.
            pub const ALL: &[RuleId] = &[$(RuleId::$name),+];

            /// The stored and wire form.
            pub const fn code(self) -> &'static str {
                match self {
                    $(RuleId::$name => $code),+
                }
            }

            /// Reads [`RuleId::code`].
            pub fn from_code(code: &str) -> Option<Self> {
                RuleId::ALL.iter().copied().find(|rule| rule.code() == code)
            }
        }
    };
}

rules! {
    /// Log backup is late.
    LogDelay = "inc_backup_delay",
    /// A data backup failed.
    DataBackupFailed = "base_backup_fail",
    /// A data backup runs too long.
    DataBackupTimeout = "base_backup_timeout",
    /// No data backup succeeded for days.
    NoSuccess = "base_backup_too_long_time_no_one_success_task",
    /// A second backup failed.
    SecondBackupFailed = "base_secondary_backup_fail",
    /// A scheduled data backup failed or was missed.
    ScheduleFailed = "backup_schedule_fail",
    /// A process that backups need is gone.
    ProcessDead = "backup_process_dead",
    /// A storage is too full.
    StorageFull = "backup_storage_capacity_over_threshold",
    /// The size of a storage could not be read, also when tried again.
    StorageSizeFailed = "backup_storage_capacity_retry_times_exceeded",
    /// Reading the size of a storage took too long.
    StorageSizeTimeout = "backup_storage_capacity_timeout_or_interrupted",
    /// A task stands still.
    ProgressStalled = "progress_stalled",
    /// The recoverable range does not grow any more.
    RangeStopped = "recoverable_range_stopped",
    /// Moments between two recoverable ranges are lost.
    GapInLog = "gap_in_log",
    /// Backups were not read back for long.
    NeverVerified = "backup_never_verified",
    /// Reading backups back found faults.
    VerifyFailed = "backup_verify_fail",
    /// The clock was set back.
    ClockStep = "clock_step",
    /// Another destination is at the address.
    DestinationChanged = "destination_changed",
    /// A destination cannot be used.
    StorageUnreachable = "storage_unreachable",
    /// A cluster cannot be looked at.
    ClusterUnreachable = "cluster_unreachable",
    /// The data of a tenant cannot be used.
    TenantFaulty = "tenant_faulty",
    /// Expired backups could not be removed.
    CleanupFailed = "cleanup_fail",
    /// Log backup of a tenant is stopped.
    LogBackupStopped = "log_backup_stopped",
    /// Scheduling is paused.
    SchedulingPaused = "scheduling_paused",
    /// The console was not running.
    ConsoleWasDown = "console_was_down",
    /// Messages cannot be delivered.
    NotificationFailed = "notification_failed",
}

/// What a rule looks at; each of it is an object of its own.
#[derive(Clone, Copy)]
pub enum Look {
    /// Each cluster.
    Cluster(fn(&ClusterFacts, Scn) -> Verdict),
    /// Each tenant.
    Tenant(fn(&ClusterFacts, &TenantFacts, Scn) -> Verdict),
    /// Each destination of a cluster.
    Storage(fn(&ClusterFacts, &StorageFacts, Scn) -> Verdict),
    /// Each notification channel.
    Channel(fn(&ChannelFacts, Scn) -> Verdict),
    /// The console.
    Console(fn(&ConsoleFacts, Scn) -> Verdict),
}

/// What ends an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// A value below the threshold, really seen, for so many ns without a break.
    Below(u64),
    /// The opposite, seen once: a later success, a destination that answers.
    Opposite,
    /// Nothing new for so many ns.
    Quiet(u64),
}

impl Recovery {
    /// In words for people, as a sentence.
    pub fn words(self) -> String {
        let lasting = |ns: u64| size::duration_ms(ns / 1_000_000);
        match self {
            Recovery::Below(ns) => format!(
                "Good values are seen for {} without a break; missing ones do not count.",
                lasting(ns)
            ),
            Recovery::Opposite => "The opposite is seen, such as a later success.".to_owned(),
            Recovery::Quiet(ns) => format!("It does not happen again for {}.", lasting(ns)),
        }
    }
}

/// Whether a rule means something for a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applies {
    /// It does.
    Yes,
    /// It does not; why, as the end of a sentence that begins with "because".
    No(&'static str),
}

/// A rule.
#[derive(Clone, Copy)]
pub struct Rule {
    /// Which.
    pub id: RuleId,
    /// How grave; a condition may say graver.
    pub level: Level,
    /// Its condition, and over what.
    pub look: Look,
    /// Whether the condition reads what was observed of the cluster. Without a recent look nothing is known then.
    pub observed: bool,
    /// What ends an alert.
    pub recovery: Recovery,
    /// To which clusters it applies.
    pub applies: fn(&Capabilities) -> Applies,
}

const fn everywhere(_: &Capabilities) -> Applies {
    Applies::Yes
}

fn with_log(can: &Capabilities) -> Applies {
    match can.log_archive {
        ArchiveScope::None => Applies::No("this cluster does not archive log"),
        ArchiveScope::Cluster | ArchiveScope::Tenant => Applies::Yes,
    }
}

fn with_second(can: &Capabilities) -> Applies {
    match can.second_backup {
        true => Applies::Yes,
        false => Applies::No("this cluster cannot keep a second copy"),
    }
}

/// Processes of their own are a part of logical backup only.
fn with_processes(can: &Capabilities) -> Applies {
    match can.methods.contains(&BackupMethod::Logical) {
        true => Applies::Yes,
        false => Applies::No(
            "the console itself backs this cluster up and no other process could be gone",
        ),
    }
}

const fn rule(id: RuleId, level: Level, look: Look, recovery: Recovery) -> Rule {
    Rule {
        id,
        level,
        look,
        observed: false,
        recovery,
        applies: everywhere,
    }
}

const fn observed(rule: Rule) -> Rule {
    Rule {
        observed: true,
        ..rule
    }
}

const fn only(rule: Rule, applies: fn(&Capabilities) -> Applies) -> Rule {
    Rule { applies, ..rule }
}

/// Every rule.
pub const RULES: &[Rule] = &[
    only(
        observed(rule(
            RuleId::LogDelay,
            Level::Critical,
            Look::Tenant(is::log_late),
            Recovery::Below(CLEAR_NS),
        )),
        with_log,
    ),
    rule(
        RuleId::DataBackupFailed,
        Level::Critical,
        Look::Tenant(is::data_backup_failed),
        Recovery::Opposite,
    ),
    rule(
        RuleId::DataBackupTimeout,
        Level::Caution,
        Look::Tenant(is::data_backup_too_long),
        Recovery::Opposite,
    ),
    observed(rule(
        RuleId::NoSuccess,
        Level::Critical,
        Look::Tenant(is::no_success),
        Recovery::Opposite,
    )),
    only(
        rule(
            RuleId::SecondBackupFailed,
            Level::Critical,
            Look::Tenant(is::second_failed),
            Recovery::Opposite,
        ),
        with_second,
    ),
    rule(
        RuleId::ScheduleFailed,
        Level::Stopped,
        Look::Cluster(is::schedule_failed),
        Recovery::Opposite,
    ),
    only(
        observed(rule(
            RuleId::ProcessDead,
            Level::Stopped,
            Look::Cluster(is::process_dead),
            Recovery::Opposite,
        )),
        with_processes,
    ),
    observed(rule(
        RuleId::StorageFull,
        Level::Warning,
        Look::Storage(stored::storage_full),
        Recovery::Below(CAPACITY_CLEAR_NS),
    )),
    observed(rule(
        RuleId::StorageSizeFailed,
        Level::Stopped,
        Look::Storage(stored::size_failed),
        Recovery::Opposite,
    )),
    observed(rule(
        RuleId::StorageSizeTimeout,
        Level::Warning,
        Look::Storage(stored::size_timed_out),
        Recovery::Opposite,
    )),
    rule(
        RuleId::ProgressStalled,
        Level::Warning,
        Look::Tenant(is::stalled),
        Recovery::Opposite,
    ),
    only(
        observed(rule(
            RuleId::RangeStopped,
            Level::Critical,
            Look::Tenant(is::range_stopped),
            Recovery::Below(CLEAR_NS),
        )),
        with_log,
    ),
    only(
        observed(rule(
            RuleId::GapInLog,
            Level::Warning,
            Look::Tenant(is::gap),
            Recovery::Opposite,
        )),
        with_log,
    ),
    observed(rule(
        RuleId::NeverVerified,
        Level::Caution,
        Look::Tenant(is::unverified),
        Recovery::Opposite,
    )),
    rule(
        RuleId::VerifyFailed,
        Level::Critical,
        Look::Tenant(is::verified_with_faults),
        Recovery::Opposite,
    ),
    rule(
        RuleId::ClockStep,
        Level::Warning,
        Look::Cluster(is::clock_set_back),
        Recovery::Quiet(QUIET_NS),
    ),
    observed(rule(
        RuleId::DestinationChanged,
        Level::Stopped,
        Look::Storage(stored::another_destination),
        Recovery::Opposite,
    )),
    observed(rule(
        RuleId::StorageUnreachable,
        Level::Stopped,
        Look::Storage(stored::storage_unusable),
        Recovery::Below(CLEAR_NS),
    )),
    rule(
        RuleId::ClusterUnreachable,
        Level::Stopped,
        Look::Cluster(is::unobserved),
        Recovery::Opposite,
    ),
    observed(rule(
        RuleId::TenantFaulty,
        Level::Stopped,
        Look::Tenant(is::faulty),
        Recovery::Opposite,
    )),
    rule(
        RuleId::CleanupFailed,
        Level::Warning,
        Look::Tenant(is::cleanup_failed),
        Recovery::Opposite,
    ),
    only(
        observed(rule(
            RuleId::LogBackupStopped,
            Level::Reminder,
            Look::Tenant(is::log_stopped),
            Recovery::Opposite,
        )),
        with_log,
    ),
    rule(
        RuleId::SchedulingPaused,
        Level::Reminder,
        Look::Cluster(is::paused),
        Recovery::Opposite,
    ),
    rule(
        RuleId::ConsoleWasDown,
        Level::Caution,
        Look::Console(is::was_down),
        Recovery::Quiet(QUIET_NS),
    ),
    rule(
        RuleId::NotificationFailed,
        Level::Warning,
        Look::Channel(is::channel_failing),
        Recovery::Opposite,
    ),
];

impl RuleId {
    /// The rule of this name.
    pub fn rule(self) -> &'static Rule {
        RULES
            .iter()
            .find(|rule| rule.id == self)
            .expect("invariant: every name has a rule")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_name_has_one_rule_and_a_code_that_reads_back() {
        let ids: BTreeSet<RuleId> = RULES.iter().map(|rule| rule.id).collect();
        assert_eq!(ids.len(), RULES.len());
        assert_eq!(ids.len(), RuleId::ALL.len());
        for id in RuleId::ALL {
            assert_eq!(RuleId::from_code(id.code()), Some(*id));
            assert_eq!(id.rule().id, *id);
            assert!(id.code().len() <= 64, "{}", id.code());
        }
        assert_eq!(RuleId::from_code("ob_cluster_operation_info"), None);
    }
}
