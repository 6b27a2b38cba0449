//! Data backups: what a job does step by step.

use super::archive::Stage;
use super::backup::JobState;
use super::{Event, World};
use crate::version::Version;

/// The phases of a backup task in a version, and how long each takes of 20 s, in ms.
pub(crate) fn phases(version: Version) -> &'static [(&'static str, i64)] {
    if version < Version::V4_1_0 {
        &[
            ("INIT", 1000),
            ("BACKUP_SYS_META", 2000),
            ("BACKUP_USER_META", 2000),
            ("BACKUP_DATA_SYS", 2000),
            ("BACKUP_DATA_MINOR", 4000),
            ("BACKUP_DATA_MAJOR", 5000),
            ("BACKUP_LOG", 2000),
        ]
    } else if version < Version::V4_3_3 {
        &[
            ("INIT", 1000),
            ("BACKUP_SYS_META", 2000),
            ("BACKUP_USER_META", 2000),
            ("BACKUP_META_FINISH", 1000),
            ("BACKUP_DATA_SYS", 2000),
            ("BACKUP_DATA_MINOR", 4000),
            ("BACKUP_DATA_MAJOR", 4000),
            ("BACKUP_LOG", 2000),
        ]
    } else if version < Version::V4_3_5 {
        &[
            ("INIT", 1000),
            ("BACKUP_SYS_META", 2000),
            ("BACKUP_USER_META", 2000),
            ("BACKUP_META_FINISH", 1000),
            ("BACKUP_SYS_DATA", 2000),
            ("BACKUP_USER_DATA", 6000),
            ("BACKUP_FUSE_TABLET_META", 1000),
            ("BEFORE_BACKUP_LOG", 1000),
            ("BACKUP_LOG", 2000),
        ]
    } else {
        &[
            ("INIT", 1000),
            ("BACKUP_SYS_META", 2000),
            ("BACKUP_USER_META", 2000),
            ("BACKUP_META_FINISH", 1000),
            ("BACKUP_SYS_DATA", 2000),
            ("BACKUP_USER_DATA", 5000),
            ("BACKUP_FUSE_TABLET_META", 1000),
            ("PREPARE_BACKUP_LOG", 1000),
            ("BEFORE_BACKUP_LOG", 1000),
            ("BACKUP_LOG", 2000),
        ]
    }
}

impl World {
    /// One step of a job.
    pub(crate) fn backup_step(&mut self, id: i64) {
        let Some(job) = self.jobs.iter().find(|j| j.id == id).cloned() else {
            return;
        };
        if job.is_over() {
            return;
        }
        if job.tenant == 1 {
            self.parent_step(id);
            return;
        }
        if job.state == JobState::Canceling {
            self.finish(id, JobState::Canceled, -4072, String::new());
            return;
        }
        if let Some((code, text)) = self.backup_obstacle(&job.path, job.tenant, job.phase) {
            let comment = format!(
                "(ROOTSERVICE)addr: {}:2882, result: {code}({text}), trace_id: Y{:X}-0",
                self.servers.first().map_or("", |s| s.ip.as_str()),
                self.now_us
            );
            self.finish(id, JobState::Failed, code, comment);
            return;
        }
        let phases = phases(self.version());
        if job.task.is_none() {
            let task = self.ids.task;
            self.ids.task += 1;
            self.with_job(id, |j| {
                j.state = JobState::Doing;
                j.task = Some(task);
            });
            let wait = self.shortened(1_000_000);
            self.later(wait, Event::Backup(id));
            return;
        }
        let next = job.phase + 1;
        if next >= phases.len() {
            self.finish(id, JobState::Completed, 0, String::new());
            return;
        }
        self.with_job(id, |j| j.phase = next);
        self.set_progress(job.tenant, job.set, next, &job);
        let wait = self.shortened(phases[next].1 * 1000);
        self.later(wait, Event::Backup(id));
    }

    fn with_job(&mut self, id: i64, change: impl FnOnce(&mut super::backup::Job)) {
        self.change += 1;
        if let Some(job) = self.jobs.iter_mut().find(|j| j.id == id) {
            change(job);
        }
    }

