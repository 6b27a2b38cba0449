//! Runs of schedules: every due moment that was met, and what became of it.

use super::{
    filter::Slice,
    jobs::{self, Job},
};
use crate::{
    Change, Store,
    convert::{scn, scn_column, scn_opt, word, word_opt},
    entity::{job, schedule_run},
    error::{During, Result},
};
use domain::{
    ClusterId, JobId, Revision, RunId, Scn, StrategyId,
    backup::BackupKind,
    page::{Page, TaskFilter},
    strategy::{RunKind, RunOutcome, ScheduleRun},
};
use sea_orm::{
    ActiveValue::Set, Condition, ConnectionTrait, EntityTrait, Order, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use std::collections::{BTreeMap, BTreeSet};

/// Most open runs that are looked at in one go.
const OPEN_MAX: u64 = 200;
/// Most tasks of one run that a history tells.
const TASKS_MAX: u64 = 5000;

/// A run to record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRun {
    /// Cluster.
    pub cluster: ClusterId,
    /// Whose schedule.
    pub strategy: StrategyId,
    /// What it does.
    pub kind: RunKind,
    /// What was to be made, for data backups.
    pub backup: Option<BackupKind>,
    /// The moment it was due.
    pub due: Scn,
    /// When it is begun, or found to be missed or skipped.
    pub started: Scn,
    /// What became of it.
    pub outcome: RunOutcome,
    /// Why.
    pub cause: Option<String>,
}

/// A run whose tasks were not all final.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRun {
    /// Number.
    pub id: RunId,
    /// Cluster.
    pub cluster: ClusterId,
    /// When it was begun.
    pub started: Scn,
    /// What was noted at its beginning.
    pub cause: Option<String>,
    /// Its tasks, ascending.
    pub tasks: Vec<RunTask>,
}

/// A task of a run, with how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunTask {
    /// The task.
    pub job: Job,
    /// When it ended.
    pub ended: Option<Scn>,
    /// Why it failed.
    pub failure: Option<String>,
    /// The task that it tries again.
    pub retry_of: Option<JobId>,
}

impl Change {
    /// Records a run; `None` when this moment of the strategy has one already.
    pub async fn add_run(&self, new: &NewRun) -> Result<Option<RunId>> {
        let there = schedule_run::Entity::find()
            .filter(schedule_run::COLUMN.strategy_id.eq(new.strategy.0))
            .filter(schedule_run::COLUMN.kind.eq(new.kind.code()))
            .filter(schedule_run::COLUMN.due.eq(scn_column(new.due)))
            .count(&self.tx)
            .await
            .during("looking for a run of a schedule")?;
        if there > 0 {
            return Ok(None);
        }
        let ended = (new.outcome != RunOutcome::Running).then(|| scn_column(new.started));
        let row = schedule_run::ActiveModel {
            cluster_id: Set(new.cluster.0),
            strategy_id: Set(new.strategy.0),
            kind: Set(new.kind.code().to_owned()),
            backup: Set(new.backup.map(|kind| kind.code().to_owned())),
            due: Set(scn_column(new.due)),
            started: Set(scn_column(new.started)),
            ended: Set(ended),
            outcome: Set(new.outcome.code().to_owned()),
            cause: Set(new.cause.clone()),
            rev: Set(self.take_rev()),
            ..Default::default()
        };
        let done = schedule_run::Entity::insert(row)
            .exec(&self.tx)
            .await
            .during("recording a run of a schedule")?;
        Ok(Some(RunId(done.last_insert_id)))
    }

    /// Changes what became of a run.
    pub async fn set_run(
        &self,
        id: RunId,
        outcome: RunOutcome,
        cause: Option<&str>,
        ended: Option<Scn>,
    ) -> Result<()> {
        let row = schedule_run::ActiveModel {
            outcome: Set(outcome.code().to_owned()),
            cause: Set(cause.map(str::to_owned)),
            ended: Set(ended.map(scn_column)),
            rev: Set(self.take_rev()),
            ..Default::default()
        };
        schedule_run::Entity::update_many()
            .set(row)
            .filter(schedule_run::COLUMN.id.eq(id.0))
            .exec(&self.tx)
            .await
            .during("changing a run of a schedule")?;
        Ok(())
    }

