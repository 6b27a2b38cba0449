//! Copies to the second destination as jobs: accepted at once, done in the background, remembered there.

use crate::{
    absent::Archived,
    copy_log::copy_log,
    copy_object::{CopyError, Copying},
    copy_record::{Done, Record},
    copy_set::copy_set,
    engine::rejected,
    job::Job,
    jobs::Jobs,
    registry::Inner,
    second::{Second, SecondCopy},
    survey,
};
use domain::{BackupSetId, clock::Clock};
use engine::{CopySpec, CopyWhat, EngineError, EngineJobId, EngineJobState, JobReport};
use std::{
    sync::{Arc, MutexGuard},
    time::Duration,
};
use tokio::task::spawn_blocking;

/// Between two looks at whether another copy of the same tenant has ended.
const TURN_PAUSE: Duration = Duration::from_millis(50);

pub(crate) fn start_copy(inner: &Arc<Inner>, spec: &CopySpec) -> Result<EngineJobId, EngineError> {
    let tenant = inner.archived(&spec.tenant)?;
    let id = Jobs::id(&spec.token);
    if inner.jobs.find(&spec.token).is_some() {
        return Ok(id);
    }
    let second = inner.second().ok_or_else(|| {
        let why = "no second destination is used; turn second backup on in the backup strategy";
        rejected("second backup", &tenant.name(), why)
    })?;
    let (job, is_new) = inner.jobs.begin(&spec.token);
    if !is_new {
        return Ok(id);
    }
    let (inner, spec) = (Arc::clone(inner), spec.clone());
    tokio::spawn(async move {
        let working = Arc::clone(&job);
        let copied = spawn_blocking(move || {
            let is_closing = || inner.is_closed();
            let on = (&inner.clock, &is_closing as &dyn Fn() -> bool);
            copy(on, &second, &*tenant, &spec, &working)
        })
        .await
        .unwrap_or_else(|error| Err(CopyError::Refused(format!("internal error: {error}"))));
        job.update(|report| match copied {
            Ok((done, location)) => tell(report, &done, location),
            Err(CopyError::Canceled(_)) => report.state = EngineJobState::Canceled,
            Err(error) => {
                report.state = EngineJobState::Failed;
                report.failure = Some(error.to_string());
            }
        });
    });
    Ok(id)
}

/// Carries an order out; gives what is remembered of it, and the directory copied to.
fn copy(
    (clock, is_closing): (&Arc<dyn Clock>, &dyn Fn() -> bool),
    second: &Second,
    tenant: &dyn Archived,
    spec: &CopySpec,
    job: &Job,
) -> Result<(Done, String), CopyError> {
    if let CopyWhat::Set(set) = spec.what {
        job.update(|report| report.set = Some(set));
    }
    let copy = second.of(tenant);
    let _turn = turn(&copy, second, job)?;
    survey::ensure_known(tenant).map_err(CopyError::Reading)?;
    let from = tenant.destination().get().map_err(CopyError::Reading)?;
    let to = second.destination().get().map_err(CopyError::Writing)?;
    let work = Copying {
        source: tenant,
        copy: &copy,
        second,
        from,
        to,
        job,
        clock,
        limit_bytes_per_s: spec.limit_bytes_per_s,
        is_closing,
    };
    work.prepare()?;
    work.carry_out(spec)
}

/// Waits until no other job copies the same tenant.
fn turn<'a>(
    copy: &'a SecondCopy,
    second: &Second,
    job: &Job,
) -> Result<MutexGuard<'a, ()>, CopyError> {
    if let Some(turn) = copy.try_copying() {
        return Ok(turn);
    }
    job.phase("Waiting for another copy of the tenant", 0);
    loop {
        job.check()?;
        if second.is_ended() {
            return Err(CopyError::Ended);
        }
        std::thread::sleep(TURN_PAUSE);
        if let Some(turn) = copy.try_copying() {
            return Ok(turn);
        }
    }
}

