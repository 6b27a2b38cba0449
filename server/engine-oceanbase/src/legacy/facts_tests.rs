//! Rows of rounds, pieces and sets, as clusters tell them in their ways.

use super::*;
use crate::windows::SetFile;
use domain::recoverable::{self, RecoverableRange, SetPoint};

fn round(start: u64, checkpoint: u64) -> RoundFacts {
    RoundFacts {
        start: Scn(start),
        checkpoint: Scn(checkpoint),
        status: "DOING".to_owned(),
        bytes: 1,
    }
}

fn piece(copy: i64, round: i64, id: i64, start: u64, checkpoint: u64) -> PieceFacts {
    PieceFacts {
        round,
        id,
        copy,
        start: Scn(start),
        checkpoint: Scn(checkpoint),
        is_there: true,
    }
}

fn set(id: i64, kind: BackupKind, started: u64) -> MadeSet {
    MadeSet {
        set: KnownSet {
            file: SetFile {
                id,
                kind,
                full: 0,
                previous: 0,
                replay_from: Scn(started),
                min_restore: Scn(started),
                with_log: false,
            },
            root: String::new(),
            started: Scn(started),
            finished: Scn(started + 5),
            stored_bytes: 1,
            raw_bytes: 2,
        },
        succeeded: true,
        is_here: true,
        is_copied: false,
    }
}

/// A tenant with two rounds, 100 to 500 and 560 to 900.
fn tenant(pieces: Vec<PieceFacts>, made: Vec<MadeSet>) -> TenantFacts {
    let mut facts = TenantFacts {
        rounds: [(1, round(100, 500)), (2, round(560, 900))].into(),
        pieces,
        made,
        ..TenantFacts::default()
    };
    facts.settle("file:///first", Some("file:///second"));
    facts
}

fn ranges(backups: &Backups) -> Vec<(u64, u64)> {
    let (sets, spans) = backups.told();
    let points = sets.iter().map(|set| SetPoint {
        id: set.id,
        round: set.round,
        min_restore_scn: set.min_restore_scn,
    });
    let ranges = recoverable::ranges(&points.collect::<Vec<_>>(), &spans);
    let pair = |range: &RecoverableRange| (range.start.0, range.end.0);
    ranges.iter().map(pair).collect()
}

use BackupKind::{Full, Incremental};

fn three_sets() -> Vec<MadeSet> {
    vec![
        set(1, Full, 150),
        set(2, Incremental, 320),
        set(3, Full, 640),
    ]
}

#[test]
fn rounds_without_pieces_are_one_stream_each() {
    let facts = tenant(Vec::new(), three_sets());
    assert_eq!(ranges(&facts.first), [(150, 500), (640, 900)]);
    assert!(facts.second.sets.is_empty() && ranges(&facts.second).is_empty());
}

#[test]
fn a_piece_with_the_number_0_is_the_whole_round() {
    let pieces = vec![piece(0, 1, 0, 100, 500), piece(0, 2, 0, 560, 890)];
    let facts = tenant(pieces, three_sets());
    assert_eq!(ranges(&facts.first), [(150, 500), (640, 900)]);
}

#[test]
fn pieces_go_on_by_their_numbers_and_a_missing_one_ends_what_is_before_it() {
    let mut pieces = vec![
        piece(0, 1, 1, 100, 240),
        piece(0, 1, 2, 250, 390),
        piece(0, 1, 3, 400, 500),
        piece(0, 2, 4, 560, 900),
    ];
    let whole = tenant(pieces.clone(), three_sets());
    assert_eq!(ranges(&whole.first), [(150, 500), (640, 900)]);
    pieces[1].is_there = false;
    let holed = tenant(pieces.clone(), three_sets());
    // The incremental set needs the piece that is gone.
    assert_eq!(ranges(&holed.first), [(150, 240), (640, 900)]);
    // Its row may be gone too.
    pieces.remove(1);
    let gone = tenant(pieces.clone(), three_sets());
    assert_eq!(ranges(&gone.first), [(150, 240), (640, 900)]);
    // A former round without any piece is one that was removed.
    pieces.retain(|piece| piece.round == 2);
    let cleaned = tenant(pieces, three_sets());
    assert_eq!(ranges(&cleaned.first), [(640, 900)]);
}

#[test]
fn a_set_in_one_round_never_uses_log_of_the_next() {
    // The second round begins exactly where the first one ended.
    let mut facts = TenantFacts {
        rounds: [(1, round(100, 500)), (2, round(500, 900))].into(),
        made: vec![set(1, Full, 150)],
        ..TenantFacts::default()
    };
    facts.settle("file:///first", None);
    assert_eq!(ranges(&facts.first), [(150, 500)]);
}

#[test]
fn copies_reach_as_far_as_their_own_log() {
    let mut made = three_sets();
    for made in &mut made {
        made.is_copied = made.set.file.id < 3;
    }
    let copies = vec![
        piece(SECOND_COPY, 1, 1, 100, 250),
        piece(SECOND_COPY, 1, 2, 250, 410),
        piece(0, 1, 1, 100, 250),
        piece(0, 1, 2, 250, 500),
        piece(0, 2, 3, 560, 900),
    ];
    let facts = tenant(copies, made);
    assert_eq!(ranges(&facts.first), [(150, 500), (640, 900)]);
    assert_eq!(ranges(&facts.second), [(150, 410)]);
    // Nothing of the second round is claimed to be there.
    let (_, spans) = facts.second.told();
    assert!(spans.iter().all(|span| span.round == 1), "{spans:?}");
}

#[test]
fn an_incremental_set_builds_on_the_newest_one_that_succeeded() {
    let mut made = vec![
        set(1, Full, 110),
        set(2, Full, 120),
        set(3, Incremental, 130),
        set(4, Incremental, 140),
    ];
    made[1].succeeded = false;
    made[1].is_here = false;
    let facts = tenant(Vec::new(), made.clone());
    let based: Vec<(i64, i64, i64)> = facts
        .first
        .sets
        .iter()
        .map(|set| (set.file.id, set.file.full, set.file.previous))
        .collect();
    assert_eq!(based, [(1, 0, 0), (3, 1, 1), (4, 1, 3)]);
    // What is between is gone: the last one is of no use.
    made[2].is_here = false;
    let (usable, _) = tenant(Vec::new(), made).first.told();
    let ids: Vec<i64> = usable.iter().map(|set| set.id.0).collect();
    assert_eq!(ids, [1]);
    // One of which nothing is known before it has no base at all.
    let (usable, _) = tenant(Vec::new(), vec![set(7, Incremental, 120)])
        .first
        .told();
    assert!(usable.is_empty());
}