    /// Opens a run again, because one of its tasks is tried once more.
    pub async fn reopen_run(&self, id: RunId) -> Result<()> {
        self.set_run(id, RunOutcome::Running, None, None).await
    }

    /// The runs that are not ended, oldest first, with their tasks.
    pub async fn open_runs(&self) -> Result<Vec<OpenRun>> {
        open_runs(&self.tx).await
    }

    /// Takes back what was recorded as missed at moments after `after`: the clock was wrong then.
    pub async fn unmiss(&self, strategy: StrategyId, after: Scn) -> Result<u64> {
        let done = schedule_run::Entity::delete_many()
            .filter(missed_after(strategy, after))
            .exec(&self.tx)
            .await
            .during("taking back runs of a schedule")?;
        if done.rows_affected > 0 {
            self.touch();
        }
        Ok(done.rows_affected)
    }
}

impl Store {
    /// The newest moment at or before `until` that a strategy has a run of.
    pub async fn newest_run(
        &self,
        strategy: StrategyId,
        kind: RunKind,
        until: Scn,
    ) -> Result<Option<Scn>> {
        let due: Option<i64> = schedule_run::Entity::find()
            .select_only()
            .column(schedule_run::Column::Due)
            .filter(schedule_run::COLUMN.strategy_id.eq(strategy.0))
            .filter(schedule_run::COLUMN.kind.eq(kind.code()))
            .filter(schedule_run::COLUMN.due.lte(scn_column(until)))
            .order_by_desc(schedule_run::COLUMN.due)
            .into_tuple()
            .one(&self.db)
            .await
            .during("looking for the newest run of a schedule")?;
        scn_opt("schedule_run.due", due)
    }

    /// The moments after `after` up to `until` that a strategy has runs of.
    pub async fn run_moments(
        &self,
        strategy: StrategyId,
        kind: RunKind,
        after: Scn,
        until: Scn,
    ) -> Result<BTreeSet<Scn>> {
        let due: Vec<i64> = schedule_run::Entity::find()
            .select_only()
            .column(schedule_run::Column::Due)
            .filter(schedule_run::COLUMN.strategy_id.eq(strategy.0))
            .filter(schedule_run::COLUMN.kind.eq(kind.code()))
            .filter(schedule_run::COLUMN.due.gt(scn_column(after)))
            .filter(schedule_run::COLUMN.due.lte(scn_column(until)))
            .into_tuple()
            .all(&self.db)
            .await
            .during("looking for runs of a schedule")?;
        due.into_iter()
            .map(|due| scn("schedule_run.due", due))
            .collect()
    }

    /// The same as [`Change::open_runs`], without a change.
    pub async fn open_runs(&self) -> Result<Vec<OpenRun>> {
        open_runs(&self.db).await
    }

    /// How many moments after `after` are recorded as missed.
    pub async fn missed_after(&self, strategy: StrategyId, after: Scn) -> Result<u64> {
        schedule_run::Entity::find()
            .filter(missed_after(strategy, after))
            .count(&self.db)
            .await
            .during("counting missed runs of a schedule")
    }

    /// A page of a cluster's runs of one kind. Of the filter, times (of being due), order and page count.
    pub async fn runs(
        &self,
        cluster: ClusterId,
        kind: RunKind,
        ask: &TaskFilter,
    ) -> Result<Page<ScheduleRun>> {
        let slice = Slice::of(ask);
        let all = Condition::all()
            .add(schedule_run::COLUMN.cluster_id.eq(cluster.0))
            .add(schedule_run::COLUMN.kind.eq(kind.code()));
        let matching = all
            .clone()
            .add_option(
                ask.since
                    .map(|at| schedule_run::COLUMN.due.gte(scn_column(at))),
            )
            .add_option(
                ask.until
                    .map(|at| schedule_run::COLUMN.due.lt(scn_column(at))),
            );
        let count = async |condition: Condition| {
            schedule_run::Entity::find()
                .filter(condition)
                .count(&self.db)
                .await
                .during("counting runs of a schedule")
        };
        let (total, total_unfiltered) = (count(matching.clone()).await?, count(all).await?);
        let order = if ask.ascending {
            Order::Asc
        } else {
            Order::Desc
        };
        let rows = schedule_run::Entity::find()
            .filter(matching)
            .order_by(schedule_run::COLUMN.due, order.clone())
            .order_by(schedule_run::COLUMN.id, order)
            .offset(slice.offset())
            .limit(slice.limit())
            .all(&self.db)
            .await
            .during("listing runs of a schedule")?;
        let rows = run_rows(&self.db, rows).await?;
        Ok(slice.page(rows, total, total_unfiltered))
    }
}

