//! Retention policies and the cleanup they bring about.

use super::backup::{JobState, Set};
use super::{Event, World};
use crate::sql::statement::Policy;
use crate::{SqlError, calendar, error};

/// A set or a piece to delete.
#[derive(Debug, Clone)]
pub(crate) struct CleanTask {
    pub(crate) id: i64,
    /// `true` for a set.
    pub(crate) set: bool,
    /// Number of the set or piece.
    pub(crate) number: i64,
    pub(crate) round: i64,
    pub(crate) dest: i64,
    pub(crate) path: String,
    pub(crate) done: bool,
    pub(crate) started_us: i64,
    pub(crate) ended_us: Option<i64>,
}

/// A cleanup job.
#[derive(Debug, Clone)]
pub(crate) struct CleanJob {
    pub(crate) id: i64,
    pub(crate) tenant: i64,
    pub(crate) line_us: i64,
    pub(crate) started_us: i64,
    pub(crate) ended_us: Option<i64>,
    pub(crate) state: JobState,
    pub(crate) result: i64,
    pub(crate) tasks: Vec<CleanTask>,
}

/// Finished jobs that are kept per tenant.
const KEPT: usize = 200;

impl World {
    /// `ADD DELETE BACKUP POLICY`.
    pub(crate) fn add_policy(&mut self, tenant: i64, policy: &Policy) -> Result<(), SqlError> {
        if policy.name != "default" {
            return Err(error::not_supported(
                "The policy name is not 'default', it is not supported",
            ));
        }
        if policy.window.is_none() && policy.redundancy.is_none() {
            return Err(error::not_supported(
                "Neither recovery_window nor redundancy is set",
            ));
        }
        if policy.redundancy.is_some_and(|n| n != 1) {
            return Err(error::not_supported("redundancy is not equal to 1"));
        }
        let window = policy.window.clone().unwrap_or_default();
        if policy.window.is_some() && calendar::interval(&window).is_none() {
            return Err(error::not_supported(
                "recovery window is not be time string",
            ));
        }
        let Some(owner) = self.tenant_mut(tenant) else {
            return Ok(());
        };
        if owner.window.is_some() {
            return Err(error::duplicate(&format!("{tenant}-default")));
        }
        owner.window = Some(window);
        Ok(())
    }

    /// The hourly look at every tenant with a policy.
    pub(crate) fn clean_tick(&mut self) {
        let tenants: Vec<(i64, i64)> = self
            .tenants
            .iter()
            .filter_map(|t| Some((t.id, calendar::interval(t.window.as_deref()?)?)))
            .collect();
        for (tenant, window) in tenants {
            let busy = self
                .clean_jobs
                .iter()
                .any(|j| j.tenant == tenant && !j.state.is_over());
            if !busy {
                self.start_cleanup(tenant, self.now_us - window);
            }
        }
    }

    fn start_cleanup(&mut self, tenant: i64, line_us: i64) {
        let id = self.ids.job;
        self.ids.job += 1;
        let mut tasks = self.obsolete(tenant, line_us);
        for task in &mut tasks {
            task.id = self.ids.task;
            self.ids.task += 1;
        }
        self.clean_jobs.push(CleanJob {
            id,
            tenant,
            line_us,
            started_us: self.now_us,
            ended_us: None,
            state: JobState::Init,
            result: 0,
            tasks,
        });
        let over = |j: &CleanJob| j.tenant == tenant && j.state.is_over();
        if self.clean_jobs.iter().filter(|j| over(j)).count() > KEPT
            && let Some(at) = self.clean_jobs.iter().position(over)
        {
            self.clean_jobs.remove(at);
        }
        let wait = self.shortened(1_000_000);
        self.later(wait, Event::Clean(id));
    }

    fn clean_task(&self, set: bool, number: i64, round: i64, dest: i64, path: String) -> CleanTask {
        CleanTask {
            id: 0,
            set,
            number,
            round,
            dest,
            path,
            done: false,
            started_us: self.now_us,
            ended_us: None,
        }
    }

