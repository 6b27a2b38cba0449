//! The conditions of the rules, each a question about one object.

use super::{
    evaluate::{FRESH_NS, Hit, Verdict, is_fresh},
    state::{ChannelFacts, ClusterFacts, ConsoleFacts, TenantFacts},
};
use crate::{
    Scn,
    archive::ArchiveState,
    job::JobKind,
    recoverable::GapCause,
    scn::{NS_PER_DAY, NS_PER_SECOND},
    size::duration_ms,
    strategy::{RunOutcome, Thresholds},
    tenant::TenantState,
};

const NS_PER_MINUTE: u64 = 60 * NS_PER_SECOND;
/// A task whose progress does not move for so long stands still.
const STILL_NS: u64 = 15 * NS_PER_MINUTE;
/// A recoverable range that does not grow for so long has stopped.
const RANGE_STILL_NS: u64 = 10 * NS_PER_MINUTE;
/// A gap is told for so long after its end; after that the calendar alone tells it.
const GAP_TOLD_NS: u64 = NS_PER_DAY;
/// Backups have to be read back once in so many days.
const VERIFY_DAYS: u64 = 30;
/// A clock that is set back by less is an ordinary correction.
const CLOCK_BACK_NS: u64 = 10 * NS_PER_SECOND;
/// How long after its last growth a step of the clock is told.
const CLOCK_TOLD_NS: u64 = 2 * NS_PER_MINUTE;
/// A console that was away for less was only started again.
const DOWN_NS: u64 = 15 * NS_PER_MINUTE;
/// A channel that fails for less may recover by itself.
const CHANNEL_FAILING_NS: u64 = 5 * NS_PER_MINUTE;
/// Longest cause that is taken over into a summary, in characters.
const CAUSE_MAX: usize = 400;

fn lasted(ns: u64) -> String {
    duration_ms(ns / 1_000_000)
}

fn thresholds(cluster: &ClusterFacts) -> Thresholds {
    let strategy = cluster.strategy.as_ref();
    strategy.map_or_else(Thresholds::default, |strategy| strategy.thresholds.clone())
}

pub(super) fn moot(why: impl Into<String>) -> Verdict {
    Verdict::Moot(why.into())
}

pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(CAUSE_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Why nothing about the log of a tenant is asked now: it is away, or a person stopped log backup.
fn no_log(tenant: &TenantFacts) -> Option<Verdict> {
    let name = &tenant.name;
    match (tenant.state, &tenant.archive) {
        (TenantState::Offline, _) => Some(moot(format!("tenant {name} is not in service"))),
        (TenantState::Faulty, _) => Some(Verdict::Unknown),
        (TenantState::Online, None | Some(ArchiveState::Stop | ArchiveState::Stopping)) => {
            Some(moot(format!("log backup of tenant {name} is stopped")))
        }
        (TenantState::Online, Some(_)) => None,
    }
}

/// The log at the destination is older than the threshold.
pub(super) fn log_late(cluster: &ClusterFacts, tenant: &TenantFacts, now: Scn) -> Verdict {
    if let Some(verdict) = no_log(tenant) {
        return verdict;
    }
    let Some(at) = tenant.checkpoint.or(tenant.archive_started) else {
        return Verdict::Unknown;
    };
    let limit_ns = u64::from(thresholds(cluster).log_delay_s) * NS_PER_SECOND;
    let delay = now.since_ns(at);
    if delay <= limit_ns {
        return Verdict::Clear;
    }
    let mut hit = Hit::new(format!(
        "The log of tenant {} at the destination ends {} ago; what was committed since then would be lost \
         with its data file.",
        tenant.name,
        lasted(delay)
    ))
    .measured(lasted(delay), lasted(limit_ns))
    .with("Tenant", &tenant.name)
    .with("Checkpoint", at.to_rfc3339());
    if let Some(note) = &tenant.archive_note {
        hit = hit.with("Note", cut(note));
    }
    hit.into()
}

/// The newest task of a kind failed.
fn failed(tenant: &TenantFacts, kind: JobKind) -> Verdict {
    let Some(task) = tenant.last(kind) else {
        return Verdict::Clear;
    };
    let Some(failure) = &task.failure else {
        return Verdict::Clear;
    };
    Hit::new(format!(
        "The {} of tenant {} failed: {}",
        kind.label(),
        tenant.name,
        cut(failure)
    ))
    .with("Tenant", &tenant.name)
    .with("Task", task.id.to_string())
    .with("Failed at", task.at.to_rfc3339())
    .into()
}

/// The newest data backup failed, and no set was made since.
pub(super) fn data_backup_failed(_: &ClusterFacts, tenant: &TenantFacts, _: Scn) -> Verdict {
    if tenant.state == TenantState::Offline {
        return moot(format!("tenant {} is not in service", tenant.name));
    }
    let failed_at = tenant.last(JobKind::DataBackup).map(|task| task.at);
    if tenant.newest_set > failed_at {
        return Verdict::Clear;
    }
    failed(tenant, JobKind::DataBackup)
}

/// A data backup runs longer than allowed.
pub(super) fn data_backup_too_long(
    cluster: &ClusterFacts,
    tenant: &TenantFacts,
    now: Scn,
) -> Verdict {
    let limit_ns = u64::from(thresholds(cluster).data_backup_timeout_min) * NS_PER_MINUTE;
    let mut running = tenant.running.iter();
    let late = running
        .find(|task| task.kind == JobKind::DataBackup && now.since_ns(task.started) > limit_ns);
    let Some(task) = late else {
        return Verdict::Clear;
    };
    let time = lasted(now.since_ns(task.started));
    Hit::new(format!(
        "Data backup {} of tenant {} has been running for {time}.",
        task.id, tenant.name
    ))
    .measured(time, lasted(limit_ns))
    .with("Tenant", &tenant.name)
    .with("Task", task.id.to_string())
    .with("Phase", &task.phase)
    .into()
}

/// When a tenant was backed up successfully.
fn last_success(tenant: &TenantFacts) -> Option<Scn> {
    let task = tenant.last(JobKind::DataBackup);
    let succeeded = task.filter(|task| task.failure.is_none());
    tenant.newest_set.max(succeeded.map(|task| task.at))
}

/// No data backup succeeded for so many days.
pub(super) fn no_success(cluster: &ClusterFacts, tenant: &TenantFacts, now: Scn) -> Verdict {
    if let Some(verdict) = no_log(tenant) {
        return verdict;
    }
    if cluster.strategy.as_ref().is_some_and(|one| one.paused) {
        return moot("scheduling is paused");
    }
    let success = last_success(tenant);
    let since = success.or(tenant.archive_started).unwrap_or(cluster.added);
    let days = u64::from(thresholds(cluster).no_success_days);
    let passed = now.since_ns(since);
    if passed <= days * NS_PER_DAY {
        return Verdict::Clear;
    }
    let told = match success {
        Some(_) => format!("ended {} ago", lasted(passed)),
        None => "has never been made".to_owned(),
    };
    let mut hit = Hit::new(format!(
        "The newest successful data backup of tenant {} {told}.",
        tenant.name
    ))
    .measured(lasted(passed), format!("{days} days"))
    .with("Tenant", &tenant.name);
    if let Some(at) = success {
        hit = hit.with("Last success", at.to_rfc3339());
    }
    hit.into()
}

/// A second data or log backup failed.
pub(super) fn second_failed(cluster: &ClusterFacts, tenant: &TenantFacts, _: Scn) -> Verdict {
    if cluster.strategy.as_ref().is_some_and(|one| !one.second) {
        return moot("no second copy is kept any more");
    }
    match failed(tenant, JobKind::SecondData) {
        Verdict::Hit(hit) => Verdict::Hit(hit),
        _ => failed(tenant, JobKind::SecondLog),
    }
}

/// Expired backups of a tenant could not be removed.
pub(super) fn cleanup_failed(_: &ClusterFacts, tenant: &TenantFacts, _: Scn) -> Verdict {
    failed(tenant, JobKind::Cleanup)
}

/// The newest scheduled data backup failed or was missed, or two in a row were skipped.
pub(super) fn schedule_failed(cluster: &ClusterFacts, _: Scn) -> Verdict {
    if cluster.strategy.is_none() {
        return moot("the cluster has no backup strategy");
    }
    let mut skipped = None;
    for run in &cluster.runs {
        let bad = match run.outcome {
            RunOutcome::Running | RunOutcome::Canceled => continue,
            RunOutcome::Completed => return Verdict::Clear,
            RunOutcome::Skipped if skipped.is_none() => {
                skipped = Some(run);
                continue;
            }
            RunOutcome::Skipped => skipped.unwrap_or(run),
            RunOutcome::Failed | RunOutcome::Missed => run,
        };
        if is_made_good(cluster, bad.due) {
            return Verdict::Clear;
        }
        let word = bad.outcome.label().to_lowercase();
        let cause = bad.cause.as_deref().unwrap_or("no cause was given");
        return Hit::new(format!(
            "The scheduled data backup of cluster {} that was due at {} UTC was not made ({word}): {}",
            cluster.name,
            bad.due.display_seconds(),
            cut(cause)
        ))
        .with("Due", bad.due.to_rfc3339())
        .with("Outcome", bad.outcome.label())
        .into();
    }
    Verdict::Clear
}

/// Whether every tenant that archives was backed up after the moment.
fn is_made_good(cluster: &ClusterFacts, due: Scn) -> bool {
    let mut archiving = cluster
        .tenants
        .iter()
        .filter(|tenant| no_log(tenant).is_none())
        .peekable();
    archiving.peek().is_some() && archiving.all(|tenant| last_success(tenant) > Some(due))
}

/// A process that backups need is not there.
pub(super) fn process_dead(cluster: &ClusterFacts, _: Scn) -> Verdict {
    let Some(processes) = &cluster.processes else {
        return Verdict::Unknown;
    };
    let gone = processes.iter().filter(|(_, alive)| !alive);
    let gone: Vec<&str> = gone.map(|(name, _)| name.as_str()).collect();
    if gone.is_empty() {
        return Verdict::Clear;
    }
    Hit::new(format!("Not running: {}.", gone.join(", "))).into()
}

/// A running task does not get on.
pub(super) fn stalled(_: &ClusterFacts, tenant: &TenantFacts, now: Scn) -> Verdict {
    let mut running = tenant.running.iter();
    let Some(task) = running.find(|task| now.since_ns(task.moved) > STILL_NS) else {
        return Verdict::Clear;
    };
    let still = lasted(now.since_ns(task.moved));
    Hit::new(format!(
        "Task {} ({} of tenant {}) has not got on for {still}.",
        task.id,
        task.kind.label(),
        tenant.name
    ))
    .measured(still, lasted(STILL_NS))
    .with("Tenant", &tenant.name)
    .with("Task", task.id.to_string())
    .with("Phase", &task.phase)
    .into()
}

/// A tenant that archives cannot be recovered to any late moment.
pub(super) fn range_stopped(_: &ClusterFacts, tenant: &TenantFacts, now: Scn) -> Verdict {
    if let Some(verdict) = no_log(tenant) {
        return verdict;
    }
    // A round that has just begun is given the same time to become recoverable.
    let Some(since) = tenant.recoverable_until.max(tenant.archive_started) else {
        return Verdict::Unknown;
    };
    let still = now.since_ns(since);
    if still <= RANGE_STILL_NS {
        return Verdict::Clear;
    }
    let end = match tenant.recoverable_until {
        Some(end) => format!("no moment after {} UTC", end.display_seconds()),
        None => "no moment at all".to_owned(),
    };
    let mut hit = Hit::new(format!(
        "Tenant {} can be recovered to {end}, and that has not changed for {}.",
        tenant.name,
        lasted(still)
    ))
    .measured(lasted(still), lasted(RANGE_STILL_NS))
    .with("Tenant", &tenant.name);
    if let Some(note) = &tenant.archive_note {
        hit = hit.with("Note", cut(note));
    }
    hit.into()
}

/// Moments were lost lately, and nobody wanted that.
pub(super) fn gap(_: &ClusterFacts, tenant: &TenantFacts, now: Scn) -> Verdict {
    let wanted = |cause| matches!(cause, GapCause::StoppedByPerson | GapCause::FirstStart);
    let recent = tenant.gaps.iter().rev().find(|gap| {
        let ended = gap
            .until
            .filter(|until| now.since_ns(*until) <= GAP_TOLD_NS);
        ended.is_some() && !wanted(gap.cause)
    });
    let Some((gap, until)) = recent.and_then(|gap| Some((gap, gap.until?))) else {
        return Verdict::Clear;
    };
    let mut hit = Hit::new(format!(
        "Tenant {} cannot be recovered to any moment between {} and {} UTC.",
        tenant.name,
        gap.since.display_seconds(),
        until.display_seconds()
    ))
    .with("Tenant", &tenant.name)
    .with("Since", gap.since.to_rfc3339())
    .with("Until", until.to_rfc3339());
    if !gap.note.is_empty() {
        hit = hit.with("Cause", cut(&gap.note));
    }
    hit.into()
}

/// Backups of a tenant were not read back for long.
pub(super) fn unverified(_: &ClusterFacts, tenant: &TenantFacts, now: Scn) -> Verdict {
    let Some(oldest) = tenant.oldest_set else {
        return moot(format!("tenant {} has no backup set", tenant.name));
    };
    let since = tenant.verified.as_ref().map_or(oldest, |seen| seen.at);
    let passed = now.since_ns(since);
    if passed <= VERIFY_DAYS * NS_PER_DAY {
        return Verdict::Clear;
    }
    let told = match &tenant.verified {
        Some(_) => format!("were read back last {} ago", lasted(passed)),
        None => "have never been read back".to_owned(),
    };
    Hit::new(format!("The backups of tenant {} {told}.", tenant.name))
        .measured(lasted(passed), format!("{VERIFY_DAYS} days"))
        .with("Tenant", &tenant.name)
        .into()
}

/// Reading backups back found something wrong.
pub(super) fn verified_with_faults(_: &ClusterFacts, tenant: &TenantFacts, _: Scn) -> Verdict {
    let Some(verified) = &tenant.verified else {
        return Verdict::Unknown;
    };
    let Some(first) = verified
        .first_fault
        .as_ref()
        .filter(|_| verified.faults > 0)
    else {
        return Verdict::Clear;
    };
    Hit::new(format!(
        "Reading the backups of tenant {} back found {} faults: {}",
        tenant.name,
        verified.faults,
        cut(first)
    ))
    .with("Tenant", &tenant.name)
    .with("Read back at", verified.at.to_rfc3339())
    .into()
}

/// The clock of a cluster's machine was set back.
pub(super) fn clock_set_back(cluster: &ClusterFacts, now: Scn) -> Verdict {
    let Some((back, grown)) = cluster.clock_back else {
        return Verdict::Unknown;
    };
    if back < CLOCK_BACK_NS || now.since_ns(grown) > CLOCK_TOLD_NS {
        return Verdict::Clear;
    }
    Hit::new(format!(
        "The clock of the machine of cluster {} was set back by {}.",
        cluster.name,
        lasted(back)
    ))
    .measured(lasted(back), lasted(CLOCK_BACK_NS))
    .into()
}

/// A cluster was not looked at for too long.
pub(super) fn unobserved(cluster: &ClusterFacts, now: Scn) -> Verdict {
    if is_fresh(cluster, now) {
        return Verdict::Clear;
    }
    let passed = now.since_ns(cluster.observed.unwrap_or(cluster.added));
    if passed <= FRESH_NS {
        return Verdict::Unknown;
    }
    let why = match &cluster.fault {
        Some(fault) => format!(": {}", cut(fault)),
        None => ".".to_owned(),
    };
    Hit::new(format!(
        "Cluster {} has not been looked at for {}{why}",
        cluster.name,
        lasted(passed)
    ))
    .measured(lasted(passed), lasted(FRESH_NS))
    .into()
}

/// The data of a tenant cannot be used.
pub(super) fn faulty(_: &ClusterFacts, tenant: &TenantFacts, _: Scn) -> Verdict {
    match tenant.state {
        TenantState::Online => Verdict::Clear,
        TenantState::Offline => moot(format!("tenant {} is not in service", tenant.name)),
        TenantState::Faulty => {
            let note = tenant.note.as_deref().unwrap_or("no reason was given");
            Hit::new(format!(
                "The data of tenant {} cannot be used: {}",
                tenant.name,
                cut(note)
            ))
            .with("Tenant", &tenant.name)
            .into()
        }
    }
}

/// Log backup of a tenant in service is stopped.
pub(super) fn log_stopped(_: &ClusterFacts, tenant: &TenantFacts, _: Scn) -> Verdict {
    match (tenant.state, &tenant.archive) {
        (TenantState::Offline, _) => moot(format!("tenant {} is not in service", tenant.name)),
        (TenantState::Faulty, _) | (_, None | Some(ArchiveState::Stopping)) => Verdict::Unknown,
        (TenantState::Online, Some(ArchiveState::Stop)) => {
            let mut hit = Hit::new(format!(
                "Log backup of tenant {} is stopped; what is committed now cannot be recovered.",
                tenant.name
            ))
            .with("Tenant", &tenant.name);
            if let Some(note) = &tenant.archive_note {
                hit = hit.with("Note", cut(note));
            }
            hit.into()
        }
        (TenantState::Online, Some(_)) => Verdict::Clear,
    }
}

/// A person paused scheduling.
pub(super) fn paused(cluster: &ClusterFacts, _: Scn) -> Verdict {
    match &cluster.strategy {
        None => moot("the cluster has no backup strategy"),
        Some(strategy) if strategy.paused => Hit::new(format!(
            "Scheduling of cluster {} is paused; no data backup is begun by itself.",
            cluster.name
        ))
        .into(),
        Some(_) => Verdict::Clear,
    }
}

/// The console was away before this evaluation.
pub(super) fn was_down(console: &ConsoleFacts, now: Scn) -> Verdict {
    let Some(before) = console.evaluated.filter(|_| console.started_just_now) else {
        return Verdict::Clear;
    };
    let away = now.since_ns(before);
    if away <= DOWN_NS {
        return Verdict::Clear;
    }
    Hit::new(format!(
        "The console was not running from {} to {} UTC; nothing was watched and no backup was begun.",
        before.display_seconds(),
        now.display_seconds()
    ))
    .measured(lasted(away), lasted(DOWN_NS))
    .into()
}

/// Messages of a channel do not arrive.
pub(super) fn channel_failing(channel: &ChannelFacts, now: Scn) -> Verdict {
    if !channel.enabled {
        return moot(format!("channel {} is switched off", channel.name));
    }
    let (Some(fault), Some(since)) = (&channel.fault, channel.failing_since) else {
        return Verdict::Clear;
    };
    let failing = now.since_ns(since);
    if failing <= CHANNEL_FAILING_NS {
        return Verdict::Unknown;
    }
    Hit::new(format!(
        "Messages of channel {} have not arrived for {}: {}",
        channel.name,
        lasted(failing),
        cut(fault)
    ))
    .into()
}
