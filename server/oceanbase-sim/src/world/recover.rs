//! Table recovery.

use super::restore::Options;
use super::select::Selection;
use super::tenant::{Role, Status};
use super::{Event, World};
use crate::sql::statement::RecoverTable;
use crate::{SqlError, error};

/// What a recovery walks through, and how long each step takes of 60 s, in ms.
pub(crate) const STEPS: [(&str, i64); 7] = [
    ("PREPARE", 2000),
    ("RECOVERING", 4000),
    ("RESTORE_AUX_TENANT", 34_000),
    ("ACTIVE_AUX_TENANT", 4000),
    ("PRECHECK_IMPORT", 3000),
    ("GEN_IMPORT_JOB", 3000),
    ("IMPORTING", 10_000),
];

/// How a recovery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Success,
    Canceled,
}

/// A table recovery.
#[derive(Debug, Clone)]
pub(crate) struct Recovery {
    pub(crate) id: i64,
    pub(crate) import: i64,
    pub(crate) tenant: i64,
    pub(crate) target: String,
    pub(crate) auxiliary: String,
    pub(crate) request: RecoverTable,
    pub(crate) selection: Selection,
    pub(crate) start_us: i64,
    pub(crate) end_us: Option<i64>,
    pub(crate) step: usize,
    pub(crate) canceling: bool,
    pub(crate) outcome: Option<Outcome>,
}

impl World {
    /// `RECOVER TABLE`.
    pub(crate) fn start_recover(
        &mut self,
        request: RecoverTable,
        passwords: &[String],
    ) -> Result<(), SqlError> {
        let target = request
            .target
            .clone()
            .ok_or_else(|| error::coded(4179, "no target tenant specified"))?;
        let tenant = self.tenant_id(&target)?;
        let state = self.tenant(tenant).map(|t| (t.role, t.status));
        match state {
            Some((Role::Primary, Status::Normal)) => {}
            Some((Role::Primary, _)) => {
                return Err(error::not_allowed("tenant status is not normal"));
            }
            _ => {
                return Err(error::not_supported(
                    "recover table to standby tenant is not supported",
                ));
            }
        }
        for (at, (from, _)) in request.remap.iter().enumerate() {
            if request.remap[..at].iter().any(|(f, _)| f == from) {
                return Err(error::not_allowed("duplicate remap is"));
            }
        }
        let busy = |r: &Recovery| r.tenant == tenant && r.outcome.is_none();
        if self.recoveries.iter().any(busy) {
            return Err(error::not_allowed("recover table while one is running is"));
        }
        let options = Options::parse(&request.options, self.version())?;
        let until = self.until_scn(Some(&request.until))?;
        let selection = self.choose(&request.from, until, passwords)?;
        self.free_pools(&options.pools)?;
        let id = self.ids.job;
        self.ids.job += 2;
        self.change += 1;
        self.recoveries.push(Recovery {
            id,
            import: id + 1,
            tenant,
            target,
            auxiliary: format!("AUX_RECOVER${}", self.now_us),
            request,
            selection,
            start_us: self.now_us,
            end_us: None,
            step: 0,
            canceling: false,
            outcome: None,
        });
        let wait = self.shortened(STEPS[0].1 * 1000);
        self.later(wait, Event::Recover(id));
        Ok(())
    }

    /// `CANCEL RECOVER TABLE`; nothing running is fine.
    pub(crate) fn cancel_recover(&mut self, target: &str) -> Result<(), SqlError> {
        let tenant = self.tenant_id(target)?;
        self.change += 1;
        let Some(recovery) = self
            .recoveries
            .iter_mut()
            .find(|r| r.tenant == tenant && r.outcome.is_none())
        else {
            return Ok(());
        };
        recovery.canceling = true;
        let id = recovery.id;
        let wait = self.shortened(2_000_000);
        self.forget(Event::Recover(id));
        self.later(wait, Event::Recover(id));
        Ok(())
    }

    pub(crate) fn recover_step(&mut self, id: i64) {
        let now = self.now_us;
        let Some(recovery) = self.recoveries.iter_mut().find(|r| r.id == id) else {
            return;
        };
        let next = recovery.step + 1;
        if recovery.canceling || next == STEPS.len() {
            recovery.end_us = Some(now);
            recovery.outcome = Some(if recovery.canceling {
                Outcome::Canceled
            } else {
                Outcome::Success
            });
            return;
        }
        recovery.step = next;
        let wait = self.shortened(STEPS[next].1 * 1000);
        self.later(wait, Event::Recover(id));
    }
}
