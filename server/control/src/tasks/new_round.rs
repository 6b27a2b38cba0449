//! The first full backup of a new log round: without one, nothing of the round can be recovered.

use crate::{audit::Entry, console::Inner, error::Error, jobs::queue};
use domain::{
    ClusterId, Scn,
    access::{Actor, Role},
    archive::ArchiveState,
    backup::{BackupJob, BackupKind, TaskSource, Trigger},
    job::JobState,
    page::TaskFilter,
    scn::NS_PER_SECOND,
    tenant::TenantState,
};
use store::{NewJob, Order, TenantPicture};

/// Earlier tasks that decide how long to wait.
const LOOKED_AT: u32 = 10;
/// Longest wait after failures.
const WAIT_MAX_NS: u64 = 600 * NS_PER_SECOND;
/// Wait after a success whose set is not seen yet.
const UNSEEN_WAIT_NS: u64 = 60 * NS_PER_SECOND;

/// Enqueues a full backup for each tenant that archives in a round without a usable set.
pub(crate) async fn back_up(
    inner: &Inner,
    cluster: ClusterId,
    tenants: &[TenantPicture],
) -> Result<(), Error> {
    for tenant in tenants.iter().filter(|tenant| needs_set(tenant)) {
        if may_begin(inner, cluster, tenant).await? {
            enqueue(inner, cluster, tenant).await?;
        }
    }
    Ok(())
}

fn needs_set(tenant: &TenantPicture) -> bool {
    let Some(archive) = &tenant.archive else {
        return false;
    };
    tenant.facts.state == TenantState::Online
        && archive.state == ArchiveState::Doing
        && archive.round > 0
        && tenant.sets.iter().all(|set| set.round != archive.round)
}

async fn may_begin(
    inner: &Inner,
    cluster: ClusterId,
    tenant: &TenantPicture,
) -> Result<bool, Error> {
    let filter = TaskFilter {
        tenant: Some(tenant.id),
        size: LOOKED_AT,
        ..TaskFilter::default()
    };
    let begun = tenant.archive.as_ref().and_then(|archive| archive.started);
    let mut latest = inner.store.backups(cluster, &filter).await?.rows;
    // What ended in an earlier round says nothing about this one.
    latest.retain(|job| !job.state.is_final() || Some(job.created) >= begun);
    Ok(not_before(&latest).is_some_and(|moment| is_over(moment, inner.now())))
}

/// Whether a wait is over; one that seems longer than any means that the clock was set back.
fn is_over(moment: Scn, now: Scn) -> bool {
    moment <= now || moment.since_ns(now) > WAIT_MAX_NS
}

/// When the next one may begin, given the latest ones, newest first. `None` while one is unfinished.
fn not_before(latest: &[BackupJob]) -> Option<Scn> {
    let Some(newest) = latest.first() else {
        return Some(Scn::ZERO);
    };
    let ended = newest.ended.unwrap_or(newest.created);
    let failures = latest
        .iter()
        .take_while(|job| job.state == JobState::Failed)
        .count();
    match newest.state {
        JobState::Completed => Some(ended.plus_ns(UNSEEN_WAIT_NS)),
        // A person stopped it and will not want it back at once.
        JobState::Canceled => Some(ended.plus_ns(WAIT_MAX_NS)),
        JobState::Failed => {
            let wait = (5 * NS_PER_SECOND) << failures.min(10);
            Some(ended.plus_ns(wait.min(WAIT_MAX_NS)))
        }
        JobState::Queued | JobState::Starting | JobState::Running | JobState::Canceling => None,
    }
}

async fn enqueue(inner: &Inner, cluster: ClusterId, tenant: &TenantPicture) -> Result<(), Error> {
    let actor = Actor::new("console", Role::Operator);
    let entry = Entry {
        operation: "data backup",
        cluster,
        subject: &tenant.facts.name,
        detail: "first full backup of a new log round",
    };
    inner
        .store
        .change(async |change| {
            let open = change.unfinished(cluster).await?;
            if queue::backup_of(&open, tenant.id).is_some() {
                return Ok(());
            }
            let new = NewJob {
                cluster,
                tenant: tenant.id,
                order: Order::Backup {
                    asked: BackupKind::Full,
                    source: TaskSource::Tenant,
                },
                trigger: Trigger::NewRound,
                token: queue::token(),
                created: inner.now(),
                run: None,
            };
            queue::enqueue(change, open.len(), &new).await?;
            entry.write(change, inner, &actor).await
        })
        .await?;
    inner.queue.notify_one();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{JobId, Revision, TenantId, job::Progress};

    fn job(state: JobState, ended_s: u64) -> BackupJob {
        BackupJob {
            id: JobId(1),
            tenant: TenantId(1),
            tenant_name: "orders".to_owned(),
            asked: BackupKind::Full,
            actual: None,
            actual_reason: None,
            set: None,
            source: TaskSource::Tenant,
            trigger: Trigger::NewRound,
            created: Scn::ZERO,
            started: None,
            ended: state.is_final().then_some(Scn(ended_s * NS_PER_SECOND)),
            state,
            progress: Progress::default(),
            min_restore_scn: None,
            directory: None,
            failure: None,
            moved: None,
            second: None,
            rev: Revision(1),
        }
    }

    #[test]
    fn a_clock_that_is_set_back_prolongs_no_wait() {
        let now = Scn(10_000 * NS_PER_SECOND);
        assert!(is_over(now, now) && is_over(now.minus_ns(1), now));
        assert!(!is_over(now.plus_ns(WAIT_MAX_NS), now));
        assert!(is_over(now.plus_ns(WAIT_MAX_NS + 1), now));
    }

    #[test]
    fn the_wait_doubles_with_each_failure_up_to_ten_minutes() {
        use JobState as S;
        let seconds = |latest: &[BackupJob]| not_before(latest).map(|at| at.0 / NS_PER_SECOND);
        assert_eq!(seconds(&[]), Some(0));
        assert_eq!(seconds(&[job(S::Failed, 100)]), Some(110));
        let twice = [job(S::Failed, 100), job(S::Failed, 50)];
        assert_eq!(seconds(&twice), Some(120));
        let since = [
            job(S::Failed, 100),
            job(S::Completed, 50),
            job(S::Failed, 9),
        ];
        assert_eq!(seconds(&since), Some(110), "only failures in a row count");
        let many: Vec<BackupJob> = (0..10).map(|_| job(S::Failed, 100)).collect();
        assert_eq!(seconds(&many), Some(700));
        assert_eq!(seconds(&[job(S::Completed, 100)]), Some(160));
        assert_eq!(seconds(&[job(S::Canceled, 100)]), Some(700));
        for open in [S::Queued, S::Starting, S::Running, S::Canceling] {
            assert_eq!(seconds(&[job(open, 0)]), None);
        }
    }
}
