//! The cluster-level backup of 3.x: one switch and one destination for every tenant.

use super::{Event, World, dest};
use crate::{SqlError, calendar, error};

/// A step of the 3.x cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Archive,
    /// A set by id.
    Backup(i64),
    /// A restore job by id.
    Restore(i64),
    /// A copy job by id.
    Copy(i64),
}

/// A round of the cluster.
#[derive(Debug, Clone)]
pub(crate) struct LegacyRound {
    pub(crate) id: i64,
    pub(crate) status: &'static str,
    /// 0 before the round begins.
    pub(crate) start_us: i64,
    pub(crate) floor_us: i64,
    /// Length of a piece; 0 where they are switched off.
    pub(crate) interval_us: i64,
    /// Number of its first piece.
    pub(crate) first_piece: i64,
}

/// A backup set of all tenants.
#[derive(Debug, Clone)]
pub(crate) struct LegacySet {
    pub(crate) id: i64,
    pub(crate) incremental: bool,
    pub(crate) start_us: i64,
    pub(crate) end_us: Option<i64>,
    /// RUNNING, COMPLETED or FAILED.
    pub(crate) status: &'static str,
    pub(crate) canceled: bool,
    /// Whether its files are gone; its row stays.
    pub(crate) deleted: bool,
    pub(crate) password: bool,
    pub(crate) tenants: Vec<i64>,
    pub(crate) dest: String,
}

/// A restore.
#[derive(Debug, Clone)]
pub(crate) struct LegacyRestore {
    pub(crate) id: i64,
    pub(crate) tenant: i64,
    pub(crate) name: String,
    pub(crate) source_id: i64,
    pub(crate) source: String,
    pub(crate) set: i64,
    pub(crate) until_us: i64,
    pub(crate) start_us: i64,
    pub(crate) end_us: Option<i64>,
    /// Number in [`RESTORE_STAGES`].
    pub(crate) stage: usize,
    /// Why it failed.
    pub(crate) failure: Option<String>,
}

/// What a restore walks through.
pub(crate) const RESTORE_STAGES: [&str; 6] = [
    "CREATE_TENANT",
    "RESTORE_SYS_REPLICA",
    "CREATE_USER_PARTITIONS",
    "RESTORE_USER_REPLICA",
    "POST_CHECK",
    "RESTORE_SUCCESS",
];

/// The state of 3.x backups.
#[derive(Debug, Clone, Default)]
pub(crate) struct Legacy {
    pub(crate) rounds: Vec<LegacyRound>,
    pub(crate) sets: Vec<LegacySet>,
    pub(crate) restores: Vec<LegacyRestore>,
    pub(crate) copies: Vec<super::legacy_copies::CopyJob>,
    /// Whether `START BACKUP ARCHIVELOG` is in force.
    pub(crate) round_copies: bool,
    used: Vec<String>,
}

/// A `key=value&...` option of 3.x.
pub(crate) fn option<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    text.split('&')
        .filter_map(|p| p.split_once('='))
        .find(|(k, _)| k.trim().eq_ignore_ascii_case(key))
        .map(|(_, v)| v.trim())
}

impl World {
    pub(super) fn legacy_later(&mut self, us: i64, step: Step) {
        let wait = self.shortened(us);
        self.later(wait, Event::Legacy(step));
    }

    pub(crate) fn legacy_step(&mut self, step: Step) {
        match step {
            Step::Archive => self.legacy_archive_step(),
            Step::Backup(id) => {
                let now = self.now_us;
                let doing = self.legacy_status() == "DOING" && self.faults.backup_fails.is_empty();
                if let Some(set) = self.legacy.sets.iter_mut().find(|s| s.id == id) {
                    let failed = set.canceled || !doing;
                    set.status = if failed { "FAILED" } else { "COMPLETED" };
                    set.end_us = Some(now);
                }
            }
            Step::Restore(id) => self.legacy_restore_step(id),
            Step::Copy(id) => self.copy_step(id),
        }
    }

