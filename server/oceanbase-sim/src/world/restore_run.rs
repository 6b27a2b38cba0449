//! Restore: what a job does step by step.

use super::restore::Stage;
use super::tenant::{Role, Status};
use super::{Event, World};
use crate::SqlError;
use crate::error;

impl World {
    /// One step of a restore.
    pub(crate) fn restore_step(&mut self, id: i64) {
        let Some(job) = self.restores.iter().find(|j| j.id == id).cloned() else {
            return;
        };
        match job.stage {
            Stage::Creating => {
                self.make_restored_tenant(id);
                self.restore_later(id, 25_000_000);
            }
            Stage::Restoring => {
                if let Some(text) = self.restore_obstacle(&job.name, &job.dest) {
                    self.with_restore(id, |j| {
                        j.stage = Stage::Fail;
                        j.failed = true;
                        j.comment = format!("RESTORE_FAIL: {text}");
                    });
                    self.restore_later(id, 1_000_000);
                    return;
                }
                let half = self.now_us - job.started_us < self.shortened(31_000_000);
                if half {
                    // One more look in the middle, then the upgrade.
                    self.restore_later(id, 24_000_000);
                } else {
                    self.with_restore(id, |j| j.stage = Stage::Upgrade);
                    self.restore_later(id, 5_000_000);
                }
            }
            Stage::Upgrade => {
                self.with_restore(id, |j| j.stage = Stage::Success);
                self.restored(job.tenant, job.selection.scn);
                self.restore_later(id, 1_000_000);
            }
            Stage::Success | Stage::Fail => {
                let now = self.now_us;
                self.with_restore(id, |j| {
                    j.stage = Stage::Over;
                    j.ended_us = Some(now);
                });
            }
            Stage::Over => {}
        }
    }

    fn restore_later(&mut self, id: i64, us: i64) {
        let wait = self.shortened(us);
        self.later(wait, Event::Restore(id));
    }

    fn with_restore(&mut self, id: i64, change: impl FnOnce(&mut super::restore::RestoreJob)) {
        self.change += 1;
        if let Some(job) = self.restores.iter_mut().find(|j| j.id == id) {
            change(job);
        }
    }

    fn restore_obstacle(&self, name: &str, dest: &str) -> Option<String> {
        if self
            .faults
            .restore_fails
            .iter()
            .any(|t| t.eq_ignore_ascii_case(name))
        {
            return Some("ls_id: 1001, result: -4016(internal error)".to_owned());
        }
        dest.split(',').find_map(|key| {
            self.storage_ready(key)
                .err()
                .filter(|e| e.code == 9070)
                .map(|e| format!("ls_id: 1001, result: -{}({})", e.code, e.message))
        })
    }

    fn restored(&mut self, tenant: i64, scn: i64) {
        let roles = self.version().has_roles();
        if let Some(tenant) = self.tenant_mut(tenant) {
            tenant.status = Status::Normal;
            tenant.role = if roles { Role::Standby } else { Role::Primary };
            tenant.restored_scn = roles.then_some(scn);
        }
    }

    /// How far a restore has got, 0 to 10 000.
    pub(crate) fn restore_done(&self, job: &super::restore::RestoreJob) -> i64 {
        match job.stage {
            Stage::Success => 10_000,
            Stage::Over if !job.failed => 10_000,
            _ => {
                let end = job.ended_us.unwrap_or(self.now_us);
                let total = (job.until_us - job.started_us).max(1);
                ((end - job.started_us) * 10_000 / total).clamp(0, 9_900)
            }
        }
    }

    /// `CANCEL RESTORE`.
    pub(crate) fn cancel_restore(&mut self, name: &str) -> Result<(), SqlError> {
        let id = self.tenant_id(name)?;
        let running = self.tenant(id).is_some_and(|t| t.status == Status::Restore);
        if !running {
            return Err(error::not_allowed("Cancel tenant not in restore is"));
        }
        self.remove_tenant(id);
        Ok(())
    }

    /// A restore ends with its tenant.
    pub(crate) fn cancel_restores_into(&mut self, tenant: i64) {
        let now = self.now_us;
        let ids: Vec<i64> = self
            .restores
            .iter()
            .filter(|j| j.tenant == tenant && j.stage != Stage::Over)
            .map(|j| j.id)
            .collect();
        for id in ids {
            self.forget(Event::Restore(id));
            self.with_restore(id, |j| {
                if j.stage != Stage::Success {
                    j.failed = true;
                    "RESTORE_FAIL: restore is canceled".clone_into(&mut j.comment);
                }
                j.stage = Stage::Over;
                j.ended_us = Some(now);
            });
        }
    }
}