    /// What stops a running backup now.
    fn backup_obstacle(&self, path: &str, tenant: i64, phase: usize) -> Option<(i64, String)> {
        match self.archive_status(tenant) {
            Some(Stage::Interrupted) => {
                return Some((-9027, "log archive is interrupted".to_owned()));
            }
            None | Some(Stage::Stop | Stage::Stopping) => {
                return Some((-9029, "log archive is not running".to_owned()));
            }
            _ => {}
        }
        if let Err(e) = self.storage_ready(path) {
            return Some((-i64::from(e.code), e.message));
        }
        let name = self.tenant(tenant).map(|t| t.name.clone())?;
        let wanted = self.faults.backup_fails.get(&name)?;
        let here = phases(self.version()).get(phase).map_or("", |p| p.0);
        let due = wanted.is_empty()
            || wanted.eq_ignore_ascii_case(here)
            || (!phases(self.version())
                .iter()
                .any(|p| p.0.eq_ignore_ascii_case(wanted))
                && phase > 0);
        due.then(|| (-4016, "internal error".to_owned()))
    }

    /// The set grows with the phases, and learns its points in time as they are passed.
    fn set_progress(&mut self, tenant: i64, set: i64, phase: usize, job: &super::backup::Job) {
        let now_scn = self.now_scn();
        let all = phases(self.version());
        let total: i64 = all.iter().map(|p| p.1).sum();
        let past: i64 = all[..phase].iter().map(|p| p.1).sum();
        let data_begins = all[phase].0.starts_with("BACKUP_DATA_SYS")
            || all[phase].0.starts_with("BACKUP_SYS_DATA");
        if let Some(set) = self.set_mut(tenant, set) {
            set.done = past * 10_000 / total;
            if data_begins {
                set.replay_scn = job.start_scn;
                set.consistent_scn = now_scn;
            }
        }
    }

    pub(crate) fn set_mut(&mut self, tenant: i64, id: i64) -> Option<&mut super::backup::Set> {
        self.change += 1;
        self.sets
            .iter_mut()
            .find(|s| s.tenant == tenant && s.id == id)
    }

    fn finish(&mut self, id: i64, state: JobState, result: i64, comment: String) {
        let (now, scn) = (self.now_us, self.now_scn());
        let Some(job) = self.jobs.iter().find(|j| j.id == id).cloned() else {
            return;
        };
        // Logs are copied last, so what is archived by then bounds the earliest point in time.
        let min_restore = self
            .round_of(job.tenant)
            .map_or(scn, |r| self.checkpoint(r))
            .max(job.start_scn);
        self.with_job(id, |j| {
            j.state = state;
            j.result = result;
            j.comment.clone_from(&comment);
            j.ended_us = Some(now);
            j.end_scn = if state == JobState::Completed { scn } else { 0 };
        });
        let plus = job.plus;
        if let Some(set) = self.set_mut(job.tenant, job.set) {
            set.ended_us = Some(now);
            set.result = result;
            set.comment = comment;
            if state == JobState::Completed {
                set.status = "SUCCESS";
                set.file_status = "AVAILABLE";
                set.done = 10_000;
                set.min_restore_scn = min_restore.max(set.consistent_scn);
                if plus {
                    set.bytes += 24 << 20;
                }
            } else {
                set.status = "FAILED";
                set.file_status = "INCOMPLETE";
            }
        }
    }

    /// The parent waits for its children.
    fn parent_step(&mut self, id: i64) {
        let (now, scn) = (self.now_us, self.now_scn());
        let children: Vec<(JobState, i64)> = self
            .jobs
            .iter()
            .filter(|j| j.initiator_job == id)
            .map(|j| (j.state, j.result))
            .collect();
        if children.iter().all(|(state, _)| state.is_over()) {
            let failed = children.iter().find(|(s, _)| *s == JobState::Failed);
            let canceled = children.iter().any(|(s, _)| *s == JobState::Canceled);
            let (state, result) = match failed {
                Some((_, result)) => (JobState::Failed, *result),
                None if canceled => (JobState::Canceled, -4072),
                None => (JobState::Completed, 0),
            };
            self.with_job(id, |j| {
                j.state = state;
                j.result = result;
                j.ended_us = Some(now);
                j.end_scn = scn;
            });
            return;
        }
        self.with_job(id, |j| {
            if j.state == JobState::Init {
                j.state = JobState::Doing;
            }
        });
        let wait = self.shortened(1_000_000);
        self.later(wait, Event::Backup(id));
    }
}