impl Copying<'_> {
    /// Reads what is there, and the first time removes what an earlier process left half-written.
    fn prepare(&self) -> Result<(), CopyError> {
        use std::sync::atomic::Ordering;
        survey::ensure_known(self.copy).map_err(CopyError::Writing)?;
        self.copy
            .read_record(&self.to)
            .map_err(CopyError::Writing)?;
        if !self.copy.cleaned.load(Ordering::Acquire) {
            let root = self.copy.keys().root();
            self.to
                .remove_stale_temps(root)
                .map_err(CopyError::Writing)?;
            self.copy.cleaned.store(true, Ordering::Release);
        }
        self.copy_identity()
    }

    /// Who the tenant is, as the first destination says, or else as it is known here.
    fn copy_identity(&self) -> Result<(), CopyError> {
        let key = self.source.keys().identity();
        let content: serde_json::Value = match self.from.get_manifest(&key) {
            Ok(content) => content,
            Err(error) if error.is_transient() => return Err(CopyError::Reading(error)),
            Err(_) => return Ok(()),
        };
        match self.to.get_manifest::<serde_json::Value>(&key) {
            Ok(there) if there == content => Ok(()),
            Err(error) if error.is_transient() => Err(CopyError::Writing(error)),
            _ => self.replace_manifest(&key, &content),
        }
    }

    fn carry_out(&self, spec: &CopySpec) -> Result<(Done, String), CopyError> {
        let (set, outcome) = match spec.what {
            CopyWhat::Set(set) => (Some(set.0), copy_set(self, set)?.outcome(set)),
            CopyWhat::Log => (None, copy_log(self)?.outcome()),
        };
        let done = Done {
            token: spec.token.clone(),
            set,
            finished: self.clock.now(),
            outcome,
        };
        self.save_record(|record| record.add(done.clone()))?;
        Ok((done.clone(), location(self.copy, &done)))
    }

    /// Changes what is remembered at the second destination.
    pub(crate) fn save_record(&self, change: impl FnOnce(&mut Record)) -> Result<(), CopyError> {
        let mut record = self.copy.record().clone().unwrap_or_default();
        let before = record.clone();
        change(&mut record);
        if record != before {
            record
                .save(&self.to, self.copy.keys())
                .map_err(CopyError::Writing)?;
            *self.copy.record() = Some(record);
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "copy_tests.rs"]
mod tests;

/// Where what was copied lies.
fn location(copy: &SecondCopy, done: &Done) -> String {
    let key = match done.set {
        None => copy.keys().log(),
        Some(number) => {
            let history = copy.history();
            let set = history.sets.get(&number);
            set.map_or_else(|| copy.keys().data(), |set| copy.keys().set(&set.directory))
        }
    };
    copy.destination().path().join(key).display().to_string()
}

fn tell(report: &mut JobReport, done: &Done, location: String) {
    report.state = EngineJobState::Completed;
    report.set = done.set.map(BackupSetId);
    report.outcome = Some(done.outcome.clone());
    report.location = Some(location);
    report.progress.eta_ms = None;
}

/// A copy or a cleanup of copies that an engine before this one finished, found by what is remembered at the
/// second destination.
pub(crate) fn find_result(inner: &Inner, token: &str) -> Option<EngineJobId> {
    let second = inner.second()?;
    for copy in second.copies() {
        let record = copy.record().clone().unwrap_or_default();
        let ended = copy.history().removed.last.clone();
        if let Some(done) = record.find(token) {
            let (job, _) = inner.jobs.begin(token);
            job.update(|report| tell(report, done, location(&copy, done)));
            return Some(Jobs::id(token));
        }
        if let Some(ended) = ended.filter(|ended| ended.token == token) {
            let (job, _) = inner.jobs.begin(token);
            job.update(|report| {
                report.state = EngineJobState::Completed;
                report.outcome = Some(ended.outcome);
            });
            return Some(Jobs::id(token));
        }
    }
    None
}
