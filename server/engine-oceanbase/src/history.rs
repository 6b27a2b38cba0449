//! What a tenant's backups make recoverable, in the console's words: usable sets, and spans of log that hold exactly
//! the moments that the cluster would accept.

use crate::windows::{PieceFile, SetFile, Window, windows};
use domain::{
    BackupSetId, Scn,
    backup::BackupSet,
    recoverable::{self, GapCause, LogSpan, RecoverableRange},
};
use std::collections::BTreeMap;

/// A set with what the page shows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownSet {
    /// For the rules.
    pub file: SetFile,
    /// Directory of the destination, without the set's own part.
    pub root: String,
    /// When its backup began.
    pub started: Scn,
    /// When it ended.
    pub finished: Scn,
    /// Bytes at the destination.
    pub stored_bytes: u64,
    /// Bytes read.
    pub raw_bytes: u64,
}

/// A piece with its destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPiece {
    /// For the rules.
    pub file: PieceFile,
    /// `DEST_ID` of its destination.
    pub destination: i64,
    /// Whether it is there in full.
    pub available: bool,
    /// Bytes at the destination; 0 where the cluster does not tell.
    pub stored_bytes: u64,
}

/// A round as it is told about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownRound {
    /// `ROUND_ID`.
    pub id: i64,
    /// `DEST_ID`.
    pub destination: i64,
    /// `START_SCN`.
    pub start: Scn,
    /// `CHECKPOINT_SCN`.
    pub checkpoint: Scn,
    /// `COMMENT`.
    pub comment: String,
    /// `PATH` of its destination.
    pub path: String,
}

/// Everything at the destinations of one tenant, in the order of ids.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Backups {
    /// Sets that succeeded and are available.
    pub sets: Vec<KnownSet>,
    /// Pieces that are not deleted.
    pub pieces: Vec<KnownPiece>,
    /// Rounds.
    pub rounds: Vec<KnownRound>,
}

/// A data destination with a log destination, and what they give together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Root of the sets.
    pub root: String,
    /// `DEST_ID` of the log; `None` where sets stand alone.
    pub destination: Option<i64>,
    /// Windows, ascending.
    pub windows: Vec<Window>,
}

impl Backups {
    /// What each data destination gives with each log destination. A recovery reads one of each.
    pub fn pairs(&self) -> Vec<Pair> {
        let mut roots: BTreeMap<&str, Vec<SetFile>> = BTreeMap::new();
        for set in &self.sets {
            roots.entry(&set.root).or_default().push(set.file.clone());
        }
        let mut logs: BTreeMap<i64, Vec<PieceFile>> = BTreeMap::new();
        for piece in self.pieces.iter().filter(|piece| piece.available) {
            logs.entry(piece.destination)
                .or_default()
                .push(piece.file.clone());
        }
        let mut pairs = Vec::new();
        for (root, sets) in roots {
            let mut pair = |destination, pieces: &[PieceFile]| {
                pairs.push(Pair {
                    root: root.to_owned(),
                    destination,
                    windows: windows(&sets, pieces),
                });
            };
            match logs.is_empty() {
                true => pair(None, &[]),
                false => logs.iter().for_each(|(id, pieces)| pair(Some(*id), pieces)),
            }
        }
        pairs
    }

    /// Sets that reach some moment, and the spans in which they do. [`recoverable::ranges`] of both is exactly what
    /// the cluster would accept.
    pub fn told(&self) -> (Vec<BackupSet>, Vec<LogSpan>) {
        let all: Vec<Window> = self
            .pairs()
            .into_iter()
            .flat_map(|pair| pair.windows)
            .collect();
        let ranges = recoverable::union(all.iter().map(|window| window.range).collect());
        let mut spans: Vec<LogSpan> = Vec::new();
        for range in &ranges {
            let inside = all.iter().filter(|window| within(window, range));
            let round = inside.map(|window| window.round).max().unwrap_or_default();
            let since = spans.last().map(|last| last.end);
            spans.push(self.span(round, *range, since));
        }
        let mut sets = Vec::new();
        for set in &self.sets {
            let mut of_set = all.iter().filter(|window| window.set == set.file.id);
            if let Some(window) = of_set.next()
                && let Some(at) = ranges.iter().position(|range| within(window, range))
            {
                sets.push(usable(set, spans[at].round));
            }
        }
        spans.extend(self.unused_log(&ranges));
        (sets, spans)
    }

