//! The facts that rules look at. What is not known is absent, and never stands for health.

use crate::{
    ClusterId, JobId, Scn, TenantId,
    archive::ArchiveState,
    capability::Capabilities,
    job::JobKind,
    recoverable::Gap,
    second_backup::Place,
    strategy::{RunOutcome, Thresholds},
    tenant::TenantState,
};

/// Everything that is looked at in one evaluation.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    /// The console itself.
    pub console: ConsoleFacts,
    /// Every cluster.
    pub clusters: Vec<ClusterFacts>,
}

/// What is known of the console itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ConsoleFacts {
    /// When alerts were evaluated last before this evaluation, by this process or an earlier one.
    pub evaluated: Option<Scn>,
    /// Whether this is the first evaluation since the console was started.
    pub started_just_now: bool,
    /// Channels that messages go out by.
    pub channels: Vec<ChannelFacts>,
}

/// What is known of a notification channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelFacts {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Whether it is switched on.
    pub enabled: bool,
    /// Why the newest message could not be delivered; absent when it was, or none was sent.
    pub fault: Option<String>,
    /// Since when nothing could be delivered.
    pub failing_since: Option<Scn>,
}

/// What is known of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterFacts {
    /// Its number.
    pub id: ClusterId,
    /// Its name.
    pub name: String,
    /// What can be done with it.
    pub capabilities: Capabilities,
    /// When it was added.
    pub added: Scn,
    /// When it was looked at last.
    pub observed: Option<Scn>,
    /// Why it cannot be looked at.
    pub fault: Option<String>,
    /// What a person decided about its backups, if anything.
    pub strategy: Option<StrategyFacts>,
    /// The newest runs of the schedule's data backups, newest first, as far as they are decided.
    pub runs: Vec<RunFacts>,
    /// Whether each process that its backups need is alive: name and answer; `None` where it was not told.
    pub processes: Option<Vec<(String, bool)>>,
    /// How far its machine's clock was seen to be set back, in ns, and when that was seen last to grow; `None`
    /// where it was not told.
    pub clock_back: Option<(u64, Scn)>,
    /// Its tenants.
    pub tenants: Vec<TenantFacts>,
    /// Its destinations; `None` where nothing is known of them.
    pub storages: Option<Vec<StorageFacts>>,
}

/// What matters of a strategy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StrategyFacts {
    /// When a person is called.
    pub thresholds: Thresholds,
    /// Whether a person paused it, and when it was changed last.
    pub paused: bool,
    /// When it was made or changed last.
    pub modified: Scn,
    /// Whether a second copy is kept.
    pub second: bool,
}

/// What matters of a run of the schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunFacts {
    /// The moment it was due.
    pub due: Scn,
    /// What became of it.
    pub outcome: RunOutcome,
    /// Why.
    pub cause: Option<String>,
}

/// What is known of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantFacts {
    /// Its number.
    pub id: TenantId,
    /// Its name.
    pub name: String,
    /// Whether it is there.
    pub state: TenantState,
    /// Something to know about it.
    pub note: Option<String>,
    /// State of its log archiving; `None` before there was any.
    pub archive: Option<ArchiveState>,
    /// Why it is interrupted, or who stopped it.
    pub archive_note: Option<String>,
    /// When its round began.
    pub archive_started: Option<Scn>,
    /// Its log is at the destination up to here.
    pub checkpoint: Option<Scn>,
    /// Usable sets.
    pub sets: usize,
    /// When its oldest usable set was complete.
    pub oldest_set: Option<Scn>,
    /// When its newest usable set was complete.
    pub newest_set: Option<Scn>,
    /// The last moment it can be recovered to.
    pub recoverable_until: Option<Scn>,
    /// Gaps between the moments it can be recovered to, oldest first.
    pub gaps: Vec<Gap>,
    /// The newest task of each kind that ended well or failed.
    pub ended: Vec<Ended>,
    /// Its tasks that the engine works on.
    pub running: Vec<Running>,
    /// When its backups were read back last, and what was found.
    pub verified: Option<Verified>,
}

impl TenantFacts {
    /// The newest task of a kind that ended well or failed.
    pub fn last(&self, kind: JobKind) -> Option<&Ended> {
        self.ended.iter().find(|task| task.kind == kind)
    }
}

/// A task that ended well or failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Number.
    pub id: JobId,
    /// Kind.
    pub kind: JobKind,
    /// When it ended.
    pub at: Scn,
    /// Why it failed; absent when it ended well.
    pub failure: Option<String>,
}

/// A task that the engine works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Number.
    pub id: JobId,
    /// Kind.
    pub kind: JobKind,
    /// When work began.
    pub started: Scn,
    /// What is being done, in words.
    pub phase: String,
    /// Since when nothing moved, as far as that was watched.
    pub still_since: Scn,
}

/// That backups were read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// When.
    pub at: Scn,
    /// How many faults were found.
    pub faults: u64,
    /// The first of them.
    pub first_fault: Option<String>,
}

/// What is known of a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageFacts {
    /// Which copy it holds.
    pub place: Place,
    /// Its directory or address, as people write it.
    pub location: String,
    /// Percent from which a person is called.
    pub capacity_percent: u8,
    /// How full it is.
    pub size: SizeReading,
    /// Why it cannot be used.
    pub fault: Option<String>,
    /// Whether another destination was found at its address than the one used so far.
    pub identity_changed: bool,
}

/// What asking a destination for its size gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SizeReading {
    /// Whole percent used, 0 to 100.
    Used(u8),
    /// It does not tell.
    NotTold,
    /// No answer in time.
    TimedOut(String),
    /// It failed, also when tried again.
    Failed(String),
}
