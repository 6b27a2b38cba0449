//! Second backups of 3.x: copies of finished sets on another destination.

use super::legacy::Step;
use super::{Event, World};
use crate::{SqlError, error};

/// What a copy job walks through.
pub(crate) const COPY_STAGES: [&str; 4] = ["SCHEDULE", "BACKUP", "CLEAN", "FINISH"];

/// A job that copies a set.
#[derive(Debug, Clone)]
pub(crate) struct CopyJob {
    pub(crate) id: i64,
    pub(crate) set: i64,
    /// Whether all sets were asked for.
    pub(crate) all: bool,
    pub(crate) dest: String,
    /// Number in [`COPY_STAGES`].
    pub(crate) stage: usize,
    pub(crate) canceled: bool,
    pub(crate) over: bool,
}

impl World {
    /// `BACKUP BACKUPSET id | ALL`.
    pub(crate) fn copy_set(
        &mut self,
        id: Option<u64>,
        times: Option<u64>,
        tenant: bool,
        to: Option<String>,
    ) -> Result<(), SqlError> {
        let configured = self.cluster_parameter("backup_backup_dest");
        if tenant && to.as_ref().is_none_or(|to| *to == configured) {
            return Err(error::not_supported(
                "tenant level backup backupset without its own backup_backup_dest is not supported",
            ));
        }
        let dest = to.unwrap_or(configured);
        let first = self.cluster_parameter("backup_dest");
        let nothing = || error::coded(9050, "no backup set needs to be backed up");
        if dest.is_empty() || dest == first {
            return Err(nothing());
        }
        if self.legacy.copies.iter().any(|c| !c.over) {
            return Err(error::coded(4023, "Try again"));
        }
        let copied: Vec<i64> = self
            .legacy
            .copies
            .iter()
            .filter(|c| c.dest == dest && !c.canceled)
            .map(|c| c.set)
            .collect();
        let wanted = |set: i64| id.is_none_or(|id| i64::try_from(id) == Ok(set));
        let known = copied.iter().any(|set| wanted(*set));
        if times == Some(1) && known {
            return Err(error::coded(9059, "backup set has enough copies"));
        }
        let newest = copied.iter().copied().max().unwrap_or(0);
        let set = self
            .legacy
            .sets
            .iter()
            .find(|s| s.status == "COMPLETED" && wanted(s.id) && s.id > newest)
            .map(|s| s.id)
            .ok_or_else(nothing)?;
        let job = self.ids.job;
        self.ids.job += 1;
        self.change += 1;
        self.legacy.copies.push(CopyJob {
            id: job,
            set,
            all: id.is_none(),
            dest,
            stage: 0,
            canceled: false,
            over: false,
        });
        let wait = self.shortened(2_000_000);
        self.later(wait, Event::Legacy(Step::Copy(job)));
        Ok(())
    }

    /// `BACKUP BACKUPPIECE`: the pieces of a cluster without piece switching cannot be copied one by one.
    pub(crate) fn copy_piece(&self, tenant: bool, to: Option<&str>) -> Result<(), SqlError> {
        if self.legacy.round_copies || (tenant && to.is_none()) {
            return Err(error::not_supported(
                "backup backuppiece while backup archivelog is started is not supported",
            ));
        }
        Err(error::coded(9050, "no backup piece needs to be backed up"))
    }

    /// `CANCEL BACKUP BACKUPSET`; nothing running is fine.
    pub(crate) fn cancel_copy(&mut self) {
        let Some(job) = self.legacy.copies.iter_mut().find(|c| !c.over) else {
            return;
        };
        job.canceled = true;
        let id = job.id;
        let wait = self.shortened(1_000_000);
        self.change += 1;
        self.forget(Event::Legacy(Step::Copy(id)));
        self.later(wait, Event::Legacy(Step::Copy(id)));
    }

    pub(crate) fn copy_step(&mut self, id: i64) {
        let Some(job) = self.legacy.copies.iter_mut().find(|c| c.id == id) else {
            return;
        };
        if job.canceled || job.stage + 1 == COPY_STAGES.len() {
            job.over = true;
            return;
        }
        job.stage += 1;
        let wait = if job.stage == 1 {
            10_000_000
        } else {
            1_000_000
        };
        let wait = self.shortened(wait);
        self.later(wait, Event::Legacy(Step::Copy(id)));
    }
}
