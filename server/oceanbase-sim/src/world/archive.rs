//! Log archive: rounds, their checkpoints and their pieces.

use std::collections::BTreeMap;

use super::tenant::Status;
use super::{Event, World};
use crate::SqlError;
use crate::error;

/// The state of a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Prepare,
    Beginning,
    Doing,
    Interrupted,
    Suspending,
    Suspend,
    Stopping,
    Stop,
}

impl Stage {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Stage::Prepare => "PREPARE",
            Stage::Beginning => "BEGINNING",
            Stage::Doing => "DOING",
            Stage::Interrupted => "INTERRUPTED",
            Stage::Suspending => "SUSPENDING",
            Stage::Suspend => "SUSPEND",
            Stage::Stopping => "STOPPING",
            Stage::Stop => "STOP",
        }
    }
}

/// One continuous run of archiving.
#[derive(Debug, Clone)]
pub(crate) struct Round {
    pub(crate) tenant: i64,
    pub(crate) dest: i64,
    pub(crate) id: i64,
    pub(crate) stage: Stage,
    /// 0 before the round begins.
    pub(crate) start_scn: i64,
    pub(crate) base_piece: i64,
    pub(crate) interval_us: i64,
    pub(crate) path: String,
    pub(crate) comment: String,
    /// Where the checkpoint stood when it last stopped moving.
    pub(crate) floor_scn: i64,
    /// Bytes archived in a second.
    pub(crate) rate: i64,
    /// File states of pieces that are no longer just available.
    pub(crate) marks: BTreeMap<i64, &'static str>,
    /// Whether the tenant is gone and only storage remembers the round.
    pub(crate) orphan: bool,
}

/// A piece, computed from its round.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub(crate) tenant: i64,
    pub(crate) dest: i64,
    pub(crate) round: i64,
    pub(crate) id: i64,
    pub(crate) status: &'static str,
    pub(crate) file_status: &'static str,
    pub(crate) start_scn: i64,
    pub(crate) checkpoint_scn: i64,
    pub(crate) end_scn: i64,
    pub(crate) bytes: i64,
    pub(crate) root: String,
}

impl Round {
    pub(crate) fn is_stopped(&self) -> bool {
        self.stage == Stage::Stop
    }

    /// The newest piece for a checkpoint.
    pub(crate) fn used_piece(&self, checkpoint: i64) -> i64 {
        self.base_piece + (checkpoint - self.start_scn).max(0) / (self.interval_us * 1000)
    }

    fn bytes(&self, from: i64, to: i64) -> i64 {
        (to - from).max(0) / 1_000_000 * self.rate / 1000
    }

    /// Input bytes up to a checkpoint.
    pub(crate) fn input(&self, checkpoint: i64) -> i64 {
        self.bytes(self.start_scn, checkpoint)
    }

    /// Every piece up to a checkpoint.
    pub(crate) fn pieces(&self, checkpoint: i64) -> Vec<Piece> {
        if self.start_scn == 0 {
            return Vec::new();
        }
        let newest = self.used_piece(checkpoint);
        (self.base_piece..=newest)
            .map(|id| self.piece(id, newest, checkpoint))
            .collect()
    }

    fn piece(&self, id: i64, newest: i64, checkpoint: i64) -> Piece {
        let interval = self.interval_us * 1000;
        let start_scn = self.start_scn + (id - self.base_piece) * interval;
        let end_scn = start_scn + interval;
        let checkpoint_scn = checkpoint.clamp(start_scn, end_scn);
        let frozen = id < newest || self.is_stopped();
        let reached = checkpoint > self.start_scn && checkpoint >= start_scn;
        let plain = if frozen || reached {
            "AVAILABLE"
        } else {
            "INCOMPLETE"
        };
        Piece {
            tenant: self.tenant,
            dest: self.dest,
            round: self.id,
            id,
            status: if frozen { "FROZEN" } else { "ACTIVE" },
            file_status: self.marks.get(&id).copied().unwrap_or(plain),
            start_scn,
            checkpoint_scn,
            end_scn,
            bytes: self.bytes(start_scn, checkpoint_scn),
            root: self.path.clone(),
        }
    }
}

impl World {
    /// The current or last round of a tenant.
    pub(crate) fn round_of(&self, tenant: i64) -> Option<&Round> {
        self.rounds.iter().rev().find(|r| r.tenant == tenant)
    }

    fn round_mut(&mut self, tenant: i64) -> Option<&mut Round> {
        self.change += 1;
        self.rounds.iter_mut().rev().find(|r| r.tenant == tenant)
    }

    /// How far a round has got.
    pub(crate) fn checkpoint(&self, round: &Round) -> i64 {
        let still = round.stage != Stage::Doing
            || self.tenant(round.tenant).is_none_or(|t| t.frozen)
            || self.storage_ready(&round.path).is_err();
        if still {
            return round.floor_scn;
        }
        let lag = self.shortened(3_000_000);
        let step = self.shortened(2_000_000);
        let reached = (self.now_us - lag).div_euclid(step) * step * 1000;
        reached.max(round.floor_scn)
    }

    /// Keeps the checkpoints of running rounds before something stops or lets go of them.
    pub(crate) fn settle_checkpoints(&mut self) {
        let reached: Vec<i64> = self.rounds.iter().map(|r| self.checkpoint(r)).collect();
        for (round, reached) in self.rounds.iter_mut().zip(reached) {
            round.floor_scn = reached;
        }
        self.change += 1;
    }