    fn span(&self, round: i64, range: RecoverableRange, since: Option<Scn>) -> LogSpan {
        let (cause, note) = self.cause(since, range.start);
        LogSpan {
            round,
            start: range.start,
            end: range.end,
            cause,
            note,
        }
    }

    /// Log beyond the last recoverable moment, which no set can use.
    fn unused_log(&self, ranges: &[RecoverableRange]) -> Option<LogSpan> {
        let newest = self.rounds.iter().max_by_key(|round| round.checkpoint)?;
        let last = ranges.last().map(|range| range.end);
        let start = newest
            .start
            .max(last.map_or(Scn::ZERO, |end| end.plus_ns(1)));
        (start <= newest.checkpoint && newest.start != Scn::ZERO).then(|| {
            let (cause, note) = self.cause(last, start);
            LogSpan {
                round: newest.id,
                start,
                end: newest.checkpoint,
                cause,
                note,
            }
        })
    }

    /// Why nothing between `since` and `start` can be recovered to.
    fn cause(&self, since: Option<Scn>, start: Scn) -> (GapCause, String) {
        let Some(since) = since else {
            return (GapCause::FirstStart, String::new());
        };
        let began = |round: &&KnownRound| since < round.start && round.start <= start;
        let Some(next) = self
            .rounds
            .iter()
            .filter(began)
            .min_by_key(|round| round.start)
        else {
            return self.cause_inside(since, start);
        };
        let before = self.rounds.iter().filter(|round| round.start < next.start);
        let Some(before) = before.max_by_key(|round| round.start) else {
            return (GapCause::Unknown, String::new());
        };
        if before.destination != next.destination {
            return (
                GapCause::StoppedByPerson,
                "the destination of the log was changed".to_owned(),
            );
        }
        match before.comment.as_str() {
            "" => (GapCause::StoppedByPerson, String::new()),
            comment => (GapCause::LogLost, comment.to_owned()),
        }
    }

    fn cause_inside(&self, since: Scn, start: Scn) -> (GapCause, String) {
        let between = |piece: &&KnownPiece| piece.file.end > since && piece.file.start < start;
        let mut holes = self
            .pieces
            .iter()
            .filter(between)
            .filter(|piece| !piece.available);
        match holes.next() {
            Some(hole) => (
                GapCause::LogMissing,
                format!(
                    "piece {} of round {} is not available",
                    hole.file.id, hole.file.round
                ),
            ),
            None => (GapCause::NoDataBackup, String::new()),
        }
    }
}

fn within(window: &Window, range: &RecoverableRange) -> bool {
    range.start <= window.range.start && window.range.end <= range.end
}

