//! The queue's side of tasks: orders, leases and the steps of a task's life.

use super::tasks;
use crate::{
    Change, Store,
    convert::{column, impossible, scn, scn_column, scn_opt, word, word_opt},
    entity::job,
    error::{During, Result},
};
use domain::{
    BackupSetId, ClusterId, JobId, RunId, Scn, TenantId,
    backup::{BackupKind, TaskSource, Trigger},
    job::{JobKind, JobState, Progress},
    placement::Placement,
    recovery::RecoveryProof,
    scn::NS_PER_SECOND,
    second_backup::Place,
};
use sea_orm::{
    ActiveValue::Set, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};

/// Most unfinished tasks of one cluster that are looked at; orders beyond it are refused.
pub const UNFINISHED_MAX: u64 = 4000;
/// Longest pause before a task is begun again. One that seems longer means that the clock was set back.
pub const PAUSE_MAX_NS: u64 = 60 * NS_PER_SECOND;

/// What a task is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Make a backup set.
    Backup {
        /// Full or incremental.
        asked: BackupKind,
        /// Cluster or tenant backup.
        source: TaskSource,
    },
    /// Rebuild the tenant under another name.
    Recovery {
        /// The moment.
        until: Scn,
        /// The other name.
        new_name: String,
        /// Which copy to read; `None` leaves it to the engine.
        place: Option<Place>,
        /// Where the new tenant is placed; `None` leaves it to the engine.
        placement: Option<Placement>,
    },
    /// Copy a set to the second destination.
    SecondData {
        /// The set.
        set: BackupSetId,
    },
    /// Copy the log that is not there yet to the second destination.
    SecondLog,
    /// Remove what has expired.
    Cleanup {
        /// Which copy.
        place: Place,
        /// Every moment since then stays recoverable.
        keep_from: Scn,
    },
}

impl Order {
    /// The kind of task.
    pub fn kind(&self) -> JobKind {
        match self {
            Order::Backup { .. } => JobKind::DataBackup,
            Order::Recovery { .. } => JobKind::Recovery,
            Order::SecondData { .. } => JobKind::SecondData,
            Order::SecondLog => JobKind::SecondLog,
            Order::Cleanup { .. } => JobKind::Cleanup,
        }
    }
}

/// A task to enqueue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// Cluster.
    pub cluster: ClusterId,
    /// The tenant that is backed up, or whose backups are read.
    pub tenant: TenantId,
    /// What to do.
    pub order: Order,
    /// What caused it.
    pub trigger: Trigger,
    /// The mark of this order at the engine; unique for ever.
    pub token: String,
    /// When it was asked for.
    pub created: Scn,
    /// The run of the schedule that it belongs to, if to one.
    pub run: Option<RunId>,
}

/// A task as the queue and its workers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Number.
    pub id: JobId,
    /// Cluster.
    pub cluster: ClusterId,
    /// Tenant.
    pub tenant: TenantId,
    /// What to do.
    pub order: Order,
    /// What caused it.
    pub trigger: Trigger,
    /// Where it stands.
    pub state: JobState,
    /// The mark of this order at the engine.
    pub token: String,
    /// The engine's number of it, once accepted.
    pub engine_job_id: Option<String>,
    /// How often a worker has begun it.
    pub attempts: u32,
    /// Not to be begun before.
    pub not_before: Scn,
    /// The attempt that holds it.
    pub lease_owner: Option<String>,
    /// Until when, if nothing is heard from it.
    pub lease_until: Option<Scn>,
    /// When work began.
    pub started: Option<Scn>,
    /// The run of the schedule that it belongs to, if to one.
    pub run: Option<RunId>,
    /// How far it was when that was saved last.
    pub progress: Progress,
    /// When its progress moved last.
    pub moved: Option<Scn>,
}

/// What the engine tells about a task.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobFacts {
    /// How far it is.
    pub progress: Progress,
    /// The set made or being made.
    pub set: Option<BackupSetId>,
    /// What is made in fact.
    pub actual: Option<BackupKind>,
    /// Why that differs from what was asked for.
    pub actual_reason: Option<String>,
    /// The earliest moment the set can be recovered to.
    pub min_restore_scn: Option<Scn>,
    /// Directory of the set, or data file of the recovered tenant.
    pub location: Option<String>,
    /// The proof of a recovery.
    pub proof: Option<RecoveryProof>,
    /// What a copy or a cleanup did.
    pub outcome: Option<String>,
}

/// A lease to hold from now on, or to give back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lease {
    /// Keep it until this instant.
    Until(Scn),
    /// Give it back.
    Release,
}