fn missed_after(strategy: StrategyId, after: Scn) -> Condition {
    Condition::all()
        .add(schedule_run::COLUMN.strategy_id.eq(strategy.0))
        .add(schedule_run::COLUMN.outcome.eq(RunOutcome::Missed.code()))
        .add(schedule_run::COLUMN.due.gt(scn_column(after)))
}

async fn open_runs(db: &impl ConnectionTrait) -> Result<Vec<OpenRun>> {
    let rows = schedule_run::Entity::find()
        .filter(schedule_run::COLUMN.outcome.eq(RunOutcome::Running.code()))
        .order_by_asc(schedule_run::COLUMN.id)
        .limit(OPEN_MAX)
        .all(db)
        .await
        .during("reading open runs of schedules")?;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut tasks: BTreeMap<i64, Vec<RunTask>> = BTreeMap::new();
    let ids: Vec<i64> = rows.iter().map(|row| row.id).collect();
    let found = job::Entity::find()
        .filter(job::COLUMN.run_id.is_in(ids))
        .order_by_asc(job::COLUMN.id)
        .all(db)
        .await
        .during("reading the tasks of open runs")?;
    for row in found {
        let task = RunTask {
            ended: scn_opt("job.ended", row.ended)?,
            failure: row.failure.clone(),
            retry_of: row.retry_of.map(JobId),
            job: jobs::read(row)?,
        };
        let run = task.job.run.map(|run| run.0).unwrap_or_default();
        tasks.entry(run).or_default().push(task);
    }
    rows.into_iter()
        .map(|row| {
            Ok(OpenRun {
                id: RunId(row.id),
                cluster: ClusterId(row.cluster_id),
                started: scn("schedule_run.started", row.started)?,
                cause: row.cause,
                tasks: tasks.remove(&row.id).unwrap_or_default(),
            })
        })
        .collect()
}

async fn run_rows(
    db: &impl ConnectionTrait,
    rows: Vec<schedule_run::Model>,
) -> Result<Vec<ScheduleRun>> {
    let mut tasks: BTreeMap<i64, Vec<JobId>> = BTreeMap::new();
    let found: Vec<(i64, Option<i64>)> = job::Entity::find()
        .select_only()
        .column(job::Column::Id)
        .column(job::Column::RunId)
        .filter(job::COLUMN.run_id.is_in(rows.iter().map(|row| row.id)))
        .order_by_asc(job::COLUMN.id)
        .limit(TASKS_MAX)
        .into_tuple()
        .all(db)
        .await
        .during("reading the tasks of runs")?;
    for (id, run) in found {
        tasks
            .entry(run.unwrap_or_default())
            .or_default()
            .push(JobId(id));
    }
    let each = |row: schedule_run::Model| {
        let tasks = tasks.remove(&row.id).unwrap_or_default();
        read(row, tasks)
    };
    rows.into_iter().map(each).collect()
}

/// A run with these tasks.
pub(super) fn read(row: schedule_run::Model, tasks: Vec<JobId>) -> Result<ScheduleRun> {
    Ok(ScheduleRun {
        id: RunId(row.id),
        kind: word("schedule_run.kind", &row.kind, RunKind::from_code)?,
        backup: word_opt(
            "schedule_run.backup",
            row.backup.as_deref(),
            BackupKind::from_code,
        )?,
        due: scn("schedule_run.due", row.due)?,
        started: scn("schedule_run.started", row.started)?,
        ended: scn_opt("schedule_run.ended", row.ended)?,
        outcome: word("schedule_run.outcome", &row.outcome, RunOutcome::from_code)?,
        cause: row.cause,
        tasks,
        rev: Revision(row.rev),
    })
}