fn usable(set: &KnownSet, round: i64) -> BackupSet {
    BackupSet {
        id: BackupSetId(set.file.id),
        kind: set.file.kind,
        base: (set.file.previous != 0).then_some(BackupSetId(set.file.previous)),
        round,
        min_restore_scn: set.file.min_restore,
        started: set.started,
        finished: set.finished,
        stored_bytes: set.stored_bytes,
        raw_bytes: set.raw_bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{backup::BackupKind, recoverable::SetPoint};

    fn set(id: i64, root: &str, kind: BackupKind, replay: u64, min: u64) -> KnownSet {
        let is_full = kind == BackupKind::Full;
        KnownSet {
            file: SetFile {
                id,
                kind,
                full: if is_full { 0 } else { id - 1 },
                previous: if is_full { 0 } else { id - 1 },
                replay_from: Scn(replay),
                min_restore: Scn(min),
                with_log: false,
            },
            root: root.to_owned(),
            started: Scn(replay),
            finished: Scn(min),
            stored_bytes: 1,
            raw_bytes: 2,
        }
    }

    fn piece(destination: i64, round: i64, id: i64, span: [u64; 3], available: bool) -> KnownPiece {
        let [start, end, checkpoint] = span.map(Scn);
        KnownPiece {
            file: PieceFile {
                round,
                id,
                start,
                end,
                checkpoint,
            },
            destination,
            available,
            stored_bytes: 0,
        }
    }

    fn round(id: i64, destination: i64, start: u64, checkpoint: u64, comment: &str) -> KnownRound {
        KnownRound {
            id,
            destination,
            start: Scn(start),
            checkpoint: Scn(checkpoint),
            comment: comment.to_owned(),
            path: format!("file:///log/{destination}"),
        }
    }

    fn ranges_of(told: &(Vec<BackupSet>, Vec<LogSpan>)) -> Vec<RecoverableRange> {
        let points = told.0.iter().map(|set| SetPoint {
            id: set.id,
            round: set.round,
            min_restore_scn: set.min_restore_scn,
        });
        recoverable::ranges(&points.collect::<Vec<_>>(), &told.1)
    }

    #[test]
    fn the_page_tells_what_the_cluster_accepts_and_why_there_is_a_hole() {
        let backups = Backups {
            sets: vec![
                set(1, "/d", BackupKind::Full, 120, 150),
                set(2, "/d", BackupKind::Incremental, 300, 320),
                set(3, "/d", BackupKind::Full, 600, 640),
            ],
            pieces: vec![
                piece(1, 1, 1, [100, 550, 500], true),
                piece(1, 2, 2, [560, 1060, 900], true),
            ],
            rounds: vec![round(1, 1, 100, 500, ""), round(2, 1, 560, 900, "")],
        };
        let told = backups.told();
        let range = |start, end| RecoverableRange {
            start: Scn(start),
            end: Scn(end),
        };
        assert_eq!(ranges_of(&told), [range(150, 500), range(640, 900)]);
        assert_eq!(told.0.len(), 3);
        let gaps = recoverable::gaps(&ranges_of(&told), &told.1);
        assert_eq!(gaps.len(), 1);
        assert_eq!(gaps[0].cause, GapCause::StoppedByPerson);
    }

    #[test]
    fn log_without_a_set_and_a_missing_piece_say_so() {
        let mut backups = Backups {
            sets: vec![set(1, "/d", BackupKind::Full, 120, 150)],
            pieces: vec![
                piece(1, 1, 1, [100, 200, 200], true),
                piece(1, 1, 2, [200, 300, 300], false),
                piece(1, 1, 3, [300, 400, 390], true),
            ],
            rounds: vec![round(1, 1, 100, 390, "")],
        };
        let told = backups.told();
        assert_eq!(
            ranges_of(&told).last().map(|range| range.end),
            Some(Scn(200))
        );
        let gaps = recoverable::gaps(&ranges_of(&told), &told.1);
        assert_eq!(gaps.len(), 1, "{told:?}");
        assert_eq!((gaps[0].since, gaps[0].until), (Scn(200), None));
        assert_eq!(gaps[0].cause, GapCause::LogMissing);
        backups.sets.clear();
        let told = backups.told();
        assert!(told.0.is_empty() && ranges_of(&told).is_empty());
        assert_eq!(told.1.len(), 1);
    }

    #[test]
    fn sets_of_a_former_destination_stay_usable_with_their_own_log() {
        let backups = Backups {
            sets: vec![
                set(1, "/old", BackupKind::Full, 110, 120),
                set(2, "/new", BackupKind::Full, 310, 320),
            ],
            pieces: vec![
                piece(1001, 1, 1, [100, 250, 200], true),
                piece(1002, 2, 2, [300, 500, 400], true),
            ],
            rounds: vec![round(1, 1001, 100, 200, ""), round(2, 1002, 300, 400, "")],
        };
        let told = backups.told();
        assert_eq!(told.0.len(), 2);
        let gaps = recoverable::gaps(&ranges_of(&told), &told.1);
        assert_eq!((gaps[0].since, gaps[0].until), (Scn(200), Some(Scn(320))));
        assert!(gaps[0].note.contains("destination"), "{gaps:?}");
    }
}
