//! Runs of a schedule: recording a due moment with its tasks, and closing it when they are final.

use crate::{audit::Entry, backups::not_archiving, console::Inner, error::Error, jobs::queue};
use domain::{
    Scn, TenantId,
    access::{Actor, Role},
    backup::{BackupKind, TaskSource, Trigger},
    job::JobState,
    scn::NS_PER_DAY,
    second_backup::Place,
    strategy::{RunKind, RunOutcome, StrategySettings},
    tenant::TenantState,
};
use std::collections::HashSet;
use store::{Change, Job, KnownStrategy, NewJob, NewRun, OpenRun, Order, RunTask, TenantPicture};

/// Reasons that a cause tells one by one.
const REASONS_MAX: usize = 10;

/// A moment that has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Due {
    /// When.
    pub(crate) at: Scn,
    /// What is to be made, for data backups.
    pub(crate) backup: Option<BackupKind>,
    /// Missed moments before it that get no row.
    pub(crate) before: usize,
}

impl Due {
    pub(crate) fn new(at: Scn, backup: Option<BackupKind>) -> Self {
        Due {
            at,
            backup,
            before: 0,
        }
    }
}

/// What becomes of the newest moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Chance {
    /// It is begun.
    Begun,
    /// It is too late for it.
    Missed,
    /// It must not be begun, for this reason.
    Skipped(&'static str),
}

/// Records what was missed, and begins `last` if it has the chance, all in one change. What is recorded
/// already is left as it is.
pub(crate) async fn record(
    inner: &Inner,
    known: &KnownStrategy,
    kind: RunKind,
    missed: &[Due],
    (last, chance): (&Due, Chance),
    now: Scn,
) -> Result<(), Error> {
    // Before the change, which must not use the store.
    let picture = inner.store.picture(known.cluster).await?;
    let occasion = Occasion {
        inner,
        known,
        kind,
        picture: &picture,
        now,
    };
    let recorded = inner
        .store
        .change(async |change| {
            let current = change.strategy(known.cluster).await?;
            if current.is_none_or(|current| current.strategy != known.strategy) {
                // Changed meanwhile: the next pass goes by what it says now.
                inner.schedule.notify_one();
                return Ok(());
            }
            for due in missed {
                occasion.missed(change, due).await?;
            }
            match chance {
                Chance::Missed => occasion.missed(change, last).await,
                Chance::Skipped(why) => occasion.skipped(change, last, why).await,
                Chance::Begun => occasion.begin(change, last).await,
            }
        })
        .await;
    inner.queue.notify_one();
    match recorded {
        // Another console was first.
        Err(Error::Store(error)) if error.is_taken() => Ok(()),
        other => other,
    }
}

/// A pass over one kind of a strategy.
struct Occasion<'a> {
    inner: &'a Inner,
    known: &'a KnownStrategy,
    kind: RunKind,
    picture: &'a [TenantPicture],
    now: Scn,
}

/// What a run is to do, and why some of it is left out.
#[derive(Default)]
struct Orders {
    orders: Vec<(TenantId, Order)>,
    left_out: Vec<String>,
}

