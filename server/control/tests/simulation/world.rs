//! The cluster as it is outside of the console: tenants, sets, log, copies and jobs; and what goes wrong with it.

use crate::{dice::Dice, process::VirtualClock};
use domain::{
    BackupSetId, Scn,
    archive::ArchiveState,
    backup::{BackupKind, BackupSet},
    job::Progress,
    recoverable::{GapCause, LogSpan},
    scn::NS_PER_SECOND,
    second_backup::Place,
    tenant::TenantState,
};
use engine::{
    ArchiveObservation, EngineError, EngineErrorKind, EngineJobId, EngineJobState, JobReport,
    SecondObservation, TenantKey, TenantObservation,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard},
};

/// Bytes that a job has to do.
const JOB_BYTES: u64 = 8000;

/// The cluster, and the faults of it.
pub(crate) struct World {
    state: Mutex<State>,
    pub(crate) clock: Arc<VirtualClock>,
}

/// What a job makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Makes {
    Set(BackupKind),
    Tenant(String),
    CopyOf(BackupSetId),
    LogCopy,
    Removal(Place, Scn),
}

struct Job {
    token: String,
    tenant: String,
    makes: Makes,
    began: Scn,
    takes_ns: u64,
    /// Fails when it is half way.
    fails: bool,
    /// Does not move on until faults end.
    stuck: bool,
    report: JobReport,
}

/// Everything about the cluster.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) tenants: BTreeMap<String, TenantObservation>,
    jobs: BTreeMap<String, Job>,
    /// What jobs left on media, by token.
    results: BTreeMap<String, Job>,
    numbers: i64,
    /// How often an order was accepted, by token.
    pub(crate) accepted: BTreeMap<String, u32>,
    /// How often the engine lost the job of a token.
    pub(crate) lost: BTreeMap<String, u32>,
    /// Sets that were made, and copies.
    pub(crate) made: BTreeSet<(String, BackupSetId)>,
    pub(crate) copied: BTreeSet<(String, BackupSetId)>,
    /// How often log backup was started and stopped.
    pub(crate) log_started: i64,
    pub(crate) log_stopped: i64,
    /// Broken rules, in words.
    pub(crate) wrong: Vec<String>,
    /// Fewest days that a cleanup may keep.
    pub(crate) keep_days: u64,
    /// How far the clock has been set forward or back in all, in seconds.
    pub(crate) stepped_s: u64,
    /// Faults to come.
    pub(crate) faults: Faults,
}

/// What goes wrong.
#[derive(Default)]
pub(crate) struct Faults {
    /// Orders that are accepted but whose reply is lost.
    pub(crate) lose_replies: u32,
    /// Calls that are not answered.
    pub(crate) deaf: u32,
    /// Nothing is answered before.
    pub(crate) away_until: Scn,
    /// How long each call takes.
    pub(crate) slow_ms: u64,
    /// Orders whose jobs fail.
    pub(crate) fail_jobs: u32,
    /// Orders whose jobs stand still.
    pub(crate) stick_jobs: u32,
    /// Orders that are refused.
    pub(crate) refuse: u32,
    /// Engines that are not opened.
    pub(crate) closed: u32,
    /// How long jobs take at most.
    pub(crate) job_s_max: u64,
}