    /// The state of the archive.
    pub(crate) fn legacy_status(&self) -> &'static str {
        self.legacy.rounds.last().map_or("STOP", |r| r.status)
    }

    /// How far a round has got.
    pub(crate) fn legacy_checkpoint(&self, round: &LegacyRound) -> i64 {
        if round.status == "DOING" {
            (self.now_us - self.shortened(3_000_000)).max(round.floor_us)
        } else {
            round.floor_us
        }
    }

    fn legacy_archive_step(&mut self) {
        let now = self.now_us;
        let Some(reached) = self.legacy.rounds.last().map(|r| self.legacy_checkpoint(r)) else {
            return;
        };
        if let Some(round) = self.legacy.rounds.last_mut() {
            round.floor_us = reached;
            match round.status {
                "BEGINNING" => {
                    round.status = "DOING";
                    round.start_us = now;
                    round.floor_us = now;
                }
                "STOPPING" => round.status = "STOP",
                _ => {}
            }
        }
    }

    pub(crate) fn legacy_archive(&mut self, on: bool) -> Result<(), SqlError> {
        let status = self.legacy_status();
        self.change += 1;
        if on {
            if self.cluster_parameter("backup_dest").is_empty() {
                return Err(error::coded(9026, "backup destination is not valid"));
            }
            if status != "STOP" {
                return Err(error::not_supported(
                    "start log archive backup when not STOP is not supported",
                ));
            }
            let id = self.legacy.rounds.last().map_or(1, |r| r.id + 1);
            let (interval_us, first_piece) = (self.piece_interval(), self.next_piece());
            self.legacy.rounds.push(LegacyRound {
                id,
                status: "BEGINNING",
                start_us: 0,
                floor_us: 0,
                interval_us,
                first_piece,
            });
            self.legacy_later(5_000_000, Step::Archive);
            return Ok(());
        }
        if matches!(status, "STOP" | "STOPPING") {
            return Err(error::coded(9024, "log archive backup is already disabled"));
        }
        let reached = self.legacy.rounds.last().map(|r| self.legacy_checkpoint(r));
        if let Some((round, reached)) = self.legacy.rounds.last_mut().zip(reached) {
            round.floor_us = reached;
            round.status = "STOPPING";
        }
        self.forget(Event::Legacy(Step::Archive));
        self.legacy_later(3_000_000, Step::Archive);
        Ok(())
    }

    /// The log of the cluster was not archived in time.
    pub(crate) fn interrupt_legacy(&mut self) {
        let reached = self.legacy.rounds.last().map(|r| self.legacy_checkpoint(r));
        if let Some((round, reached)) = self.legacy.rounds.last_mut().zip(reached)
            && round.status == "DOING"
        {
            round.floor_us = reached;
            round.status = "INTERRUPTED";
        }
    }

    fn legacy_busy(&self) -> bool {
        self.legacy.sets.iter().any(|s| s.status == "RUNNING")
    }

    pub(crate) fn legacy_backup(
        &mut self,
        incremental: bool,
        password: bool,
    ) -> Result<(), SqlError> {
        if self.legacy_busy() {
            return Err(error::in_progress());
        }
        let status = self.legacy_status();
        if status != "DOING" {
            return Err(error::cannot_start(format!(
                "log archive is not doing. log archive status : {status}."
            )));
        }
        let dest = self.cluster_parameter("backup_dest");
        let based = self
            .legacy
            .sets
            .iter()
            .any(|s| s.status == "COMPLETED" && !s.deleted && s.dest == dest);
        let id = self.legacy.sets.last().map_or(1, |s| s.id + 1);
        self.change += 1;
        self.legacy.sets.push(LegacySet {
            id,
            incremental: incremental && based,
            start_us: self.now_us,
            end_us: None,
            status: "RUNNING",
            canceled: false,
            deleted: false,
            password,
            tenants: self.tenants.iter().map(|t| t.id).collect(),
            dest,
        });
        self.legacy_later(20_000_000, Step::Backup(id));
        Ok(())
    }

    pub(crate) fn legacy_cancel(&mut self) -> Result<(), SqlError> {
        self.change += 1;
        let Some(set) = self.legacy.sets.iter_mut().find(|s| s.status == "RUNNING") else {
            return Err(error::coded(9049, "cannot cancel backup, it is stopped"));
        };
        set.canceled = true;
        let id = set.id;
        self.forget(Event::Legacy(Step::Backup(id)));
        self.legacy_later(2_000_000, Step::Backup(id));
        Ok(())
    }

    pub(crate) fn legacy_parameter(&mut self, name: &str, value: &str) -> Result<(), SqlError> {
        match name {
            "backup_dest" => self.legacy_dest(value),
            "backup_backup_dest" if !value.is_empty() => {
                let first = self.cluster_parameter("backup_dest");
                if first.is_empty() || value.starts_with("cos://") {
                    return Err(error::function_not_supported());
                }
                let uri = dest::parse(value, self.version())?;
                if first == value || self.storage.dirs.contains_key(&uri.key()) {
                    return Err(error::coded(9026, "backup destination is not valid"));
                }
                self.set_parameter(&[], name, value)
            }
            _ => self.set_parameter(&[], name, value),
        }
    }

    fn legacy_dest(&mut self, value: &str) -> Result<(), SqlError> {
        if self.legacy_busy() || self.legacy_status() != "STOP" {
            return Err(error::in_progress());
        }
        if !self.cluster_parameter("backup_backup_dest").is_empty() {
            return Err(error::not_supported(
                "set backup_dest while backup_backup_dest is set is not supported",
            ));
        }
        if !value.is_empty() {
            let uri = dest::parse(value, self.version())?;
            self.storage_ready(&uri.key())?;
            if self.legacy.used.contains(&uri.key()) || self.storage.dirs.contains_key(&uri.key()) {
                return Err(error::coded(9026, "backup destination is not valid"));
            }
            self.legacy.used.push(uri.key());
        }
        self.set_parameter(&[], "backup_dest", value)
    }

    pub(crate) fn legacy_delete_obsolete(&self) -> Result<(), SqlError> {
        let options = self.cluster_parameter("backup_dest_option");
        let window = option(&options, "recovery_window").and_then(calendar::interval);
        let plain = calendar::interval(&self.cluster_parameter("backup_recovery_window"));
        if window.or(plain).unwrap_or(0) == 0 {
            return Err(error::not_supported(
                "delete obsolete backup, the recovery window is unexpected",
            ));
        }
        Ok(())
    }
}
