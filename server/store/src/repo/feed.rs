//! What changed since a revision.

use super::{clusters, second, task_rows, tasks};
use crate::{
    Store,
    change::counter,
    entity::{job, log_archive, schedule_run, second_copy, tenant},
    error::{During, Result},
};
use domain::{
    ClusterId, Revision,
    archive::{ArchiveState, LogArchive},
    backup::BackupJob,
    feed::FEED_ROWS_MAX,
    job::JobKind,
    recovery::RecoveryJob,
    second_backup::SecondLog,
    task::Task,
};
use sea_orm::{EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

/// States of log archiving on the way from one to another.
static TURNING: [ArchiveState; 3] = [
    ArchiveState::Prepare,
    ArchiveState::Beginning,
    ArchiveState::Stopping,
];

/// Kinds of tasks whose lists have no row type of their own.
static OTHERS: [JobKind; 3] = [JobKind::SecondData, JobKind::SecondLog, JobKind::Cleanup];

/// Rows of a cluster that changed after a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedRows {
    /// Everything up to it is here; ask from here next time.
    pub rev: Revision,
    /// Whether anything of the basic information may have changed.
    pub summary: bool,
    /// Whether the recovery period changed.
    pub period: bool,
    /// Data backup tasks.
    pub backups: Vec<BackupJob>,
    /// Log backup rows.
    pub archives: Vec<LogArchive>,
    /// Recovery tasks.
    pub recoveries: Vec<RecoveryJob>,
    /// Tasks of the other kinds.
    pub tasks: Vec<Task>,
    /// Second log backup rows.
    pub second_logs: Vec<SecondLog>,
}

/// What was read of each kind, before it is known where the answer ends.
struct Found {
    backups: Vec<job::Model>,
    recoveries: Vec<job::Model>,
    tasks: Vec<job::Model>,
    archives: Vec<log_archive::Model>,
    second_logs: Vec<second_copy::Model>,
}

impl Found {
    /// Where the answer has to end.
    fn end(&self, newest: i64) -> i64 {
        let jobs = [&self.backups, &self.recoveries, &self.tasks];
        jobs.into_iter()
            .map(|rows| full_end(rows.iter().map(|row| row.rev), newest))
            .chain([
                full_end(self.archives.iter().map(|row| row.rev), newest),
                full_end(self.second_logs.iter().map(|row| row.rev), newest),
            ])
            .fold(newest, i64::min)
    }

    fn keep_until(&mut self, end: i64) {
        for rows in [&mut self.backups, &mut self.recoveries, &mut self.tasks] {
            rows.retain(|row| row.rev <= end);
        }
        self.archives.retain(|row| row.rev <= end);
        self.second_logs.retain(|row| row.rev <= end);
    }

    fn is_empty(&self) -> bool {
        let jobs = [&self.backups, &self.recoveries, &self.tasks];
        jobs.into_iter().all(Vec::is_empty)
            && self.archives.is_empty()
            && self.second_logs.is_empty()
    }
}

impl FeedRows {
    fn nothing(rev: i64) -> FeedRows {
        FeedRows {
            rev: Revision(rev),
            summary: false,
            period: false,
            backups: Vec::new(),
            archives: Vec::new(),
            recoveries: Vec::new(),
            tasks: Vec::new(),
            second_logs: Vec::new(),
        }
    }
}

impl Store {
    /// The rows with a revision after `since`, at most [`FEED_ROWS_MAX`] of each kind.
    ///
    /// A row whose revision is above the answer's is left for the next question, so none is skipped: when
    /// one kind has more rows than fit, the answer ends at the last of them that does, for all kinds.
    pub async fn feed(&self, cluster: ClusterId, since: Revision) -> Result<FeedRows> {
        let newest = counter(&self.db).await?;
        // A revision from the future is of another database: begin anew.
        let since = if since.0 > newest { 0 } else { since.0 };
        if since == newest {
            return Ok(FeedRows::nothing(newest));
        }
        let mut found = Found {
            backups: self
                .jobs_between(cluster, &[JobKind::DataBackup], since, newest)
                .await?,
            recoveries: self
                .jobs_between(cluster, &[JobKind::Recovery], since, newest)
                .await?,
            tasks: self.jobs_between(cluster, &OTHERS, since, newest).await?,
            archives: self.archives_between(cluster, since, newest).await?,
            second_logs: self.second_logs_between(cluster, since, newest).await?,
        };
        let end = found.end(newest);
        found.keep_until(end);
        self.feed_rows(cluster, (since, end), found).await
    }

