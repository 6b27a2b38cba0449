//! What the rows of one tenant mean: which sets build on which, and how far the log of each round goes.

use crate::{
    history::{Backups, KnownPiece, KnownRound, KnownSet},
    windows::PieceFile,
};
use domain::{Scn, backup::BackupKind};
use std::collections::BTreeMap;

/// `COPY_ID` of what was copied to the second destination that is configured.
pub(super) const SECOND_COPY: i64 = 10_001;
/// What a set that nothing is known of before it would build on; no set has it.
const NO_BASE: i64 = -1;

/// Everything known of one tenant.
#[derive(Debug, Clone, Default)]
pub(super) struct TenantFacts {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) status: String,
    pub(super) locality: String,
    pub(super) archive: Option<ArchiveFacts>,
    pub(super) first: Backups,
    /// What was copied; windows of it are what can be recovered without the first.
    pub(super) second: Backups,
    /// Every set that was made and ones that are gone, with copies.
    pub(super) made: Vec<MadeSet>,
    pub(super) data_bytes: u64,
    pub(super) log_bytes: u64,
    pub(super) second_bytes: u64,
    pub(super) zones: Vec<String>,
    pub(super) rounds: BTreeMap<i64, RoundFacts>,
    pub(super) pieces: Vec<PieceFacts>,
}

/// Log archiving of a tenant.
#[derive(Debug, Clone)]
pub(super) struct ArchiveFacts {
    pub(super) status: String,
    pub(super) round: i64,
    pub(super) start: Option<Scn>,
    pub(super) checkpoint: Option<Scn>,
}

/// A set of a tenant, wherever it is.
#[derive(Debug, Clone)]
pub(super) struct MadeSet {
    pub(super) set: KnownSet,
    /// Whether its backup succeeded.
    pub(super) succeeded: bool,
    pub(super) is_here: bool,
    pub(super) is_copied: bool,
}

/// A round as the rows tell it.
#[derive(Debug, Clone, Default)]
pub(super) struct RoundFacts {
    pub(super) start: Scn,
    pub(super) checkpoint: Scn,
    pub(super) status: String,
    pub(super) bytes: u64,
}

/// A piece, or a copy of one.
#[derive(Debug, Clone)]
pub(super) struct PieceFacts {
    pub(super) round: i64,
    pub(super) id: i64,
    pub(super) copy: i64,
    pub(super) start: Scn,
    pub(super) checkpoint: Scn,
    pub(super) is_there: bool,
}

impl TenantFacts {
    /// Brings what the rows told into the form of the rules.
    pub(super) fn settle(&mut self, destination: &str, second: Option<&str>) {
        self.pieces
            .sort_by_key(|piece| (piece.copy, piece.round, piece.id));
        self.made.sort_by_key(|made| made.set.file.id);
        self.log_bytes = self.rounds.values().map(|round| round.bytes).sum();
        self.chain();
        let sets = |root: &str, is_there: fn(&MadeSet) -> bool| {
            let made = self.made.iter().filter(|made| is_there(made));
            let set = made.map(|made| KnownSet {
                root: root.to_owned(),
                ..made.set.clone()
            });
            set.collect()
        };
        let first = Backups {
            sets: sets(destination, |made| made.is_here),
            pieces: self.known_pieces(0),
            rounds: self.known_rounds(),
        };
        if let Some(uri) = second {
            let pieces = self.known_pieces(SECOND_COPY);
            self.second = Backups {
                sets: sets(uri, |made| made.is_copied),
                rounds: copied_rounds(&self.known_rounds(), &pieces),
                pieces,
            };
        }
        self.first = first;
    }

    /// Whether log is archived in pieces; else the only one of a round has the number 0.
    pub(super) fn has_pieces(&self) -> bool {
        self.pieces
            .iter()
            .any(|piece| piece.copy == 0 && piece.id > 0)
    }