    /// What a line makes superfluous: on the current destinations only, and only what the clean point does not need.
    fn obsolete(&self, tenant: i64, line_us: i64) -> Vec<CleanTask> {
        let Some(owner) = self.tenant(tenant) else {
            return Vec::new();
        };
        let root = owner.data().map(|d| d.path.as_str());
        let archive = owner.archive_dest.as_ref().map(|d| d.path.as_str());
        let old = |s: &Set| s.ended_us.is_some_and(|us| us <= line_us);
        let here: Vec<&Set> = self
            .sets
            .iter()
            .filter(|s| s.tenant == tenant && Some(s.root.as_str()) == root)
            .collect();
        let point = here
            .iter()
            .rev()
            .find(|s| s.is_usable() && !s.incremental && old(s));
        let Some(point) = point else {
            return Vec::new();
        };
        let mut tasks: Vec<CleanTask> = here
            .iter()
            .filter(|s| old(s) && s.file_status != "DELETED")
            .filter(|s| s.id < point.id || s.status == "FAILED")
            .map(|s| self.clean_task(true, s.id, 0, s.dest, s.path()))
            .collect();
        let rounds = self
            .rounds
            .iter()
            .filter(|r| r.tenant == tenant && Some(r.path.as_str()) == archive);
        for piece in rounds.flat_map(|r| r.pieces(self.checkpoint(r))) {
            if piece.status == "FROZEN"
                && piece.file_status != "DELETED"
                && piece.checkpoint_scn <= point.replay_scn
            {
                let path = crate::rows::piece_path(&piece);
                tasks.push(self.clean_task(false, piece.id, piece.round, piece.dest, path));
            }
        }
        tasks
    }

    /// One step of a cleanup: begin, delete, end.
    pub(crate) fn clean_step(&mut self, id: i64) {
        let now = self.now_us;
        self.change += 1;
        let Some(at) = self.clean_jobs.iter().position(|j| j.id == id) else {
            return;
        };
        let tenant = self.clean_jobs[at].tenant;
        let tasks = self.clean_jobs[at].tasks.clone();
        match self.clean_jobs[at].state {
            JobState::Init => {
                self.clean_jobs[at].state = JobState::Doing;
                self.mark(tenant, &tasks, "DELETING");
                let wait = self.shortened(9_000_000);
                self.later(wait, Event::Clean(id));
            }
            JobState::Doing => {
                self.mark(tenant, &tasks, "DELETED");
                self.end_cleanup(at, JobState::Completed, 0, now);
            }
            JobState::Canceling => self.end_cleanup(at, JobState::Canceled, -4072, now),
            _ => {}
        }
    }

    fn end_cleanup(&mut self, at: usize, state: JobState, result: i64, now: i64) {
        let job = &mut self.clean_jobs[at];
        job.state = state;
        job.result = result;
        job.ended_us = Some(now);
        for task in &mut job.tasks {
            task.done = state == JobState::Completed;
            task.ended_us = Some(now);
        }
    }

    fn mark(&mut self, tenant: i64, tasks: &[CleanTask], status: &'static str) {
        for task in tasks {
            if task.set {
                if let Some(set) = self.set_mut(tenant, task.number) {
                    set.file_status = status;
                }
            } else if let Some(round) = self
                .rounds
                .iter_mut()
                .find(|r| r.tenant == tenant && r.id == task.round)
            {
                round.marks.insert(task.number, status);
            }
        }
    }

    /// `CANCEL DELETE BACKUP`; nothing running is fine.
    pub(crate) fn cancel_cleanup(&mut self, tenants: Option<&[i64]>) {
        let wait = self.shortened(2_000_000);
        let mut ids = Vec::new();
        for job in &mut self.clean_jobs {
            let mine = tenants.is_none_or(|t| t.contains(&job.tenant));
            if mine && matches!(job.state, JobState::Init | JobState::Doing) {
                job.state = JobState::Canceling;
                ids.push(job.id);
            }
        }
        for id in ids {
            self.change += 1;
            self.forget(Event::Clean(id));
            self.later(wait, Event::Clean(id));
        }
    }
}