    pub(crate) fn archive_status(&self, tenant: i64) -> Option<Stage> {
        self.round_of(tenant).map(|r| r.stage)
    }

    /// Lets the archive loop look at a tenant soon.
    pub(crate) fn wake_archive(&mut self, tenant: i64, in_us: i64) {
        if in_us == 0 && self.round_of(tenant).is_none_or(Round::is_stopped) {
            self.forget(Event::Archive(tenant));
            self.archive_step(tenant);
            return;
        }
        let settled = self.archive_status(tenant).is_none_or(|s| {
            matches!(
                s,
                Stage::Doing | Stage::Suspend | Stage::Stop | Stage::Interrupted
            )
        });
        if settled {
            self.forget(Event::Archive(tenant));
            self.later(in_us, Event::Archive(tenant));
        }
    }

    /// `ARCHIVELOG` or `NOARCHIVELOG` for one tenant.
    pub(crate) fn switch_archive(&mut self, id: i64, on: bool) -> Result<(), SqlError> {
        let Some(tenant) = self.tenant(id) else {
            return Ok(());
        };
        if tenant.status != Status::Normal || tenant.in_recyclebin {
            return Err(error::coded(
                9023,
                "cannot start log archive, tenant status is not normal",
            ));
        }
        if tenant.archivelog == on {
            return Err(if on {
                error::coded(9091, "Already in ARCHIVELOG mode")
            } else {
                error::coded(9092, "Already in NOARCHIVELOG mode")
            });
        }
        let now = self.now_us;
        if let Some(tenant) = self.tenant_mut(id) {
            tenant.archivelog = on;
            tenant.modified_us = now;
        }
        let wait = if on { 0 } else { self.shortened(1_000_000) };
        self.wake_archive(id, wait);
        Ok(())
    }

    /// One look of the archive loop: at most one step of the round, and the time of the next look.
    pub(crate) fn archive_step(&mut self, id: i64) {
        let Some(tenant) = self.tenant(id) else {
            return;
        };
        let on = tenant.archivelog && tenant.archive_dest.is_some();
        let enabled = tenant.archive_dest.as_ref().is_some_and(|d| d.enabled);
        let stage = self.archive_status(id).unwrap_or(Stage::Stop);
        let (next, wait) = match stage {
            Stage::Stop if on && enabled => {
                self.new_round(id);
                (Stage::Prepare, 2_000_000)
            }
            Stage::Stopping => (Stage::Stop, 0),
            Stage::Stop => return,
            _ if !on => (Stage::Stopping, 3_000_000),
            Stage::Prepare => (Stage::Beginning, 3_000_000),
            Stage::Beginning => (Stage::Doing, 0),
            Stage::Doing if !enabled => (Stage::Suspending, 2_000_000),
            Stage::Suspending => (Stage::Suspend, 0),
            Stage::Suspend if enabled => (Stage::Beginning, 2_000_000),
            Stage::Doing | Stage::Suspend | Stage::Interrupted => return,
        };
        self.enter(id, next);
        // A state that was asked for during a transition is looked at once more after it.
        let again = match next {
            Stage::Doing if !enabled => 1_000_000,
            Stage::Suspend if enabled => 1_000_000,
            Stage::Stop if on => 2_000_000,
            _ => wait,
        };
        if again > 0 {
            let wait = self.shortened(again);
            self.later(wait, Event::Archive(id));
        }
    }

    fn enter(&mut self, id: i64, next: Stage) {
        let now_scn = self.now_scn();
        let reached = self.round_of(id).map_or(0, |r| self.checkpoint(r));
        if let Some(round) = self.round_mut(id) {
            round.floor_scn = reached;
            if next == Stage::Beginning && round.start_scn == 0 {
                round.start_scn = now_scn;
                round.floor_scn = now_scn;
            }
            round.stage = next;
        }
    }

    fn new_round(&mut self, id: i64) {
        let rate = 120_000 + self.random(80_000);
        let Some(dest) = self.tenant(id).and_then(|t| t.archive_dest.clone()) else {
            return;
        };
        let (round, base_piece) = match self.round_of(id) {
            Some(r) if r.start_scn == 0 => (r.id + 1, r.base_piece),
            Some(r) => (r.id + 1, r.used_piece(self.checkpoint(r)) + 1),
            None => (1, 1),
        };
        self.change += 1;
        self.rounds.push(Round {
            tenant: id,
            dest: dest.dest_id,
            id: round,
            stage: Stage::Prepare,
            start_scn: 0,
            base_piece,
            interval_us: dest.interval_us,
            path: dest.path,
            comment: String::new(),
            floor_scn: 0,
            rate,
            marks: BTreeMap::new(),
            orphan: false,
        });
    }

    /// A log stream was not archived in time.
    pub(crate) fn interrupt(&mut self, id: i64) {
        if self.archive_status(id) == Some(Stage::Doing) {
            self.enter(id, Stage::Interrupted);
            if let Some(round) = self.round_mut(id) {
                "log stream 1001 interrupted".clone_into(&mut round.comment);
            }
        }
    }

    /// The tenant is gone; its rounds stay on storage.
    pub(crate) fn end_rounds_of(&mut self, id: i64) {
        self.settle_checkpoints();
        for round in self.rounds.iter_mut().filter(|r| r.tenant == id) {
            round.stage = Stage::Stop;
            round.orphan = true;
        }
    }
}
