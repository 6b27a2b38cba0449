//! Which moments the cluster itself would accept for a recovery.
//!
//! The rules are the server's: it chooses sets first and looks at log afterwards, and does not fall back to an older
//! set when the newest one's log is incomplete. A round that stops and starts again leaves a hole, and so does a piece
//! that is missing; a set taken after the hole can be used with what follows it.

use domain::{Scn, backup::BackupKind, recoverable::RecoverableRange};

/// A set that succeeded and is available at one data destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetFile {
    /// `BACKUP_SET_ID`, ascending with time.
    pub id: i64,
    /// `BACKUP_TYPE`.
    pub kind: BackupKind,
    /// `PREV_FULL_BACKUP_SET_ID`; 0 for a full one.
    pub full: i64,
    /// `PREV_INC_BACKUP_SET_ID`; 0 for a full one, the full one for the first incremental after it.
    pub previous: i64,
    /// `START_REPLAY_SCN`: log is replayed from here.
    pub replay_from: Scn,
    /// `MIN_RESTORE_SCN`.
    pub min_restore: Scn,
    /// `PLUS_ARCHIVELOG`: the set holds the log that it needs for its own moment.
    pub with_log: bool,
}

/// An available piece of archived log at one log destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PieceFile {
    /// `ROUND_ID`.
    pub round: i64,
    /// `PIECE_ID`.
    pub id: i64,
    /// `START_SCN`.
    pub start: Scn,
    /// `END_SCN`, where it ends in theory.
    pub end: Scn,
    /// `CHECKPOINT_SCN`, how far it got in fact.
    pub checkpoint: Scn,
}

/// Moments that a recovery from one set reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// The last set that is read.
    pub set: i64,
    /// The round its log is in; 0 where no log is needed.
    pub round: i64,
    /// The moments.
    pub range: RecoverableRange,
}

/// The windows of the sets of one data destination with the log of one log destination, ascending. Sets have to be
/// in the order of their ids, pieces in the order of round and id.
pub fn windows(sets: &[SetFile], pieces: &[PieceFile]) -> Vec<Window> {
    let chained = chained(sets);
    let mut found = Vec::with_capacity(chained.len());
    for (at, set) in chained.iter().enumerate() {
        let next = chained.get(at + 1).map(|next| next.min_restore.minus_ns(1));
        let reach = reach(set.replay_from, pieces);
        let end = reach.map(|(_, end)| next.map_or(end, |next| next.min(end)));
        match (reach, end) {
            (Some((round, _)), Some(end)) if set.min_restore <= end => found.push(Window {
                set: set.id,
                round,
                range: RecoverableRange {
                    start: set.min_restore,
                    end,
                },
            }),
            _ if set.with_log => found.push(Window {
                set: set.id,
                round: 0,
                range: RecoverableRange {
                    start: set.min_restore,
                    end: set.min_restore,
                },
            }),
            _ => {}
        }
    }
    found
}

/// The sets that a recovery to `until` reads, as the server chooses them; empty when there are none.
pub fn chain(sets: &[SetFile], until: Scn) -> Vec<SetFile> {
    let mut chain: Vec<SetFile> = Vec::new();
    for set in sets {
        if set.min_restore > until {
            break;
        }
        join(&mut chain, set);
    }
    chain
}

/// Pieces that a recovery from `replay_from` to `until` reads.
pub fn pieces_between(pieces: &[PieceFile], replay_from: Scn, until: Scn) -> Vec<PieceFile> {
    let wanted = |piece: &&PieceFile| piece.end > replay_from && piece.start <= until;
    pieces.iter().filter(wanted).cloned().collect()
}

/// The sets that the server's walk accepts, each at the end of its chain.
fn chained(sets: &[SetFile]) -> Vec<&SetFile> {
    let mut chain = Vec::new();
    sets.iter().filter(|set| join(&mut chain, set)).collect()
}

/// Takes a set into the chain if it fits.
fn join(chain: &mut Vec<SetFile>, set: &SetFile) -> bool {
    let has = |id: i64| chain.iter().any(|known| known.id == id);
    match set.kind {
        BackupKind::Full => chain.clear(),
        BackupKind::Incremental if has(set.full) && has(set.previous) => {}
        BackupKind::Incremental => return false,
    }
    chain.push(set.clone());
    true
}

/// The round of the piece that holds `from`, and how far log goes on from there without a hole.
fn reach(from: Scn, pieces: &[PieceFile]) -> Option<(i64, Scn)> {
    let mut later = pieces.iter().filter(|piece| piece.end > from);
    let first = later.next().filter(|piece| piece.start <= from)?;
    let mut last = first;
    for piece in later {
        if piece.start != last.end {
            break;
        }
        last = piece;
    }
    Some((first.round, last.checkpoint))
}

#[cfg(test)]
#[path = "windows_tests.rs"]
mod tests;