/// What changes in a task; everything absent stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct JobPatch {
    /// The next state.
    pub state: Option<JobState>,
    /// The engine's number of it, or that it has none any more.
    pub engine_job_id: Option<Option<String>>,
    /// When work began.
    pub started: Option<Scn>,
    /// When it ended.
    pub ended: Option<Scn>,
    /// What the engine tells.
    pub facts: Option<JobFacts>,
    /// Why it failed.
    pub failure: Option<String>,
    /// Not to be begun again before.
    pub not_before: Option<Scn>,
    /// When its progress moved.
    pub moved: Option<Scn>,
    /// The lease.
    pub lease: Option<Lease>,
}

impl Store {
    /// A task by its number.
    pub async fn job(&self, id: JobId) -> Result<Option<Job>> {
        one(&self.db, id).await
    }

    /// The tasks of a cluster that are not final, oldest first.
    pub async fn unfinished(&self, cluster: ClusterId) -> Result<Vec<Job>> {
        unfinished(&self.db, cluster).await
    }

    /// Prolongs a lease; `false` when somebody else holds it. Makes no revision: nobody sees a lease.
    pub async fn prolong(&self, id: JobId, owner: &str, until: Scn) -> Result<bool> {
        let done = job::Entity::update_many()
            .set(job::ActiveModel {
                lease_until: Set(Some(scn_column(until))),
                ..Default::default()
            })
            .filter(job::COLUMN.id.eq(id.0))
            .filter(job::COLUMN.lease_owner.eq(owner))
            .exec(&self.writer)
            .await
            .during("prolonging a lease")?;
        Ok(done.rows_affected == 1)
    }
}

impl Store {
    /// How many tasks of a cluster are not final.
    pub async fn unfinished_count(&self, cluster: ClusterId) -> Result<u64> {
        job::Entity::find()
            .filter(job::COLUMN.cluster_id.eq(cluster.0))
            .filter(job::COLUMN.state.is_in(open_codes()))
            .count(&self.db)
            .await
            .during("counting unfinished tasks")
    }

    /// Frees every unfinished task from its lease and from waiting. Only for a process that knows that
    /// no other one uses this database: then whoever held a lease is gone.
    pub async fn free_leases(&self) -> Result<u64> {
        let done = job::Entity::update_many()
            .set(job::ActiveModel {
                lease_owner: Set(None),
                lease_until: Set(None),
                not_before: Set(scn_column(Scn::ZERO)),
                ..Default::default()
            })
            .filter(job::COLUMN.state.is_in(open_codes()))
            .exec(&self.writer)
            .await
            .during("freeing tasks of an earlier process")?;
        Ok(done.rows_affected)
    }
}

impl Change {
    /// A task by its number.
    pub async fn job(&self, id: JobId) -> Result<Option<Job>> {
        one(&self.tx, id).await
    }

    /// The tasks of a cluster that are not final, oldest first.
    pub async fn unfinished(&self, cluster: ClusterId) -> Result<Vec<Job>> {
        unfinished(&self.tx, cluster).await
    }

    /// Puts a task into the queue.
    pub async fn enqueue(&self, new: &NewJob) -> Result<JobId> {
        let row = job::ActiveModel {
            cluster_id: Set(new.cluster.0),
            tenant_id: Set(new.tenant.0),
            kind: Set(new.order.kind().code().to_owned()),
            state: Set(JobState::Queued.code().to_owned()),
            token: Set(new.token.clone()),
            caused_by: Set(new.trigger.code().to_owned()),
            phase: Set(String::new()),
            done_bytes: Set(0),
            total_bytes: Set(0),
            rate_bytes_per_s: Set(0),
            attempts: Set(0),
            // Due at once, whatever the clock will say.
            not_before: Set(scn_column(Scn::ZERO)),
            created: Set(scn_column(new.created)),
            run_id: Set(new.run.map(|run| run.0)),
            rev: Set(self.take_rev()),
            ..order_row(&new.order)?
        };
        let done = job::Entity::insert(row)
            .exec(&self.tx)
            .await
            .during("enqueueing a task")?;
        Ok(JobId(done.last_insert_id))
    }

