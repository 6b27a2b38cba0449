//! Second backups of 3.x: copies of finished sets and of log pieces on another destination.

use super::legacy::Step;
use super::legacy_pieces::Piece;
use super::{Event, World, dest};
use crate::{SqlError, error};

/// What a job that copies sets walks through.
pub(crate) const SET_STAGES: [&str; 4] = ["SCHEDULE", "BACKUP", "CLEAN", "FINISH"];
/// What a job that copies pieces walks through.
pub(crate) const PIECE_STAGES: [&str; 3] = ["SCHEDULE", "DOING", "FINISH"];
/// `COPY_ID` of copies at the configured second destination.
const CONFIGURED: i64 = 10_001;
/// `COPY_ID` of copies at a destination that the statement named.
const NAMED: i64 = 1;

/// What a job copies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Copied {
    /// Sets by id.
    Sets(Vec<i64>),
    /// Pieces as they were when the job began.
    Pieces(Vec<(i64, Piece)>),
}

/// A job that copies.
#[derive(Debug, Clone)]
pub(crate) struct CopyJob {
    pub(crate) id: i64,
    pub(crate) what: Copied,
    /// Whether all were asked for.
    pub(crate) all: bool,
    pub(crate) dest: String,
    pub(crate) copy_id: i64,
    pub(crate) start_us: i64,
    pub(crate) end_us: Option<i64>,
    /// Number in the stages.
    pub(crate) stage: usize,
    pub(crate) canceled: bool,
    pub(crate) result: i64,
    pub(crate) over: bool,
}

impl CopyJob {
    pub(crate) fn stages(&self) -> &'static [&'static str] {
        match self.what {
            Copied::Sets(_) => &SET_STAGES,
            Copied::Pieces(_) => &PIECE_STAGES,
        }
    }

    /// Whether what it copies is there in full.
    pub(crate) fn is_done(&self) -> bool {
        self.end_us.is_some() && !self.canceled && self.result == 0
    }

    /// Whether it is being written.
    pub(crate) fn is_writing(&self) -> bool {
        self.stage == 1 && !self.canceled && self.end_us.is_none()
    }

    pub(crate) fn sets(&self) -> &[i64] {
        match &self.what {
            Copied::Sets(sets) => sets,
            Copied::Pieces(_) => &[],
        }
    }

    pub(crate) fn pieces(&self) -> &[(i64, Piece)] {
        match &self.what {
            Copied::Sets(_) => &[],
            Copied::Pieces(pieces) => pieces,
        }
    }
}

fn nothing(what: &str) -> SqlError {
    error::coded(9050, format!("no backup {what} needs to be backed up"))
}

impl World {
    /// Where a copy goes, and its `COPY_ID`.
    fn copy_dest(
        &self,
        what: &str,
        tenant: bool,
        to: Option<String>,
    ) -> Result<(String, i64), SqlError> {
        let configured = self.cluster_parameter("backup_backup_dest");
        if tenant && to.as_ref().is_none_or(|to| *to == configured) {
            return Err(error::not_supported(format!(
                "tenant level backup backup{what} without its own backup_backup_dest is not supported",
            )));
        }
        let copy_id = if to.is_some() { NAMED } else { CONFIGURED };
        let dest = to.unwrap_or(configured);
        if dest.is_empty() || dest == self.cluster_parameter("backup_dest") {
            return Err(nothing(what));
        }
        if self.legacy.copies.iter().any(|c| !c.over) {
            return Err(error::coded(4023, "Try again"));
        }
        Ok((dest, copy_id))
    }

    fn begin_copy(&mut self, what: Copied, all: bool, dest: String, copy_id: i64) {
        let id = self.ids.job;
        self.ids.job += 1;
        self.change += 1;
        self.legacy.copies.push(CopyJob {
            id,
            what,
            all,
            dest,
            copy_id,
            start_us: self.now_us,
            end_us: None,
            stage: 0,
            canceled: false,
            result: 0,
            over: false,
        });
        let wait = self.shortened(2_000_000);
        self.later(wait, Event::Legacy(Step::Copy(id)));
    }

    /// Sets that were copied to a destination.
    pub(crate) fn copied_sets(&self, dest: &str) -> Vec<i64> {
        let there = |c: &&CopyJob| c.dest == dest && c.is_done();
        let jobs = self.legacy.copies.iter().filter(there);
        jobs.flat_map(|c| c.sets().iter().copied()).collect()
    }

