//! Windows of recovery, against a worked example and against asking for every single moment.

use super::*;
use domain::recoverable;
use proptest::prelude::*;

fn set(id: i64, kind: BackupKind, full: i64, previous: i64, replay: u64, min: u64) -> SetFile {
    SetFile {
        id,
        kind,
        full,
        previous,
        replay_from: Scn(replay),
        min_restore: Scn(min),
        with_log: false,
    }
}

fn piece(round: i64, id: i64, start: u64, end: u64, checkpoint: u64) -> PieceFile {
    PieceFile {
        round,
        id,
        start: Scn(start),
        end: Scn(end),
        checkpoint: Scn(checkpoint),
    }
}

fn range(start: u64, end: u64) -> RecoverableRange {
    RecoverableRange {
        start: Scn(start),
        end: Scn(end),
    }
}

/// What the server does when it is asked for one moment, step by step.
fn accepts(sets: &[SetFile], pieces: &[PieceFile], until: Scn) -> bool {
    let chain = chain(sets, until);
    let Some(last) = chain.last() else {
        return false;
    };
    if last.with_log && until == last.min_restore {
        return true;
    }
    let mut used: Vec<&PieceFile> = Vec::new();
    for piece in pieces.iter().filter(|piece| piece.end > last.replay_from) {
        match used.last() {
            None if piece.start > last.replay_from => return false,
            Some(before) if before.end != piece.start => break,
            _ => used.push(piece),
        }
    }
    used.last().is_some_and(|piece| piece.checkpoint >= until)
}

#[test]
fn a_stopped_round_leaves_a_hole() {
    let sets = [
        set(1, BackupKind::Full, 0, 0, 120, 150),
        set(2, BackupKind::Incremental, 1, 1, 300, 320),
        set(3, BackupKind::Full, 0, 0, 600, 640),
    ];
    let pieces = [piece(1, 1, 100, 550, 500), piece(2, 2, 560, 1060, 900)];
    let found = windows(&sets, &pieces);
    let ranges: Vec<_> = found.iter().map(|window| window.range).collect();
    assert_eq!(ranges, [range(150, 319), range(320, 500), range(640, 900)]);
    assert_eq!(
        recoverable::union(ranges),
        [range(150, 500), range(640, 900)]
    );
    assert!(!accepts(&sets, &pieces, Scn(520)) && !accepts(&sets, &pieces, Scn(600)));
}

#[test]
fn an_older_set_does_not_stand_in_for_one_without_log() {
    let sets = [
        set(1, BackupKind::Full, 0, 0, 100, 110),
        set(2, BackupKind::Full, 0, 0, 550, 600),
    ];
    let pieces = [piece(1, 1, 100, 500, 500)];
    let found = windows(&sets, &pieces);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].range, range(110, 500));
}

#[test]
fn a_set_that_holds_its_log_gives_its_own_moment() {
    let mut alone = set(1, BackupKind::Full, 0, 0, 100, 110);
    alone.with_log = true;
    let found = windows(std::slice::from_ref(&alone), &[]);
    assert_eq!(found[0].range, range(110, 110));
    assert_eq!(found[0].round, 0);
}

/// Sets with ids in time's order; incrementals name earlier sets, some of them wrongly.
fn some_sets() -> impl Strategy<Value = Vec<SetFile>> {
    let one = (
        any::<bool>(),
        0..4_i64,
        0..4_i64,
        0..60_u64,
        0..20_u64,
        any::<bool>(),
    );
    proptest::collection::vec(one, 0..7).prop_map(|parts| {
        let mut replay = 0;
        let mut sets: Vec<SetFile> = Vec::new();
        for (at, (is_full, full, previous, step, width, with_log)) in parts.into_iter().enumerate()
        {
            let id = i64::try_from(at).unwrap_or_default() + 1;
            let least = sets.last().map_or(0, |last| last.min_restore.0 + 1);
            replay += step;
            let min = (replay + width).max(least);
            let kind = if is_full {
                BackupKind::Full
            } else {
                BackupKind::Incremental
            };
            let (full, previous) = if is_full {
                (0, 0)
            } else {
                (id - full, id - previous)
            };
            sets.push(SetFile {
                with_log,
                ..set(id, kind, full, previous, replay.min(min), min)
            });
        }
        sets
    })
}

/// Pieces of rounds with holes between rounds, and some pieces missing.
fn some_pieces() -> impl Strategy<Value = Vec<PieceFile>> {
    let one = (0..30_u64, 1..60_u64, any::<bool>(), any::<bool>(), 0..5_u8);
    proptest::collection::vec(one, 0..8).prop_map(|parts| {
        let (mut pieces, mut at, mut round) = (Vec::new(), 0, 1);
        for (id, (hole, length, new_round, is_short, missing)) in (1..).zip(parts) {
            if new_round {
                round += 1;
                at += hole + 1;
            }
            let end = at + length;
            let checkpoint = if is_short { at + length / 2 } else { end };
            if missing > 0 {
                pieces.push(piece(round, id, at, end, checkpoint));
            }
            at = end;
        }
        pieces
    })
}

proptest! {
    #[test]
    fn windows_are_what_asking_for_every_moment_gives(sets in some_sets(), pieces in some_pieces()) {
        let ranges = windows(&sets, &pieces).into_iter().map(|window| window.range).collect();
        let ranges = recoverable::union(ranges);
        for moment in 0..500 {
            let told = ranges.iter().any(|range| range.start <= Scn(moment) && Scn(moment) <= range.end);
            prop_assert_eq!(told, accepts(&sets, &pieces, Scn(moment)), "moment {}", moment);
        }
    }
}