    /// No view tells what an incremental set builds on: it is the newest one that succeeded before it, also where that
    /// is gone by now.
    fn chain(&mut self) {
        let (mut full, mut previous) = (NO_BASE, NO_BASE);
        for made in self.made.iter_mut().filter(|made| made.succeeded) {
            let file = &mut made.set.file;
            match file.kind {
                BackupKind::Full => full = file.id,
                BackupKind::Incremental => (file.full, file.previous) = (full, previous),
            }
            previous = file.id;
        }
    }

    fn known_rounds(&self) -> Vec<KnownRound> {
        let begun = |(_, round): &(&i64, &RoundFacts)| round.start != Scn::ZERO;
        let rounds = self.rounds.iter().filter(begun);
        let known = rounds.map(|(id, round)| KnownRound {
            id: *id,
            destination: 0,
            start: round.start,
            checkpoint: round.checkpoint,
            comment: match round.status.as_str() {
                "INTERRUPTED" => "log backup of the cluster was interrupted".to_owned(),
                _ => String::new(),
            },
            path: String::new(),
        });
        known.collect()
    }

    /// The log of one copy. Each round stands alone, as if it had a destination of its own: log never goes on from
    /// one into the next.
    fn known_pieces(&self, copy: i64) -> Vec<KnownPiece> {
        let mut known = Vec::new();
        let newest = self.rounds.keys().next_back().copied();
        let tells_pieces = self.pieces.iter().any(|piece| piece.copy == 0);
        for (id, round) in self.rounds.iter().filter(|(_, it)| it.start != Scn::ZERO) {
            let of_round = |it: &&PieceFacts| it.copy == copy && it.round == *id;
            let pieces: Vec<&PieceFacts> = self.pieces.iter().filter(of_round).collect();
            let is_newest = Some(*id) == newest;
            if pieces.is_empty() && copy == 0 && (is_newest || !tells_pieces) {
                let whole = PieceFacts {
                    round: *id,
                    id: 0,
                    copy,
                    start: round.start,
                    checkpoint: round.checkpoint,
                    is_there: true,
                };
                known.push(known_piece(&whole, None, is_newest));
            }
            for (at, piece) in pieces.iter().enumerate() {
                let next = pieces.get(at + 1).copied();
                let mut piece = (*piece).clone();
                // How far a round got is told as a number, its pieces' times are local texts.
                if copy == 0 && next.is_none() && round.checkpoint != Scn::ZERO {
                    piece.checkpoint = round.checkpoint;
                }
                known.push(known_piece(&piece, next, is_newest && copy == 0));
            }
        }
        known
    }
}

/// Rounds as far as they were copied.
fn copied_rounds(rounds: &[KnownRound], pieces: &[KnownPiece]) -> Vec<KnownRound> {
    let copied = rounds.iter().filter_map(|round| {
        let there = |piece: &&KnownPiece| piece.available && piece.file.round == round.id;
        let start = pieces.iter().filter(there).map(|it| it.file.start).min()?;
        let reached = pieces.iter().filter(there).map(|it| it.file.checkpoint);
        Some(KnownRound {
            start,
            checkpoint: reached.max()?,
            ..round.clone()
        })
    });
    copied.collect()
}

/// A piece goes on into the one with the next number, whatever its own times say.
fn known_piece(piece: &PieceFacts, next: Option<&PieceFacts>, is_open: bool) -> KnownPiece {
    let end = match next {
        Some(next) if next.id == piece.id + 1 => next.start,
        None if is_open => Scn(u64::MAX),
        _ => piece.checkpoint.plus_ns(1),
    };
    KnownPiece {
        file: PieceFile {
            round: piece.round,
            id: piece.id,
            start: piece.start,
            end,
            checkpoint: piece.checkpoint,
        },
        destination: piece.round,
        available: piece.is_there,
        stored_bytes: 0,
    }
}

#[cfg(test)]
#[path = "facts_tests.rs"]
mod tests;