impl Occasion<'_> {
    fn run(&self, due: &Due, outcome: RunOutcome, cause: Option<String>) -> NewRun {
        NewRun {
            cluster: self.known.cluster,
            strategy: self.known.strategy.id,
            kind: self.kind,
            backup: due.backup,
            due: due.at,
            started: self.now,
            outcome,
            cause,
        }
    }

    async fn missed(&self, change: &Change, due: &Due) -> Result<(), Error> {
        let mut cause = "The console was not running, or could not begin it in time".to_owned();
        if due.before > 0 {
            cause.push_str(&format!(
                "; {} earlier ones were missed too and have no row",
                due.before
            ));
        }
        let run = self.run(due, RunOutcome::Missed, Some(cause));
        change.add_run(&run).await?;
        Ok(())
    }

    async fn skipped(&self, change: &Change, due: &Due, why: &str) -> Result<(), Error> {
        let run = self.run(due, RunOutcome::Skipped, Some(why.to_owned()));
        change.add_run(&run).await?;
        Ok(())
    }

    async fn begin(&self, change: &Change, due: &Due) -> Result<(), Error> {
        let run = self.run(due, RunOutcome::Running, None);
        let Some(id) = change.add_run(&run).await? else {
            return Ok(());
        };
        let open = change.unfinished(self.known.cluster).await?;
        let Orders {
            orders,
            mut left_out,
        } = self.orders(&open, due);
        let mut begun = 0;
        for (tenant, order) in orders {
            let new = NewJob {
                cluster: self.known.cluster,
                tenant,
                order,
                trigger: Trigger::Schedule,
                token: queue::token(),
                created: self.now,
                run: Some(id),
            };
            match queue::enqueue(change, open.len() + begun, &new).await {
                Ok(_) => begun += 1,
                Err(Error::Conflict(why)) => left_out.push(why),
                Err(error) => return Err(error),
            }
        }
        let cause = reasons(left_out);
        if begun == 0 {
            let cause = cause.as_deref();
            let ended = Some(self.now);
            change
                .set_run(id, RunOutcome::Skipped, cause, ended)
                .await?;
        } else if cause.is_some() {
            let running = RunOutcome::Running;
            change.set_run(id, running, cause.as_deref(), None).await?;
        }
        self.audit(change, due, begun).await
    }

    async fn audit(&self, change: &Change, due: &Due, tasks: usize) -> Result<(), Error> {
        let actor = Actor::new("scheduler", Role::Operator);
        let detail = format!("due at {}, {tasks} tasks", due.at);
        let entry = Entry {
            operation: "scheduled run",
            cluster: self.known.cluster,
            subject: self.kind.code(),
            detail: &detail,
        };
        entry.write(change, self.inner, &actor).await
    }

    fn orders(&self, open: &[Job], due: &Due) -> Orders {
        let settings = &self.known.strategy.settings;
        match self.kind {
            RunKind::DataBackup => backups(self.picture, open, due),
            RunKind::SecondLog => log_copies(self.picture, open),
            RunKind::Cleanup => cleanups(self.picture, open, settings, self.now),
        }
    }
}

impl Orders {
    /// Adds an order unless the same is being done.
    fn add(&mut self, open: &[Job], tenant: &TenantPicture, order: Order) {
        match queue::same_as(open, tenant.id, &order) {
            Some(job) => self.left_out.push(format!(
                "{} task {} of tenant {} is not finished",
                order.kind().label(),
                job.id,
                tenant.facts.name
            )),
            None => self.orders.push((tenant.id, order)),
        }
    }

    /// Says why there is nothing at all to do.
    fn or(mut self, nothing: &str) -> Orders {
        if self.orders.is_empty() && self.left_out.is_empty() {
            self.left_out.push(nothing.to_owned());
        }
        self
    }
}

fn backups(picture: &[TenantPicture], open: &[Job], due: &Due) -> Orders {
    let mut orders = Orders::default();
    let online = picture
        .iter()
        .filter(|tenant| tenant.facts.state != TenantState::Offline);
    for tenant in online {
        let order = Order::Backup {
            asked: due.backup.unwrap_or(BackupKind::Full),
            source: TaskSource::Cluster,
        };
        match not_archiving(tenant) {
            Some(why) => orders.left_out.push(why),
            None => orders.add(open, tenant, order),
        }
    }
    orders.or("no tenant is online; create one first")
}

fn log_copies(picture: &[TenantPicture], open: &[Job]) -> Orders {
    let mut orders = Orders::default();
    for tenant in picture.iter().filter(|tenant| !tenant.spans.is_empty()) {
        orders.add(open, tenant, Order::SecondLog);
    }
    orders.or("no tenant has log to copy; start log backup first")
}