    /// Takes a task for one attempt: `to` is its state then. `false` when it is not free any more.
    pub async fn claim(&self, job: &Job, to: JobState, owner: &str, claim: Claim) -> Result<bool> {
        let attempts = i32::try_from(job.attempts + claim.counts).unwrap_or(i32::MAX);
        let now = scn_column(claim.now);
        let free = Condition::any()
            .add(job::COLUMN.lease_until.is_null())
            .add(job::COLUMN.lease_until.lte(now));
        let done = job::Entity::update_many()
            .set(job::ActiveModel {
                state: Set(to.code().to_owned()),
                attempts: Set(attempts),
                lease_owner: Set(Some(owner.to_owned())),
                lease_until: Set(Some(scn_column(claim.until))),
                rev: Set(self.take_rev()),
                ..Default::default()
            })
            .filter(job::COLUMN.id.eq(job.id.0))
            .filter(job::COLUMN.state.eq(job.state.code()))
            .filter(due(claim.now))
            .filter(free)
            .exec(&self.tx)
            .await
            .during("claiming a task")?;
        Ok(done.rows_affected == 1)
    }

    /// Changes a task that still stands in `state` and is held by `owner` (`None`: whoever holds it).
    /// `false` when it is not so, and then nothing changed.
    pub async fn patch_job(
        &self,
        id: JobId,
        state: JobState,
        owner: Option<&str>,
        patch: &JobPatch,
    ) -> Result<bool> {
        let mut update = job::Entity::update_many()
            .set(patch_row(patch, self.take_rev())?)
            .filter(job::COLUMN.id.eq(id.0))
            .filter(job::COLUMN.state.eq(state.code()));
        if let Some(owner) = owner {
            update = update.filter(job::COLUMN.lease_owner.eq(owner));
        }
        let done = update.exec(&self.tx).await.during("changing a task")?;
        Ok(done.rows_affected == 1)
    }
}

impl Job {
    /// Whether it may be begun: its pause is over, or is longer than any, so that the clock was set back.
    pub fn is_due(&self, now: Scn) -> bool {
        self.not_before.since_ns(now) == 0 || self.not_before.since_ns(now) > PAUSE_MAX_NS
    }
}

/// The same as [`Job::is_due`] for the database.
fn due(now: Scn) -> Condition {
    Condition::any()
        .add(job::COLUMN.not_before.lte(scn_column(now)))
        .add(
            job::COLUMN
                .not_before
                .gt(scn_column(now.plus_ns(PAUSE_MAX_NS))),
        )
}

/// The terms of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Now.
    pub now: Scn,
    /// Until when the lease holds if nothing is heard.
    pub until: Scn,
    /// 1 when this attempt counts against the limit, else 0.
    pub counts: u32,
}

/// The columns that say what is to be done.
fn order_row(order: &Order) -> Result<job::ActiveModel> {
    let mut row = job::ActiveModel::default();
    match order {
        Order::Backup { asked, source } => {
            row.asked = Set(Some(asked.code().to_owned()));
            row.source = Set(Some(source.code().to_owned()));
        }
        Order::Recovery {
            until,
            new_name,
            place,
            placement,
        } => {
            row.until_scn = Set(Some(scn_column(*until)));
            row.new_name = Set(Some(new_name.clone()));
            row.place = Set(place.map(|place| place.code().to_owned()));
            let text = placement.as_ref().map(serde_json::to_string).transpose();
            row.placement = Set(text.map_err(|error| impossible("job.placement", error))?);
        }
        Order::SecondData { set } => row.copy_set = Set(Some(set.0)),
        Order::SecondLog => {}
        Order::Cleanup { place, keep_from } => {
            row.place = Set(Some(place.code().to_owned()));
            row.keep_from = Set(Some(scn_column(*keep_from)));
        }
    }
    Ok(row)
}

fn patch_row(patch: &JobPatch, rev: i64) -> Result<job::ActiveModel> {
    let mut row = job::ActiveModel {
        rev: Set(rev),
        ..Default::default()
    };
    if let Some(state) = patch.state {
        row.state = Set(state.code().to_owned());
    }
    if let Some(id) = &patch.engine_job_id {
        row.engine_job_id = Set(id.clone());
    }
    if let Some(at) = patch.started {
        row.started = Set(Some(scn_column(at)));
    }
    if let Some(at) = patch.ended {
        row.ended = Set(Some(scn_column(at)));
    }
    if let Some(at) = patch.not_before {
        row.not_before = Set(scn_column(at));
    }
    if let Some(at) = patch.moved {
        row.moved = Set(Some(scn_column(at)));
    }
    if let Some(failure) = &patch.failure {
        row.failure = Set(Some(failure.clone()));
    }
    match &patch.lease {
        Some(Lease::Until(until)) => row.lease_until = Set(Some(scn_column(*until))),
        Some(Lease::Release) => {
            row.lease_owner = Set(None);
            row.lease_until = Set(None);
        }
        None => {}
    }
    if let Some(facts) = &patch.facts {
        set_facts(&mut row, facts)?;
    }
    Ok(row)
}

