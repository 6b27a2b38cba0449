//! Cleanups as jobs, the question what one would do, and what an earlier process left of one.

use crate::{
    absent::Archived,
    cleanup::{self, CleanupError, CleanupOrder},
    engine::{blocking, rejected},
    holds::Cleaning,
    job::Job,
    jobs::Jobs,
    registry::Inner,
};
use domain::{retention::CleanupPlan, second_backup::Place};
use engine::{CleanupSpec, EngineError, EngineErrorKind, EngineJobId, EngineJobState, JobReport};
use std::sync::Arc;
use storage::StorageError;
use tokio::task::spawn_blocking;

const OPERATION: &str = "cleanup";

/// The backups of a tenant at one place.
fn backups_at(inner: &Inner, spec: &CleanupSpec) -> Result<Arc<dyn Archived>, EngineError> {
    let tenant = inner.archived(&spec.tenant)?;
    match spec.place {
        Place::First => Ok(tenant),
        Place::Second => match inner.second() {
            Some(second) => Ok(second.of(&*tenant)),
            None => Err(rejected(
                OPERATION,
                &tenant.name(),
                "no second copies are kept of this cluster's backups",
            )),
        },
    }
}

/// What a cleanup would do.
pub(crate) async fn plan_cleanup(
    inner: &Arc<Inner>,
    spec: &CleanupSpec,
) -> Result<CleanupPlan, EngineError> {
    let (tenant, spec) = (backups_at(inner, spec)?, spec.clone());
    blocking(OPERATION, move || {
        let dest = tenant.destination().get();
        let planned =
            dest.and_then(|dest| cleanup::plan(&*tenant, &dest, spec.keep_from, spec.place));
        planned.map_err(|error| unreachable(&*tenant, &error))
    })
    .await
}

fn unreachable(tenant: &dyn Archived, error: &StorageError) -> EngineError {
    let (name, kind) = (tenant.name(), EngineErrorKind::Unreachable);
    EngineError::new(kind, OPERATION, name, error.to_string())
}

/// Begins a cleanup; one at a time of a tenant at a place.
pub(crate) fn start_cleanup(
    inner: &Arc<Inner>,
    spec: &CleanupSpec,
) -> Result<EngineJobId, EngineError> {
    let tenant = backups_at(inner, spec)?;
    let id = Jobs::id(&spec.token);
    if inner.jobs.find(&spec.token).is_some() {
        return Ok(id);
    }
    let Some(cleaning) = tenant.holds().begin_cleaning() else {
        let why = "another cleanup of it is at work; it is possible when that has ended";
        let kind = EngineErrorKind::Unreachable;
        return Err(EngineError::new(kind, OPERATION, tenant.name(), why));
    };
    let (job, _) = inner.jobs.begin(&spec.token);
    let order = CleanupOrder {
        token: spec.token.clone(),
        keep_from: spec.keep_from,
        now: inner.clock.now(),
    };
    // It keeps the home locked, as long as it works.
    let inner = Arc::clone(inner);
    tokio::spawn(async move {
        let working = Arc::clone(&job);
        let done = spawn_blocking(move || clean(&*tenant, &order, &working, &cleaning)).await;
        let done = done.unwrap_or_else(|error| Err(Stopped::Failed(error.to_string())));
        job.update(|report| tell(report, done));
        drop(inner);
    });
    Ok(id)
}

enum Stopped {
    Canceled,
    Failed(String),
}

fn clean(
    tenant: &dyn Archived,
    order: &CleanupOrder,
    job: &Job,
    cleaning: &Cleaning,
) -> Result<String, Stopped> {
    let failed = |error: StorageError| Stopped::Failed(CleanupError::Before(error).to_string());
    let dest = tenant.destination().get().map_err(failed)?;
    let cleaned = cleanup::clean(tenant, &dest, order, job, cleaning);
    cleaned.map_err(|error| match error {
        CleanupError::Canceled(_) => Stopped::Canceled,
        error => Stopped::Failed(error.to_string()),
    })
}

fn tell(report: &mut JobReport, done: Result<String, Stopped>) {
    report.progress.eta_ms = None;
    match done {
        Ok(outcome) => {
            report.state = EngineJobState::Completed;
            report.outcome = Some(outcome);
        }
        Err(Stopped::Canceled) => {
            report.state = EngineJobState::Canceled;
            let removed = domain::size::bytes(report.progress.done_bytes);
            let why = match report.progress.total_bytes {
                0 => "Nothing was removed".to_owned(),
                _ => format!(
                    "{removed} removed; the rest of what had expired is part of no backup any more, and the next cleanup \
                     removes it"
                ),
            };
            report.outcome = Some(why);
        }
        Err(Stopped::Failed(problem)) => {
            report.state = EngineJobState::Failed;
            report.failure = Some(problem);
        }
    }
}

/// The result of a cleanup that an engine before this one carried out, found by what it left.
pub(crate) fn find_result(inner: &Inner, token: &str) -> Option<EngineJobId> {
    let copies = inner.second().map(|second| second.copies());
    let copies = copies
        .into_iter()
        .flatten()
        .map(|it| it as Arc<dyn Archived>);
    let ended = |tenant: Arc<dyn Archived>| {
        let last = tenant.history().removed.last.clone();
        last.filter(|ended| ended.token == token)
    };
    let ended = inner
        .archived_tenants()
        .into_iter()
        .chain(copies)
        .find_map(ended)?;
    let (job, _) = inner.jobs.begin(token);
    job.update(|report| tell(report, Ok(ended.outcome)));
    Some(Jobs::id(token))
}

/// Finishes what an earlier process left of cleanups of `tenants`, where the destination answers; false while
/// one is left to try.
pub(crate) fn resume(inner: &Inner, tenants: Vec<Arc<dyn Archived>>) -> bool {
    let mut is_done = true;
    for tenant in tenants {
        let (known, pending) = {
            let history = tenant.history();
            (history.known, history.removed.pending.is_some())
        };
        if known && !pending {
            continue;
        }
        is_done &= known && resume_one(inner, &*tenant);
    }
    is_done
}

fn resume_one(inner: &Inner, tenant: &dyn Archived) -> bool {
    // Somebody else is at it, who finishes it or leaves it to the next cleanup.
    let Some(cleaning) = tenant.holds().begin_cleaning() else {
        return true;
    };
    let job = Job::new(Arc::clone(&inner.clock));
    let dest = tenant.destination().get().map_err(CleanupError::Before);
    match dest.and_then(|dest| cleanup::finish(tenant, &dest, &job, &cleaning)) {
        Ok(_) => true,
        Err(error) => {
            tracing::warn!(tenant = %tenant.name(), %error, "an interrupted cleanup could not be finished yet");
            false
        }
    }
}