    /// Whether something runs in a cluster: a task, or log archiving that starts or stops.
    pub async fn is_active(&self, cluster: ClusterId) -> Result<bool> {
        if self.unfinished_count(cluster).await? > 0 {
            return Ok(true);
        }
        let codes = TURNING.iter().map(ArchiveState::code);
        let turning = log_archive::Entity::find()
            .filter(log_archive::COLUMN.cluster_id.eq(cluster.0))
            .filter(log_archive::COLUMN.state.is_in(codes))
            .count(&self.db)
            .await
            .during("counting log backups that start or stop")?;
        Ok(turning > 0)
    }

    async fn feed_rows(
        &self,
        cluster: ClusterId,
        (since, end): (i64, i64),
        found: Found,
    ) -> Result<FeedRows> {
        let head = clusters::head(&self.db, cluster).await?;
        let period = head.as_ref().is_some_and(|row| row.period_rev > since);
        let summary = head.is_some_and(|row| row.rev > since)
            || !found.is_empty()
            || self.tenants_changed(cluster, since).await?
            || self.runs_changed(cluster, since).await?;
        Ok(FeedRows {
            rev: Revision(end),
            summary,
            period,
            backups: tasks::backup_rows(&self.db, found.backups).await?,
            archives: tasks::archive_rows(&self.db, found.archives).await?,
            recoveries: tasks::recovery_rows(&self.db, found.recoveries).await?,
            tasks: task_rows::task_rows(&self.db, found.tasks).await?,
            second_logs: second::log_rows(&self.db, found.second_logs).await?,
        })
    }

    async fn archives_between(
        &self,
        cluster: ClusterId,
        since: i64,
        newest: i64,
    ) -> Result<Vec<log_archive::Model>> {
        log_archive::Entity::find()
            .filter(log_archive::COLUMN.cluster_id.eq(cluster.0))
            .filter(log_archive::COLUMN.rev.gt(since))
            .filter(log_archive::COLUMN.rev.lte(newest))
            .order_by_asc(log_archive::COLUMN.rev)
            .limit(FEED_ROWS_MAX)
            .all(&self.db)
            .await
            .during("reading changed log backup tasks")
    }

    async fn second_logs_between(
        &self,
        cluster: ClusterId,
        since: i64,
        newest: i64,
    ) -> Result<Vec<second_copy::Model>> {
        second_copy::Entity::find()
            .filter(second_copy::COLUMN.cluster_id.eq(cluster.0))
            .filter(second_copy::COLUMN.rev.gt(since))
            .filter(second_copy::COLUMN.rev.lte(newest))
            .order_by_asc(second_copy::COLUMN.rev)
            .limit(FEED_ROWS_MAX)
            .all(&self.db)
            .await
            .during("reading changed second log backup tasks")
    }

    async fn jobs_between(
        &self,
        cluster: ClusterId,
        kinds: &[JobKind],
        since: i64,
        newest: i64,
    ) -> Result<Vec<job::Model>> {
        job::Entity::find()
            .filter(job::COLUMN.cluster_id.eq(cluster.0))
            .filter(job::COLUMN.kind.is_in(kinds.iter().map(|kind| kind.code())))
            .filter(job::COLUMN.rev.gt(since))
            .filter(job::COLUMN.rev.lte(newest))
            .order_by_asc(job::COLUMN.rev)
            .limit(FEED_ROWS_MAX)
            .all(&self.db)
            .await
            .during("reading changed tasks")
    }

    async fn tenants_changed(&self, cluster: ClusterId, since: i64) -> Result<bool> {
        let changed = tenant::Entity::find()
            .filter(tenant::COLUMN.cluster_id.eq(cluster.0))
            .filter(tenant::COLUMN.rev.gt(since))
            .count(&self.db)
            .await
            .during("looking for changed tenants")?;
        Ok(changed > 0)
    }
}

impl Store {
    /// Whether a run of the cluster's schedule began or ended, which may change the status of scheduling.
    async fn runs_changed(&self, cluster: ClusterId, since: i64) -> Result<bool> {
        let changed = schedule_run::Entity::find()
            .filter(schedule_run::COLUMN.cluster_id.eq(cluster.0))
            .filter(schedule_run::COLUMN.rev.gt(since))
            .count(&self.db)
            .await
            .during("looking for changed runs of schedules")?;
        Ok(changed > 0)
    }
}

/// Where an answer must end for these ascending revisions: at the last one if there may be more.
fn full_end(revs: impl ExactSizeIterator<Item = i64>, newest: i64) -> i64 {
    let full = u64::try_from(revs.len()).unwrap_or(u64::MAX) >= FEED_ROWS_MAX;
    match revs.last() {
        Some(last) if full => last,
        _ => newest,
    }
}