fn set_facts(row: &mut job::ActiveModel, facts: &JobFacts) -> Result<()> {
    row.phase = Set(facts.progress.phase.clone());
    row.done_bytes = Set(column(facts.progress.done_bytes));
    row.total_bytes = Set(column(facts.progress.total_bytes));
    row.rate_bytes_per_s = Set(column(facts.progress.rate_bytes_per_s));
    row.eta_ms = Set(facts.progress.eta_ms.map(column));
    row.set_id = Set(facts.set.map(|set| set.0));
    row.actual = Set(facts.actual.map(|kind| kind.code().to_owned()));
    row.actual_reason = Set(facts.actual_reason.clone());
    row.min_restore_scn = Set(facts.min_restore_scn.map(scn_column));
    row.location = Set(facts.location.clone());
    let proof = facts.proof.as_ref().map(serde_json::to_string).transpose();
    row.outcome = Set(facts.outcome.clone());
    row.proof = Set(proof.map_err(|error| impossible("job.proof", error))?);
    Ok(())
}

async fn one(db: &impl ConnectionTrait, id: JobId) -> Result<Option<Job>> {
    let row = job::Entity::find_by_id(id.0)
        .one(db)
        .await
        .during("reading a task")?;
    row.map(read).transpose()
}

async fn unfinished(db: &impl ConnectionTrait, cluster: ClusterId) -> Result<Vec<Job>> {
    let rows = job::Entity::find()
        .filter(job::COLUMN.cluster_id.eq(cluster.0))
        .filter(job::COLUMN.state.is_in(open_codes()))
        .order_by_asc(job::COLUMN.id)
        .limit(UNFINISHED_MAX)
        .all(db)
        .await
        .during("reading unfinished tasks")?;
    rows.into_iter().map(read).collect()
}

/// The codes of all states that are not final.
pub(crate) fn open_codes() -> impl Iterator<Item = &'static str> {
    JobState::ALL
        .into_iter()
        .filter(|state| !state.is_final())
        .map(JobState::code)
}

/// A task of its row.
pub(crate) fn read(row: job::Model) -> Result<Job> {
    let order = read_order(&row)?;
    let progress = tasks::progress(&row)?;
    Ok(Job {
        id: JobId(row.id),
        cluster: ClusterId(row.cluster_id),
        tenant: TenantId(row.tenant_id),
        order,
        trigger: word("job.caused_by", &row.caused_by, Trigger::from_code)?,
        state: word("job.state", &row.state, JobState::from_code)?,
        token: row.token,
        engine_job_id: row.engine_job_id,
        attempts: u32::try_from(row.attempts)
            .map_err(|_| impossible("job.attempts", row.attempts))?,
        not_before: scn("job.not_before", row.not_before)?,
        lease_owner: row.lease_owner,
        lease_until: scn_opt("job.lease_until", row.lease_until)?,
        started: scn_opt("job.started", row.started)?,
        run: row.run_id.map(RunId),
        progress,
        moved: scn_opt("job.moved", row.moved)?,
    })
}

fn read_order(row: &job::Model) -> Result<Order> {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let place = || word_opt("job.place", row.place.as_deref(), Place::from_code);
    Ok(match word("job.kind", &row.kind, JobKind::from_code)? {
        JobKind::DataBackup => Order::Backup {
            asked: word("job.asked", &text(&row.asked), BackupKind::from_code)?,
            source: word("job.source", &text(&row.source), TaskSource::from_code)?,
        },
        JobKind::Recovery => Order::Recovery {
            until: scn("job.until_scn", row.until_scn.unwrap_or(-1))?,
            new_name: text(&row.new_name),
            place: place()?,
            placement: placement(row)?,
        },
        JobKind::SecondData => Order::SecondData {
            set: BackupSetId(
                row.copy_set
                    .ok_or_else(|| impossible("job.copy_set", "nothing"))?,
            ),
        },
        JobKind::SecondLog => Order::SecondLog,
        JobKind::Cleanup => Order::Cleanup {
            place: place()?.unwrap_or_default(),
            keep_from: scn("job.keep_from", row.keep_from.unwrap_or(-1))?,
        },
    })
}

/// Where a recovery places its tenant; tasks of earlier versions say nothing.
fn placement(row: &job::Model) -> Result<Option<Placement>> {
    let text = row.placement.as_deref();
    let read = text.map(serde_json::from_str).transpose();
    read.map_err(|error| impossible("job.placement", error))
}