fn cleanups(
    picture: &[TenantPicture],
    open: &[Job],
    settings: &StrategySettings,
    now: Scn,
) -> Orders {
    let days = settings.cleanup.retention_days;
    let second = settings.second.as_ref();
    let places = [
        Some((Place::First, days)),
        second.map(|second| (Place::Second, second.retention_days.unwrap_or(days))),
    ];
    let mut orders = Orders::default();
    let backed_up = picture
        .iter()
        .filter(|tenant| !(tenant.sets.is_empty() && tenant.spans.is_empty()));
    for tenant in backed_up {
        for (place, days) in places.into_iter().flatten() {
            let keep_from = now.minus_ns(u64::from(days).saturating_mul(NS_PER_DAY));
            orders.add(open, tenant, Order::Cleanup { place, keep_from });
        }
    }
    orders.or("no tenant has backups yet")
}

fn reasons(mut all: Vec<String>) -> Option<String> {
    let more = all.len().saturating_sub(REASONS_MAX);
    all.truncate(REASONS_MAX);
    if more > 0 {
        all.push(format!("{more} more"));
    }
    (!all.is_empty()).then(|| format!("Left out: {}", all.join("; ")))
}

/// Closes every run whose tasks are final.
pub(crate) async fn close(inner: &Inner) -> Result<(), Error> {
    // First without a change: most often there is nothing to close.
    let open = inner.store.open_runs().await?;
    if open.iter().all(|run| end(run).is_none()) {
        return Ok(());
    }
    inner
        .store
        .change(async |change| {
            for run in change.open_runs().await? {
                if let Some(end) = end(&run) {
                    let cause = end.cause.as_deref();
                    change
                        .set_run(run.id, end.outcome, cause, Some(end.ended))
                        .await?;
                }
            }
            Ok(())
        })
        .await
}

/// How a run ended.
#[derive(Debug, PartialEq, Eq)]
struct End {
    outcome: RunOutcome,
    cause: Option<String>,
    ended: Scn,
}

/// How a run ended; `None` while one of its tasks is not final. A task that was tried again counts by how
/// the new try ended.
fn end(run: &OpenRun) -> Option<End> {
    let again: HashSet<_> = run.tasks.iter().filter_map(|task| task.retry_of).collect();
    let decide = |task: &&RunTask| !again.contains(&task.job.id);
    let tasks: Vec<&RunTask> = run.tasks.iter().filter(decide).collect();
    if !tasks.iter().all(|task| task.job.state.is_final()) {
        return None;
    }
    let first = |state| tasks.iter().find(|task| task.job.state == state);
    let (outcome, cause) = match (first(JobState::Failed), first(JobState::Canceled)) {
        (Some(task), _) => (RunOutcome::Failed, Some(failure(task))),
        (None, Some(task)) => (
            RunOutcome::Canceled,
            Some(format!("Task {} was canceled", task.job.id)),
        ),
        (None, None) if tasks.is_empty() => (
            RunOutcome::Failed,
            Some("Its tasks are not there any more".to_owned()),
        ),
        (None, None) if !again.is_empty() => (
            RunOutcome::Completed,
            Some("Complete after another try".to_owned()),
        ),
        (None, None) => (RunOutcome::Completed, None),
    };
    let ended = run.tasks.iter().filter_map(|task| task.ended).max();
    let parts: Vec<String> = [cause, run.cause.clone()].into_iter().flatten().collect();
    Some(End {
        outcome,
        cause: (!parts.is_empty()).then(|| parts.join(". ")),
        ended: ended.unwrap_or(run.started),
    })
}

fn failure(task: &RunTask) -> String {
    let why = task.failure.as_deref().unwrap_or("no reason was given");
    format!("Task {} failed: {why}", task.job.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_told_up_to_a_number() {
        assert_eq!(reasons(Vec::new()), None);
        let few = reasons(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(few.as_deref(), Some("Left out: a; b"));
        let many = reasons((0..13).map(|n| n.to_string()).collect()).unwrap();
        assert!(many.ends_with("9; 3 more"), "{many}");
    }
}