impl World {
    pub(crate) fn new(clock: Arc<VirtualClock>) -> World {
        let state = State {
            keep_days: u64::MAX,
            ..State::default()
        };
        World {
            state: Mutex::new(state),
            clock,
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn now(&self) -> Scn {
        self.clock.shown()
    }

    /// Nothing goes wrong any more.
    pub(crate) fn heal(&self) {
        let mut state = self.state();
        state.faults = Faults::default();
        for job in state.jobs.values_mut() {
            (job.fails, job.stuck) = (false, false);
        }
    }

    /// The engine crashes: it forgets what runs, or finds it on media because it was just done.
    pub(crate) fn crash(&self, dice: &mut Dice) {
        let now = self.now();
        let mut state = self.state();
        let running: Vec<String> = state.jobs.keys().cloned().collect();
        for id in running {
            if dice.once_in(3) && state.jobs[&id].report.state == EngineJobState::Running {
                state.finish(&id, now);
            }
            let Some(job) = state.jobs.remove(&id) else {
                continue;
            };
            if job.report.state == EngineJobState::Completed {
                state.results.insert(job.token.clone(), job);
            } else {
                *state.lost.entry(job.token).or_default() += 1;
            }
        }
    }

    pub(crate) fn add_tenant(&self, name: &str) -> TenantKey {
        let now = self.now();
        self.state().add_tenant(name, now)
    }

    /// Takes an order.
    pub(crate) fn accept(
        &self,
        token: &str,
        tenant: &TenantKey,
        makes: Makes,
    ) -> Result<EngineJobId, EngineError> {
        let now = self.now();
        let mut state = self.state();
        if state.faults.refuse > 0 {
            state.faults.refuse -= 1;
            return Err(error(
                EngineErrorKind::Rejected,
                "not now, says the cluster",
            ));
        }
        state.check(tenant, &makes, now)?;
        *state.accepted.entry(token.to_owned()).or_default() += 1;
        let id = format!("e{}", state.number());
        let spread = state.faults.job_s_max.max(1);
        let takes_ns = (state.numbers.unsigned_abs() * 7919 % spread) * NS_PER_SECOND / 2;
        let job = Job {
            token: token.to_owned(),
            tenant: tenant.0.clone(),
            makes,
            began: now,
            takes_ns,
            fails: take(&mut state.faults.fail_jobs),
            stuck: take(&mut state.faults.stick_jobs),
            report: JobReport::running(),
        };
        state.jobs.insert(id.clone(), job);
        match take(&mut state.faults.lose_replies) {
            true => Err(error(EngineErrorKind::Unreachable, "the line went dead")),
            false => Ok(EngineJobId(id)),
        }
    }

    pub(crate) fn find(&self, token: &str) -> Option<EngineJobId> {
        let mut state = self.state();
        if let Some(result) = state.results.remove(token) {
            let id = format!("e{}", state.number());
            state.jobs.insert(id, result);
        }
        let found = state.jobs.iter().find(|(_, job)| job.token == token);
        found.map(|(id, _)| EngineJobId(id.clone()))
    }

    pub(crate) fn cancel(&self, id: &str) -> Result<(), EngineError> {
        let mut state = self.state();
        let job = state.jobs.get_mut(id);
        let job = job.ok_or_else(|| error(EngineErrorKind::NotFound, "no such job"))?;
        if job.report.state == EngineJobState::Running {
            job.report.state = EngineJobState::Canceling;
        }
        Ok(())
    }

    /// Where a job is now.
    pub(crate) fn report(&self, id: &str) -> Result<JobReport, EngineError> {
        let now = self.now();
        let mut state = self.state();
        let job = state.jobs.get_mut(id);
        let job = job.ok_or_else(|| error(EngineErrorKind::NotFound, "no such job"))?;
        match job.report.state {
            EngineJobState::Canceling => job.report.state = EngineJobState::Canceled,
            EngineJobState::Running if !job.stuck => {
                // A clock that is set back does not undo work.
                let passed = now.since_ns(job.began).min(job.takes_ns);
                let done = (JOB_BYTES * passed)
                    .checked_div(job.takes_ns)
                    .unwrap_or(JOB_BYTES);
                let progress = &mut job.report.progress;
                let half = done >= JOB_BYTES / 2;
                *progress = Progress {
                    phase: if half { "Writing" } else { "Reading" }.to_owned(),
                    done_bytes: progress.done_bytes.max(done),
                    total_bytes: JOB_BYTES,
                    rate_bytes_per_s: 1000,
                    eta_ms: None,
                };
                if job.fails && half {
                    job.report.state = EngineJobState::Failed;
                    job.report.failure = Some("the destination is full; free 3 GB".to_owned());
                } else if now.since_ns(job.began) >= job.takes_ns || now < job.began {
                    state.finish(id, now);
                }
            }
            _ => {}
        }
        Ok(state.jobs[id].report.clone())
    }
}

impl State {
    fn number(&mut self) -> i64 {
        self.numbers += 1;
        self.numbers
    }

    fn add_tenant(&mut self, name: &str, now: Scn) -> TenantKey {
        let key = TenantKey(format!("k{}", self.number()));
        let tenant = TenantObservation {
            key: key.clone(),
            name: name.to_owned(),
            state: TenantState::Online,
            data_file: None,
            size_bytes: 8192,
            note: None,
            archive: ArchiveObservation {
                state: ArchiveState::Doing,
                round: 1,
                started: Some(now),
                checkpoint: Some(now),
                host: "here".to_owned(),
                directory: "log".to_owned(),
                note: None,
            },
            history_known: true,
            sets: Vec::new(),
            spans: vec![span(1, now)],
            data_bytes: 0,
            log_bytes: 0,
            second: None,
        };
        self.tenants.insert(key.0.clone(), tenant);
        key
    }

    fn check(&mut self, tenant: &TenantKey, makes: &Makes, now: Scn) -> Result<(), EngineError> {
        let refuse = |text: &str| Err(error(EngineErrorKind::Rejected, text));
        let Some(found) = self.tenants.get(&tenant.0) else {
            return Err(error(EngineErrorKind::NotFound, "no such tenant"));
        };
        let running = |job: &Job| {
            job.tenant == tenant.0
                && matches!(
                    job.report.state,
                    EngineJobState::Running | EngineJobState::Canceling
                )
        };
        match makes {
            Makes::Set(_) if found.archive.state != ArchiveState::Doing => {
                refuse("log backup is stopped")
            }
            Makes::Set(_) => {
                let both = |job: &Job| running(job) && matches!(job.makes, Makes::Set(_));
                if self.jobs.values().any(both) {
                    let text = format!("two data backups of {} at once", found.name);
                    self.wrong.push(text);
                }
                Ok(())
            }
            Makes::Tenant(name) if self.tenants.values().any(|one| one.name == *name) => {
                refuse("a tenant of this name exists")
            }
            Makes::CopyOf(set) if !found.sets.iter().any(|one| one.id == *set) => {
                refuse("the set is not there any more")
            }
            Makes::Removal(_, keep_from) => {
                let kept_s = now.since_ns(*keep_from) / NS_PER_SECOND + self.stepped_s;
                if kept_s < self.keep_days.saturating_mul(86_400) {
                    let text = format!("a cleanup keeps {kept_s} s only");
                    self.wrong.push(text);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Makes what a job has to make.
    fn finish(&mut self, id: &str, now: Scn) {
        let number = self.number();
        let job = self.jobs.get_mut(id).unwrap();
        job.report.state = EngineJobState::Completed;
        job.report.progress.done_bytes = JOB_BYTES;
        let (key, makes) = (job.tenant.clone(), job.makes.clone());
        let tenant = self.tenants.get_mut(&key).unwrap();
        match makes {
            Makes::Set(kind) => {
                let set = next_set(tenant, number, kind, now);
                job.report.set = Some(set.id);
                job.report.actual = Some(set.kind);
                job.report.min_restore_scn = Some(now);
                job.report.location = Some(format!("set_{number}"));
                self.made.insert((key, set.id));
                tenant.sets.push(set);
            }
            Makes::Tenant(name) => {
                self.add_tenant(&name, now);
            }
            Makes::CopyOf(set) => {
                copy(tenant, set);
                job.report.location = Some("second".to_owned());
                self.copied.insert((key, set));
            }
            Makes::LogCopy => {
                let spans = tenant.spans.clone();
                second(tenant).spans = spans;
            }
            Makes::Removal(place, keep_from) => {
                let sets = match place {
                    Place::First => &mut tenant.sets,
                    Place::Second => &mut second(tenant).sets,
                };
                let gone = remove(sets, keep_from);
                job.report.outcome = Some(format!("{gone} sets removed"));
            }
        }
    }
}

fn take(count: &mut u32) -> bool {
    let some = *count > 0;
    *count = count.saturating_sub(1);
    some
}

/// A set of a tenant; an incremental one without a base of its round becomes a full one.
fn next_set(tenant: &TenantObservation, id: i64, kind: BackupKind, at: Scn) -> BackupSet {
    let round = tenant.archive.round;
    let base = tenant.sets.iter().rfind(|set| set.round == round);
    let base = base.filter(|_| kind == BackupKind::Incremental);
    BackupSet {
        id: BackupSetId(id),
        kind: base.map_or(BackupKind::Full, |_| kind),
        base: base.map(|set| set.id),
        round,
        min_restore_scn: at,
        started: at,
        finished: at,
        stored_bytes: 4000,
        raw_bytes: 8192,
    }
}

fn second(tenant: &mut TenantObservation) -> &mut SecondObservation {
    tenant.second.get_or_insert_with(|| SecondObservation {
        known: true,
        sets: Vec::new(),
        arrived: Vec::new(),
        spans: Vec::new(),
        data_bytes: 0,
        log_bytes: 0,
        checkpoint: None,
        directory: "second".to_owned(),
    })
}

/// A set is copied with every set it builds on.
fn copy(tenant: &mut TenantObservation, set: BackupSetId) {
    let mut wanted = Some(set);
    while let Some(id) = wanted {
        let found = tenant.sets.iter().find(|one| one.id == id).cloned();
        wanted = found.as_ref().and_then(|found| found.base);
        let there = &mut second(tenant).sets;
        if let Some(found) = found
            && !there.iter().any(|one| one.id == id)
        {
            there.push(found);
        }
    }
}

/// Removes what is older than the newest full set at or before `keep_from`; one full set stays.
fn remove(sets: &mut Vec<BackupSet>, keep_from: Scn) -> usize {
    let base = sets
        .iter()
        .filter(|set| set.kind == BackupKind::Full && set.min_restore_scn <= keep_from)
        .map(|set| set.min_restore_scn)
        .max();
    let before = sets.len();
    if let Some(base) = base {
        sets.retain(|set| set.min_restore_scn >= base);
    }
    before - sets.len()
}

pub(crate) fn span(round: i64, start: Scn) -> LogSpan {
    LogSpan {
        round,
        start,
        end: start,
        cause: match round {
            1 => GapCause::FirstStart,
            _ => GapCause::StoppedByPerson,
        },
        note: String::new(),
    }
}

pub(crate) fn error(kind: EngineErrorKind, message: &str) -> EngineError {
    EngineError::new(kind, "order", "world", message)
}