    /// Pieces at a destination, each as it was copied last.
    pub(crate) fn copied_pieces(&self, dest: &str) -> Vec<(i64, Piece)> {
        let mut found: Vec<(i64, Piece)> = Vec::new();
        for job in self.legacy.copies.iter().filter(|c| c.dest == dest) {
            for (round, piece) in job.pieces().iter().filter(|_| job.is_done()) {
                found.retain(|(r, p)| (*r, p.id) != (*round, piece.id));
                found.push((*round, piece.clone()));
            }
        }
        found.sort_by_key(|(round, piece)| (*round, piece.id));
        found
    }

    /// `BACKUP BACKUPSET id | ALL`.
    pub(crate) fn copy_set(
        &mut self,
        id: Option<u64>,
        times: Option<u64>,
        tenant: bool,
        to: Option<String>,
    ) -> Result<(), SqlError> {
        let (dest, copy_id) = self.copy_dest("set", tenant, to)?;
        let copied = self.copied_sets(&dest);
        let wanted = |set: i64| id.is_none_or(|id| i64::try_from(id) == Ok(set));
        if times == Some(1) && copied.iter().any(|set| wanted(*set)) {
            return Err(error::coded(9059, "backup set has enough copies"));
        }
        let newest = copied.iter().copied().max().unwrap_or(0);
        let sets = self.legacy.sets.iter();
        let sets: Vec<i64> = sets
            .filter(|s| s.status == "COMPLETED" && !s.deleted && wanted(s.id) && s.id > newest)
            .map(|s| s.id)
            .collect();
        if sets.is_empty() {
            return Err(nothing("set"));
        }
        self.begin_copy(Copied::Sets(sets), id.is_none(), dest, copy_id);
        Ok(())
    }

    /// `BACKUP BACKUPPIECE id | ALL`; the one stream of a cluster without piece switching is no piece.
    pub(crate) fn copy_piece(
        &mut self,
        id: Option<u64>,
        with_active: bool,
        tenant: bool,
        to: Option<String>,
    ) -> Result<(), SqlError> {
        if self.legacy.round_copies {
            return Err(error::not_supported(
                "backup backuppiece while backup archivelog is started is not supported",
            ));
        }
        let (dest, copy_id) = self.copy_dest("piece", tenant, to)?;
        let copied = self.copied_pieces(&dest);
        let is_there = |round: i64, piece: &Piece| {
            let same = |(r, p): &&(i64, Piece)| (*r, p.id) == (round, piece.id);
            let there = copied.iter().find(same);
            there.is_some_and(|(_, p)| p.checkpoint_us == piece.checkpoint_us)
        };
        let mut pieces = Vec::new();
        for round in &self.legacy.rounds {
            for piece in self.legacy_pieces(round) {
                let wanted = id.is_none_or(|id| i64::try_from(id) == Ok(piece.id));
                let fits = piece.frozen || with_active;
                if piece.id > 0 && wanted && fits && !is_there(round.id, &piece) {
                    pieces.push((round.id, piece));
                }
            }
        }
        if pieces.is_empty() {
            return Err(nothing("piece"));
        }
        self.begin_copy(Copied::Pieces(pieces), id.is_none(), dest, copy_id);
        Ok(())
    }

    /// `CANCEL BACKUP BACKUPSET | BACKUPPIECE`; nothing running is fine.
    pub(crate) fn cancel_copy(&mut self) {
        let Some(job) = self
            .legacy
            .copies
            .iter_mut()
            .find(|c| !c.over && c.end_us.is_none())
        else {
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
        let now = self.now_us;
        let Some(job) = self.legacy.copies.iter().find(|c| c.id == id) else {
            return;
        };
        let version = self.version();
        let place = dest::parse(&job.dest, version).map(|uri| uri.key());
        let ready = place.and_then(|key| self.storage_ready(&key));
        let Some(job) = self.legacy.copies.iter_mut().find(|c| c.id == id) else {
            return;
        };
        let last = job.stages().len() - 1;
        if job.canceled || job.stage == last {
            job.over = true;
            job.end_us.get_or_insert(now);
            return;
        }
        job.stage += 1;
        if job.stage == last {
            job.end_us = Some(now);
        }
        if let Err(refusal) = ready {
            job.result = -i64::from(refusal.code);
            job.stage = last;
            job.end_us = Some(now);
        }
        let wait = match job.stage {
            1 => 10_000_000,
            _ => 1_000_000,
        };
        let wait = self.shortened(wait);
        self.later(wait, Event::Legacy(Step::Copy(id)));
    }
}
